"""A text message in parts: how the model may write them, how they are kept, what they cost on the wire (DR-28). Pure."""

import json
import re
from enum import StrEnum
from typing import Any

PART_CHARS = 160
MAX_PARTS = 3
SEPARATOR = "\n---\n"

_SEPARATOR_LINE = re.compile(r"^[ \t]*-{3,}[ \t]*$", re.M)
_TAGS = re.compile(r"<sms_part>(.*?)</sms_part>", re.S | re.I)
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_DOUBLE = frozenset("^{}\\[~]|€")


class SmsProblem(StrEnum):
    """Why a text makes no message."""

    EMPTY = "empty"
    TOO_MANY_PARTS = "too_many_parts"
    PART_TOO_LONG = "part_too_long"
    CANNOT_SPLIT = "cannot_split"
    INVALID_FORMAT = "invalid_format"


class SmsError(ValueError):
    def __init__(self, problem: SmsProblem) -> None:
        super().__init__(problem.value)
        self.problem = problem


def parts_of(text: str) -> tuple[str, ...]:
    """The parts of `text`, at most three of 160 code points. `SmsError` when it cannot be sent like that.

    Parts are given by `---` lines, a JSON array or `{"parts": […]}`, or `<sms_part>` tags; a text without any is split
    between words.
    """
    text = text.strip()
    if not text:
        raise SmsError(SmsProblem.EMPTY)
    given = _given(text)
    parts = _split(text) if given is None else tuple(part for each in given if (part := each.strip()))
    if not parts:
        raise SmsError(SmsProblem.EMPTY)
    if any(len(part) > PART_CHARS for part in parts):
        raise SmsError(SmsProblem.PART_TOO_LONG)
    if len(parts) > MAX_PARTS:
        raise SmsError(SmsProblem.TOO_MANY_PARTS)
    return parts


def stored(text: str) -> str:
    """The form that is kept and shown: parts joined by a `---` line. A text that makes no message stays as it is."""
    try:
        return SEPARATOR.join(parts_of(text))
    except SmsError:
        return text.strip()


def on_the_wire(body: str) -> str:
    """What the vendor is given: the parts as one text, which it cuts into segments and phones join again."""
    return " ".join(part.strip() for part in _SEPARATOR_LINE.split(body) if part.strip())


def segments(text: str) -> int:
    """How many segments a carrier counts: 160 or 153 of the GSM alphabet, else 70 or 67 of UTF-16."""
    if all(letter in _GSM or letter in _GSM_DOUBLE for letter in text):
        units, single, several = sum(2 if letter in _GSM_DOUBLE else 1 for letter in text), 160, 153
    else:
        units, single, several = len(text.encode("utf-16-le", "surrogatepass")) // 2, 70, 67
    return 1 if units <= single else -(-units // several)


def _given(text: str) -> list[str] | None:
    if text[0] in "[{":
        return _json(text)
    tags = _TAGS.findall(text)
    if tags:
        return tags
    return _SEPARATOR_LINE.split(text) if _SEPARATOR_LINE.search(text) else None


def _json(text: str) -> list[str] | None:
    try:
        document: Any = json.loads(text)
    except ValueError:
        return None  # a text may begin with a bracket
    parts = document.get("parts") if isinstance(document, dict) else document
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        raise SmsError(SmsProblem.INVALID_FORMAT)
    return parts


def _split(text: str) -> tuple[str, ...]:
    if len(text) <= PART_CHARS:
        return (text,)
    parts, current = [], ""
    for word in text.split():
        if len(word) > PART_CHARS:
            raise SmsError(SmsProblem.CANNOT_SPLIT)
        longer = f"{current} {word}" if current else word
        if len(longer) > PART_CHARS:
            parts.append(current)
            current = word
        else:
            current = longer
    return (*parts, current)
