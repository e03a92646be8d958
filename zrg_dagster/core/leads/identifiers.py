"""What names a person in free text: one pattern for Postgres and Python alike, and byte needles for raw deliveries. Pure."""

import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import quote, quote_plus, unquote_plus, urlsplit

import phonenumbers

MASK = "[erased]"
_BETWEEN_DIGITS = r"[\s().-]*"
_UNICODE_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")


@dataclass(frozen=True)
class Identifiers:
    """Addresses, E.164 numbers, LinkedIn profile addresses and full names of one person.

    A first name alone is not one: every other Anna of the workspace would lose hers.
    """

    emails: frozenset[str] = frozenset()
    phones: frozenset[str] = frozenset()
    profiles: frozenset[str] = frozenset()
    names: frozenset[str] = field(default=frozenset())

    @cached_property
    def pattern(self) -> str:
        """A regular expression, to be matched without regard to case; empty when nothing is known of the person.

        Only syntax that Postgres and Python read alike.
        """
        return "|".join((*self._contacts(), *self._profiles(), *self._names()))

    @cached_property
    def contact_pattern(self) -> str:
        """The part that reaches the person: addresses and numbers."""
        return "|".join(self._contacts())

    def masked(self, value: Any) -> Any:
        """A JSON value with every mention in its strings, and every number that is a phone number, replaced."""
        if isinstance(value, str):
            return self._compiled.sub(MASK, value)
        if isinstance(value, list):
            return [self.masked(each) for each in value]
        if isinstance(value, dict):
            return {self.masked(name): self.masked(each) for name, each in value.items()}
        if isinstance(value, int) and not isinstance(value, bool) and self._compiled.fullmatch(str(value)):
            return MASK
        return value

    def needles(self) -> list[str]:
        """What a delivery that mentions the person contains after `lower(encode(body, 'escape'))`, in any encoding that
        vendors use: as it is, JSON-escaped, percent-encoded, as form data. Finds too much; `in_body` decides."""
        plain = [*self.emails, *self.names, *(_slug(profile) for profile in self.profiles)]
        plain += [digits for phone in self.phones for digits in (phone.removeprefix("+"), _national(phone))]
        found = set()
        for text in plain:
            escaped = json.dumps(text)[1:-1]
            for form in (text, escaped, quote(text), quote(escaped), quote_plus(text), quote_plus(escaped)):
                found.add(_as_escaped_bytes(form))
        return sorted(found)

    def in_body(self, body: bytes) -> bool:
        """Whether a delivery's body mentions the person."""
        text = body.decode("utf-8", "replace")
        readings = (text, unquote_plus(text))
        return any(self._compiled.search(_UNICODE_ESCAPE.sub(_character, each)) for each in readings)

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self.pattern or r"(?!)", re.IGNORECASE)

    def _contacts(self) -> list[str]:
        emails = [rf"(?<![a-z0-9._%+-]){re.escape(email)}(?![a-z0-9-])" for email in sorted(self.emails)]
        return [*emails, *(_phone_pattern(phone) for phone in sorted(self.phones))]

    def _profiles(self) -> list[str]:
        return [rf"linkedin\.com/in/{re.escape(_slug(each))}(?![a-z0-9_%-])" for each in sorted(self.profiles)]

    def _names(self) -> list[str]:
        words = [r"\s+".join(re.escape(word) for word in name.split()) for name in sorted(self.names)]
        return [rf"(?<![a-z0-9]){each}(?![a-z0-9])" for each in words]


def _phone_pattern(phone: str) -> str:
    national = _national(phone)
    country = phone.removeprefix("+").removesuffix(national)
    digits = _BETWEEN_DIGITS.join(national)
    before = rf"(?:\+?{_BETWEEN_DIGITS.join(country)}{_BETWEEN_DIGITS}(?:0{_BETWEEN_DIGITS})?|0)?" if country else ""
    return rf"(?<![0-9]){before}{digits}(?![0-9])"


def _national(phone: str) -> str:
    """The digits behind the country code."""
    try:
        parsed = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException:
        return phone.removeprefix("+")
    return phonenumbers.national_significant_number(parsed)


def _slug(profile: str) -> str:
    return urlsplit(profile).path.rstrip("/").rpartition("/")[2]


def _as_escaped_bytes(text: str) -> str:
    """`text` as `lower(encode(…, 'escape'))` shows its UTF-8 bytes."""
    octets = (f"\\{byte:03o}" if byte > 127 or byte == 0 else chr(byte) for byte in text.replace("\\", "\\\\").encode())
    return "".join(octets).lower()


def _character(match: re.Match[str]) -> str:
    return chr(int(match[1], 16))
