"""Due follow-up steps: select, decide, write. One call is one batch in the caller's transaction."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.booking.availability import open_slots
from zrg_dagster.core.booking.booked import booked_sql
from zrg_dagster.core.booking.slots import offer_labels
from zrg_dagster.core.db.dirty import mark_dirty
from zrg_dagster.core.followups.facts import Change, Decided, load_steps, save_changes, save_decisions
from zrg_dagster.core.followups.record import NewExecution, NewTask, save_executions, save_tasks
from zrg_dagster.core.followups.rules import PauseReason
from zrg_dagster.core.followups.schedule import Step, due_after, next_step
from zrg_dagster.core.followups.step import (
    Action,
    Contact,
    DueStep,
    Execution,
    StepCode,
    StepDecision,
    decide_step,
    natural_key,
)
from zrg_dagster.core.followups.values import template_values
from zrg_dagster.core.sending.plan import PlannedSend, plan_send
from zrg_dagster.core.text.template import variables_in
from zrg_dagster.core.text.zones import WORKSPACE_ZONE, first_zone
from zrg_dagster.core.workspaces.voice import persona_id_sql

VENDORS = {"email": "emailbison", "sms": "ghl"}
SLOT_VARIABLES = frozenset({"availability", "slot_option_1", "slot_option_2"})
# The ledger knows the intent although no execution does: never send it a second time, let a person look.
SEND_EXISTS = StepDecision(Action.PAUSE, StepCode.SEND_EXISTS, PauseReason.STEP_ERROR)

# FU-33, the one place that says which instances are due. A row that fails it later becomes due by itself, so a pause or
# a snooze needs no write here.
_DUE_FROM = """
    FROM app.follow_up_instance i
    JOIN app.lead l ON l.id = i.lead_id
    JOIN app.workspace w ON w.id = i.workspace_id
    LEFT JOIN app.workspace_setting s ON s.workspace_id = i.workspace_id
    WHERE i.status = 'active' AND i.next_step_due <= {now} AND l.auto_follow_up_enabled AND w.is_active
      AND (l.snoozed_until IS NULL OR l.snoozed_until <= {now})
      AND (s.follow_ups_paused_until IS NULL OR s.follow_ups_paused_until <= {now})"""

_OLDEST = f"SELECT i.next_step_due AS oldest {_DUE_FROM.format(now='%(now)s')} ORDER BY i.next_step_due LIMIT 1"

# FU-37. The share lock on the lead keeps a reply from landing between this check and the ledger row; a lead that is
# being written to is skipped and due again in a minute.
_CLAIM = text(f"""
    SELECT i.id AS instance_id, i.workspace_id, i.lead_id, i.sequence_id, i.current_step, i.started_at,
           i.step_attempts, i.next_step_due, w.timezone, l.timezone AS lead_timezone, l.email,
           l.phone, l.current_replier_email, l.first_name,
           l.last_name, l.company_name AS lead_company_name, l.sender_account_id, l.email_campaign_id,
           l.last_inbound_at, l.last_outbound_at, s.company_name, s.sender_name, s.signature, s.booking_link
    {_DUE_FROM.format(now=":now")}
    ORDER BY i.next_step_due, i.id LIMIT :limit
    FOR UPDATE OF i SKIP LOCKED FOR SHARE OF l SKIP LOCKED""")

# FU-3: the sequence's persona, else the campaign's, else the default one.
_MORE = text(f"""
    SELECT i.id AS instance_id, q.trigger_on, p.persona_name, p.signature,
           (SELECT array_agg(n.question ORDER BY n.position) FROM app.qualification_question n
            WHERE n.workspace_id = i.workspace_id) AS questions, {booked_sql("i.lead_id")} AS booked, handle.reply_id,
           max(y.value) FILTER (WHERE y.kind = 'ghl_contact') AS contact_id,
           max(y.value) FILTER (WHERE y.kind = 'emailbison_lead') AS lead_external_id
    FROM app.follow_up_instance i
    JOIN app.follow_up_sequence q ON q.id = i.sequence_id
    JOIN app.lead l ON l.id = i.lead_id
    LEFT JOIN app.email_campaign c ON c.workspace_id = l.workspace_id AND c.id = l.email_campaign_id
    LEFT JOIN app.ai_persona p ON p.workspace_id = i.workspace_id
        AND p.id = {persona_id_sql("i.workspace_id", "q.ai_persona_id", "c.ai_persona_id")}
    LEFT JOIN LATERAL (
        SELECT h.reply_id FROM app.message m CROSS JOIN LATERAL (
            SELECT CASE WHEN m.direction = 'inbound' THEN coalesce(m.thread_handle, m.provider_message_id)
                        ELSE m.thread_handle END AS reply_id) h
        WHERE m.lead_id = i.lead_id AND m.channel = 'email' AND m.provider = 'emailbison' AND h.reply_id IS NOT NULL
        ORDER BY m.sent_at DESC, m.id DESC LIMIT 1) handle ON true
    LEFT JOIN app.lead_identity y ON y.lead_id = i.lead_id
    WHERE i.id = ANY(CAST(:ids AS uuid[]))
    GROUP BY i.id, q.trigger_on, p.id, handle.reply_id""")

_EXECUTIONS = text("""
    SELECT DISTINCT ON (instance_id, step_id) instance_id, step_id, attempt, outcome, planned_at
    FROM app.follow_up_step_execution WHERE instance_id = ANY(CAST(:ids AS uuid[]))
    ORDER BY instance_id, step_id, attempt DESC""")

_LAST_PLANNED = text("""
    SELECT lead_id, channel, max(planned_at) AS planned_at FROM app.follow_up_step_execution
    WHERE lead_id = ANY(CAST(:ids AS uuid[])) AND outcome IN ('planned', 'sent') GROUP BY lead_id, channel""")


@dataclass(slots=True)
class DueReport:
    """What one batch did: rows taken, sends planned, and how often each code was the answer."""

    selected: int = 0
    planned: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    oldest_due_s: float = 0.0

    def add(self, other: "DueReport") -> None:
        self.selected += other.selected
        self.planned += other.planned
        self.reasons.update(other.reasons)
        self.oldest_due_s = max(self.oldest_due_s, other.oldest_due_s)


def oldest_due(connection: psycopg.Connection[dict[str, Any]], now: datetime) -> datetime | None:
    """Since when the oldest due step waits; None when nothing is due. One indexed question, for the schedule."""
    row = connection.execute(_OLDEST.encode(), {"now": now}).fetchone()
    return row["oldest"] if row else None


async def plan_due(conn: AsyncConnection, now: datetime, *, limit: int, dry_run: bool = False) -> DueReport:
    """Take up to `limit` due instances, oldest first, and write what the gates decide.

    Every row taken leaves the set of due rows, so a caller may repeat until fewer than `limit` come back. With
    `dry_run` the decisions are counted and nothing is written.
    """
    rows = (await conn.execute(_CLAIM, {"now": now, "limit": limit})).all()
    report = DueReport(selected=len(rows))
    if not rows:
        return report
    report.oldest_due_s = (now - rows[0].next_step_due).total_seconds()
    decided = _decide_all(await _load(conn, rows, now), now)
    for _, decision in decided:
        report.reasons[decision.code] += 1
        report.planned += decision.action is Action.PLAN
    if not dry_run:
        await _write(conn, decided, now)
    return report


def _decide_all(due: Sequence[DueStep], now: datetime) -> list[tuple[DueStep, StepDecision]]:
    """Decide in order, so that two sequences of one lead in one batch see each other's plan (FU-53)."""
    planned: dict[tuple[UUID, str], datetime] = {}
    decided = []
    for each in due:
        recent = {channel: at for (lead_id, channel), at in planned.items() if lead_id == each.lead_id}
        candidate = replace(each, last_planned={**each.last_planned, **recent}) if recent else each
        decision = decide_step(candidate, now)
        if decision.action is Action.PLAN and decision.step is not None:
            planned[each.lead_id, decision.step.channel] = now
        decided.append((each, decision))
    return decided


