"""When a workspace is at work: the one definition of business hours, for every scheduler. Pure.

A window belongs to the local day on which it begins and runs to its end, exclusive; one whose end is not after its start
runs into the next day (SC-04). Without a zone, or without the schedule that it asks for, the rule is closed (SC-08).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from zrg_dagster.core.text.zones import local_instant

SEARCH_DAYS = 90  # SC-09
MAX_EXTRA_DATES = 200
MAX_RANGES = 50
MAX_RANGE_DAYS = 366
PRESET = "US_FEDERAL_PLUS_COMMON"
MONDAY_TO_FRIDAY = frozenset({1, 2, 3, 4, 5})


class HoursReason(StrEnum):
    """Why an instant is inside or outside (SC-10)."""

    ALWAYS = "always"
    WITHIN = "within_window"
    OUTSIDE = "outside_window"
    DAY = "day_not_active"
    HOLIDAY = "blackout_date"
    NO_SCHEDULE = "schedule_missing_fallback"
    NO_ZONE = "no_time_zone"
    NO_WINDOW = "no_window_in_90_days"


@dataclass(frozen=True, slots=True)
class Holidays:
    """Days on which nothing leaves: a preset less `excluded`, `extra` days, and `ranges` with both ends."""

    preset: str | None = None
    excluded: frozenset[date] = frozenset()
    extra: frozenset[date] = frozenset()
    ranges: tuple[tuple[date, date], ...] = ()

    def __contains__(self, day: date) -> bool:
        if day in self.extra or any(first <= day <= last for first, last in self.ranges):
            return True
        return self.preset == PRESET and day not in self.excluded and day in preset_days(day)


@dataclass(frozen=True, slots=True)
class Week:
    """The days of the week (0 is Sunday) and the local times between which a workspace is at work."""

    days: frozenset[int]
    start: time
    end: time


@dataclass(frozen=True, slots=True)
class Hours:
    """A rule for instants. `week` None: the schedule is missing. `holidays` are united (SC-07)."""

    is_always: bool = False
    week: Week | None = None
    zone: ZoneInfo | None = None
    holidays: tuple[Holidays, ...] = field(default=())


ALWAYS = Hours(is_always=True)


@dataclass(frozen=True, slots=True)
class Placed:
    """Where an instant goes. `at` is None when there is no window for it; `reason` is about the instant asked for."""

    at: datetime | None
    reason: HoursReason


def preset_days(near: date) -> frozenset[date]:
    """The preset's days of the year of `near`, with the observed day of federal ones that fall on a weekend (B75)."""
    year = near.year
    days = {_weekday(year, 11, 3, 4) + timedelta(days=1), date(year, 12, 24)}
    # The first of January of the next year may be observed on the last day of this one.
    for fixed in (*(date(year, month, day) for month, day in _FIXED), date(year + 1, 1, 1)):
        observed = fixed - timedelta(days=1) if fixed.weekday() == 5 else fixed
        days |= {fixed, fixed + timedelta(days=1) if fixed.weekday() == 6 else observed}
    days |= {_weekday(year, month, weekday, number) for month, weekday, number in _FLOATING}
    return frozenset(days)


# New Year, Juneteenth, Independence Day, Veterans Day, Christmas.
_FIXED = ((1, 1), (6, 19), (7, 4), (11, 11), (12, 25))
# Martin Luther King, Presidents, Memorial (the last Monday), Labor, Columbus, Thanksgiving; Monday is 0.
_FLOATING = ((1, 0, 3), (2, 0, 3), (5, 0, -1), (9, 0, 1), (10, 0, 2), (11, 3, 4))


def _weekday(year: int, month: int, weekday: int, number: int) -> date:
    """The `number`-th such weekday of a month; -1 is the last one."""
    if number > 0:
        first = date(year, month, 1)
        return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (number - 1))
    last = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
    return last - timedelta(days=(last.weekday() - weekday) % 7)


def place(hours: Hours, at: datetime) -> Placed:
    """The first instant from `at` on that lies inside; `at` itself when it does."""
    if hours.is_always:
        return Placed(at, HoursReason.ALWAYS)
    if hours.week is None:
        return Placed(None, HoursReason.NO_SCHEDULE)
    if hours.zone is None:
        return Placed(None, HoursReason.NO_ZONE)
    for opens, closes in _windows(hours, hours.week, hours.zone, at):
        if closes > at:
            inside = opens <= at
            return Placed(max(opens, at), HoursReason.WITHIN if inside else _outside(hours, hours.week, hours.zone, at))
    return Placed(None, HoursReason.NO_WINDOW)


def after_working(hours: Hours, start: datetime, work: timedelta) -> datetime | None:
    """The instant at which `work` of open time has passed since `start`; None when the hours never come."""
    if hours.is_always:
        return start + work
    if hours.week is None or hours.zone is None:
        return None
    for opens, closes in _windows(hours, hours.week, hours.zone, start):
        begins = max(opens, start)
        if closes <= begins:
            continue
        if closes - begins >= work:
            return begins + work
        work -= closes - begins
    return None


def _windows(hours: Hours, week: Week, zone: ZoneInfo, at: datetime) -> Iterator[tuple[datetime, datetime]]:
    today = at.astimezone(zone).date()
    overnight = timedelta(days=1 if week.end <= week.start else 0)
    for ahead in range(-1, SEARCH_DAYS + 1):
        day = today + timedelta(days=ahead)
        if _weekday_number(day) not in week.days or any(day in each for each in hours.holidays):
            continue
        opens, closes = local_instant(day, week.start, zone), local_instant(day + overnight, week.end, zone)
        if opens < closes:
            yield opens, closes


def _outside(hours: Hours, week: Week, zone: ZoneInfo, at: datetime) -> HoursReason:
    today = at.astimezone(zone).date()
    if any(today in each for each in hours.holidays):
        return HoursReason.HOLIDAY
    return HoursReason.OUTSIDE if _weekday_number(today) in week.days else HoursReason.DAY


def _weekday_number(day: date) -> int:
    return day.isoweekday() % 7
