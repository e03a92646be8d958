"""The first step of a mail: what to say and in which shape, before a word of it is written (DR step 1)."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from zrg_dagster.core.ai.models import Purpose
from zrg_dagster.core.ai.prompts import Own
from zrg_dagster.core.ai.result import ModelResult, StructuredModel
from zrg_dagster.core.drafting.archetypes import ARCHETYPES, of_strategy
from zrg_dagster.core.drafting.ask import BUDGET_S, ask
from zrg_dagster.core.drafting.context import DraftContext
from zrg_dagster.core.drafting.pack import ContextPack

PROMPT = "reply_strategy"
MAX_OUTPUT_TOKENS = 5_000
# 40 % of the budget, never less than three seconds.
TIMEOUT_S = max(3.0, 0.4 * BUDGET_S)

_GUIDE = "\n".join(f"- {name}: {text}" for name, text in ARCHETYPES.items())


class ReplyStrategy(BaseModel):
    """What the model answers under the schema name `reply_strategy`."""

    personalization_points: Annotated[list[str], Field(max_length=4)]
    intent_summary: str
    should_offer_times: bool
    times_to_offer: list[str]
    outline: Annotated[list[str], Field(max_length=5)]
    must_avoid: Annotated[list[str], Field(max_length=6)]
    recommended_archetype_id: Literal["A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8", "A9", "A10"]


async def plan(
    client: StructuredModel, context: DraftContext, pack: ContextPack, *, tag: str, wish: str
) -> ModelResult[ReplyStrategy]:
    """Ask for the strategy. Network. `wish` is what the tag asks for (CX-05)."""
    return await ask(
        client,
        Purpose.STRATEGY,
        PROMPT,
        {**pack.values, "channel": Own(context.channel), "tag": Own(tag), "strategy": Own(wish), "shapes": Own(_GUIDE)},
        ReplyStrategy,
        max_output_tokens=MAX_OUTPUT_TOKENS,
        timeout_s=TIMEOUT_S,
    )


def checked(said: ReplyStrategy, context: DraftContext) -> dict[str, Any]:
    """The strategy as it is kept and used: times that the calendar does not hold are left out (GD-01)."""
    offered = {slot.label for slot in context.offered}
    times = [time for time in said.times_to_offer if time in offered] if said.should_offer_times else []
    return {
        "personalization_points": [point[:300] for point in said.personalization_points],
        "intent_summary": said.intent_summary[:600],
        "should_offer_times": said.should_offer_times and bool(times),
        "times_to_offer": times,
        "outline": [line[:300] for line in said.outline],
        "must_avoid": [line[:200] for line in said.must_avoid],
        "archetype": of_strategy(said.recommended_archetype_id),
    }


def as_text(strategy: dict[str, Any]) -> str:
    """The strategy as the writer reads it. It was derived from what others wrote, so it is data to the writer too."""
    times = ", ".join(strategy["times_to_offer"]) or "none"
    return "\n".join(
        (
            f"What they want: {strategy['intent_summary']}",
            *(f"Say in this order: {line}" for line in strategy["outline"]),
            *(f"Refer to: {point}" for point in strategy["personalization_points"]),
            f"Times to offer: {times}",
            *(f"Avoid: {line}" for line in strategy["must_avoid"]),
        )
    )
