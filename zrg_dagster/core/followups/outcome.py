"""What the end of a send means for the step behind it. Called in the transaction that settles the ledger row."""

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.db.dirty import mark_dirty
from zrg_dagster.core.followups.facts import Change, Decided, load_steps, save_changes, save_decisions
from zrg_dagster.core.followups.record import NewTask, save_tasks
from zrg_dagster.core.followups.rules import PauseReason
from zrg_dagster.core.followups.schedule import Step, due_after
from zrg_dagster.core.sending.gates import BlockReason

# FU-38: waits of 5 min, 20 min, 80 min, 320 min, then a person. Switches that an operator threw have no ceiling.
FIRST_RETRY = timedelta(minutes=5)
LONGEST_RETRY = timedelta(hours=6)
MAX_ATTEMPTS = 5
# A vendor's do-not-disturb is lifted by the recipient, so patience is longer and the end is a skip (spec 1.11).
DND_RETRY = timedelta(minutes=60)
DND_ATTEMPTS = 24
SMS_DND = "sms_dnd"

SWITCHES = frozenset({BlockReason.AUTO_SEND_DISABLED, BlockReason.KILL_SWITCH, BlockReason.WORKSPACE_INACTIVE})
UNWANTED = frozenset({BlockReason.SUPPRESSED, BlockReason.LEAD_BLACKLISTED})
BAD_NUMBER = frozenset({"invalid_country_code", "phone_normalization_failed", "missing_phone"})
NOT_CONFIGURED = frozenset({"vendor_not_connected", "credentials_rejected", "base_url_invalid"})
# The vendor was away for all the tries of the ledger; certainly not sent.
TRANSIENT = frozenset({"attempts_used_up"})
UNCERTAIN = (PauseReason.EMAIL_SEND_UNCERTAIN, PauseReason.SEND_UNCERTAIN)


class EndCode(StrEnum):
    """What follows from the end of a send."""

    SENT = "step_sent"
    UNCERTAIN = "step_uncertain"
    PAUSED = "step_paused"
    RETRY = "step_retry"
    GAVE_UP = "step_gave_up"
    SKIPPED = "step_skipped"
    CANCELLED = "step_cancelled"
    NOT_ACTIVE = "step_not_active"


@dataclass(frozen=True, slots=True)
class End:
    """`outcome` is the execution's; None leaves it planned, because the send may still turn out either way."""

    code: EndCode
    outcome: str | None
    pause: PauseReason | None = None
    retry_in: timedelta | None = None
    needs_task: bool = False


class SendRow(Protocol):
    """What is asked of a row of `app.send`."""

    @property
    def id(self) -> UUID: ...
    @property
    def kind(self) -> str: ...
    @property
    def reason(self) -> str | None: ...
    @property
    def sent_at(self) -> datetime | None: ...


def end_of(state: str, reason: str | None, channel: str, attempts: int) -> End | None:
    """The consequence of a send that ended in `state`; None while it is still under way. `attempts` counts the ends of
    this step so far that were no delivery."""
    if state == "sent":
        return End(EndCode.SENT, "sent")
    if state in ("unknown", "needs_human"):
        pause = PauseReason.EMAIL_SEND_UNCERTAIN if channel == "email" else PauseReason.SEND_UNCERTAIN
        return End(EndCode.UNCERTAIN, None, pause=pause)
    if state not in ("blocked", "refused"):
        return None
    if reason == SMS_DND:
        if attempts + 1 >= DND_ATTEMPTS:
            return End(EndCode.SKIPPED, "skipped", needs_task=True)
        return End(EndCode.RETRY, "failed", retry_in=DND_RETRY)
    return _blocked(reason, attempts) if state == "blocked" else _refused(reason, channel, attempts)


def _blocked(reason: str | None, attempts: int) -> End:
    """A gate was closed: the message did not leave."""
    if reason == BlockReason.LEAD_REPLIED:
        return End(EndCode.PAUSED, "skipped", pause=PauseReason.LEAD_REPLIED)
    if reason == BlockReason.FOLLOW_UP_NOT_ACTIVE:
        return End(EndCode.NOT_ACTIVE, "skipped", retry_in=FIRST_RETRY)
    if reason in UNWANTED:
        return End(EndCode.CANCELLED, "skipped")
    return _retry(attempts, has_ceiling=reason not in SWITCHES)


def _retry(attempts: int, *, has_ceiling: bool = True) -> End:
    if has_ceiling and attempts + 1 >= MAX_ATTEMPTS:
        return End(EndCode.GAVE_UP, "failed", pause=PauseReason.STEP_ERROR, needs_task=True)
    return End(EndCode.RETRY, "failed", retry_in=min(LONGEST_RETRY, FIRST_RETRY * 4 ** min(attempts, 8)))


def _refused(reason: str | None, channel: str, attempts: int) -> End:
    """The vendor said no, or never answered: a person takes the step over (FU-59 and the SMS table of spec 1.11).

    A workspace whose account is not connected pauses instead of skipping: every step of every lead would be lost.
    """
    if reason in TRANSIENT:
        return _retry(attempts)
    if channel == "sms" and reason not in BAD_NUMBER:
        config = reason in NOT_CONFIGURED
        pause = PauseReason.BLOCKED_SMS_CONFIG if config else PauseReason.BLOCKED_SMS_ERROR
        return End(EndCode.PAUSED, "failed", pause=pause, needs_task=True)
    if reason in NOT_CONFIGURED:
        return End(EndCode.PAUSED, "failed", pause=PauseReason.STEP_ERROR, needs_task=True)
    return End(EndCode.SKIPPED, "failed", needs_task=True)


