"""The ledger against a real Postgres and a scripted wire: gates, outcomes, unknown sends, dead workers."""

import asyncio
import json
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import text

from tests.integration.seeds import NOW, add_campaign, add_draft, add_lead, add_message, add_workspace
from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.db.engine import make_engine
from zrg_dagster.core.db.lane import LaneLimits, LaneReport, drain_lane
from zrg_dagster.core.db.lanes import SENDS
from zrg_dagster.core.leads.suppression import Stop, suppress
from zrg_dagster.core.providers.clients import VendorClients
from zrg_dagster.core.providers.credential import Credential
from zrg_dagster.core.sending import ledger
from zrg_dagster.core.sending.drain import SendsLane
from zrg_dagster.core.sending.gates import GATES, BlockReason
from zrg_dagster.core.sending.plan import PlannedSend, plan_send


@pytest.fixture
async def engine(database):
    engine = make_engine(database.dsn("worker"))
    yield engine
    await engine.dispose()


class Wire(VendorClients):
    """The product's own clients over a scripted transport."""

    def __init__(self, answer):
        self.calls = []

        def handler(request):
            self.calls.append(request)
            return answer(request)

        self._http = httpx.AsyncClient(transport=httpx.MockTransport(handler))


def accepted(_request):
    return httpx.Response(200, json={"data": {"success": True, "reply": {"id": 991}}})


async def scene(conn, *, mode="AI_AUTO_SEND", origin="ai", **lead):
    """A lead who wrote, a pending draft, and its planned send."""
    workspace = await add_workspace(conn)
    campaign = await add_campaign(conn, workspace, mode=mode)
    lead_id = await add_lead(conn, workspace, email_campaign_id=campaign, **lead)
    message = await add_message(conn, workspace, lead_id)
    draft = await add_draft(conn, workspace, lead_id, message)
    send = planned(workspace, lead_id, draft, message, campaign, origin)
    assert await plan_send(conn, send)
    return send


def planned(workspace, lead_id, draft, message, campaign, origin="ai", **changes):
    values = {
        "id": new_id(),
        "workspace_id": workspace,
        "natural_key": f"draft:{draft}",
        "kind": "draft",
        "origin": origin,
        "channel": "email",
        "vendor": "emailbison",
        "recipient": "lead@mills.example",
        "sender_account": "sender512@sandbox.example",
        "content": {"reply_id": "4401877", "sender_email_id": "512", "subject": "Re: hi", "text": "Happy to help."},
        "due_at": NOW,
        "correlation_id": "c",
        "lead_id": lead_id,
        "draft_id": draft,
        "draft_version": 1,
        "trigger_message_id": message,
        "email_campaign_id": campaign,
    }
    return PlannedSend(**(values | changes))


async def _bison(_conn, _workspace, _vendor):
    return Credential("https://bison.example", "key", "loc")


async def drain(
    engine, database, vendors, *, now=NOW, auto_send_disabled=False, consequences=None, stop=None, access=_bison
):
    report = LaneReport()

    lane = SendsLane(
        engine,
        vendors,
        access=access,
        consequences=consequences or {},
        auto_send_disabled=auto_send_disabled,
        lease_s=600,
        clock=lambda: now,
        report=report,
    )
    limits = LaneLimits(concurrency=8, budget_s=30, idle_s=0, lease_s=600)
    await drain_lane(
        engine,
        database.dsn("worker"),
        SENDS,
        lane.work(),
        limits=limits,
        stop=stop or asyncio.Event(),
        clock=lambda: now,
        report=report,
    )
    return report


async def row(engine, send):
    async with engine.connect() as conn:
        return (await conn.execute(text("SELECT * FROM app.send WHERE id = :id"), {"id": send.id})).one()


