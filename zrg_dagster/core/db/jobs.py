"""Enqueueing background work. A job whose key exists is already queued or done: nothing changes (DK-01, DK-03)."""

import json
from collections.abc import Sequence
from dataclasses import field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.base.record import record
from zrg_dagster.core.db import lanes


@record
class NewJob:
    """One unit of work. Jobs of one `serial_key` (the lead) never overlap; `job_key` is unique per workspace."""

    workspace_id: UUID
    lane: lanes.Lane
    kind: str
    job_key: str
    serial_key: str
    correlation_id: str
    run_at: datetime
    lead_id: UUID | None = None
    message_id: UUID | None = None
    payload: dict[str, Any] = field(default_factory=dict)
    max_attempts: int = 5


# `told` is counted so that it is done: the lanes of what is new are woken at the commit, in the same round trip.
_INSERT = text("""
    WITH made AS (
    INSERT INTO app.job (id, workspace_id, lane, kind, job_key, serial_key, payload, correlation_id, lead_id, message_id,
                         run_at, max_attempts)
    SELECT j.* FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS j (id uuid, workspace_id uuid, lane text, kind text,
        job_key text, serial_key text, payload jsonb, correlation_id text, lead_id uuid, message_id uuid,
        run_at timestamptz, max_attempts smallint)
    ORDER BY workspace_id, job_key
    ON CONFLICT (workspace_id, job_key) DO NOTHING RETURNING lane
    ), told AS MATERIALIZED (
        SELECT pg_notify(CAST(:channels AS jsonb) ->> lane, '') FROM (SELECT DISTINCT lane FROM made) lanes
    )
    SELECT count(*) AS new, (SELECT count(*) FROM told) AS lanes FROM made""")
_CHANNELS = json.dumps({lane.value: queue.channel for lane, queue in lanes.QUEUES.items()})


async def enqueue(conn: AsyncConnection, jobs: Sequence[NewJob]) -> int:
    """Add jobs in the caller's transaction and wake their lanes at its commit. Returns how many were new."""
    if not jobs:
        return 0
    rows = [{"id": new_id(), **{name: getattr(job, name) for name in job.__dataclass_fields__}} for job in jobs]
    parameters = {"rows": json.dumps(rows, default=str), "channels": _CHANNELS}
    return (await conn.execute(_INSERT, parameters)).scalar_one()


_DEAD = text("""
    SELECT j.id, w.key AS workspace, j.lane, j.kind, j.reason, j.attempts, j.created_at
    FROM app.job j JOIN app.workspace w ON w.id = j.workspace_id
    WHERE j.state = 'dead' AND (CAST(:kind AS text) IS NULL OR j.kind = :kind)
      AND (CAST(:workspace AS text) IS NULL OR w.key = :workspace)
    ORDER BY j.created_at, j.id LIMIT :limit""")
_REDO = text("""
    UPDATE app.job SET state = 'pending', attempts = 0, run_at = :now, finished_at = NULL
    WHERE id = ANY(CAST(:ids AS uuid[])) AND state = 'dead' RETURNING id""")


async def dead_jobs(
    conn: AsyncConnection, *, kind: str | None, workspace: str | None, limit: int
) -> Sequence[Row[Any]]:
    """Jobs in the dead letter, the oldest first."""
    return (await conn.execute(_DEAD, {"kind": kind, "workspace": workspace, "limit": limit})).all()


async def redo(conn: AsyncConnection, ids: Sequence[UUID], now: datetime) -> int:
    """Hand dead jobs to their lane once more, with all their attempts. What they did before they died is recorded by stage
    and is not done twice. Returns how many."""
    return len((await conn.execute(_REDO, {"ids": list(ids), "now": now})).all())
