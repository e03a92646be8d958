"""What a draft may not contain, checked after the model in a fixed order. Pure; a finding sends the draft to a person.

The guards judge and never rewrite: the text a person sees is the text the model wrote.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from zrg_dagster.core.drafting.clock_times import mentions, unoffered
from zrg_dagster.core.drafting.context import DraftContext
from zrg_dagster.core.drafting.slots import Slot

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
    TOO_LONG = "too_long"


@dataclass(frozen=True, slots=True)
class Finding:
    """`excerpt` is the offending piece of our own draft, at most 80 characters."""

    code: GuardCode
    excerpt: str = ""


@dataclass(frozen=True, slots=True)
class GuardFacts:
    """What a draft may rely on. `own_texts` are ours (signature, service description): links in them are ours too.
    `people` are the addresses of those whom it answers."""

    channel: str
    available: tuple[Slot, ...]
    latest_reply: str
    booking_link: str | None
    own_texts: tuple[str, ...]
    people: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GuardReport:
    findings: tuple[Finding, ...]

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
    ]
    if len(draft) > MAX_CHARS[facts.channel]:
        findings.append(Finding(GuardCode.TOO_LONG, f"{len(draft)} characters"))
    return GuardReport(tuple(findings))


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

_LINK = re.compile(
    r"""
    (?<![\w@.-])                                        # the host of a mail address is no link
    (?: [a-z][a-z0-9+.-]{1,20}://[^\s<>"']+
      | (?:[a-z0-9](?:[a-z0-9-]{0,62})\.)+[a-z]{2,24}(?::\d{1,5})?(?:[/?\#][^\s<>"']*)?
    )""",
    re.I | re.X,
)
# Without scheme or path, a dotted word is taken for a host only under a common ending: "Inc.We" is no link.
_ENDINGS = frozenset(
    {
        "com",
        "net",
        "org",
        "io",
        "co",
        "ai",
        "app",
        "dev",
        "me",
        "us",
        "uk",
        "de",
        "fr",
        "nl",
        "es",
        "it",
        "ca",
        "au",
        "eu",
    }
    | {"info", "biz", "ly", "gg", "link", "page", "site", "online", "xyz", "tech", "cloud", "example", "calendar"}
)
_TRAILING = ".,;:!?)]}*_"


def links_in(text: str) -> list[str]:
    """Everything that a mail program would turn into a link, normalised."""
    found = []
    for match in _LINK.finditer(text):
        raw = match[0].rstrip(_TRAILING)
        host = raw.partition("/")[0].partition("?")[0]
        has_shape = "://" in raw or "/" in raw or raw.lower().startswith("www.")
        if has_shape or host.rpartition(".")[2].lower() in _ENDINGS:
            found.append(_normal_link(raw))
    return found


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
    own = {each.lower() for text in (*facts.own_texts, *facts.people) for each in _ADDRESS.findall(text)}
    return [each for each in _ADDRESS.findall(draft) if each.lower() not in own]


def _normal_link(raw: str) -> str:
    scheme, separator, rest = raw.partition("://")
    if not separator:
        scheme, rest = "https", raw
    if scheme.lower() == "http":
        scheme = "https"
    host_end = min((rest.find(mark) for mark in "/?#" if mark in rest), default=len(rest))
    host = rest[:host_end].lower().removeprefix("www.")
    return f"{scheme.lower()}://{host}{rest[host_end:].rstrip('/')}"


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
