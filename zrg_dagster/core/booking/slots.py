"""Free times as people read them, and the choice of two to offer. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

# AV-27: letter codes that mean one offset to a reader in the United States. Elsewhere the same letters mean other
# things (CST is also Shanghai, IST has three readings), so everything else is printed as an offset.
LETTER_CODES = {
    "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6,
    "PST": -8, "PDT": -7, "AKST": -9, "AKDT": -8, "HST": -10, "UTC": 0, "GMT": 0,
}  # fmt: skip
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

# AV-30, and AV-4.11: a slot that starts at once is kept by nobody.
PREFER_WITHIN = timedelta(days=5)
MINIMUM_NOTICE = timedelta(hours=2)
FIRST_HOUR, LAST_HOUR = 7, 21


def slot_label(starts_at: datetime, zone: ZoneInfo) -> str:
    """`10:00 AM EST on Thu, Feb 12` (AV-25): always with the zone, ASCII blanks only, no locale involved."""
    local = starts_at.astimezone(zone)
    hour = local.hour % 12 or 12
    half = "AM" if local.hour < 12 else "PM"
    day = f"{WEEKDAYS[local.weekday()]}, {MONTHS[local.month - 1]} {local.day}"
    return f"{hour}:{local.minute:02d} {half} {zone_word(local)} on {day}"


def zone_word(local: datetime) -> str:
    """The zone of an aware local time as a reader knows it: a US letter code, `UTC`, or `GMT+5:30`."""
    offset = local.utcoffset() or timedelta(0)
    name = local.tzname() or ""
    if LETTER_CODES.get(name) == offset / timedelta(hours=1):
        return name
    minutes = round(offset / timedelta(minutes=1))
    if minutes == 0:
        return "GMT"
    hours, rest = divmod(abs(minutes), 60)
    return f"GMT{'+' if minutes > 0 else '-'}{hours}{f':{rest:02d}' if rest else ''}"


def choose_two(slots: Iterable[datetime], now: datetime, zone: ZoneInfo) -> list[datetime]:
    """At most two starts to offer, spread over days and halves of the day, in the order of choice (AV-30).

    Nothing before now + 2 h; within five days if there is anything; between 07:00 and 21:00 local unless that leaves
    nothing. The first is a morning if there is one.
    """
    anchor = now + MINIMUM_NOTICE
    pool = sorted({slot for slot in slots if slot >= anchor})
    pool = [slot for slot in pool if slot <= anchor + PREFER_WITHIN] or pool
    pool = [slot for slot in pool if FIRST_HOUR <= slot.astimezone(zone).hour < LAST_HOUR] or pool
    if not pool:
        return []
    first = next((slot for slot in pool if _is_morning(slot, zone)), pool[0])
    rest = [slot for slot in pool if slot != first]
    other_days = [slot for slot in rest if slot.astimezone(zone).date() != first.astimezone(zone).date()]
    opposite = [slot for slot in other_days if _is_morning(slot, zone) is not _is_morning(first, zone)]
    return [first, *(opposite or other_days or rest)[:1]]


def offer_labels(slots: Sequence[datetime], now: datetime, zone: ZoneInfo) -> list[str]:
    """Labels of the two starts to offer."""
    return [slot_label(slot, zone) for slot in choose_two(slots, now, zone)]


def _is_morning(slot: datetime, zone: ZoneInfo) -> bool:
    return slot.astimezone(zone).hour < 12
