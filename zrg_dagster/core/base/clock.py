"""The wall clock, read once per unit of work and passed down as an aware UTC datetime."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """The current instant, aware, in UTC. Only stage runners, ops, routes and commands call this."""
    return datetime.now(UTC)
