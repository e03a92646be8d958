"""The store: concurrent deliveries share one commit, and nobody is answered before it.

A flusher takes whatever waits, commits it with one call of `raw.accept_deliveries`, and takes again. There is no timer:
an idle receiver commits a lone delivery at once, a busy one gathers a batch while the previous commit is on its way to
disk, so the batch size follows the load.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import psycopg

from webhook_receiver.database import connect, describe
from webhook_receiver.metrics import Metrics
from zrg_dagster.core.base.log import get_logger

log = get_logger(__name__)

# Commits that notify are serialised inside Postgres, and batches of one minute update the same intake counters, so a
# second flusher mostly waits for the first with half-sized batches. More are possible: batches are sorted by key.
FLUSHERS = 1
MAX_BATCH_BYTES = 16 * 1024 * 1024
SWEEP_S = 0.25
DOWN_PAUSE_S = 0.2
STOP_GRACE_S = 8.0
ACCEPT = """
SELECT ordinal, is_new FROM raw.accept_deliveries(
    %b::uuid[], %b::text[], %b::text[], %b::uuid[], %b::text[],
    %b::bytea[], %b::timestamptz[], %b::bytea[], %b::bytea[], %b::text[])
"""

# Classes of SQLSTATE that one row can cause: data exception, integrity, program limit, raised by our own function.
DATA_CLASSES = frozenset({"22", "23", "54", "P0"})


class StoreUnavailable(Exception):
    """Nothing was acknowledged; the vendor shall try again later. `reason` is a stable word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class DeliveryNotStorable(Exception):
    """The database refuses this one delivery for what it contains, alone and again."""


