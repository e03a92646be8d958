"""Deliveries by hand: found, tried without a trace, processed again, given up; and the numbers that watch over them."""

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import dagster as dg
import psycopg
import pytest
from typer.testing import CliRunner

from tests.conftest import Database
from tests.integration import intake_support as world
from tests.integration.intake_support import LATER, Rows, accept, drain
from tests.integration.lanes_support import Stopped
from tests.integration.replies_support import Scene, make_scene
from zrg_dagster.commands import events as command
from zrg_dagster.core.base.seal import Sealer, new_key
from zrg_dagster.core.base.settings import current_settings
from zrg_dagster.core.db.engine import make_engine, sync_connect
from zrg_dagster.core.intake import read as intake_read
from zrg_dagster.core.intake import replay
from zrg_dagster.core.intake.balance import balance
from zrg_dagster.core.providers.records import ShapeError
from zrg_dagster.core.workspaces.sealing import Keys
from zrg_dagster.jobs.replay import webhook_replay
from zrg_dagster.resources.database import Database as DatabaseResource
from zrg_dagster.sensors.intake import deliveries_observed


@pytest.fixture
def rows(database: Database) -> Rows:
    return Rows(database)


@pytest.fixture
def workspace(rows: Rows) -> Any:
    return rows.workspace()


async def quarantined(database: Database, workspace: Any, monkeypatch: pytest.MonkeyPatch, number: int = 2) -> None:
    """Deliveries whose vendor changed its shapes: unreadable until our parser learns them."""

    def unreadable(*_args: Any, **_options: Any) -> None:
        raise ShapeError("$.data.reply", "object", "array")

    with monkeypatch.context() as patch:
        patch.setitem(intake_read.PARSERS, "emailbison", unreadable)
        accept(database, [world.replied(workspace, 4401 + n, f"Sounds good, {n}.") for n in range(number)])
        await drain(database)


async def preview(database: Database, chosen: replay.Selection) -> list[replay.Change]:
    engine = make_engine(database.dsn("worker"))
    try:
        async with engine.connect() as conn:
            found = await replay.find(conn, chosen)
            await conn.rollback()
            return await replay.preview(conn, found, LATER, sealer=None)
    finally:
        await engine.dispose()


async def do(database: Database, verb: Any, chosen: replay.Selection) -> list[Any]:
    engine = make_engine(database.dsn("worker"))
    try:
        async with engine.begin() as conn:
            return await verb(conn, await replay.find(conn, chosen), chosen, actor="os:test", now=LATER)
    finally:
        await engine.dispose()


async def test_a_preview_tells_how_each_would_end_and_leaves_no_trace(database, rows, workspace, monkeypatch):
    await quarantined(database, workspace, monkeypatch)
    changes = await preview(database, replay.Selection())
    assert [(change.event.state, change.state, change.differs) for change in changes] == [
        ("quarantined", "processed", True)
    ] * 2
    assert rows.value("SELECT count(*) FROM app.message") == 0
    assert rows.column("SELECT DISTINCT state FROM raw.webhook_event") == ["quarantined"]


async def test_what_can_be_read_today_is_processed_once_and_recorded(database, rows, workspace, monkeypatch):
    await quarantined(database, workspace, monkeypatch)
    assert len(await do(database, replay.replay, replay.Selection(reason="shape_mismatch"))) == 2
    await drain(database)
    assert rows.column("SELECT DISTINCT state FROM raw.webhook_event") == ["processed"]
    assert rows.value("SELECT count(*) FROM app.message") == 2
    # Once more, now of what is processed: everything is recognised.
    everything = replay.Selection(states=replay.FINISHED)
    assert len(await do(database, replay.replay, everything)) == 2
    await drain(database)
    assert rows.value("SELECT count(*) FROM app.message") == 2
    assert rows.value("SELECT count(*) FROM app.job") == 2
    assert rows.column("SELECT action FROM ops.audit ORDER BY id") == ["event.replay", "event.replay"]


async def test_each_refusal_has_its_reason(database, rows, workspace, monkeypatch):
    await quarantined(database, workspace, monkeypatch, number=3)
    first, second, third = rows.column("SELECT id FROM raw.webhook_event ORDER BY received_at, id")
    rows.all("UPDATE raw.webhook_event SET provider = 'slack' WHERE id = %s", first)
    rows.all("UPDATE raw.webhook_event SET state = 'pending' WHERE id = %s", second)
    rows.all("UPDATE raw.webhook_body SET body = '' WHERE event_id = %s", third)
    chosen = replay.Selection(states=replay.STATES)
    engine = make_engine(database.dsn("worker"))
    async with engine.connect() as conn:
        found = await replay.find(conn, chosen)
    await engine.dispose()
    assert {row.id: replay.refusal(row) for row in found} == {
        first: replay.ReplayRefusal.REVIEW_CLICK,
        second: replay.ReplayRefusal.IN_WORK,
        third: replay.ReplayRefusal.BODY_GONE,
    }
    assert await do(database, replay.replay, chosen) == []
    assert await preview(database, chosen) == []


async def test_what_is_given_up_alarms_nobody_and_stays_counted(database, rows, workspace, monkeypatch):
    await quarantined(database, workspace, monkeypatch)
    accept(database, [world.replied(workspace, 4500)])
    await drain(database)
    assert len(await do(database, replay.discard, replay.Selection(states=replay.STATES))) == 2
    assert sorted(rows.column("SELECT state FROM raw.webhook_event")) == ["discarded", "discarded", "processed"]
    with sync_connect(database.dsn("worker")) as conn:
        assert balance(conn, LATER + timedelta(hours=1))[1] == []


