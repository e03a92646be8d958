"""The conversation that a vendor keeps, read from the sandbox: complete, under the deliveries' keys, and moving nothing."""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import dagster as dg
import pytest

from tests.conftest import Database
from tests.integration import intake_support as world
from tests.integration.intake_support import KEY, LATER, LOCATION, stamp
from tests.integration.lanes_support import Control
from tests.integration.replies_support import Scene, make_scene
from tests.integration.seeds import NOW
from tests.unit.sandbox_tools import InProcess
from zrg_dagster.core.base.settings import current_settings
from zrg_dagster.core.db.engine import make_engine
from zrg_dagster.core.db.jobs import enqueue
from zrg_dagster.core.intake import history
from zrg_dagster.core.providers.credential import Credential
from zrg_dagster.jobs.conversation_sync import conversation_sync

CONTACT = "h3TzW8kLq0VbNc5XyRsE"
HOUR = timedelta(hours=1)
ACCOUNTS = {
    "ghl": Credential("http://sandbox.test/ghl", "sandbox-ghl-token", LOCATION),
    "emailbison": Credential("http://sandbox.test/emailbison", "sandbox-emailbison-key"),
}


@pytest.fixture
async def sandbox():
    async with InProcess() as running:
        yield running


@pytest.fixture
async def scene(database, sandbox, monkeypatch):
    async def access(_conn: Any, _workspace: UUID, vendor: str) -> Credential | None:
        return ACCOUNTS.get(vendor)

    async with make_scene(database) as made:
        await made.vendors.aclose()
        made.vendors._http = sandbox.http
        monkeypatch.setattr(made, "_access", access)
        yield made


def text_of(number: int, body: str, at: datetime, direction: str = "inbound", **fields: Any) -> dict[str, Any]:
    """An SMS as the vendor keeps it."""
    base = {"id": f"Gk{number}", "contactId": CONTACT, "conversationId": "C1", "body": body, "direction": direction}
    return {**base, "dateAdded": stamp(at), "source": "workflow" if direction == "outbound" else None, **fields}


async def keeps(sandbox: InProcess, **kinds: Any) -> None:
    """The vendors know this; the lead too."""
    provider = "emailbison" if {"replies", "emails"} & kinds.keys() else "ghl"
    who = {"leads": [world.person()]} if provider == "emailbison" else {"contacts": [{"id": CONTACT}]}
    await sandbox.control("POST", f"state/{provider}", {**who, **kinds})


async def ask(scene: Scene, asked_by: str = "by hand") -> None:
    """A person asks for everything about the one lead."""
    engine = make_engine(scene.database.dsn("worker"), pool_size=1)
    async with engine.begin() as conn:
        await enqueue(conn, [history.manual_job(scene.workspace, scene.lead["id"], asked_by, scene.now)])
    await engine.dispose()
    await scene.replies()


def said(scene: Scene) -> list[tuple[str, str, bool]]:
    rows = scene.rows.all("SELECT direction, body, is_history FROM app.message ORDER BY sent_at, message_key")
    return [tuple(row.values()) for row in rows]


def reply_jobs(scene: Scene) -> int:
    return scene.rows.value("SELECT count(*) FROM app.job WHERE kind = 'reply'")


OUR_TEXT = "Would 20 minutes on Thursday suit you, to look at changeover times?"
THREAD = [
    text_of(1, "Who is this?", NOW - 3 * HOUR),
    text_of(2, OUR_TEXT, NOW - 2 * HOUR, "outbound"),
    text_of(3, "Yes", NOW),
]


async def test_a_short_sms_is_read_with_the_conversation_before_it(scene, sandbox):
    """The vendor's workflow wrote the first text: without it nobody knows what the lead says yes to."""
    await keeps(sandbox, messages=THREAD)
    await scene.receive(world.sms(scene.workspace, "Yes", time=None, received_at=NOW + timedelta(seconds=4)))
    waits = scene.rows.value("SELECT run_at FROM app.job WHERE kind = 'reply'")
    assert waits == scene.now + history.HEAD_START
    await scene.replies()
    assert said(scene) == [("inbound", "Who is this?", True), ("outbound", OUR_TEXT, True), ("inbound", "Yes", False)]
    assert scene.rows.value("SELECT provider_message_id FROM app.message WHERE body = 'Yes'") == "Gk3"
    assert scene.job(history.KIND) == ("done", "history_added")
    assert scene.job()[0] == "done"
    assert OUR_TEXT in json.dumps(scene.brain.prompts[0])
    assert reply_jobs(scene) == 1
    assert scene.rows.column("SELECT kind FROM app.touch WHERE send_id IS NULL") == ["campaign"]
    assert scene.lead["last_outbound_at"] == NOW - 2 * HOUR


