"""Flags that say which days of a fact must be built again, set in the transaction that changed the rows beneath."""

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# Each mark draws a new version: a builder that read version 7 deletes only version 7, so that a change which lands
# while it builds keeps its flag. Sorted, because two writers with the same days in opposite order would deadlock.
_MARK = text("""
    INSERT INTO ops.fact_dirty (fact, utc_day, workspace_id, version)
    SELECT :fact, d.utc_day, d.workspace_id, nextval('ops.fact_dirty_version')
    FROM unnest(CAST(:days AS date[]), CAST(:workspaces AS uuid[])) AS d (utc_day, workspace_id)
    ORDER BY d.utc_day, d.workspace_id
    ON CONFLICT (fact, utc_day, workspace_id) DO UPDATE SET version = excluded.version""")


async def mark_dirty(conn: AsyncConnection, fact: str, days: Iterable[tuple[date, UUID]]) -> None:
    """Mark (UTC day, workspace) pairs of `fact` (`booking`, `step_execution`) for rebuilding."""
    pairs = sorted(set(days))
    if pairs:
        await conn.execute(
            _MARK,
            {"fact": fact, "days": [day for day, _ in pairs], "workspaces": [workspace for _, workspace in pairs]},
        )
