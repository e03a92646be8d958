"""`zrg autosend` over the ledger: which sends a stop keeps back, and that none leaves after it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.conftest import Database
from tests.integration.seeds import NOW, add_campaign, add_draft, add_lead, add_message, add_workspace
from tests.integration.test_sending import Wire, accepted, drain, planned
from zrg_dagster.core.base.clock import utc_now
from zrg_dagster.core.db.engine import make_engine
from zrg_dagster.core.db.lane import LaneLimits, LaneReport, drain_lane
from zrg_dagster.core.db.lanes import SENDS
from zrg_dagster.core.providers.credential import Credential
from zrg_dagster.core.sending import switches
from zrg_dagster.core.sending.drain import SendsLane
from zrg_dagster.core.sending.plan import plan_send
from zrg_dagster.core.sending.switches import Switch, SwitchError


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(database.dsn("worker"))
    yield engine
    await engine.dispose()


async def delayed(
    engine: AsyncEngine, number: int, first_due: datetime, every: timedelta, key: str = "harbourline"
) -> None:
    """So many automatic answers in one workspace, due one after the other."""
    async with engine.begin() as conn:
        workspace = await add_workspace(conn, key)
        campaign = await add_campaign(conn, workspace)
        for each in range(number):
            email = f"lead{each}@{key}.example"
            lead = await add_lead(conn, workspace, email=email, email_campaign_id=campaign)
            message = await add_message(conn, workspace, lead, sent_at=first_due - timedelta(hours=1))
            draft = await add_draft(conn, workspace, lead, message)
            send = planned(workspace, lead, draft, message, campaign, recipient=email, due_at=first_due + each * every)
            await plan_send(conn, send)


async def test_forty_delayed_sends_do_not_leave_after_a_stop(engine, database, capsys):
    """They fall due while the drain runs; from the stop's commit on no claim takes one."""
    await delayed(engine, 40, utc_now(), timedelta(milliseconds=40))
    started: list[datetime] = []

    async def slow(request: httpx.Request) -> httpx.Response:
        started.append(utc_now())
        await asyncio.sleep(0.05)
        return httpx.Response(200, json={"data": {"success": True, "reply": {"id": len(started)}}})

    vendors = Wire(accepted)
    vendors._http = httpx.AsyncClient(transport=httpx.MockTransport(slow))

    async def access(_conn, _workspace, _vendor):
        return Credential("https://bison.example", "key", None)

    report, stop = LaneReport(), asyncio.Event()
    lane = SendsLane(
        engine,
        vendors,
        access=access,
        consequences={},
        auto_send_disabled=False,
        lease_s=600,
        clock=utc_now,
        report=report,
    )
    limits = LaneLimits(concurrency=4, budget_s=60, idle_s=5, lease_s=600)
    dsn = database.dsn("worker")
    running = asyncio.create_task(
        drain_lane(engine, dsn, SENDS, lane.work(), limits=limits, stop=stop, clock=utc_now, report=report)
    )
    while len(started) < 8:
        await asyncio.sleep(0.01)
    async with engine.begin() as conn:
        assert await switches.stop(conn, Switch(), reason="incident", actor="ops", now=utc_now())
    committed = utc_now()
    while True:
        async with engine.connect() as conn:
            open_sends = (
                await conn.execute(text("SELECT count(*) FROM app.send WHERE finished_at IS NULL"))
            ).scalar_one()
        if not open_sends:
            break
        await asyncio.sleep(0.02)
    stop.set()
    await running
    async with engine.connect() as conn:
        rows = (await conn.execute(text("SELECT state, reason, claimed_at FROM app.send"))).all()
    sent = [row for row in rows if row.state == "sent"]
    blocked = [row for row in rows if (row.state, row.reason) == ("blocked", "kill_switch")]
    assert len(sent) + len(blocked) == 40
    assert len(sent) == len(started), "one call each"
    assert len(blocked) >= 20
    assert all(row.claimed_at <= committed for row in sent), "nothing was claimed after the stop"
    with capsys.disabled():
        late_ms = (max(started) - committed).total_seconds() * 1000
        print(f"\nkill switch: the last vendor call began {late_ms:.0f} ms after the commit of the stop")


PLACES = {
    "everything": (Switch(), {"email", "sms", "other"}),
    "workspace": (Switch(workspace="harbourline"), {"email", "sms"}),
    "campaign": (Switch(workspace="harbourline", campaign="318"), {"email"}),
    "channel": (Switch(channel="email"), {"email", "other"}),
    "channel of a workspace": (Switch(workspace="harbourline", channel="sms"), {"sms"}),
}


