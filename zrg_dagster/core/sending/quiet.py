"""Quiet hours: when nobody is written to on a phone by a machine. Pure.

A lead whose zone is unknown may be in any zone of the number's country or area code; a message leaves only when it is
day in all of them.
"""

from collections.abc import Collection
from datetime import datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import phonenumbers

from zrg_dagster.core.text.times import load_zone
from zrg_dagster.core.text.zones import WORKSPACE_ZONE, first_zone, local_instant

# The hours of the American rule for calls and texts, local to whoever is called (47 CFR 64.1200(c)(1)).
DAY_BEGINS = time(8, 0)
DAY_ENDS = time(21, 0)
# Channels that ring in a pocket. Mail has the campaign's own schedule.
QUIET_CHANNELS = frozenset({"sms", "linkedin"})
_MAX_STEPS = 12


def plausible_zones(lead_zone: str | None, phone: str | None, workspace_zone: str) -> tuple[ZoneInfo, ...]:
    """Where the person may be: the lead's own zone, else those of the number, else the workspace's."""
    own = load_zone(lead_zone)
    if own is not None:
        return (own,)
    of_number = [zone for name in _zones_of(phone) if (zone := load_zone(name)) is not None]
    if of_number:
        return tuple(of_number)
    return (first_zone(workspace_zone, default=WORKSPACE_ZONE),)


def quiet_until(zones: Collection[ZoneInfo], now: datetime) -> datetime | None:
    """None when it is day in all zones, else the next instant at which it is.

    Zones that never share a day hour (a number that could be anywhere on earth) give the first zone's next morning.
    """
    at = now
    for _ in range(_MAX_STEPS):
        nights = [until for zone in zones if (until := _morning(zone, at)) is not None]
        if not nights:
            return None if at == now else at
        at = max(nights)
    return _morning(next(iter(zones)), now + timedelta(days=1)) or now + timedelta(days=1)


def _morning(zone: ZoneInfo, now: datetime) -> datetime | None:
    """The end of the night that `now` lies in, None by day. The end of the day is exclusive."""
    local = now.astimezone(zone)
    if DAY_BEGINS <= local.time() < DAY_ENDS:
        return None
    day = local.date() if local.time() < DAY_BEGINS else local.date() + timedelta(days=1)
    return local_instant(day, DAY_BEGINS, zone)


@lru_cache(maxsize=16_384)
def _zones_of(phone: str | None) -> tuple[str, ...]:
    if not phone or not phone.startswith("+"):
        return ()
    from phonenumbers.timezone import UNKNOWN_TIMEZONE, time_zones_for_number

    try:
        number = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException:
        return ()
    return tuple(name for name in time_zones_for_number(number) if name != UNKNOWN_TIMEZONE)
