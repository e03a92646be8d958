"""A draft at the moment before it is judged: its text, and what its workspace says about automatic answers. One question."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.replies.stages import IS_STOPPED, Reply
from zrg_dagster.core.sending.hours import RULE_COLUMNS, hours_of
from zrg_dagster.core.text.hours import Hours

_STANDING = text(f"""
    SELECT d.id, d.status, d.version, d.body, d.ai_body, coalesce(s.flag_uncertain_replies, true) AS flag_uncertain,
        l.timezone AS lead_zone, {RULE_COLUMNS},
        (SELECT {IS_STOPPED}
         FROM (SELECT 'ai' AS origin, l.id AS lead_id, d.channel, d.workspace_id, l.email_campaign_id) s) AS is_stopped
    FROM app.draft d JOIN app.lead l ON l.id = d.lead_id JOIN app.workspace w ON w.id = d.workspace_id
    LEFT JOIN app.workspace_setting s ON s.workspace_id = w.id
    LEFT JOIN app.email_campaign c ON c.workspace_id = w.id AND c.id = CAST(:campaign_id AS uuid)
    WHERE d.id = :id""")


@dataclass(frozen=True, slots=True)
class Standing:
    """A draft before it is judged, and what its workspace says at that moment about automatic answers."""

    draft: Row[Any]
    hours: Hours
    flag_uncertain: bool
    is_stopped: bool


async def load_standing(conn: AsyncConnection, reply: Reply, draft_id: UUID) -> Standing | None:
    """The draft with id, status, version, body and ai_body; None when it is no more. `is_stopped` as of `is_stopped`."""
    campaign_id = reply.campaign.id if reply.campaign else None
    row = (await conn.execute(_STANDING, {"id": draft_id, "campaign_id": campaign_id})).one_or_none()
    if row is None:
        return None
    return Standing(row, hours_of(row._asdict()), row.flag_uncertain, row.is_stopped)
