"""The inbound lane: claim a batch, apply it, settle it. A delivery that breaks its batch is isolated by halving."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import Row
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from zrg_dagster.core.base.log import get_logger
from zrg_dagster.core.base.seal import Sealer
from zrg_dagster.core.db import lanes, queue
from zrg_dagster.core.db.lane import LaneReport, LaneWork
from zrg_dagster.core.db.problems import describe
from zrg_dagster.core.db.queue import ClaimLost, Settlement
from zrg_dagster.core.intake.apply import apply
from zrg_dagster.core.intake.batch import Ending
from zrg_dagster.core.intake.leads import IdentityRace
from zrg_dagster.core.intake.parts import PARTS, parts_of, portions_of
from zrg_dagster.core.intake.read import ReadEvent, load_bodies, read

log = get_logger(__name__)

RACE_RETRIES = 5
# Bodies of one claim in memory at once: an ordinary claim has five megabytes, one of the largest bodies ten thousand.
PORTION_BYTES = 64 * 2**20
READ_AT_ONCE = 20  # about two milliseconds


class InboundLane:
    """Works claimed deliveries in batches against one engine. An item of this lane is one claim, of two batches.

    Claims are written one after the other: two would wait for the same leads. But the two batches of a claim share no
    lead and are written at the same time, and meanwhile the next claim is made and read: so Python and Postgres both
    always have something to do.
    """

    CONCURRENCY = 2

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        batch_size: int,
        lease_s: float,
        clock: Callable[[], datetime],
        report: LaneReport,
        sealer: Sealer | None = None,
    ) -> None:
        self._engine = engine
        self._sealer = sealer
        self._batch_size = batch_size
        self._lease_s = lease_s
        self._clock = clock
        self._report = report
        self._writing = asyncio.Lock()

    def work(self) -> LaneWork[Sequence[Row[Any]]]:
        return LaneWork(claim=self._claim, work=self._work, release=self._release, size=len)

    async def _claim(self, worker_id: int, _room: int, now: datetime) -> Sequence[Sequence[Row[Any]]]:
        async with self._engine.begin() as conn:
            rows = await queue.claim(conn, lanes.INBOUND, worker_id=worker_id, limit=self._batch_size * PARTS, now=now)
        return [rows] if rows else []

    async def _release(self, now: datetime) -> int:
        async with self._engine.begin() as conn:
            return await queue.release_stale(conn, lanes.INBOUND, now=now, lease_s=self._lease_s)

    async def _work(self, worker_id: int, rows: Sequence[Row[Any]]) -> None:
        for portion in portions_of(rows, PORTION_BYTES):
            await self._work_portion(worker_id, portion)

    async def _work_portion(self, worker_id: int, rows: Sequence[Row[Any]]) -> None:
        async with self._engine.connect() as conn:
            claimed = await load_bodies(conn, rows)
        events = []
        for number, event in enumerate(claimed, start=1):
            events.append(read(event))
            if number % READ_AT_ONCE == 0:
                await asyncio.sleep(0)  # reading is all CPU: the batch that is being written goes first
        async with self._writing:
            for each in events:
                if each.failure is not None:
                    await self._isolated(worker_id, each, each.failure)
            if readable := [each for each in events if each.failure is None]:
                parts = [self._settle_all(worker_id, part) for part in parts_of(readable, self._batch_size)]
                ended = await asyncio.gather(*parts, return_exceptions=True)  # none is left behind in flight
                for error in filter(None, ended):
                    raise error

    async def _settle_all(self, worker_id: int, events: Sequence[ReadEvent]) -> None:
        """Apply and settle; on a failure, halve until the delivery that causes it stands alone.

        A lost claim is isolated the same way: the other rows are still ours, and nobody else works on them while we
        hold our lock.
        """
        try:
            await self._apply_with_retry(worker_id, events)
        except Exception as error:
            if _database_is_away(error):
                raise  # nothing was settled, and whoever comes next releases our claims
            if len(events) > 1:
                middle = len(events) // 2
                await self._settle_all(worker_id, events[:middle])
                await self._settle_all(worker_id, events[middle:])
            else:
                await self._isolated(worker_id, events[0], error)

    async def _isolated(self, worker_id: int, each: ReadEvent, error: Exception) -> None:
        """One delivery that failed alone; one that another worker took over meanwhile is theirs to settle."""
        try:
            if isinstance(error, ClaimLost):
                raise error
            await self._settle_failure(worker_id, each, error)
        except ClaimLost:
            self._report.count("claim_lost")

    async def _apply_with_retry(self, worker_id: int, events: Sequence[ReadEvent]) -> None:
        for attempt in range(RACE_RETRIES):
            try:
                await self._apply_once(worker_id, events)
            except (IdentityRace, DBAPIError) as error:
                if attempt == RACE_RETRIES - 1 or not _will_pass(error):
                    raise
            else:
                return

    async def _apply_once(self, worker_id: int, events: Sequence[ReadEvent]) -> None:
        now = self._clock()
        async with self._engine.begin() as conn:
            endings = await apply(conn, events, now, sealer=self._sealer)
            settlements = [Settlement(e.event.id, e.event.attempts, e.state, e.reason, e.error) for e in endings]
            await queue.settle(
                conn, lanes.INBOUND, settlements, worker_id=worker_id, now=now, learned=_learned(endings)
            )
        for ending in endings:
            self._report.count(ending.state, ending.reason)
            if ending.state == "quarantined":
                log.warning(
                    "event_quarantined", event_id=str(ending.event.id), reason=ending.reason, problem=ending.error
                )

    async def _settle_failure(self, worker_id: int, each: ReadEvent, error: Exception) -> None:
        now = self._clock()
        event = each.event
        description = describe(error)
        settlement = queue.failed(
            event.id, event.attempts, event.max_attempts, now, reason="handler_error", error=description
        )
        async with self._engine.begin() as conn:
            await queue.settle(conn, lanes.INBOUND, [settlement], worker_id=worker_id, now=now)
        self._report.count("dead" if settlement.state == "dead" else "retried", settlement.reason)
        log.error("event_failed", event_id=str(event.id), attempt=event.attempts, problem=description)


def _database_is_away(error: Exception) -> bool:
    return isinstance(error, DBAPIError) and isinstance(error.orig, psycopg.OperationalError) and not _will_pass(error)


def _will_pass(error: Exception) -> bool:
    """Races and deadlocks between workers: rolled back as a whole, and right the next time."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return isinstance(
        cause,
        IdentityRace
        | psycopg.errors.DeadlockDetected
        | psycopg.errors.SerializationFailure
        | psycopg.errors.UniqueViolation,
    )


def _learned(endings: Sequence[Ending]) -> dict[str, tuple[str, Sequence[UUID | str | None]]]:
    """The columns that make an event readable without its body."""
    leads = [e.parsed.lead if e.parsed else None for e in endings]
    return {
        "event_type": ("text", [e.parsed.event_type if e.parsed else None for e in endings]),
        "workspace_id": ("uuid", [e.workspace_id for e in endings]),
        "lead_id": ("uuid", [e.lead_id for e in endings]),
        "message_id": ("uuid", [e.message_id for e in endings]),
        "campaign_external_id": (
            "text",
            [lead.campaign.external_id if lead and lead.campaign else None for lead in leads],
        ),
        "sender_external_id": ("text", [lead.sender_account_id if lead else None for lead in leads]),
    }
