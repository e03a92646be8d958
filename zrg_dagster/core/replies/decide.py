"""What happens to a draft: sent at once, sent later, or shown to a person, and why. Pure (AM, SD and EV-06 rules)."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from zrg_dagster.core.text.hours import ALWAYS, Hours, HoursReason, place

Action = Literal["send_immediate", "send_delayed", "needs_review"]
LATE_SEND_DELAY = timedelta(seconds=30)


class ReviewReason(StrEnum):
    """Why a person decides."""

    DISABLED_BY_ENVIRONMENT = "globally_disabled_via_env"
    AUTO_SEND_DISABLED = "auto_send_disabled"
    REPLAYED = "delivery_replayed"
    STOPPED = "kill_switch"
    CALL_PHONE_ON_FILE = "call_requested_phone_on_file"
    CALL_PHONE_MISSING = "call_requested_phone_missing"
    CALL_REQUESTED = "call_requested_sentiment"
    LEADS_SCHEDULER = "external_scheduler_link_manual_only"
    UNCERTAIN_TAG = "tag_uncertain"
    GUARD_FAILED = "guard_failed"
    VERIFICATION_FAILED = "verification_failed"
    OVERSEER_FAILED = "overseer_failed"
    DRAFT_CHANGED = "draft_changed"
    TEMPLATE_USED = "deterministic_template"
    EVALUATOR_FAILED = "evaluator_failed"
    NOT_SAFE = "evaluator_not_safe"
    LOW_CONFIDENCE = "confidence_below_threshold"
    NO_SEND_WINDOW = "no_send_window"
    REGENERATED = "regenerated"


@dataclass(frozen=True, slots=True)
class Candidate:
    """What the decision looks at. `confidence` and `is_safe` are None when no evaluation was made or it failed;
    `unevaluated` says why none was even tried. `is_stopped` is a kill switch of any scope; `hold` what an earlier stage
    found that no evaluation outweighs; `signal` that the lead asked for what only a person does (AM-05, AM-06): a guard's
    finding is said first, because the person who answers may use the text."""

    response_mode: str | None
    auto_send_disabled: bool
    is_replayed: bool
    tag: str
    guard_failures: tuple[str, ...]
    threshold: Decimal
    confidence: Decimal | None
    is_safe: bool | None
    delay_min_s: int
    delay_max_s: int
    trigger_id: str
    trigger_sent_at: datetime
    is_uncertain: bool = False
    is_stopped: bool = False
    hold: str | None = None
    hours: Hours = ALWAYS
    unevaluated: str | None = None
    signal: ReviewReason | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """`schedule` says how the hours bear on the time that the delay gave; None when a person decides anyway."""

    action: Action
    reason: str | None
    due_at: datetime
    schedule: HoursReason | None = None


def wants_evaluation(candidate: Candidate) -> bool:
    """The evaluator is asked only when its answer can matter: AI mode and nothing that blocks before it."""
    return _blocked_before_evaluation(candidate) is None


def _blocked_before_evaluation(candidate: Candidate) -> str | None:
    if candidate.auto_send_disabled:
        return ReviewReason.DISABLED_BY_ENVIRONMENT
    if candidate.response_mode != "AI_AUTO_SEND":
        return ReviewReason.AUTO_SEND_DISABLED
    if candidate.is_stopped:
        return ReviewReason.STOPPED
    if candidate.is_replayed:
        return ReviewReason.REPLAYED
    if candidate.tag == "Call Requested":
        return candidate.signal or ReviewReason.CALL_REQUESTED
    if candidate.is_uncertain:
        return ReviewReason.UNCERTAIN_TAG
    if candidate.guard_failures:
        return guard_failed(candidate.guard_failures)
    return candidate.signal or candidate.hold


def guard_failed(codes: Sequence[str]) -> str:
    """The reason for review of a text in which guards found something."""
    return f"{ReviewReason.GUARD_FAILED}:{','.join(codes)}"


def doubt(confidence: Decimal, threshold: Decimal, *, is_safe: bool) -> ReviewReason | None:
    """Why an evaluated text must not leave by itself; None when it may. Equal to the threshold passes (EV-06)."""
    if not is_safe:
        return ReviewReason.NOT_SAFE
    return ReviewReason.LOW_CONFIDENCE if confidence < threshold else None


def decide(candidate: Candidate, now: datetime) -> Verdict:
    """AI mode, safe and confident enough: send at its time. Anything else: a person (AM-01…AM-05, EV-06)."""
    reason = _blocked_before_evaluation(candidate)
    if reason is None:
        if candidate.confidence is None or candidate.is_safe is None:
            reason = candidate.unevaluated or ReviewReason.EVALUATOR_FAILED
        else:
            reason = doubt(candidate.confidence, candidate.threshold, is_safe=candidate.is_safe)
    if reason is not None:
        return Verdict("needs_review", reason, now)
    placed = place(candidate.hours, send_time(candidate, now))
    if placed.at is None:
        return Verdict("needs_review", f"{ReviewReason.NO_SEND_WINDOW}:{placed.reason}", now)
    return Verdict("send_delayed" if placed.at > now else "send_immediate", None, placed.at, placed.reason)


def send_time(candidate: Candidate, now: datetime) -> datetime:
    """min + hash(trigger) mod (max − min + 1) seconds after the inbound, the same for every retry (SD-01, SD-02)."""
    if candidate.delay_max_s == 0:
        return now
    span = candidate.delay_max_s - candidate.delay_min_s + 1
    digest = int.from_bytes(hashlib.sha256(candidate.trigger_id.encode()).digest()[:8], "big")
    due_at = candidate.trigger_sent_at + timedelta(seconds=candidate.delay_min_s + digest % span)
    return due_at if due_at > now else now + LATE_SEND_DELAY