@pytest.mark.parametrize(
    "given",
    [
        {"states": ("lost",)},
        {"provider": "nope"},
        {"limit": 0},
        {"limit": 10_001},
        {"since": LATER.replace(tzinfo=None)},
    ],
)
def test_a_selection_that_cannot_be_names_its_field(given: dict[str, Any]) -> None:
    with pytest.raises(replay.ReplayError, match=next(iter(given)).removesuffix("s")):
        replay.Selection(**given)


async def test_a_reply_found_by_a_replay_goes_to_a_person(database, monkeypatch):
    async with make_scene(database) as scene:
        await quarantined_reply(scene, monkeypatch)
        await do(database, replay.replay, replay.Selection())
        await drain(database, now=scene.now)
        await scene.replies()
        assert scene.draft["reason"] == "delivery_replayed"
        await scene.sends()
        assert scene.vendors.answers_sent == []


async def quarantined_reply(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(*_args: Any, **_options: Any) -> None:
        raise ShapeError("$.data.reply", "object", "array")

    with monkeypatch.context() as patch:
        patch.setitem(intake_read.PARSERS, "emailbison", unreadable)
        await scene.reply_comes()


# ── the control room ─────────────────────────────────────────────────────────


@pytest.fixture
def instance(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    monkeypatch.setenv("ZRG_DB_WORKER_URL", database.dsn("worker"))
    current_settings.cache_clear()
    with dg.instance_for_test() as made:
        yield made


def look(instance: dg.DagsterInstance, cursor: str | None = None, **later: float) -> Any:
    now = LATER + timedelta(minutes=30) + timedelta(**later)
    context = dg.build_sensor_context(instance=instance, cursor=cursor)
    resources = {"database": DatabaseResource(role="worker"), "clock": Stopped(at=now.isoformat())}
    return deliveries_observed(context, **resources)


def test_the_numbers_are_reported_on_change_and_a_missing_row_turns_the_balance_red(
    database, rows, workspace, instance, monkeypatch
):
    asyncio.run(quarantined(database, workspace, monkeypatch))
    first = look(instance)
    observation, check, silence = first.asset_events
    numbers = {name: value.value for name, value in observation.metadata.items()}
    assert (numbers["received"], numbers["quarantined"], numbers["pending"]) == (2, 2, 0)
    assert "$.data.reply" in numbers["trouble"]
    assert (check.passed, silence.passed) == (True, True)
    assert isinstance(look(instance, first.cursor, minutes=1), dg.SkipReason)

    with psycopg.connect(database.dsn("bootstrap")) as conn:  # nobody else may delete a delivery
        conn.execute("DELETE FROM raw.webhook_event WHERE id = (SELECT min(id::text)::uuid FROM raw.webhook_event)")
    second = look(instance, first.cursor, hours=1)
    _, check, _ = second.asset_events
    assert not check.passed
    assert check.metadata["missing"].value == 1
    assert f"| emailbison | {world.KEY} | 2 | 1 |" in check.metadata["differences"].value


def launch(database: Database, instance: dg.DagsterInstance, **config: Any) -> dict[str, Any]:
    result = webhook_replay.execute_in_process(
        resources={"database": DatabaseResource(role="worker"), "clock": Stopped(at=LATER.isoformat())},
        instance=instance,
        run_config={"ops": {"replay_deliveries": {"config": config}}},
        raise_on_error=False,
    )
    if not result.success:
        return {"failed": True}
    [output] = [event for event in result.all_events if event.event_type_value == "STEP_OUTPUT"]
    return {name: value.value for name, value in output.step_output_data.metadata.items()}


def test_the_job_tries_first_and_replays_when_told(database, rows, workspace, instance, monkeypatch):
    asyncio.run(quarantined(database, workspace, monkeypatch))
    tried = launch(database, instance, provider="emailbison")
    assert (tried["tried"], tried["replayed"]) == (2, 0)
    assert "| quarantined shape_mismatch | processed |" in tried["deliveries"]
    last = str(rows.value("SELECT max(id::text) FROM raw.webhook_event"))
    assert launch(database, instance, first_id=last, dry_run=False)["replayed"] == 1
    assert sorted(rows.column("SELECT state FROM raw.webhook_event")) == ["pending", "quarantined"]
    assert launch(database, instance, since="yesterday") == {"failed": True}


def test_the_commands(database, rows, workspace, monkeypatch):
    asyncio.run(quarantined(database, workspace, monkeypatch))
    engine_dsn = database.dsn("worker")

    def with_database(work: Any) -> Any:
        async def main() -> Any:
            engine = make_engine(engine_dsn)
            try:
                return await work(None, engine)
            finally:
                await engine.dispose()

        return asyncio.run(main())

    monkeypatch.setattr(command, "with_database", with_database)
    monkeypatch.setattr(command, "keys_of", lambda _stack: Keys(Sealer(new_key()), Sealer(new_key())))
    run = CliRunner().invoke

    listed = run(command.app, ["list"]).output
    assert listed.count("quarantined shape_mismatch") == 2
    first = listed.split()[0]
    shown = json.loads(run(command.app, ["show", first, "--body"]).output)
    assert shown["state"] == "quarantined"
    assert "Sounds good" in shown["body"]
    assert "quarantined (shape_mismatch) -> processed" in run(command.app, ["replay"]).output
    assert run(command.app, ["replay", first, "--yes"]).output == "1 deliveries wait for the inbound drain\n"
    assert run(command.app, ["discard"]).output == "1 deliveries would be given up; add --yes to do it\n"
    assert run(command.app, ["discard", "--yes"]).output == "1 deliveries discarded\n"
    assert sorted(rows.column("SELECT state FROM raw.webhook_event")) == ["discarded", "pending"]
