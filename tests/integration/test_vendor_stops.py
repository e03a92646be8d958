"""Who asked us to stop is not written to by the vendors' own campaigns either."""

import httpx
import pytest

from tests.integration import intake_support as world
from tests.integration.replies_support import make_scene
from zrg_dagster.core.leads.vendor_stops import KIND
from zrg_dagster.core.replies.tell_vendors import VendorStops

PLEASE = "Please stop emailing me."


@pytest.fixture
async def scene(database):
    async with make_scene(database) as made:
        made.more = lambda engine: {KIND: VendorStops(made.tools(engine))}
        connect(made, "emailbison")
        yield made


def connect(scene, *vendors):
    for vendor in vendors:
        scene.rows.all(
            "INSERT INTO app.integration (workspace_id, provider, is_active, updated_at) VALUES (%s, %s, true, now())",
            scene.workspace, vendor,
        )  # fmt: skip


def told(scene):
    return [path for path, _body in scene.vendors.requests if path.endswith(("/unsubscribe", "/block-lists-entries"))]


async def test_the_vendor_is_told_once_and_it_stands_on_the_leads_list(scene):
    await scene.reply_comes(PLEASE)
    await scene.replies()
    assert scene.lead["status"] == "blacklisted"
    lead = scene.rows.value("SELECT value FROM app.lead_identity WHERE kind = 'emailbison_lead'")
    assert told(scene) == [f"/api/leads/{lead}/unsubscribe"]
    assert scene.decisions("suppression")[-1] == "vendor_told_to_stop"
    await scene.reply_comes(PLEASE)
    await scene.replies()
    assert len(told(scene)) == 1, "the same delivery again is no new wish"


async def test_every_connected_vendor_that_knows_the_lead_is_told(scene):
    scene.rows.all("UPDATE app.integration SET is_active = false")
    connect(scene, "instantly", "ghl")
    await scene.reply_comes(PLEASE)
    scene.rows.all(
        "INSERT INTO app.lead_identity (workspace_id, kind, value, lead_id, source) "
        "SELECT workspace_id, 'ghl_contact', 'c1', id, 'test' FROM app.lead"
    )
    await scene.reply_comes("STOP emailing me, I said.", number=4402)
    await scene.replies()
    asked = [(path, body) for path, body in scene.vendors.requests if "block-lists" in path or path == "/contacts/c1"]
    address = scene.lead["email"]
    assert ("/api/v2/block-lists-entries", {"bl_value": address}) in asked
    ((_, body),) = [each for each in asked if each[0] == "/contacts/c1"]
    assert body == {"dnd": True, "dndSettings": {"SMS": {"status": "active"}, "Email": {"status": "active"}}}


async def test_what_only_the_model_understood_is_told_too(scene):
    scene.brain.tag = "Blacklist"
    await scene.reply_comes("We are through with each other.")
    await scene.replies()
    assert scene.decisions("suppression") == ["model_opt_out", "vendor_told_to_stop"]


async def test_a_vendor_that_is_away_is_asked_again_and_a_refusal_is_for_a_person(scene):
    scene.vendors.answers["/unsubscribe"] = lambda _body: httpx.Response(503, json={})
    await scene.reply_comes(PLEASE)
    await scene.replies()
    assert scene.job(KIND)[0] == "pending"
    scene.vendors.answers["/unsubscribe"] = lambda _body: httpx.Response(401, json={})
    scene.tick(hours=1)
    await scene.replies()
    assert scene.job(KIND) == ("dead", "stop_credentials_rejected")
    assert scene.decisions("suppression")[-1] == "vendor_not_told_to_stop"


async def test_a_lead_that_the_vendor_does_not_have_is_no_trouble(scene):
    scene.vendors.answers["/unsubscribe"] = lambda _body: httpx.Response(404, json={})
    await scene.reply_comes(PLEASE)
    await scene.replies()
    assert scene.job(KIND) == ("done", "vendor_knows_no_such_lead")


async def test_a_bounce_and_a_vendors_own_word_tell_nobody(scene):
    bounced = world.email_event("EMAIL_BOUNCED", scheduled_email={"id": 9})
    unsubscribed = world.email_event("LEAD_UNSUBSCRIBED", lead=world.person("noor", 90313))
    await scene.receive(*(world.email(scene.workspace, body) for body in (bounced, unsubscribed)))
    assert scene.rows.value("SELECT count(*) FROM app.lead WHERE status = 'blacklisted'") == 2
    assert scene.rows.value("SELECT count(*) FROM app.job WHERE kind = %s", KIND) == 0


async def test_who_came_back_meanwhile_is_left_alone(scene):
    await scene.reply_comes(PLEASE)
    scene.rows.all("DELETE FROM app.suppression WHERE kind = 'lead'")
    await scene.replies()
    assert told(scene) == []
    assert scene.job(KIND) == ("skipped", "no_longer_stopped")
