"""Mail addresses: one normal form, the display form "Name <address>", and lists in every shape vendors send."""

import re
from collections.abc import Iterator
from functools import lru_cache

from zrg_dagster.core.base.record import record
from zrg_dagster.core.text.chars import storable

# NE-04: a longer CC list is not a conversation.
MAX_LIST = 20
# Enough for twenty addresses with names; what follows is never read.
_MAX_LIST_CHARS = 8_000
_MAX_ADDRESS_CHARS = 254

# One @, no blanks, a dot in the host (NE-01). Every class excludes what ends it, so matching is linear.
_ADDRESS = re.compile(r"[^\s@<>()\[\]\\,;:\"]+@[^\s@<>()\[\]\\,;:\".]+(?:\.[^\s@<>()\[\]\\,;:\".]+)+")
_ADDRESS_KEYS = ("address", "email", "email_address", "emailAddress", "value")


@record
class Address:
    """A normalised address and the display name beside it."""

    email: str
    name: str | None = None


def normalise_email(value: object) -> str | None:
    """Trimmed and lower-case, without `mailto:` and angle brackets; None when it is no address."""
    if not isinstance(value, str):
        return None
    return _known(value) if len(value) <= _MAX_ADDRESS_CHARS else _normalised(value)


def _normalised(value: str) -> str | None:
    text = storable(value).strip().strip("<>").strip().lower().removeprefix("mailto:").strip(" .'")
    if len(text) > _MAX_ADDRESS_CHARS or not _ADDRESS.fullmatch(text):
        return None
    return text


# Our own mailboxes stand in each delivery, and a lead's address in all of its own.
_known = lru_cache(maxsize=16_384)(_normalised)


def parse_address(value: object) -> Address | None:
    """One address from "Name <address>", a bare address, or a dictionary with name and address (NE-02)."""
    if isinstance(value, dict):
        email = next((found for key in _ADDRESS_KEYS if (found := normalise_email(value.get(key)))), None)
        name = value.get("name")
        return Address(email, _clean_name(name) if isinstance(name, str) else None) if email else None
    if not isinstance(value, str):
        return None
    text = storable(value[:_MAX_LIST_CHARS]).strip()
    before, bracket, after = text.rpartition("<")
    if bracket and (email := normalise_email(after.partition(">")[0])):
        return Address(email, _clean_name(before))
    email = normalise_email(text)
    return Address(email) if email else None


def parse_address_list(value: object) -> tuple[Address, ...]:
    """Addresses from a string, a dictionary or a list of either; blank and broken ones dropped, no repeats, at most 20."""
    found: dict[str, Address] = {}
    for item in _items(value):
        if (address := parse_address(item)) and address.email not in found:
            found[address.email] = address
            if len(found) == MAX_LIST:
                break
    return tuple(found.values())


def split_name(full: str | None) -> tuple[str | None, str | None]:
    """First and last name; "Doe, Jane" is Jane Doe. One word is a first name."""
    if not full or not (text := " ".join(full.split())) or "@" in text:
        return None, None
    last, comma, first = text.partition(",")
    if comma and first.strip() and last.strip():
        return first.split()[0], last.strip()
    first, _, last = text.strip(", ").partition(" ")
    return first or None, last.strip() or None


def _clean_name(name: str) -> str | None:
    """Without the quotes around it and the backslashes inside (`"Doe, Jane"` is `Doe, Jane`)."""
    text = " ".join(storable(name).replace('\\"', '"').split())
    while len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1].strip()
    return text.strip('"') or None


def _items(value: object) -> Iterator[object]:
    if isinstance(value, list):
        for item in value[: MAX_LIST * 5]:
            yield from _items(item) if isinstance(item, str) else (item,)
    elif isinstance(value, dict):
        yield value
    elif isinstance(value, str):
        yield from _split_list(value[:_MAX_LIST_CHARS])


def _split_list(text: str) -> Iterator[str]:
    """Split at commas and semicolons outside quotes and brackets; one pass."""
    start, quoted, bracketed = 0, False, False
    for index, char in enumerate(text):
        if char == '"':
            quoted = not quoted
        elif char in "<>":
            bracketed = char == "<"
        elif char in ",;" and not quoted and not bracketed:
            yield text[start:index]
            start = index + 1
    yield text[start:]
