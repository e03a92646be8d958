"""Planning a send: the only way an outbound comes into being. One row per intent, found by its natural key."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.db import lanes, queue


@dataclass(frozen=True, slots=True)
class PlannedSend:
    """An outbound that should happen at `due_at`, if every gate is open then.

    `natural_key` names the intent, unique per workspace: `draft:{draft}`, `follow_up:{instance}:{step}`,
    `review_card:{draft}:{version}:{recipient}`, `digest:{day}:{recipient}`,
    `promotion:{lead}:{address's hash}:{recipient}`.
    `content` by vendor: emailbison {"reply_id", "sender_email_id", "cc", "subject", "text"}; smartlead {"campaign_id",
    "stats_id", "lead_email", "cc", "text"}; instantly {"reply_to_id", "mailbox", "lead_email", "subject", "cc", "text"};
    ghl {"contact_id", "text"}; unipile {"chat_id", "member_id", "public_name", "text"}; slack {"text", "blocks",
    "metadata"}. `recipient` is the address, number, LinkedIn member, or Slack user or channel; `sender_account` the
    mailbox, location or profile of ours that sends.
    """

    id: UUID
    workspace_id: UUID
    natural_key: str
    kind: str
    origin: str
    channel: str
    vendor: str
    recipient: str
    content: dict[str, Any]
    due_at: datetime
    correlation_id: str
    lead_id: UUID | None = None
    draft_id: UUID | None = None
    draft_version: int | None = None
    trigger_message_id: UUID | None = None
    email_campaign_id: UUID | None = None
    member_user_id: UUID | None = None
    sender_account: str | None = None


_INSERT = text("""
    INSERT INTO app.send (id, workspace_id, natural_key, kind, origin, channel, vendor, lead_id, draft_id,
                          draft_version, trigger_message_id, email_campaign_id, member_user_id, recipient, content,
                          sender_account, due_at, correlation_id)
    VALUES (:id, :workspace_id, :natural_key, :kind, :origin, :channel, :vendor, :lead_id, :draft_id,
            :draft_version, :trigger_message_id, :email_campaign_id, :member_user_id, :recipient,
            CAST(:content AS jsonb), :sender_account, :due_at, :correlation_id)
    ON CONFLICT (workspace_id, natural_key) DO NOTHING
    RETURNING id""")


async def plan_send(conn: AsyncConnection, send: PlannedSend) -> bool:
    """Add the ledger row and wake the sends lane. False when this intent was planned before: nothing changes then."""
    parameters = {name: getattr(send, name) for name in send.__dataclass_fields__}
    parameters["content"] = json.dumps(send.content)
    planned = (await conn.execute(_INSERT, parameters)).scalar_one_or_none() is not None
    if planned:
        await queue.wake(conn, lanes.SENDS)
    return planned
