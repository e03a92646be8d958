"""What happens to one due step: the gates in the order in which they are asked, and the message. Pure.

Whether an instance is due at all (FU-33) is the selection in `due.py`; what a send's end means is in `outcome.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from zrg_dagster.core.followups.rules import PauseReason
from zrg_dagster.core.followups.schedule import Step, next_step
from zrg_dagster.core.text.template import Blocked, render
from zrg_dagster.core.text.zones import local_instant

# FU-53: the second follow-up of a day on one channel waits for the next local morning.
NEXT_MORNING = time(9, 0)
POST_BOOKING = "meeting_selected"


class StepCode(StrEnum):
    """Every end that the processing of a due step can have."""

    PLANNED = "step_planned"
    LEAD_REPLIED = "lead_replied"
    MEETING_BOOKED = "meeting_booked"
    SEQUENCE_FINISHED = "sequence_finished"
    IN_FLIGHT = "step_in_flight"
    ALREADY_SENT = "step_already_sent"
    CHANNEL_NOT_CONNECTED = "channel_not_connected"
    MISSING_EMAIL = "missing_email"
    MISSING_PHONE = "missing_phone"
    MISSING_CONTACT = "missing_sms_contact"
    NO_THREAD = "no_email_thread"
    CHANNEL_USED_TODAY = "channel_used_today"
    TEMPLATE_BLOCKED = "template_blocked"
    SEND_EXISTS = "send_exists_already"


class Action(StrEnum):
    """What to write: PLAN a send, ADVANCE without one, WAIT until another time, PAUSE, or COMPLETE the instance."""

    PLAN = "plan"
    ADVANCE = "advance"
    WAIT = "wait"
    PAUSE = "pause"
    COMPLETE = "complete"


@dataclass(frozen=True, slots=True)
class Execution:
    """The newest attempt at one step of one instance."""

    attempt: int
    outcome: str
    planned_at: datetime


@dataclass(frozen=True, slots=True)
class Contact:
    """How the lead can be reached. `reply_id` is the vendor's handle of the thread that an e-mail continues."""

    email: str | None
    phone: str | None
    ghl_contact_id: str | None
    reply_id: str | None
    sender_email_id: str | None
    emailbison_lead_id: str | None = None


@dataclass(frozen=True, slots=True)
class DueStep:
    """A due instance with everything the gates ask. `last_planned` is the newest follow-up of the lead by channel;
    `values` are the template's values by name."""

    instance_id: UUID
    workspace_id: UUID
    lead_id: UUID
    sequence_id: UUID
    trigger_on: str
    current_step: int
    started_at: datetime
    step_attempts: int
    steps: tuple[Step, ...]
    executions: Mapping[UUID, Execution]
    last_inbound_at: datetime | None
    last_outbound_at: datetime | None
    booked: bool
    zone: ZoneInfo
    contact: Contact
    email_campaign_id: UUID | None = None
    last_planned: Mapping[str, datetime] = field(default_factory=dict)
    values: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StepDecision:
    """`reason` is what an operator reads. `step` is set when the decision is about a step, `needs_task` when a person
    has to take over, `attempt` and the texts for PLAN, `due` for WAIT (None: until the end of the send is known)."""

    action: Action
    code: StepCode
    reason: str
    step: Step | None = None
    needs_task: bool = False
    due: datetime | None = None
    attempt: int = 1
    subject: str | None = None
    body: str = ""


def decide_step(due: DueStep, now: datetime) -> StepDecision:
    """Ask the gates in order; the first that applies decides (spec 1.10)."""
    if _lead_has_the_word(due):
        return StepDecision(Action.PAUSE, StepCode.LEAD_REPLIED, PauseReason.LEAD_REPLIED)
    if due.booked and due.trigger_on != POST_BOOKING:
        return StepDecision(Action.COMPLETE, StepCode.MEETING_BOOKED, StepCode.MEETING_BOOKED)
    step = next_step(due.steps, due.current_step)
    if step is None:
        return StepDecision(Action.COMPLETE, StepCode.SEQUENCE_FINISHED, StepCode.SEQUENCE_FINISHED)
    last = due.executions.get(step.id)
    if last is not None and last.outcome == "planned":
        return StepDecision(Action.WAIT, StepCode.IN_FLIGHT, StepCode.IN_FLIGHT, step)
    if last is not None and last.outcome == "sent" and last.planned_at >= due.started_at:
        return StepDecision(Action.ADVANCE, StepCode.ALREADY_SENT, StepCode.ALREADY_SENT, step)
    unreachable = _unreachable(due.contact, step.channel)
    if unreachable is not None:
        needs_task = unreachable is not StepCode.MISSING_EMAIL
        return StepDecision(Action.ADVANCE, unreachable, unreachable, step, needs_task=needs_task)
    used = due.last_planned.get(step.channel)
    if used is not None and used.astimezone(due.zone).date() == now.astimezone(due.zone).date():
        morning = local_instant(now.astimezone(due.zone).date() + timedelta(days=1), NEXT_MORNING, due.zone)
        return StepDecision(Action.WAIT, StepCode.CHANNEL_USED_TODAY, StepCode.CHANNEL_USED_TODAY, step, due=morning)
    message = render(step.template, due.values, seed=f"{due.lead_id}:{step.id}", subject=step.subject)
    if isinstance(message, Blocked):
        return StepDecision(Action.PAUSE, StepCode.TEMPLATE_BLOCKED, message.reason, step)
    return StepDecision(
        Action.PLAN,
        StepCode.PLANNED,
        StepCode.PLANNED,
        step,
        attempt=1 if last is None else last.attempt + 1,
        subject=message.subject,
        body=message.body,
    )


def _lead_has_the_word(due: DueStep) -> bool:
    """FU-34: the lead wrote last; we never talk over a live conversation."""
    return due.last_inbound_at is not None and (
        due.last_outbound_at is None or due.last_inbound_at >= due.last_outbound_at
    )


def _unreachable(contact: Contact, channel: str) -> StepCode | None:
    """Why nobody can be reached on this channel: the step is skipped for good and the sequence goes on (FU-55, X8)."""
    if channel == "email":
        if not contact.email:
            return StepCode.MISSING_EMAIL
        return None if contact.reply_id and contact.sender_email_id else StepCode.NO_THREAD
    if channel == "sms":
        if not contact.phone:
            return StepCode.MISSING_PHONE
        return None if contact.ghl_contact_id else StepCode.MISSING_CONTACT
    return StepCode.CHANNEL_NOT_CONNECTED


def natural_key(instance_id: UUID, step_id: UUID, attempt: int) -> str:
    """The intent of one send. A further attempt exists only after the one before certainly did not reach the lead,
    or after the sequence was started again."""
    key = f"follow_up:{instance_id}:{step_id}"
    return key if attempt == 1 else f"{key}:{attempt}"
