"""What a draft states that must have a source: prices, promises. Pure (PX rules, claims of the final text).

A price is supported by the service description, and by the knowledge only where the description says nothing about
prices (PX-02); amount and cadence must both stand there. Everything else of a draft that needs a source, times and
links, is guards.py's.
"""

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any


class ClaimKind(StrEnum):
    PRICE = "price"
    PROMISE = "promise"


@dataclass(frozen=True, slots=True)
class Claim:
    """`source` names the section that the claim stands in, None when none does. `problem` says what is wrong then."""

    kind: ClaimKind
    excerpt: str
    source: str | None
    problem: str | None = None

    def document(self) -> dict[str, Any]:
        return {**asdict(self), "kind": self.kind.value}


@dataclass(frozen=True, slots=True)
class Sources:
    """Our own texts that may support a claim."""

    service_description: str
    knowledge: str = ""


NO_SOURCES = Sources("")


def claims_in(draft: str, sources: Sources) -> tuple[Claim, ...]:
    """Every claim of `draft` with its source, prices first, in reading order."""
    return (*_prices(draft, sources), *_promises(draft, sources))


# ── prices ───────────────────────────────────────────────────────────────────

_CURRENCY = {"$": "USD", "usd": "USD", "dollar": "USD", "dollars": "USD", "us$": "USD", "bucks": "USD"} | {
    "€": "EUR", "eur": "EUR", "euro": "EUR", "euros": "EUR", "£": "GBP", "gbp": "GBP", "pounds": "GBP",
}  # fmt: skip
_WORDS = "US\\$|\\$|€|£|USD|EUR|GBP"
_AFTER = r"(?:USD|EUR|GBP|dollars?|euros?|pounds|bucks)\b|€|£"
_NUMBER = r"\d{1,3}(?:[,. ]\d{3})+(?:\.\d{1,2})?|\d{1,9}(?:\.\d{1,2})?"
_AMOUNT = re.compile(
    rf"(?:(?<![\w$])(?P<before>{_WORDS})\s?(?P<n1>{_NUMBER})(?P<k1>\s?(?:k|m|bn|million|billion|thousand)\b)?(?P<plus1>\+)?"
    rf"|(?<![\w.,])(?P<n2>{_NUMBER})(?P<k2>\s?(?:k|m|bn|million|billion|thousand))?\s?(?P<after>{_AFTER})(?P<plus2>\+)?)",
    re.I,
)
_SCALE = {
    "k": 1_000,
    "thousand": 1_000,
    "m": 1_000_000,
    "million": 1_000_000,
    "bn": 1_000_000_000,
    "billion": 1_000_000_000,
}
_CADENCE = re.compile(
    r"\s*(?:(?:US)?D\b)?\s*(?:/|\bper\b|\ban?\b|\beach\b|\bevery\b)?\s*"
    r"(?:\w+\s+(?:/|per|an?)\s*)?(?P<unit>month(?:ly)?|mo|year(?:ly)?|yr|annual(?:ly)?|annum|quarter(?:ly)?|week(?:ly)?"
    r"|day|daily|hour(?:ly)?)\b",
    re.I,
)
_UNITS = {
    "month": "monthly", "monthly": "monthly", "mo": "monthly", "year": "yearly", "yearly": "yearly", "yr": "yearly",
    "annual": "yearly", "annually": "yearly", "annum": "yearly", "quarter": "quarterly", "quarterly": "quarterly",
    "week": "weekly", "weekly": "weekly", "day": "daily", "daily": "daily", "hour": "hourly", "hourly": "hourly",
}  # fmt: skip
# What such a word stands beside is the size of a company, not what we charge (PX-01).
_THRESHOLD = re.compile(
    r"\b(?:revenue|arr|mrr|turnover|raised|raise|funding|funded|valuation|sales|in assets|aum|round|ebitda|profit)\b",
    re.I,
)
_NEAR_CHARS = 40


@dataclass(frozen=True, slots=True)
class Price:
    """One amount as written. `cadence` is None where none is named."""

    text: str
    amount: Decimal
    currency: str
    cadence: str | None


