"""Reading a vendor's JSON: tolerant of types that vary, exact about what is missing, silent about values.

Readers return storable text (no NUL, no lone surrogate). A `need_*` reader raises `ShapeError` with the JSON path.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json

from zrg_dagster.core.providers.records import ShapeError
from zrg_dagster.core.text.chars import storable

Json = Mapping[str, Any]

# Ids become index keys; Postgres refuses an index row above 2.7 kB and a vendor id is far below this.
MAX_ID_CHARS = 255
_EMPTY: Json = {}
# Hand-made bodies carry raw line breaks inside strings; they are readable, so they are read.
_DECODER = json.JSONDecoder(strict=False)
_EVENT_NAME = re.compile(r"[A-Za-z0-9_.:\-]{1,64}")
_KIND_NAMES = {str: "string", bool: "boolean", int: "number", float: "number", list: "array", dict: "object"}


def load(body: bytes | str) -> object:
    """Decode a body: UTF-8 (or UTF-16/32 by its first bytes), else Windows-1252, which vendors' hand-made hooks send."""
    try:
        # Half the time of the standard library's. It refuses a part of what that reads (raw line breaks, lone
        # surrogates, deep nesting, other encodings), and reads the rest alike: tests/unit/test_parse_properties.py.
        return from_json(body)
    except ValueError:
        return _load_tolerantly(body)


def _load_tolerantly(body: bytes | str) -> object:
    if isinstance(body, bytes):
        try:
            text = body.decode(json.detect_encoding(body))
        except UnicodeDecodeError:
            text = body.decode("cp1252", "replace")
    else:
        text = body
    try:
        return _DECODER.decode(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        raise ShapeError("$", "JSON", "undecodable bytes", code="invalid_json") from None


def kind_of(value: object) -> str:
    """The JSON type of a value, for an error's `got`."""
    return "nothing" if value is None else _KIND_NAMES.get(type(value), "unknown")


def need_object(value: object, path: str) -> Json:
    if not isinstance(value, dict):
        raise ShapeError(path, "object", kind_of(value))
    return value


def child(parent: Json, key: str) -> Json:
    """The object under `key`, empty when there is none."""
    value = parent.get(key)
    return value if isinstance(value, dict) else _EMPTY


def raw_text(parent: Json, key: str) -> str | None:
    """The string under `key` as it came (blanks kept), or None."""
    value = parent.get(key)
    return storable(value) if isinstance(value, str) else None


def text(parent: Json, key: str) -> str | None:
    """The trimmed string (or number as text) under `key`; None when it is missing or blank."""
    value = parent.get(key)
    if isinstance(value, str):
        # Spelled out for the usual case: a drain reads thirty texts of each delivery.
        return (value if value.isascii() and "\x00" not in value else storable(value)).strip() or None
    return None if value is None else _number_text(value)


def ident(parent: Json, key: str) -> str | None:
    """A vendor id, sent as string or number. A longer one than any vendor's is no id."""
    value = text(parent, key)
    return value if value is not None and len(value) <= MAX_ID_CHARS else None


def need_ident(parent: Json, key: str, path: str) -> str:
    value = ident(parent, key)
    if value is None:
        raw = parent.get(key)
        got = "blank or overlong string" if isinstance(raw, str) else kind_of(raw)
        raise ShapeError(path, "id", got)
    return value


def flag(parent: Json, key: str) -> bool:
    value = parent.get(key)
    return value is True or value == 1 or (isinstance(value, str) and value.strip().lower() in ("true", "1", "yes"))


def items(parent: Json, key: str, limit: int = 200) -> list[Any]:
    """The list under `key`, at most `limit` of it; empty for anything else."""
    value = parent.get(key)
    return value[:limit] if isinstance(value, list) else []


def attachment_urls(parent: Json, key: str = "attachments") -> tuple[str, ...]:
    """Links of attachments given as strings or as objects with a `url`."""
    found: list[str] = []
    for item in items(parent, key, 50):
        url = item if isinstance(item, str) else text(item, "url") if isinstance(item, dict) else None
        if url and len(url) <= 2_000:
            found.append(storable(url))
    return tuple(found)


def unknown_event(path: str, value: object) -> ShapeError:
    """The error for an event type that no table names. Its name is vocabulary, not personal data, if it looks like it."""
    got = value if isinstance(value, str) and _EVENT_NAME.fullmatch(value) else kind_of(value)
    return ShapeError(path, "known event type", got, code="unknown_event_type")


def _number_text(value: object) -> str | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        # Python refuses to print an integer of thousands of digits; no id has more than twenty.
        return str(value) if -(10**20) < value < 10**20 else None
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return None
