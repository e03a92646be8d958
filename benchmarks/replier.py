"""The replies lane in a process of its own, as the Dagster op runs it; one JSON line about it at the end.

    python -m benchmarks.replier

Reads ZRG_DB_WORKER_URL, OPENAI_BASE_URL and OPENAI_API_KEY; everything else is the product's default. Ends when nothing is
due. Imports are done before the clock starts: the product's drains are forked from a process that holds them
(`DEFAULT_PRELOAD`).
"""

import asyncio
import importlib
import json
import sys
import time
from collections import Counter
from typing import Any
from uuid import UUID

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection

from benchmarks.common import Gauge
from zrg_dagster.core.ai.spend import Spending
from zrg_dagster.core.base.clock import utc_now
from zrg_dagster.core.base.log import configure_logging
from zrg_dagster.core.base.settings import Settings, current_settings
from zrg_dagster.core.db.engine import autocommit, make_engine
from zrg_dagster.core.db.lane import LaneLimits, LaneReport, drain_lane
from zrg_dagster.core.db.lanes import REPLIES
from zrg_dagster.core.providers.clients import VendorClients
from zrg_dagster.core.replies.drain import RepliesLane
from zrg_dagster.core.replies.world import ReplyWorld
from zrg_dagster.launcher.warm import DEFAULT_PRELOAD
from zrg_dagster.resources.model import Model

POOL_SIZE = 8  # as in zrg_dagster/jobs/replies.py


async def _no_account(_conn: AsyncConnection, _workspace: UUID, _vendor: str) -> None:
    """The benchmark's workspaces have no vendor: what is decided is sent by another lane."""


async def work(dsn: str, settings: Settings) -> dict[str, Any]:
    report, statements = LaneReport(), Counter[str]()
    engine = make_engine(dsn, pool_size=POOL_SIZE, application_name="zrg-replies")
    for each in (engine, autocommit(engine).engine):
        event.listen(each.sync_engine, "before_cursor_execute", lambda *_: statements.update(["statements"]))
    client = Model().client()
    limits = LaneLimits(
        concurrency=settings.job_concurrency, budget_s=settings.drain_budget_s, idle_s=0, lease_s=settings.lease_s
    )
    gauge = Gauge()
    wall, cpu = time.perf_counter(), time.process_time()
    looking = asyncio.create_task(gauge.run())
    try:
        async with VendorClients() as vendors:
            world = ReplyWorld(
                engine=engine,
                model=client,
                has_model_key=True,
                auto_send_disabled=False,
                clock=utc_now,
                spending=Spending(),
                breakers=client.breakers,
            )
            lane = RepliesLane(
                world,
                vendors,
                access=_no_account,
                lease_s=settings.lease_s,
                report=report,
                run_id=None,
                also={},
            )
            await drain_lane(
                engine,
                dsn,
                REPLIES,
                lane.work(),
                limits=limits,
                stop=asyncio.Event(),
                clock=utc_now,
                run_id=None,
                report=report,
            )
    finally:
        looking.cancel()
        await client.aclose()
        await engine.dispose()
    return {
        "seconds": time.perf_counter() - wall,
        "cpu_s": time.process_time() - cpu - gauge.spent_s,
        "gauge_ms": gauge.median_ms,
        "concurrency": settings.job_concurrency,
        "outcomes": dict(report.outcomes),
        "reasons": dict(report.reasons),
        "statements": statements["statements"],
    }


def main() -> None:
    for name in DEFAULT_PRELOAD:
        importlib.import_module(name)
    settings = current_settings()
    configure_logging(json=True, level="WARNING", stream=sys.stderr)
    assert settings.db_worker_url is not None
    print(json.dumps(asyncio.run(work(settings.db_worker_url.get_secret_value(), settings))))


if __name__ == "__main__":
    main()
