"""Working a lane until it is empty or its budget ends: the loop that every drain shares.

The loop owns the worker session, asks for claims while there is room, runs them concurrently, waits on LISTEN when
nothing is due, and stops claiming as soon as it is told to. What an item means is the caller's business.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from sqlalchemy.ext.asyncio import AsyncEngine

from zrg_dagster.core.base.collector import rare_collections
from zrg_dagster.core.base.log import get_logger
from zrg_dagster.core.db import queue as queues
from zrg_dagster.core.db.lanes import Queue
from zrg_dagster.core.db.worker import WorkerSession, worker_session

log = get_logger(__name__)

Item = TypeVar("Item")
RELEASE_EVERY_S = 15.0
MAX_SAMPLES = 10_000


@dataclass(slots=True)
class LaneReport:
    """What one drain did. `outcomes` counts items by final state, `reasons` the skips and refusals by code."""

    claimed: int = 0
    released: int = 0
    oldest_due_s: float = 0.0
    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    item_ms: list[float] = field(default_factory=list)
    # What the lane itself adds to the numbers of its run.
    more: dict[str, Any] = field(default_factory=dict)

    def count(self, outcome: str, reason: str | None = None, number: int = 1) -> None:
        self.outcomes[outcome] += number
        if reason:
            self.reasons[reason] += number

    def took(self, milliseconds: float) -> None:
        if len(self.item_ms) < MAX_SAMPLES:
            self.item_ms.append(milliseconds)

    @property
    def p95_ms(self) -> float:
        ordered = sorted(self.item_ms)
        return ordered[int(0.95 * (len(ordered) - 1))] if ordered else 0.0


@dataclass(frozen=True, slots=True)
class LaneLimits:
    """Bounds of one drain: items in flight, seconds until it claims nothing more, seconds it waits when idle."""

    concurrency: int
    budget_s: float
    idle_s: float
    lease_s: float


@dataclass(slots=True)
class LaneWork(Generic[Item]):
    """What a lane supplies: `claim(worker_id, limit, now)` takes items, `work(worker_id, item)` finishes one of them,
    `release(now)` gives back what dead workers held, `size(item)` counts its rows (an item may be a batch)."""

    claim: Callable[[int, int, datetime], Awaitable[Sequence[Item]]]
    work: Callable[[int, Item], Awaitable[None]]
    release: Callable[[datetime], Awaitable[int]]
    size: Callable[[Item], int] = lambda _item: 1


class _Loop(Generic[Item]):
    def __init__(
        self,
        worker: WorkerSession,
        work: LaneWork[Item],
        limits: LaneLimits,
        report: LaneReport,
        stop: asyncio.Event,
    ) -> None:
        self._worker = worker
        self._work = work
        self._limits = limits
        self._report = report
        self._stop = stop
        self._running: set[asyncio.Task[None]] = set()
        self._failure: BaseException | None = None

    async def _one(self, item: Item) -> None:
        started = time.perf_counter()
        try:
            await self._work.work(self._worker.id, item)
        except queues.ClaimLost:
            # Another worker has taken the rows over, and our transaction is rolled back: nothing is lost or doubled.
            self._report.count("claim_lost")
        finally:
            self._report.took((time.perf_counter() - started) * 1000)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failure = self._failure or error

    async def fill(self, now: datetime) -> int:
        """Claim as much as there is room for and start it; returns how much was claimed."""
        room = self._limits.concurrency - len(self._running)
        if room <= 0:
            return 0
        items = await self._work.claim(self._worker.id, room, now)
        self._report.claimed += sum(self._work.size(item) for item in items)
        for item in items:
            task = asyncio.create_task(self._one(item))
            self._running.add(task)
            task.add_done_callback(self._ended)
        return len(items)

    async def settle(self) -> None:
        """Let what is in flight finish."""
        if self._running:
            await asyncio.wait(self._running)

    async def run(self, engine: AsyncEngine, queue: Queue, clock: Callable[[], datetime]) -> None:
        started = time.monotonic()
        idle_since: float | None = None
        released_at = float("-inf")
        while not self._stop.is_set() and self._failure is None:
            now = clock()
            if time.monotonic() - started > self._limits.budget_s:
                break
            if time.monotonic() - released_at > RELEASE_EVERY_S:
                self._report.released += await self._work.release(now)
                released_at = time.monotonic()
            was_busy = bool(self._running)
            if await self.fill(now):
                idle_since = None
                if len(self._running) < self._limits.concurrency:
                    continue
            elif was_busy and not self._running:
                continue  # what ended while we asked may be what the next in line waited for
            if self._running:
                idle_since = None
                await asyncio.wait(self._running, timeout=1.0, return_when=asyncio.FIRST_COMPLETED)
                continue
            idle_since = idle_since or time.monotonic()
            remaining = self._limits.idle_s - (time.monotonic() - idle_since)
            if remaining <= 0:
                await self._rest(engine, queue, now)
                break
            await self._worker.wait(await self._sleep(engine, queue, now, remaining), self._stop)
        await self.settle()
        if self._failure is not None:
            raise self._failure

    async def _rest(self, engine: AsyncEngine, queue: Queue, now: datetime) -> None:
        if queue.rests:
            async with engine.begin() as conn:
                await queues.rest(conn, queue, now)

    async def _sleep(self, engine: AsyncEngine, queue: Queue, now: datetime, at_most: float) -> float:
        """Until the next retry falls due, but never longer than the idle time that is left."""
        async with engine.connect() as conn:
            due = await queues.next_due(conn, queue)
        if due is None:
            return at_most
        return min(at_most, max(0.05, (due - now) / timedelta(seconds=1)))


async def drain_lane(
    engine: AsyncEngine,
    dsn: str,
    queue: Queue,
    work: LaneWork[Item],
    *,
    limits: LaneLimits,
    stop: asyncio.Event,
    clock: Callable[[], datetime],
    run_id: str | None = None,
    report: LaneReport | None = None,
) -> LaneReport:
    """Work `queue` until it stays empty for `limits.idle_s`, the budget ends or `stop` is set. Items in flight finish."""
    report = report if report is not None else LaneReport()
    now = clock()
    async with engine.connect() as conn:
        due = await queues.next_due(conn, queue)
    report.oldest_due_s = max(0.0, (now - due).total_seconds()) if due else 0.0
    async with worker_session(dsn, queue, run_id=run_id, now=now) as worker:
        with rare_collections():
            await _Loop(worker, work, limits, report, stop).run(engine, queue, clock)
    log.info("lane_drained", lane=queue.lane, claimed=report.claimed, outcomes=dict(report.outcomes))
    return report
