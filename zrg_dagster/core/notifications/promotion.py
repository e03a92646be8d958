"""A setter asks for another address of a lead: those who may decide it are told in Slack (CC-10)."""

import hashlib
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.notifications.digest import escape
from zrg_dagster.core.sending.plan import PlannedSend, plan_send
from zrg_dagster.core.workspaces.access import Action, Role, roles_with

# The owner of the workspace and its members who may promote; only who has a Slack user can be told.
_DECIDERS = text("""
    SELECT DISTINCT u.slack_user_id FROM app.workspace w
    JOIN app.user u ON u.id = w.owner_user_id
        OR u.id IN (SELECT m.user_id FROM app.member m WHERE m.workspace_id = w.id AND m.role = ANY(CAST(:roles AS text[])))
    WHERE w.id = :workspace_id AND u.slack_user_id IS NOT NULL ORDER BY 1""")


async def tell_of_request(
    conn: AsyncConnection, workspace_id: UUID, lead_id: UUID, address: str, *, actor: str, now: datetime
) -> int:
    """Plan one Slack message to each decider, in the caller's transaction; the sends lane delivers them.

    Once for a lead, address and person, however often it is asked. Returns how many people know of it: none is no error.
    """
    roles = [role for role in roles_with(Action.PROMOTE_ADDRESS) if role not in (Role.OWNER, Role.SUPER_ADMIN)]
    found = await conn.execute(_DECIDERS, {"workspace_id": workspace_id, "roles": roles})
    recipients = list(found.scalars())
    wanted = address.strip().lower()
    # The key stays when the person is erased, so it must not say the address.
    named = hashlib.sha256(wanted.encode()).hexdigest()[:16]
    said = f"{escape(actor)} asks to write to lead {lead_id} at {escape(wanted)} from now on."
    command = f"zrg lead promote WORKSPACE {lead_id} ADDRESS"
    for recipient in recipients:
        await plan_send(
            conn,
            PlannedSend(
                id=new_id(),
                workspace_id=workspace_id,
                natural_key=f"promotion:{lead_id}:{named}:{recipient}",
                kind="alert",
                origin="system",
                channel="slack",
                vendor="slack",
                recipient=recipient,
                content={
                    "text": "A setter asks for another address of a lead",
                    "blocks": [
                        {"type": "section", "text": {"type": "mrkdwn", "text": f"{said}\nTo agree: `{command}`"}}
                    ],
                },
                due_at=now,
                correlation_id=f"promotion:{lead_id}",
                lead_id=lead_id,
            ),
        )
    return len(recipients)