async def test_an_accepted_send_is_a_message_a_touch_and_an_approved_draft(engine, database):
    async with engine.begin() as conn:
        send = await scene(conn)
    vendors = Wire(accepted)
    await drain(engine, database, vendors)
    sent = await row(engine, send)
    assert (sent.state, sent.vendor_message_id, sent.attempts) == ("sent", "991", 1)
    assert len(vendors.calls) == 1
    async with engine.connect() as conn:
        message = (await conn.execute(text("SELECT * FROM app.message WHERE send_id = :id"), {"id": send.id})).one()
        touch = (await conn.execute(text("SELECT kind, is_human FROM app.touch"))).one()
        draft = (await conn.execute(text("SELECT status, disposition FROM app.draft"))).one()
        lead = (await conn.execute(text("SELECT last_message_direction FROM app.lead"))).scalar_one()
    assert (message.direction, message.sent_by, message.body) == ("outbound", "ai", "Happy to help.")
    assert tuple(touch) == ("draft", False)
    assert tuple(draft) == ("approved", "AUTO_SENT")
    assert lead in ("inbound", "outbound")
    await drain(engine, database, vendors)
    assert len(vendors.calls) == 1, "nothing is sent twice"


async def test_an_intent_is_planned_once(engine):
    async with engine.begin() as conn:
        send = await scene(conn)
        assert not await plan_send(conn, send)


CLOSED = {
    BlockReason.KILL_SWITCH: "INSERT INTO app.kill_switch (id, scope) VALUES (gen_random_uuid(), 'global')",
    BlockReason.WORKSPACE_INACTIVE: "UPDATE app.workspace SET is_active = false",
    BlockReason.LEAD_BLACKLISTED: "UPDATE app.lead SET status = 'blacklisted'",
    BlockReason.LEAD_MERGED: "UPDATE app.lead SET merged_into_lead_id = gen_random_uuid()",
    BlockReason.SUPPRESSED: """INSERT INTO app.suppression (workspace_id, kind, value, channel, reason, source, suppressed_at)
        SELECT workspace_id, 'email', email, 'all', 'test', 'test', now() FROM app.lead""",
    BlockReason.DRAFT_NOT_PENDING: "UPDATE app.draft SET status = 'rejected'",
    BlockReason.CAMPAIGN_NOT_AI: "UPDATE app.email_campaign SET response_mode = 'SETTER_MANAGED'",
    BlockReason.NEWER_INBOUND: """INSERT INTO app.message (id, workspace_id, lead_id, message_key, channel, direction, source,
        provider, sent_at) SELECT gen_random_uuid(), workspace_id, id, 'newer', 'sms', 'inbound', 'webhook', 'ghl',
        '2026-03-10T17:00:01Z' FROM app.lead""",
    BlockReason.OUTBOUND_AFTER_TRIGGER: """INSERT INTO app.touch (id, workspace_id, lead_id, channel, kind, is_human, sent_at)
        SELECT gen_random_uuid(), workspace_id, id, 'email', 'human', true, '2026-03-10T17:00:01Z' FROM app.lead""",
    BlockReason.SENDER_UNHEALTHY: """INSERT INTO app.vendor_notice (workspace_id, notice_key, provider, kind, value, subject,
        is_trouble, noticed_at, created_at) SELECT workspace_id, 'n', 'emailbison', 'sender_health', 'disconnected', '512',
        true, now(), now() FROM app.lead""",
    BlockReason.RECIPIENT_CHANGED: "DELETE FROM app.lead_identity WHERE kind = 'email'",
}


@pytest.mark.parametrize("reason", [*CLOSED, BlockReason.AUTO_SEND_DISABLED])
async def test_a_closed_gate_blocks_with_its_reason_and_no_call(engine, database, reason):
    async with engine.begin() as conn:
        send = await scene(conn)
        if reason in CLOSED:
            await conn.execute(text(CLOSED[reason]))
    vendors = Wire(accepted)
    await drain(engine, database, vendors, auto_send_disabled=reason is BlockReason.AUTO_SEND_DISABLED)
    blocked = await row(engine, send)
    assert (blocked.state, blocked.reason, vendors.calls) == ("blocked", reason, [])
    async with engine.connect() as conn:
        decision = (await conn.execute(text("SELECT subject, code FROM app.decision"))).one()
    assert tuple(decision) == ("send", reason)


FOLLOW_UP_GATES = {BlockReason.FOLLOW_UP_NOT_ACTIVE, BlockReason.LEAD_REPLIED}


async def test_every_gate_is_tested():
    """A gate that nobody tried closed may be open for ever."""
    assert {gate.reason for gate in GATES} == {*CLOSED, BlockReason.AUTO_SEND_DISABLED, *FOLLOW_UP_GATES}
    # Hours are asked outside of the claim's statement; test_replies_hours.py tries them.
    assert {gate.reason for gate in GATES} == set(BlockReason) - {BlockReason.NO_SEND_WINDOW}


