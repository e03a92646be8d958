"""Facts and the flags that rebuild them, on a real Postgres, as the roles that build them."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from psycopg.errors import InsufficientPrivilege

from tests.integration.analytics_support import DAY, HOUR, NOW, World, build
from zrg_dagster.core.analytics import facts, flags
from zrg_dagster.core.analytics import workflow_attribution as mart
from zrg_dagster.core.analytics.booking import BOOKING
from zrg_dagster.core.analytics.step_execution import STEP_EXECUTION
from zrg_dagster.core.db.dirty import mark_dirty
from zrg_dagster.core.db.engine import make_engine, sync_connect

TODAY = NOW.date()


@pytest.fixture
def world(database, monkeypatch, tmp_path) -> Iterator[World]:
    made = World(database, monkeypatch, tmp_path)
    yield made
    made.close()


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


class TestBooking:
    def test_one_row_per_appointment_with_a_lead_on_its_day(self, world: World) -> None:
        lead = world.add_lead()
        start = midnight(TODAY)
        inside = [world.add_appointment(lead, at) for at in (start, start + DAY - timedelta(microseconds=1))]
        world.add_appointment(lead, start - timedelta(microseconds=1))
        world.add_appointment(lead, start + DAY)
        world.add_appointment(None, start)
        built = build(world, BOOKING)
        assert (built.rows, built.inserted, built.restated, built.workspaces) == ({TODAY: 2}, 2, {}, 1)
        assert built.source_max_ts == start + DAY - timedelta(microseconds=1)
        rows = world.rows("SELECT * FROM facts.booking")
        assert {row["provider_appointment_id"] for row in rows} == set(inside)
        assert {row["utc_day"] for row in rows} == {TODAY}

    def test_building_again_changes_nothing(self, world: World) -> None:
        world.add_appointment(world.add_lead(), NOW)
        build(world, BOOKING)
        before = world.rows("SELECT *, xmin FROM facts.booking")
        again = build(world, BOOKING)
        assert (again.inserted, again.restated) == (0, {})
        assert world.rows("SELECT *, xmin FROM facts.booking") == before

    def test_a_change_later_restates_status_and_start_but_not_when_it_was_booked(self, world: World) -> None:
        name = world.add_appointment(world.add_lead(), NOW)
        build(world, BOOKING)
        world.worker.execute(
            "UPDATE app.appointment SET booked_at = %s, status = 'canceled', canceled_at = %s, start_at = NULL, "
            "email_campaign_id = NULL, assigned_to_user_id = NULL, calendar_key = 'other'",
            [NOW + 2 * DAY, NOW + HOUR],
        )
        assert build(world, BOOKING, TODAY, TODAY + 2 * DAY).restated == {TODAY: 1}
        (row,) = world.rows("SELECT * FROM facts.booking")
        assert (row["booked_at"], row["utc_day"], row["provider_appointment_id"]) == (NOW, TODAY, name)
        assert (row["final_status"], row["cancelled_at"], row["start_at"]) == ("canceled", NOW + HOUR, None)
        assert row["calendar_key"] is None

    def test_an_older_delivery_that_arrives_late_moves_it_to_the_earlier_day(self, world: World) -> None:
        world.add_appointment(world.add_lead(), NOW)
        build(world, BOOKING)
        world.worker.execute("UPDATE app.appointment SET booked_at = %s", [NOW - 3 * DAY])
        build(world, BOOKING, TODAY - 3 * DAY)
        (row,) = world.rows("SELECT booked_at, utc_day FROM facts.booking")
        assert row == {"booked_at": NOW - 3 * DAY, "utc_day": TODAY - 3 * DAY}

    def test_a_booking_that_lost_its_lead_or_its_row_leaves_the_fact(self, world: World) -> None:
        world.add_appointment(world.add_lead(), NOW, "no lead")
        world.add_appointment(world.add_lead(), NOW, "no row")
        world.add_appointment(world.add_lead(), NOW, "stays")
        build(world, BOOKING)
        world.worker.execute("UPDATE app.appointment SET lead_id = NULL WHERE external_id = 'no lead'")
        world.worker.execute("DELETE FROM app.appointment WHERE external_id = 'no row'")
        assert build(world, BOOKING).restated == {TODAY: 2}
        assert [row["provider_appointment_id"] for row in world.rows("SELECT * FROM facts.booking")] == ["stays"]

    def test_a_merged_lead_takes_its_bookings_along(self, world: World) -> None:
        world.add_appointment(world.add_lead(), NOW)
        build(world, BOOKING)
        winner = world.add_lead()
        world.worker.execute("UPDATE app.appointment SET lead_id = %s", [winner])
        build(world, BOOKING)
        assert [row["lead_id"] for row in world.rows("SELECT lead_id FROM facts.booking")] == [winner]


class TestStepExecution:
    def test_every_outcome_but_planned_by_execution_time(self, world: World) -> None:
        lead = world.add_lead()
        instance = world.add_instance(lead)
        for outcome in ("sent", "task_created", "skipped", "failed"):
            world.add_step(lead, instance, NOW, outcome)
        world.add_step(lead, instance, None, "planned")
        world.add_step(lead, instance, midnight(TODAY) + DAY)
        assert build(world, STEP_EXECUTION).rows == {TODAY: 4}
        rows = world.rows("SELECT * FROM facts.step_execution")
        assert {row["outcome"] for row in rows} == {"sent", "task_created", "skipped", "failed"}
        assert {(row["sequence_id"], row["instance_started_at"]) for row in rows} == {(world.sequence, NOW - 40 * DAY)}

    def test_a_step_that_moves_to_another_day_stands_in_one(self, world: World) -> None:
        lead = world.add_lead()
        world.add_step(lead, world.add_instance(lead), NOW)
        build(world, STEP_EXECUTION)
        world.worker.execute("UPDATE app.follow_up_step_execution SET executed_at = %s", [NOW - 2 * DAY])
        build(world, STEP_EXECUTION, TODAY - 2 * DAY)
        build(world, STEP_EXECUTION)
        assert world.rows("SELECT utc_day FROM facts.step_execution") == [{"utc_day": TODAY - 2 * DAY}]


class TestFlags:
    async def test_a_writer_marks_each_day_once_with_a_new_version(self, world: World, database) -> None:
        engine = make_engine(database.dsn("worker"))
        days = [(TODAY, world.workspace), (TODAY - DAY, world.workspace), (TODAY, world.workspace)]
        async with engine.begin() as conn:
            await mark_dirty(conn, "booking", days)
        first = world.flags()
        async with engine.begin() as conn:
            await mark_dirty(conn, "booking", days[:1])
        await engine.dispose()
        assert [(fact, day) for fact, day, _ in first] == [("booking", TODAY - DAY), ("booking", TODAY)]
        assert [version for _, day, version in world.flags() if day == TODAY] > [first[-1][2]]

    def test_a_build_clears_the_flags_it_read_and_no_others(self, world: World) -> None:
        world.mark("booking", TODAY)
        other_day = world.mark("booking", TODAY - DAY)
        other_fact = world.mark("step_execution", TODAY)
        assert build(world, BOOKING).flags_cleared == 1
        assert [version for _, _, version in world.flags()] == [other_day, other_fact]

    def test_what_changes_during_a_build_keeps_its_flag(self, world: World) -> None:
        world.mark("booking", TODAY)
        with world.build.transaction():
            seen = flags.read(world.build, "booking", TODAY, TODAY)
            newer = world.mark("booking", TODAY)
            assert flags.clear(world.build, seen) == 0
        assert [version for _, _, version in world.flags()] == [newer]

    def test_a_flag_being_renewed_neither_blocks_the_build_nor_is_lost(self, world: World, database) -> None:
        world.mark("booking", TODAY)
        with sync_connect(database.dsn("worker")) as writer:
            writer.execute("UPDATE ops.fact_dirty SET version = nextval('ops.fact_dirty_version')")
            assert build(world, BOOKING).flags_cleared == 0
        assert len(world.flags()) == 1

    def test_a_failed_build_keeps_flags_and_rows(self, world: World) -> None:
        world.add_appointment(world.add_lead(), NOW)
        world.mark("booking", TODAY)

        def interrupted() -> None:
            with world.build.transaction():
                facts.build(world.build, BOOKING, TODAY, TODAY, TODAY)
                raise ConnectionError

        with pytest.raises(ConnectionError):
            interrupted()
        assert len(world.flags()) == 1
        assert world.rows("SELECT FROM facts.booking") == []

    def test_marts_are_flagged_only_when_their_credits_depend_on_the_change(self, world: World) -> None:
        lead, prospect = world.add_lead(), world.add_lead()
        instance, other = world.add_instance(lead), world.add_instance(prospect)
        world.add_appointment(lead, NOW)
        build(world, BOOKING)
        (flag,) = world.flags()
        assert flag[0] == "workflow_attribution"
        world.worker.execute("DELETE FROM ops.fact_dirty")
        world.add_step(prospect, other, NOW - 2 * HOUR)
        world.add_step(lead, instance, NOW + HOUR)
        days = ((NOW - 2 * HOUR).date(), (NOW + HOUR).date())
        build(world, STEP_EXECUTION, *days)
        assert world.flags() == []
        world.add_step(lead, instance, NOW - 2 * HOUR)
        build(world, STEP_EXECUTION, *days)
        assert [flag[0] for flag in world.flags()] == ["workflow_attribution"]
        world.worker.execute("DELETE FROM ops.fact_dirty")
        build(world, STEP_EXECUTION, *days)
        assert world.flags() == []


@pytest.mark.parametrize("fact", [BOOKING, STEP_EXECUTION], ids=lambda fact: fact.name)
def test_the_documented_columns_are_the_tables(world: World, fact: facts.Fact) -> None:
    rows = world.rows(
        "SELECT attname AS name, format_type(atttypid, NULL) AS type FROM pg_attribute "
        "WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        fact.table,
    )
    short = {"timestamp with time zone": "timestamptz"}
    assert [(column.name, column.type) for column in fact.columns] == [
        (row["name"], short.get(row["type"], row["type"])) for row in rows
    ]


def test_the_marts_rows_have_the_documented_columns(world: World) -> None:
    with world.build.transaction():
        mart.build(world.build, world.workspace, NOW)
    assert list(mart.rows(world.build, world.workspace)[0]) == [column.name for column in mart.COLUMNS]


def test_analysts_read_facts_and_marts_and_write_nothing(world: World, database) -> None:
    world.add_appointment(world.add_lead(), NOW)
    build(world, BOOKING)
    with sync_connect(database.dsn("analyst")) as conn:
        assert len(conn.execute("SELECT * FROM facts.booking").fetchall()) == 1
        conn.rollback()
        conn.execute("SET TRANSACTION READ WRITE")
        with pytest.raises(InsufficientPrivilege):
            conn.execute("DELETE FROM facts.booking")
