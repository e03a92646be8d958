"""Phone numbers to E.164 (NP-01..NP-06). A number whose country is unknown has no E.164 form, so it gives None."""

import re
from functools import lru_cache
from importlib.resources import files

import phonenumbers

_MAX_CHARS = 64
_MIN_DIGITS, _MAX_DIGITS = 7, 17
_EXTENSION = re.compile(r"(?:(?<![a-z])ext(?:ension)?|(?<![a-z])x|#|;ext=)\.?\s*:?\s*\d{1,7}\D*$", re.I)
_LETTERS = re.compile(r"[^\d+]+")
# NP-04: area code and exchange start with 2..9. The registry of assigned blocks is not consulted, because a number in
# a block that opened last month is still a number.
_NORTH_AMERICAN = re.compile(r"\+1[2-9]\d{2}[2-9]\d{6}", re.ASCII)
_TEN_DIGITS = re.compile(r"[2-9]\d{2}[2-9]\d{6}", re.ASCII)


@lru_cache(maxsize=16_384)
def to_e164(value: str | None, region: str | None = None) -> str | None:
    """`+` and digits, or None when the number is impossible or its country unknown.

    `region` is a two-letter country for numbers written nationally ("0412 345 678" with AU). Extensions are dropped
    (B31). An explicit `+` or `00` wins over the region.
    """
    if not value or len(value) > _MAX_CHARS:
        return None
    text = _EXTENSION.sub("", value.strip())
    text = _LETTERS.sub("", text)
    explicit = text.startswith("+")
    digits = text.replace("+", "")
    if not digits.isascii() or not _MIN_DIGITS <= len(digits) <= _MAX_DIGITS:
        return None
    if not explicit and digits.startswith("00"):
        explicit, digits = True, digits[2:]
    if not explicit and len(digits) == 11 and digits[0] == "1" and _TEN_DIGITS.fullmatch(digits[1:]):
        explicit = True
    return _resolve(f"+{digits}", None) if explicit else _resolve(digits, region)


@lru_cache(maxsize=512)
def region_of_timezone(zone: str | None) -> str | None:
    """The country of an IANA zone ("America/New_York" → "US"), from the time-zone package's own table."""
    if not zone:
        return None
    if zone.startswith("US/"):
        return "US"
    return _zone_countries().get(zone)


def _resolve(number: str, region: str | None) -> str | None:
    if region is not None:
        region = region.strip().upper()
        if region not in phonenumbers.SUPPORTED_REGIONS:
            region = None
    if not number.startswith("+") and region is None:
        return None
    if _NORTH_AMERICAN.fullmatch(number):
        return number  # as the library would give it back, in a twentieth of its time
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(parsed) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    if not parsed.national_number:
        return None  # nothing but zeros
    e164 = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    if len(e164) - 1 < _MIN_DIGITS:
        return None  # a zero before the country's own digits does not count
    if e164 != number and _resolve(e164, None) != e164:
        return None  # read again it would be another one, and one person would have two
    if parsed.country_code == 1 and not _NORTH_AMERICAN.fullmatch(e164):
        return None
    return e164


@lru_cache(maxsize=1)
def _zone_countries() -> dict[str, str]:
    table = files("tzdata.zoneinfo").joinpath("zone.tab").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in table.splitlines() if line and not line.startswith("#"))
    return {row[2]: row[0] for row in rows}
