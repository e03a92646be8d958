"""Every vendor through the ledger: the product's own clients against the sandbox, and a real Postgres."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from tests.conftest import Database
from tests.integration.seeds import NOW, add_campaign, add_draft, add_lead, add_message, add_workspace
from tests.integration.test_sending import drain
from tests.unit.sandbox_tools import InProcess
from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.db.engine import make_engine
from zrg_dagster.core.providers.clients import VendorClients
from zrg_dagster.core.providers.credential import Credential
from zrg_dagster.core.replies import outbound, review
from zrg_dagster.core.replies.content import CannotSend, Recipients
from zrg_dagster.core.sending import ledger

LEAD = "lead@mills.example"
MEMBER = "ACoAABMills01"
CREDENTIALS = {
    "emailbison": ("sandbox-emailbison-key", None),
    "smartlead": ("sandbox-smartlead-key", None),
    "instantly": ("sandbox-instantly-key", None),
    "ghl": ("sandbox-ghl-token", "vQ7mZ2xKc9TfLp4RdWnA"),
    "unipile": ("sandbox-unipile-key", "acc-1"),
}
VENDORS = tuple(CREDENTIALS)
CHANNEL = {"ghl": "sms", "unipile": "linkedin"}
TRIGGERS: dict[str, dict[str, Any]] = {
    "emailbison": {"provider_message_id": "4401877", "to_email": "sender512@sandbox.example"},
    "smartlead": {"thread_handle": "88412:stats-1", "provider_message_id": "<r-1@x>", "to_email": "ava@go.example"},
    "instantly": {"thread_handle": "mail-1", "provider_message_id": "mail-1", "to_email": "sol@meet.example"},
    "ghl": {"from_email": None},
    "unipile": {"thread_handle": "chat-1", "from_email": None},
}


class Vendors(VendorClients):
    """The product's own clients over the sandbox."""

    def __init__(self, sandbox: InProcess) -> None:
        self._http = httpx.AsyncClient(transport=httpx.ASGITransport(app=sandbox.app))


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(database.dsn("worker"))
    yield engine
    await engine.dispose()


@pytest.fixture
async def sandbox() -> AsyncIterator[InProcess]:
    async with InProcess() as sandbox:
        await sandbox.control("POST", "clock", {"now": NOW.isoformat()})
        for vendor in VENDORS:
            await sandbox.control("POST", "options", {"provider": vendor, "adopt_unknown": True})
        await sandbox.control("POST", "options", {"provider": "ghl", "export_lag_s": 0})
        received = {"id": "mail-1", "lead": LEAD, "eaccount": "sol@meet.example", "subject": "hi"}
        await sandbox.control("POST", "state/instantly", {"emails": [received]})
        stats = {"stats_id": "stats-1", "email": LEAD, "campaign_id": 88412}
        await sandbox.control("POST", "state/smartlead", {"stats": [stats]})
        yield sandbox


async def access(_conn: AsyncConnection, _workspace: UUID, vendor: str) -> Credential:
    token, account = CREDENTIALS[vendor]
    return Credential(f"http://sandbox.test/{vendor}", token, account)


async def add_reply(conn: AsyncConnection, vendor: str, *, key: str = "harbourline", **trigger: Any) -> UUID:
    """A draft that answers a message which came through this vendor. Returns its id."""
    workspace = await add_workspace(conn, key)
    channel = CHANNEL.get(vendor, "email")
    campaign = await add_campaign(conn, workspace, provider=vendor) if channel == "email" else None
    lead = await add_lead(conn, workspace, email_campaign_id=campaign, first_name="Lee")
    # Without the vendor's id of the lead its sent folder is read.
    await conn.execute(text("DELETE FROM app.lead_identity WHERE kind = 'emailbison_lead'"))
    identity = "INSERT INTO app.lead_identity (workspace_id, kind, value, lead_id, source) VALUES (:w, :k, :v, :l, 't')"
    for kind, value in (("linkedin_member", MEMBER), ("alternate_email", "boss@mills.example")):
        await conn.execute(text(identity), {"w": workspace, "k": kind, "v": value, "l": lead})
    columns = {"provider": vendor, "channel": channel, **TRIGGERS[vendor], **trigger}
    message = await add_message(conn, workspace, lead, **columns)
    subject = "Re: hi" if channel == "email" else None
    return await add_draft(conn, workspace, lead, message, channel=channel, subject=subject)


