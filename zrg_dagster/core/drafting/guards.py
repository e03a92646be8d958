"""What a draft may not contain, checked after the model in a fixed order. Pure; a finding sends the draft to a person.

The guards judge and never rewrite: the text a person sees is the text the model wrote.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from zrg_dagster.core.drafting.claims import NO_SOURCES, Claim, ClaimKind, Sources, claims_in
from zrg_dagster.core.drafting.clock_times import mentions, unoffered
from zrg_dagster.core.drafting.context import DraftContext
from zrg_dagster.core.drafting.links import LINK as _LINK
from zrg_dagster.core.drafting.links import links_in
from zrg_dagster.core.drafting.slots import Slot
from zrg_dagster.core.drafting.sms import SmsError, on_the_wire, parts_of, segments

# Code points (RV-09); SMS is three parts of 160 (DR-28).
MAX_CHARS = {"email": 5_000, "sms": 480, "linkedin": 1_800}


class GuardCode(StrEnum):
    """In the order in which the guards run."""

    EMPTY_DRAFT = "empty_draft"
    PLACEHOLDER_LEFT = "placeholder_left"
    FABRICATED_LINK = "fabricated_link"
    FOREIGN_ADDRESS = "foreign_address"
    TIME_NOT_OFFERED = "slot_mismatch"
    DATE_NOT_OFFERED = "date_mismatch"
    PRICE_UNSUPPORTED = "price_unsupported"
    PROMISE_UNSUPPORTED = "promise_unsupported"
    LINK_DENIED = "link_denied"
    FOREIGN_PHONE = "foreign_phone"
    ZONE_ASKED = "timezone_asked"
    SMS_FORM = "sms_form"
    TOO_LONG = "too_long"


@dataclass(frozen=True, slots=True)
class Finding:
    """`excerpt` is the offending piece of our own draft, at most 80 characters."""

    code: GuardCode
    excerpt: str = ""


@dataclass(frozen=True, slots=True)
class GuardFacts:
    """What a draft may rely on. `own_texts` are ours (signature, service description): links in them are ours too.
    `people` are the addresses of those whom it answers, `phones` their numbers; `sources` support prices and promises."""

    channel: str
    available: tuple[Slot, ...]
    latest_reply: str
    booking_link: str | None
    own_texts: tuple[str, ...]
    people: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    sources: Sources = NO_SOURCES
    has_link: bool = False
    knows_zone: bool = False


@dataclass(frozen=True, slots=True)
class GuardReport:
    """What was found and, for the record, what was looked at: every claim with its source."""

    findings: tuple[Finding, ...]
    claims: tuple[Claim, ...] = ()
    segments: int | None = None

    def trace(self) -> list[dict[str, Any]]:
        """Each guard in its order with what it found, so that a person sees which one stopped a draft."""
        found = {code: [each.excerpt for each in self.findings if each.code is code] for code in GuardCode}
        return [{"guard": code.value, "found": excerpts} for code, excerpts in found.items()]

    def claims_document(self) -> list[dict[str, Any]]:
        return [claim.document() for claim in self.claims]

    @property
    def passed(self) -> bool:
        return not self.findings

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes found, each once, in guard order."""
        return tuple(dict.fromkeys(finding.code.value for finding in self.findings))

    @property
    def reason(self) -> str:
        """`post_ai_invariant_failed:code,code`, the stable reason on the draft (EV-08); empty when all passed."""
        return f"post_ai_invariant_failed:{','.join(self.codes)}" if self.findings else ""


def facts_of(context: DraftContext) -> GuardFacts:
    return GuardFacts(
        channel=context.channel,
        available=context.available,
        latest_reply=context.trigger.body,
        booking_link=context.persona.booking_link,
        own_texts=(context.persona.signature, context.persona.service_description, context.knowledge_text),
        people=tuple(filter(None, (context.lead.email, context.lead.current_replier_email))),
        phones=tuple(filter(None, (context.lead.phone,))),
        sources=Sources(context.persona.service_description, context.knowledge_text),
        has_link=bool(links_in(_conversation(context))),
        knows_zone=context.zone is not None,
    )


