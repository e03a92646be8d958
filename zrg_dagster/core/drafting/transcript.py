"""The conversation as the model reads it: the latest lines, oldest first, within a budget (SE-11, SE-12, SE-13)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

MAX_LINES = 40
MAX_CHARS = 18_000  # 4,500 tokens at four characters each (EV-04)
MAX_LINE_CHARS = 4_000
CUT = " […]"


@dataclass(frozen=True, slots=True)
class TranscriptLine:
    """One message. `body` is the cleaned text."""

    message_id: UUID
    sent_at: datetime
    channel: str
    is_inbound: bool
    subject: str | None
    body: str


def format_line(line: TranscriptLine) -> str:
    """`[2026-03-10T16:41:22Z] [email IN] Lead: Subject: Re: looms | Sounds useful.` with line breaks escaped."""
    stamp = line.sent_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    direction, who = ("IN", "Lead") if line.is_inbound else ("OUT", "Agent")
    subject = f"Subject: {_flat(line.subject)} | " if line.subject else ""
    body = line.body if len(line.body) <= MAX_LINE_CHARS else line.body[:MAX_LINE_CHARS] + CUT
    return f"[{stamp}] [{line.channel} {direction}] {who}: {subject}{_flat(body)}"


def format_transcript(lines: Sequence[TranscriptLine], *, max_chars: int = MAX_CHARS) -> str:
    """The newest lines that fit, oldest first, each message once. The newest one is always there."""
    newest_first = sorted({line.message_id: line for line in lines}.values(), key=_order, reverse=True)
    kept: list[str] = []
    used = 0
    for line in newest_first[:MAX_LINES]:
        formatted = format_line(line)
        if kept and used + len(formatted) > max_chars:
            break
        kept.append(formatted)
        used += len(formatted) + 1
    return "\n".join(reversed(kept))


def _order(line: TranscriptLine) -> tuple[datetime, UUID]:
    return line.sent_at, line.message_id


def _flat(text: str) -> str:
    return text.strip().replace("\r\n", "\n").replace("\\", "\\\\").replace("\n", "\\n")
