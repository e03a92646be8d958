"""Reporting windows: which instants "last 30 days" or "1 to 10 March" mean. Half-open: from <= t < to.

The workspace's zone decides where a custom day begins, never the viewer's and never the server's: two people in two
zones read one report. Everything is returned in UTC, because subtracting two datetimes of one `ZoneInfo` is wall-clock
arithmetic and loses or gains an hour on the days the clock changes.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

# Elapsed hours, not calendar days: a preset means the same length in every zone and in every week of the year.
PRESET_DAYS: Mapping[str, int] = MappingProxyType({"7d": 7, "30d": 30, "90d": 90})
DEFAULT_ZONE = "America/New_York"
ONLY_TO_DAYS = 30
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class InvalidWindow(ValueError):
    """The request names no window. Never answered with "all time": a typo must not look like a big success."""

    code = "invalid_window"


@dataclass(frozen=True, slots=True)
class Window:
    """`from_utc <= t < to_utc`. No beginning (`from_utc` is None) only where a product's default is all time."""

    label: str
    from_utc: datetime | None
    to_utc: datetime

    def __contains__(self, instant: datetime) -> bool:
        return instant < self.to_utc and (self.from_utc is None or instant >= self.from_utc)


def preset_window(label: str, now: datetime) -> Window:
    """The window of a preset label that ends at `now`."""
    days = PRESET_DAYS.get(label)
    if days is None:
        raise InvalidWindow(f"window {label[:20]!r}: expected one of {', '.join(PRESET_DAYS)}")
    to_utc = now.astimezone(UTC)
    return Window(label, to_utc - timedelta(days=days), to_utc)


def preset_windows(now: datetime) -> tuple[Window, ...]:
    """Every preset, shortest first, all ending at the same instant."""
    return tuple(preset_window(label, now) for label in PRESET_DAYS)


def zone_of(name: str) -> tuple[ZoneInfo, bool]:
    """The zone of that name, and whether it is known. An unknown name yields the default zone and False: report it."""
    try:
        return ZoneInfo(name), True
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo(DEFAULT_ZONE), False


def parse_window(
    *,
    now: datetime,
    zone: ZoneInfo,
    preset: str | None = None,
    from_date: str | None = None,
    to_date: str | None = None,
    default_days: int | None = None,
) -> Window:
    """What a request's parameters mean.

    A preset wins over dates. Two dates are whole local days, the last one included, and are swapped when reversed.
    Only `from_date` ends at `now`; only `to_date` begins 30 days before its end. Neither means the last
    `default_days` days, or all time when the product has no default. Raises `InvalidWindow`.
    """
    if preset is not None:
        return preset_window(preset, now)
    now = now.astimezone(UTC)
    first = _day(from_date, "fromDate")
    last = _day(to_date, "toDate")
    if first is None and last is None:
        if default_days is None:
            return Window("all", None, now)
        return Window(f"{default_days}d", now - timedelta(days=default_days), now)
    if first is not None and last is not None:
        first, last = min(first, last), max(first, last)
        return Window("custom", _midnight(first, zone), _midnight_after(last, zone))
    if first is not None:
        start = _midnight(first, zone)
        return Window("custom", min(start, now), max(start, now))
    assert last is not None
    end = _midnight_after(last, zone)
    return Window("custom", end - timedelta(days=ONLY_TO_DAYS), end)


def _day(value: str | None, name: str) -> date | None:
    if value is None:
        return None
    # The pattern first: `date.fromisoformat` also reads week dates and dates without dashes.
    try:
        if not _ISO_DAY.fullmatch(value):
            raise ValueError
        day = date.fromisoformat(value)
    except ValueError:
        raise InvalidWindow(f"{name}: expected a calendar date YYYY-MM-DD") from None
    if not 2000 <= day.year <= 2200:
        raise InvalidWindow(f"{name}: year outside 2000 to 2200")
    return day


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """Where a local day begins. A midnight that the clock skips or repeats yields the first instant of that day."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def _midnight_after(day: date, zone: ZoneInfo) -> datetime:
    return _midnight(day + timedelta(days=1), zone)
