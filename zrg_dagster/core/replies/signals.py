"""What a reply asks for beside its tag: to be called, or to be booked on the lead's own calendar; and which way leads to
the conversation (SI rules). Pure: the model's answer, or words and links alone, become one `Heard`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum
from typing import Any

from zrg_dagster.core.drafting.clock_times import mentions
from zrg_dagster.core.drafting.links import links_in
from zrg_dagster.core.replies.classify import POSITIVE, Tag, clamp_confidence
from zrg_dagster.core.text.call_wish import wants_call
from zrg_dagster.core.text.chars import folded
from zrg_dagster.core.text.schedulers import same_page, scheduler_of

# SI-06: a signal is called sure from here on.
HIGH = 0.8
# What words alone are worth: somebody says it, or a link merely stands in the message.
SAID, IMPLIED = 0.9, 0.6
MAX_LINKS = 5
# Nobody asks for anything in these (BK-45, OV-04).
UNREAD = frozenset({Tag.OUT_OF_OFFICE, Tag.AUTOMATED_REPLY, Tag.BLACKLIST})


class Process(IntEnum):
    """The ways to a conversation, by the number that a router answers."""

    LINK_AND_QUALIFICATION = 1
    OFFERED_TIMES = 2
    LEAD_PROPOSES = 3
    CALL = 4
    LEADS_SCHEDULER = 5


class SignalKind(StrEnum):
    CALL_REQUESTED = "call_requested"
    LEADS_CALENDAR = "book_on_external_calendar"


class HeardBy(StrEnum):
    """How the signals and the route came about. A refusal of the day's budget stands in the same place."""

    ROUTER = "routed"
    ROUTER_FAILED = "router_failed"
    KEYWORDS = "router_off"
    EMPTY = "message_empty"


SIGNAL_OF = {Process.CALL: SignalKind.CALL_REQUESTED, Process.LEADS_SCHEDULER: SignalKind.LEADS_CALENDAR}


@dataclass(frozen=True, slots=True)
class Route:
    """`confidence` is in 0..1; `is_uncertain` when no model answered."""

    process: Process
    confidence: float
    is_uncertain: bool = False


@dataclass(frozen=True, slots=True)
class Signal:
    """`rule` says who found it: `router`, or the words' rule. `is_explicit`: they say so, a link merely stands there
    otherwise. `link` is the booking page of the lead."""

    kind: SignalKind
    confidence: float
    rule: str
    is_explicit: bool = True
    link: str | None = None

    @property
    def is_high(self) -> bool:
        return self.confidence >= HIGH


@dataclass(frozen=True, slots=True)
class Written:
    """What a lead wrote, with the booking pages in it that are not ours: those of the message, those of the signature
    alone."""

    body: str
    in_message: tuple[str, ...] = ()
    in_signature: tuple[str, ...] = ()

    @property
    def link(self) -> str | None:
        return next(iter((*self.in_message, *self.in_signature)), None)


@dataclass(frozen=True, slots=True)
class Heard:
    """Everything that later stages are told. `reason` is one of `HeardBy`, or why the budget let nobody ask."""

    reason: str
    route: Route | None = None
    signals: tuple[Signal, ...] = ()

    def signal(self, kind: SignalKind) -> Signal | None:
        return next((signal for signal in self.signals if signal.kind is kind), None)

    @property
    def outcome(self) -> str:
        """One word for the record of the stage."""
        if self.signals:
            return ",".join(signal.kind for signal in self.signals)
        return f"route_{self.route.process.value}" if self.route else "none"

    def detail(self) -> dict[str, Any]:
        """For the record of the stage; no text of anybody, so no link."""
        route = self.route
        return {
            "reason": self.reason,
            "route": route and int(route.process),
            "route_confidence": route and route.confidence,
            "route_uncertain": route and route.is_uncertain,
            "signals": [
                {
                    "kind": each.kind.value,
                    "confidence": each.confidence,
                    "rule": each.rule,
                    "explicit": each.is_explicit,
                }
                for each in self.signals
            ],
        }


NOTHING = Heard(HeardBy.KEYWORDS)


def again(detail: Mapping[str, Any]) -> Heard:
    """What an earlier try put on record."""
    route = None
    if detail.get("route"):
        route = Route(Process(detail["route"]), detail["route_confidence"], detail["route_uncertain"])
    signals = tuple(
        Signal(SignalKind(each["kind"]), each["confidence"], each["rule"], each["explicit"])
        for each in detail.get("signals", ())
    )
    return Heard(detail["reason"], route, signals)


# ── what stands there ────────────────────────────────────────────────────────