@pytest.mark.parametrize("name", PLACES)
async def test_a_stop_keeps_back_its_scope_alone(engine, database, name):
    switch, kept = PLACES[name]
    await delayed(engine, 1, NOW, timedelta())
    await delayed(engine, 1, NOW, timedelta(), key="other")
    async with engine.begin() as conn:
        workspace = (await conn.execute(text("SELECT id FROM app.workspace WHERE key = 'harbourline'"))).scalar_one()
        lead = await add_lead(conn, workspace, email="sms@x.example", timezone="America/Los_Angeles")
        message = await add_message(conn, workspace, lead, channel="sms", sent_at=NOW - timedelta(hours=1))
        draft = await add_draft(conn, workspace, lead, message, channel="sms")
        sms = {"channel": "sms", "vendor": "ghl", "recipient": "+1", "content": {"contact_id": "c", "text": "x"}}
        # Not of a campaign, so the campaign's gate lets it pass as a system's.
        await plan_send(conn, planned(workspace, lead, draft, message, None, "system", **sms))
        await switches.stop(conn, switch, reason="", actor="ops", now=NOW)

    def answer(request: httpx.Request) -> httpx.Response:
        return accepted(request) if "/replies/" in request.url.path else httpx.Response(201, json={"messageId": "m"})

    await drain(engine, database, Wire(answer))
    async with engine.connect() as conn:
        found = await conn.execute(
            text("""SELECT CASE WHEN w.key = 'other' THEN 'other' ELSE s.channel END AS what, s.state
                    FROM app.send s JOIN app.workspace w ON w.id = s.workspace_id""")
        )
        states = {row.what: row.state for row in found}
    assert states == {what: "blocked" if what in kept else "sent" for what in ("email", "sms", "other")}


async def test_a_stop_is_lifted_by_its_own_name_and_both_are_audited(engine):
    async with engine.begin() as conn:
        await add_workspace(conn)
        await add_workspace(conn, "other")
        for switch in (Switch(), Switch(workspace="harbourline"), Switch(channel="sms")):
            assert await switches.stop(conn, switch, reason="why", actor="ada", now=NOW)
        assert not await switches.stop(conn, Switch(), reason="again", actor="ada", now=NOW)
        assert not await switches.start(conn, Switch(workspace="other"), actor="ada", now=NOW)
        assert await switches.start(conn, Switch(), actor="ben", now=NOW)
        assert not await switches.start(conn, Switch(), actor="ben", now=NOW)
        left = await switches.active(conn)
        assert [(row.scope, row.workspace, row.channel, row.reason) for row in left] == [
            ("workspace", "harbourline", None, "why"),
            ("channel", None, "sms", "why"),
        ]
        audit = (await conn.execute(text("SELECT actor, action, object FROM ops.audit ORDER BY id"))).all()
    assert [tuple(row) for row in audit] == [
        ("ada", "autosend.stop", "everything"),
        ("ada", "autosend.stop", "workspace harbourline"),
        ("ada", "autosend.stop", "channel sms"),
        ("ben", "autosend.start", "everything"),
    ]


@pytest.mark.parametrize(
    "switch, says",
    [
        (Switch(workspace="nowhere"), "no workspace has the key 'nowhere'"),
        (Switch(campaign="318"), "a campaign is named with its workspace"),
        (Switch(workspace="harbourline", campaign="9"), "harbourline has no campaign '9'"),
        (Switch(channel="fax"), "'fax' is no channel"),
        (Switch(workspace="harbourline", campaign="318", channel="email"), "name the campaign or the channel"),
    ],
)
async def test_what_does_not_exist_cannot_be_stopped(engine, switch, says):
    async with engine.begin() as conn:
        await add_workspace(conn)
        with pytest.raises(SwitchError, match=says):
            await switches.stop(conn, switch, reason="", actor="ops", now=NOW)


async def test_the_command(engine, database, zrg):
    await delayed(engine, 1, NOW, timedelta())

    assert zrg("autosend", "show") == (0, "nothing is stopped\n")
    stop = zrg("autosend", "stop", "--workspace", "harbourline", "--reason", "wrong prices")
    assert stop == (0, "stopped: workspace harbourline\n")
    await drain(engine, database, Wire(accepted), now=utc_now())
    shown = zrg("autosend", "show").text
    assert shown.startswith("workspace harbourline since ")
    assert shown.endswith("Z, 1 sends blocked: wrong prices\n")
    start = zrg("autosend", "start", "--workspace", "harbourline")
    assert start == (0, "lifted: workspace harbourline\nnothing is stopped\n")
    refused = zrg("autosend", "stop", "--workspace", "x")
    assert (refused.code, "zrg: no workspace has the key 'x'" in refused.text) == (1, True)
