"""Working-hour slots: the one arithmetic behind both imitated calendars."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

OPENS = time(9)
CLOSES = time(17)
MAX_DAYS = 62  # no vendor call spans more; a wrong range must not produce a million slots


def open_slots(start: datetime, end: datetime, *, zone: str, minutes: int, not_before: datetime) -> Iterator[datetime]:
    """Starts (aware UTC) of weekday slots from 9:00 to 17:00 in `zone` that lie in [start, end) and not in the past."""
    local, tz = start.astimezone(ZoneInfo(zone)).date(), ZoneInfo(zone)
    for offset in range(MAX_DAYS):
        day = local + timedelta(days=offset)
        if datetime.combine(day, time(0), tz) >= end:
            return
        if day.weekday() >= 5:
            continue
        slot = datetime.combine(day, OPENS, tz)
        while slot + timedelta(minutes=minutes) <= datetime.combine(day, CLOSES, tz):
            moment = slot.astimezone(UTC)
            if start <= moment < end and moment > not_before:
                yield moment
            slot += timedelta(minutes=minutes)


def overlaps(start: datetime, end: datetime, taken: list[tuple[datetime, datetime]]) -> bool:
    return any(start < other_end and other_start < end for other_start, other_end in taken)
