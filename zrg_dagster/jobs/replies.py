"""Replies are understood, answered and decided on: the drain of the replies lane."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import dagster as dg

from zrg_dagster.core.base.settings import current_settings
from zrg_dagster.core.db.lanes import REPLIES
from zrg_dagster.jobs.access import vendor_access
from zrg_dagster.jobs.drain import DrainConfig, drain_tags, run_drain
from zrg_dagster.resources.channels import Channels
from zrg_dagster.resources.clock import Clock
from zrg_dagster.resources.database import Database
from zrg_dagster.resources.model import Model

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from zrg_dagster.core.db.lane import LaneReport, LaneWork


@dg.op(
    pool="replies",
    description="Classify, draft, evaluate and decide due replies; carry out reviewers' clicks; tell CRMs.",
)
def drain_replies(
    context: dg.OpExecutionContext,
    config: DrainConfig,
    database: Database,
    clock: Clock,
    model: Model,
    channels: Channels,
) -> None:
    from zrg_dagster.core.ai.spend import Spending
    from zrg_dagster.core.ai.telemetry import calling_from, price_list
    from zrg_dagster.core.base.seal import Sealer
    from zrg_dagster.core.intake import history
    from zrg_dagster.core.leads.contacts import KIND as CONTACT
    from zrg_dagster.core.leads.vendor_stops import KIND as STOP_AT_VENDOR
    from zrg_dagster.core.notifications.crm import KIND as CRM_WEBHOOK
    from zrg_dagster.core.providers.pinned import PinnedPoster, make_pinned_client
    from zrg_dagster.core.replies.contact_sync import ContactSync
    from zrg_dagster.core.replies.crm_webhook import CrmDeliveries
    from zrg_dagster.core.replies.drain import RepliesLane
    from zrg_dagster.core.replies.enrich import KIND as ENRICHMENT_REQUEST
    from zrg_dagster.core.replies.enrich import EnrichmentRequests
    from zrg_dagster.core.replies.escalation import KIND as ESCALATION
    from zrg_dagster.core.replies.escalation import Escalation
    from zrg_dagster.core.replies.tell_vendors import VendorStops
    from zrg_dagster.core.replies.vendor_job import VendorTools
    from zrg_dagster.core.replies.world import ReplyWorld
    from zrg_dagster.core.workspaces.access import super_admins

    settings = current_settings()

    @asynccontextmanager
    async def build(engine: "AsyncEngine", report: "LaneReport") -> "AsyncIterator[LaneWork[Any]]":
        client = model.client()
        calling_from("op/drain_replies")
        try:
            async with channels.clients() as vendors, make_pinned_client() as customers:
                world = ReplyWorld(
                    engine=engine,
                    model=client,
                    has_model_key=settings.openai_api_key is not None,
                    auto_send_disabled=settings.auto_send_disabled,
                    clock=clock.now,
                    super_admins=super_admins(settings),
                    spending=Spending(Decimal(str(settings.model_daily_budget_usd))),
                    breakers=client.breakers,
                    revision_disabled=settings.auto_send_revision_disabled,
                    memory_disabled=settings.lead_context_bundle_disabled,
                )
                access = vendor_access(channels)
                keys = settings.secret_keys
                sealer = Sealer(keys.get_secret_value()) if keys else None
                crm = CrmDeliveries(
                    engine,
                    PinnedPoster(customers),
                    sealer,
                    clock.now,
                    timeout_s=settings.crm_webhook_timeout_ms / 1000,
                )
                tools = VendorTools(engine, vendors, access, clock.now)
                lane = RepliesLane(
                    world,
                    vendors,
                    access=access,
                    lease_s=settings.lease_s,
                    report=report,
                    run_id=context.run_id,
                    also={
                        CRM_WEBHOOK: crm,
                        CONTACT: ContactSync(tools),
                        ENRICHMENT_REQUEST: EnrichmentRequests(engine, vendors.clay(), sealer, clock.now),
                        ESCALATION: Escalation(engine, clock.now),
                        history.KIND: history.ConversationSync(tools),
                        STOP_AT_VENDOR: VendorStops(tools),
                    },
                )
                yield lane.work()
        finally:
            report.more = client.tally.summary(price_list())
            await client.aclose()

    run_drain(context, config, database, clock, REPLIES, build, concurrency=settings.job_concurrency, pool_size=8)


@dg.job(
    name="process_replies",
    description="Understands each reply, writes a draft, and decides: send, send later, or ask a person in Slack. Reads the "
    "conversation before a short SMS at the vendor first. "
    "Started by its sensor when something is due; safe to launch by hand at any time.",
    tags=drain_tags("replies"),
)
def process_replies() -> None:
    drain_replies()
