"""Vendor timestamps: ISO with any fraction, Unix seconds or milliseconds, and local times that name no offset.

Everything returned is aware UTC. A value without an offset is no instant and reads as None unless a zone is given
(spec/providers.md §1.5).
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from zrg_dagster.core.base.record import record

# A number above this is milliseconds: as seconds it would lie in the year 33658.
_MILLISECONDS_ABOVE = 1e12
# Outside these years a number was not a time, or a clock is broken; either would move roll-ups for ever.
_FIRST_YEAR, _LAST_YEAR = 2000, 2100
# A message cannot have been sent after we received it; this much is clock drift.
MAX_AHEAD = timedelta(minutes=10)

_NUMBER = re.compile(r"\d{9,17}(?:\.\d{1,9})?", re.ASCII)


@record
class Stamp:
    """An instant and where it is from: the provider, or our own receipt because the provider gave none."""

    at: datetime
    quality: Literal["provider", "receipt"]


def parse_timestamp(value: object) -> datetime | None:
    """An instant from an ISO string with offset, or Unix seconds or milliseconds as number or digits; else None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return _from_epoch(value)
    if not isinstance(value, str):
        return None
    text = value.strip()
    if _NUMBER.fullmatch(text):
        return _from_epoch(float(text))
    parsed = _iso(text)
    return None if parsed is None or parsed.tzinfo is None else _utc(parsed)


def parse_local(value: object, zone: str | None, *, near: datetime) -> datetime | None:
    """An instant from an ISO string; one without an offset is read in `zone`, in the overlap the reading next to `near`.

    A time inside a spring-forward gap moves behind the gap (T-4). An unknown zone reads as no zone (T-3).
    """
    if not isinstance(value, str):
        return None
    parsed = _iso(value.strip())
    if parsed is None:
        return None
    if parsed.tzinfo is not None:
        return _utc(parsed)
    tz = load_zone(zone)
    if tz is None:
        return None
    readings = [_utc(parsed.replace(tzinfo=tz, fold=fold)) for fold in (0, 1)]
    known = [reading for reading in readings if reading is not None]
    return min(known, key=lambda reading: abs(reading - near)) if known else None


def load_zone(name: str | None) -> ZoneInfo | None:
    """The IANA zone, or None for a name that is unknown or unusable."""
    if not name or len(name) > 64:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def best_stamp(candidates: Iterable[object], received_at: datetime, *, within: timedelta | None = None) -> Stamp:
    """The first candidate that is an instant, not after receipt, and (if asked) at most `within` away from it.

    Otherwise the receipt time: a wrong time is worse than a late one, because roll-ups only move forward.
    """
    for candidate in candidates:
        at = candidate if isinstance(candidate, datetime) else parse_timestamp(candidate)
        if at is None or at - received_at > MAX_AHEAD:
            continue
        if within is not None and abs(received_at - at) > within:
            continue
        return Stamp(at, "provider")
    return Stamp(received_at, "receipt")


def _iso(text: str) -> datetime | None:
    if not 10 < len(text) <= 40 or text[4:5] != "-":
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _from_epoch(number: float) -> datetime | None:
    try:
        seconds = number / 1000 if number > _MILLISECONDS_ABOVE else number
        return _plausible(datetime.fromtimestamp(seconds, UTC))
    except (ValueError, OverflowError, OSError):
        return None


def _utc(moment: datetime) -> datetime | None:
    try:
        return _plausible(moment.astimezone(UTC))
    except (ValueError, OverflowError):
        return None


def _plausible(moment: datetime) -> datetime | None:
    return moment if _FIRST_YEAR <= moment.year <= _LAST_YEAR else None