async def _load(conn: AsyncConnection, rows: Sequence[Row[Any]], now: datetime) -> list[DueStep]:
    """The claimed rows with steps, executions and contact data, in the order in which they were claimed."""
    instance_ids = [row.instance_id for row in rows]
    lead_ids = sorted({row.lead_id for row in rows})
    more = {row.instance_id: row for row in await conn.execute(_MORE, {"ids": instance_ids})}
    steps = await load_steps(conn, {row.sequence_id for row in rows})
    executions: dict[UUID, dict[UUID, Execution]] = {}
    for row in await conn.execute(_EXECUTIONS, {"ids": instance_ids}):
        found = executions.setdefault(row.instance_id, {})
        found[row.step_id] = Execution(row.attempt, row.outcome, row.planned_at)
    planned: dict[UUID, dict[str, datetime]] = {}
    for row in await conn.execute(_LAST_PLANNED, {"ids": lead_ids}):
        planned.setdefault(row.lead_id, {})[row.channel] = row.planned_at
    slots = await _slots(conn, rows, steps, now)
    return [
        DueStep(
            instance_id=row.instance_id,
            workspace_id=row.workspace_id,
            lead_id=row.lead_id,
            sequence_id=row.sequence_id,
            trigger_on=more[row.instance_id].trigger_on,
            current_step=row.current_step,
            started_at=row.started_at,
            step_attempts=row.step_attempts,
            steps=steps[row.sequence_id],
            executions=executions.get(row.instance_id, {}),
            last_inbound_at=row.last_inbound_at,
            last_outbound_at=row.last_outbound_at,
            booked=more[row.instance_id].booked,
            zone=first_zone(row.timezone, default=WORKSPACE_ZONE),
            contact=Contact(
                email=row.current_replier_email or row.email,
                phone=row.phone,
                ghl_contact_id=more[row.instance_id].contact_id,
                reply_id=more[row.instance_id].reply_id,
                sender_email_id=row.sender_account_id,
                emailbison_lead_id=more[row.instance_id].lead_external_id,
            ),
            email_campaign_id=row.email_campaign_id,
            last_planned=planned.get(row.lead_id, {}),
            values=template_values(
                row,
                offer_labels(slots.get(row.workspace_id, ()), now, first_zone(row.lead_timezone, row.timezone)),
                more[row.instance_id],
            ),
        )
        for row in rows
    ]


