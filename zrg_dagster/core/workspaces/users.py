"""Users: one human over all workspaces, found by address without regard to case."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.base.ids import new_id

# In the order of the address: two files that name the same people must not wait for each other in a circle.
_SAVE = text("""
    INSERT INTO app.user AS u (id, email, name, slack_user_id)
    SELECT r.new_id, r.email, r.name, r.slack_user_id
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (new_id uuid, email text, name text, slack_user_id text)
    ORDER BY r.email
    ON CONFLICT (email) DO UPDATE SET name = excluded.name, slack_user_id = excluded.slack_user_id
        WHERE (u.name, u.slack_user_id) IS DISTINCT FROM (excluded.name, excluded.slack_user_id)""")


async def save_users(conn: AsyncConnection, users: Sequence[dict[str, Any]]) -> None:
    """Add or change users: `email` (lower case), `name`, `slack_user_id`."""
    if users:
        rows = [{"new_id": str(new_id()), **user} for user in users]
        await conn.execute(_SAVE, {"rows": json.dumps(rows)})


_RELEASE = text("""
    UPDATE app.lead l SET assigned_to_user_id = NULL, updated_at = :now
    WHERE l.workspace_id = :id AND l.assigned_to_user_id IS NOT NULL
      AND NOT EXISTS (SELECT FROM app.member m WHERE m.workspace_id = :id AND m.user_id = l.assigned_to_user_id)
      AND NOT EXISTS (SELECT FROM app.workspace w WHERE w.id = :id AND w.owner_user_id = l.assigned_to_user_id)""")


async def release_leads(conn: AsyncConnection, workspace_id: UUID, now: datetime) -> None:
    """Leads of people who left the workspace are nobody's, so that an assignment finds them."""
    await conn.execute(_RELEASE, {"id": workspace_id, "now": now})
