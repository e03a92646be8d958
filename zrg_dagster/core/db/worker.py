"""One worker's session: its id, the advisory lock that proves it lives, and the notifications that wake it."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import psycopg

from zrg_dagster.core.db.engine import CONNECT_TIMEOUT_S, libpq_dsn
from zrg_dagster.core.db.lanes import Queue


class WorkerSession:
    """Holds the lock for `id` as long as its connection lives. Never goes through a transaction pooler."""

    def __init__(self, connection: psycopg.AsyncConnection, worker_id: int) -> None:
        self._connection = connection
        self.id = worker_id

    async def wait(self, seconds: float, stop: asyncio.Event) -> bool:
        """Sleep until work is announced (True), `stop` is set or `seconds` have passed (False).

        Raises `psycopg.OperationalError` when the connection, and with it the lock, is gone.
        """
        if stop.is_set():
            return False
        listening = asyncio.create_task(self._next_notification(seconds))
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({listening, stopping}, return_when=asyncio.FIRST_COMPLETED)
            return listening.result() if listening.done() else False
        finally:
            stopping.cancel()
            if not listening.done():
                listening.cancel()
                # psycopg needs the cancelled wait to unwind before the connection is used again.
                await asyncio.gather(listening, return_exceptions=True)

    async def _next_notification(self, seconds: float) -> bool:
        async for _ in self._connection.notifies(timeout=seconds, stop_after=1):
            return True
        return False


@asynccontextmanager
async def worker_session(dsn: str, queue: Queue, *, run_id: str | None, now: datetime) -> AsyncIterator[WorkerSession]:
    """Register a worker of `queue`'s lane, take its lock and listen for its work; undo all of it at the end."""
    connection = await psycopg.AsyncConnection.connect(
        libpq_dsn(dsn),
        autocommit=True,
        connect_timeout=CONNECT_TIMEOUT_S,
        application_name=f"zrg-{queue.lane}-worker",
        keepalives=1,
        keepalives_idle=10,
        keepalives_interval=5,
        keepalives_count=3,
        options="-c timezone=UTC",
    )
    try:
        cursor = await connection.execute(
            "INSERT INTO ops.worker (lane, host, pid, run_id, started_at) VALUES (%s, %s, %s, %s, %s) RETURNING id",
            (queue.lane, socket.gethostname(), os.getpid(), run_id, now),
        )
        row = await cursor.fetchone()
        assert row is not None
        worker_id: int = row[0]
        await connection.execute("SELECT pg_advisory_lock(%s, %s)", (queue.lock_class, worker_id))
        await connection.execute(f"LISTEN {queue.channel}".encode())
        yield WorkerSession(connection, worker_id)
        await connection.execute("UPDATE ops.worker SET stopped_at = clock_timestamp() WHERE id = %s", (worker_id,))
    finally:
        await connection.close()
