"""The baseline of the drain: procrastinate, one worker, jobs that do nothing."""

import asyncio
import time

import procrastinate

from benchmarks.database import checkpoint

CONCURRENCY = 100
DEFER_BATCH = 1000


def _app(dsn: str) -> procrastinate.App:
    return procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=dsn))


def apply_schema(dsn: str) -> None:
    async def apply() -> None:
        async with (app := _app(dsn)).open_async():
            await app.schema_manager.apply_schema_async()

    asyncio.run(apply())


def work(dsn: str, jobs: int) -> float:
    """Defer `jobs` in batches, then the seconds that one worker needs for them."""

    async def run() -> float:
        app = _app(dsn)

        @app.task(name="noop")
        async def noop() -> None:
            return None

        async with app.open_async():
            for first in range(0, jobs, DEFER_BATCH):
                await noop.batch_defer_async(*({} for _ in range(min(DEFER_BATCH, jobs - first))))
            checkpoint(dsn)
            started = time.perf_counter()
            await app.run_worker_async(concurrency=CONCURRENCY, wait=False, install_signal_handlers=False)
            return time.perf_counter() - started

    return asyncio.run(run())
