"""One draft: a structured model call over the context, and the signature added by us."""

from dataclasses import dataclass

from pydantic import BaseModel, Field

from zrg_dagster.core.ai.prompts import Own, render
from zrg_dagster.core.ai.result import ModelResult, StructuredModel
from zrg_dagster.core.drafting.context import DraftContext, DraftLead
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
_LENGTH_RULES = {
    "email": "Write between 220 and 1200 characters, in short paragraphs.",
    "sms": "Write at most 300 characters, in one paragraph, without links unless rule 3 allows one.",
    "linkedin": "Write at most 700 characters, in one or two short paragraphs.",
}


class ReplyDraft(BaseModel):
    """What the model answers under the schema name `reply_draft`."""

    body: str = Field(description="The message, without subject and signature")


@dataclass(frozen=True, slots=True)
class Generated:
    """`body` is None exactly when the call failed; an empty body is the guards' business."""

    body: str | None
    subject: str | None
    call: ModelResult[ReplyDraft]


def is_eligible(tag: str) -> bool:
    """Whether a reply with this tag gets a draft (DR-01)."""
    return tag in STRATEGIES


async def generate(
    client: StructuredModel, context: DraftContext, *, tag: str | None = None, previous_draft: str = ""
) -> Generated:
    """Write one draft. Network. `tag` is the lead's stored tag unless given; `previous_draft` asks for another one.

    `ValueError` for a tag that gets no draft: the caller decides eligibility and records it.
    """
    tag = tag or context.lead.sentiment_tag
    if not is_eligible(tag):
        raise ValueError(f"no draft is made for the tag {tag}")
    persona = context.persona
    prompt = render(
        PROMPT,
        {
            "channel": Own(context.channel),
            "tag": Own(tag),
            "strategy": Own(STRATEGIES[tag]),
            "length_rule": Own(_LENGTH_RULES[context.channel]),
            "company_name": persona.company_name,
            "sender_name": persona.sender_name,
            "tone": persona.tone,
            "greeting": greeting(context),
            "service_description": persona.service_description,
            "knowledge": context.knowledge_text,
            "goals": persona.goals,
            "ideal_customer_profile": persona.ideal_customer_profile,
            "booking_link": persona.booking_link or "",
            "lead": describe_lead(context.lead),
            "available_times": context.offered_times_text(),
            "transcript": context.transcript_text,
            "latest_reply": context.trigger.body,
            "previous_draft": previous_draft,
        },
    )
    call = await client.structured(prompt, ReplyDraft, max_output_tokens=MAX_OUTPUT_TOKENS, timeout_s=TIMEOUT_S)
    if call.value is None:
        return Generated(None, None, call)
    body = call.value.body.replace("\r\n", "\n").strip()
    if context.channel != "email":
        return Generated(body, None, call)
    return Generated(with_signature(body, persona.signature), reply_subject(context.trigger.subject), call)


def greeting(context: DraftContext) -> str:
    """The channel's greeting with the first name of whoever answers, the lead's, or "there" (CC-08, PE-01)."""
    persona, lead = context.persona, context.lead
    wanted = persona.sms_greeting if context.channel == "sms" else persona.greeting
    # A colleague who answers under no name is not greeted with the lead's.
    full = lead.current_replier_name if lead.current_replier_email else lead.first_name
    first = (full or "").split()
    return wanted.replace("{firstName}", first[0] if first else "there")


def describe_lead(lead: DraftLead) -> str:
    """Name, role and company of the person who answers, for the data block."""
    name = lead.current_replier_name or " ".join(part for part in (lead.first_name, lead.last_name) if part)
    parts = (("Name", name), ("Role", lead.job_title), ("Company", lead.company_name))
    return "\n".join(f"{label}: {value}" for label, value in parts if value)


def with_signature(body: str, signature: str) -> str:
    """`body` with the workspace's signature once; one that the model wrote in spite of its rule is not doubled (B56)."""
    signature = signature.replace("\r\n", "\n").strip()
    if not body or not signature or " ".join(signature.split()) in " ".join(body.split()):
        return body
    return f"{body}\n\n{signature}"