_LOCK = text("""
    SELECT i.id AS instance_id, i.workspace_id, i.lead_id, i.sequence_id, i.current_step, i.status, i.paused_reason,
           i.started_at, i.next_step_due, i.step_attempts, e.id AS execution_id, e.step_id, e.channel, e.outcome,
           e.planned_at, e.attempt
    FROM app.follow_up_step_execution e JOIN app.follow_up_instance i ON i.id = e.instance_id
    WHERE e.send_id = :send_id FOR UPDATE OF i, e""")

_EXECUTED = text("""
    UPDATE app.follow_up_step_execution SET outcome = :outcome, reason = :reason, executed_at = :at
    WHERE id = :id AND outcome = 'planned'""")


async def apply_send_outcome(conn: AsyncConnection, send: SendRow, outcome_state: str, now: datetime) -> EndCode | None:
    """Carry the new state of a follow-up's ledger row over to its step and instance.

    Returns what happened, or None when this send belongs to no step, is still under way, or was carried over before.
    """
    if send.kind != "follow_up":
        return None
    row = (await conn.execute(_LOCK, {"send_id": send.id})).one_or_none()
    if row is None or row.outcome != "planned":
        return None
    reason = send.reason
    end = end_of(outcome_state, reason, row.channel, row.step_attempts)
    if end is None:
        return None
    steps = (await load_steps(conn, [row.sequence_id]))[row.sequence_id]
    at = send.sent_at if end.code is EndCode.SENT and send.sent_at is not None else now
    await save_changes(conn, [_changed(row, end, steps, at, now)], now)
    if end.outcome is not None:
        words = None if end.code is EndCode.SENT else reason
        await conn.execute(_EXECUTED, {"outcome": end.outcome, "reason": words, "at": at, "id": row.execution_id})
        await mark_dirty(conn, "step_execution", [(at.date(), row.workspace_id)])
    if end.needs_task:
        await save_tasks(conn, [_task(row, steps, reason)], now)
    detail = {"state": outcome_state, "reason": reason, "channel": row.channel, "attempt": row.attempt}
    await save_decisions(
        conn, [Decided(row.workspace_id, row.lead_id, end.code, row.instance_id, json.dumps(detail))], now
    )
    return end.code


def _changed(row: Row[Any], end: End, steps: tuple[Step, ...], at: datetime, now: datetime) -> Change:
    """The instance after the end of one of its sends."""
    same = Change(
        row.instance_id,
        row.status,
        row.current_step,
        row.next_step_due,
        paused_reason=row.paused_reason,
        step_attempts=row.step_attempts,
    )
    if row.status not in ("active", "paused"):
        return same
    if row.planned_at < row.started_at:
        # Started again meanwhile: this end belongs to the run before, and only releases the step for the new one.
        return replace(same, next_step_due=row.next_step_due or now)
    # A pause for uncertainty ends with it; any other pause stays, only the pointer moves.
    holds = row.status == "paused" and row.paused_reason not in UNCERTAIN
    free = same if holds else replace(same, status="active", paused_reason=None)
    if end.code in (EndCode.SENT, EndCode.SKIPPED):
        return _advanced(free, row, steps, at)
    if end.code is EndCode.CANCELLED:
        return replace(same, status="cancelled", paused_reason=None, next_step_due=None)
    if end.pause is not None:
        paused = same if holds else replace(same, status="paused", paused_reason=end.pause)
        return replace(paused, next_step_due=row.next_step_due or now)
    retry = now + (end.retry_in or FIRST_RETRY)
    counted = row.step_attempts + (end.code is EndCode.RETRY)
    return replace(free, next_step_due=max(row.next_step_due or retry, retry), step_attempts=counted)


def _advanced(free: Change, row: Row[Any], steps: tuple[Step, ...], at: datetime) -> Change:
    """The pointer moves to the step of this send; nothing behind it means completed (FU-23, FU-25)."""
    order = next((step.order for step in steps if step.id == row.step_id), row.current_step)
    order = max(order, row.current_step)
    due = due_after(at, steps, order)
    if due is None:
        return Change(row.instance_id, "completed", order, None, last_step_at=at)
    due = max(
        due, row.next_step_due or due
    )  # a touch meanwhile may have moved it, and nothing moves it earlier (FU-28)
    return Change(row.instance_id, free.status, order, due, paused_reason=free.paused_reason, last_step_at=at)


def _task(row: Row[Any], steps: tuple[Step, ...], reason: str | None) -> NewTask:
    step = next((step for step in steps if step.id == row.step_id), None)
    return NewTask(
        row.workspace_id,
        row.lead_id,
        row.instance_id,
        row.step_id,
        type=row.channel,
        reason=reason or "refused",
        subject=step.subject if step else None,
        suggested_message=step.template if step else None,
    )
