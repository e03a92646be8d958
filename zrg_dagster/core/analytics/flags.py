"""The flags that say what must be built again, from the builder's side. Writers set them with `core/db/dirty.py`.

A flag is (fact, UTC day, workspace) with a version that each mark renews. A builder reads the flags *before* it reads
the rows beneath them and afterwards deletes exactly the versions it has read: what changed meanwhile carries another
version and stays. Never `version <= n`, because versions commit out of order.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

from zrg_dagster.core.analytics.connection import Connection, query

# One look reads at most this many flags, oldest first. More than that are left for the next look.
READ_LIMIT = 20_000


@dataclass(frozen=True, slots=True, order=True)
class Flag:
    fact: str
    utc_day: date
    workspace_id: UUID
    version: int


def utc_day(instant: datetime) -> date:
    """The UTC day of an event: the partition that its fact belongs to."""
    return instant.astimezone(UTC).date()


def digest(flags: Iterable[Flag]) -> str:
    """Names a set of flags: the same set gives the same name in any order, any change gives another."""
    lines = "\n".join(f"{flag.fact} {flag.utc_day} {flag.workspace_id} {flag.version}" for flag in sorted(flags))
    return hashlib.sha256(lines.encode()).hexdigest()[:32]


_ALL = """
    SELECT fact, utc_day, workspace_id, version FROM ops.fact_dirty ORDER BY version LIMIT %(limit)s"""

_READ = """
    SELECT fact, utc_day, workspace_id, version FROM ops.fact_dirty
    WHERE fact = %(fact)s AND utc_day BETWEEN %(first)s AND %(last)s
      AND (%(workspace_id)s::uuid IS NULL OR workspace_id = %(workspace_id)s::uuid)"""

_MARK = """
    INSERT INTO ops.fact_dirty (fact, utc_day, workspace_id, version)
    SELECT %(fact)s, %(day)s, w.id, nextval('ops.fact_dirty_version')
    FROM app.workspace w WHERE w.id = ANY(%(workspaces)s) ORDER BY w.id
    ON CONFLICT (fact, utc_day, workspace_id) DO UPDATE SET version = excluded.version"""

# SKIP LOCKED: a locked flag is being renewed, so its old version is no longer ours to delete, and waiting for several
# writers in another order than they lock could deadlock.
_CLEAR = """
    WITH seen AS (
        SELECT d.fact, d.utc_day, d.workspace_id, d.version
        FROM ops.fact_dirty d
        JOIN unnest(%(facts)s::text[], %(days)s::date[], %(workspaces)s::uuid[], %(versions)s::bigint[])
            AS s (fact, utc_day, workspace_id, version) USING (fact, utc_day, workspace_id, version)
        FOR UPDATE OF d SKIP LOCKED)
    DELETE FROM ops.fact_dirty d USING seen s
    WHERE (d.fact, d.utc_day, d.workspace_id, d.version) = (s.fact, s.utc_day, s.workspace_id, s.version)"""


def read_all(conn: Connection, limit: int = READ_LIMIT) -> list[Flag]:
    """The oldest flags of every fact and mart."""
    return [Flag(**row) for row in query(conn, _ALL, {"limit": limit})]


def read(conn: Connection, fact: str, first: date, last: date, workspace_id: UUID | None = None) -> list[Flag]:
    """The flags of one fact in the days `first` to `last`, both included."""
    values = {"fact": fact, "first": first, "last": last, "workspace_id": workspace_id}
    return [Flag(**row) for row in query(conn, _READ, values)]


def mark(conn: Connection, fact: str, day: date, workspace_ids: Iterable[UUID]) -> None:
    """Flag workspaces that still exist."""
    if wanted := sorted(set(workspace_ids)):
        query(conn, _MARK, {"fact": fact, "day": day, "workspaces": wanted})


def clear(conn: Connection, seen: Sequence[Flag]) -> int:
    """Delete exactly these versions; answers how many were still there."""
    if not seen:
        return 0
    values = {
        "facts": [flag.fact for flag in seen],
        "days": [flag.utc_day for flag in seen],
        "workspaces": [flag.workspace_id for flag in seen],
        "versions": [flag.version for flag in seen],
    }
    return query(conn, _CLEAR, values).rowcount
