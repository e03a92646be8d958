"""The third step of a mail: a careful reader checks the draft against the facts and mends slips, never rewrites (DR-22)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from zrg_dagster.core.ai.models import Purpose
from zrg_dagster.core.ai.prompts import Own
from zrg_dagster.core.ai.result import ModelResult, StructuredModel
from zrg_dagster.core.drafting.ask import BUDGET_S, ask
from zrg_dagster.core.drafting.context import DraftContext
from zrg_dagster.core.drafting.pack import ContextPack
from zrg_dagster.core.text.chars import trimmed

PROMPT = "reply_verification"
MAX_OUTPUT_TOKENS = 2_400
# 35 % of the budget, between 8 and 45 seconds.
TIMEOUT_S = min(45.0, max(8.0, 0.35 * BUDGET_S))
# A change beyond these is a rewrite.
MAX_RATIO, RATIO_FROM_CHARS = 0.45, 250
MAX_CHANGE_CHARS = 900
MAX_LINE_RATIO, LINE_RATIO_FROM = 0.5, 3


class VerificationProblem(StrEnum):
    """Why the draft stays as it was generated and waits for a person; a failed call has its model's reason instead."""

    REWRITE = "rewrite"
    CONTRADICTION = "contradiction"
    EMPTY = "empty"


class ReplyVerification(BaseModel):
    """What the model answers under the schema name `reply_verification`."""

    final_draft: str
    changed: bool
    violations_detected: list[str]
    changes: list[str]


@dataclass(frozen=True, slots=True)
class Verified:
    """`body` is the draft to go on with. `problem` says why nobody vouches for it; then it is the generated one."""

    body: str
    problem: str | None
    payload: dict[str, Any]
    call: ModelResult[ReplyVerification] | None = None


async def verify(client: StructuredModel, context: DraftContext, pack: ContextPack, body: str) -> Verified:
    """Check `body`. Network; never an exception for what the model did."""
    call = await ask(
        client,
        Purpose.VERIFICATION,
        PROMPT,
        {**pack.values, "channel": Own(context.channel), "draft": body},
        ReplyVerification,
        max_output_tokens=MAX_OUTPUT_TOKENS,
        timeout_s=TIMEOUT_S,
    )
    if call.value is None:
        return Verified(body, call.reason, {"failed": call.reason}, call)
    said = call.value
    new = trimmed(said.final_draft)
    problem = judge(body, new, changed=said.changed)
    payload = {
        "changed": said.changed,
        "violations_detected": [line[:200] for line in said.violations_detected[:20]],
        "changes": [line[:200] for line in said.changes[:20]],
        "discarded": problem,
    }
    return Verified(body if problem else new, problem, payload, call)


def judge(body: str, new: str, *, changed: bool) -> VerificationProblem | None:
    """None when `new` may replace `body`."""
    if not new:
        return VerificationProblem.EMPTY
    if not changed and new != body:
        return VerificationProblem.CONTRADICTION
    return VerificationProblem.REWRITE if is_rewrite(body, new) else None


def is_rewrite(body: str, new: str) -> bool:
    """Length changed by more than 45 % and 250 characters, or by more than 900, or half the lines went (DR-22)."""
    change = abs(len(new) - len(body))
    if change > MAX_CHANGE_CHARS or (change > RATIO_FROM_CHARS and change > MAX_RATIO * len(body)):
        return True
    lines = body.count("\n") + 1
    line_change = abs(new.count("\n") + 1 - lines)
    return line_change >= LINE_RATIO_FROM and line_change > MAX_LINE_RATIO * lines
