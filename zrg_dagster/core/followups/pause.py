"""What messages and bookings do to running sequences: an answer pauses, an outbound touch resumes, a booking completes.

Set-based and commutative: the times of the messages decide, not the order of their arrival.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.base.record import record
from zrg_dagster.core.followups.facts import (
    Change,
    Decided,
    Instance,
    load_leads,
    load_steps,
    lock_instances,
    save_changes,
    save_decisions,
)
from zrg_dagster.core.followups.rules import PauseReason, TouchCode, touch_refusal
from zrg_dagster.core.followups.schedule import Step, due_after
from zrg_dagster.core.followups.step import POST_BOOKING, StepCode

MAX_INSTANCES = 20  # FU-31

# The first touch behind each reply. Our own steps are no answer: a lead who wrote before one of them still waits.
_ANSWERED = text("""
    SELECT r.lead_id, min(t.sent_at) AS answered_at
    FROM unnest(CAST(:leads AS uuid[]), CAST(:times AS timestamptz[])) AS r (lead_id, sent_at)
    JOIN app.touch t ON t.lead_id = r.lead_id AND t.sent_at > r.sent_at AND t.kind <> 'follow_up'
    GROUP BY r.lead_id""")


@record
class Touch:
    """An accepted outbound to a lead that is no follow-up step. `is_human`: a member wrote it."""

    lead_id: UUID
    sent_at: datetime
    is_human: bool


async def pause_on_reply(conn: AsyncConnection, replies: Mapping[UUID, datetime], now: datetime) -> int:
    """Pause what is active for leads that wrote (FU-39); `replies` is the newest inbound time by lead.

    Returns how many. Only instances started before the reply. A reply that arrives here after it was answered pauses
    nothing: it moves the due time, as the pause and the resume would have done in order.
    """
    if not replies:
        return 0
    instances = [
        each
        for each in await lock_instances(conn, sorted(replies), statuses=["active"])
        if each.started_at < replies[each.lead_id]
    ]
    if not instances:
        return 0
    rows = await conn.execute(_ANSWERED, {"leads": list(replies), "times": list(replies.values())})
    answered = {row.lead_id: row.answered_at for row in rows}
    steps = await load_steps(conn, {each.sequence_id for each in instances})
    changes, decided = [], []
    for each in instances:
        if each.lead_id in answered:
            changes.append(_pushed(each, steps[each.sequence_id], answered[each.lead_id]))
        else:
            changes.append(_change(each, status="paused", paused_reason=PauseReason.LEAD_REPLIED))
            decided.append(Decided(each.workspace_id, each.lead_id, PauseReason.LEAD_REPLIED, each.id))
    await save_changes(conn, changes, now)
    await save_decisions(conn, decided, now)
    return len(decided)


async def resume_on_touch(conn: AsyncConnection, touches: Sequence[Touch], now: datetime) -> Counter[str]:
    """Apply outbound touches: resume what a reply paused, push active steps behind a human touch (FU-27 to FU-31).

    Never creates an instance and never moves a due time earlier. Returns how often each code applied.
    """
    codes: Counter[str] = Counter()
    if not touches:
        return codes
    latest: dict[UUID, Touch] = {}
    for touch in sorted(touches, key=lambda each: each.sent_at):
        known = latest.get(touch.lead_id)
        was_human = known is not None and known.is_human and not touch.is_human
        latest[touch.lead_id] = replace(touch, is_human=True) if was_human else touch
    by_lead: dict[UUID, list[Instance]] = {}
    for each in await lock_instances(conn, latest, statuses=["active", "paused"]):
        by_lead.setdefault(each.lead_id, []).append(each)
    codes[TouchCode.NO_INSTANCES] += len(latest) - len(by_lead)
    if not by_lead:
        return codes  # most mail is campaign mail to people without a sequence: their leads need not be looked at
    leads = await load_leads(conn, by_lead)
    considered = []
    for lead_id, found in by_lead.items():
        refusal = touch_refusal(leads.get(lead_id), now)
        if refusal is None:
            considered += found[:MAX_INSTANCES]
        else:
            codes[refusal] += 1
    steps = await load_steps(conn, {each.sequence_id for each in considered})
    changes, decided = [], []
    for each in considered:
        code, change = touched(each, steps[each.sequence_id], latest[each.lead_id])
        codes[code] += 1
        if change is not None:
            changes.append(change)
            decided.append(Decided(each.workspace_id, each.lead_id, code, each.id))
    await save_changes(conn, changes, now)
    await save_decisions(conn, decided, now)
    return +codes


def touched(instance: Instance, steps: Sequence[Step], touch: Touch) -> tuple[TouchCode, Change | None]:
    """What one touch does to one instance; no change for touches before its start. Pure."""
    if touch.sent_at < instance.started_at:
        return TouchCode.UNCHANGED, None
    if instance.status == "paused":
        if instance.paused_reason != PauseReason.LEAD_REPLIED:
            return TouchCode.NOT_RESUMED, None
        due = due_after(touch.sent_at, steps, instance.current_step)
        if due is None:
            return TouchCode.COMPLETED, _change(instance, status="completed", next_step_due=None, paused_reason=None)
        return TouchCode.RESUMED, _change(instance, status="active", next_step_due=due, paused_reason=None)
    if not touch.is_human or instance.next_step_due is None:
        return TouchCode.UNCHANGED, None
    pushed = _pushed(instance, steps, touch.sent_at)
    if pushed.next_step_due == instance.next_step_due:
        return TouchCode.UNCHANGED, None
    return TouchCode.PUSHED, pushed


async def complete_on_booking(conn: AsyncConnection, lead_ids: Sequence[UUID], now: datetime) -> int:
    """A meeting is booked: everything that was after a meeting is done, post-booking sequences go on (FU-40)."""
    if not lead_ids:
        return 0
    instances = [
        each
        for each in await lock_instances(conn, sorted(set(lead_ids)), statuses=["active", "paused"])
        if each.trigger_on != POST_BOOKING
    ]
    changes = [_change(each, status="completed", next_step_due=None, paused_reason=None) for each in instances]
    await save_changes(conn, changes, now)
    await save_decisions(
        conn,
        [Decided(each.workspace_id, each.lead_id, StepCode.MEETING_BOOKED, each.id) for each in instances],
        now,
    )
    return len(instances)


def _change(instance: Instance, **fields: object) -> Change:
    same = Change(
        instance.id,
        instance.status,
        instance.current_step,
        instance.next_step_due,
        paused_reason=instance.paused_reason,
        step_attempts=instance.step_attempts,
    )
    return replace(same, **fields)


def _pushed(instance: Instance, steps: Sequence[Step], at: datetime) -> Change:
    """The same instance with its step not earlier than its delay behind `at`; one in flight has no due time to move."""
    due = due_after(at, steps, instance.current_step)
    if due is None or instance.next_step_due is None:
        return _change(instance)
    return _change(instance, next_step_due=max(due, instance.next_step_due))
