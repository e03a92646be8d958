"""The audit log: who changed what, and when. Append-only; the database refuses the rest."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

_INSERT = text("""
    INSERT INTO ops.audit (happened_at, actor, action, workspace_id, object, changes)
    VALUES (:now, :actor, :action, :workspace_id, :object, CAST(:changes AS jsonb))""")


async def record(
    conn: AsyncConnection,
    *,
    actor: str,
    action: str,
    object: str,
    now: datetime,
    workspace_id: UUID | None = None,
    changes: Sequence[dict[str, Any]] = (),
) -> None:
    """Write one entry in the caller's transaction: it exists exactly when the change does.

    `action` is `noun.verb`; `changes` hold no secret and no personal data of leads.
    """
    parameters = {
        "now": now,
        "actor": actor,
        "action": action,
        "workspace_id": workspace_id,
        "object": object,
        "changes": json.dumps(list(changes)),
    }
    await conn.execute(_INSERT, parameters)


_ENTRIES = text("""
    SELECT a.happened_at, a.actor, a.action, a.object, a.changes
    FROM ops.audit a JOIN app.workspace w ON w.id = a.workspace_id
    WHERE w.key = :key ORDER BY a.id DESC LIMIT :limit""")


async def entries(conn: AsyncConnection, key: str, *, limit: int) -> list[Row[Any]]:
    """The newest entries of a workspace: happened_at, actor, action, object, changes (list of dictionaries)."""
    return list(await conn.execute(_ENTRIES, {"key": key, "limit": limit}))
