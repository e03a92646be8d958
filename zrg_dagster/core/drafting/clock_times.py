"""Clock times in a text, with the day and zone named beside them, compared with free slots. English texts."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from zrg_dagster.core.drafting.slots import Slot

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

_TIME = re.compile(
    r"""
    (?<![\d$€£.,:/-])
    (?: (?P<h12>1[0-2]|0?[1-9]) (?: [:.](?P<m12>[0-5]\d) )? \s* (?P<half>[ap]) \.? m \b \.?
      | (?P<h24>[01]?\d|2[0-3]) : (?P<m24>[0-5]\d) (?!\d)
      | (?P<word>noon|midday|midnight)\b
      | (?<=\bat\s)(?P<bare>1[0-2]|[1-9])(?=\s*(?:[.,?!;)]|$|o'?clock|on\b|tomorrow|today|mon|tue|wed|thu|fri|sat|sun))
    )
    (?: \s* \(? (?P<zone>[ECMP][SD]?T|GMT|UTC|BST|CES?T|IST|JST|AES?T|AEDT)\b )?
    """,
    re.X | re.I,
)
_WEEKDAY_TEXT = r"\b(?P<weekday>mon|tue|wed|thu|fri|sat|sun)(?:s|nes|rs|ur)?(?:day)?s?\b\.?"
_MONTH_DAY_TEXT = (
    r"\b(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?\s+(?P<day>\d{1,2})(?:st|nd|rd|th)?\b"
)
_WEEKDAY = re.compile(_WEEKDAY_TEXT, re.I)
_MONTH_DAY = re.compile(_MONTH_DAY_TEXT, re.I)
# "9:00 AM EST on Tue, Feb 17": the day that a time carries behind it.
_DAY_BEHIND = re.compile(
    rf"[\s,(]*(?:(?:on|this|next|coming)\s+)?(?:the\s+)?(?:{_WEEKDAY_TEXT})?[\s,(]*(?:{_MONTH_DAY_TEXT})?", re.I
)
# A weekday and a date further apart than this name different days.
_SAME_DAY_CHARS = 16
_SENTENCE_END = re.compile(r"[.!?](?=\s|$)|\n")
_LETTER_ZONES = {"ET": "E", "CT": "C", "MT": "M", "PT": "P"}


@dataclass(frozen=True, slots=True)
class Mention:
    """One clock time. `clock` is (hour, minute) on 24 hours; `half_known` is False for "at 10" (either half fits).

    `weekday` 0 is Monday; `month_day` is (month, day); both as named in the same sentence.
    """

    text: str
    clock: tuple[int, int]
    half_known: bool
    zone: str | None
    weekday: int | None
    month_day: tuple[int, int] | None
    in_question: bool

    @property
    def is_exact(self) -> bool:
        return self.half_known


def mentions(text: str) -> list[Mention]:
    """Every clock time in `text`."""
    found = []
    for end, sentence in _sentences(text):
        for match in _TIME.finditer(sentence):
            clock, half_known = _clock(match)
            weekday, month_day = _day_of(sentence, match.start(), match.end())
            found.append(
                Mention(
                    text=match[0].strip(),
                    clock=clock,
                    half_known=half_known,
                    zone=match["zone"].upper() if match["zone"] else None,
                    weekday=weekday,
                    month_day=month_day,
                    in_question=_ends_with_question(text, end, sentence),
                )
            )
    return found


def unoffered(mention: Mention, slots: Iterable[Slot]) -> Literal["time", "day"] | None:
    """None when a slot has this time on the named day; else what is wrong with it."""
    same_time = [slot for slot in slots if _fits_clock(mention, slot) and _fits_zone(mention, slot)]
    if not same_time:
        return "time"
    return None if any(_fits_day(mention, slot) for slot in same_time) else "day"


def _sentences(text: str) -> list[tuple[int, str]]:
    """(end offset, sentence) pairs. A full stop inside "a.m." ends a sentence too; that only narrows the day search."""
    sentences, start = [], 0
    for match in _SENTENCE_END.finditer(text):
        sentences.append((match.end(), text[start : match.end()]))
        start = match.end()
    return [*sentences, (len(text), text[start:])]


def _ends_with_question(text: str, end: int, sentence: str) -> bool:
    return sentence.rstrip().endswith("?") or text[end : end + 1] == "?"


def _clock(match: re.Match[str]) -> tuple[tuple[int, int], bool]:
    if match["word"]:
        return ((0, 0) if match["word"].lower() == "midnight" else (12, 0)), True
    if match["h12"]:
        hour = int(match["h12"]) % 12 + (12 if match["half"].lower() == "p" else 0)
        return (hour, int(match["m12"] or 0)), True
    if match["h24"]:
        hour = int(match["h24"])
        # "9:30" may be either half; "09:30", "14:30" and "0:30" say which.
        return (hour, int(match["m24"])), not (1 <= hour <= 12 and not match["h24"].startswith("0"))
    return (int(match["bare"]), 0), False


def _day_of(sentence: str, start: int, end: int) -> tuple[int | None, tuple[int, int] | None]:
    """The day of the time at [start, end): right behind it, else the last one named before, else the first one after."""
    behind = _DAY_BEHIND.match(sentence, end)
    if behind and (behind["weekday"] or behind["month"]):
        return _weekday(behind), _month_day(behind)
    weekdays, dates = list(_WEEKDAY.finditer(sentence)), list(_MONTH_DAY.finditer(sentence))
    weekday, date = _last_before(weekdays, start), _last_before(dates, start)
    if weekday is None and date is None:
        weekday, date = (next((item for item in items if item.start() >= end), None) for items in (weekdays, dates))
    if weekday and date and abs(weekday.start() - date.start()) > _SAME_DAY_CHARS:
        nearer = min((weekday, date), key=lambda item: abs(item.start() - start))
        weekday, date = (weekday, None) if nearer is weekday else (None, date)
    return _weekday(weekday), _month_day(date)


def _last_before(items: list[re.Match[str]], at: int) -> re.Match[str] | None:
    before = [item for item in items if item.start() < at]
    return before[-1] if before else None


def _weekday(match: re.Match[str] | None) -> int | None:
    return _WEEKDAYS.index(match["weekday"].lower()) if match and match["weekday"] else None


def _month_day(match: re.Match[str] | None) -> tuple[int, int] | None:
    return (_MONTHS.index(match["month"].lower()) + 1, int(match["day"])) if match and match["month"] else None


def _fits_clock(mention: Mention, slot: Slot) -> bool:
    hour, minute = mention.clock
    if minute != slot.local.minute:
        return False
    return hour == slot.local.hour or (not mention.half_known and hour % 12 == slot.local.hour % 12)


def _fits_zone(mention: Mention, slot: Slot) -> bool:
    """The named zone is the slot's own token, or its family ("ET" for EST and EDT)."""
    if mention.zone is None:
        return True
    token = slot.zone_token.upper()
    family = _LETTER_ZONES.get(mention.zone)
    return mention.zone == token or (family is not None and len(token) == 3 and token[0] == family and token[2] == "T")


def _fits_day(mention: Mention, slot: Slot) -> bool:
    if mention.month_day is not None and mention.month_day != (slot.local.month, slot.local.day):
        return False
    return mention.weekday is None or mention.weekday == slot.local.weekday()