_SIGN_OFF = re.compile(
    r"(?:(?:best|kind|warm|many|with) )?(?:best|regards|wishes|thanks|thank you|cheers|sincerely|yours|br|rgds|kr)"
    r"(?: (?:again|in advance|a lot|so much|and regards|regards|wishes|truly|sincerely))?[,.!]?|--|—"
)
_SIGNATURE_LINES = 8


def written(body: str, sent: str, own_link: str | None) -> Written:
    """The reply taken apart. `body` is what the writer said, `sent` the same with the signature that cleaning took away
    (empty where nothing is known); `own_link` is ours and nobody's signal (SI-05)."""
    said, signed = _without_sign_off(body)
    in_message = _pages(said, own_link)
    rest = [*_pages(signed, own_link), *_pages(sent, own_link)]
    in_signature = [link for link in dict.fromkeys(rest) if not any(same_page(link, known) for known in in_message)]
    return Written(body, tuple(in_message[:MAX_LINKS]), tuple(in_signature[:MAX_LINKS]))


def _without_sign_off(body: str) -> tuple[str, str]:
    """The message, and the short end of it below a line that takes leave."""
    lines = body.split("\n")
    for index in range(max(1, len(lines) - _SIGNATURE_LINES), len(lines)):
        if _SIGN_OFF.fullmatch(folded(lines[index]).strip()):
            return "\n".join(lines[:index]), "\n".join(lines[index:])
    return body, ""


def _pages(text: str, own_link: str | None) -> list[str]:
    found = dict.fromkeys(links_in(text))
    return [link for link in found if scheduler_of(link) and not same_page(link, own_link)]


_CALENDAR = (
    r"(?:my|our) (?:own )?(?:calendar|diary|scheduler|calendly|hubspot link|(?:scheduling|booking) (?:link|page))"
)
_BOOK = r"\b(?:book|grab|pick|choose|find|select|schedule|put|get|set up|reserve)\b"
_OWN_CALENDAR = re.compile(
    rf"{_BOOK}[^.?!\n]{{0,60}}\b(?:on|in|via|through|using|from|at|with) {_CALENDAR}\b"
    rf"|\b(?:use|see|check|here(?:'?s| is)|try) {_CALENDAR}\b"
)
# Words that mean a booking page only where one stands.
_POINTS = re.compile(
    r"\b(?:book|grab|pick|choose|find|select|schedule|reserve)\b[^.?!\n]{0,40}"
    r"\b(?:here|below|this link|the link|my link|following link)\b"
    rf"|{_BOOK} (?:a|any|some|whatever) (?:\w+ ){{0,2}}(?:slots?|times?|spot)\b"
    r"|\bhere(?:'?s| is) (?:my|the|a) (?:link|page)\b|\b(?:use|via|through) (?:this|the|my) (?:link|page)\b"
)
# A refusal before it, or the writer speaking of what they do themselves ("let me check my calendar").
_NOT_TOLD = re.compile(
    r"\b(?:don'?t|do not|not|never|stop|no)\b[^.?!\n]{0,30}$"
    r"|\b(?:let me|i|i'?ll|i will|we|we'?ll|need to|have to)\b[^.?!\n]{0,12}$"
)


def says_to_book(body: str, *, has_page: bool) -> bool:
    """Whether the writer tells us to book on a calendar of theirs. `has_page`: a booking page of theirs stands there."""
    said = folded(body)
    told = [*_OWN_CALENDAR.finditer(said), *(_POINTS.finditer(said) if has_page else ())]
    return any(not _NOT_TOLD.search(said[: match.start()]) for match in told)


# ── the routes to an answer ──────────────────────────────────────────────────


def by_router(process: int, confidence: float, tag: Tag, text: Written) -> Heard:
    """The router's word, which no keyword overrides (SI-01). Of a tag without interest only 4 and 5 count (SI-03)."""
    route = Route(Process(process), round(clamp_confidence(confidence), 3))
    kind = SIGNAL_OF.get(route.process)
    if kind is None:
        return Heard(HeardBy.ROUTER, route if tag in POSITIVE else None)
    link = text.link if kind is SignalKind.LEADS_CALENDAR else None
    return Heard(HeardBy.ROUTER, route, (Signal(kind, route.confidence, "router", link=link),))


def without_router(tag: Tag, text: Written, last_of_ours: str) -> Heard:
    """The router was asked and failed: never a signal, and of a positive reply the way that its words suggest (SI-02)."""
    route = Route(_suggested(text.body, last_of_ours), 0.0, is_uncertain=True) if tag in POSITIVE else None
    return Heard(HeardBy.ROUTER_FAILED, route)


