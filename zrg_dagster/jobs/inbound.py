"""Webhook deliveries become conversations: the drain of the inbound lane."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import dagster as dg

from zrg_dagster.core.base.settings import current_settings
from zrg_dagster.core.db.lanes import INBOUND
from zrg_dagster.jobs.drain import DrainConfig, drain_tags, run_drain
from zrg_dagster.resources.clock import Clock
from zrg_dagster.resources.database import Database

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from zrg_dagster.core.db.lane import LaneReport, LaneWork


@dg.op(
    pool="inbound",
    description="Claim due deliveries in batches, apply each batch in one transaction, until none is left.",
)
def drain_deliveries(context: dg.OpExecutionContext, config: DrainConfig, database: Database, clock: Clock) -> None:
    from zrg_dagster.core.base.seal import Sealer
    from zrg_dagster.core.intake.drain import InboundLane

    settings = current_settings()
    keys = settings.secret_keys

    @asynccontextmanager
    async def build(engine: "AsyncEngine", report: "LaneReport") -> "AsyncIterator[LaneWork[Any]]":
        lane = InboundLane(
            engine,
            batch_size=settings.event_batch_size,
            lease_s=settings.lease_s,
            clock=clock.now,
            report=report,
            sealer=Sealer(keys.get_secret_value()) if keys else None,
        )
        yield lane.work()

    run_drain(context, config, database, clock, INBOUND, build, concurrency=InboundLane.CONCURRENCY, pool_size=4)


@dg.job(
    name="process_inbound",
    description="Turns stored webhook deliveries into leads, messages, appointments and jobs. Started by its sensor when "
    "something is due; safe to launch by hand at any time.",
    tags=drain_tags("inbound"),
)
def process_inbound() -> None:
    drain_deliveries()
