"""The template language of messages: strict tokens, no logic, no defaults (FU-73..FU-80, FU-84..FU-87).

An unknown token, or a known one whose value is absent or blank, blocks the whole message with every problem listed.
`{company}` and `{name}` are our company and our sender, never the lead's (FU-75).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from zrg_dagster.core.text.spintax import InvalidSpintax, every_option, expand

MissingClass = Literal["lead", "workspace", "booking", "availability"]

# FU-79: the first class with a problem names the reason.
REASONS: dict[MissingClass, str] = {
    "lead": "missing_lead_data",
    "workspace": "missing_workspace_setup",
    "booking": "missing_booking_link",
    "availability": "missing_availability",
}
INVALID_SPINTAX = "invalid_spintax"


@dataclass(frozen=True, slots=True)
class Variable:
    """One value that a template can ask for; `tokens` are its spellings, the canonical one first (FU-74)."""

    name: str
    missing: MissingClass
    tokens: tuple[str, ...]


VARIABLES: tuple[Variable, ...] = (
    Variable(
        "first_name",
        "lead",
        ("{firstName}", "{FIRST_NAME}", r"{FIRST\_NAME}", "{{contact.first_name}}", r"{{contact.first\_name}}"),
    ),
    Variable("last_name", "lead", ("{lastName}",)),
    Variable("email", "lead", ("{email}",)),
    Variable("phone", "lead", ("{phone}",)),
    Variable("lead_company_name", "lead", ("{leadCompanyName}",)),
    Variable("sender_name", "workspace", ("{senderName}", "{name}")),
    Variable("signature", "workspace", ("{signature}",)),
    Variable("company_name", "workspace", ("{companyName}", "{company}")),
    Variable("result", "workspace", ("{result}", "{achieving result}")),
    Variable("qualification_question_1", "workspace", ("{qualificationQuestion1}", "{qualification question 1}")),
    Variable("qualification_question_2", "workspace", ("{qualificationQuestion2}", "{qualification question 2}")),
    Variable("calendar_link", "booking", ("{calendarLink}", "{link}")),
    Variable("availability", "availability", ("{availability}",)),
    Variable("slot_option_1", "availability", ("{time 1 day 1}", "{x day x time}")),
    Variable("slot_option_2", "availability", ("{time 2 day 2}", "{y day y time}")),
)
_BY_TOKEN = {token: variable for variable in VARIABLES for token in variable.tokens}
_TOKEN = re.compile(r"\{\{[^{}]+\}\}|\{[^{}]+\}")
# Braces around tokens: filled in, the whole would look like a token that nobody filled in.
_WRAPPED = re.compile(r"\{[^{}]*(?:(?:\{\{[^{}]+\}\}|\{[^{}]+\})[^{}]*)+\}")


@dataclass(frozen=True, slots=True)
class Rendered:
    body: str
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Blocked:
    """Why nothing may be sent. `reason` is the stored code, `tokens` all problems in token order, subject first."""

    reason: str
    tokens: tuple[str, ...]


def render(body: str, values: Mapping[str, str | None], *, seed: str, subject: str | None = None) -> Rendered | Blocked:
    """Fill subject and body from `values` (keys are `Variable.name`).

    Groups are expanded first, then all tokens in one pass, so braces inside a value are never read as a token (FU-77).
    """
    problems: list[str] = []
    filled = [_fill(part, values, seed, problems) for part in (subject, body)]
    if problems:
        return _blocked(problems)
    if not (filled[1] or "").strip():
        return Blocked(REASONS["workspace"], ())
    return Rendered(body=filled[1] or "", subject=filled[0])


def variables_in(template: str) -> frozenset[str]:
    """Names of the values a template asks for in any of its options; what a caller has to load."""
    return frozenset(_BY_TOKEN[token].name for token in _tokens(template) if token in _BY_TOKEN)


def problems_in(template: str) -> tuple[str, ...]:
    """Unknown tokens in any option, or `invalid_spintax`: what create and update refuse (FU-86, FU-87)."""
    try:
        expanded = every_option(template)
    except InvalidSpintax:
        return (INVALID_SPINTAX,)
    return _unique([*_wrapped(expanded), *(token for token in _TOKEN.findall(expanded) if token not in _BY_TOKEN)])


def _wrapped(text: str) -> list[str]:
    return [found for found in _WRAPPED.findall(text) if not _TOKEN.fullmatch(found)]


def _tokens(template: str) -> list[str]:
    try:
        return _TOKEN.findall(every_option(template))
    except InvalidSpintax:
        return _TOKEN.findall(template)


def _fill(template: str | None, values: Mapping[str, str | None], seed: str, problems: list[str]) -> str | None:
    if template is None:
        return None
    try:
        text = expand(template, seed)
    except InvalidSpintax:
        problems.append(INVALID_SPINTAX)
        return None

    problems.extend(_wrapped(text))

    def value_of(match: re.Match[str]) -> str:
        variable = _BY_TOKEN.get(match[0])
        value = values.get(variable.name) if variable else None
        if value is None or not value.strip():
            problems.append(match[0])
            return ""
        return value

    return _TOKEN.sub(value_of, text)


def _blocked(problems: Iterable[str]) -> Blocked:
    tokens = _unique(problems)
    groups: dict[MissingClass, list[str]] = {name: [] for name in REASONS}
    for token in tokens:
        variable = _BY_TOKEN.get(token)
        missing: MissingClass = variable.missing if variable else "workspace"
        groups[missing].append(token)
    ordered = tuple(token for group in groups.values() for token in group)
    first: MissingClass = next(name for name, group in groups.items() if group)
    return Blocked(f"{REASONS[first]}: {', '.join(ordered)}", tokens)


def _unique(items: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(items))