async def plan(conn: AsyncConnection, draft_id: UUID, origin: outbound.Origin, *chosen: Recipients) -> Row[Any]:
    draft = await outbound.load_draft(conn, draft_id)
    assert draft is not None
    assert await outbound.plan_draft(conn, draft, draft.body, origin, NOW, "c", *chosen)
    return (await conn.execute(text("SELECT * FROM app.send WHERE draft_id = :d"), {"d": draft_id})).one()


async def row(engine: AsyncEngine, draft_id: UUID) -> Row[Any]:
    async with engine.connect() as conn:
        return (await conn.execute(text("SELECT * FROM app.send WHERE draft_id = :d"), {"d": draft_id})).one()


async def sent_texts(sandbox: InProcess, vendor: str) -> list[str]:
    """What the vendor really holds of ours, whether it shows it or not."""
    state = await sandbox.state(vendor)
    match vendor:
        case "emailbison":
            return [item["text_body"] for item in state["replies"] if item["type"] == "Outgoing Email"]
        case "smartlead":
            return [item["email_body"] for item in state["sent"]]
        case "instantly":
            return [item["body"]["text"] for item in state["emails"] if item["ue_type"] == 3]
        case "ghl":
            return [item["body"] for item in state["messages"] if item["direction"] == "outbound"]
        case _:
            return [item["text"] for item in state["messages"]] + [each["id"] for each in state["invitations"]]


async def work(engine: AsyncEngine, database: Database, sandbox: InProcess, *, later: timedelta = timedelta()) -> None:
    await sandbox.control("POST", "clock", {"now": (NOW + later).isoformat()})
    await drain(engine, database, Vendors(sandbox), now=NOW + later, access=access)


@pytest.mark.parametrize("origin", ["ai", "setter"])
@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_draft_leaves_through_its_vendor(engine, database, sandbox, vendor, origin):
    async with engine.begin() as conn:
        draft = await add_reply(conn, vendor)
        if CHANNEL.get(vendor) and origin == "ai":
            origin = "setter"  # campaigns, and so automatic sends, exist for e-mail
        await plan(conn, draft, outbound.Origin(origin))
    await work(engine, database, sandbox)
    sent = await row(engine, draft)
    assert (sent.state, sent.vendor, sent.attempts) == ("sent", vendor, 1), sent.error
    assert len(await sent_texts(sandbox, vendor)) == 1
    async with engine.connect() as conn:
        message = (await conn.execute(text("SELECT * FROM app.message WHERE send_id = :s"), {"s": sent.id})).one()
        touch = (await conn.execute(text("SELECT channel, kind, is_human FROM app.touch"))).one()
        disposition = (await conn.execute(text("SELECT disposition FROM app.draft"))).scalar_one()
    channel = CHANNEL.get(vendor, "email")
    assert (message.direction, message.provider, message.channel, message.body) == (
        "outbound",
        vendor,
        channel,
        "Happy to help.",
    )
    assert tuple(touch) == (channel, "draft", origin == "setter")
    assert disposition == ("AUTO_SENT" if origin == "ai" else "APPROVED")
    await work(engine, database, sandbox)
    assert len(await sent_texts(sandbox, vendor)) == 1, "nothing is sent twice"


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_lost_answer_is_read_back_and_never_sent_again(engine, database, sandbox, vendor):
    """The vendor accepted, the answer was lost, and its lists show the message late."""
    await sandbox.control(
        "POST", "faults", {"provider": vendor, "mode": "accept_then_500", "match": {"method": "POST"}}
    )
    late = {"visible_after_min_s": 40, "visible_after_max_s": 50}
    await sandbox.control("POST", "options", {"provider": vendor, **late})
    async with engine.begin() as conn:
        draft = await add_reply(conn, vendor)
        await plan(conn, draft, outbound.Origin("setter"))
    await work(engine, database, sandbox)
    assert (await row(engine, draft)).state == "unknown"
    await work(engine, database, sandbox, later=timedelta(seconds=35))
    assert (await row(engine, draft)).state == "unknown"
    await work(engine, database, sandbox, later=timedelta(seconds=130))
    found = await row(engine, draft)
    assert (found.state, found.attempts) == ("sent", 1)
    assert len(await sent_texts(sandbox, vendor)) == 1


