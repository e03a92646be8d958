"""Local times: the one conversion from a wall clock to an instant, and the zone to use when several may be named."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from zrg_dagster.core.text.times import load_zone

WORKSPACE_ZONE = "America/Los_Angeles"  # T-2: business time of a workspace that names no zone


def known_zone(*names: str | None) -> ZoneInfo | None:
    """The first name that is a zone; an unknown name reads as absent (T-3). None when none is."""
    return next((zone for name in names if (zone := load_zone(name))), None)


def first_zone(*names: str | None, default: str = "UTC") -> ZoneInfo:
    """The first name that is a zone, else that of `default`."""
    return known_zone(*names) or ZoneInfo(default)


def local_instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The UTC instant of a wall-clock time. Inside a spring-forward gap the instant after the gap; of an hour that
    happens twice the first (T-4)."""
    return datetime.combine(day, at.replace(tzinfo=None, fold=0), tzinfo=zone).astimezone(UTC)
