"""Questions to the enrichment vendor that nobody answered: after two hours they have failed, and say so."""

import asyncio

import dagster as dg
from pydantic import Field

from zrg_dagster.core.base.settings import current_settings
from zrg_dagster.jobs.run_async import run_async
from zrg_dagster.jobs.ticks import request_or_skip
from zrg_dagster.resources.clock import Clock
from zrg_dagster.resources.database import Database


class EnrichmentConfig(dg.Config):
    """What one run may do."""

    max_items: int = Field(default=1000, ge=1, le=10_000, description="Stop after this many overdue questions.")


@dg.op(tags={"kind": "python"})
def expire_overdue(context: dg.OpExecutionContext, config: EnrichmentConfig, database: Database, clock: Clock) -> None:
    """Mark questions without an answer for two hours as failed. An answer that comes later still counts."""
    # Imported here: this pulls SQLAlchemy, which loading the definitions does not need.
    from zrg_dagster.core.leads.enrichment import expire

    async def main(_stop: asyncio.Event) -> int:
        engine = database.engine(pool_size=1, name="zrg-enrichment")
        try:
            async with engine.begin() as conn:
                return await expire(conn, clock.now(), limit=config.max_items)
        finally:
            await engine.dispose()

    expired = run_async(context, main)
    context.log.info(f"{expired} questions had no answer.")
    context.add_output_metadata({"expired": dg.MetadataValue.int(expired)})


@dg.job(
    name="expire_enrichments",
    description="Fails questions to the enrichment vendor that had no answer for two hours.",
    tags={"zrg/lane": "enrichment", "dagster/max_runtime": "300"},
)
def expire_enrichments() -> None:
    expire_overdue()


@dg.schedule(
    name="expire_enrichments_every_quarter_hour",
    description="Looks every 15 minutes whether a question is overdue; none, no run.",
    job=expire_enrichments,
    cron_schedule="*/15 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING
    if current_settings().automation
    else dg.DefaultScheduleStatus.STOPPED,
)
def expire_enrichments_every_quarter_hour(
    context: dg.ScheduleEvaluationContext, database: Database, clock: Clock
) -> dg.RunRequest | dg.SkipReason:
    from zrg_dagster.core.leads.enrichment import oldest_unanswered

    now = clock.now()
    with database.connect() as connection:
        oldest = oldest_unanswered(connection, now)
    reason = f"a question is without answer since {oldest:%Y-%m-%d %H:%M:%S} UTC" if oldest else None
    return request_or_skip(context, expire_enrichments.name, now, due=reason, otherwise="No question is overdue.")
