"""What lets a send wait, over a real ledger: shared by claims, written where an operator looks."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.conftest import Database
from tests.integration.seeds import NOW, add_draft, add_lead, add_message, add_workspace
from tests.integration.test_sending import Wire, accepted, drain, planned
from zrg_dagster.core.db.engine import make_engine
from zrg_dagster.core.sending import budget, ledger
from zrg_dagster.core.sending.plan import PlannedSend, plan_send

NIGHT = NOW.replace(hour=9)  # 02:00 in Los Angeles


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(database.dsn("worker"))
    yield engine
    await engine.dispose()


async def sends(engine: AsyncEngine, number: int, **changes: Any) -> list[PlannedSend]:
    async with engine.begin() as conn:
        workspace = await add_workspace(conn)
        made = []
        for each in range(number):
            lead = await add_lead(conn, workspace, email=f"lead{each}@mills.example")
            message = await add_message(conn, workspace, lead, sent_at=NOW - timedelta(hours=12))
            draft = await add_draft(conn, workspace, lead, message)
            send = planned(
                workspace, lead, draft, message, None, "setter", recipient=f"lead{each}@mills.example", **changes
            )
            await plan_send(conn, send)
            made.append(send)
    return made


async def states(engine: AsyncEngine) -> list[tuple[str, str | None]]:
    async with engine.connect() as conn:
        return [
            tuple(row) for row in await conn.execute(text("SELECT state, reason FROM app.send ORDER BY due_at, id"))
        ]


async def test_two_workers_share_one_budget(engine, database, monkeypatch):
    monkeypatch.setattr(budget, "RATES", {"emailbison": budget.Rate(per_s=1, burst=3)})
    await sends(engine, 8)
    async with engine.begin() as conn:
        first = await ledger.claim(conn, worker_id=1, limit=2, now=NOW, auto_send_disabled=False)
    async with engine.begin() as conn:
        second = await ledger.claim(conn, worker_id=2, limit=6, now=NOW, auto_send_disabled=False)
    assert (len(first.to_send), len(second.to_send)) == (2, 1)
    assert [wait.reason for wait in second.waiting] == ["rate_budget"] * 5
    assert [wait.until - NOW for wait in second.waiting] == [timedelta(seconds=each) for each in range(1, 6)]
    async with engine.begin() as conn:
        later = await ledger.claim(conn, worker_id=1, limit=8, now=NOW + timedelta(seconds=2), auto_send_disabled=False)
    assert len(later.to_send) == 2
    assert (await states(engine)).count(("planned", "rate_budget")) == 3


async def test_a_throttled_vendor_is_left_alone_by_every_send_of_the_account(engine, database):
    await sends(engine, 3)
    calls = Wire(lambda _: httpx.Response(429, headers={"retry-after": "40"}, json={"message": "slow"}))
    async with engine.begin() as conn:
        claimed = await ledger.claim(conn, worker_id=1, limit=1, now=NOW, auto_send_disabled=False)
        [row] = claimed.to_send
        slow = ledger.Settled(ledger.SendState.PLANNED, "rate_limited", due_at=NOW + timedelta(seconds=40))
        await ledger.settle(conn, row, slow, worker_id=1, now=NOW)
    await drain(engine, database, calls, now=NOW + timedelta(seconds=1))
    assert calls.calls == []
    assert (await states(engine)).count(("planned", "account_paused")) == 2
    passing = Wire(accepted)
    await drain(engine, database, passing, now=NOW + timedelta(seconds=41))
    assert len(passing.calls) == 3


async def test_an_automatic_sms_waits_for_the_morning_and_says_why(engine, database):
    sms = {"channel": "sms", "vendor": "ghl", "recipient": "+14155550132", "content": {"contact_id": "c", "text": "hi"}}
    async with engine.begin() as conn:
        workspace = await add_workspace(conn)
        lead = await add_lead(conn, workspace, phone="+14155550132")
        message = await add_message(conn, workspace, lead, sent_at=NIGHT - timedelta(hours=1), channel="sms")
        draft = await add_draft(conn, workspace, lead, message, channel="sms")
        await plan_send(conn, planned(workspace, lead, draft, message, None, "system", due_at=NIGHT, **sms))
    vendors = Wire(lambda _: httpx.Response(201, json={"messageId": "m", "conversationId": "c"}))
    report = await drain(engine, database, vendors, now=NIGHT)
    assert vendors.calls == []
    assert report.reasons == {"quiet_hours": 1}
    morning = NIGHT.replace(hour=15)
    async with engine.connect() as conn:
        row = (await conn.execute(text("SELECT state, reason, due_at, attempts FROM app.send"))).one()
        decided = (await conn.execute(text("SELECT code, detail ->> 'channel' FROM app.decision"))).one()
    assert tuple(row) == ("planned", "quiet_hours", morning, 0)
    assert tuple(decided) == ("quiet_hours", "sms")
    await drain(engine, database, vendors, now=morning)
    assert len(vendors.calls) == 1


async def test_a_workspace_says_how_much_its_linkedin_account_sends_by_itself(engine):
    """What a person approves does not count; the rest waits for the next day with its reason."""
    made = await sends(engine, 4, vendor="unipile", channel="linkedin", sender_account="acc-1")
    async with engine.begin() as conn:
        await conn.execute(text("UPDATE app.send SET origin = 'ai' WHERE id <> :first"), {"first": made[0].id})
        await conn.execute(text("UPDATE app.workspace_setting SET linkedin_daily_cap = 2"))
        waits = await budget.hold_back(conn, [each.id for each in made], NOW)
    assert [(each.reason, each.until) for each in waits] == [
        ("sender_daily_cap", NOW.replace(hour=0) + timedelta(days=1))
    ]
    assert [reason for _, reason in await states(engine)] == [None, None, None, "sender_daily_cap"]
