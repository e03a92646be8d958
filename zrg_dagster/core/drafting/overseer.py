"""The overseer: one structured reading of what a message wants of the calendar, and one approval of the draft (OV rules).

The reading becomes a contract in which every answer is `yes` or `no`; code derives it, the model never states it.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any, Literal

from pydantic import BaseModel, Field

from zrg_dagster.core.ai.models import Purpose
from zrg_dagster.core.ai.prompts import Own
from zrg_dagster.core.ai.result import ModelResult, StructuredModel
from zrg_dagster.core.drafting.ask import ask
from zrg_dagster.core.drafting.clock_times import mentions, unoffered
from zrg_dagster.core.drafting.context import DraftContext
from zrg_dagster.core.drafting.memory import Profile
from zrg_dagster.core.drafting.pack import ContextPack
from zrg_dagster.core.text.chars import trimmed

EXTRACT_PROMPT, GATE_PROMPT = "meeting_extract", "meeting_gate"
EXTRACT_TOKENS, GATE_TOKENS = 1_200, 2_400
TIMEOUT_S = 20.0
VERSION = "v1"
MAX_EVIDENCE = 5
EVIDENCE_CHARS = 200

YesNo = Literal["yes", "no"]


class ResponseMode(StrEnum):
    """What kind of answer the message asks for (OV-02, GD-03)."""

    CLARIFY_ONLY = "clarify_only"
    INFO_THEN_BOOKING = "info_then_booking"
    BOOKING_ONLY = "booking_only"


class MeetingReading(BaseModel):
    """What the model answers under the schema name `meeting_extract`."""

    is_scheduling_related: bool
    intent: Literal["accept_offer", "request_times", "propose_time", "reschedule", "decline", "other"]
    intent_to_book: bool
    intent_confidence: float = Field(description="0 to 1")
    acceptance_specificity: Literal["specific", "day_only", "generic", "none"]
    accepted_slot_index: int | None = Field(description="1 for the first of available_times")
    preferred_day_of_week: Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"] | None
    preferred_time_of_day: Literal["morning", "afternoon", "evening"] | None
    relative_preference: str | None
    relative_preference_detail: str | None
    qualification_status: Literal["qualified", "unqualified", "unknown"]
    qualification_confidence: float = Field(description="0 to 1")
    qualification_evidence: list[str]
    time_from_body_only: bool
    detected_timezone: str | None
    time_extraction_confidence: float = Field(description="0 to 1")
    needs_clarification: bool
    clarification_reason: str | None
    needs_pricing_answer: bool
    needs_community_details: bool
    confidence: float = Field(description="0 to 1")
    evidence: list[str]


class MeetingGate(BaseModel):
    """What the model answers under the schema name `meeting_gate`."""

    decision: Literal["approve", "revise"]
    final_draft: str
    confidence: float = Field(description="0 to 1")
    issues: list[str]
    rationale: str


@dataclass(frozen=True, slots=True)
class Contract:
    """The decision over a message, derived from its reading. `windows` are what the lead proposed."""

    is_qualified: YesNo
    has_booking_intent: YesNo
    should_book_now: YesNo
    lead_timezone: str | None
    windows: tuple[dict[str, str], ...]
    needs_pricing_answer: YesNo
    needs_community_details: YesNo
    response_mode: ResponseMode
    evidence: tuple[str, ...]
    is_scheduling: YesNo = "no"
    version: str = VERSION

    def document(self) -> dict[str, Any]:
        return {**asdict(self), "response_mode": self.response_mode.value}

    def text(self) -> str:
        """The contract as lines of the pack; the evidence quotes the lead and is left out."""
        lines = [
            f"What the answer should be: {_MODES[self.response_mode]}",
            f"Wants to book: {self.has_booking_intent}",
            f"May be booked now: {self.should_book_now}",
            f"Asks for prices: {self.needs_pricing_answer}",
        ]
        lines += [f"Proposed: {', '.join(window.values())}" for window in self.windows]
        return "\n".join(lines)


_MODES = {
    ResponseMode.CLARIFY_ONLY: "answer, and ask exactly one question",
    ResponseMode.INFO_THEN_BOOKING: "answer first, then offer to talk",
    ResponseMode.BOOKING_ONLY: "confirm first, say nothing else",
}
_FIELDS = ("is_qualified", "has_booking_intent", "should_book_now", "needs_pricing_answer", "needs_community_details")


def contract_of(reading: MeetingReading, context: DraftContext) -> Contract:
    """The contract of a reading (OV-01, OV-02), with an accepted time checked against the calendar (OV-06)."""
    booking = reading.is_scheduling_related and reading.intent_to_book
    qualified = reading.qualification_status == "qualified"
    book_now = booking and qualified and not reading.needs_clarification
    unmatched = reading.intent in ("accept_offer", "propose_time") and _names_no_free_time(reading, context)
    book_now = book_now and not unmatched
    if reading.needs_clarification or unmatched:
        mode = ResponseMode.CLARIFY_ONLY
    elif book_now:
        mode = ResponseMode.BOOKING_ONLY
    elif booking or reading.needs_pricing_answer or reading.needs_community_details:
        mode = ResponseMode.INFO_THEN_BOOKING
    else:
        mode = ResponseMode.CLARIFY_ONLY
    return Contract(
        is_qualified=_yes(qualified),
        has_booking_intent=_yes(booking),
        should_book_now=_yes(book_now),
        lead_timezone=(reading.detected_timezone or "").strip()[:60] or None,
        windows=_windows(reading),
        needs_pricing_answer=_yes(reading.needs_pricing_answer),
        needs_community_details=_yes(reading.needs_community_details),
        response_mode=mode,
        evidence=tuple(line.strip()[:EVIDENCE_CHARS] for line in reading.evidence[:MAX_EVIDENCE] if line.strip()),
        is_scheduling=_yes(reading.is_scheduling_related),
    )


def contract_from(document: Any) -> Contract | None:
    """The contract of a stored document: strict, then one repair, else None (OV-03)."""
    return _strict(document) or _strict(_repaired(document))


def _strict(document: Any) -> Contract | None:
    if not isinstance(document, dict) or document.get("version") != VERSION:
        return None
    answers = {name: document.get(name) for name in (*_FIELDS, "is_scheduling")}
    if not all(value in ("yes", "no") and isinstance(value, str) for value in answers.values()):
        return None
    zone, evidence, windows = (document.get(name) for name in ("lead_timezone", "evidence", "windows"))
    if not (zone is None or isinstance(zone, str)) or document.get("response_mode") not in tuple(ResponseMode):
        return None
    if not isinstance(evidence, list | tuple) or not all(isinstance(line, str) for line in evidence):
        return None
    if not isinstance(windows, list | tuple) or not all(isinstance(window, dict) for window in windows):
        return None
    said: dict[str, Any] = answers
    return Contract(
        **said,
        lead_timezone=zone,
        windows=tuple(windows),
        response_mode=ResponseMode(document["response_mode"]),
        evidence=tuple(evidence),
    )


_MEANT: Mapping[YesNo, tuple[Any, ...]] = {"yes": (True, "true"), "no": (False, "false")}


def _repaired(document: Any) -> Any:
    if not isinstance(document, dict):
        return None
    fixed = {**document, "version": VERSION}
    for name in (*_FIELDS, "is_scheduling"):
        fixed[name] = next((said for said, others in _MEANT.items() if fixed.get(name) in others), fixed.get(name))
    if not isinstance(fixed.get("lead_timezone"), str):
        fixed["lead_timezone"] = None
    if fixed.get("response_mode") not in tuple(ResponseMode):
        fixed["response_mode"] = ResponseMode.CLARIFY_ONLY.value
    return fixed


def _yes(value: bool) -> YesNo:
    return "yes" if value else "no"


def _windows(reading: MeetingReading) -> tuple[dict[str, str], ...]:
    day, part, relative = reading.preferred_day_of_week, reading.preferred_time_of_day, reading.relative_preference
    window: dict[str, str] = {}
    if day:
        window["day_only"] = day
    if part:
        window["time_of_day"] = part
    if relative and relative.strip():
        window["relative"] = relative.strip()[:80]
    return (window,) if window else ()


def _names_no_free_time(reading: MeetingReading, context: DraftContext) -> bool:
    """The lead names an exact time that the calendar does not hold, or takes an offer that does not exist."""
    index = reading.accepted_slot_index
    if index is not None and not 1 <= index <= len(context.offered):
        return True
    exact = [mention for mention in mentions(context.trigger.body) if mention.is_exact]
    return bool(exact) and all(unoffered(mention, context.available) is not None for mention in exact)


@dataclass(frozen=True, slots=True)
class Extracted:
    """The contract, or why there is none. `reading` is what the model said."""

    contract: Contract | None
    reading: dict[str, Any] | None
    call: ModelResult[MeetingReading] | None = None

    @property
    def payload(self) -> dict[str, Any]:
        return {"contract": self.contract and self.contract.document(), "reading": self.reading}


async def extract(client: StructuredModel, context: DraftContext, pack: ContextPack) -> Extracted:
    """Read what the message wants of the calendar. Network."""
    call = await ask(
        client,
        Purpose.OVERSEER,
        EXTRACT_PROMPT,
        {**pack.values, "channel": Own(context.channel), "date_line": date_line(context)},
        MeetingReading,
        max_output_tokens=EXTRACT_TOKENS,
        timeout_s=TIMEOUT_S,
    )
    if call.value is None:
        return Extracted(None, None, call)
    return Extracted(contract_of(call.value, context), call.value.model_dump(), call)


def date_line(context: DraftContext) -> str:
    """When the message came, on the reader's clock where a zone is known."""
    at = context.trigger.sent_at
    if context.available:
        at = at.astimezone(context.available[0].local.tzinfo)
    return f"{at:%A, %Y-%m-%d %H:%M} {context.zone or 'UTC'}"


