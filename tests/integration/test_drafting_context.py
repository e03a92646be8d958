"""The drafting context, model telemetry and channel access against a real Postgres, as the worker role."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from zrg_dagster.core.ai.result import ModelOutcome, ModelResult
from zrg_dagster.core.ai.telemetry import record_call
from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.base.seal import Sealer, new_key
from zrg_dagster.core.db.engine import make_engine
from zrg_dagster.core.drafting.context import MessageNotFound, load_context
from zrg_dagster.core.providers.credential import Credential
from zrg_dagster.core.workspaces.channels import (
    CREDENTIAL_NAMES,
    ChannelDefaults,
    ChannelProblem,
    credential_scope,
    load_channel_access,
    open_channels,
)

NOW = datetime(2026, 2, 16, 15, 0, tzinfo=UTC)


@pytest.fixture
async def engine(database: Any) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(database.dsn("worker"))
    yield engine
    await engine.dispose()


async def run(conn: AsyncConnection, statement: str, **parameters: Any) -> None:
    await conn.execute(text(statement), parameters)


async def add_workspace(conn: AsyncConnection, key: str = "harbourline") -> UUID:
    workspace = new_id()
    await run(
        conn,
        "INSERT INTO app.workspace (id, key, name, timezone) VALUES (:id, :key, 'Harbourline', 'Europe/London')",
        id=workspace,
        key=key,
    )
    return workspace


async def add_lead(conn: AsyncConnection, workspace: UUID, zone: str | None = "America/New_York") -> UUID:
    lead = new_id()
    await run(
        conn,
        """INSERT INTO app.lead (id, workspace_id, email, first_name, timezone, sentiment_tag)
           VALUES (:id, :workspace, 'mara@brightloom.example', 'Mara', :zone, 'Interested')""",
        id=lead,
        workspace=workspace,
        zone=zone,
    )
    return lead


async def add_message(conn: AsyncConnection, workspace: UUID, lead: UUID, number: int, **changes: Any) -> UUID:
    values = {
        "id": new_id(),
        "workspace": workspace,
        "lead": lead,
        "key": f"{lead}:{number}",
        "direction": "inbound",
        "source": "webhook",
        "body": f"text {number}",
        "sent_at": NOW - timedelta(minutes=100 - number),
        "bounce": False,
    } | changes
    await run(
        conn,
        """INSERT INTO app.message (id, workspace_id, lead_id, message_key, channel, direction, source, provider, subject,
                                    body, sent_at, is_bounce)
           VALUES (:id, :workspace, :lead, :key, 'email', :direction, :source, 'emailbison', 'looms', :body, :sent_at,
                   :bounce)""",
        **values,
    )
    return values["id"]


async def add_slots(conn: AsyncConnection, workspace: UUID, *starts: datetime, active: bool = True) -> None:
    calendar = new_id()
    await run(
        conn,
        """INSERT INTO app.calendar (id, workspace_id, provider, external_id, is_active, refreshed_at)
           VALUES (:id, :workspace, 'ghl', :external, :active, :now)""",
        id=calendar,
        workspace=workspace,
        external=str(calendar),
        active=active,
        now=NOW,
    )
    await run(
        conn,
        """INSERT INTO app.availability_slot (workspace_id, calendar_id, starts_at)
           SELECT :workspace, :calendar, unnest(CAST(:starts AS timestamptz[]))""",
        workspace=workspace,
        calendar=calendar,
        starts=list(starts),
    )


async def test_the_context_holds_one_workspace_and_the_latest_lines(engine: AsyncEngine) -> None:
    async with engine.begin() as conn:
        workspace, other = await add_workspace(conn), await add_workspace(conn, "other")
        await run(
            conn,
            """INSERT INTO app.workspace_setting (workspace_id, company_name, sender_name, signature, booking_link)
               VALUES (:workspace, 'Harbourline Ltd', 'Noor', 'Noor C', 'https://calendly.com/noor-c/intro-30')""",
            workspace=workspace,
        )
        lead = await add_lead(conn, workspace)
        ids = [await add_message(conn, workspace, lead, number) for number in range(45)]
        await add_message(conn, workspace, lead, 99, bounce=True, source="bounce", body="Delivery failed")
        await add_message(conn, workspace, await add_lead(conn, workspace), 1, body="another lead")
        tomorrow = NOW + timedelta(days=1)
        await add_slots(conn, workspace, NOW + timedelta(hours=1), tomorrow, NOW + timedelta(days=30))
        await add_slots(conn, workspace, tomorrow + timedelta(hours=1), active=False)
        await add_slots(conn, other, tomorrow + timedelta(hours=2))
    async with engine.connect() as conn:
        context = await load_context(conn, ids[-1], now=NOW)
    assert context.workspace_id == workspace
    assert (context.persona.company_name, context.persona.sender_name) == ("Harbourline Ltd", "Noor")
    assert (context.lead.id, context.lead.sentiment_tag) == (lead, "Interested")
    assert (context.trigger.id, context.channel, context.trigger.body) == (ids[-1], "email", "text 44")
    shown = context.transcript_text.splitlines()
    assert shown[0].endswith("text 5")
    assert shown[-1].endswith("text 44")
    assert "Delivery failed" not in context.transcript_text
    assert [slot.label for slot in context.available] == ["10:00 AM EST on Tue, Feb 17"]
    assert context.offered == context.available
    assert context.offered_times_text() == "10:00 AM EST on Tue, Feb 17"
    assert context.availability_refreshed_at == NOW


async def test_a_lead_without_zone_reads_the_workspace_clock_and_settings_are_optional(engine: AsyncEngine) -> None:
    async with engine.begin() as conn:
        workspace = await add_workspace(conn)
        lead = await add_lead(conn, workspace, zone="Mars/Olympus")
        message = await add_message(conn, workspace, lead, 1)
        await add_slots(conn, workspace, NOW + timedelta(days=1))
        context = await load_context(conn, message, now=NOW)
    assert context.persona.company_name == "Harbourline"
    assert context.persona.booking_link is None
    assert context.offered_times_text() == "3:00 PM GMT on Tue, Feb 17"


async def test_a_message_that_is_gone_is_named(engine: AsyncEngine) -> None:
    async with engine.connect() as conn:
        with pytest.raises(MessageNotFound):
            await load_context(conn, new_id(), now=NOW)


async def test_a_model_call_leaves_its_facts(engine: AsyncEngine) -> None:
    result: ModelResult[Any] = ModelResult(
        ModelOutcome.RATE_LIMITED, None, "reply_draft", "1", "m", 1200, 3, 900, None, "req_9", detail="http_429"
    )
    async with engine.begin() as conn:
        workspace = await add_workspace(conn)
        await record_call(conn, workspace, None, result, "corr-1", NOW)
        row = (await conn.execute(text("SELECT * FROM app.ai_call"))).one()
    assert (row.workspace_id, row.outcome, row.latency_ms) == (workspace, "rate_limited", 1200)
    assert (row.input_tokens, row.output_tokens, row.request_id, row.correlation_id) == (900, None, "req_9", "corr-1")
    assert row.called_at == NOW


async def add_integration(
    conn: AsyncConnection, workspace: UUID, provider: str, base_url: str | None, *, active: bool = True
) -> None:
    await run(
        conn,
        """INSERT INTO app.integration (workspace_id, provider, base_url, external_id, is_active)
           VALUES (:workspace, :provider, :base_url, :external, :active)""",
        workspace=workspace,
        provider=provider,
        base_url=base_url,
        external=f"{provider}-1",
        active=active,
    )


async def add_credential(conn: AsyncConnection, workspace: UUID, name: str, sealed: str) -> None:
    await run(
        conn,
        "INSERT INTO secret.credential (workspace_id, name, sealed) VALUES (:workspace, :name, :sealed)",
        workspace=workspace,
        name=name,
        sealed=sealed,
    )


async def test_channel_access_opens_what_was_sealed_for_this_workspace(engine: AsyncEngine) -> None:
    sealer = Sealer(new_key())
    defaults = ChannelDefaults({"ghl": "https://ghl.example", "slack": "https://slack.example/api"}, "xoxb-global")
    async with engine.begin() as conn:
        workspace, other = await add_workspace(conn), await add_workspace(conn, "other")
        await add_integration(conn, workspace, "emailbison", "send.harbourline.example")
        await add_integration(conn, workspace, "ghl", None)
        await add_integration(conn, workspace, "calendly", None, active=False)
        scope = credential_scope(workspace, "emailbison_api_key")
        await add_credential(conn, workspace, "emailbison_api_key", sealer.seal("eb-secret", scope=scope))
        # Copied from the other workspace: the scope inside does not fit.
        foreign = sealer.seal("stolen", scope=credential_scope(other, "ghl_token"))
        await add_credential(conn, workspace, "ghl_token", foreign)
        access = await load_channel_access(conn, workspace)
        nothing = await load_channel_access(conn, other)
    opened = open_channels(access, sealer, defaults)
    assert opened.get("emailbison") == Credential("https://send.harbourline.example", "eb-secret", "emailbison-1")
    assert opened.get("ghl") is ChannelProblem.UNREADABLE_CREDENTIAL
    assert opened.get("calendly") is ChannelProblem.INACTIVE
    assert opened.get("slack") == Credential("https://slack.example/api", "xoxb-global", None)
    for secret in ("eb-secret", "xoxb-global", foreign):
        assert secret not in repr((access, opened, defaults))
    assert open_channels(nothing, None, ChannelDefaults({})).problems == dict.fromkeys(
        CREDENTIAL_NAMES, ChannelProblem.NOT_CONNECTED
    )


async def test_a_channel_needs_key_credential_and_a_safe_address(engine: AsyncEngine) -> None:
    sealer = Sealer(new_key())
    async with engine.begin() as conn:
        workspace = await add_workspace(conn)
        await add_integration(conn, workspace, "emailbison", "http://send.harbourline.example")
        await add_integration(conn, workspace, "ghl", None)
        await add_integration(conn, workspace, "calendly", None)
        for provider, name in (("emailbison", "emailbison_api_key"), ("ghl", "ghl_token")):
            sealed = sealer.seal(f"{provider}-secret", scope=credential_scope(workspace, name))
            await add_credential(conn, workspace, name, sealed)
        access = await load_channel_access(conn, workspace)
    problems = open_channels(access, sealer, ChannelDefaults({})).problems
    assert problems["emailbison"] is ChannelProblem.BAD_ADDRESS
    assert problems["ghl"] is ChannelProblem.NO_ADDRESS
    assert problems["calendly"] is ChannelProblem.NO_CREDENTIAL
    assert open_channels(access, None, ChannelDefaults({})).problems["ghl"] is ChannelProblem.UNREADABLE_CREDENTIAL
