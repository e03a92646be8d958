"""Webhook deliveries become conversations: the drain of the inbound lane."""

import asyncio

import dagster as dg

from zrg_dagster.core.base.settings import current_settings
from zrg_dagster.jobs.drain import DrainConfig, drain_tags, limits_of, metadata_of
from zrg_dagster.jobs.run_async import run_async
from zrg_dagster.resources.clock import Clock
from zrg_dagster.resources.database import Database


@dg.op(
    pool="inbound",
    description="Claim due deliveries in batches, apply each batch in one transaction, until none is left.",
)
def drain_deliveries(context: dg.OpExecutionContext, config: DrainConfig, database: Database, clock: Clock) -> None:
    from zrg_dagster.core.db.lane import LaneReport, drain_lane
    from zrg_dagster.core.db.lanes import INBOUND
    from zrg_dagster.core.intake.drain import InboundLane

    settings = current_settings()
    report = LaneReport()

    async def main(stop: asyncio.Event) -> None:
        engine = database.engine(pool_size=4, name="zrg-inbound")
        try:
            lane = InboundLane(
                engine, batch_size=settings.event_batch_size, lease_s=settings.lease_s, clock=clock.now, report=report
            )
            await drain_lane(
                engine,
                database.dsn,
                INBOUND,
                lane.work(),
                limits=limits_of(config, concurrency=1),
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


@dg.job(
    name="process_inbound",
    description="Turns stored webhook deliveries into leads, messages, appointments and jobs. Started by its sensor when "
    "something is due; safe to launch by hand at any time.",
    tags=drain_tags("inbound"),
)
def process_inbound() -> None:
    drain_deliveries()
