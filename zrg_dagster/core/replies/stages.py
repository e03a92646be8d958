"""What the reply pipeline reads and writes, one short transaction a stage. Each stage leaves a record; a retry reads
the records and goes on behind the last one."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.ai.telemetry import INSERT_CALLS
from zrg_dagster.core.drafting.reply_stage import INSERT_DONE, Done, done_document
from zrg_dagster.core.notifications.crm import INTEREST, CrmChange, CrmEvent, crm_states, tell_crm, tell_crm_changes
from zrg_dagster.core.replies.classify import SettledTag, Tag, status_after
from zrg_dagster.core.sending.gates import GATES, BlockReason
from zrg_dagster.core.workspaces.connected import is_connected_sql


class Stage(StrEnum):
    """The stages of one reply, in their order."""

    FLOOR = "floor"
    CLASSIFY = "classify"
    SIGNALS = "signals"
    BOOKING = "booking"
    DRAFT = "draft"
    EVALUATE = "evaluate"
    REVISE = "revise"
    DECIDE = "decide"


@dataclass(frozen=True, slots=True)
class Lead:
    """Who wrote, as the row was when the reply was loaded."""

    id: UUID
    sentiment_tag: str
    email_campaign_id: UUID | None


@dataclass(frozen=True, slots=True)
class Campaign:
    """What the e-mail campaign of a lead says about automatic answers."""

    id: UUID
    response_mode: str
    auto_send_threshold: Decimal
    delay_min_s: int
    delay_max_s: int


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply with its lead, its campaign and the stages already done (stage → recorded detail)."""

    message: Row[Any]
    lead: Lead
    campaign: Campaign | None
    has_booking: bool
    done: dict[str, dict[str, Any]]
    has_newer: bool
    is_replayed: bool


# One question for everything that the pipeline decides on. `has_newer` is what the send gate asks too: an automatic answer
# does not put what a person wrote out of date.
_REPLY = text(f"""
    SELECT m.id, m.workspace_id, m.lead_id, m.channel, m.message_key, m.sent_at, m.body, m.opt_out_rule, m.is_auto_reply,
        m.is_out_of_office, m.returns_on, m.provider_interested, l.sentiment_tag AS lead_tag,
        l.email_campaign_id AS lead_campaign_id, c.id AS campaign_id, c.response_mode,
        c.auto_send_threshold, c.delay_min_s, c.delay_max_s,
        EXISTS (SELECT FROM app.appointment WHERE lead_id = l.id AND status NOT IN ('canceled', 'rescheduled')) AS has_booking,
        EXISTS (SELECT FROM app.message n WHERE n.lead_id = l.id AND n.direction = 'inbound' AND n.source <> 'bounce'
                AND NOT n.is_auto_reply AND (n.sent_at, n.message_key) > (m.sent_at, m.message_key)) AS has_newer,
        EXISTS (SELECT FROM raw.webhook_event e WHERE e.id = m.event_id AND e.replayed_at IS NOT NULL) AS is_replayed,
        {is_connected_sql("m.workspace_id", "clay")} AS has_enrichment,
        coalesce((SELECT jsonb_object_agg(s.stage, s.detail) FROM app.reply_stage s WHERE s.message_id = m.id), '{{}}') AS done
    FROM app.message m JOIN app.lead l ON l.id = m.lead_id
    LEFT JOIN app.email_campaign c ON c.id = l.email_campaign_id AND m.channel = 'email'
    WHERE m.id = :id""")


async def load(conn: AsyncConnection, message_id: UUID) -> Reply | None:
    """Everything the pipeline decides on, or None when the message is gone."""
    row = (await conn.execute(_REPLY, {"id": message_id})).one_or_none()
    if row is None:
        return None
    campaign = None
    if row.campaign_id is not None:
        delays = (row.delay_min_s, row.delay_max_s)
        campaign = Campaign(row.campaign_id, row.response_mode, row.auto_send_threshold, *delays)
    return Reply(
        message=row,
        lead=Lead(row.lead_id, row.lead_tag, row.lead_campaign_id),
        campaign=campaign,
        has_booking=row.has_booking,
        done=row.done,
        has_newer=row.has_newer,
        is_replayed=row.is_replayed,
    )