async def test_a_known_conversation_is_not_asked_for(scene, sandbox):
    await keeps(sandbox, messages=THREAD)
    await scene.receive(world.app_sms(scene.workspace, "Yes", "Gk3"))
    await scene.replies()
    before = len((await sandbox.control("GET", "requests?provider=ghl"))["requests"])
    await scene.receive(world.app_sms(scene.workspace, "Thursday works", "Gk4", at=NOW + timedelta(minutes=5)))
    await scene.replies()
    assert scene.job(history.KIND) == ("skipped", "history_known")
    assert len((await sandbox.control("GET", "requests?provider=ghl"))["requests"]) == before
    assert scene.job()[0] == "done"


@pytest.mark.parametrize("feed", ["app", "workflow", "both"])
async def test_a_delivery_after_its_message_was_read_does_what_it_would_have_done(scene, sandbox, feed):
    """The delivery was late. Its message is known and answered by nobody yet."""
    await keeps(sandbox, messages=[text_of(7, "What does it cost for three sites?", NOW)])
    await scene.receive(world.app_sms(scene.workspace, "A first word of some length, so that nothing is read", "Gk0"))
    await ask(scene)
    assert reply_jobs(scene) == 1
    late = {
        "app": world.app_sms(scene.workspace, "What does it cost for three sites?", "Gk7"),
        "workflow": world.sms(
            scene.workspace, "What does it cost for three sites?", received_at=NOW + timedelta(seconds=9)
        ),
    }
    await scene.receive(*(late.values() if feed == "both" else [late[feed]]))
    assert reply_jobs(scene) == 2
    assert scene.rows.value("SELECT count(*) FROM app.message WHERE is_history") == 0
    assert scene.rows.value("SELECT count(*) FROM app.message") == 2
    await scene.receive(*({"app": late["workflow"], "workflow": late["app"]}.get(feed, late["app"]),))
    await ask(scene, "again")
    assert (reply_jobs(scene), scene.rows.value("SELECT count(*) FROM app.message")) == (2, 2)


async def test_mails_and_campaign_steps_come_under_the_keys_of_their_deliveries(scene, sandbox):
    sent = {"id": 7_701, "lead_id": 90312, "email_subject": "changeover times", "email_body": "<p>Worth a look?</p>"}
    sent |= {"status": "sent", "sent_at": stamp(NOW - 9 * HOUR)}
    theirs = {**world.reply(4_300, "Who gave you my address?", at=NOW - 8 * HOUR), "lead_id": 90312}
    ours = {**world.reply(4_301, "Your site names you.", at=NOW - 7 * HOUR), "lead_id": 90312, "type": "Outgoing Email"}
    ours |= {"folder": "Sent", "from_email_address": world.OURS["email"], "parent_id": 4_300}
    ours |= {"primary_to_email_address": "mara@brightloom.example", "to": []}
    bounce = {**world.reply(4_302, "550 unknown", at=NOW - 6 * HOUR), "lead_id": 90312, "type": "Bounced"}
    await keeps(sandbox, emails=[sent], replies=[theirs, ours, bounce])
    await scene.reply_comes()
    await scene.replies()
    jobs = scene.rows.value("SELECT count(*) FROM app.job WHERE kind <> 'conversation_sync'")
    await ask(scene)
    assert scene.job(history.KIND) == ("done", "history_added")
    assert said(scene) == [
        ("outbound", "Worth a look?", True),
        ("inbound", "Who gave you my address?", True),
        ("outbound", "Your site names you.", True),
        ("inbound", "Sounds useful, tell me more.", False),
    ]
    assert scene.rows.value("SELECT count(*) FROM app.job WHERE kind <> 'conversation_sync'") == jobs
    counts = "SELECT sent_count, reply_count FROM app.email_campaign WHERE external_id = '318'"
    assert tuple(scene.rows.one(counts).values()) == (0, 1)
    await scene.receive(
        world.sent_step(scene.workspace, 7_701, at=NOW - 9 * HOUR),
        world.replied(scene.workspace, 4_300, "Who gave you my address?", at=NOW - 8 * HOUR),
    )
    assert len(said(scene)) == 4
    assert tuple(scene.rows.one(counts).values()) == (1, 2)
    await ask(scene, "again")
    assert scene.job(history.KIND) == ("done", "history_complete")


async def test_a_stop_in_the_history_stops(scene, sandbox):
    await keeps(sandbox, messages=[text_of(1, "STOP", NOW - 30 * HOUR)])
    await scene.receive(world.app_sms(scene.workspace, "Could you send me the brochure by post", "Gk9"))
    await ask(scene)
    assert scene.lead["status"] == "blacklisted"
    assert scene.rows.value("SELECT count(*) FROM app.suppression WHERE suppressed_at = %s", NOW - 30 * HOUR) > 0


