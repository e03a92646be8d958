"""Which free times are offered, and how a time is written (AV-04, AV-05)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

OFFERED = 3
DAY_START_HOUR = 7
DAY_END_HOUR = 21

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Slot:
    """A free start. `local` is the same instant on the reader's wall clock; `label` always names its zone."""

    starts_at: datetime
    local: datetime
    label: str

    @property
    def zone_token(self) -> str:
        return zone_token(self.local)


def zone_token(local: datetime) -> str:
    """The zone's abbreviation on that day (EST, BST); the IANA name where the data has only an offset (`+03`)."""
    name = local.tzname() or ""
    return name if name.isalpha() else str(local.tzinfo)


def make_slot(starts_at: datetime, zone: ZoneInfo) -> Slot:
    """`9:00 AM EST on Tue, Feb 17`: 12-hour clock, no leading zero, never without a zone."""
    local = starts_at.astimezone(zone)
    clock = f"{local.hour % 12 or 12}:{local.minute:02d} {'AM' if local.hour < 12 else 'PM'}"
    day = f"{_DAYS[local.weekday()]}, {_MONTHS[local.month - 1]} {local.day}"
    return Slot(starts_at, local, f"{clock} {zone_token(local)} on {day}")


def pick(slots: Sequence[Slot], *, count: int = OFFERED) -> tuple[Slot, ...]:
    """At most `count` slots to offer: waking hours first, one a day, alternating morning and afternoon.

    `slots` ascend. Where the calendar has too few days, a day gives more than one; all hours if none is a waking one.
    """
    pool = [slot for slot in slots if DAY_START_HOUR <= slot.local.hour < DAY_END_HOUR] or list(slots)
    chosen: list[Slot] = []
    for day in _by_day(pool):
        if len(chosen) == count:
            break
        want_morning = len(chosen) % 2 == 0
        chosen.append(next((slot for slot in day if (slot.local.hour < 12) is want_morning), day[0]))
    rest = [slot for slot in pool if slot not in chosen]
    chosen += rest[: count - len(chosen)]
    return tuple(sorted(chosen, key=lambda slot: slot.starts_at))


def _by_day(slots: Iterable[Slot]) -> list[list[Slot]]:
    days: dict[object, list[Slot]] = {}
    for slot in slots:
        days.setdefault(slot.local.date(), []).append(slot)
    return list(days.values())
