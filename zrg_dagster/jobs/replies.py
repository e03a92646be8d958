"""Replies are understood, answered and decided on: the drain of the replies lane."""

import asyncio

import dagster as dg

from zrg_dagster.core.base.settings import current_settings
from zrg_dagster.jobs.access import vendor_access
from zrg_dagster.jobs.drain import DrainConfig, drain_tags, limits_of, metadata_of
from zrg_dagster.jobs.run_async import run_async
from zrg_dagster.resources.channels import Channels
from zrg_dagster.resources.clock import Clock
from zrg_dagster.resources.database import Database
from zrg_dagster.resources.model import Model


@dg.op(pool="replies", description="Classify, draft, evaluate and decide due replies; carry out reviewers' clicks.")
def drain_replies(
    context: dg.OpExecutionContext,
    config: DrainConfig,
    database: Database,
    clock: Clock,
    model: Model,
    channels: Channels,
) -> None:
    from zrg_dagster.core.db.lane import LaneReport, drain_lane
    from zrg_dagster.core.db.lanes import REPLIES
    from zrg_dagster.core.replies.drain import RepliesLane
    from zrg_dagster.core.replies.pipeline import ReplyWorld

    settings = current_settings()
    report = LaneReport()

    async def main(stop: asyncio.Event) -> None:
        engine = database.engine(pool_size=8, name="zrg-replies")
        client = model.client()
        try:
            async with channels.clients() as vendors:
                world = ReplyWorld(
                    engine=engine,
                    model=client,
                    has_model_key=settings.openai_api_key is not None,
                    auto_send_disabled=settings.auto_send_disabled,
                    clock=clock.now,
                )
                lane = RepliesLane(
                    world,
                    vendors,
                    access=vendor_access(channels),
                    lease_s=settings.lease_s,
                    report=report,
                    run_id=context.run_id,
                )
                await drain_lane(
                    engine,
                    database.dsn,
                    REPLIES,
                    lane.work(),
                    limits=limits_of(config, concurrency=settings.job_concurrency),
                    stop=stop,
                    clock=clock.now,
                    run_id=context.run_id,
                    report=report,
                )
        finally:
            await client.aclose()
            await engine.dispose()

    try:
        run_async(context, main)
    finally:
        context.add_output_metadata(metadata_of(report))


@dg.job(
    name="process_replies",
    description="Understands each reply, writes a draft, and decides: send, send later, or ask a person in Slack. "
    "Started by its sensor when something is due; safe to launch by hand at any time.",
    tags=drain_tags("replies"),
)
def process_replies() -> None:
    drain_replies()
