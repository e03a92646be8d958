"""What the three drains share: their run, limits from the settings and the run's config, the numbers an operator sees."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import Field

from zrg_dagster.core.base.settings import current_settings
from zrg_dagster.core.db.lanes import Queue
from zrg_dagster.jobs.run_async import run_async
from zrg_dagster.resources.clock import Clock
from zrg_dagster.resources.database import Database

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from zrg_dagster.core.db.lane import LaneLimits, LaneReport, LaneWork

    # What a lane does, ready for use inside the block.
    Build = Callable[[AsyncEngine, LaneReport], AbstractAsyncContextManager[LaneWork[Any]]]

LANE_TAG = "zrg/lane"
MAX_RUNTIME_TAG = "dagster/max_runtime"


class DrainConfig(dg.Config):
    """How long one drain works. The defaults come from the settings; a manual launch may shorten them."""

    budget_s: float | None = Field(
        default=None, description="Claim nothing more after this many seconds. Empty: ZRG_DRAIN_BUDGET_S."
    )
    idle_s: float | None = Field(
        default=None, description="End after this many seconds without work. Empty: ZRG_DRAIN_IDLE_S."
    )


def run_drain(
    context: dg.OpExecutionContext,
    config: DrainConfig,
    database: Database,
    clock: Clock,
    queue: Queue,
    build: "Build",
    *,
    concurrency: int,
    pool_size: int,
) -> None:
    """Drain one lane in this op. The numbers reach the run's page also when the drain was cancelled or failed."""
    from zrg_dagster.core.db.lane import LaneReport, drain_lane

    report = LaneReport()

    async def main(stop: asyncio.Event) -> None:
        engine = database.engine(pool_size=pool_size, name=f"zrg-{queue.lane}")
        try:
            async with build(engine, report) as work:
                await drain_lane(
                    engine,
                    database.dsn,
                    queue,
                    work,
                    limits=limits_of(config, concurrency=concurrency),
                    stop=stop,
                    clock=clock.now,
                    run_id=context.run_id,
                    report=report,
                )
        finally:
            await engine.dispose()

    try:
        run_async(context, main)
    finally:
        context.add_output_metadata(metadata_of(report))


def limits_of(config: DrainConfig, *, concurrency: int) -> "LaneLimits":
    from zrg_dagster.core.db.lane import LaneLimits

    settings = current_settings()
    return LaneLimits(
        concurrency=concurrency,
        budget_s=settings.drain_budget_s if config.budget_s is None else config.budget_s,
        idle_s=settings.drain_idle_s if config.idle_s is None else config.idle_s,
        lease_s=settings.lease_s,
    )


def metadata_of(report: "LaneReport") -> Mapping[str, Any]:
    """Claimed, outcomes, reasons, age and speed of one drain."""
    outcomes = dict(sorted(report.outcomes.items()))
    return {
        "claimed": report.claimed,
        "done": sum(outcomes.get(state, 0) for state in ("processed", "ignored", "done", "sent")),
        "retried": outcomes.get("retried", 0) + outcomes.get("planned", 0),
        "dead": outcomes.get("dead", 0),
        "released": report.released,
        "outcomes": dg.MetadataValue.json(outcomes),
        "reasons": dg.MetadataValue.json(dict(report.reasons.most_common(50))),
        "oldest_due_s": round(report.oldest_due_s, 1),
        "p95_item_ms": round(report.p95_ms, 1),
        **report.more,
    }


def drain_tags(lane: str) -> dict[str, str]:
    """Run tags of a lane's drain. The runtime limit is the longest allowed budget and the time to finish."""
    return {LANE_TAG: lane, MAX_RUNTIME_TAG: "4200"}
