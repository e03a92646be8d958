"""Improving a draft that was not good enough: what to mend, the model's answer, and when a new text is better. Pure, but
for `revise`, which asks the model (RV rules)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, Field

from zrg_dagster.core.ai.models import Purpose
from zrg_dagster.core.ai.prompts import Own
from zrg_dagster.core.ai.result import ModelResult, StructuredModel
from zrg_dagster.core.drafting.ask import ask
from zrg_dagster.core.drafting.clock_times import mentions, unoffered
from zrg_dagster.core.drafting.context import DraftContext
from zrg_dagster.core.drafting.generate import LENGTH_RULES
from zrg_dagster.core.drafting.guards import GuardReport
from zrg_dagster.core.drafting.links import links_in, normal_link
from zrg_dagster.core.drafting.memory import Profile
from zrg_dagster.core.drafting.overseer import Contract
from zrg_dagster.core.drafting.pack import ContextPack
from zrg_dagster.core.drafting.slots import Slot
from zrg_dagster.core.replies.evaluate import Evaluation, Source
from zrg_dagster.core.text.chars import trimmed

PROMPT = "reply_revision"
MAX_OUTPUT_TOKENS = 2_400

# Seconds: the whole loop, what must be left for another turn, and what each call of a turn may take (RV-03).
LOOP_S = 60.0
RESERVE_S = 5.0
REVISER_S = 12.0
EVALUATOR_S = 20.0
# Whatever a workspace wants, no draft is revised more often (RV-02).
MAX_ITERATIONS = 3
# Tokens in and out over all calls of one draft's loop (RV-10).
LOOP_TOKENS = 60_000


class StopReason(StrEnum):
    """Why a loop ended (RV-06), and what was added to the list: a budget, a switch, and somebody who was faster.

    A hard block is no end of a loop: it is never entered with one.
    """

    THRESHOLD_MET = "threshold_met"
    NO_IMPROVEMENT = "no_improvement"
    TIMEOUT = "timeout"
    OUT_OF_TOKENS = "token_budget"
    EXHAUSTED = "exhausted"
    ERROR = "error"
    SWITCHED_OFF = "kill_switch"
    CLAIMED_BEFORE = "claimed_before"
    DRAFT_CHANGED = "draft_changed"


class ReplyRevision(BaseModel):
    """What the model answers under the schema name `reply_revision`."""

    body: str = Field(description="The mended message, without subject and signature")
    changes: list[str]
    unresolved: list[str]
    confidence: float = Field(description="0 to 1")


def is_wanted(evaluation: Evaluation, threshold: Decimal, *, iterations: int) -> bool:
    """Whether the loop is entered: switched on, nothing hard, and unsafe as well as unsure (RV-01, B81)."""
    if iterations < 1 or evaluation.source is not Source.MODEL:
        return False
    return not is_good(evaluation, threshold)


def is_good(evaluation: Evaluation, threshold: Decimal) -> bool:
    """Safe and confident enough to leave."""
    return evaluation.is_safe and Decimal(str(round(evaluation.confidence, 3))) >= threshold


def is_better(new: Evaluation, best: Evaluation) -> bool:
    """Safety before confidence: a loop never trades a safe draft for a surer unsafe one, and never keeps an equal one."""
    return (new.is_safe, round(new.confidence, 3)) > (best.is_safe, round(best.confidence, 3))


@dataclass(frozen=True, slots=True)
class Selection:
    """What one turn works on: the findings, and the sections of the pack that bear on them."""

    findings: tuple[str, ...]
    sections: tuple[str, ...]

    @property
    def payload(self) -> dict[str, Any]:
        return {"findings": list(self.findings), "sections": list(self.sections)}


_ALWAYS = (
    "latest_reply",
    "lead",
    "transcript",
    "service_description",
    "available_times",
    "booking_link",
    "meeting_reading",
    "memory",
)
# Words of a finding, and the section that helps to mend it.
_HELPS = {
    "knowledge": ("fact", "price", "promise", "support", "question", "answer", "claim", "information", "detail"),
    "goals": ("goal", "tone", "push", "step"),
    "signature_context": ("link", "signature", "calendar", "time", "name"),
}


def select(evaluation: Evaluation, rejected: Sequence[str], pack: ContextPack) -> Selection:
    """The findings of the best draft so far, and what of the pack is worth its tokens for them. The same input gives the
    same selection: no model is asked."""
    findings = (
        f"The reader said: {evaluation.reason}",
        *(f"A former attempt was refused because of {code.replace('_', ' ')}" for code in rejected),
    )
    said = " ".join(findings).lower()
    helpful = [name for name, words in _HELPS.items() if any(word in said for word in words)]
    known = {section.name for section in pack.sections if section.text}
    return Selection(findings, tuple(name for name in (*_ALWAYS, *(helpful or _HELPS)) if name in known))


async def revise(
    client: StructuredModel,
    context: DraftContext,
    pack: ContextPack,
    selection: Selection,
    body: str,
    *,
    tag: str,
    total_s: float,
) -> ModelResult[ReplyRevision]:
    """Ask for a mended `body`, unsigned. Network. Sections that were not selected are empty."""
    told = pack.values_for(Profile.REVISION)
    values: Mapping[str, str] = {name: text if name in selection.sections else "" for name, text in told.items()}
    limit = min(REVISER_S, total_s)
    return await ask(
        client,
        Purpose.REVISION,
        PROMPT,
        {
            **values,
            "channel": Own(context.channel),
            "tag": Own(tag),
            "length_rule": Own(LENGTH_RULES[context.channel]),
            "findings": "\n".join(selection.findings),
            "draft": body,
        },
        ReplyRevision,
        max_output_tokens=MAX_OUTPUT_TOKENS,
        timeout_s=limit,
        total_s=limit,
    )


def broken(
    body: str, report: GuardReport, context: DraftContext, contract: Contract | None, unresolved: Sequence[str]
) -> tuple[str, ...]:
    """Why a mended text cannot be taken whatever the evaluator would say: stable codes (RV-04, RV-05)."""
    found = list(report.codes)
    if contract is not None and contract.windows:
        found += _window_problems(body, contract.windows[0], context)
    return tuple(found + (["unresolved"] if any(line.strip() for line in unresolved) else []))


_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_PARTS = {"morning": (5, 12), "afternoon": (12, 17), "evening": (17, 21)}


def _window_problems(body: str, window: Mapping[str, str], context: DraftContext) -> list[str]:
    """The lead named a day or a part of it: one time inside it, or the link alone when none is free there."""
    day, part = window.get("day_only"), window.get("time_of_day")
    if not day and not part:
        return []
    named = [mention for mention in mentions(body) if unoffered(mention, context.available) is None]
    inside = [slot for slot in context.available if _fits(slot, day, part)]
    if inside:
        return ["window_over_offer"] if len({mention.clock for mention in named}) > 1 else []
    if named:
        return ["window_no_match_confirmed_time"]
    link = context.persona.booking_link
    return ["window_no_match_link_missing"] if link and normal_link(link) not in links_in(body) else []


def _fits(slot: Slot, day: str | None, part: str | None) -> bool:
    if day and _DAYS[slot.local.weekday()] != day:
        return False
    first, last = _PARTS.get(part or "", (0, 24))
    return first <= slot.local.hour < last


def unsigned(body: str, signature: str) -> str:
    """`body` without the signature that we put under it."""
    signature = trimmed(signature)
    return body.removesuffix(signature).rstrip() if signature else body
