"""Asking about somebody who showed interest, on a real database, with the vendor on the wire; and what nobody answers."""

import asyncio
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import dagster as dg
import httpx
import pytest

from tests.integration.intake_support import Delivery
from tests.integration.replies_support import Scene, make_scene
from tests.integration.seeds import NOW
from zrg_dagster.core.base.seal import Sealer, new_key
from zrg_dagster.core.base.settings import current_settings
from zrg_dagster.core.providers.clay.client import ClayClient
from zrg_dagster.core.replies.enrich import EnrichmentRequests
from zrg_dagster.jobs.enrichment import expire_enrichments, expire_enrichments_every_quarter_hour
from zrg_dagster.resources.clock import Clock
from zrg_dagster.resources.database import Database

PHONE_TABLE, LINKEDIN_TABLE = "https://api.clay.com/phone", "https://api.clay.com/linkedin"


class Clay:
    """The vendor's tables on the wire."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.sealer = Sealer(new_key())
        self.requests: list[httpx.Request] = []
        self.answer: Callable[[], httpx.Response] = lambda: httpx.Response(200, json={"success": True})
        scene.more = lambda engine: {"enrichment_request": self._handler(engine)}

    def _handler(self, engine: Any) -> EnrichmentRequests:
        def answer(request: httpx.Request) -> httpx.Response:
            self.requests.append(request)
            return self.answer()

        client = ClayClient(httpx.AsyncClient(transport=httpx.MockTransport(answer)))
        return EnrichmentRequests(engine, client, self.sealer, lambda: self.scene.now)

    def connect(self, *, linkedin: bool = False, token: str | None = None) -> None:
        self.scene.rows.all(
            "INSERT INTO app.integration (workspace_id, provider, is_active, phone_table_url, linkedin_table_url) "
            "VALUES (%s, 'clay', true, %s, %s)",
            self.scene.workspace, PHONE_TABLE, LINKEDIN_TABLE if linkedin else None,
        )  # fmt: skip
        if token:
            sealed = self.sealer.seal(token, scope=f"{self.scene.workspace}:clay_table_token")
            self.scene.rows.all(
                "INSERT INTO secret.credential (workspace_id, name, sealed) VALUES (%s, 'clay_table_token', %s)",
                self.scene.workspace, sealed,
            )  # fmt: skip

    def asked(self) -> list[tuple[str, Any]]:
        return [(str(request.url), json.loads(request.content)) for request in self.requests]

    def ledger(self) -> list[tuple[Any, ...]]:
        rows = self.scene.rows.all("SELECT kind, status, reason, requested_at FROM app.lead_enrichment ORDER BY kind")
        return [tuple(row.values()) for row in rows]

    def jobs(self) -> list[tuple[Any, ...]]:
        rows = self.scene.rows.all(
            "SELECT state, reason FROM app.job WHERE kind = 'enrichment_request' ORDER BY created_at, id"
        )
        return [tuple(row.values()) for row in rows]


@pytest.fixture
async def scene(database: Any):
    async with make_scene(database) as made:
        yield made


@pytest.fixture
def clay(scene: Scene) -> Clay:
    return Clay(scene)


def at(moment: datetime) -> dict[str, datetime]:
    return {"at": moment, "received_at": moment}


async def test_interest_asks_each_table_once_and_the_answer_fills_the_lead(scene: Scene, clay: Clay) -> None:
    clay.connect(linkedin=True, token="t0ken")
    await scene.reply_comes()
    await scene.replies()
    lead = str(scene.lead["id"])
    assert sorted(url for url, _ in clay.asked()) == [LINKEDIN_TABLE, PHONE_TABLE]
    assert {row["leadId"] for _, row in clay.asked()} == {lead}
    assert {row["emailAddress"] for _, row in clay.asked()} == {"mara@brightloom.example"}
    assert {request.headers["x-clay-webhook-auth"] for request in clay.requests} == {"t0ken"}
    assert clay.ledger() == [("linkedin", "pending", None, scene.now), ("phone", "pending", None, scene.now)]
    assert clay.jobs() == [("done", "enrichment_asked")] * 2
    body = {"leadId": lead, "enrichmentType": "phone", "status": "success", "phone": "+14155550132"}
    asked_at = scene.now
    scene.tick(minutes=5)
    await scene.receive(Delivery("clay", json.dumps(body).encode(), scene.workspace, scene.now, key="a1"))
    assert scene.lead["phone"] == "+14155550132"
    assert clay.ledger()[1] == ("phone", "success", None, asked_at)
    await scene.reply_comes("And another thing", 4402, **at(NOW + timedelta(minutes=10)))
    await scene.replies()
    assert len(clay.requests) == 2


@pytest.mark.parametrize("tag", ["Not Interested", "Neutral", "Objection"])
async def test_nobody_is_looked_up_without_interest(scene: Scene, clay: Clay, tag: str) -> None:
    clay.connect()
    scene.brain.tag = tag
    await scene.reply_comes()
    await scene.replies()
    assert (clay.jobs(), clay.ledger()) == ([], [])


async def test_without_a_table_nothing_is_queued(scene: Scene, clay: Clay) -> None:
    await scene.reply_comes()
    await scene.replies()
    assert clay.jobs() == []


async def test_what_certainly_did_not_arrive_is_sent_again(scene: Scene, clay: Clay) -> None:
    clay.connect()
    clay.answer = lambda: httpx.Response(429, json={"error": "slow down"}, headers={"retry-after": "5"})
    await scene.reply_comes()
    await scene.replies()
    assert clay.ledger()[0][:3] == ("phone", "failed", "not_sent")
    clay.answer = lambda: httpx.Response(200, json={})
    scene.tick(minutes=16)
    await scene.replies()
    assert clay.ledger() == [("phone", "pending", None, scene.now)]
    assert (len(clay.requests), clay.jobs()) == (2, [("done", "enrichment_asked")])


async def test_what_may_have_arrived_is_not_sent_again(scene: Scene, clay: Clay) -> None:
    clay.connect()
    clay.answer = lambda: httpx.Response(502, text="<html>bad gateway</html>")
    await scene.reply_comes()
    await scene.replies()
    assert clay.ledger()[0][:2] == ("phone", "pending")
    assert clay.jobs() == [("done", "enrichment_unconfirmed")]


@pytest.mark.parametrize("status, reason", [(404, "not_found"), (422, "rejected")])
async def test_a_table_that_is_gone_is_seen_by_a_person(scene: Scene, clay: Clay, status: int, reason: str) -> None:
    clay.connect()
    clay.answer = lambda: httpx.Response(status, json={"error": "Not found"})
    await scene.reply_comes()
    await scene.replies()
    assert clay.jobs() == [("dead", f"enrichment_{reason}")]
    assert clay.ledger()[0][:3] == ("phone", "failed", reason)


async def test_somebody_who_wants_a_call_is_looked_up_again_after_a_day(scene: Scene, clay: Clay) -> None:
    clay.connect()
    scene.brain.tag = "Call Requested"
    await scene.reply_comes()
    await scene.replies()
    scene.rows.all("UPDATE app.lead_enrichment SET status = 'not_found', answered_at = requested_at")
    first = scene.now
    scene.tick(hours=23)
    await scene.reply_comes("Do call me", 4402, **at(scene.now - timedelta(minutes=1)))
    await scene.replies()
    assert len(clay.requests) == 1
    scene.now = first + timedelta(hours=24)
    await scene.reply_comes("Please do call me", 4403, **at(scene.now - timedelta(minutes=1)))
    await scene.replies()
    assert len(clay.requests) == 2


class Stopped(Clock):
    """The clock resource, stopped."""

    at: str

    def now(self) -> datetime:
        return datetime.fromisoformat(self.at)


async def test_a_question_without_answer_fails_after_two_hours_and_a_late_answer_still_counts(
    scene: Scene, clay: Clay, monkeypatch: pytest.MonkeyPatch
) -> None:
    clay.connect()
    await scene.reply_comes()
    await scene.replies()
    asked_at = scene.now
    monkeypatch.setenv("ZRG_DB_WORKER_URL", scene.database.dsn("worker"))
    current_settings.cache_clear()

    def resources(moment: datetime) -> dict[str, Any]:
        return {"database": Database(role="worker"), "clock": Stopped(at=moment.isoformat())}

    def tick(moment: datetime, instance: dg.DagsterInstance) -> Any:
        with dg.build_schedule_context(instance=instance, scheduled_execution_time=moment) as context:
            return expire_enrichments_every_quarter_hour(context, **resources(moment))

    with dg.instance_for_test() as instance:
        early, late = asked_at + timedelta(hours=1, minutes=59), asked_at + timedelta(hours=2)
        assert tick(early, instance).skip_message == "No question is overdue."
        assert tick(late, instance).tags["zrg/trigger"] == "schedule"
        for moment, status in ((early, "pending"), (late, "failed")):
            done = await asyncio.to_thread(
                expire_enrichments.execute_in_process, resources=resources(moment), instance=instance
            )
            assert done.success
            assert clay.ledger()[0][1] == status
        assert clay.ledger()[0][2] == "no_answer"
        assert tick(late, instance).skip_message == "No question is overdue."
    scene.now = late + timedelta(minutes=1)
    body = {"leadId": str(scene.lead["id"]), "enrichmentType": "phone", "status": "not_found"}
    await scene.receive(Delivery("clay", json.dumps(body).encode(), scene.workspace, scene.now, key="late"))
    assert clay.ledger()[0][1] == "not_found"