async def test_what_we_sent_ourselves_is_not_added_again(scene, sandbox):
    await keeps(sandbox, contacts=[{"id": CONTACT, "phone": "+14155550132"}])
    await scene.receive(world.sms(scene.workspace, "Could you send me the brochure by post"))
    await scene.replies()
    draft = str(scene.draft["id"])
    await scene.click("approve", draft_id=draft)
    scene.tick(minutes=1)
    await scene.sends()
    assert scene.rows.column("SELECT state FROM app.send WHERE kind = 'draft'") == ["sent"]
    scene.now = datetime.now(tz=NOW.tzinfo) + HOUR  # the sandbox stamps with the real time
    await ask(scene)
    assert scene.rows.value("SELECT count(*) FROM app.message WHERE direction = 'outbound'") == 1
    assert scene.rows.value("SELECT count(*) FROM app.message WHERE is_history") == 0


async def test_a_vendor_that_is_away_is_asked_again_and_the_reply_goes_on(scene, sandbox):
    await keeps(sandbox, messages=THREAD)
    away = {"provider": "ghl", "mode": "status", "status": 503, "times": 50}
    await sandbox.control("POST", "faults", away)
    await scene.receive(world.app_sms(scene.workspace, "Yes", "Gk3"))
    await scene.replies()
    assert scene.job(history.KIND)[0] == "pending"
    assert scene.job()[0] == "pending"
    scene.tick(seconds=61)
    await scene.replies()  # the vendor is asked again first, and such a drain may end before the lead is free
    await scene.replies()
    assert scene.job()[0] == "done"
    await sandbox.control("DELETE", "faults")
    scene.tick(hours=1)
    await scene.replies()
    assert scene.job(history.KIND) == ("done", "history_added")
    assert reply_jobs(scene) == 1


async def test_a_vendor_that_refuses_us_is_not_asked_again(scene, sandbox):
    await sandbox.control("POST", "faults", {"provider": "ghl", "mode": "status", "status": 401, "times": 50})
    await scene.receive(world.app_sms(scene.workspace, "Yes", "Gk3"))
    await scene.replies()
    assert scene.job(history.KIND) == ("skipped", "history_credentials_rejected")
    assert scene.job()[0] == "done"


async def test_what_is_newer_than_a_quarter_of_an_hour_comes_by_its_delivery(scene, sandbox):
    await keeps(sandbox, messages=[text_of(8, "And one more thing about the price", LATER - timedelta(minutes=5))])
    await scene.receive(world.app_sms(scene.workspace, "Could you send me the brochure by post", "Gk9"))
    await ask(scene)
    assert scene.job(history.KIND) == ("done", "history_complete")
    assert len(said(scene)) == 1


def test_the_job_shows_first_and_asks_when_told_to(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZRG_DB_WORKER_URL", database.dsn("worker"))
    current_settings.cache_clear()
    with dg.DagsterInstance.ephemeral() as instance:
        control = Control(database, instance)
        lead = world.new_id()
        control.rows.all(
            "INSERT INTO app.lead (id, workspace_id, email) VALUES (%s, %s, 'mara@brightloom.example')",
            lead, control.workspace,
        )  # fmt: skip
        control.rows.all(
            "INSERT INTO app.lead_identity (workspace_id, kind, value, lead_id, source) "
            "VALUES (%s, 'email', 'mara@brightloom.example', %s, 't'), (%s, 'ghl_contact', 'c1', %s, 't')",
            control.workspace, lead, control.workspace, lead,
        )  # fmt: skip
        wanted = {"workspace": KEY, "leads": [str(lead), "Mara@brightloom.example", "nobody@brightloom.example"]}
        shown = run(control, **wanted)
        assert (shown["given"], shown["found"], shown["asked"]) == (3, 1, 0)
        assert f"| {lead} | 1 | 0 |" in shown["leads"]
        assert run(control, **wanted, dry_run=False)["asked"] == 1
        assert control.rows.column("SELECT kind FROM app.job WHERE lead_id = %s", lead) == [history.KIND]


def run(control: Control, **config: Any) -> dict[str, Any]:
    result = conversation_sync.execute_in_process(
        resources={name: control.resources[name] for name in ("database", "clock")},
        instance=control.instance,
        run_config={"ops": {"ask_for_conversations": {"config": config}}},
    )
    (output,) = [event for event in result.all_events if event.event_type_value == "STEP_OUTPUT"]
    return {name: value.value for name, value in output.step_output_data.metadata.items()}
