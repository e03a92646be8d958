"""Daily housekeeping: body partitions and their retention, and old runs of the drains."""

from datetime import timedelta

import dagster as dg
from pydantic import Field

from zrg_dagster.core.base.settings import current_settings
from zrg_dagster.resources.clock import Clock
from zrg_dagster.resources.database import Database

# Asset runs are never deleted here: deleting one makes its partition count as missing.
PURGED_JOBS = (
    "process_inbound",
    "process_replies",
    "process_sends",
    "send_due_followups",
    "refresh_availability",
    "send_daily_digest",
    "webhook_replay",
    "check_integrations",
    "expire_enrichments",
    "daily_maintenance",
)
PURGE_LIMIT = 5000


class MaintenanceConfig(dg.Config):
    """What one pass may do."""

    max_runs: int = Field(default=PURGE_LIMIT, ge=0, le=50_000, description="Delete at most this many old runs.")
    dry_run: bool = Field(default=False, description="Count what would be deleted, delete nothing.")


@dg.op(description="Make the body partitions of the coming days, drop those past their retention.")
def maintain_bodies(
    context: dg.OpExecutionContext, config: MaintenanceConfig, database: Database, clock: Clock
) -> None:
    if config.dry_run:
        return
    with database.connect() as conn:
        conn.execute("SET statement_timeout = '60s'")
        row = conn.execute(
            "SELECT * FROM raw.maintain_bodies(%s, %s)",
            (clock.now().date(), current_settings().webhook_body_retention_days),
        ).fetchone()
    assert row is not None
    context.add_output_metadata({"partitions_created": row["created"], "partitions_dropped": row["dropped"]})


@dg.op(ins={"after": dg.In(dg.Nothing)}, description="Delete finished runs of op jobs past their retention.")
def purge_runs(context: dg.OpExecutionContext, config: MaintenanceConfig, clock: Clock) -> None:
    before = clock.now() - timedelta(days=current_settings().run_retention_days)
    finished = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
    purged = 0
    for job_name in PURGED_JOBS:
        records = context.instance.get_run_records(
            dg.RunsFilter(job_name=job_name, statuses=finished, created_before=before), limit=config.max_runs - purged
        )
        for record in records:
            if not config.dry_run:
                context.instance.delete_run(record.dagster_run.run_id)
            purged += 1
        if purged >= config.max_runs:
            break
    context.add_output_metadata({"runs_deleted": 0 if config.dry_run else purged, "runs_old": purged})


@dg.job(
    name="daily_maintenance",
    description="Prepares storage for the coming days and deletes what is past its retention.",
    tags={"zrg/lane": "maintenance", "dagster/max_runtime": "1800"},
)
def daily_maintenance() -> None:
    purge_runs(after=maintain_bodies())


daily_maintenance_at_night = dg.ScheduleDefinition(
    name="daily_maintenance_at_night",
    job=daily_maintenance,
    cron_schedule="17 3 * * *",
    execution_timezone="UTC",
    description="Once a night.",
    default_status=dg.DefaultScheduleStatus.RUNNING
    if current_settings().automation
    else dg.DefaultScheduleStatus.STOPPED,
)
