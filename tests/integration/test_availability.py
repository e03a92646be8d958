"""Availability against a real Postgres, with the vendors' answers given at the wire."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import dagster as dg
import httpx
import psycopg
import pytest
from cryptography.fernet import Fernet

from tests.conftest import Database
from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.base.seal import Sealer
from zrg_dagster.core.base.settings import current_settings
from zrg_dagster.core.booking.availability import IDLE_EVERY, LEASE, answered, lease_due, oldest_due, open_slots, store
from zrg_dagster.core.db.engine import make_engine, sync_connect
from zrg_dagster.core.providers import clients
from zrg_dagster.core.workspaces.channels import CREDENTIAL_NAMES, credential_scope
from zrg_dagster.jobs.availability import refresh_availability, refresh_availability_every_minute
from zrg_dagster.resources.channels import Channels
from zrg_dagster.resources.clock import Clock
from zrg_dagster.resources.database import Database as DatabaseResource

NOW = datetime(2026, 5, 4, 15, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SLOT = datetime(2026, 5, 5, 14, 0, tzinfo=UTC)
EVENT_TYPE = "https://api.calendly.com/event_types/11111111-2222-3333-4444-555555555555"

Handler = Callable[[httpx.Request], httpx.Response]


class Stopped(Clock):
    """The clock resource, stopped."""

    at: str

    def now(self) -> datetime:
        return datetime.fromisoformat(self.at)


class World:
    """A workspace whose calendars are connected."""

    def __init__(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        self.dsn = database.dsn("worker")
        self.workspace = new_id()
        keys = Fernet.generate_key().decode()
        monkeypatch.setenv("ZRG_SECRET_KEYS", keys)
        monkeypatch.setenv("ZRG_DB_WORKER_URL", self.dsn)
        current_settings.cache_clear()
        self.handler: Handler = ghl()
        # The wire is the only fake: the product's own clients talk to a function in place of a socket.
        monkeypatch.setattr(clients, "make_http_client", self._wire)
        self.run("INSERT INTO app.workspace (id, key, name) VALUES (%s, 'acme', 'Acme')", self.workspace)
        for provider in ("ghl", "calendly"):
            name = CREDENTIAL_NAMES[provider]
            self.run("INSERT INTO app.integration (workspace_id, provider) VALUES (%s, %s)", self.workspace, provider)
            sealed = Sealer(keys).seal("token", scope=credential_scope(self.workspace, name))
            self.run("INSERT INTO secret.credential VALUES (%s, %s, %s)", self.workspace, name, sealed)

    def _wire(self, **_options: Any) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self.handler))

    def run(self, statement: str, *parameters: Any) -> list[Any]:
        with sync_connect(self.dsn) as connection:
            cursor = connection.execute(statement.encode(), parameters)
            return cursor.fetchall() if cursor.description else []

    def calendar(self, provider: str = "ghl", external_id: str = "cal-1", due: datetime = NOW) -> UUID:
        calendar_id = new_id()
        self.run(
            """INSERT INTO app.calendar (id, workspace_id, provider, external_id, refresh_due_at)
               VALUES (%s, %s, %s, %s, %s)""",
            calendar_id,
            self.workspace,
            provider,
            external_id,
            due,
        )
        return calendar_id

    def row(self, calendar_id: UUID) -> Any:
        return self.run("SELECT * FROM app.calendar WHERE id = %s", calendar_id)[0]

    def slots(self) -> list[datetime]:
        return [row["starts_at"] for row in self.run("SELECT starts_at FROM app.availability_slot ORDER BY starts_at")]

    def resources(self, at: datetime = NOW) -> dict[str, Any]:
        return {
            "database": DatabaseResource(role="worker"),
            "clock": Stopped(at=at.isoformat()),
            "channels": Channels(),
        }

    def refresh(self, handler: Handler, at: datetime = NOW) -> dict[str, int]:
        """One run of the job; how often each outcome was counted."""
        self.handler = handler
        with dg.DagsterInstance.ephemeral() as instance:
            result = refresh_availability.execute_in_process(resources=self.resources(at), instance=instance)
        (output,) = [event for event in result.all_events if event.event_type_value == "STEP_OUTPUT"]
        table = output.step_output_data.metadata.get("by_reason")
        records = table.value.records if table else []
        return {record.data["reason"]: record.data["calendars"] for record in records}


@pytest.fixture
def world(database: Database, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(database, monkeypatch)


def ghl(*slots: datetime) -> Handler:
    def handler(request: httpx.Request) -> httpx.Response:
        days: dict[str, Any] = {"traceId": "t"}
        for slot in slots:
            days.setdefault(slot.date().isoformat(), {"slots": []})["slots"].append(slot.isoformat())
        return httpx.Response(200, json=days, request=request)

    return handler


def test_a_due_calendar_is_read_and_cached(world: World) -> None:
    calendar = world.calendar()
    past = NOW - timedelta(hours=2)
    assert world.refresh(ghl(SLOT, SLOT + 30 * MINUTE, SLOT, past)) == {"slots_stored": 1}
    assert world.slots() == [SLOT, SLOT + 30 * MINUTE]
    row = world.row(calendar)
    assert (row["refreshed_at"], row["refresh_due_at"], row["last_error"]) == (NOW, NOW + IDLE_EVERY, None)
    # A later answer replaces the slots.
    later = NOW + IDLE_EVERY
    assert world.refresh(ghl(SLOT + 60 * MINUTE), later) == {"slots_stored": 1}
    assert world.slots() == [SLOT + 60 * MINUTE]


def test_calendly_is_asked_in_weeks_that_begin_in_the_future(world: World) -> None:
    world.calendar("calendly", EVENT_TYPE)
    asked: list[tuple[str, str]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        query = parse_qs(request.url.query.decode())
        assert query["event_type"] == [EVENT_TYPE]
        assert request.headers["authorization"] == "Bearer token"
        asked.append((query["start_time"][0], query["end_time"][0]))
        times = [{"status": "available", "start_time": SLOT.isoformat()}, {"status": "unavailable", "start_time": "x"}]
        return httpx.Response(200, json={"collection": times}, request=request)

    assert world.refresh(handler) == {"slots_stored": 1}
    assert world.slots() == [SLOT]
    assert len(asked) == 5
    assert all(start > NOW.strftime("%Y-%m-%dT%H:%M:%SZ") for start, _ in asked)


def test_a_refusing_vendor_keeps_the_slots_and_is_left_alone_for_longer_each_time(world: World) -> None:
    calendar = world.calendar()
    world.refresh(ghl(SLOT))

    def refuse(request: httpx.Request) -> httpx.Response:
        return httpx.Response(401, json={"message": "Invalid token: access token is invalid"}, request=request)

    at, waits = NOW + IDLE_EVERY, []
    for _ in range(3):
        assert world.refresh(refuse, at) == {"vendor_failed": 1}
        waits.append(world.row(calendar)["refresh_due_at"] - at)
        at = world.row(calendar)["refresh_due_at"]
    assert waits == [MINUTE, 2 * MINUTE, 4 * MINUTE]
    row = world.row(calendar)
    assert row["failures"] == 3
    assert row["last_error"].startswith("credentials_rejected")
    assert world.slots() == [SLOT]
    world.refresh(ghl(SLOT), at)
    assert (world.row(calendar)["failures"], world.row(calendar)["last_error"]) == (0, None)


def test_a_calendar_without_a_credential_says_so(world: World) -> None:
    calendar = world.calendar()
    world.run("DELETE FROM secret.credential")

    def never(request: httpx.Request) -> httpx.Response:
        raise AssertionError(f"called {request.url}")

    assert world.refresh(never) == {"no_credential": 1}
    assert world.row(calendar)["last_error"] == "no_credential"


def test_one_bad_calendar_does_not_spoil_the_others(world: World) -> None:
    bad, good = world.calendar(external_id="bad"), world.calendar(external_id="good")

    def handler(request: httpx.Request) -> httpx.Response:
        if "/bad/" in request.url.path:
            return httpx.Response(404, json={"message": "Not Found"}, request=request)
        return ghl(SLOT)(request)

    assert world.refresh(handler) == {"vendor_failed": 1, "slots_stored": 1}
    assert world.row(bad)["failures"] == 1
    assert world.row(good)["failures"] == 0


def test_an_empty_answer_keeps_a_good_cache_at_first(world: World) -> None:
    calendar = world.calendar()
    world.refresh(ghl(SLOT))
    at = NOW + IDLE_EVERY
    assert world.refresh(ghl(), at) == {"empty_answer_doubted": 1}
    assert world.slots() == [SLOT]
    for _ in range(3):
        outcome = world.refresh(ghl(), world.row(calendar)["refresh_due_at"])
    assert outcome == {"no_slots_found": 1}
    assert world.slots() == []


def test_a_workspace_in_conversation_is_refreshed_sooner(world: World) -> None:
    calendar = world.calendar()
    world.run(
        "INSERT INTO app.lead (id, workspace_id, last_inbound_at) VALUES (%s, %s, %s)",
        new_id(),
        world.workspace,
        NOW - timedelta(hours=1),
    )
    world.refresh(ghl(SLOT))
    assert world.row(calendar)["refresh_due_at"] == NOW + 5 * MINUTE


def test_nothing_due_no_run(world: World) -> None:
    resources = world.resources()
    tick = {name: resources[name] for name in ("database", "clock")}
    with dg.instance_for_test() as instance, dg.build_schedule_context(instance=instance) as context:
        assert "No calendar is due" in refresh_availability_every_minute(context, **tick).skip_message
        calendar = world.calendar(due=NOW + MINUTE)
        assert "No calendar is due" in refresh_availability_every_minute(context, **tick).skip_message
        world.run("UPDATE app.calendar SET refresh_due_at = %s WHERE id = %s", NOW, calendar)
        assert refresh_availability_every_minute(context, **tick).tags == {"zrg/trigger": "schedule"}
        for change in ("UPDATE app.calendar SET is_active = false", "UPDATE app.workspace SET is_active = false"):
            world.run(change)
            with sync_connect(world.dsn) as connection:
                assert oldest_due(connection, NOW) is None


async def test_an_answer_that_comes_after_its_lease_is_dropped(world: World) -> None:
    calendar = await asyncio.to_thread(world.calendar)
    engine = make_engine(world.dsn, pool_size=2)
    try:
        async with engine.begin() as conn:
            (slow,) = await lease_due(conn, NOW, limit=10)
        async with engine.begin() as conn:
            assert await lease_due(conn, NOW, limit=10) == []
            (fast,) = await lease_due(conn, NOW + LEASE, limit=10)
        async with engine.begin() as conn:
            assert await store(conn, [answered(fast, [SLOT], NOW + LEASE)], NOW + LEASE) == {"slots_stored": 1}
            assert await store(conn, [answered(slow, [], NOW + LEASE)], NOW + LEASE) == {"lease_lost": 1}
        assert await asyncio.to_thread(world.slots) == [SLOT]
        assert (await asyncio.to_thread(world.row, calendar))["refresh_due_at"] == NOW + LEASE + IDLE_EVERY
    finally:
        await engine.dispose()


async def test_open_slots_leave_out_the_past_and_what_an_appointment_overlaps(world: World) -> None:
    """AV-16, E14: intervals, not equal starts; a canceled meeting frees its time."""

    def prepare() -> None:
        calendar = world.calendar()
        starts = [NOW - MINUTE, SLOT, SLOT + 30 * MINUTE, SLOT + 60 * MINUTE, SLOT + 300 * MINUTE]
        with psycopg.connect(world.dsn, autocommit=True) as connection:
            for start in starts:
                connection.execute(
                    "INSERT INTO app.availability_slot VALUES (%s, %s, %s)", (world.workspace, calendar, start)
                )
            for status, start in (("confirmed", SLOT + 15 * MINUTE), ("canceled", SLOT + 300 * MINUTE)):
                connection.execute(
                    """INSERT INTO app.appointment (id, workspace_id, provider, external_id, status, start_at, booked_at,
                                                    booked_at_source, vendor_updated_at)
                       VALUES (%s, %s, 'ghl', %s, %s, %s, %s, 'webhook', %s)""",
                    (new_id(), world.workspace, status, status, start, NOW, NOW),
                )

    await asyncio.to_thread(prepare)
    engine = make_engine(world.dsn, pool_size=1)
    try:
        async with engine.begin() as conn:
            found = await open_slots(conn, [world.workspace], NOW)
    finally:
        await engine.dispose()
    assert found == {world.workspace: [SLOT + 60 * MINUTE, SLOT + 300 * MINUTE]}
