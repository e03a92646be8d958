"""Daily digest: once per workspace and local day, counts of what happened go to its Slack recipients."""

import asyncio
from collections import Counter

import dagster as dg
from pydantic import Field

from zrg_dagster.core.base.settings import current_settings
from zrg_dagster.jobs.run_async import run_async
from zrg_dagster.jobs.ticks import reason_table, request_or_skip
from zrg_dagster.resources.clock import Clock
from zrg_dagster.resources.database import Database


class DigestConfig(dg.Config):
    """What one run may do."""

    max_workspaces: int = Field(default=1000, ge=1, le=100_000, description="Stop after this many due workspaces.")
    send_now: bool = Field(
        default=False,
        description="Do not wait for the workspaces' digest time. A workspace still gets one digest a local day.",
    )
    dry_run: bool = Field(default=False, description="Count which workspaces are due and change nothing.")


@dg.op(pool="digest", tags={"kind": "python"})
def plan_due_digests(context: dg.OpExecutionContext, config: DigestConfig, database: Database, clock: Clock) -> None:
    """Plan the digest of every workspace whose local digest time has passed. The sends lane delivers them."""
    # Imported here: this pulls SQLAlchemy, which loading the definitions does not need.
    from zrg_dagster.core.notifications.digest import (
        Coverage,
        DigestCode,
        due_coverage,
        forced_coverage,
        load_workspaces,
        plan_digest,
    )

    async def main(stop: asyncio.Event) -> Counter[str]:
        codes: Counter[str] = Counter()
        engine = database.engine(pool_size=1, name="zrg-digest")
        try:
            async with engine.connect() as conn:
                workspaces = await load_workspaces(conn)
            now, due = clock.now(), 0
            for workspace in workspaces:
                if stop.is_set() or due >= config.max_workspaces:
                    break
                coverage = forced_coverage(workspace, now) if config.send_now else due_coverage(workspace, now)
                if not isinstance(coverage, Coverage):
                    codes[coverage] += 1
                    continue
                due += 1
                if config.dry_run:
                    codes[DigestCode.PLANNED] += 1
                    continue
                async with engine.begin() as conn:
                    codes += await plan_digest(conn, workspace, coverage)
        finally:
            await engine.dispose()
        return codes

    codes = run_async(context, main)
    context.log.info(f"{sum(codes.values())} workspaces looked at, {codes[DigestCode.PLANNED]} digests planned.")
    context.add_output_metadata(
        {
            "planned": dg.MetadataValue.int(codes[DigestCode.PLANNED]),
            "dry_run": dg.MetadataValue.bool(config.dry_run),
            **reason_table(+codes, "workspaces"),
        }
    )


@dg.job(
    name="send_daily_digest",
    description="Plans the daily Slack digest of every workspace that is due. The sends lane delivers it.",
    tags={"zrg/lane": "digest", "dagster/max_runtime": "300"},
)
def send_daily_digest() -> None:
    plan_due_digests()


@dg.schedule(
    name="send_daily_digest_every_quarter_hour",
    description="Looks every 15 minutes whether a workspace's digest time has passed; none due, no run.",
    job=send_daily_digest,
    cron_schedule="*/15 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING
    if current_settings().automation
    else dg.DefaultScheduleStatus.STOPPED,
)
def send_daily_digest_every_quarter_hour(
    context: dg.ScheduleEvaluationContext, database: Database, clock: Clock
) -> dg.RunRequest | dg.SkipReason:
    from zrg_dagster.core.notifications.digest import due_count

    now = clock.now()
    with database.connect() as connection:
        due = due_count(connection, now)
    reason = f"{due} workspaces are due" if due else None
    return request_or_skip(
        context, send_daily_digest.name, now, due=reason, otherwise="No workspace is due for a digest."
    )
