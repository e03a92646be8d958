"""Availability: every minute, calendars whose cached slots are stale are read again."""

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

from zrg_dagster.core.base.settings import current_settings
from zrg_dagster.jobs.access import vendor_access
from zrg_dagster.jobs.run_async import run_async
from zrg_dagster.jobs.ticks import reason_table, request_or_skip
from zrg_dagster.resources.channels import Channels
from zrg_dagster.resources.clock import Clock
from zrg_dagster.resources.database import Database

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from zrg_dagster.core.booking.availability import Calendar
    from zrg_dagster.core.providers.clients import VendorClients
    from zrg_dagster.core.sending.drain import Access


class AvailabilityConfig(dg.Config):
    """What one run may do."""

    max_calendars: int = Field(default=200, ge=1, le=5000, description="Stop after this many due calendars.")
    concurrency: int = Field(default=8, ge=1, le=32, description="Vendor calls at a time.")


@dg.op(pool="availability", tags={"kind": "python"})
def refresh_due_calendars(
    context: dg.OpExecutionContext, config: AvailabilityConfig, database: Database, clock: Clock, channels: Channels
) -> None:
    """Ask the vendors for the free slots of due calendars and store them. A calendar that fails keeps its old slots."""
    # Imported here: these pull SQLAlchemy and httpx, which loading the definitions does not need.
    from zrg_dagster.core.booking.availability import RefreshCode, failed, lease_due, store
    from zrg_dagster.core.booking.fetch import fetch

    async def refresh(
        engine: "AsyncEngine", vendors: "VendorClients", gate: asyncio.Semaphore, access: "Access", calendar: "Calendar"
    ) -> Counter[str]:
        async with gate:
            async with engine.connect() as conn:
                credential = await access(conn, calendar.workspace_id, calendar.provider)
            if credential is None:
                refreshed = failed(calendar, RefreshCode.NO_ACCESS, RefreshCode.NO_ACCESS, clock.now())
            else:
                refreshed = await fetch(vendors, credential, calendar, clock.now())
        async with engine.begin() as conn:
            return await store(conn, [refreshed], clock.now())

    async def main(stop: asyncio.Event) -> Counter[str]:
        codes: Counter[str] = Counter()
        engine = database.engine(pool_size=config.concurrency, name="zrg-availability")
        gate, access, taken = asyncio.Semaphore(config.concurrency), vendor_access(channels), 0
        try:
            async with channels.clients() as vendors:
                # A few at a time, so that a calendar's lease never runs out while it waits for its turn.
                while not stop.is_set() and taken < config.max_calendars:
                    limit = min(4 * config.concurrency, config.max_calendars - taken)
                    async with engine.begin() as conn:
                        calendars = await lease_due(conn, clock.now(), limit=limit)
                    taken += len(calendars)
                    done = (refresh(engine, vendors, gate, access, calendar) for calendar in calendars)
                    codes = sum(await asyncio.gather(*done), codes)
                    if len(calendars) < limit:
                        break
        finally:
            await engine.dispose()
        return codes

    codes = run_async(context, main)
    context.log.info(f"{sum(codes.values())} calendars handled.")
    claimed = dg.MetadataValue.int(sum(codes.values()))
    context.add_output_metadata({"claimed": claimed, **reason_table(codes, "calendars")})


@dg.job(
    name="refresh_availability",
    description="Refreshes the cached free slots of calendars that are due.",
    tags={"zrg/lane": "availability", "dagster/max_runtime": "300"},
)
def refresh_availability() -> None:
    refresh_due_calendars()


@dg.schedule(
    name="refresh_availability_every_minute",
    description="Looks each minute whether a calendar's slots are stale; none stale, no run.",
    job=refresh_availability,
    cron_schedule="* * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING
    if current_settings().automation
    else dg.DefaultScheduleStatus.STOPPED,
)
def refresh_availability_every_minute(
    context: dg.ScheduleEvaluationContext, database: Database, clock: Clock
) -> dg.RunRequest | dg.SkipReason:
    from zrg_dagster.core.booking.availability import oldest_due

    now = clock.now()
    with database.connect() as connection:
        oldest = oldest_due(connection, now)
    reason = f"a calendar is stale since {oldest:%Y-%m-%d %H:%M:%S} UTC" if oldest else None
    return request_or_skip(
        context, refresh_availability.name, now, due=reason, otherwise="No calendar is due for a refresh."
    )