async def test_a_follow_up_never_talks_over_a_reply(engine, database):
    """FU-34: the lead wrote last, so the step is blocked; without an instance it is not active."""
    async with engine.begin() as conn:
        workspace = await add_workspace(conn)
        lead_id = await add_lead(conn, workspace)
        message = await add_message(conn, workspace, lead_id)
        send = planned(
            workspace,
            lead_id,
            None,
            message,
            None,
            "system",
            kind="follow_up",
            natural_key="follow_up:i:s",
            draft_version=None,
        )
        await plan_send(conn, send)
    await drain(engine, database, Wire(accepted))
    assert (await row(engine, send)).reason == BlockReason.FOLLOW_UP_NOT_ACTIVE
    async with engine.begin() as conn:
        await conn.execute(
            text("""
            WITH s AS (INSERT INTO app.follow_up_sequence (id, workspace_id, name)
                  VALUES (gen_random_uuid(), :w, 'n') RETURNING id),
            p AS (INSERT INTO app.follow_up_step (id, workspace_id, sequence_id, step_order, channel, message_template)
                  SELECT gen_random_uuid(), :w, id, 1, 'email', 'x' FROM s RETURNING id),
            i AS (INSERT INTO app.follow_up_instance (id, workspace_id, lead_id, sequence_id, started_at)
                  SELECT gen_random_uuid(), :w, :l, id, :now FROM s RETURNING id)
            INSERT INTO app.follow_up_step_execution (id, workspace_id, lead_id, instance_id, step_id, attempt, channel,
                outcome, send_id, planned_at)
            SELECT gen_random_uuid(), :w, :l, i.id, p.id, 1, 'email', 'planned', :send, :now FROM i, p"""),
            {"w": workspace, "l": lead_id, "now": NOW, "send": send.id},
        )
        await conn.execute(text("UPDATE app.send SET state = 'planned', reason = NULL, finished_at = NULL"))
    await drain(engine, database, Wire(accepted))
    assert (await row(engine, send)).reason == BlockReason.LEAD_REPLIED


async def test_a_setters_approval_passes_the_switches_that_stop_automatic_sends(engine, database):
    async with engine.begin() as conn:
        send = await scene(conn, mode="SETTER_MANAGED", origin="setter")
        await conn.execute(text("INSERT INTO app.kill_switch (id, scope) VALUES (gen_random_uuid(), 'global')"))
    await drain(engine, database, Wire(accepted), auto_send_disabled=True)
    assert (await row(engine, send)).state == "sent"


async def test_an_opt_out_under_way_is_waited_for_and_seen(engine, database):
    """The claim share-locks the lead: an opt-out that is being written decides before the send, not after it."""
    async with engine.begin() as conn:
        send = await scene(conn)
    vendors = Wire(accepted)
    async with engine.connect() as opting_out:
        transaction = await opting_out.begin()
        stop = Stop(send.workspace_id, send.lead_id, None, "opt_out_phrase", "emailbison", NOW, is_wish=True)
        await suppress(opting_out, [stop], NOW)
        drained = asyncio.create_task(drain(engine, database, vendors))
        await asyncio.sleep(0.5)
        assert not drained.done()
        await transaction.commit()
    await drained
    blocked = await row(engine, send)
    assert (blocked.state, blocked.reason, vendors.calls) == ("blocked", BlockReason.LEAD_BLACKLISTED, [])


async def test_a_timeout_after_the_request_is_unknown_and_read_back(engine, database):
    """Never sent again: the vendor's own list says whether it went out."""
    async with engine.begin() as conn:
        send = await scene(conn)

    def times_out(request):
        if request.method == "POST":
            raise httpx.ReadTimeout("slow", request=request)
        return httpx.Response(200, json={"data": [], "meta": {"last_page": 1}})

    lost = Wire(times_out)
    await drain(engine, database, lost)
    unknown = await row(engine, send)
    assert unknown.state == "unknown"
    assert sum(call.method == "POST" for call in lost.calls) == 1

    def shows_it(request):
        assert request.method == "GET", "an unknown send is only read back"
        item = {
            "id": 5550001,
            "type": "Outgoing Email",
            "parent_id": 4401877,
            "text_body": "Happy to help.",
            "date_received": NOW.isoformat(),
        }
        return httpx.Response(200, json={"data": [item], "meta": {"last_page": 1}})

    await drain(engine, database, Wire(shows_it), now=NOW + timedelta(seconds=30))
    found = await row(engine, send)
    assert (found.state, found.vendor_message_id) == ("sent", "5550001")


