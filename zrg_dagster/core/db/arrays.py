"""Arrays for set-based statements, faster than the driver writes them.

A batch is dozens of lists of hundreds of ids, texts and times, and the driver asks for each element how it is written and
whether it needs quotes: a seventh of a drain's CPU. Lists of one such kind are written here in one go; everything else
goes the driver's way.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import psycopg
from psycopg.abc import Buffer, DumperKey
from psycopg.adapt import PyFormat
from psycopg.types.array import ListDumper

_NONE = type(None)


def literal(texts: Sequence[str | None]) -> str:
    """The array of these texts in Postgres' own notation. Always in quotes: then nothing but quotes and backslashes has a
    meaning."""
    if texts and None not in texts:
        joined = '","'.join(texts)  # type: ignore[arg-type] - there is no None
        if "\\" not in joined and joined.count('"') == 2 * (len(texts) - 1):
            return '{"' + joined + '"}'  # ids, kinds and names hold neither
    written = ",".join(
        ["NULL" if each is None else '"' + each.replace("\\", "\\\\").replace('"', '\\"') + '"' for each in texts]
    )
    return "{" + written + "}"


def _uuids(values: Sequence[UUID | None]) -> str:
    # By way of bytes: formatting a number of 128 bits in base sixteen takes six times as long.
    return "{" + ",".join(["NULL" if each is None else each.int.to_bytes(16).hex() for each in values]) + "}"


def _booleans(values: Sequence[bool | None]) -> str:
    return "{" + ",".join(["NULL" if each is None else "t" if each else "f" for each in values]) + "}"


# A message's time is also that of its touch, of its lead's roll-up and of its claims.
_utc = lru_cache(maxsize=8_192)(str)


def _times(values: Sequence[datetime | None]) -> str:
    # Only instants in UTC are remembered: of an hour that a zone repeats, both readings are equal.
    written = ["NULL" if each is None else f'"{_utc(each) if each.tzinfo is UTC else each}"' for each in values]
    return "{" + ",".join(written) + "}"


def _numbers(values: Sequence[int | None]) -> str:
    return "{" + ",".join(["NULL" if each is None else str(each) for each in values]) + "}"


_WRITERS: dict[type, Callable[[Any], str]] = {
    UUID: _uuids,
    str: literal,
    bool: _booleans,
    datetime: _times,
    int: _numbers,
}
# Those of them whose elements all have one type in Postgres; a time has two, with and without a zone.
_ONE_TYPE = frozenset({UUID, str, bool})


class BatchListDumper(ListDumper):
    """Writes lists of UUIDs, texts, truth values, times or whole numbers, with None among them; the types of others are
    found out as before."""

    def get_key(self, obj: list[Any], format: PyFormat) -> DumperKey:
        kinds = set(map(type, obj)) - {_NONE}
        if len(kinds) == 1 and not self.oid and (kind := kinds.pop()) in _ONE_TYPE:
            return self.cls, kind  # as the driver's own answer, which asks the element's writer for it
        return super().get_key(obj, format)

    def dump(self, obj: list[Any]) -> Buffer | None:
        kinds = set(map(type, obj)) - {_NONE}
        if not kinds:  # nothing but None looks the same in every type
            return ("{" + ",".join(["NULL"] * len(obj)) + "}").encode()
        writer = _WRITERS.get(kinds.pop()) if len(kinds) == 1 else None
        if writer is not None and "\x00" not in (text := writer(obj)):
            return text.encode()
        return super().dump(obj)


def register() -> None:
    """Make all connections of this process write their arrays so."""
    psycopg.adapters.register_dumper(list, BatchListDumper)
