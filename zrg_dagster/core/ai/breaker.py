"""One circuit breaker per model: after a run of provider failures nobody asks for a while, then one probe decides.

Pure: monotonic seconds go in. It guards a process; what all processes see is `ops.model_circuit`, written on each change.
"""

from dataclasses import dataclass
from enum import StrEnum

from zrg_dagster.core.ai.result import ModelOutcome

# Calls, each with its own retries: one bad minute of a single request is not an outage.
FAILURES_TO_OPEN = 5
OPEN_S = 30.0
# A provider that keeps failing is asked less and less often.
OPEN_GROWTH = 2.0
MAX_OPEN_S = 300.0
# A probe that never reported back (its task was cancelled) does not keep the circuit half-open for ever.
PROBE_S = 120.0
# While the probe is out everybody else looks again after this.
PROBE_WAIT_S = 10.0

# What the provider, not the question, was the cause of. A refused or malformed request says that somebody answered.
PROVIDER_FAILURES = frozenset(
    {
        ModelOutcome.TIMEOUT,
        ModelOutcome.RATE_LIMITED,
        ModelOutcome.UNAVAILABLE,
        ModelOutcome.AUTH,
        ModelOutcome.QUOTA,
    }
)


class Circuit(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(slots=True)
class Breaker:
    """The state of one model. `failures` counts calls in a row that the provider failed, `last` is the newest cause."""

    model: str
    circuit: Circuit = Circuit.CLOSED
    failures: int = 0
    last: ModelOutcome | None = None
    retry_at: float = 0.0
    _open_s: float = OPEN_S

    def wait_s(self, at: float) -> float | None:
        """None: ask now (and, after an open time, as the only probe). Else the seconds until it is worth asking again."""
        if self.circuit is Circuit.CLOSED:
            return None
        if at < self.retry_at:
            left = self.retry_at - at
            return left if self.circuit is Circuit.OPEN else min(left, PROBE_WAIT_S)
        self.circuit, self.retry_at = Circuit.HALF_OPEN, at + PROBE_S
        return None

    def report(self, outcome: ModelOutcome, at: float) -> bool:
        """Take note of how a call ended; whether the circuit changed."""
        before = self.circuit
        if outcome not in PROVIDER_FAILURES:
            self.circuit, self.failures, self._open_s = Circuit.CLOSED, 0, OPEN_S
            return before is not Circuit.CLOSED
        self.failures, self.last = self.failures + 1, outcome
        if before is Circuit.CLOSED and self.failures >= FAILURES_TO_OPEN:
            self.circuit, self.retry_at = Circuit.OPEN, at + self._open_s
        elif before is Circuit.HALF_OPEN:
            self._open_s = min(self._open_s * OPEN_GROWTH, MAX_OPEN_S)
            self.circuit, self.retry_at = Circuit.OPEN, at + self._open_s
        return self.circuit is not before


class Breakers:
    """The breakers of everything that shares one account, made as models are first asked."""

    def __init__(self) -> None:
        self._by_model: dict[str, Breaker] = {}
        self._changed: set[str] = set()

    def of(self, model: str) -> Breaker:
        return self._by_model.setdefault(model, Breaker(model))

    def report(self, model: str, outcome: ModelOutcome, at: float) -> Breaker | None:
        """Take note of how a call ended; the breaker when its circuit changed."""
        breaker = self.of(model)
        if not breaker.report(outcome, at):
            return None
        self._changed.add(model)
        return breaker

    def take_changed(self) -> list[Breaker]:
        """Those that changed since the last time."""
        changed, self._changed = self._changed, set()
        return [self._by_model[model] for model in changed]
