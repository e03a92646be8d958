"""What a heard signal leaves behind, in one transaction: its row, a decision, a task for a person, a note in Slack (SI-06,
SI-07)."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.leads.enrichment import CALL_INTENT
from zrg_dagster.core.notifications.alerts import plan_alert
from zrg_dagster.core.notifications.digest import escape
from zrg_dagster.core.replies import stages
from zrg_dagster.core.replies.enrich import ask_about
from zrg_dagster.core.replies.signals import Heard, Signal, SignalKind
from zrg_dagster.core.replies.stages import Reply
from zrg_dagster.core.workspaces.recipients import recipients_sql

# FU 1.14: names of tasks that no step of a sequence made. Neither is ever sent by itself.
TASK_OF = {SignalKind.CALL_REQUESTED: "call_requested", SignalKind.LEADS_CALENDAR: "lead_scheduler_link"}

_SIGNAL = text("""
    INSERT INTO app.action_signal (workspace_id, message_id, kind, confidence, rule, is_explicit, link, found_at)
    VALUES (:workspace_id, :message_id, :kind, :confidence, :rule, :is_explicit, :link, :now)
    ON CONFLICT (message_id, kind) DO NOTHING""")
# One that waits already is enough: who asks twice is called once.
_TASK = text("""
    INSERT INTO app.follow_up_task (id, workspace_id, lead_id, type, reason, name, trigger_message_id, suggested_message,
                                    due_at, created_at)
    SELECT CAST(:id AS uuid), CAST(:workspace_id AS uuid), CAST(:lead_id AS uuid), CAST(:type AS text),
           CAST(:name AS text), CAST(:name AS text), CAST(:message_id AS uuid), CAST(:suggested AS text), :now, :now
    WHERE NOT EXISTS (SELECT FROM app.follow_up_task t WHERE t.lead_id = CAST(:lead_id AS uuid)
                      AND t.name = CAST(:name AS text) AND t.status = 'pending')
    ON CONFLICT (trigger_message_id, name) WHERE name IS NOT NULL DO NOTHING
    RETURNING id""")
_PERSON = text(f"""
    SELECT l.first_name, l.last_name, l.email, l.phone, w.key AS workspace_key,
           {recipients_sql("l.workspace_id", "l.assigned_to_user_id")} AS recipients
    FROM app.lead l JOIN app.workspace w ON w.id = l.workspace_id WHERE l.id = :lead_id""")


async def keep_signals(conn: AsyncConnection, reply: Reply, heard: Heard, correlation_id: str, now: datetime) -> None:
    """Write everything that follows from the signals of a reply; what is there already stays."""
    if not heard.signals:
        return
    person = (await conn.execute(_PERSON, {"lead_id": reply.lead.id})).one()
    for signal in heard.signals:
        await _keep(conn, reply, signal, now)
        await _tell(conn, reply, signal, person, correlation_id, now)
    wants_call = heard.signal(SignalKind.CALL_REQUESTED) is not None
    if wants_call and not person.phone and not reply.is_replayed:
        # BK-65: somebody must find a number; at most once a day, which the enrichment itself sees to.
        place = (reply.message.workspace_id, reply.lead.id, reply.message.id)
        await ask_about(conn, *place, CALL_INTENT, correlation_id, now)


async def _keep(conn: AsyncConnection, reply: Reply, signal: Signal, now: datetime) -> None:
    message = reply.message
    place = {"workspace_id": message.workspace_id, "message_id": message.id, "now": now}
    row = {"kind": signal.kind, "confidence": signal.confidence, "rule": signal.rule, "link": signal.link}
    await conn.execute(_SIGNAL, {**place, **row, "is_explicit": signal.is_explicit})
    detail = {"confidence": signal.confidence, "rule": signal.rule}
    await stages.decide_row(conn, reply, "signal", message.id, signal.kind, now, detail)
    if not signal.is_explicit:
        # A page that merely stands in a message: a person sees the note, and decides whether there is something to do.
        return
    task = {
        "id": new_id(),
        "lead_id": reply.lead.id,
        "type": "call" if signal.kind is SignalKind.CALL_REQUESTED else message.channel,
        "name": TASK_OF[signal.kind],
        "suggested": signal.link,
    }
    if (await conn.execute(_TASK, {**place, **task})).scalar_one_or_none() is not None:
        await stages.decide_row(conn, reply, "task", message.id, f"{task['name']}_task", now)


async def _tell(
    conn: AsyncConnection, reply: Reply, signal: Signal, person: Row[Any], correlation_id: str, now: datetime
) -> None:
    """One note for a message, kind and recipient, however often this runs (SI-06)."""
    if not person.recipients:
        await stages.decide_row(conn, reply, "signal", reply.message.id, "no_review_recipient", now)
        return
    name = " ".join(filter(None, (person.first_name, person.last_name))) or person.email or "A lead"
    sure = "" if signal.is_high else " (not sure)"
    if signal.kind is SignalKind.CALL_REQUESTED:
        title, said = "A lead asks to be called", f"{escape(name)} asks to be called{sure}."
        said += f"\nNumber: {escape(person.phone)}" if person.phone else "\nNo number of theirs is known."
    else:
        title = "A lead gives a booking page of their own"
        said = f"{escape(name)} wants to be booked on their own calendar{sure}."
        # A page that others name is shown to be copied, never as a link to be pressed.
        said += f"\nTheir page: `{escape(signal.link.replace('`', ''))}`" if signal.link else ""
    await plan_alert(
        conn,
        reply.message.workspace_id,
        person.recipients,
        key=f"action_signal:{reply.message.id}:{signal.kind}",
        title=title,
        said=f"{said}\nHow it was heard: `zrg explain lead {reply.lead.id}`",
        now=now,
        correlation_id=correlation_id,
        lead_id=reply.lead.id,
    )
