"""One inbound drain in a process of its own, as the Dagster op runs it; one JSON line about it at the end.

    python -m benchmarks.drainer [--until-stopped]

Reads ZRG_DB_WORKER_URL; everything else is the product's default. Ends when nothing is due, or on SIGTERM. Imports are
done before the clock starts: the product's drains are forked from a process that holds them.
"""

import argparse
import asyncio
import json
import signal
import sys
import time
from collections import Counter
from typing import Any

from sqlalchemy import event

from zrg_dagster.core.base.clock import utc_now
from zrg_dagster.core.base.log import configure_logging
from zrg_dagster.core.base.settings import Settings, current_settings
from zrg_dagster.core.db.engine import make_engine
from zrg_dagster.core.db.lane import LaneLimits, LaneReport, drain_lane
from zrg_dagster.core.db.lanes import INBOUND
from zrg_dagster.core.intake.drain import InboundLane

POOL_SIZE = 4  # as in zrg_dagster/jobs/inbound.py


async def drain(dsn: str, settings: Settings, *, until_stopped: bool) -> dict[str, Any]:
    report, statements, stop = LaneReport(), Counter[str](), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    engine = make_engine(dsn, pool_size=POOL_SIZE, application_name="zrg-inbound")
    event.listen(engine.sync_engine, "before_cursor_execute", lambda *_: statements.update(["statements"]))
    event.listen(engine.sync_engine, "commit", lambda *_: statements.update(["commits"]))
    lane = InboundLane(
        engine, batch_size=settings.event_batch_size, lease_s=settings.lease_s, clock=utc_now, report=report
    )
    limits = LaneLimits(
        concurrency=InboundLane.CONCURRENCY,
        budget_s=settings.drain_budget_s,
        idle_s=settings.drain_budget_s if until_stopped else 0,
        lease_s=settings.lease_s,
    )
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        await drain_lane(
            engine, dsn, INBOUND, lane.work(), limits=limits, stop=stop, clock=utc_now, run_id=None, report=report
        )
    finally:
        await engine.dispose()
    return {
        "seconds": time.perf_counter() - wall,
        "cpu_s": time.process_time() - cpu,
        "claimed": report.claimed,
        "outcomes": dict(report.outcomes),
        "reasons": dict(report.reasons),
        "batch_p95_ms": report.p95_ms,
        "batch_ms": [round(each) for each in report.item_ms],
        "statements": statements["statements"],
        "commits": statements["commits"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="One inbound drain.")
    parser.add_argument("--until-stopped", action="store_true")
    until_stopped = parser.parse_args().until_stopped
    settings = current_settings()
    configure_logging(json=True, level=settings.log_level, stream=sys.stderr)
    assert settings.db_worker_url is not None
    print(
        json.dumps(asyncio.run(drain(settings.db_worker_url.get_secret_value(), settings, until_stopped=until_stopped)))
    )


if __name__ == "__main__":
    main()