def check(draft: str, facts: GuardFacts) -> GuardReport:
    """Every finding, in guard order. An empty draft ends the list: nothing else can be said about it."""
    if not draft.strip():
        return GuardReport((Finding(GuardCode.EMPTY_DRAFT),))
    findings = [
        *_findings(GuardCode.PLACEHOLDER_LEFT, placeholders_left(draft)),
        *_findings(GuardCode.FABRICATED_LINK, foreign_links(draft, facts)),
        *_findings(GuardCode.FOREIGN_ADDRESS, foreign_addresses(draft, facts)),
        *_time_findings(draft, facts),
        *_findings(GuardCode.LINK_DENIED, links_denied(draft) if facts.has_link else ()),
        *_findings(GuardCode.FOREIGN_PHONE, foreign_phones(draft, facts)),
        *_findings(GuardCode.ZONE_ASKED, zone_questions(draft) if facts.knows_zone else ()),
    ]
    claims = claims_in(draft, facts.sources)
    findings += [Finding(_CLAIM_CODES[claim.kind], claim.excerpt) for claim in claims if claim.source is None]
    if len(draft) > MAX_CHARS[facts.channel]:
        findings.append(Finding(GuardCode.TOO_LONG, f"{len(draft)} characters"))
    if facts.channel == "sms":
        findings += _findings(GuardCode.SMS_FORM, sms_problems(draft))
    findings.sort(key=lambda finding: _ORDER[finding.code])
    return GuardReport(tuple(findings), claims, segments(on_the_wire(draft)) if facts.channel == "sms" else None)


def _conversation(context: DraftContext) -> str:
    """What the answered message shows its writer to have given: the words and the whole mail with its signature."""
    raw = context.trigger.raw_text or context.trigger.raw_html or ""
    return f"{context.trigger.body}\n{raw}"


_CLAIM_CODES = {ClaimKind.PRICE: GuardCode.PRICE_UNSUPPORTED, ClaimKind.PROMISE: GuardCode.PROMISE_UNSUPPORTED}
_ORDER = {code: number for number, code in enumerate(GuardCode)}


def _findings(code: GuardCode, excerpts: Iterable[str]) -> list[Finding]:
    return [Finding(code, excerpt[:80]) for excerpt in excerpts]


# ── placeholders ─────────────────────────────────────────────────────────────

_PLACEHOLDER = re.compile(
    r"""
    \$?\{[^\n}]{0,60}\}* | \}       # {firstName}, {{name}}, ${PRICE}, {% if %}: any brace (GD-08)
    | \[[^\]\n]*[A-Za-z][^\]\n]*\]   # [calendly link], [Your Name]
    | </?[A-Za-z][^<>\n]{0,60}> # <first name>, <data>, any markup
    | \$[XYZ]{1,3}\b                 # $X
    | \bX{3,}\b | \bTBD\b | \bINSERT\s+[A-Z]+
    | \blorem\s+ipsum\b
    """,
    re.X,
)


def placeholders_left(draft: str) -> list[str]:
    """Pieces that somebody was to fill in, and markup (GD-08, B63). Real amounts stay."""
    return [match[0] for match in _PLACEHOLDER.finditer(draft)]


# ── links ────────────────────────────────────────────────────────────────────


def foreign_links(draft: str, facts: GuardFacts) -> list[str]:
    """Links that are neither the booking link nor in our own texts.

    A link from the conversation counts as foreign: whoever writes to us must not choose what our mails point at.
    """
    own = {link for text in (*facts.own_texts, facts.booking_link or "") for link in links_in(text)}
    return [link for link in links_in(draft) if link not in own]


_ADDRESS = re.compile(r"[a-z0-9._%+'-]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,62})\.)+[a-z]{2,24}", re.I)


def foreign_addresses(draft: str, facts: GuardFacts) -> list[str]:
    """Mail addresses that are neither in our own texts nor of those whom the draft answers.

    Like a link, an address that a message brought along must not be what our mails tell people to write to.
    """
    own = {each.lower() for text in (*facts.own_texts, *facts.people) for each in _addresses(text)}
    return [each for each in _addresses(draft) if each.lower() not in own]


def _addresses(text: str) -> list[str]:
    # Most texts have none, and the pattern tries every word of them for one.
    return _ADDRESS.findall(text) if "@" in text else []