@pytest.mark.parametrize("vendor", VENDORS)
async def test_what_the_vendor_never_shows_is_for_a_person(engine, database, sandbox, vendor):
    await sandbox.control(
        "POST", "faults", {"provider": vendor, "mode": "accept_then_500", "match": {"method": "POST"}}
    )
    await sandbox.control("POST", "options", {"provider": vendor, "never_visible": 1})
    async with engine.begin() as conn:
        draft = await add_reply(conn, vendor)
        await plan(conn, draft, outbound.Origin("setter"))
    await work(engine, database, sandbox)
    beyond = ledger.SETTLE_TIME[vendor] + timedelta(seconds=61)
    await work(engine, database, sandbox, later=beyond)
    settled = await row(engine, draft)
    assert (settled.state, settled.reason) == ("needs_human", "outcome_unknown")
    assert len(await sent_texts(sandbox, vendor)) == 1


@pytest.mark.parametrize("vendor", ["emailbison", "smartlead", "instantly", "unipile"])
async def test_of_two_equal_unknown_texts_only_one_is_found_where_one_arrived(engine, database, sandbox, vendor):
    """Both read-backs see the one message; it belongs to one of them, the other goes to a person."""
    async with engine.begin() as conn:
        draft = await add_reply(conn, vendor)
        first = await plan(conn, draft, outbound.Origin("setter"))
        twin = await add_twin(conn, first)
    await sandbox.control(
        "POST", "faults", {"provider": vendor, "mode": "accept_then_500", "match": {"method": "POST"}, "times": 1}
    )
    lost = {"provider": vendor, "mode": "status", "status": 500, "match": {"method": "POST"}}
    await sandbox.control("POST", "faults", lost)
    await work(engine, database, sandbox)
    await work(engine, database, sandbox, later=timedelta(seconds=70))
    await work(engine, database, sandbox, later=ledger.SETTLE_TIME[vendor] + timedelta(seconds=61))
    async with engine.connect() as conn:
        states = (
            (await conn.execute(text("SELECT state FROM app.send WHERE id IN (:a, :b)"), {"a": first.id, "b": twin}))
            .scalars()
            .all()
        )
    assert sorted(states) == ["needs_human", "sent"]
    assert len(await sent_texts(sandbox, vendor)) == 1


async def add_twin(conn: AsyncConnection, first: Row[Any]) -> UUID:
    """A second intent with the same words to the same lead, as a template makes them."""
    twin, draft = new_id(), new_id()
    await conn.execute(
        text("""INSERT INTO app.draft (id, workspace_id, lead_id, trigger_message_id, channel, body, ai_body)
                SELECT :new, workspace_id, lead_id, trigger_message_id, channel || ' ', body, ai_body
                FROM app.draft WHERE id = :d"""),
        {"new": draft, "d": first.draft_id},
    )
    await conn.execute(
        text("""INSERT INTO app.send (id, workspace_id, natural_key, kind, origin, channel, vendor, lead_id, draft_id,
                draft_version, trigger_message_id, recipient, content, due_at, correlation_id)
                SELECT :new, workspace_id, natural_key || '-twin', kind, origin, channel, vendor, lead_id, :draft,
                draft_version, trigger_message_id, recipient, content, due_at, correlation_id FROM app.send WHERE id = :f"""),
        {"new": twin, "draft": draft, "f": first.id},
    )
    return twin


PENDING = {
    "provider_id": MEMBER,
    "network_distance": "SECOND_DEGREE",
    "invitation": {"type": "SENT", "status": "PENDING"},
}


async def test_a_pending_invitation_is_waited_for_and_given_up_after_three_days(engine, database, sandbox):
    await sandbox.control("POST", "state/unipile", {"profiles": [PENDING]})
    async with engine.begin() as conn:
        draft = await add_reply(conn, "unipile", thread_handle=None)
        await plan(conn, draft, outbound.Origin("setter"))
        await conn.execute(text("UPDATE app.send SET planned_at = :now"), {"now": NOW})
    await work(engine, database, sandbox)
    waiting = await row(engine, draft)
    assert (waiting.state, waiting.reason, waiting.due_at) == (
        "planned",
        "invitation_pending",
        NOW + timedelta(hours=6),
    )
    for hours in range(6, 72, 6):
        await work(engine, database, sandbox, later=timedelta(hours=hours, seconds=1))
    assert (await row(engine, draft)).state == "planned", "waiting uses up no attempts"
    await work(engine, database, sandbox, later=timedelta(hours=79))
    assert ((await row(engine, draft)).state, (await row(engine, draft)).reason) == ("blocked", "invitation_pending")
    async with engine.connect() as conn:
        codes = (
            (await conn.execute(text("SELECT DISTINCT code FROM app.decision WHERE subject = 'send'"))).scalars().all()
        )
    assert codes == ["invitation_pending"]
    assert await sent_texts(sandbox, "unipile") == []


