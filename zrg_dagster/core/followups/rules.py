"""Who is followed up and by which sequence: start checks, routing, and what an outbound touch may change.

Pure. Every way a start or a touch can be refused is a member of a StrEnum in this file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from zrg_dagster.core.base.record import record

# Sequences known by name, used only when no active sequence has the trigger (FU-8).
KNOWN_NAMES: dict[str, tuple[str, ...]] = {
    "setter_reply": ("ZRG Workflow V1", "Meeting Requested Day 1/2/5/7"),
    "meeting_selected": ("Post-Booking Qualification",),
}
NEGATIVE_TAGS = frozenset({"Blacklist", "Not Interested"})


class StartCode(StrEnum):
    """How a request to start a sequence ended. All but STARTED and REANCHORED are refusals."""

    STARTED = "started"
    REANCHORED = "started_earlier"
    NOT_MANUAL_SENDER = "not_manual_sender"
    LEAD_NOT_FOUND = "lead_not_found"
    BLACKLISTED = "blacklisted"
    UNQUALIFIED = "unqualified"
    NOT_INTERESTED = "not-interested"
    NEGATIVE_SENTIMENT = "negative_sentiment"
    WORKSPACE_PAUSED = "workspace_paused"
    ALREADY_BOOKED = "already_booked"
    NO_APPOINTMENT = "no_appointment"
    AUTO_FOLLOW_UP_DISABLED = "lead_auto_followup_disabled"
    NOT_FIRST_SETTER_REPLY = "not_first_setter_reply"
    SEQUENCE_NOT_FOUND = "sequence_not_found_or_inactive"
    SEQUENCE_EMPTY = "sequence_has_no_steps"
    INSTANCE_EXISTS = "instance_exists"
    ALREADY_ACTIVE = "instance_already_active"


class RouteCode(StrEnum):
    """Why this sequence was chosen (FU-7, FU-8)."""

    MATCHED_PERSONA = "matched_persona"
    GENERIC_FALLBACK = "generic_fallback"
    LATEST_FALLBACK = "latest_fallback"
    NAME_FALLBACK = "name_fallback"


class TouchCode(StrEnum):
    """What an outbound touch did to an instance, or why it did nothing (FU-27, FU-32)."""

    RESUMED = "resumed_on_outbound"
    PUSHED = "active_instances_reset_on_human_outbound"
    COMPLETED = "completed_on_outbound"
    NOT_RESUMED = "paused_instances_not_resumed"
    UNCHANGED = "instance_already_active"
    NO_INSTANCES = "no_instances_to_update"


class PauseReason(StrEnum):
    """Why an instance waits. A message that cannot be filled pauses with the reason of `core.text.template`."""

    LEAD_REPLIED = "lead_replied"
    EMAIL_SEND_UNCERTAIN = "email_send_uncertain"
    SEND_UNCERTAIN = "send_uncertain"
    BLOCKED_SMS_CONFIG = "blocked_sms_config"
    BLOCKED_SMS_ERROR = "blocked_sms_error"
    STEP_ERROR = "step_error"


@record
class LeadFacts:
    """What the rules ask about a lead and its workspace. Workspace fields are the same for all leads of one.

    `routing_persona_id` is the persona of the lead's campaign, else the workspace's default, else None (FU-6).
    """

    id: UUID
    workspace_id: UUID
    status: str
    sentiment_tag: str
    auto_follow_up_enabled: bool
    booked: bool
    workspace_active: bool
    paused_until: datetime | None
    routing_persona_id: UUID | None = None

    def workspace_paused(self, now: datetime) -> bool:
        """Still paused while the end lies after `now` (T-7); a workspace that is switched off is paused for good."""
        return not self.workspace_active or (self.paused_until is not None and self.paused_until > now)


@dataclass(frozen=True, slots=True)
class FollowUpSequence:
    """A sequence as routing sees it."""

    id: UUID
    name: str
    trigger_on: str
    created_at: datetime
    ai_persona_id: UUID | None = None


def route(
    sequences: Sequence[FollowUpSequence], trigger: str, persona_id: UUID | None = None
) -> tuple[FollowUpSequence, RouteCode] | None:
    """The active sequence that a trigger starts for a lead whose routing persona is `persona_id` (FU-6 to FU-10).

    With the trigger, newest first: one bound to that persona, else one bound to none, else any. Only if none has the
    trigger, the newest of a known name. `sequences` are the active ones of one workspace.
    """

    def newest(found: list[FollowUpSequence]) -> FollowUpSequence | None:
        return max(found, key=lambda each: (each.created_at, each.id), default=None)

    triggered = [each for each in sequences if each.trigger_on == trigger]
    for code, bound in (
        (
            RouteCode.MATCHED_PERSONA,
            [each for each in triggered if each.ai_persona_id and each.ai_persona_id == persona_id],
        ),
        (RouteCode.GENERIC_FALLBACK, [each for each in triggered if each.ai_persona_id is None]),
        (RouteCode.LATEST_FALLBACK, triggered),
    ):
        chosen = newest(bound)
        if chosen is not None:
            return chosen, code
    for name in KNOWN_NAMES.get(trigger, ()):
        chosen = newest([each for each in sequences if each.name == name])
        if chosen is not None:
            return chosen, RouteCode.NAME_FALLBACK
    return None


def check_setter_reply(
    lead: LeadFacts | None, *, sent_by_user_id: UUID | None, earlier_setter_email: bool, now: datetime
) -> StartCode | None:
    """Checks 1 to 7 before a setter's e-mail starts a sequence, in order; None when all pass.

    Sentiment alone never starts one, and neither does an e-mail that AI sent (FU-12): both lack the human sender.
    """
    if sent_by_user_id is None:
        return StartCode.NOT_MANUAL_SENDER
    if lead is None:
        return StartCode.LEAD_NOT_FOUND
    if lead.status in (StartCode.BLACKLISTED, StartCode.UNQUALIFIED, StartCode.NOT_INTERESTED):
        return StartCode(lead.status)
    if lead.sentiment_tag in NEGATIVE_TAGS:
        return StartCode.NEGATIVE_SENTIMENT
    if lead.workspace_paused(now):
        return StartCode.WORKSPACE_PAUSED
    if lead.booked:
        return StartCode.ALREADY_BOOKED
    if earlier_setter_email:
        return StartCode.NOT_FIRST_SETTER_REPLY
    return None


def check_booking(lead: LeadFacts | None, now: datetime) -> StartCode | None:
    """Checks before a booking starts the post-booking sequence, in order; None when all pass."""
    if lead is None:
        return StartCode.LEAD_NOT_FOUND
    if lead.workspace_paused(now):
        return StartCode.WORKSPACE_PAUSED
    if lead.status in (StartCode.BLACKLISTED, StartCode.UNQUALIFIED):
        return StartCode(lead.status)
    if lead.sentiment_tag == "Blacklist":
        return StartCode.BLACKLISTED
    if not lead.booked:
        return StartCode.NO_APPOINTMENT
    if not lead.auto_follow_up_enabled:
        return StartCode.AUTO_FOLLOW_UP_DISABLED
    return None


def touch_refusal(lead: LeadFacts | None, now: datetime) -> StartCode | None:
    """Why a touch changes nothing for this lead, in the order of FU-27; None when it may."""
    if lead is None:
        return StartCode.LEAD_NOT_FOUND
    if lead.workspace_paused(now):
        return StartCode.WORKSPACE_PAUSED
    if not lead.auto_follow_up_enabled:
        return StartCode.AUTO_FOLLOW_UP_DISABLED
    if lead.status in (StartCode.BLACKLISTED, StartCode.UNQUALIFIED):
        return StartCode(lead.status)
    if lead.booked:
        return StartCode.ALREADY_BOOKED
    return None