@dataclass(frozen=True, slots=True)
class Row:
    """One authenticated delivery. `headers` and `body` are bytes as stored; `workspace_id` is None for Slack."""

    id: UUID
    provider: str
    scope: str
    workspace_id: UUID | None
    event_type: str
    delivery_key: bytes
    received_at: datetime
    headers: bytes
    body: bytes
    correlation_id: str


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A row on its way to a commit and the caller who waits for it."""

    row: Row
    deadline: float
    answer: "asyncio.Future[bool]"


class DeliveryStore:
    """Commits deliveries in shared batches through a few connections of the receiver's role."""

    def __init__(
        self,
        dsn: str,
        metrics: Metrics,
        *,
        batch_size: int,
        queue_size: int,
        timeout_s: float,
        flushers: int = FLUSHERS,
    ) -> None:
        self._dsn = dsn
        self._metrics = metrics
        self._batch_size = batch_size
        self._queue_size = queue_size
        self._timeout_s = timeout_s
        self._flushers = flushers
        self._queue: deque[_Waiting] = deque()
        self._in_flight: dict[UUID, _Waiting] = {}  # insertion order is deadline order
        self._wake = asyncio.Event()
        self._closing = False
        self._down_until = 0.0
        self._tasks: list[asyncio.Task[None]] = []

    def waiting(self) -> int:
        """Deliveries that wait for a flusher."""
        return len(self._queue)

    async def start(self) -> None:
        self._closing = False
        self._tasks = [asyncio.create_task(self._flush_forever()) for _ in range(self._flushers)]
        self._tasks.append(asyncio.create_task(self._sweep_forever()))

    async def stop(self) -> None:
        """Refuse new deliveries, commit what waits (at most `STOP_GRACE_S`), close the connections."""
        self._closing = True
        self._wake.set()
        *flushers, sweeper = self._tasks
        _done, late = await asyncio.wait(flushers, timeout=STOP_GRACE_S)
        for task in (*late, sweeper):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._fail_all("stopping")

    async def accept(self, row: Row) -> bool:
        """Wait until `row` is committed. True: stored now; False: the same delivery was stored before.

        Raises `StoreUnavailable` (queue full, database away, deadline passed, stopping) or `DeliveryNotStorable`.
        """
        now = time.monotonic()
        if self._closing or now < self._down_until:
            raise StoreUnavailable("stopping" if self._closing else "database_away")
        if len(self._queue) >= self._queue_size:
            raise StoreUnavailable("queue_full")
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        waiting = self._in_flight[row.id] = _Waiting(row, now + self._timeout_s, answer)
        self._queue.append(waiting)
        self._wake.set()
        try:
            return await answer
        finally:
            self._in_flight.pop(row.id, None)

    async def _flush_forever(self) -> None:
        connection: psycopg.AsyncConnection | None = None
        try:
            while self._queue or not self._closing:
                batch = self._take()
                if not batch:
                    self._wake.clear()
                    await self._wake.wait()
                    continue
                connection = await self._commit(connection, batch)
        finally:
            if connection is not None:
                await connection.close()

    def _take(self) -> list[_Waiting]:
        """The next batch, sorted by key: two batches with the same keys in opposite order would deadlock.

        The sort is stable, so of two equal deliveries in one batch the first to arrive is the new one.
        """
        batch: list[_Waiting] = []
        size = 0
        while self._queue and len(batch) < self._batch_size and size < MAX_BATCH_BYTES:
            waiting = self._queue.popleft()
            if waiting.answer.done():  # its deadline passed or its caller went away: nobody would hear the answer
                continue
            batch.append(waiting)
            size += len(waiting.row.body)
        batch.sort(key=lambda waiting: waiting.row.delivery_key)
        return batch

    async def _commit(
        self, connection: psycopg.AsyncConnection | None, batch: list[_Waiting]
    ) -> psycopg.AsyncConnection | None:
        """Store `batch` and answer its callers. Returns the connection to go on with, None when it is lost.

        A failure that concerns the connection is tried once more on a new one: after a restart of Postgres the first
        batch meets a dead socket, and repeating is safe because the delivery key makes it a duplicate at worst.
        """
        for attempt in (1, 2):
            fresh = connection is None
            try:
                connection = connection or await connect(self._dsn, name="store")
                await self._store(connection, batch)
            except Exception as error:  # noqa: BLE001  a flusher that dies would leave every later delivery to its deadline
                log.warning("batch_not_committed", rows=len(batch), attempt=attempt, cause=describe(error))
                self._metrics.store_failures.labels("database").inc()
                if connection is not None:
                    with contextlib.suppress(psycopg.Error, OSError):
                        await connection.close()
                    connection = None
                if fresh or attempt == 2:
                    self._go_down(batch)
                    return None
            else:
                return connection
            batch = [waiting for waiting in batch if not waiting.answer.done()]  # halves may have been stored already
        return connection

    async def _store(self, connection: psycopg.AsyncConnection, batch: list[_Waiting]) -> None:
        """Commit `batch`; when its content is refused, halve it until the guilty row stands alone.

        Raises only for failures that are nobody's content.
        """
        started = time.perf_counter()
        try:
            answers = await self._call(connection, [waiting.row for waiting in batch])
        except (psycopg.Error, UnicodeError) as error:
            if not _is_about_data(error):
                raise
            self._metrics.store_failures.labels("data").inc()
            if len(batch) > 1:
                middle = len(batch) // 2
                await self._store(connection, batch[:middle])
                await self._store(connection, batch[middle:])
                return
            # No traceback and no message: both quote the content of the row.
            log.error(  # noqa: TRY400
                "delivery_not_storable", correlation_id=batch[0].row.correlation_id, cause=describe(error)
            )
            _fail(batch[0], DeliveryNotStorable(batch[0].row.provider))
            return
        seconds = time.perf_counter() - started
        self._metrics.store_seconds.observe(seconds)
        self._metrics.batch_rows.observe(len(batch))
        log.info(
            "deliveries_stored",
            rows=len(batch),
            new=sum(answers),
            store_ms=round(seconds * 1000, 1),
            correlation_ids=[waiting.row.correlation_id for waiting in batch],
        )
        for waiting, is_new in zip(batch, answers, strict=True):
            if not waiting.answer.done():
                waiting.answer.set_result(is_new)

    async def _call(self, connection: psycopg.AsyncConnection, rows: Sequence[Row]) -> list[bool]:
        columns = (
            [row.id for row in rows],
            [row.provider for row in rows],
            [row.scope for row in rows],
            [row.workspace_id for row in rows],
            [row.event_type for row in rows],
            [row.delivery_key for row in rows],
            [row.received_at for row in rows],
            [row.headers for row in rows],
            [row.body for row in rows],
            [row.correlation_id for row in rows],
        )
        cursor = await connection.execute(ACCEPT, columns, prepare=True, binary=True)
        answered: dict[int, bool] = dict(await cursor.fetchall())
        if answered.keys() != set(range(1, len(rows) + 1)):
            raise psycopg.InterfaceError("raw.accept_deliveries did not confirm every row of the batch")
        return [answered[position] for position in range(1, len(rows) + 1)]

    def _go_down(self, batch: list[_Waiting]) -> None:
        """Nobody waits for a database that is away: the batch and the queue answer 503 now, vendors come back."""
        self._down_until = time.monotonic() + DOWN_PAUSE_S
        for waiting in batch:
            _fail(waiting, StoreUnavailable("database_away"))
        while self._queue:
            _fail(self._queue.popleft(), StoreUnavailable("database_away"))

    def _fail_all(self, reason: str) -> None:
        self._queue.clear()
        for waiting in self._in_flight.values():
            _fail(waiting, StoreUnavailable(reason))

    async def _sweep_forever(self) -> None:
        """Answer 503 to whoever waited `timeout_s`. One sweeper is cheaper than one timer per delivery."""
        while True:
            await asyncio.sleep(SWEEP_S)
            now = time.monotonic()
            for waiting in self._in_flight.values():
                if waiting.deadline > now:
                    break
                _fail(waiting, StoreUnavailable("deadline"))


def _fail(waiting: _Waiting, error: Exception) -> None:
    if not waiting.answer.done():
        waiting.answer.set_exception(error)


def _is_about_data(error: Exception) -> bool:
    """Whether a row's content caused `error`, so that its neighbours can be stored without it.

    Errors without an SQLSTATE come from the driver while it writes the parameters, before anything is sent.
    """
    if not isinstance(error, psycopg.Error):
        return True
    if error.sqlstate is None:
        return isinstance(error, psycopg.DataError)
    return error.sqlstate[:2] in DATA_CLASSES
