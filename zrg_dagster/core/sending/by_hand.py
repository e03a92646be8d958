"""Settling what nobody could: a person has looked at the vendor and says whether the message is there."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.sending import ledger
from zrg_dagster.core.workspaces.audit import record

NOT_ARRIVED = "not_arrived"

_OPEN = text("""
    SELECT s.id, s.workspace_id, w.key AS workspace, s.kind, s.channel, s.vendor, s.lead_id, s.draft_id, s.reason,
           s.claimed_at
    FROM app.send s JOIN app.workspace w ON w.id = s.workspace_id
    WHERE s.state = 'needs_human' AND (cardinality(CAST(:ids AS uuid[])) = 0 OR s.id = ANY(CAST(:ids AS uuid[])))
    ORDER BY s.claimed_at, s.id LIMIT :limit""")
_SETTLE = text("""
    UPDATE app.send SET state = CASE WHEN CAST(:arrived AS boolean) THEN 'sent' ELSE 'blocked' END,
        reason = CASE WHEN CAST(:arrived AS boolean) THEN NULL ELSE CAST(:not_arrived AS text) END,
        sent_at = CASE WHEN CAST(:arrived AS boolean) THEN coalesce(claimed_at, :now) END, finished_at = :now,
        vendor_detail = vendor_detail || jsonb_build_object('found_by', 'person')
    WHERE id = :id AND state = 'needs_human' RETURNING *""")


async def waiting(conn: AsyncConnection, ids: Sequence[UUID] = (), *, limit: int = 200) -> Sequence[Row[Any]]:
    """Sends that need a person, the oldest first; of `ids` when given."""
    return (await conn.execute(_OPEN, {"ids": list(ids), "limit": limit})).all()


async def settle_by_hand(
    conn: AsyncConnection, send_id: UUID, *, arrived: bool, actor: str, now: datetime
) -> Row[Any] | None:
    """Write what a person found; the row as it is now, or None when it needs nobody any more.

    Arrived: a message and a touch, as if the vendor had confirmed. Not arrived: blocked, so that its draft can be approved
    again. The caller applies the consequence of the row's kind.
    """
    parameters = {"id": send_id, "arrived": arrived, "not_arrived": NOT_ARRIVED, "now": now}
    row = (await conn.execute(_SETTLE, parameters)).one_or_none()
    if row is None:
        return None
    await ledger.record_end(conn, row, now)
    changes = [{"arrived": arrived}]
    await record(
        conn, actor=actor, action="send.settle", object=f"send {send_id}", now=now, workspace_id=row.workspace_id,
        changes=changes,
    )  # fmt: skip
    return row
