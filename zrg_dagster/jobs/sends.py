"""Planned sends leave through their vendors: the drain of the ledger."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import dagster as dg

from zrg_dagster.core.base.settings import current_settings
from zrg_dagster.core.db.lanes import SENDS
from zrg_dagster.jobs.access import vendor_access
from zrg_dagster.jobs.drain import DrainConfig, drain_tags, run_drain
from zrg_dagster.resources.channels import Channels
from zrg_dagster.resources.clock import Clock
from zrg_dagster.resources.database import Database

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from zrg_dagster.core.db.lane import LaneReport, LaneWork


@dg.op(pool="sends", description="Claim due sends through every gate, call the vendor once, record what it said.")
def drain_sends(
    context: dg.OpExecutionContext, config: DrainConfig, database: Database, clock: Clock, channels: Channels
) -> None:
    from zrg_dagster.core.sending.drain import SendsLane
    from zrg_dagster.jobs.consequences import CONSEQUENCES

    settings = current_settings()

    @asynccontextmanager
    async def build(engine: "AsyncEngine", report: "LaneReport") -> "AsyncIterator[LaneWork[Any]]":
        async with channels.clients() as vendors:
            yield SendsLane(
                engine,
                vendors,
                access=vendor_access(channels),
                consequences=CONSEQUENCES,
                auto_send_disabled=settings.auto_send_disabled,
                lease_s=settings.lease_s,
                clock=clock.now,
                report=report,
            ).work()

    run_drain(context, config, database, clock, SENDS, build, concurrency=settings.job_concurrency, pool_size=8)


@dg.job(
    name="process_sends",
    description="Sends what is planned and due: answers, follow-ups, review cards, digests. One vendor call a row; "
    "what a vendor did not confirm is read back, never simply repeated. Safe to launch by hand at any time.",
    tags=drain_tags("sends"),
)
def process_sends() -> None:
    drain_sends()
