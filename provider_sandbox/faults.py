"""Faults on demand: which request fails, and how.

| mode | side effect happens | what the client sees |
|---|---|---|
| status | no | `status` with `body`, else the vendor's own error body |
| rate_limit | no | 429 with the vendor's headers; `retry_after` seconds |
| slow | yes | the normal answer after `seconds` |
| hang | no | nothing, until the client gives up (at most `seconds`, default 600) |
| reset_before | no | connection reset; the body is not read unless `body_contains` had to look at it |
| accept_then_reset | yes | connection reset: the ambiguous send |
| accept_then_500 | yes | the vendor's 500 |
| truncate | yes | headers with the full length, half the body, connection closed |
| html | no | 502 with an HTML page from a gateway |
| wrong_shape | yes | the vendor's documented alternative shape, else a JSON list where an object was due |
| bad_json_200 | yes | 200 with text that is not JSON |
| auth_revoked | no | the vendor's answer for a revoked credential |
| duplicate | yes | the normal answer; the vendor's own webhook about it is fired twice |
| refusal, incomplete, incomplete_reasoning, content_filter, commentary, failed | - | OpenAI: HTTP 200 of that kind |
"""

import itertools
import random
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

HTTP_MODES = frozenset(
    [
        "status",
        "rate_limit",
        "slow",
        "hang",
        "reset_before",
        "accept_then_reset",
        "accept_then_500",
        "truncate",
        "html",
        "wrong_shape",
        "bad_json_200",
        "auth_revoked",
        "duplicate",
    ]
)
OPENAI_MODES = frozenset(["refusal", "incomplete", "incomplete_reasoning", "content_filter", "commentary", "failed"])
# The handler must not run in these modes: the vendor never saw, or refused, the request.
NOT_EXECUTED = frozenset({"status", "rate_limit", "hang", "reset_before", "html", "auth_revoked"})
MAX_RULES = 200
MAX_SECONDS = 600.0


class FaultError(ValueError):
    """A fault rule that the control plane refuses; the message names the field."""


@dataclass(slots=True)
class FaultRule:
    """One rule. `times` None means until removed; `probability` is drawn from a seeded generator."""

    id: int
    provider: str
    mode: str
    method: str | None = None
    path_regex: str | None = None
    body_contains: str | None = None
    times: int | None = None
    probability: float = 1.0
    seconds: float | None = None
    status: int = 500
    body: Any = None
    retry_after: float = 30
    hits: int = 0
    rng: random.Random = field(default_factory=lambda: random.Random(0), repr=False)

    @property
    def needs_body(self) -> bool:
        return self.body_contains is not None

    def matches_line(self, provider: str, method: str, path: str) -> bool:
        return (
            self.provider in ("*", provider)
            and (self.times is None or self.hits < self.times)
            and (self.method is None or self.method == method)
            and (self.path_regex is None or re.search(self.path_regex, path) is not None)
        )

    def matches_body(self, body: bytes) -> bool:
        return self.body_contains is None or self.body_contains.encode() in body

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__ if name != "rng"}


class FaultTable:
    """The active rules, in the order they were set. The first that matches a request is spent on it."""

    def __init__(self) -> None:
        self.rules: list[FaultRule] = []
        self._ids = itertools.count(1)

    def add(self, raw: dict[str, Any]) -> FaultRule:
        if len(self.rules) >= MAX_RULES:
            raise FaultError(f"faults: at most {MAX_RULES} rules")
        rule = _parse(raw, next(self._ids))
        self.rules.append(rule)
        return rule

    def remove(self, rule_id: int | None = None) -> int:
        before = len(self.rules)
        self.rules = [] if rule_id is None else [rule for rule in self.rules if rule.id != rule_id]
        return before - len(self.rules)

    def candidates(self, provider: str, method: str, path: str) -> list[FaultRule]:
        return [rule for rule in self.rules if rule.matches_line(provider, method, path)]

    @staticmethod
    def spend(candidates: Iterable[FaultRule], body: bytes) -> FaultRule | None:
        for rule in candidates:
            if rule.matches_body(body) and (rule.probability >= 1 or rule.rng.random() < rule.probability):
                rule.hits += 1
                return rule
        return None


def _number(raw: dict[str, Any], name: str, low: float, high: float) -> float | None:
    value = raw.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise FaultError(f"{name}: a number from {low:g} to {high:g}")
    return value


def _parse(raw: dict[str, Any], rule_id: int) -> FaultRule:
    mode, provider = raw.get("mode"), raw.get("provider", "*")
    if mode not in HTTP_MODES | OPENAI_MODES:
        raise FaultError(f"mode: one of {', '.join(sorted(HTTP_MODES | OPENAI_MODES))}")
    if mode in OPENAI_MODES and provider not in ("*", "openai"):
        raise FaultError(f"mode {mode} exists for provider openai only")
    match = raw.get("match") or {}
    if not isinstance(match, dict) or not isinstance(provider, str):
        raise FaultError("match: an object with method, path_regex, body_contains; provider: a string")
    unknown = set(match) - {"method", "path_regex", "body_contains"}
    if unknown:
        raise FaultError(f"match: unknown key {sorted(unknown)[0]}")
    pattern = match.get("path_regex")
    try:
        re.compile(pattern or "")
    except re.error as error:
        raise FaultError(f"match.path_regex: {error}") from error
    times, status = _number(raw, "times", 1, 1_000_000), _number(raw, "status", 200, 599)
    probability, retry_after = _number(raw, "probability", 0, 1), _number(raw, "retry_after", 0, 86_400)
    return FaultRule(
        id=rule_id,
        provider=provider,
        mode=str(mode),
        method=str(match["method"]).upper() if match.get("method") else None,
        path_regex=pattern,
        body_contains=match.get("body_contains"),
        times=None if times is None else int(times),
        probability=1.0 if probability is None else probability,
        seconds=_number(raw, "seconds", 0, MAX_SECONDS),
        status=500 if status is None else int(status),
        body=raw.get("body"),
        retry_after=30 if retry_after is None else retry_after,
        rng=random.Random(raw.get("seed", 0)),
    )