def prices_in(text: str) -> list[Price]:
    """Every amount of money in `text` that can be a price."""
    found = []
    for match in _AMOUNT.finditer(text):
        near = text[max(0, match.start() - _NEAR_CHARS) : match.end() + _NEAR_CHARS]
        scale = (match["k1"] or match["k2"] or "").strip().lower()
        big = scale in ("m", "bn", "million", "billion") and (match["plus1"] or match["plus2"])
        if big or _THRESHOLD.search(_clause(near, match.start() - max(0, match.start() - _NEAR_CHARS))):
            continue
        amount = _amount(match["n1"] or match["n2"], scale)
        if amount is None:
            continue
        cadence = _CADENCE.match(text, match.end())
        unit = _UNITS[cadence["unit"].lower()] if cadence else None
        currency = _CURRENCY[(match["before"] or match["after"]).lower()]
        found.append(
            Price(text[match.start() : cadence.end() if cadence else match.end()].strip(), amount, currency, unit)
        )
    return found


def _clause(near: str, at: int) -> str:
    """The clause around the amount: a threshold word in another sentence says nothing about it."""
    start = max(near.rfind(mark, 0, at) for mark in (". ", "? ", "! ", "\n", ";"))
    ends = [end for mark in (". ", "? ", "! ", "\n", ";") if (end := near.find(mark, at)) >= 0]
    return near[start + 1 : min(ends, default=len(near))]


def _amount(number: str, scale: str) -> Decimal | None:
    # "1,200" and "1 200" and "1.200" are the same; a dot before one or two digits is a decimal point.
    plain = re.sub(r"[,. ](?=\d{3}(?:\D|$))", "", number)
    try:
        return Decimal(plain) * _SCALE.get(scale, 1)
    except InvalidOperation:
        return None


def _prices(draft: str, sources: Sources) -> Iterable[Claim]:
    described = prices_in(sources.service_description)
    name, known = ("service_description", described) if described else ("knowledge", prices_in(sources.knowledge))
    for price in prices_in(draft):
        same = [each for each in known if (each.amount, each.currency) == (price.amount, price.currency)]
        excerpt = price.text[:80]
        if any(price.cadence in (None, each.cadence) for each in same):
            yield Claim(ClaimKind.PRICE, excerpt, name)
        else:
            yield Claim(ClaimKind.PRICE, excerpt, None, "cadence" if same else "amount")


# ── promises ─────────────────────────────────────────────────────────────────

# Each is a thing that somebody may hold us to. A source supports it when it says the same kind of thing.
_PROMISES = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        r"\bguarantee[sd]?\b|\bwarrant(?:y|ies|ed)\b",
        r"\brefund(?:s|ed|able)?\b|\bmoney[- ]back\b",
        r"\bdiscount(?:s|ed)?\b|\b\d{1,3}\s?% off\b|\bspecial (?:price|offer|rate)\b|\bwaive[sd]?\b",
        r"\bfree (?:trial|month|pilot|setup|set-up|of charge|forever)\b|\bat no (?:extra )?(?:cost|charge)\b|\bfor free\b",
        r"\b(?:double|triple|10x|\dx|\d{1,3}\s?%) (?:your|more|higher|increase|growth|roi|return)\b"
        r"|\b(?:increase|grow|boost|cut|reduce|save)\w* (?:\w+ ){0,4}by \d",
        r"\bwe (?:promise|commit)\b|\byou have my word\b|\brisk[- ]free\b",
        r"\bunlimited\b|\bexclusiv(?:e|ity) (?:rights?|territory)\b",
        r"\b(?:hipaa|gdpr|soc ?2|iso ?27001|pci)\b",
    )
)


def _promises(draft: str, sources: Sources) -> Iterable[Claim]:
    for pattern in _PROMISES:
        match = pattern.search(draft)
        if match is None:
            continue
        kept = next((name for name, text in _texts(sources) if _says(pattern, match[0], text)), None)
        yield Claim(ClaimKind.PROMISE, match[0][:80], kept, None if kept else "unsupported")


def _texts(sources: Sources) -> tuple[tuple[str, str], ...]:
    return ("service_description", sources.service_description), ("knowledge", sources.knowledge)


def _says(pattern: re.Pattern[str], said: str, text: str) -> bool:
    """The same kind of promise, and where it names a figure or a standard, that very one."""
    figures = set(re.findall(r"\d+", said)) | {
        word.lower() for word in re.findall(r"\b(?:HIPAA|GDPR|SOC|ISO|PCI)\b", said, re.I)
    }
    found = [match[0] for match in pattern.finditer(text)]
    return any(figures <= {*re.findall(r"\d+", each), *re.findall(r"[a-z]+", each.lower())} for each in found)