async def test_once_connected_the_waiting_message_leaves(engine, database, sandbox):
    await sandbox.control("POST", "state/unipile", {"profiles": [PENDING]})
    async with engine.begin() as conn:
        draft = await add_reply(conn, "unipile", thread_handle=None)
        await plan(conn, draft, outbound.Origin("setter"))
        await conn.execute(text("UPDATE app.send SET planned_at = :now"), {"now": NOW})
    await work(engine, database, sandbox)
    connected = {"provider_id": MEMBER, "network_distance": "FIRST_DEGREE"}
    await sandbox.control("POST", "state/unipile", {"profiles": [connected]})
    await work(engine, database, sandbox, later=timedelta(hours=6, seconds=1))
    sent = await row(engine, draft)
    assert sent.state == "sent"
    async with engine.connect() as conn:
        key = (
            await conn.execute(text("SELECT message_key FROM app.message WHERE send_id = :s"), {"s": sent.id})
        ).scalar_one()
    assert key == f"unipile:acc-1:msg:{sent.vendor_message_id}", "the vendor's echo will find the message known"


@pytest.mark.parametrize("vendor", ["emailbison", "smartlead", "instantly"])
async def test_a_chosen_recipient_is_kept_and_the_lead_copied(engine, database, sandbox, vendor):
    async with engine.begin() as conn:
        draft = await add_reply(conn, vendor)
        chosen = Recipients(to="boss@mills.example")
        if vendor == "instantly":
            with pytest.raises(CannotSend, match="recipient_fixed_by_vendor"):
                await plan(conn, draft, outbound.Origin("setter"), chosen)
            return
        planned = await plan(conn, draft, outbound.Origin("setter"), chosen)
    assert (planned.recipient, planned.content["cc"]) == ("boss@mills.example", [LEAD])
    await work(engine, database, sandbox)
    assert (await row(engine, draft)).state == "sent"
    state = await sandbox.state(vendor)
    mail = state["sent"][0] if vendor == "smartlead" else state["replies"][-1]
    to = mail["to"] if vendor == "smartlead" else mail["to"][0]["address"]
    assert to == "boss@mills.example"


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_reviewers_click_sends_through_every_vendor(engine, database, sandbox, vendor):
    async with engine.begin() as conn:
        draft = await add_reply(conn, vendor)
        workspace = (await conn.execute(text("SELECT workspace_id FROM app.draft"))).scalar_one()
        await add_reviewer(conn, workspace)
    request = review.ReviewRequest(
        workspace_id=workspace,
        action="approve",
        draft_id=draft,
        version=1,
        slack_user="U1",
        edited_text=None,
        reason=None,
        correlation_id="c",
    )
    async with engine.begin() as conn:
        assert (await review.apply(conn, request, NOW)).outcome is review.ReviewOutcome.APPROVED
    await work(engine, database, sandbox)
    sent = await row(engine, draft)
    assert (sent.state, sent.origin) == ("sent", "setter")
    async with engine.connect() as conn:
        user = (
            await conn.execute(text("SELECT sent_by_user_id FROM app.message WHERE send_id = :s"), {"s": sent.id})
        ).scalar_one()
    assert user is not None


async def add_reviewer(conn: AsyncConnection, workspace: UUID) -> None:
    await conn.execute(
        text("""
        WITH u AS (INSERT INTO app.user (id, email, slack_user_id)
                   VALUES (gen_random_uuid(), 'rev@x.example', 'U1') RETURNING id),
        m AS (INSERT INTO app.member (workspace_id, user_id, role) SELECT CAST(:w AS uuid), id, 'ADMIN' FROM u)
        INSERT INTO app.slack_recipient (workspace_id, user_id) SELECT CAST(:w AS uuid), id FROM u"""),
        {"w": workspace},
    )
