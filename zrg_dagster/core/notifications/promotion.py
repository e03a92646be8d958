"""A setter asks for another address of a lead: those who may decide it are told in Slack (CC-10)."""

import hashlib
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.notifications.alerts import people_who_may, plan_alert
from zrg_dagster.core.notifications.digest import escape
from zrg_dagster.core.workspaces.access import Action


async def tell_of_request(
    conn: AsyncConnection, workspace_id: UUID, lead_id: UUID, address: str, *, actor: str, now: datetime
) -> int:
    """Plan one Slack message to each who may decide, in the caller's transaction.

    Once for a lead, address and person, however often it is asked. Returns how many people know of it: none is no error.
    """
    recipients = await people_who_may(conn, workspace_id, Action.PROMOTE_ADDRESS)
    wanted = address.strip().lower()
    # The key stays when the person is erased, so it must not say the address.
    named = hashlib.sha256(wanted.encode()).hexdigest()[:16]
    said = f"{escape(actor)} asks to write to lead {lead_id} at {escape(wanted)} from now on."
    await plan_alert(
        conn,
        workspace_id,
        recipients,
        key=f"promotion:{lead_id}:{named}",
        title="A setter asks for another address of a lead",
        said=f"{said}\nTo agree: `zrg lead promote WORKSPACE {lead_id} ADDRESS`",
        now=now,
        correlation_id=f"promotion:{lead_id}",
        lead_id=lead_id,
    )
    return len(recipients)