_RECORD = text(f"WITH calls AS ({INSERT_CALLS}) {INSERT_DONE}")


async def record(
    conn: AsyncConnection, reply: Reply, done: Sequence[Done], now: datetime, *, calls_made: str | None = None
) -> None:
    """Put stages on record, in the transaction that holds their effects, with the `calls_document` of their calls."""
    parameters = {
        "message_id": reply.message.id,
        "workspace_id": reply.message.workspace_id,
        "done": done_document(done),
        "calls": calls_made or "[]",
        "now": now,
    }
    await conn.execute(_RECORD, parameters)
    reply.done.update({each.stage: each.detail for each in done})


# The gate that the ledger asks before a send `s`, asked about a send that does not exist yet.
IS_STOPPED = next(gate.closed_when for gate in GATES if gate.reason is BlockReason.KILL_SWITCH)
_STOPPED = text(f"""
    SELECT {IS_STOPPED}
    FROM (SELECT 'ai' AS origin, CAST(:lead AS uuid) AS lead_id, CAST(:channel AS text) AS channel,
                 CAST(:workspace AS uuid) AS workspace_id, CAST(:campaign AS uuid) AS email_campaign_id) s""")


async def is_stopped(conn: AsyncConnection, reply: Reply) -> bool:
    """Whether a kill switch of any scope holds for an automatic answer to this reply."""
    place = {
        "lead": reply.lead.id,
        "channel": reply.message.channel,
        "workspace": reply.message.workspace_id,
        "campaign": reply.lead.email_campaign_id,
    }
    return (await conn.execute(_STOPPED, place)).scalar_one()


# With what its workspace wants and is connected to: most are asked nothing more about what they do not use. Without
# settings the columns read as what they default to.
_LOCKED_LEAD = text(f"""
    SELECT l.status, l.sentiment_tag, l.timezone, l.assigned_to_user_id, w.timezone AS workspace_timezone, EXISTS (
        SELECT FROM app.message n WHERE n.lead_id = l.id AND n.direction = 'inbound' AND n.source <> 'bounce'
          AND (n.sent_at, n.message_key) > (:sent_at, CAST(:key AS text))) AS has_newer,
        coalesce(s.flag_uncertain_replies, true) AS flag_uncertain, coalesce(s.pause_for_ooo, true) AS pause_for_ooo,
        coalesce(s.auto_follow_ups_on_reply, false) AS auto_follow_ups,
        coalesce(s.round_robin_enabled, false) AS round_robin_enabled,
        {is_connected_sql("w.id", "ghl")} AS has_contacts, {is_connected_sql("w.id", "crm")} AS has_crm
    FROM app.lead l JOIN app.workspace w ON w.id = l.workspace_id
    LEFT JOIN app.workspace_setting s ON s.workspace_id = w.id
    WHERE l.id = :id FOR NO KEY UPDATE OF l""")
# One statement, and so one view of the events: `was_interested` is how it was before this one.
_TAG = text("""
    WITH tagged AS (
        UPDATE app.message SET sentiment_tag = :tag WHERE id = :message_id
    ), noted AS (
        INSERT INTO app.sentiment_event (workspace_id, lead_id, message_id, previous_tag, tag, source, confidence, changed_at)
        VALUES (:workspace_id, :lead_id, :message_id, :previous_tag, :tag, :source, :confidence, :now)
        ON CONFLICT DO NOTHING
    ), moved AS (
        UPDATE app.lead SET sentiment_tag = :tag, sentiment_source = :source, status = :status, updated_at = :now
        WHERE id = :lead_id
    )
    SELECT EXISTS (SELECT FROM app.sentiment_event e WHERE e.lead_id = :lead_id AND e.tag = ANY(CAST(:positive AS text[])))""")
_MESSAGE_TAG = text("UPDATE app.message SET sentiment_tag = :tag WHERE id = :id")


