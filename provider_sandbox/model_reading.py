"""What the imitated model reads in a request: the lead's last words, names, times, the draft.

A request is text written by somebody else's prompt builder, so nothing is assumed about its form beyond habits:
JSON documents, `<tag>` and `<data name="...">` sections, `# headings`, `Key: value` lines, and transcript lines such as
`[2026-03-10T16:40:51Z] [email IN] Lead: Subject: … | text`.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_TAG_SECTION = re.compile(r"<([A-Za-z][\w-]{1,40})((?:\s[^<>]*)?)>\s*(.*?)\s*</\1>", re.DOTALL)
_TAG_NAME = re.compile(r"\bname=[\"']([\w -]+)[\"']")
_ANY_TAG = re.compile(r"</?[A-Za-z][^<>\n]{0,80}>")
_CHANNEL = re.compile(r"on the (\w+) channel", re.IGNORECASE)
_LENGTH = re.compile(r"between (\d+) and (\d+) characters|at most (\d+) characters", re.IGNORECASE)
_HEADING = re.compile(r"^(?:#{1,4}\s*|=+\s*|\*\*)([A-Za-z][\w ()/'-]{1,50}?)(?:\*\*|\s*=+)?:?\s*$", re.MULTILINE)
_KEY_ONLY = re.compile(r"^([A-Z][\w ()/'-]{1,50}):\s*$", re.MULTILINE)
_KEY_VALUE = re.compile(r"^[-*\s]*([A-Za-z][\w ()/'-]{1,40}):[ \t]+(\S.*)$", re.MULTILINE)
_TRANSCRIPT = re.compile(
    r"^\s*\[[^\]\n]*\]\s*\[[^\]\n]*?\b(IN|OUT|INBOUND|OUTBOUND)\]\s*(?:[A-Za-z][\w .'-]{0,40}:\s?)?(.*)$",
    re.MULTILINE | re.IGNORECASE,
)
_SPEAKER = re.compile(
    r"^\s*(?:\[[^\]\n]*\]\s*)*(lead|prospect|customer|them|agent|us|we|setter)\s*:\s+(.*)$", re.I | re.M
)
_SUBJECT = re.compile(r"^Subject:\s*(.*?)\s*\|\s*", re.IGNORECASE)
_QUOTE_START = re.compile(r"^\s*(?:On .{5,120} wrote:|-{2,}\s*Original Message|From: .+@.+)", re.IGNORECASE)
CLOCK_TIME = re.compile(r"\b\d{1,2}(?::\d{2})?\s?(?:am|pm)\b|\b\d{1,2}:\d{2}\b", re.IGNORECASE)
_DAY = re.compile(
    r"\b(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\b|\b\d{4}-\d{2}-\d{2}|\btomorrow\b",
    re.IGNORECASE,
)
_URL = re.compile(r"https?://[^\s<>\"')\]]+")

INBOUND = [
    "latest_inbound",
    "latest_inbound_message",
    "latest_lead_message",
    "latest_message",
    "last_inbound",
    "last_message",
    "lead_message",
    "inbound_message",
    "current_message",
    "latest_reply",
    "lead_reply",
    "inbound",
    "inbound_text",
    "reply_text",
    "message",
    "reply",
    "email_body",
]
DRAFT = [
    "draft",
    "draft_text",
    "draft_body",
    "draft_message",
    "proposed_reply",
    "reply_draft",
    "current_draft",
    "draft_reply",
    "final_draft",
]
AVAILABILITY = [
    "availability",
    "available_times",
    "available_slots",
    "slots",
    "offered_times",
    "times_to_offer",
    "offered_slots",
    "times",
    "open_slots",
]
FIRST_NAME = [
    "first_name",
    "lead_first_name",
    "firstname",
    "lead_name",
    "full_name",
    "name",
    "recipient_name",
    "to_name",
    "lead",
]
SIGNATURE = ["signature", "email_signature", "persona_signature", "sign_off"]
PERSONA = ["persona_name", "display_name", "sender_name", "agent_name", "setter_name", "from_name", "persona", "sender"]
PREVIOUS = ["previous_draft", "last_draft", "rejected_draft"]
LINK = ["booking_link", "calendar_link", "scheduling_link", "meeting_link", "link"]
FACTS = [
    "knowledge",
    "service_description",
    "services",
    "company_facts",
    "facts",
    "pricing",
    "offer",
    "knowledge_base",
]
SUBJECT = ["subject", "email_subject", "thread_subject"]


@dataclass(slots=True)
class Reading:
    """What was found. `sections` maps a normalised name to every text found under it, in order."""

    text: str
    sections: dict[str, list[str]] = field(default_factory=dict)
    turns: list[tuple[str, str]] = field(default_factory=list)
    last_item: str = ""

    def first(self, names: Sequence[str], *, last: bool = False) -> str:
        for name in names:
            for value in reversed(self.sections.get(name, [])) if last else self.sections.get(name, []):
                if value.strip():
                    return value.strip()
        return ""

    @property
    def last_inbound(self) -> str:
        """The lead's last words without quoted history and without the subject."""
        found = next((text for direction, text in reversed(self.turns) if direction == "in" and text.strip()), "")
        return own_words(self.first(INBOUND, last=True) or found or self.last_item)

    @property
    def subject(self) -> str:
        return self.first(SUBJECT, last=True).splitlines()[0] if self.first(SUBJECT) else ""

    @property
    def first_name(self) -> str:
        for value in (self.first([name]) for name in FIRST_NAME):
            word = value.splitlines()[0].strip(" ,.").split(" ")[0] if value else ""
            if re.fullmatch(r"[^\W\d_][\w'’-]{0,30}", word) and word.lower() not in ("unknown", "none", "null", "lead"):
                return word
        return ""

    @property
    def signature(self) -> str:
        """The signature as given, else the sender's name; nothing when the request says that it is added later."""
        if self.first(SIGNATURE):
            return self.first(SIGNATURE)
        if re.search(r"do not (?:sign|add a signature)|signature[^.\n]{0,30} added later", self.text, re.IGNORECASE):
            return ""
        persona = self.first(PERSONA)
        return persona.splitlines()[0].strip() if persona else ""

    @property
    def availability(self) -> list[str]:
        """Lines that name a day and a time, from the availability section only."""
        lines = [line.strip(" -*•\t\"',") for line in self.first(AVAILABILITY).splitlines()]
        return [line for line in lines if CLOCK_TIME.search(line) and len(line) <= 120]

    @property
    def booking_link(self) -> str:
        found = _URL.search(self.first(LINK))
        return found.group(0).rstrip(".,") if found else ""

    @property
    def draft(self) -> str:
        return self.first(DRAFT, last=True)

    @property
    def facts(self) -> str:
        return "\n".join(value for name in FACTS for value in self.sections.get(name, []))

    @property
    def previous_draft(self) -> str:
        return self.first(PREVIOUS)

    @property
    def channel(self) -> str:
        named = _CHANNEL.search(self.text)
        return (self.first(["channel", "reply_channel"]) or (named[1] if named else "")).lower()

    @property
    def length(self) -> tuple[int, int | None]:
        """The least and the most characters that the request asks for; (0, None) when it names no length."""
        found = _LENGTH.search(self.text)
        if found is None:
            return (0, 160) if self.channel == "sms" else (0, None)
        return (0, int(found[3])) if found[3] else (int(found[1]), int(found[2]))