async def _slots(
    conn: AsyncConnection, rows: Sequence[Row[Any]], steps: Mapping[UUID, Sequence[Step]], now: datetime
) -> dict[UUID, list[datetime]]:
    """Open slots by workspace, read only where a message of this batch asks for them (FU-81)."""
    asking = set()
    for row in rows:
        step = next_step(steps[row.sequence_id], row.current_step)
        asked = variables_in(step.template + (step.subject or "")) if step else frozenset()
        if asked & SLOT_VARIABLES:
            asking.add(row.workspace_id)
    return await open_slots(conn, asking, now) if asking else {}


async def _write(conn: AsyncConnection, decided: Sequence[tuple[DueStep, StepDecision]], now: datetime) -> None:
    changes: list[Change] = []
    executions: list[NewExecution] = []
    tasks: list[NewTask] = []
    done: list[tuple[DueStep, StepDecision]] = []
    for due, proposed in decided:
        send_id, decision = new_id(), proposed
        if decision.action is Action.PLAN and not await plan_send(conn, _send(due, decision, send_id, now)):
            decision = SEND_EXISTS
        done.append((due, decision))
        changes.append(_change(due, decision, now))
        execution = _execution(due, decision, send_id, now)
        if execution is not None:
            executions.append(execution)
        if decision.needs_task and decision.step is not None:
            tasks.append(
                NewTask(
                    due.workspace_id,
                    due.lead_id,
                    due.instance_id,
                    decision.step.id,
                    type=decision.step.channel,
                    reason=decision.reason,
                    subject=decision.step.subject,
                    suggested_message=decision.step.template,
                )
            )
    await save_changes(conn, changes, now)
    await save_executions(conn, executions)
    await save_tasks(conn, tasks, now)
    await save_decisions(conn, [_decided(due, decision) for due, decision in done], now)
    await mark_dirty(
        conn, "step_execution", {(now.date(), each.workspace_id) for each in executions if each.executed_at}
    )