@dataclass(frozen=True, slots=True)
class Gated:
    """`body` is the draft after the gate; `draft_hash` names the text that the gate saw (OV-08)."""

    body: str
    payload: dict[str, Any]
    is_failed: bool = False
    call: ModelResult[MeetingGate] | None = None


def draft_hash(body: str) -> str:
    return sha256(body.encode("utf-8", "surrogatepass")).hexdigest()


async def gate(client: StructuredModel, context: DraftContext, pack: ContextPack, body: str) -> Gated:
    """Approve the draft or replace it (OV-07). Network."""
    call = await ask(
        client,
        Purpose.OVERSEER,
        GATE_PROMPT,
        {**pack.values_for(Profile.OVERSEER_GATE), "channel": Own(context.channel), "draft": body},
        MeetingGate,
        max_output_tokens=GATE_TOKENS,
        timeout_s=TIMEOUT_S,
    )
    seen = {"draft_sha256": draft_hash(body)}
    if call.value is None:
        return Gated(body, {**seen, "failed": call.reason}, is_failed=True, call=call)
    said = call.value
    new = trimmed(said.final_draft)
    replaced = said.decision == "revise" and bool(new)
    payload = {
        **seen,
        "decision": said.decision,
        "confidence": said.confidence,
        "issues": [issue[:EVIDENCE_CHARS] for issue in said.issues[:10]],
        "rationale": said.rationale[:500],
        "replaced": replaced,
    }
    # A revision without a text names a problem and leaves it in the draft.
    return Gated(new if replaced else body, payload, is_failed=said.decision == "revise" and not new, call=call)
