"""What the signature of the answered mail tells: who writes, and which links stand there (seed 003 §8 E16, E17, E19).

Best effort: a failure means that the draft is written without it, and the reason is on record. A link counts only if it
stands in the mail itself, whatever the model answers.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from zrg_dagster.core.ai.models import Purpose
from zrg_dagster.core.ai.result import ModelResult, StructuredModel
from zrg_dagster.core.drafting.ask import BUDGET_S, ask
from zrg_dagster.core.drafting.context import DraftContext, Trigger
from zrg_dagster.core.drafting.links import links_in, normal_link
from zrg_dagster.core.text.email_body import own_part
from zrg_dagster.core.text.html import html_to_text, looks_like_html

PROMPT = "signature_context"
MAX_OUTPUT_TOKENS = 900
CANDIDATE_CHARS = 5_000
CANDIDATE_LINES = 30
LINK_CHARS = 500
MAX_SCHEDULING_LINKS, MAX_OTHER_LINKS, MAX_LINES = 5, 10, 10


class SignatureOutcome(StrEnum):
    """Why there is a context or none."""

    READ = "read"
    NOT_A_MAIL = "not_a_mail"
    NO_SIGNATURE = "no_signature"
    MODEL_FAILED = "model_failed"


class SignatureContext(BaseModel):
    """What the model answers under the schema name `signature_context`."""

    name: str | None
    title: str | None
    company: str | None
    email: str | None
    phone: str | None
    linkedin_url: str | None
    scheduling_links: Annotated[list[str], Field(max_length=MAX_SCHEDULING_LINKS)]
    other_links: Annotated[list[str], Field(max_length=MAX_OTHER_LINKS)]
    important_lines: Annotated[list[str], Field(max_length=MAX_LINES)]
    confidence: Literal["high", "medium", "low"]


@dataclass(frozen=True, slots=True)
class Signature:
    """`text` is what the pack shows, empty without context; `reason` says why, with the model's reason behind a colon."""

    text: str
    reason: str
    fields: dict[str, Any] | None = None
    call: ModelResult[SignatureContext] | None = None

    @property
    def payload(self) -> dict[str, Any]:
        return {"reason": self.reason, "context": self.fields}


def timeout_s(budget_s: float = BUDGET_S) -> float:
    """At most 4.5 s, and at most 15 % of what the whole draft may take."""
    return min(4.5, 0.15 * budget_s)


_SIGNAL = re.compile(
    r"https?://|www\.|@[\w-]+\.|\+?\d[\d ().-]{7,}\d|linkedin|^\s*(?:--|—)\s*$"
    r"|^\s*(?:best|kind|warm|many)?\s*(?:regards|wishes|thanks|cheers|sincerely|gruss|grüße|cordialement|saludos)\b",
    re.I | re.M,
)


def candidate(trigger: Trigger) -> str:
    """The last lines of what the writer sent, quoted thread cut off, link targets kept; empty when nothing signs it."""
    sent = sent_part(trigger)
    if not sent:
        return ""
    lines = sent.split("\n")[-CANDIDATE_LINES:]
    tail = "\n".join(lines)[-CANDIDATE_CHARS:]
    # What is in the reply itself is in the transcript; a signature is what cleaning took away.
    return tail if _SIGNAL.search(tail) else ""


def sent_part(trigger: Trigger) -> str:
    """Everything that the writer sent, signature included, quoted thread cut off; empty where the raw mail is not kept."""
    source = _source(trigger)
    return own_part(source) if source else ""


def _source(trigger: Trigger) -> str:
    words = (trigger.raw_text or "").strip()
    if words:
        return html_to_text(words) if looks_like_html(words) else words
    return html_to_text(trigger.raw_html) if trigger.raw_html else ""


async def read_signature(client: StructuredModel, context: DraftContext, *, budget_s: float = BUDGET_S) -> Signature:
    """The signature of the answered mail. Network, one bounded call; never an exception for what the model did."""
    if context.channel != "email":
        return Signature("", SignatureOutcome.NOT_A_MAIL)
    footer = candidate(context.trigger)
    if not footer:
        return Signature("", SignatureOutcome.NO_SIGNATURE)
    found = list(dict.fromkeys(links_in(footer)))
    limit = timeout_s(budget_s)
    values = {"sender": _expected(context), "signature": footer, "detected_urls": "\n".join(found)}
    call = await ask(
        client,
        Purpose.SIGNATURE,
        PROMPT,
        values,
        SignatureContext,
        max_output_tokens=MAX_OUTPUT_TOKENS,
        timeout_s=limit,
        deadline_s=limit,
    )
    if call.value is None:
        return Signature("", f"{SignatureOutcome.MODEL_FAILED}:{call.reason}", call=call)
    fields = trusted(call.value, footer, found)
    return Signature(shown(fields), SignatureOutcome.READ, fields, call)


def again(payload: dict[str, Any]) -> Signature:
    """The signature that an earlier try put on record."""
    fields = payload.get("context")
    return Signature(shown(fields) if fields else "", payload.get("reason", ""), fields)


def trusted(said: SignatureContext, footer: str, found: list[str]) -> dict[str, Any]:
    """`said` without what the mail does not hold: links not found in it, lines and addresses that nobody wrote."""
    known, flat = set(found), " ".join(footer.split()).lower()
    stands = {
        name: value
        for name in ("name", "title", "company", "email", "phone")
        if (value := (getattr(said, name) or "").strip()[:200]) and " ".join(value.split()).lower() in flat
    }
    own = [link for link in said.scheduling_links if normal_link(link) in known and len(link) <= LINK_CHARS]
    other = [link for link in said.other_links if normal_link(link) in known and len(link) <= LINK_CHARS]
    linkedin = said.linkedin_url if said.linkedin_url and normal_link(said.linkedin_url) in known else None
    lines = [line.strip()[:200] for line in said.important_lines if " ".join(line.split()).lower() in flat]
    return {
        **{name: stands.get(name) for name in ("name", "title", "company", "email", "phone")},
        "linkedin_url": linkedin,
        "scheduling_links": own[:MAX_SCHEDULING_LINKS],
        "other_links": other[:MAX_OTHER_LINKS],
        "important_lines": [line for line in lines if line][:MAX_LINES],
        "confidence": said.confidence,
    }


_LABELS = {
    "name": "Name", "title": "Title", "company": "Company", "email": "E-mail", "phone": "Phone",
    "linkedin_url": "LinkedIn", "scheduling_links": "Scheduling links", "other_links": "Other links",
    "important_lines": "Other lines",
}  # fmt: skip


def shown(fields: dict[str, Any]) -> str:
    """The fields as lines of the pack; empty when nothing is known."""
    lines = []
    for name, label in _LABELS.items():
        value = fields.get(name)
        if value:
            lines.append(f"{label}: {', '.join(value) if isinstance(value, list) else value}")
    return "\n".join(lines)


def _expected(context: DraftContext) -> str:
    lead = context.lead
    return f"{lead.answering_name or 'unknown'} <{lead.current_replier_email or lead.email or 'unknown'}>"
