"""Follow-ups: every minute, due steps of running sequences become planned sends."""

import asyncio
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

from zrg_dagster.core.base.settings import current_settings
from zrg_dagster.jobs.run_async import run_async
from zrg_dagster.jobs.ticks import reason_table, request_or_skip
from zrg_dagster.resources.clock import Clock
from zrg_dagster.resources.database import Database

if TYPE_CHECKING:
    from zrg_dagster.core.followups.due import DueReport

BATCH = 100


class FollowUpConfig(dg.Config):
    """What one run may do."""

    max_items: int = Field(default=2000, ge=1, le=50_000, description="Stop after this many due steps.")
    dry_run: bool = Field(
        default=False, description="Count what would happen to the first batch of due steps and change nothing."
    )


@dg.op(pool="followups", tags={"kind": "python"})
def plan_due_steps(context: dg.OpExecutionContext, config: FollowUpConfig, database: Database, clock: Clock) -> None:
    """Take due follow-up steps, oldest first: plan the send, or write why not (replied, booked, no address …)."""
    # Imported here: this pulls SQLAlchemy, which loading the definitions does not need.
    from zrg_dagster.core.followups.due import DueReport, plan_due

    # Two switches, one meaning: the environment's can only make a run stricter.
    dry_run = config.dry_run or current_settings().followups_dry_run

    async def main(stop: asyncio.Event) -> DueReport:
        total = DueReport()
        engine = database.engine(pool_size=1, name="zrg-followups")
        try:
            while not stop.is_set() and total.selected < config.max_items:
                limit = min(BATCH, config.max_items - total.selected)
                async with engine.begin() as conn:
                    batch = await plan_due(conn, clock.now(), limit=limit, dry_run=dry_run)
                total.add(batch)
                if dry_run or batch.selected < limit:
                    break
        finally:
            await engine.dispose()
        return total

    report = run_async(context, main)
    context.log.info(f"{report.selected} due steps taken, {report.planned} sends planned.")
    context.add_output_metadata(_metadata(report, dry_run=dry_run))


def _metadata(report: "DueReport", *, dry_run: bool) -> dict[str, dg.MetadataValue]:
    return {
        "claimed": dg.MetadataValue.int(report.selected),
        "planned": dg.MetadataValue.int(report.planned),
        "oldest_due_s": dg.MetadataValue.float(report.oldest_due_s),
        "dry_run": dg.MetadataValue.bool(dry_run),
        **reason_table(report.reasons, "steps"),
    }


@dg.job(
    name="send_due_followups",
    description="Plans the sends of follow-up steps that are due. The sends lane delivers them.",
    tags={"zrg/lane": "followups", "dagster/max_runtime": "300"},
)
def send_due_followups() -> None:
    plan_due_steps()


@dg.schedule(
    name="send_due_followups_every_minute",
    description="Looks each minute whether a follow-up step is due; nothing due, no run.",
    job=send_due_followups,
    cron_schedule="* * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING
    if current_settings().automation
    else dg.DefaultScheduleStatus.STOPPED,
)
def send_due_followups_every_minute(
    context: dg.ScheduleEvaluationContext, database: Database, clock: Clock
) -> dg.RunRequest | dg.SkipReason:
    from zrg_dagster.core.followups.due import oldest_due

    now = clock.now()
    with database.connect() as connection:
        oldest = oldest_due(connection, now)
    reason = f"a step is due since {oldest:%Y-%m-%d %H:%M:%S} UTC" if oldest else None
    return request_or_skip(context, send_due_followups.name, now, due=reason, otherwise="No follow-up step is due.")
