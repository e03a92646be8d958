"""The day after which somebody wants to hear from us again: "reach out after January 20" (SN-02 to SN-08). Pure.

Only what certainly names a day or a quarter counts, in English, French and Spanish: a lead that is snoozed for a wrong
reason is hidden from everybody. A day without a year that passed lately says nothing, one that passed long ago means the
next year. What was, who is called Jan, and until when an offer is open are no wishes.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta

from zrg_dagster.core.text.chars import folded
from zrg_dagster.core.text.return_date import MONTHS

_NAMES = "|".join(sorted(MONTHS, key=len, reverse=True))
_MONTH = f"(?P<{{0}}>{_NAMES})\\b"
_SHORT = re.compile(rf"\b({_NAMES})\.")  # a point that ends no sentence
_YEAR = r"(?:,? (?:de |del |of )?(?P<{0}>\d{{4}})\b)?"
_ORDINAL = r"(?:st|nd|rd|th|er)?\b"
_WHEN = r"(?P<when>after|until|till|from|starting|apres|jusqu'au|a partir du|despues del?|hasta el|a partir del|in|en)"
_DAY = (
    rf"(?:the |le |el )?(?:{_MONTH.format('month')} (?:the )?(?P<day>\d{{1,2}}){_ORDINAL}{_YEAR.format('year')}"
    rf"|(?P<day2>\d{{1,2}}){_ORDINAL} (?:of |de )?{_MONTH.format('month2')}{_YEAR.format('year2')})"
)
_QUARTER = r"q(?P<quarter>[1-4])(?:,? (?:of )?(?:fy ?|'|(?=\d{4}))?(?P<qyear>\d{4}|\d{2}))?\b"
_PHRASE = re.compile(rf"\b{_WHEN} (?:the end of |mid-?|early )?(?:{_DAY}|{_QUARTER})(?P<rest>[^.!?\n]{{0,40}})")
_SENTENCE = re.compile(r"[^.!?\n]*(?:\.(?=\w)[^.!?\n]*)*[.!?\n]?")
# What was; and "20 people", "3 pm", "5 %": a figure beside a month that is no day of it.
_PAST = re.compile(r"\b(?:was|were|had|did|used|since|been|launched|moved|last year|ago|etait|avons ete|fue|hemos)\b")
_NO_DAY = re.compile(r"^ ?(?:%|percent|people|employees|users|k\b|:\d|am\b|pm\b|to \w+ \d)")
_OPEN_UNTIL = re.compile(r"\b(?:available|free|open|valid|disponibles?|libres?|valables?|validos?|abiert[oa]s?)\b")
_PASSED_LATELY = timedelta(days=31)  # B27, SN-04


@dataclass(frozen=True, slots=True)
class Deferral:
    """`day` is the first on which to write; `confidence` as SN-05 has it; `words` is what was read, as a proof."""

    day: date
    confidence: float
    words: str


def find_deferral(text: str, today: date) -> Deferral | None:
    """The first certain wish in `text` (the writer's own words, without quotations), said on `today` where the lead is."""
    for sentence in _SENTENCE.findall(_SHORT.sub(r"\1", folded(text))):
        if _PAST.search(sentence):
            continue
        for match in _PHRASE.finditer(sentence):
            if _NO_DAY.match(match["rest"]):
                continue
            if match["when"] in _UNTIL and _OPEN_UNTIL.search(sentence[: match.start()]):
                continue
            day = _quarter(match, today) if match["quarter"] else _day(match, today)
            if day is not None and day > today:
                words = match[0].removesuffix(match["rest"])
                return Deferral(day, 0.97 if match["quarter"] else 0.99, words)
    return None


_UNTIL = frozenset({"until", "till", "jusqu'au", "hasta el"})
# "in January 20" is nobody's English for a day.
_BEFORE_QUARTERS_ONLY = frozenset({"in", "en"})


def _day(match: re.Match[str], today: date) -> date | None:
    if match["when"] in _BEFORE_QUARTERS_ONLY:
        return None
    month = MONTHS[match["month"] or match["month2"]]
    day, year = int(match["day"] or match["day2"]), match["year"] or match["year2"]
    if year:
        return _made(int(year), month, day)
    return _next(_made(today.year, month, day), _made(today.year + 1, month, day), today)


def _quarter(match: re.Match[str], today: date) -> date | None:
    """A quarter's first day, and after it the day after its end (SN-06); a fiscal year is read as a calendar year."""
    number, year = int(match["quarter"]), match["qyear"]
    is_after = match["when"] in ("after", "apres", "despues de")
    first_year = (int(year) + (2000 if len(year) == 2 else 0)) if year else today.year
    days = [_start(first_year + ahead, number, is_after=is_after) for ahead in (0, 1)]
    if year:
        return days[0]
    # The quarter that runs is no wish for next year's.
    if _start(today.year, number) <= today < _start(today.year, number, is_after=True) and not is_after:
        return None
    return _next(days[0], days[1], today)


def _start(year: int, quarter: int, *, is_after: bool = False) -> date:
    months = (quarter - 1 + is_after) * 3
    return date(year + months // 12, months % 12 + 1, 1)


def _next(this_year: date | None, next_year: date | None, today: date) -> date | None:
    if this_year is None or this_year > today:
        return this_year
    return next_year if today - this_year > _PASSED_LATELY else None


def _made(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