async def test_what_never_shows_up_needs_a_human(engine, database):
    async with engine.begin() as conn:
        send = await scene(conn)

    def lost(request):
        if request.method == "POST":
            return httpx.Response(502, text="<html>bad gateway</html>")
        return httpx.Response(200, json={"data": [], "meta": {"last_page": 1}})

    vendors = Wire(lost)
    await drain(engine, database, vendors)
    await drain(engine, database, vendors, now=NOW + timedelta(minutes=1))
    assert (await row(engine, send)).state == "unknown"
    await drain(engine, database, vendors, now=NOW + ledger.SETTLE_TIME["emailbison"] + timedelta(seconds=11))
    settled = await row(engine, send)
    assert (settled.state, settled.reason) == ("needs_human", "outcome_unknown")
    assert sum(call.method == "POST" for call in vendors.calls) == 1


async def test_a_refusal_that_may_pass_is_tried_again_and_a_final_one_is_not(engine, database):
    async with engine.begin() as conn:
        send = await scene(conn)
    await drain(
        engine, database, Wire(lambda _: httpx.Response(429, headers={"retry-after": "7"}, json={"message": "slow"}))
    )
    waiting = await row(engine, send)
    assert (waiting.state, waiting.due_at) == ("planned", NOW + timedelta(seconds=7))
    await drain(
        engine,
        database,
        Wire(lambda _: httpx.Response(404, json={"message": "Record not found"})),
        now=NOW + timedelta(seconds=8),
    )
    assert (await row(engine, send)).state == "refused"


async def test_what_a_dead_worker_was_sending_is_unknown_not_planned(engine):
    async with engine.begin() as conn:
        send = await scene(conn)
    async with engine.begin() as conn:
        claimed = await ledger.claim(conn, worker_id=77, limit=5, now=NOW, auto_send_disabled=False)
    assert [each.id for each in claimed.to_send] == [send.id]
    async with engine.begin() as conn:
        released = await ledger.release_stale(conn, now=NOW + timedelta(seconds=1), lease_s=600)
    assert [(each.id, each.state, each.reason) for each in released] == [(send.id, "unknown", "worker_lost")]


async def test_two_workers_never_send_one_row(engine, database):
    async with engine.begin() as conn:
        send = await scene(conn)
    vendors = Wire(accepted)
    await asyncio.gather(*(drain(engine, database, vendors) for _ in range(4)))
    assert len(vendors.calls) == 1
    assert (await row(engine, send)).state == "sent"


async def test_two_sends_to_one_lead_never_overlap(engine, database):
    async with engine.begin() as conn:
        first = await scene(conn, origin="setter", mode="SETTER_MANAGED")
        second_message = await add_message(conn, first.workspace_id, first.lead_id, sent_at=NOW - timedelta(hours=1))
        draft = await add_draft(conn, first.workspace_id, first.lead_id, second_message, channel="sms")
        second = planned(
            first.workspace_id,
            first.lead_id,
            draft,
            first.trigger_message_id,
            None,
            "setter",
            channel="sms",
            vendor="ghl",
            recipient="+12015550100",
            content={"contact_id": "ghl-1", "text": "hello"},
        )
        await plan_send(conn, second)
        claimed = await ledger.claim(conn, worker_id=1, limit=5, now=NOW, auto_send_disabled=False)
        assert len(claimed.to_send) == 1


async def test_the_body_of_the_vendor_call_is_what_was_planned(engine, database):
    async with engine.begin() as conn:
        await scene(conn)
    vendors = Wire(accepted)
    await drain(engine, database, vendors)
    (call,) = vendors.calls
    assert call.url.path == "/api/replies/4401877/reply"
    body = json.loads(call.content)
    assert body["sender_email_id"] == 512
    assert [each["email_address"] for each in body["to_emails"]] == ["lead@mills.example"]