def normalise(name: str) -> str:
    snake = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name.strip())
    return re.sub(r"[^a-z0-9]+", "_", snake.lower()).strip("_")


def own_words(text: str) -> str:
    """A message without the quoted thread below it and without quoted lines."""
    kept = []
    for line in _SUBJECT.sub("", text.replace("\\n", "\n")).splitlines():
        if _QUOTE_START.match(line):
            break
        if not line.lstrip().startswith(">"):
            kept.append(line)
    return "\n".join(kept).strip()


def times_in(text: str) -> list[str]:
    """The clauses that name a day or a clock time, as written."""
    clauses = [part.strip() for part in re.split(r"[\n.;!?]|,\s| or ", text)]
    return [clause for clause in clauses if clause and (CLOCK_TIME.search(clause) or _DAY.search(clause))]


def links_in(text: str) -> list[str]:
    return [url.rstrip(".,") for url in _URL.findall(text)]


def item_texts(request: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(role, text) of every input item; `instructions` come first as role system."""
    if request.get("instructions"):
        yield "system", str(request["instructions"])
    source = request.get("input")
    if isinstance(source, str):
        yield "user", source
        return
    for item in source or []:
        content = item.get("content") if isinstance(item, dict) else None
        if isinstance(content, str):
            yield str(item.get("role", "user")), content
        for part in content if isinstance(content, list) else []:
            if isinstance(part, dict) and isinstance(part.get("text"), str):
                yield str(item.get("role", "user")), part["text"]


def read(request: Mapping[str, Any]) -> Reading:
    """Read one Responses request. Instructions are searched for facts (persona, times), never for the lead's words."""
    items = list(item_texts(request))
    reading = Reading(text="\n\n".join(text for _, text in items))
    for role, text in items:
        _collect(reading, text, spoken=role not in ("system", "developer"))
        if role == "user":
            reading.last_item = text
    return reading


def _collect(reading: Reading, text: str, *, spoken: bool) -> None:
    document = _json_inside(text)
    if document is not None:
        _walk(reading, "", document, spoken)
        return
    found: list[tuple[str, str]] = []
    for match in _TAG_SECTION.finditer(text):
        named = _TAG_NAME.search(match[2])
        name = named[1] if named else match[1]
        inner = _json_inside(match[3])
        if inner is not None:
            _walk(reading, normalise(name), inner, spoken)
        found.append((name, match[3]))
    bare = _ANY_TAG.sub("", text)
    found += _headed(bare)
    found += [(match[1], match[2]) for match in _KEY_VALUE.finditer(bare)]
    for name, body in found:
        key = normalise(name)
        if spoken or key not in (*INBOUND, *DRAFT):
            reading.sections.setdefault(key, []).append(body)
    if spoken:
        turns = [("in" if m[1].upper().startswith("IN") else "out", m[2]) for m in _TRANSCRIPT.finditer(text)]
        theirs = ("lead", "prospect", "customer", "them")
        turns = turns or [("in" if m[1].lower() in theirs else "out", m[2]) for m in _SPEAKER.finditer(text)]
        reading.turns += turns


def _headed(text: str) -> list[tuple[str, str]]:
    found = {match.start(): match for match in [*_HEADING.finditer(text), *_KEY_ONLY.finditer(text)]}
    marks = [found[start] for start in sorted(found)]
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    return [(mark[1], text[mark.end() : end].strip()) for mark, end in zip(marks, ends, strict=False)]


def _json_inside(text: str) -> Any:
    stripped = text.strip()
    if stripped[:1] not in "{[" or not stripped:
        return None
    try:
        document = json.loads(stripped)
    except ValueError:
        return None
    return document if isinstance(document, dict | list) else None


def _walk(reading: Reading, name: str, value: Any, spoken: bool) -> None:
    if isinstance(value, dict):
        text = next(
            (value[key] for key in ("body", "text", "content", "message") if isinstance(value.get(key), str)), None
        )
        direction = str(value.get("direction") or value.get("role") or value.get("from") or "").lower()
        if text is not None and direction and spoken:
            incoming = direction.startswith(("in", "lead", "prospect", "user", "customer"))
            reading.turns.append(("in" if incoming else "out", text))
            return
        for key, inner in value.items():
            _walk(reading, normalise(str(key)), inner, spoken)
    elif isinstance(value, list):
        scalars = [str(item) for item in value if isinstance(item, str | int | float)]
        if scalars and name:
            reading.sections.setdefault(name, []).append("\n".join(scalars))
        for item in value:
            if isinstance(item, dict):
                label = next(
                    (item[key] for key in ("label", "display", "start") if isinstance(item.get(key), str)), None
                )
                if label is not None and name in AVAILABILITY:
                    reading.sections.setdefault(name, [""])[0] += label + "\n"
                _walk(reading, name, item, spoken)
    elif isinstance(value, str) and name:
        reading.sections.setdefault(name, []).append(value)