def _change(due: DueStep, decision: StepDecision, now: datetime) -> Change:
    """The instance after the decision (FU-36). A planned step has no due time until the end of its send is known."""
    state = Change(due.instance_id, "active", due.current_step, None, step_attempts=due.step_attempts)
    if decision.action is Action.WAIT:
        return replace(state, next_step_due=decision.due)
    if decision.action is Action.PAUSE:
        return replace(state, status="paused", paused_reason=decision.reason, next_step_due=now)
    if decision.action is Action.COMPLETE:
        return replace(state, status="completed", step_attempts=0)
    if decision.action is Action.ADVANCE and decision.step is not None:
        following = due_after(now, due.steps, decision.step.order)
        return replace(
            state,
            status="completed" if following is None else "active",
            current_step=decision.step.order,
            next_step_due=following,
            last_step_at=now,
            step_attempts=0,
        )
    return state


def _execution(due: DueStep, decision: StepDecision, send_id: UUID, now: datetime) -> NewExecution | None:
    if decision.step is None or decision.action not in (Action.PLAN, Action.ADVANCE):
        return None
    last = due.executions.get(decision.step.id)
    attempt = 1 if last is None else last.attempt + 1
    if decision.action is Action.PLAN:
        outcome, executed_at = "planned", None
    elif last is not None and last.outcome == "sent" and last.planned_at >= due.started_at:
        return None  # this very step was recorded when it was sent
    else:
        outcome, executed_at = ("task_created" if decision.needs_task else "skipped"), now
    return NewExecution(
        workspace_id=due.workspace_id,
        lead_id=due.lead_id,
        instance_id=due.instance_id,
        step_id=decision.step.id,
        attempt=attempt,
        channel=decision.step.channel,
        outcome=outcome,
        reason=None if decision.action is Action.PLAN else decision.reason,
        send_id=send_id if decision.action is Action.PLAN else None,
        planned_at=now,
        executed_at=executed_at,
    )


def _send(due: DueStep, decision: StepDecision, send_id: UUID, now: datetime) -> PlannedSend:
    assert decision.step is not None
    contact, channel = due.contact, decision.step.channel
    if channel == "email":
        recipient = contact.email or ""
        content: dict[str, Any] = {
            "reply_id": contact.reply_id,
            "sender_email_id": contact.sender_email_id,
            "lead_external_id": contact.emailbison_lead_id,
            "to": [recipient],
            "cc": [],
            "subject": decision.subject,
            "text": decision.body,
        }
    else:
        recipient = contact.phone or ""
        content = {"contact_id": contact.ghl_contact_id, "text": decision.body}
    return PlannedSend(
        id=send_id,
        workspace_id=due.workspace_id,
        natural_key=natural_key(due.instance_id, decision.step.id, decision.attempt),
        kind="follow_up",
        origin="system",
        channel=channel,
        vendor=VENDORS[channel],
        recipient=recipient,
        content=content,
        due_at=now,
        correlation_id=f"follow_up:{due.instance_id}",
        lead_id=due.lead_id,
        email_campaign_id=due.email_campaign_id,
        sender_account=due.contact.sender_email_id if channel == "email" else None,
    )


def _decided(due: DueStep, decision: StepDecision) -> Decided:
    detail: dict[str, Any] = {"reason": decision.reason}
    if decision.step is not None:
        detail |= {"step": decision.step.order, "channel": decision.step.channel, "attempt": decision.attempt}
    return Decided(due.workspace_id, due.lead_id, decision.code, due.instance_id, json.dumps(detail))
