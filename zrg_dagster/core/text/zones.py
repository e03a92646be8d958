"""Local times: the one conversion from a wall clock to an instant, and the zone to use when several may be named."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from zrg_dagster.core.text.times import load_zone

WORKSPACE_ZONE = "America/Los_Angeles"  # T-2: business time of a workspace that names no zone


def first_zone(*names: str | None, default: str = "UTC") -> ZoneInfo:
    """The first name that is a zone; an unknown name reads as absent (T-3)."""
    for name in names:
        zone = load_zone(name)
        if zone is not None:
            return zone
    return ZoneInfo(default)


def local_instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The UTC instant of a wall-clock time. Inside a spring-forward gap the instant after the gap; of an hour that
    happens twice the first (T-4)."""
    return datetime.combine(day, at.replace(tzinfo=None, fold=0), tzinfo=zone).astimezone(UTC)
