"""Deliveries processed again from the UI: what `zrg events replay` does, dry by default."""

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import Field

from zrg_dagster.core.base.settings import current_settings
from zrg_dagster.jobs.run_async import run_async
from zrg_dagster.resources.clock import Clock
from zrg_dagster.resources.database import Database

if TYPE_CHECKING:
    from zrg_dagster.core.intake.replay import Selection

SHOWN = 100


class ReplayConfig(dg.Config):
    """Which deliveries, and whether they are processed again. All conditions that are given hold."""

    states: list[str] = Field(
        default=["quarantined", "dead"], description="States: processed, ignored, quarantined, dead, discarded."
    )
    provider: str = Field(default="", description="Vendor: emailbison, ghl, calendly … Empty: all.")
    workspace: str = Field(default="", description="Key of the workspace. Empty: all.")
    reason: str = Field(default="", description="Reason code as the dry run shows it. Empty: all.")
    first_id: str = Field(default="", description="From this delivery on: ids follow the time of receipt.")
    last_id: str = Field(default="", description="Up to and with this delivery.")
    since: str = Field(default="", description="Received at or after this instant, as 2026-03-10T16:00:00Z.")
    until: str = Field(default="", description="Received before this instant.")
    limit: int = Field(default=500, ge=1, le=10_000, description="At most this many, the oldest first.")
    dry_run: bool = Field(default=True, description="Try it, roll it back, and show how each would end.")


@dg.op(tags={"kind": "python"})
def replay_deliveries(context: dg.OpExecutionContext, config: ReplayConfig, database: Database, clock: Clock) -> None:
    """Hand deliveries to the inbound lane once more, or show what that would change."""
    from zrg_dagster.core.base.seal import Sealer
    from zrg_dagster.core.intake import replay

    keys = current_settings().secret_keys
    sealer = Sealer(keys.get_secret_value()) if keys else None

    async def main(_stop: asyncio.Event) -> dict[str, Any]:
        engine = database.engine(pool_size=1, name="zrg-replay")
        try:
            async with engine.connect() as conn:
                events = await replay.find(conn, chosen)
                await conn.rollback()
                refused = [(event, why) for event in events if (why := replay.refusal(event))]
                lines = [
                    f"| {each.id} | {each.event_type} | {each.state} | left alone: {why} |" for each, why in refused
                ]
                if config.dry_run:
                    changes = await replay.preview(conn, events, clock.now(), sealer=sealer)
                    lines = [_line(change) for change in changes] + lines
                    return _metadata(lines, chosen=len(events), tried=len(changes), replayed=0, refused=len(refused))
            async with engine.begin() as conn:
                actor = f"dagster:{context.run_id}"
                taken = await replay.replay(conn, events, chosen, actor=actor, now=clock.now())
            return _metadata(lines, chosen=len(events), tried=0, replayed=len(taken), refused=len(refused))
        finally:
            await engine.dispose()

    try:
        chosen = selection(config)
    except replay.ReplayError as error:
        raise dg.Failure(description=str(error), allow_retries=False) from None
    context.add_output_metadata(run_async(context, main))


def selection(config: ReplayConfig) -> "Selection":
    """The config as a selection; `ReplayError` names the field that does not fit."""
    from uuid import UUID

    from zrg_dagster.core.intake.replay import ReplayError, Selection

    def parsed(name: str, parse: Any) -> Any:
        given = getattr(config, name).strip()
        try:
            return parse(given) if given else None
        except ValueError:
            raise ReplayError(f"{name}: {given!r} is not readable") from None

    return Selection(
        workspace=config.workspace.strip() or None,
        provider=config.provider.strip() or None,
        states=tuple(config.states),
        reason=config.reason.strip() or None,
        first_id=parsed("first_id", UUID),
        last_id=parsed("last_id", UUID),
        since=parsed("since", datetime.fromisoformat),
        until=parsed("until", datetime.fromisoformat),
        limit=config.limit,
    )


def _line(change: Any) -> str:
    event = change.event
    before = f"{event.state} {event.reason or ''}".strip()
    after = f"{change.state} {change.reason or ''}".strip() if change.differs else "unchanged"
    return f"| {event.id} | {event.event_type} | {before} | {after} |"


def _metadata(lines: list[str], **counts: int) -> dict[str, Any]:
    table = "\n".join(["| delivery | type | now | after |", "|---|---|---|---|", *lines[:SHOWN]])
    return {**counts, "deliveries": dg.MetadataValue.md(table if lines else "No delivery matches.")}


@dg.job(
    name="webhook_replay",
    description="Processes stored deliveries again, by id range, time, vendor, state or reason. By default it only shows "
    "how each would end. Nothing is sent by itself because of a replay: a reply found now goes to a person.",
    tags={"zrg/lane": "inbound", "zrg/trigger": "manual", "dagster/max_runtime": "1800"},
)
def webhook_replay() -> None:
    replay_deliveries()
