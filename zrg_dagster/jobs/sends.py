"""Planned sends leave through their vendors: the drain of the ledger."""

import asyncio

import dagster as dg

from zrg_dagster.core.base.settings import current_settings
from zrg_dagster.jobs.access import vendor_access
from zrg_dagster.jobs.drain import DrainConfig, drain_tags, limits_of, metadata_of
from zrg_dagster.jobs.run_async import run_async
from zrg_dagster.resources.channels import Channels
from zrg_dagster.resources.clock import Clock
from zrg_dagster.resources.database import Database


@dg.op(pool="sends", description="Claim due sends through every gate, call the vendor once, record what it said.")
def drain_sends(
    context: dg.OpExecutionContext, config: DrainConfig, database: Database, clock: Clock, channels: Channels
) -> None:
    from zrg_dagster.core.db.lane import LaneReport, drain_lane
    from zrg_dagster.core.db.lanes import SENDS
    from zrg_dagster.core.sending.drain import SendsLane
    from zrg_dagster.jobs.consequences import CONSEQUENCES

    settings = current_settings()
    report = LaneReport()

    async def main(stop: asyncio.Event) -> None:
        engine = database.engine(pool_size=8, name="zrg-sends")
        try:
            async with channels.clients() as vendors:
                lane = SendsLane(
                    engine,
                    vendors,
                    access=vendor_access(channels),
                    consequences=CONSEQUENCES,
                    auto_send_disabled=settings.auto_send_disabled,
                    lease_s=settings.lease_s,
                    clock=clock.now,
                    report=report,
                )
                await drain_lane(
                    engine,
                    database.dsn,
                    SENDS,
                    lane.work(),
                    limits=limits_of(config, concurrency=settings.job_concurrency),
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
    name="process_sends",
    description="Sends what is planned and due: answers, follow-ups, review cards, digests. One vendor call a row; "
    "what a vendor did not confirm is read back, never simply repeated. Safe to launch by hand at any time.",
    tags=drain_tags("sends"),
)
def process_sends() -> None:
    drain_sends()
