"""Something that people of a workspace must know at once: one Slack message each, through the ledger of sends."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.sending.plan import PlannedSend, plan_send
from zrg_dagster.core.workspaces.access import Action, Role, roles_with

# The owner of the workspace and its members with one of the roles; only who has a Slack user can be told.
_PEOPLE = text("""
    SELECT DISTINCT u.slack_user_id FROM app.workspace w
    JOIN app.user u ON u.id = w.owner_user_id
        OR u.id IN (SELECT m.user_id FROM app.member m WHERE m.workspace_id = w.id AND m.role = ANY(CAST(:roles AS text[])))
    WHERE w.id = :workspace_id AND u.slack_user_id IS NOT NULL ORDER BY 1""")


async def people_who_may(conn: AsyncConnection, workspace_id: UUID, action: Action) -> list[str]:
    """The Slack users of those who may do `action` in the workspace: its owner and members; none is no error."""
    roles = [role for role in roles_with(action) if role not in (Role.OWNER, Role.SUPER_ADMIN)]
    return list((await conn.execute(_PEOPLE, {"workspace_id": workspace_id, "roles": roles})).scalars())


async def plan_alert(
    conn: AsyncConnection,
    workspace_id: UUID,
    recipients: Sequence[str],
    *,
    key: str,
    title: str,
    said: str,
    now: datetime,
    correlation_id: str,
    lead_id: UUID | None = None,
) -> None:
    """Plan one Slack message to each recipient, in the caller's transaction; the sends lane delivers them.

    Once for a `key` and person, however often it is asked: a key with the day in it says it once a day. `title` is what
    a phone shows, `said` the text (Slack's mrkdwn, escaped by the caller).
    """
    for recipient in recipients:
        send = PlannedSend(
            id=new_id(),
            workspace_id=workspace_id,
            natural_key=f"{key}:{recipient}",
            kind="alert",
            origin="system",
            channel="slack",
            vendor="slack",
            recipient=recipient,
            content={
                "text": title,
                "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": said}}],
            },
            due_at=now,
            correlation_id=correlation_id,
            lead_id=lead_id,
        )
        await plan_send(conn, send)
