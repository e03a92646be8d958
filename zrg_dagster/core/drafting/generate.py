"""The text of a draft: a structured model call over the pack, and the signature added by us."""

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Field

from zrg_dagster.core.ai.models import Purpose
from zrg_dagster.core.ai.prompts import Own
from zrg_dagster.core.ai.result import ModelResult, StructuredModel
from zrg_dagster.core.drafting import length
from zrg_dagster.core.drafting.archetypes import ARCHETYPES, of_regeneration
from zrg_dagster.core.drafting.ask import ask
from zrg_dagster.core.drafting.context import DraftContext
from zrg_dagster.core.drafting.pack import ContextPack
from zrg_dagster.core.drafting.sms import stored
from zrg_dagster.core.drafting.strategy import as_text
from zrg_dagster.core.text.chars import trimmed
from zrg_dagster.core.text.subject import reply_subject

PROMPT = "reply_draft"
MAX_OUTPUT_TOKENS = 2_000
TIMEOUT_S = 45.0

# What each draft-eligible tag asks for (CX-05). A tag that is not here gets no draft.
STRATEGIES = {
    "Meeting Requested": "Confirm that a meeting makes sense and propose the listed times.",
    "Call Requested": "Confirm the call and ask which day and time suit; name no time the prospect did not name.",
    "Information Requested": "Answer from what we offer, then offer a short call. No link unless they asked for one.",
    "Interested": "Take the next step: propose the listed times for a short call.",
    "Follow Up": "Acknowledge, and ask one question about when to come back. Do not push.",
    "Meeting Booked": "Confirm in one or two sentences that you look forward to the meeting that is booked.",
}
LENGTH_RULES = {
    "email": length.RULE,
    "sms": "Write at most 300 characters, without links unless rule 3 allows one; beyond 160, in parts of at most 160 "
    "characters with a line of three dashes between them.",
    "linkedin": "Write at most 700 characters, in one or two short paragraphs.",
}


class ReplyDraft(BaseModel):
    """What the model answers under the schema name `reply_draft`."""

    body: str = Field(description="The message, without subject and signature")


@dataclass(frozen=True, slots=True)
class Generated:
    """`body` is None exactly when the call failed; an empty body is the guards' business."""

    body: str | None
    call: ModelResult[ReplyDraft]


def is_eligible(tag: str) -> bool:
    """Whether a reply with this tag gets a draft (DR-01)."""
    return tag in STRATEGIES


async def write(
    client: StructuredModel,
    context: DraftContext,
    pack: ContextPack,
    *,
    tag: str,
    plan: dict[str, Any] | None = None,
    shape: str = "",
    previous_draft: str = "",
    length_rule: str | None = None,
) -> ModelResult[ReplyDraft]:
    """Ask for the text, unsigned. Network. `plan` is a checked strategy, `shape` the instruction of an archetype,
    `length_rule` stands in place of the channel's.

    `ValueError` for a tag that gets no draft: the caller decides eligibility and records it.
    """
    if not is_eligible(tag):
        raise ValueError(f"no draft is made for the tag {tag}")
    values = {
        **pack.values,
        "channel": Own(context.channel),
        "tag": Own(tag),
        "strategy": Own(STRATEGIES[tag]),
        "length_rule": Own(length_rule or LENGTH_RULES[context.channel]),
        "shape": Own(shape or "No particular one."),
        "plan": as_text(plan) if plan else "",
        "previous_draft": previous_draft,
    }
    return await ask(
        client,
        Purpose.DRAFTING,
        PROMPT,
        values,
        ReplyDraft,
        max_output_tokens=MAX_OUTPUT_TOKENS,
        timeout_s=TIMEOUT_S,
    )


async def generate(
    client: StructuredModel,
    context: DraftContext,
    pack: ContextPack,
    *,
    tag: str,
    previous_draft: str = "",
    count: int | None = None,
) -> Generated:
    """Write one draft with the single prompt, for somebody who waits for another one. Network.

    `previous_draft` asks for another text, and `count`, the presses so far, for another shape (DR-26).
    """
    shape = ""
    if count is not None and context.channel == "email":
        shape = ARCHETYPES[of_regeneration(context.trigger.id, count)]
    call = await write(client, context, pack, tag=tag, shape=shape, previous_draft=previous_draft)
    if call.value is None:
        return Generated(None, call)
    body = within_length(context, trimmed(call.value.body))
    return Generated(finished(context, body), call)


def finished(context: DraftContext, body: str) -> str:
    """The text as it is stored and sent: a mail signed, a text message in its parts."""
    body = trimmed(body)
    if context.channel == "sms":
        return stored(body)
    return with_signature(body, context.persona.signature) if context.channel == "email" else body


def within_length(context: DraftContext, body: str) -> str:
    """A mail that is too long, cut; everything else as it is (DR-25)."""
    return length.clamp(body, context.persona.signature) if context.channel == "email" else body


def subject_of(context: DraftContext) -> str | None:
    return reply_subject(context.trigger.subject) if context.channel == "email" else None


def with_signature(body: str, signature: str) -> str:
    """`body` with the workspace's signature once; one that the model wrote in spite of its rule is not doubled (B56)."""
    signature = trimmed(signature)
    if not body or not signature or " ".join(signature.split()) in " ".join(body.split()):
        return body
    return f"{body}\n\n{signature}"
