"""Once a day: do the vendors still deliver to us? Calendly switches a subscription off after a day of failures, silently."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

from zrg_dagster.core.base.settings import current_settings
from zrg_dagster.jobs.access import vendor_access
from zrg_dagster.jobs.run_async import run_async
from zrg_dagster.jobs.ticks import reason_table
from zrg_dagster.resources.channels import Channels
from zrg_dagster.resources.clock import Clock
from zrg_dagster.resources.database import Database

if TYPE_CHECKING:
    from zrg_dagster.core.workspaces.calendly_hook import Seen


class IntegrationsConfig(dg.Config):
    """What one run may do."""

    max_workspaces: int = Field(default=1000, ge=1, le=100_000, description="Stop after this many workspaces.")
    dry_run: bool = Field(default=False, description="Look and show, write no notice.")


@dg.op(tags={"kind": "python"})
def check_subscriptions(
    context: dg.OpExecutionContext, config: IntegrationsConfig, database: Database, clock: Clock, channels: Channels
) -> None:
    """Ask Calendly about every workspace's subscription and note what is wrong, for the operator and the digest."""
    # Imported here: these pull SQLAlchemy and httpx, which loading the definitions does not need.
    from zrg_dagster.core.workspaces.calendly_connect import look
    from zrg_dagster.core.workspaces.calendly_hook import PATH, note_hooks, watched_hooks

    public_url = current_settings().public_url.rstrip("/")

    async def main(stop: asyncio.Event) -> "list[Seen]":
        engine, access, seen = database.engine(pool_size=1, name="zrg-integrations"), vendor_access(channels), []
        try:
            async with channels.clients() as vendors:
                async with engine.connect() as conn:
                    hooks = await watched_hooks(conn, config.max_workspaces)
                for hook in hooks:
                    if stop.is_set():
                        break
                    async with engine.connect() as conn:
                        credential = await access(conn, hook.workspace_id, "calendly")
                    client = vendors.calendly(credential) if credential else None
                    seen.append(await look(client, hook, f"{public_url}{PATH}{hook.key}"))
            if not config.dry_run and seen:
                async with engine.begin() as conn:
                    await note_hooks(conn, seen, clock.now())
        finally:
            await engine.dispose()
        return seen

    seen = run_async(context, main)
    context.log.info(f"{len(seen)} subscriptions looked at.")
    context.add_output_metadata(metadata_of(seen))


def metadata_of(seen: "Sequence[Seen]") -> dict[str, dg.MetadataValue]:
    """Counts by state, and the workspaces that need somebody, with the command that repairs them."""
    from zrg_dagster.core.workspaces.calendly_hook import QUIET

    trouble = [each for each in seen if each.state not in QUIET]
    lines = [
        f"- `{each.hook.key}`: {each.state} → `zrg integration connect calendly {each.hook.key}`" for each in trouble
    ]
    codes = Counter(each.state.value for each in seen)
    return {
        "checked": dg.MetadataValue.int(len(seen)),
        "in_trouble": dg.MetadataValue.int(len(trouble)),
        "to_repair": dg.MetadataValue.md("\n".join(lines) or "Nothing."),
        **reason_table(codes, "workspaces"),
    }


@dg.job(
    name="check_integrations",
    description="Asks Calendly whether every workspace's webhook subscription is still active and points here.",
    tags={"zrg/lane": "integrations", "dagster/max_runtime": "1800"},
)
def check_integrations() -> None:
    check_subscriptions()


check_integrations_daily = dg.ScheduleDefinition(
    name="check_integrations_daily",
    job=check_integrations,
    cron_schedule="11 5 * * *",
    execution_timezone="UTC",
    description="Once a day, before most workspaces' digest.",
    default_status=dg.DefaultScheduleStatus.RUNNING
    if current_settings().automation
    else dg.DefaultScheduleStatus.STOPPED,
)
