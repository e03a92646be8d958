"""Asking the model which way leads to the conversation (SI-01), and what a link in a signature is for (SI-04)."""

from typing import Literal

from pydantic import BaseModel, Field

from zrg_dagster.core.ai.models import Purpose
from zrg_dagster.core.ai.prompts import Own
from zrg_dagster.core.ai.result import ModelResult, StructuredModel
from zrg_dagster.core.drafting.ask import ask
from zrg_dagster.core.drafting.context import DraftContext
from zrg_dagster.core.replies.signals import Written

ROUTE_PROMPT, LINK_PROMPT = "action_route", "scheduler_link"
MAX_OUTPUT_TOKENS = 200
# SI-01. Waiting for a free place at the model does not count: a busy process would hear nothing but keywords.
TIMEOUT_S = 4.0


class ActionRoute(BaseModel):
    """What the model answers under the schema name `action_route`."""

    process: Literal[1, 2, 3, 4, 5]
    confidence: float = Field(description="0 to 1")


class SchedulerLink(BaseModel):
    """What the model answers under the schema name `scheduler_link`."""

    asks_to_book_there: bool
    confidence: float = Field(description="0 to 1")


async def ask_route(
    client: StructuredModel, context: DraftContext, text: Written, *, tag: str
) -> ModelResult[ActionRoute]:
    """Network, one bounded call; never an exception for what the model did."""
    values = {
        "channel": Own(context.channel),
        "tag": Own(tag),
        "our_link": context.persona.booking_link or "",
        "links_in_message": "\n".join(text.in_message),
        "links_in_signature": "\n".join(text.in_signature),
        "transcript": context.transcript_text,
        "latest_reply": text.body,
    }
    return await ask(
        client,
        Purpose.ROUTING,
        ROUTE_PROMPT,
        values,
        ActionRoute,
        max_output_tokens=MAX_OUTPUT_TOKENS,
        timeout_s=TIMEOUT_S,
        deadline_s=TIMEOUT_S,
    )


async def ask_link(client: StructuredModel, text: Written) -> ModelResult[SchedulerLink]:
    """Network, as `ask_route`."""
    return await ask(
        client,
        Purpose.ROUTING,
        LINK_PROMPT,
        {"links_in_signature": "\n".join(text.in_signature), "latest_reply": text.body},
        SchedulerLink,
        max_output_tokens=MAX_OUTPUT_TOKENS,
        timeout_s=TIMEOUT_S,
        deadline_s=TIMEOUT_S,
    )
