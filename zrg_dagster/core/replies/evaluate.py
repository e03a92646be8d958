"""May this draft leave without a person reading it? Hard blocks, one model call, pure rules (EV-01 to EV-07)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, Field

from zrg_dagster.core.ai.models import Purpose
from zrg_dagster.core.ai.prompts import Own
from zrg_dagster.core.ai.result import ModelResult, StructuredModel
from zrg_dagster.core.drafting.ask import ask
from zrg_dagster.core.drafting.context import DraftContext
from zrg_dagster.core.drafting.memory import Profile
from zrg_dagster.core.drafting.overseer import draft_hash
from zrg_dagster.core.drafting.pack import ContextPack
from zrg_dagster.core.replies.classify import Tag, clamp_confidence

PROMPT = "reply_evaluation"
MAX_OUTPUT_TOKENS = 800
TIMEOUT_S = 20.0
REASON_CHARS = 320
SAFE_FLOOR = 0.01


class HardBlock(StrEnum):
    """Why no model is asked: the draft goes nowhere on its own."""

    EMPTY_DRAFT = "empty_draft"
    OPT_OUT = "opt_out"
    BLACKLIST = "blacklist"
    AUTOMATED_REPLY = "automated_reply"
    MISSING_MODEL_KEY = "missing_openai_key"


class Source(StrEnum):
    MODEL = "model"
    HARD_BLOCK = "hard_block"
    MODEL_FAILURE = "model_failure"


class ReplyEvaluation(BaseModel):
    """What the model answers under the schema name `reply_evaluation`."""

    safe_to_send: bool
    requires_human_review: bool
    confidence: float = Field(description="0 to 1")
    reason: str = Field(description="One sentence")


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The verdict over one text, which `draft_sha256` names: it says nothing of any other (OV-08). `confidence` is in 0..1;
    `call` is None when no model was asked."""

    draft_sha256: str
    confidence: float
    is_safe: bool
    needs_review: bool
    reason: str
    source: Source
    hard_block: HardBlock | None = None
    call: ModelResult[ReplyEvaluation] | None = None

    @property
    def detail(self) -> dict[str, Any]:
        """What the record of the stage keeps; `again` reads it."""
        return {
            "confidence": round(self.confidence, 3),
            "is_safe": self.is_safe,
            "reason": self.reason,
            "source": self.source.value,
            "draft_sha256": self.draft_sha256,
        }

    @property
    def document(self) -> dict[str, Any]:
        """What the artifact of the stage keeps."""
        return {**self.detail, "requires_human_review": self.needs_review}


def again(detail: dict[str, Any]) -> Evaluation:
    """The evaluation that an earlier try put on record."""
    return Evaluation(
        detail.get("draft_sha256", ""),
        detail["confidence"],
        is_safe=detail["is_safe"],
        needs_review=detail.get("requires_human_review", not detail["is_safe"]),
        reason=detail["reason"],
        source=Source(detail.get("source", Source.MODEL)),
    )


def hard_block(
    *, draft: str, opt_out_rule: str | None, tag: Tag, is_auto_reply: bool, has_model_key: bool
) -> HardBlock | None:
    """The first thing that stops a draft before any model call (EV-01).

    `opt_out_rule` is what the deterministic floor found in the latest inbound. A vendor's auto-reply flag on an
    absence notice does not block: the person comes back.
    """
    if not draft.strip():
        return HardBlock.EMPTY_DRAFT
    if opt_out_rule:
        return HardBlock.OPT_OUT
    if tag is Tag.BLACKLIST:
        return HardBlock.BLACKLIST
    if tag is Tag.AUTOMATED_REPLY or (is_auto_reply and tag is not Tag.OUT_OF_OFFICE):
        return HardBlock.AUTOMATED_REPLY
    if not has_model_key:
        return HardBlock.MISSING_MODEL_KEY
    return None


def blocked(block: HardBlock, draft: str) -> Evaluation:
    """The evaluation of a hard block: confidence 0, unsafe, for a person (EV-01)."""
    return _refused(draft, block.value, Source.HARD_BLOCK, hard_block=block)


def _refused(
    draft: str,
    reason: str,
    source: Source,
    hard_block: HardBlock | None = None,
    call: ModelResult[ReplyEvaluation] | None = None,
) -> Evaluation:
    return Evaluation(
        draft_hash(draft),
        0.0,
        is_safe=False,
        needs_review=True,
        reason=reason,
        source=source,
        hard_block=hard_block,
        call=call,
    )


def judge(call: ModelResult[ReplyEvaluation], draft: str) -> Evaluation:
    """The evaluation that a model call amounts to; a failed call is unsafe with confidence 0 (EV-03, EV-05)."""
    if call.value is None:
        return _refused(draft, call.reason, Source.MODEL_FAILURE, call=call)
    confidence = clamp_confidence(call.value.confidence)
    safe = call.value.safe_to_send and not call.value.requires_human_review and confidence >= SAFE_FLOOR
    reason = call.value.reason.strip()[:REASON_CHARS] or "No reason provided"
    review = call.value.requires_human_review or not safe
    return Evaluation(draft_hash(draft), confidence, safe, review, reason, Source.MODEL, call=call)


def passes(evaluation: Evaluation, *, threshold: float, skip_review: bool = False) -> bool:
    """Whether the draft may leave on its own: equal to the threshold passes (EV-06).

    `skip_review` accepts a confident draft that the model would rather have read; it never lowers the threshold and
    never opens a hard block or a failed call (EV-07).
    """
    if evaluation.source is not Source.MODEL:
        return False
    return evaluation.confidence >= threshold and (evaluation.is_safe or skip_review)


async def evaluate(
    client: StructuredModel,
    context: DraftContext,
    pack: ContextPack,
    draft: str,
    *,
    tag: Tag,
    total_s: float | None = None,
) -> Evaluation:
    """Ask the model about `draft`, told what the draft was written from. Network. Check `hard_block` first; this does not.

    `total_s` bounds the call where other work waits for it.
    """
    values = {
        **pack.values_for(Profile.EVALUATOR),
        "tag": Own(tag.value),
        "channel": Own(context.channel),
        "automated": Own("yes" if context.trigger.is_auto_reply else "no"),
        "phone_on_file": Own("yes" if context.lead.phone else "no"),
        "draft": draft,
    }
    call = await ask(
        client,
        Purpose.EVALUATION,
        PROMPT,
        values,
        ReplyEvaluation,
        max_output_tokens=MAX_OUTPUT_TOKENS,
        timeout_s=min(TIMEOUT_S, total_s or TIMEOUT_S),
        total_s=total_s,
    )
    return judge(call, draft)
