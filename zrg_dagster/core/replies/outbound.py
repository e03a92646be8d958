"""From a draft to a planned send: who receives it, through which vendor, in which thread."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.db import lanes, queue
from zrg_dagster.core.replies import cards, escalation
from zrg_dagster.core.replies.content import AS_THEY_ARE, Recipients, outbound_of
from zrg_dagster.core.sending.plan import PlannedSend, plan_send
from zrg_dagster.core.workspaces.recipients import recipients_sql


@dataclass(frozen=True, slots=True)
class Origin:
    """Who decided to send: the model (`ai`) or a member (`setter`)."""

    name: str
    member_user_id: UUID | None = None


AI = Origin("ai")

_DRAFT = text(f"""
    SELECT d.*, m.provider, m.provider_message_id, m.thread_handle, m.from_email, m.cc, m.to_email, m.body AS inbound,
        m.sentiment_tag AS trigger_tag, l.email AS lead_email, l.phone AS lead_phone, l.sender_account_id,
        l.current_replier_email, l.current_replier_name, l.first_name, l.last_name, l.email_campaign_id,
        l.sentiment_tag, c.name AS campaign_name, w.key AS workspace_key, m.subject AS inbound_subject,
        m.sent_at AS trigger_sent_at, {escalation.PATIENCE_COLUMNS},
        coalesce((SELECT array_agg(value ORDER BY value) FROM app.lead_identity i
                  WHERE i.lead_id = l.id AND i.kind IN ('email', 'alternate_email')), '{{}}') AS addresses,
        (SELECT value FROM app.lead_identity i WHERE i.lead_id = l.id AND i.kind = 'linkedin_member'
         ORDER BY i.created_at, i.value LIMIT 1) AS linkedin_member,
        coalesce((SELECT value FROM app.lead_identity i WHERE i.lead_id = l.id AND i.kind = 'linkedin_url'
                  ORDER BY i.created_at, i.value LIMIT 1), l.linkedin_url) AS linkedin_profile,
        (SELECT external_id FROM app.integration n
         WHERE n.workspace_id = d.workspace_id AND n.provider = 'unipile') AS linkedin_account,
        (SELECT external_id FROM app.integration n
         WHERE n.workspace_id = d.workspace_id AND n.provider = 'ghl') AS ghl_location,
        (SELECT value FROM app.lead_identity i WHERE i.lead_id = l.id AND i.kind = 'ghl_contact'
         ORDER BY i.created_at, i.value LIMIT 1) AS ghl_contact,
        (SELECT value FROM app.lead_identity i WHERE i.lead_id = l.id AND i.kind = 'emailbison_lead'
         ORDER BY i.created_at, i.value LIMIT 1) AS emailbison_lead,
        {recipients_sql("d.workspace_id", "l.assigned_to_user_id")} AS recipients
    FROM app.draft d
    JOIN app.message m ON m.id = d.trigger_message_id
    JOIN app.lead l ON l.id = d.lead_id
    JOIN app.workspace w ON w.id = d.workspace_id
    LEFT JOIN app.workspace_setting s ON s.workspace_id = w.id
    LEFT JOIN app.email_campaign c ON c.id = l.email_campaign_id
    WHERE d.id = :id""")


async def load_draft(conn: AsyncConnection, draft_id: UUID) -> Row[Any] | None:
    """A draft with what sending and showing it needs."""
    return (await conn.execute(_DRAFT, {"id": draft_id})).one_or_none()


# The attempts and the patience of whoever decided before are not this person's; the count goes on, because it is the fence.
_REPLAN = text("""
    UPDATE app.send SET state = 'planned', due_at = :due_at, origin = :origin, member_user_id = :member_user_id,
        draft_version = :draft_version, recipient = :recipient, sender_account = :sender_account,
        content = CAST(:content AS jsonb), reason = NULL, finished_at = NULL, planned_at = now(),
        max_attempts = attempts + 6
    WHERE workspace_id = :workspace_id AND natural_key = :natural_key
      AND (state = 'blocked' OR state = 'planned' AND origin <> 'setter')
    RETURNING id""")


async def plan_draft(
    conn: AsyncConnection,
    draft: Row[Any],
    body: str,
    origin: Origin,
    due_at: datetime,
    correlation_id: str,
    chosen: Recipients = AS_THEY_ARE,
) -> bool:
    """Plan the one send of a draft. A person may take over what the model planned, or what was blocked; what has begun
    stays, and so does what another person decided.

    Returns False when the send is already under way or done. `CannotSend` when a way out is missing.
    """
    way = outbound_of(draft, body, chosen)
    send = PlannedSend(
        id=new_id(),
        workspace_id=draft.workspace_id,
        natural_key=f"draft:{draft.id}",
        kind="draft",
        origin=origin.name,
        channel=draft.channel,
        vendor=way.vendor,
        recipient=way.recipient,
        sender_account=way.sender_account,
        content=way.content,
        due_at=due_at,
        correlation_id=correlation_id,
        lead_id=draft.lead_id,
        draft_id=draft.id,
        draft_version=draft.version,
        trigger_message_id=draft.trigger_message_id,
        email_campaign_id=draft.email_campaign_id,
        member_user_id=origin.member_user_id,
    )
    if await plan_send(conn, send):
        return True
    if origin.name != "setter":
        return False
    parameters = {
        "workspace_id": send.workspace_id,
        "natural_key": send.natural_key,
        "due_at": due_at,
        "origin": origin.name,
        "member_user_id": origin.member_user_id,
        "draft_version": draft.version,
        "recipient": way.recipient,
        "sender_account": way.sender_account,
        "content": json.dumps(way.content),
    }
    taken_over = (await conn.execute(_REPLAN, parameters)).scalar_one_or_none() is not None
    if taken_over:
        await queue.wake(conn, lanes.SENDS)
    return taken_over


def card_of(draft: Row[Any]) -> cards.Card:
    """The review card of a draft."""
    return cards.Card(
        draft_id=str(draft.id),
        version=draft.version,
        workspace_key=draft.workspace_key,
        lead_name=" ".join(filter(None, (draft.first_name, draft.last_name))) or draft.lead_email or "",
        campaign_name=draft.campaign_name or "",
        channel=draft.channel,
        tag=draft.sentiment_tag,
        reason=draft.reason or "",
        confidence=draft.confidence,
        threshold=draft.threshold,
        inbound=draft.inbound,
        draft=draft.body,
    )


async def plan_cards(conn: AsyncConnection, draft: Row[Any], now: datetime, correlation_id: str) -> int:
    """One card per recipient of the workspace, and a look at it later. Returns how many were planned; 0: nobody is asked."""
    card = card_of(draft)
    planned = 0
    for recipient in dict.fromkeys(draft.recipients):
        send = PlannedSend(
            id=new_id(),
            workspace_id=draft.workspace_id,
            natural_key=f"review_card:{draft.id}:{draft.version}:{recipient}",
            kind="review_card",
            origin="system",
            channel="slack",
            vendor="slack",
            recipient=recipient,
            content={"text": cards.notification(card), "blocks": cards.pending_blocks(card)},
            due_at=now,
            correlation_id=correlation_id,
            lead_id=None,
            draft_id=draft.id,
            draft_version=draft.version,
        )
        planned += await plan_send(conn, send)
    await escalation.watch(conn, draft, correlation_id, now)
    return planned
