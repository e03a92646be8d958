"""From a reply to a signed delivery at the customer's CRM, on a real database, with the customer on the wire."""

import hashlib
import hmac
import json
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.integration import intake_support as world
from tests.integration.replies_support import Scene, make_scene
from tests.integration.seeds import NOW
from zrg_dagster.core.base.seal import Sealer, new_key
from zrg_dagster.core.providers.pinned import PinnedPoster
from zrg_dagster.core.replies.crm_webhook import CrmDeliveries

URL = "https://crm.customer.example/hook?tenant=7"
SECRET = "customers-secret"
BOTH = ["lead_created", "crm_row_updated"]


class Customer:
    """A workspace's CRM: connected in the database, answering on the wire."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.sealer = Sealer(new_key())
        self.requests: list[httpx.Request] = []
        self.statuses: list[int] = []
        self.address = "93.184.215.14"
        scene.more = lambda engine: {"crm_webhook": self._deliveries(engine)}

    def connect(self, events: list[str] = BOTH) -> None:
        workspace, rows = self.scene.workspace, self.scene.rows
        rows.all(
            "INSERT INTO app.integration (workspace_id, provider, base_url, is_active) VALUES (%s, 'crm', %s, true)",
            workspace, URL,
        )  # fmt: skip
        sealed = self.sealer.seal(SECRET, scope=f"{workspace}:crm_webhook_secret")
        rows.all(
            "INSERT INTO secret.credential (workspace_id, name, sealed) VALUES (%s, 'crm_webhook_secret', %s)",
            workspace, sealed,
        )  # fmt: skip
        rows.all("UPDATE app.workspace_setting SET crm_webhook_events = %s WHERE workspace_id = %s", events, workspace)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        status = self.statuses.pop(0) if self.statuses else 200
        return httpx.Response(status, stream=httpx.ByteStream(b"ok"))

    def _deliveries(self, engine: Any) -> CrmDeliveries:
        async def resolve(_host: str, _port: int) -> list[str]:
            return [self.address]

        client = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))
        poster = PinnedPoster(client, resolver=resolve)
        return CrmDeliveries(engine, poster, self.sealer, lambda: self.scene.now, timeout_s=5)

    def told(self) -> list[dict[str, Any]]:
        return [json.loads(request.content) for request in self.requests]

    def jobs(self) -> list[tuple[Any, ...]]:
        rows = self.scene.rows.all(
            "SELECT state, reason, attempts FROM app.job WHERE kind = 'crm_webhook' ORDER BY created_at, id"
        )
        return [tuple(row.values()) for row in rows]


def at(moment: datetime) -> dict[str, datetime]:
    """A reply that was written and received then."""
    return {"at": moment, "received_at": moment}


@pytest.fixture
async def scene(database: Any):
    async with make_scene(database) as made:
        yield made


@pytest.fixture
def customer(scene: Scene) -> Customer:
    return Customer(scene)


async def test_a_positive_reply_becomes_one_signed_delivery(scene: Scene, customer: Customer) -> None:
    customer.connect()
    await scene.reply_comes()
    await scene.replies()
    [request], [said] = customer.requests, customer.told()
    assert str(request.url) == "https://93.184.215.14/hook?tenant=7"
    assert request.headers["host"] == "crm.customer.example"
    stamp = request.headers["x-zrg-timestamp"]
    expected = hmac.new(SECRET.encode(), f"{stamp}.".encode() + request.content, hashlib.sha256).hexdigest()
    assert request.headers["x-zrg-signature"] == f"sha256={expected}"
    job = scene.rows.one("SELECT id, job_key, payload, max_attempts FROM app.job WHERE kind = 'crm_webhook'")
    assert request.headers["x-zrg-delivery-id"] == said["eventId"] == str(job["id"])
    assert (said["dedupeKey"], job["max_attempts"]) == (job["job_key"], 8)
    assert (said["eventType"], said["changedField"], said["source"]) == ("lead_created", None, "reply")
    row = said["row"]
    assert (row["leadEmail"], row["leadCategory"], row["leadStatus"]) == (
        "mara@brightloom.example", "Interested", "qualified",
    )  # fmt: skip
    assert (row["channel"], row["qualified"], row["initialResponseDate"]) == ("email", True, "2026-03-10T17:00:00.000Z")
    # What waits in the queue says nothing about the person.
    assert "mara" not in json.dumps(job["payload"])


async def test_a_second_reply_is_an_update_of_what_changed_and_only_that(scene: Scene, customer: Customer) -> None:
    customer.connect()
    await scene.reply_comes()
    await scene.replies()
    scene.tick(minutes=10)
    await scene.reply_comes("Still interested!", 4402, **at(NOW + timedelta(minutes=5)))
    await scene.replies()
    assert len(customer.requests) == 1  # interested as before: nothing to tell
    scene.brain.tag = "Meeting Requested"
    scene.tick(minutes=10)
    await scene.reply_comes("Can we talk on Thursday?", 4403, **at(NOW + timedelta(minutes=15)))
    await scene.replies()
    told = [(said["eventType"], said["changedField"]) for said in customer.told()]
    assert told[0] == ("lead_created", None)
    assert sorted(told[1:]) == [("crm_row_updated", "leadCategory"), ("crm_row_updated", "leadStatus")]
    assert {said["row"]["responseType"] for said in customer.told()[1:]} == {"MEETING_REQUEST"}


async def test_a_booking_and_an_opt_out_of_somebody_known_are_told(scene: Scene, customer: Customer) -> None:
    customer.connect(["crm_row_updated"])
    await scene.reply_comes()
    await scene.replies()
    assert customer.requests == []
    scene.tick(hours=1)
    await scene.receive(world.invitee(scene.workspace, at=NOW + timedelta(minutes=30)))
    await scene.replies()
    booked = {said["changedField"]: said for said in customer.told()}
    assert set(booked) == {"leadCategory", "leadStatus", "dateOfMeeting"}
    assert booked["leadStatus"]["row"]["leadStatus"] == "meeting-booked"
    assert booked["dateOfMeeting"]["row"]["dateOfMeeting"] is not None
    customer.requests.clear()
    scene.tick(hours=1)
    await scene.reply_comes("STOP, unsubscribe me", 4409, **at(NOW + timedelta(hours=1)))
    await scene.replies()
    assert {said["row"]["leadStatus"] for said in customer.told()} == {"blacklisted"}


@pytest.mark.parametrize("tag", ["Not Interested", "Neutral", "Objection"])
async def test_who_was_never_interested_is_nobodys_news(scene: Scene, customer: Customer, tag: str) -> None:
    customer.connect()
    scene.brain.tag = tag
    await scene.reply_comes()
    await scene.replies()
    await scene.receive(world.invitee(scene.workspace))
    assert customer.jobs() == []


async def test_a_workspace_without_a_crm_queues_nothing(scene: Scene, customer: Customer) -> None:
    await scene.reply_comes()
    await scene.replies()
    assert customer.jobs() == []


async def test_trouble_is_tried_again_with_a_new_signature_and_the_same_name(scene: Scene, customer: Customer) -> None:
    customer.connect()
    customer.statuses = [503, 429, 200]
    await scene.reply_comes()
    for _ in range(3):
        await scene.replies()
        scene.tick(minutes=16)
    assert customer.jobs() == [("done", "crm_delivered", 3)]
    assert len({request.headers["x-zrg-delivery-id"] for request in customer.requests}) == 1
    assert len({request.headers["x-zrg-signature"] for request in customer.requests}) == 3
    assert len({said["dedupeKey"] for said in customer.told()}) == 1


async def test_it_ends_after_eight_attempts(scene: Scene, customer: Customer) -> None:
    customer.connect()
    customer.statuses = [500] * 20
    await scene.reply_comes()
    for _ in range(10):
        await scene.replies()
        scene.tick(minutes=16)
    assert customer.jobs() == [("dead", "crm_http_500", 8)]
    assert len(customer.requests) == 8


@pytest.mark.parametrize("status", [301, 400, 404, 410])
async def test_the_customers_last_word_is_not_asked_for_twice(scene: Scene, customer: Customer, status: int) -> None:
    customer.connect()
    customer.statuses = [status]
    await scene.reply_comes()
    await scene.replies()
    scene.tick(minutes=16)
    await scene.replies()
    assert customer.jobs() == [("dead", f"crm_http_{status}", 1)]


async def test_a_name_that_leads_into_our_network_is_dead_at_once(scene: Scene, customer: Customer) -> None:
    customer.connect()
    customer.address = "169.254.169.254"
    await scene.reply_comes()
    await scene.replies()
    assert customer.jobs() == [("dead", "crm_private_address", 1)]
    assert customer.requests == []


@pytest.mark.parametrize(
    "change, ending",
    [
        ("UPDATE app.integration SET is_active = false WHERE provider = 'crm'", ("skipped", "crm_disabled", 1)),
        ("UPDATE app.workspace_setting SET crm_webhook_events = '{}'", ("skipped", "crm_event_not_enabled", 1)),
        ("DELETE FROM secret.credential", ("skipped", "crm_missing_secret", 1)),
        ("UPDATE secret.credential SET sealed = 'broken'", ("dead", "crm_secret_unreadable", 1)),
        ("UPDATE app.lead SET erased_at = now()", ("skipped", "crm_lead_gone", 1)),
    ],
)
async def test_what_changed_since_it_was_queued_counts(
    scene: Scene, customer: Customer, change: str, ending: tuple[Any, ...]
) -> None:
    customer.connect()
    customer.statuses = [503]
    await scene.reply_comes()
    await scene.replies()
    scene.rows.all(change)
    scene.rows.all("UPDATE app.job SET attempts = 0 WHERE kind = 'crm_webhook'")
    scene.tick(minutes=16)
    await scene.replies()
    assert customer.jobs() == [ending]
    assert len(customer.requests) == 1
