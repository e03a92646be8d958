"""What a change of personas leaves in the audit log: every persona and field that is different afterwards."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.workspaces.audit import record
from zrg_dagster.core.workspaces.changes import State, audit_entries, compare
from zrg_dagster.core.workspaces.personas import FIELDS, list_personas

_SECTION = "persona"


@asynccontextmanager
async def audited(
    conn: AsyncConnection, workspace_id: UUID, *, actor: str, action: str, name: str, now: datetime
) -> AsyncIterator[None]:
    """Record what the body changes, in its transaction; nothing is written when nothing differs.

    A deleted default moves the default to another persona: that is an entry of its own in the same record.
    """
    before = await _state(conn, workspace_id)
    yield
    changes = compare(before, await _state(conn, workspace_id), [_SECTION])
    if changes:
        await record(
            conn,
            actor=actor,
            action=action,
            object=f"persona {name}",
            workspace_id=workspace_id,
            changes=audit_entries(changes),
            now=now,
        )


async def _state(conn: AsyncConnection, workspace_id: UUID) -> State:
    rows = await list_personas(conn, workspace_id)
    return {_SECTION: {(row.name,): {name: getattr(row, name) for name in ("is_default", *FIELDS)} for row in rows}}
