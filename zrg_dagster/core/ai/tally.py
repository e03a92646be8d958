"""What a process asked the model, added up for the page of its run."""

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from zrg_dagster.core.ai.prices import Price, cost_usd
from zrg_dagster.core.ai.result import ModelResult

MAX_SAMPLES = 10_000


class CallTally:
    """Counts calls by outcome, tokens by model, and keeps the latencies of the first ten thousand."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self._tokens: dict[str, tuple[int, int]] = {}
        self._latencies: list[int] = []

    def add(self, result: ModelResult[Any]) -> None:
        self.outcomes[result.outcome.value] += 1
        if result.input_tokens is not None or result.output_tokens is not None:
            before = self._tokens.get(result.model, (0, 0))
            more = (result.input_tokens or 0, result.output_tokens or 0)
            self._tokens[result.model] = (before[0] + more[0], before[1] + more[1])
        if result.attempts and len(self._latencies) < MAX_SAMPLES:
            self._latencies.append(result.latency_ms)

    def summary(self, prices: Mapping[str, Price]) -> dict[str, Any]:
        """Calls, failures, cost in USD of the models with a price, those without one, and latency in ms."""
        costs = {model: cost_usd(prices, model, *tokens) for model, tokens in sorted(self._tokens.items())}
        known = [cost for cost in costs.values() if cost is not None]
        ordered = sorted(self._latencies)
        summary: dict[str, Any] = {
            "model_calls": self.outcomes.total(),
            "model_failed": self.outcomes.total() - self.outcomes["ok"],
            "model_outcomes": dict(sorted(self.outcomes.items())),
            "model_cost_usd": float(sum(known, Decimal(0))),
            "model_unpriced": [model for model, cost in costs.items() if cost is None],
        }
        if ordered:
            summary |= {
                "model_p50_ms": ordered[(len(ordered) - 1) // 2],
                "model_p95_ms": ordered[int(0.95 * (len(ordered) - 1))],
            }
        return summary
