"""What every benchmark shares: rounds that alternate between the candidates, and the line that a reader greps."""

import asyncio
import json
import statistics
import time
from collections.abc import Callable, Mapping, Sequence


def interleave(candidates: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Measure every candidate once a round, so that a busy minute of the machine hits all of them alike."""
    if rounds < 3:
        raise ValueError("fewer than three rounds say nothing about spread")
    samples: dict[str, list[float]] = {name: [] for name in candidates}
    names = list(candidates)
    for number in range(rounds):
        # Reversed every other round: whoever goes second finds warmer caches.
        for name in names if number % 2 == 0 else reversed(names):
            samples[name].append(candidates[name]())
    return samples


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


class Gauge:
    """How fast this machine runs Python just now: CPU time of a fixed piece of work, looked at again and again beside what is
    measured. The same code has cost twice as much here a minute later; by its gauge, figures of two days can be compared."""

    EVERY_S = 0.5

    def __init__(self) -> None:
        self._took: list[float] = []

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            began = time.process_time()
            for number in range(20):
                json.loads(json.dumps({str(key): [key * number, {"text": "x" * 40}] for key in range(50)}))
            self._took.append(time.process_time() - began)
            await asyncio.sleep(self.EVERY_S)

    @property
    def spent_s(self) -> float:
        """CPU seconds that looking itself cost."""
        return sum(self._took)

    @property
    def median_ms(self) -> float:
        return statistics.median(self._took) * 1000


def report(name: str, **figures: float | int | str) -> None:
    """Print `BENCH <name> key=value ...`; floats with three decimals, at least three significant digits."""
    shown = " ".join(f"{key}={_show(value)}" for key, value in figures.items())
    print(f"BENCH {name} {shown}", flush=True)


def note(name: str, text: str) -> None:
    """Print what a figure was measured with: configuration, rows checked, the single samples."""
    print(f"# {name}: {text}", flush=True)


def _show(value: float | int | str) -> str:
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 100 else f"{value:.0f}"
    return str(value)