def by_keywords(tag: Tag, text: Written, *, reason: str = HeardBy.KEYWORDS) -> Heard:
    """The router may not be asked: words and links of a positive reply (SI-04). A page that stands only in the signature
    is none here; `in_question` says when it is worth asking about."""
    if tag not in POSITIVE:
        return Heard(reason)
    signals = []
    if (rule := wants_call(text.body)) is not None:
        signals.append(Signal(SignalKind.CALL_REQUESTED, SAID, rule))
    if text.in_message:
        told = says_to_book(text.body, has_page=True)
        sure = SAID if told else IMPLIED
        signals.append(Signal(SignalKind.LEADS_CALENDAR, sure, "link_in_message", told, text.in_message[0]))
    elif not text.in_signature and says_to_book(text.body, has_page=False):
        signals.append(Signal(SignalKind.LEADS_CALENDAR, SAID, "says_so"))
    return Heard(reason, signals=tuple(signals))


def in_question(heard: Heard, tag: Tag, text: Written) -> bool:
    """Whether a link that stands in the signature alone has to be asked about (SI-04)."""
    unheard = heard.signal(SignalKind.LEADS_CALENDAR) is None
    return tag in POSITIVE and unheard and bool(text.in_signature) and not text.in_message


def with_signature_link(heard: Heard, text: Written, confidence: float) -> Heard:
    """`heard` with the page of the signature, which the writer meant."""
    sure = round(clamp_confidence(confidence), 3)
    meant = Signal(SignalKind.LEADS_CALENDAR, sure, "link_in_signature", link=text.in_signature[0])
    return replace(heard, signals=(*heard.signals, meant))


_TAKES = re.compile(
    r"\b(?:works?(?: (?:for|with) (?:me|us)| great| well| perfectly| fine)?|see you (?:then|on|at)|count me in|confirmed"
    r"|perfect|either (?:one|works|is)|the (?:first|second|third|last|earlier|later) (?:one|slot|time|option)"
    r"|none of (?:those|these|them)|neither)\b"
)
_DAY_WORDS = re.compile(
    r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|\b(?:tomorrow|this (?:afternoon|morning|evening)|next week)\b"
)


def _suggested(body: str, last_of_ours: str) -> Process:
    """3 when they name a time, 2 when they take up times that we offered, 1 otherwise. Words in prose are no times: "we
    sat down", "a ratio of 3/4", "that may work" (follow-ups B10)."""
    said, offered = folded(body), {mention.clock for mention in mentions(last_of_ours)}
    named = mentions(body)
    if offered and (any(mention.clock in offered for mention in named) or (not named and _TAKES.search(said))):
        return Process.OFFERED_TIMES
    if any(mention.is_exact for mention in named) or _DAY_WORDS.search(said):
        return Process.LEAD_PROPOSES
    return Process.LINK_AND_QUALIFICATION


# ── what later stages make of it ─────────────────────────────────────────────

_HINTS = {
    Process.LINK_AND_QUALIFICATION: "Lead towards a meeting: our booking link where it helps, and at most one question about "
    "whether we fit",
    Process.OFFERED_TIMES: "They answer times that we offered: let them pick one of the listed times, and no other",
    Process.LEAD_PROPOSES: "They name a time: confirm it only if it is one of the listed times, else offer the nearest listed",
    Process.CALL: "They want to be telephoned: say that somebody will call; do not press for a time by writing",
    Process.LEADS_SCHEDULER: "They want us to book on their own calendar: say that we will; offer no link and no times of ours",
}  # fmt: skip
_SIGNS = {
    SignalKind.CALL_REQUESTED: "They ask to be called",
    SignalKind.LEADS_CALENDAR: "They ask to be booked on their own calendar",
}


def sections(heard: Heard, *, has_phone: bool) -> dict[str, str]:
    """What the pack of a draft gets: the signals, and how the route is walked. Empty when nothing was heard (SI-06); with
    the lead's own calendar our link and times are taken away, so that no draft offers them (BK-67)."""
    texts: dict[str, str] = {}
    if heard.signals:
        texts["action_signals"] = "\n".join(
            f"{_SIGNS[each.kind]} ({'sure' if each.is_high else 'not quite sure'})" for each in heard.signals
        )
    ways = dict.fromkeys(process for process, kind in SIGNAL_OF.items() if heard.signal(kind))
    if not ways and heard.route is not None:
        ways = {heard.route.process: None}
    hints = [_HINTS[process] for process in ways]
    if heard.signal(SignalKind.CALL_REQUESTED) is not None and not has_phone:
        hints.append("We have no number of theirs: ask for the best one")
    if hints:
        texts["booking_hints"] = "\n".join(hints)
    if heard.signal(SignalKind.LEADS_CALENDAR) is not None:
        texts |= {"booking_link": "", "available_times": ""}
    return texts