# ── what was given ───────────────────────────────────────────────────────────

_LINK_DENIED = re.compile(
    r"[^.!?\n]{0,120}\b(?:link|url|calendar|attachment|page)\b[^.!?\n]{0,60}"
    r"\b(?:(?:did(?:n['’]t| not)|does(?:n['’]t| not)) (?:\w+ )?(?:come|show|arrive|get|appear|make|load|open|work)"
    r"|(?:was|is|were|seems?|appears?) (?:\w+ )?(?:missing|not (?:included|received|there|attached)|broken|empty)"
    r"|never (?:came|arrived|showed)|(?:was|were)n['’]t (?:included|received|there|attached))"
    r"|\b(?:did(?:n['’]t| not)|can(?:not|['’]t)|could(?:n['’]t| not)|do(?:n['’]t| not)) (?:\w+ )?"
    r"(?:see|get|receive|find|have|open)\b[^.!?\n]{0,30}\b(?:link|url|calendar)\b",
    re.I,
)


# Looked for first: the pattern above tries every place of a text, and no match of it goes beyond a sentence.
_GIVEN = re.compile(r"link|url|calendar|attachment|page", re.I)
_SENTENCES = re.compile(r"[.!?\n]+")


def links_denied(draft: str) -> list[str]:
    """Sentences that say a link did not arrive (seed 003 §8 E19)."""
    sentences = [each for each in _SENTENCES.split(draft) if _GIVEN.search(each)]
    return [match[0].strip() for each in sentences for match in _LINK_DENIED.finditer(each)]


_PHONE = re.compile(r"(?<![\w/.:=&?#-])\+?\(?\d[\d ().-]{7,18}\d(?![\w/])")
_DIGITS = re.compile(r"\D")
_DATE = re.compile(r"(?:19|20)\d\d[-. ]\d\d?[-. ]\d\d?\b|\d\d?[-. ]\d\d?[-. ](?:19|20)\d\d\b")


def foreign_phones(draft: str, facts: GuardFacts) -> list[str]:
    """Numbers to call that are neither in our own texts nor the lead's, never parts of links (GD-09, B54, B55)."""
    own = {_DIGITS.sub("", each)[-9:] for text in (*facts.own_texts, *facts.phones) for each in _PHONE.findall(text)}
    bare = _LINK.sub(" ", draft)
    return [each for each in _PHONE.findall(bare) if _is_phone(each) and _DIGITS.sub("", each)[-9:] not in own]


def _is_phone(text: str) -> bool:
    """Ten to fifteen digits that do not begin with a date."""
    return 10 <= len(_DIGITS.sub("", text)) <= 15 and not _DATE.match(text)


# The zone is known: asking for it says that nobody looked (GD-04).
_ZONE_QUESTION = re.compile(r"[^.!?\n]{0,80}\btime ?zone\b[^.!?\n]{0,80}\?", re.I)


def zone_questions(draft: str) -> list[str]:
    """Sentences that ask for the time zone."""
    return _ZONE_QUESTION.findall(draft) if "zone" in draft.lower() else []


def sms_problems(draft: str) -> list[str]:
    """Why this text makes no text message (DR-28)."""
    try:
        parts_of(draft)
    except SmsError as error:
        return [error.problem.value]
    return []


# ── times ────────────────────────────────────────────────────────────────────


def _time_findings(draft: str, facts: GuardFacts) -> list[Finding]:
    """Clock times that no free slot has, and free times named with another day (GD-01, EV-08).

    A time that the prospect named may come back in a question ("does 3 PM still work?"), never as a statement: a
    confirmation of a time that the calendar does not hold costs the meeting.
    """
    asked: Sequence[tuple[int, int]] = [mention.clock for mention in mentions(facts.latest_reply) if mention.is_exact]
    findings = []
    for mention in mentions(draft):
        wrong = unoffered(mention, facts.available)
        if wrong is None or (mention.in_question and mention.clock in asked):
            continue
        code = GuardCode.DATE_NOT_OFFERED if wrong == "day" else GuardCode.TIME_NOT_OFFERED
        findings.append(Finding(code, mention.text[:80]))
    return findings
