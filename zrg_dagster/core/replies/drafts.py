"""Drafts for a person who decides without a card: which wait, what one says, and a message of one's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.text.subject import reply_subject

STATUSES = ("pending", "approved", "rejected")


class DraftError(ValueError):
    """What was asked for does not exist or cannot be written. One line."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which drafts; all conditions that are given hold. Empty `ids`: all."""

    workspace: str | None = None
    ids: tuple[UUID, ...] = ()
    lead_id: UUID | None = None
    channel: str | None = None
    status: str = "pending"
    reason: str | None = None
    tag: str | None = None
    older_than: datetime | None = None
    limit: int = 100


_FIND = text("""
    SELECT d.id, d.workspace_id, w.key AS workspace, d.lead_id, d.channel, d.version, d.status, d.action, d.reason,
           d.confidence, d.threshold, d.created_at, l.sentiment_tag AS tag, s.state AS send_state, s.reason AS send_reason,
           m.provider
    FROM app.draft d
    JOIN app.workspace w ON w.id = d.workspace_id
    JOIN app.lead l ON l.id = d.lead_id
    JOIN app.message m ON m.id = d.trigger_message_id
    LEFT JOIN app.send s ON s.draft_id = d.id AND s.kind = 'draft'
    WHERE (CAST(:workspace AS text) IS NULL OR w.key = :workspace)
      AND (cardinality(CAST(:ids AS uuid[])) = 0 OR d.id = ANY(CAST(:ids AS uuid[])))
      AND (CAST(:lead_id AS uuid) IS NULL OR d.lead_id = :lead_id)
      AND (CAST(:channel AS text) IS NULL OR d.channel = :channel)
      AND (CAST(:status AS text) = 'all' OR d.status = :status)
      AND (CAST(:reason AS text) IS NULL OR d.reason = :reason)
      AND (CAST(:tag AS text) IS NULL OR l.sentiment_tag = :tag)
      AND (CAST(:older_than AS timestamptz) IS NULL OR d.created_at < :older_than)
    ORDER BY d.created_at DESC, d.id DESC LIMIT :limit""")
_SHOW = text("""
    SELECT d.*, w.key AS workspace, l.sentiment_tag AS tag, m.body AS they_wrote, m.sent_at AS they_wrote_at, m.provider,
           s.state AS send_state, s.reason AS send_reason, s.due_at AS send_due_at, u.email AS decided_by
    FROM app.draft d JOIN app.workspace w ON w.id = d.workspace_id JOIN app.lead l ON l.id = d.lead_id
    JOIN app.message m ON m.id = d.trigger_message_id
    LEFT JOIN app.send s ON s.draft_id = d.id AND s.kind = 'draft'
    LEFT JOIN app.user u ON u.id = d.decided_by_user_id
    WHERE d.id = :id""")


async def find(conn: AsyncConnection, chosen: Selection) -> Sequence[Row[Any]]:
    """Drafts without their texts, the newest first."""
    if chosen.status not in (*STATUSES, "all"):
        raise DraftError(f"{chosen.status!r} is no status; one of {', '.join(STATUSES)}, all")
    parameters = {name: getattr(chosen, name) for name in chosen.__dataclass_fields__}
    return (await conn.execute(_FIND, {**parameters, "ids": list(chosen.ids)})).all()


async def show(conn: AsyncConnection, draft_id: UUID) -> Row[Any]:
    """One draft with the message that it answers and what became of its send."""
    row = (await conn.execute(_SHOW, {"id": draft_id})).one_or_none()
    if row is None:
        raise DraftError(f"no draft has the id {draft_id}; `zrg drafts list` shows them")
    return row


_TRIGGER = text("""
    SELECT m.id, m.workspace_id, m.subject FROM app.message m
    WHERE m.lead_id = :lead_id AND m.channel = :channel AND m.direction = 'inbound' AND m.source <> 'bounce'
    ORDER BY m.sent_at DESC, m.message_key DESC LIMIT 1""")
_OWN = text("""
    INSERT INTO app.draft (id, workspace_id, lead_id, trigger_message_id, channel, subject, body, ai_body, action, reason,
                           created_at, updated_at)
    VALUES (:id, :workspace_id, :lead_id, :trigger, :channel, :subject, '', '', 'needs_review', 'written_by_hand', :now, :now)
    ON CONFLICT (trigger_message_id, channel) DO UPDATE SET updated_at = excluded.updated_at
    RETURNING id, workspace_id""")


async def draft_of_own(conn: AsyncConnection, lead_id: UUID, channel: str, now: datetime) -> Row[Any]:
    """The draft through which a message of one's own leaves: it answers the lead's newest message on the channel.

    One message answers one message, whoever wrote it: a draft that waits there already is the one (id, workspace_id).
    """
    trigger = (await conn.execute(_TRIGGER, {"lead_id": lead_id, "channel": channel})).one_or_none()
    if trigger is None:
        raise DraftError(f"lead {lead_id} has written nothing on {channel} that could be answered")
    parameters = {
        "id": new_id(),
        "workspace_id": trigger.workspace_id,
        "lead_id": lead_id,
        "trigger": trigger.id,
        "channel": channel,
        "subject": reply_subject(trigger.subject) if channel == "email" else None,
        "now": now,
    }
    return (await conn.execute(_OWN, parameters)).one()
