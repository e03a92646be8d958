"""What a reply means: one structured model call, then pure rules that can only make its answer stricter.

Opt-out and bounce are decided before this, without a model (SE-02, SE-05).
"""

from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel, Field

from zrg_dagster.core.ai.prompts import Own, render
from zrg_dagster.core.ai.result import ModelResult, StructuredModel

PROMPT = "reply_classification"
MAX_OUTPUT_TOKENS = 800
TIMEOUT_S = 25.0


class Tag(StrEnum):
    """Every tag a lead can carry (domain rules §3.2). Exact and case-sensitive."""

    NEW = "New"
    MEETING_BOOKED = "Meeting Booked"
    MEETING_REQUESTED = "Meeting Requested"
    CALL_REQUESTED = "Call Requested"
    INFORMATION_REQUESTED = "Information Requested"
    INTERESTED = "Interested"
    FOLLOW_UP = "Follow Up"
    OBJECTION = "Objection"
    NOT_INTERESTED = "Not Interested"
    NEUTRAL = "Neutral"
    SNOOZED = "Snoozed"
    OUT_OF_OFFICE = "Out of Office"
    AUTOMATED_REPLY = "Automated Reply"
    BLACKLIST = "Blacklist"


class ReplyTag(StrEnum):
    """What a model may answer: every tag but New and Snoozed, which are states and not meanings."""

    MEETING_BOOKED = "Meeting Booked"
    MEETING_REQUESTED = "Meeting Requested"
    CALL_REQUESTED = "Call Requested"
    INFORMATION_REQUESTED = "Information Requested"
    INTERESTED = "Interested"
    FOLLOW_UP = "Follow Up"
    OBJECTION = "Objection"
    NOT_INTERESTED = "Not Interested"
    NEUTRAL = "Neutral"
    OUT_OF_OFFICE = "Out of Office"
    AUTOMATED_REPLY = "Automated Reply"
    BLACKLIST = "Blacklist"


POSITIVE = frozenset({Tag.MEETING_REQUESTED, Tag.CALL_REQUESTED, Tag.INFORMATION_REQUESTED, Tag.INTERESTED})
DRAFT_ELIGIBLE = POSITIVE | {Tag.FOLLOW_UP, Tag.MEETING_BOOKED}

STATUS_OF_TAG = {
    Tag.NEW: "new",
    Tag.MEETING_BOOKED: "meeting-booked",
    Tag.MEETING_REQUESTED: "meeting-requested",
    Tag.CALL_REQUESTED: "qualified",
    Tag.INFORMATION_REQUESTED: "qualified",
    Tag.INTERESTED: "qualified",
    Tag.FOLLOW_UP: "new",
    Tag.OBJECTION: "new",
    Tag.NOT_INTERESTED: "not-interested",
    Tag.NEUTRAL: "new",
    Tag.SNOOZED: "new",
    Tag.OUT_OF_OFFICE: "new",
    Tag.AUTOMATED_REPLY: "new",
    Tag.BLACKLIST: "blacklisted",
}
_SAYS_NOTHING_ABOUT_STATUS = frozenset({Tag.OUT_OF_OFFICE, Tag.AUTOMATED_REPLY, Tag.NEUTRAL})


def status_after(current_status: str, tag: Tag) -> str:
    """The lead status once a reply has `tag`.

    Blacklist is sticky: only a person lifts it (SE-10). A holiday notice never turns a qualified lead into a new one.
    """
    if current_status == "blacklisted" or tag in _SAYS_NOTHING_ABOUT_STATUS:
        return current_status
    return STATUS_OF_TAG[tag]


class ReplyClassification(BaseModel):
    """What the model answers under the schema name `reply_classification`."""

    tag: ReplyTag
    is_newsletter: bool = Field(description="Bulk mail that was not written to us")
    confidence: float = Field(description="0 to 1")
    reason: str = Field(description="One sentence")


class TagRule(StrEnum):
    """Which rule had the last word on a tag."""

    MODEL = "model"
    FLOOR = "floor"
    NEWSLETTER = "newsletter_is_automated"
    NO_BOOKING_PROOF = "meeting_booked_without_proof"


@dataclass(frozen=True, slots=True)
class SettledTag:
    """A tag that stands. `confidence` is in 0..1, `reason` at most 320 characters of the model's words."""

    tag: Tag
    confidence: float
    reason: str
    rule: TagRule


@dataclass(frozen=True, slots=True)
class ClassificationContext:
    """What the model is told beside the transcript."""

    channel: str
    company_name: str
    latest_reply: str


@dataclass(frozen=True, slots=True)
class Classified:
    """`answer` is None exactly when the call failed; then the lead keeps the tag it has and the work waits."""

    answer: ReplyClassification | None
    call: ModelResult[ReplyClassification]


def clamp_confidence(value: float) -> float:
    """`value` within 0..1; not a number counts as 0 (EV-03)."""
    return min(max(value, 0.0), 1.0) if value == value else 0.0


def settle_tag(answer: ReplyClassification, *, has_booking_proof: bool) -> SettledTag:
    """The model's answer after the rules above it.

    Newsletter reads as Automated Reply (SE-08), unless the reply is an opt-out or an absence notice: a person who is
    away comes back, and pausing until then needs the tag. Meeting Booked stands only when a booking id
    or an appointment that is not cancelled proves it (SE-07); a failed look-up is no proof.
    """
    tag, rule = Tag(answer.tag.value), TagRule.MODEL
    if answer.is_newsletter and tag not in (Tag.BLACKLIST, Tag.AUTOMATED_REPLY, Tag.OUT_OF_OFFICE):
        tag, rule = Tag.AUTOMATED_REPLY, TagRule.NEWSLETTER
    elif tag is Tag.MEETING_BOOKED and not has_booking_proof:
        tag, rule = Tag.MEETING_REQUESTED, TagRule.NO_BOOKING_PROOF
    return SettledTag(tag, clamp_confidence(answer.confidence), answer.reason.strip()[:320], rule)


async def classify(client: StructuredModel, transcript: str, context: ClassificationContext) -> Classified:
    """Ask the model for the tag of the latest reply. Network; never raises for a model failure (SE-06)."""
    prompt = render(
        PROMPT,
        {
            "channel": Own(context.channel),
            "company_name": context.company_name,
            "transcript": transcript,
            "latest_reply": context.latest_reply,
        },
    )
    call = await client.structured(
        prompt, ReplyClassification, max_output_tokens=MAX_OUTPUT_TOKENS, timeout_s=TIMEOUT_S
    )
    return Classified(call.value, call)