async def apply_tag(
    conn: AsyncConnection, reply: Reply, tag: SettledTag, source: str, now: datetime
) -> Row[Any] | None:
    """Tag the message, and the lead when this is its newest inbound; Blacklist stays (SE-10).

    Returns the lead as it was, locked, when the tag became its own, with what its workspace wants and is connected to; None
    when the lead keeps the one it has.

    The lead follows its newest reply, so that replies processed out of order end in the same state. Only an opt-out
    that the model read in an older one still counts.
    """
    message = reply.message
    place = {"id": message.lead_id, "sent_at": message.sent_at, "key": message.message_key}
    lead = (await conn.execute(_LOCKED_LEAD, place)).one()
    if lead.sentiment_tag == Tag.BLACKLIST or (lead.has_newer and tag.tag is not Tag.BLACKLIST):
        await conn.execute(_MESSAGE_TAG, {"id": message.id, "tag": tag.tag.value})
        return None
    known = await crm_states(conn, [message.lead_id]) if lead.has_crm else {}
    status = status_after(lead.status, tag.tag)
    if lead.status == "meeting-booked" and tag.tag is not Tag.BLACKLIST:
        status = lead.status  # a booking stands until it is cancelled, whatever is said meanwhile
    parameters = {
        "workspace_id": message.workspace_id,
        "lead_id": message.lead_id,
        "message_id": message.id,
        "previous_tag": lead.sentiment_tag,
        "tag": tag.tag.value,
        "source": source,
        "confidence": tag.confidence,
        "status": status,
        "positive": list(INTEREST),
        "now": now,
    }
    was_interested = (await conn.execute(_TAG, parameters)).scalar_one()
    if lead.has_crm:
        await tell_crm_changes(conn, known, now, source="reply", message_id=message.id)
        if tag.tag in INTEREST and not was_interested:
            place = (message.workspace_id, message.lead_id)
            await tell_crm(conn, [CrmChange(*place, CrmEvent.LEAD_CREATED, message.id, source="reply")], now)
    return lead


_UNCLASSIFIED = text("""
    UPDATE app.lead SET sentiment_tag = 'Neutral', sentiment_source = 'unclassified', updated_at = :now
    WHERE id = :id AND sentiment_source = 'none' AND sentiment_tag = 'New'""")


async def mark_unclassified(conn: AsyncConnection, lead_id: UUID, now: datetime) -> None:
    """The model is away: a lead never classified reads Neutral, an existing tag is never overwritten."""
    await conn.execute(_UNCLASSIFIED, {"id": lead_id, "now": now})


# One line of the lead's list, written once; its values are `decision_values`.
DECISION_SQL = """
    INSERT INTO app.decision (workspace_id, lead_id, subject, subject_id, code, detail, decided_at)
    SELECT :workspace_id, CAST(:lead_id AS uuid), CAST(:subject AS text), CAST(:subject_id AS uuid), CAST(:code AS text),
           CAST(:detail AS jsonb), :now
    WHERE NOT EXISTS (SELECT FROM app.decision WHERE lead_id = CAST(:lead_id AS uuid) AND subject = CAST(:subject AS text)
                      AND subject_id IS NOT DISTINCT FROM CAST(:subject_id AS uuid) AND code = CAST(:code AS text))"""
_DECISION = text(DECISION_SQL)


async def decide_row(
    conn: AsyncConnection,
    reply: Reply,
    subject: str,
    subject_id: UUID | None,
    code: str,
    now: datetime,
    detail: dict[str, Any] | None = None,
) -> None:
    """One line of "did / did not, because" about this reply's lead; a retry finds its line."""
    await conn.execute(_DECISION, decision_values(reply, subject, subject_id, code, now, detail))


def decision_values(
    reply: Reply, subject: str, subject_id: UUID | None, code: str, now: datetime, detail: dict[str, Any] | None
) -> dict[str, Any]:
    """What `DECISION_SQL` asks with."""
    return {
        "workspace_id": reply.message.workspace_id,
        "lead_id": reply.message.lead_id,
        "subject": subject,
        "subject_id": subject_id,
        "code": code,
        "detail": json.dumps(detail or {}, default=str),
        "now": now,
    }
