"""The day an out-of-office notice announces, by a small grammar of our own (English, French, Spanish, German).

A doubtful date gives None: a date library reads "10-11am" as a day next year, and a wrong snooze loses a lead. A date
without a year is the next one; one that lately passed says nothing (B27). Impossible days give None (B24).
"""

import re
from datetime import date, datetime, timedelta

MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan janvier janv enero ene januar",
            "february feb fevrier fevr febrero februar",
            "march mar mars marzo marz maerz",
            "april apr avril avr abril abr",
            "may mai mayo",
            "june jun juin junio juni",
            "july jul juillet juil julio juli",
            "august aug aout agosto ago",
            "september sep sept septembre septiembre",
            "october oct octobre octubre oktober okt",
            "november nov novembre noviembre",
            "december dec decembre diciembre dic dezember dez",
        ),
        start=1,
    )
    for name in names.split()
}
_WEEKDAYS = {
    name: number
    for number, names in enumerate(
        (
            "monday mon lundi lunes montag",
            "tuesday tue tues mardi martes dienstag",
            "wednesday wed mercredi miercoles mittwoch",
            "thursday thu thur thurs jeudi jueves donnerstag",
            "friday fri vendredi viernes freitag",
            "saturday sat samedi sabado samstag",
            "sunday sun dimanche domingo sonntag",
        )
    )
    for name in names.split()
}
_MONTH = "(?:" + "|".join(sorted(MONTHS, key=len, reverse=True)) + r")\b\.?"
_DAY_NAME = "(?:" + "|".join(sorted(_WEEKDAYS, key=len, reverse=True)) + r")\b\.?"

_RETURN = (
    r"(?:(?:be |am |are |i'll be |i am |)?(?:back|returning|return|available again|reachable again)(?: to work"
    r"| to the office| in the office| at my desk| online)?"
    r"(?: again)?|until|till|through|thru|on leave to|away to|de retour(?: au bureau)?|mon retour(?: est prevu)?"
    r"|je reviens|je reviendrai|reviendrai|jusqu'au|jusqu'a|jusque|"
    r"a partir|ab|de vuelta|regreso|regresare|volvere|vuelvo|estare de vuelta|hasta|bis(?: einschliesslich| zum)?"
    r"|wieder(?: erreichbar| im buro| da| zuruck)?|zuruck|ruckkehr)"
)
_LEAD_IN = (
    r"(?:(?:on|the|by|from|of|as|until|till|le|la|au|du|del|prevu|des|el|dia|proximo|am|ab|dem|den|zum|inclusive"
    r"|und einschliesslich|einschliesslich|the morning of|next|"
    r"kommenden|prochain|este|pour)\s+){0,4}"
)
_DATE = (
    rf"(?:(?P<iso>\d{{4}}-\d{{2}}-\d{{2}})"
    rf"|(?:{_DAY_NAME},? ?(?:the |le |el |den |dem )?)?(?P<day>\d{{1,2}})(?:st|nd|rd|th|er|º|o|\.)?,? ?(?:of |de "
    rf"|d')?(?P<month>{_MONTH})(?:,? (?:de |del )?(?P<year>\d{{4}}))?"
    rf"|(?:{_DAY_NAME},? )?(?P<month2>{_MONTH}) (?P<day2>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,? (?P<year2>\d{{4}}))?"
    rf"|(?:{_DAY_NAME},? ?(?:the |le |el |den |dem )?)?(?P<a>\d{{1,2}})[./-](?P<b>\d{{1,2}})(?:[./-](?P<c>\d{{4}}"
    rf"|\d{{2}}))?\.?"
    rf"|(?P<weekday>{_DAY_NAME})|(?P<tomorrow>tomorrow|demain|manana|morgen)|(?P<next_week>week|semana|woche))"
)
_PHRASE = re.compile(
    rf"\b(?P<verb>{_RETURN})\s*:?\s+{_LEAD_IN}{_DATE}(?P<after> (?:inclus|inclusive|incluido|einschliesslich)\w*)?"
)
_INCLUSIVE = re.compile(r"through|thru|einschliesslich")
_DAY_FIRST = re.compile(
    r"\b(?:jusqu|retour|suis|conges|absent|bureau|hasta|regreso|estoy|oficina|vacaciones|bis zum|ab dem|wieder"
    r"|zuruck|abwesend|urlaub|ich bin)"
)
_STALE_DAYS = 60
_READ_CHARS = 4_000


def find_return_date(text: str, now: datetime) -> date | None:
    """The first day back that `text` (folded) announces after `now`; None when none is certain."""
    text = " ".join(text[:_READ_CHARS].split())
    day_first = _DAY_FIRST.search(text) is not None
    for match in _PHRASE.finditer(text):
        found = _date_of(match, now.date(), day_first=day_first)
        if found is None:
            continue
        if match["after"] or _INCLUSIVE.search(match["verb"]):
            found += timedelta(days=1)
        return found if found > now.date() else None
    return None


def _date_of(match: re.Match[str], today: date, *, day_first: bool) -> date | None:
    if match["iso"]:
        return _make(*(int(part) for part in match["iso"].split("-")))
    if match["weekday"]:
        ahead = (_WEEKDAYS[match["weekday"].rstrip(".")] - today.weekday()) % 7
        return today + timedelta(days=ahead or 7)
    if match["tomorrow"]:
        return today + timedelta(days=1)
    if match["next_week"]:
        # "next week": its Monday. "this week" has no lead-in above and never comes here.
        return (
            today + timedelta(days=7 - today.weekday())
            if "next" in match[0] or "prox" in match[0] or "kommend" in match[0]
            else None
        )
    if match["a"]:
        return _numeric(match, today, day_first=day_first)
    month = MONTHS[(match["month"] or match["month2"]).rstrip(".")]
    day, year = int(match["day"] or match["day2"]), match["year"] or match["year2"]
    return _make(int(year), month, day) if year else _next(today, month, day)


def _numeric(match: re.Match[str], today: date, *, day_first: bool) -> date | None:
    """Day and month in figures; both orders possible and no sign which gives None."""
    first, second = int(match["a"]), int(match["b"])
    if first > 12 or first == second or (second <= 12 and (day_first or "." in match[0])):
        day, month = first, second
    elif second > 12:
        day, month = second, first
    else:
        return None
    if match["c"] is None:
        return _next(today, month, day)
    year = int(match["c"])
    return _make(year + 2000 if year < 100 else year, month, day)


def _make(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _next(today: date, month: int, day: int) -> date | None:
    """The next such day, unless it passed in the last weeks: then the notice is stale, not a year early."""
    this_year = _make(today.year, month, day)
    if this_year is not None and this_year < today:
        return None if (today - this_year).days <= _STALE_DAYS else _make(today.year + 1, month, day)
    return this_year
