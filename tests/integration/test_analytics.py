"""Facts and marts on a real Postgres, as the roles that build them."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.errors import InsufficientPrivilege

from tests.integration.analytics_support import DAY, HOUR, NOW, World
from zrg_dagster.core.analytics import attribution, checks, facts, flags
from zrg_dagster.core.analytics import workflow_attribution as mart
from zrg_dagster.core.analytics.booking import BOOKING
from zrg_dagster.core.analytics.step_execution import STEP_EXECUTION
from zrg_dagster.core.analytics.windows import preset_windows
from zrg_dagster.core.db.dirty import mark_dirty
from zrg_dagster.core.db.engine import make_engine, sync_connect

TODAY = NOW.date()


@pytest.fixture
def world(database, monkeypatch, tmp_path) -> Iterator[World]:
    made = World(database, monkeypatch, tmp_path)
    yield made
    made.close()


def build(world: World, fact: facts.Fact, first: date | None = None, last: date | None = None) -> facts.Built:
    with world.build.transaction():
        return facts.build(world.build, fact, first or TODAY, last or first or TODAY, TODAY)


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


class TestAttribution:
    def attribute(self, world: World, as_of: datetime = NOW + HOUR) -> mart.Summary:
        with world.build.transaction():
            return mart.build(world.build, world.workspace, as_of)

    def test_the_story_of_a_booking(self, world: World) -> None:
        lead = world.add_lead()
        instance = world.add_instance(lead)
        first = world.add_step(lead, instance, NOW - 3 * HOUR)
        last = world.add_step(lead, instance, NOW - 90 * timedelta(seconds=1))
        world.add_step(lead, instance, NOW)
        world.add_appointment(lead, NOW)
        world.add_appointment(world.add_lead(), NOW, status="canceled", canceled_at=NOW)
        for fact in (BOOKING, STEP_EXECUTION):
            build(world, fact, TODAY - DAY, TODAY + DAY)
        assert self.attribute(world).credits == 7
        credits_ = world.rows("SELECT * FROM marts.booking_credit WHERE kind = 'workflow' ORDER BY model, credit_no")
        assert [(row["model"], row["step_id"], float(row["weight"]), row["minutes_from_step"]) for row in credits_] == [
            ("first_touch", first, 1, 180),
            ("last_touch", last, 1, 1),
            ("linear", first, 0.5, 180),
            ("linear", last, 0.5, 1),
        ]
        rows = mart.rows(world.build, world.workspace)
        assert len(rows) == 18
        linear = [row for row in rows if row["model"] == "linear" and row["window_label"] == "7d"]
        assert [(row["sequence_name"], row["bookings"], row["kept"], row["total_bookings"], row["share_of_total"])
                for row in linear] == [("Initial outreach", 1, 0, 2, 0.5), ("Chaser", 1, 1, 2, 0.5)]  # fmt: skip
        assert [row["share_of_workflow"] for row in linear] == [None, 1]
        assert [question(world.build, world.workspace) for question in (
            checks.wrong_totals, checks.wrong_weights, checks.credits_out_of_order, checks.duplicate_summaries,
        )] == [0, 0, 0, 0]  # fmt: skip

    def test_building_again_restates_nothing_and_a_late_step_restates_its_booking(self, world: World) -> None:
        lead = world.add_lead()
        instance = world.add_instance(lead)
        world.add_appointment(lead, NOW)
        build(world, BOOKING)
        self.attribute(world)
        assert self.attribute(world).restated == 0
        world.add_step(lead, instance, NOW - 2 * DAY)
        build(world, STEP_EXECUTION, TODAY - 2 * DAY)
        assert self.attribute(world).restated == 3

    def test_an_empty_workspace_reads_zero_with_unknown_rates(self, world: World) -> None:
        self.attribute(world)
        rows = mart.rows(world.build, world.workspace)
        assert len(rows) == 9
        assert {(row["kind"], row["bookings"], row["share_of_total"]) for row in rows} == {("initial", 0, None)}

    def test_a_deleted_sequence_is_named_unknown(self, world: World) -> None:
        lead = world.add_lead()
        world.add_step(lead, world.add_instance(lead), NOW - 2 * HOUR)
        world.add_appointment(lead, NOW)
        build(world, BOOKING)
        build(world, STEP_EXECUTION, TODAY - DAY, TODAY)
        world.worker.execute("DELETE FROM app.follow_up_sequence")
        self.attribute(world)
        assert {row["sequence_name"] for row in mart.rows(world.build, world.workspace)} == {
            "Initial outreach",
            "Unknown",
        }

    def test_other_workspaces_are_neither_read_nor_touched(self, world: World) -> None:
        world.add_appointment(world.add_lead(), NOW)
        build(world, BOOKING)
        self.attribute(world)
        before = world.rows("SELECT * FROM marts.booking_credit")
        other = world.add_workspace("globex")
        with world.build.transaction():
            assert mart.build(world.build, other, NOW).credits == 0
        assert world.rows("SELECT * FROM marts.booking_credit") == before

    def test_a_mart_is_stale_when_a_booking_enters_or_leaves_a_window(self, world: World) -> None:
        world.add_appointment(world.add_lead(), NOW)
        assert mart.stale_workspaces(world.build, NOW) == []
        build(world, BOOKING)
        assert mart.stale_workspaces(world.build, NOW) == ["acme"]
        self.attribute(world, NOW + HOUR)
        assert mart.stale_workspaces(world.build, NOW + 6 * DAY) == []
        assert mart.stale_workspaces(world.build, NOW + 7 * DAY) == []
        assert mart.stale_workspaces(world.build, NOW + 7 * DAY + timedelta(seconds=1)) == ["acme"]
        self.attribute(world, NOW + 8 * DAY)
        assert mart.stale_workspaces(world.build, NOW + 29 * DAY) == []
        world.worker.execute("UPDATE app.workspace SET is_active = false")
        assert mart.stale_workspaces(world.build, NOW + 31 * DAY) == []


class TestChecks:
    """Rows that no builder would write, planted past the constraints."""

    FACT_QUESTIONS = (checks.duplicate_keys, checks.missing_values, checks.out_of_bounds)
    SPANS = ((None, None), facts.day_range(TODAY, TODAY), facts.day_range(TODAY - 9 * DAY, TODAY - 8 * DAY))

    def test_good_rows_pass(self, world: World) -> None:
        world.add_appointment(world.add_lead(), NOW)
        build(world, BOOKING)
        for span in self.SPANS:
            assert [question(world.build, BOOKING, *span) for question in self.FACT_QUESTIONS] == [0, 0, 0]
        assert [checks.balance(world.build, BOOKING, *span) for span in self.SPANS] == [(1, 1), (1, 1), (0, 0)]

    @pytest.mark.parametrize(
        ("statements", "answers"),
        [
            (["ALTER TABLE facts.booking DROP CONSTRAINT booking_pkey",
              "INSERT INTO facts.booking SELECT * FROM facts.booking"], [1, 0, 0]),
            (["ALTER TABLE facts.booking ALTER lead_id DROP NOT NULL", "UPDATE facts.booking SET lead_id = NULL"], [0, 1, 0]),
            (["UPDATE facts.booking SET utc_day = utc_day - 1"], [0, 0, 1]),
            (["UPDATE facts.booking SET booked_at = booked_at - interval '3 days'"], [0, 0, 1]),
        ],
        ids=["duplicate", "missing", "wrong day", "wrong time"],
    )  # fmt: skip
    def test_a_bad_row_is_counted_in_its_day_and_in_the_whole_table(self, world: World, statements, answers) -> None:
        world.add_appointment(world.add_lead(), NOW)
        build(world, BOOKING)
        for statement in statements:
            world.superuser(statement)
        whole, day, elsewhere = (
            [question(world.build, BOOKING, *span) for question in self.FACT_QUESTIONS] for span in self.SPANS
        )
        assert (whole, day, elsewhere) == (answers, answers, [0, 0, 0])

    def test_a_row_before_the_first_partition_is_out_of_bounds(self, world: World) -> None:
        world.add_appointment(world.add_lead(), NOW)
        build(world, BOOKING)
        world.superuser("UPDATE facts.booking SET booked_at = '2024-12-31 12:00Z', utc_day = '2024-12-31'")
        assert checks.out_of_bounds(world.build, BOOKING, None, None) == 1

    @pytest.mark.parametrize(
        ("rows", "source", "balanced"),
        [(0, 0, True), (1, 0, False), (999, 1000, True), (998, 1000, False), (1001, 1000, True)],
    )
    def test_the_balance_allows_a_thousandth(self, rows, source, balanced) -> None:
        assert checks.is_balanced(rows, source) == balanced

    MART_QUESTIONS = (
        checks.wrong_totals, checks.wrong_weights, checks.credits_out_of_order, checks.duplicate_summaries,
    )  # fmt: skip

    @pytest.mark.parametrize(
        ("statement", "failing"),
        [
            ("UPDATE marts.workflow_attribution SET bookings = bookings + 1 WHERE kind = 'workflow'", 0),
            ("UPDATE marts.workflow_attribution SET kept = 0", 0),
            ("UPDATE marts.workflow_attribution SET workflow_bookings = 0", 0),
            ("UPDATE marts.workflow_attribution SET total_kept = 0 WHERE kind = 'initial'", 0),
            ("DELETE FROM marts.workflow_attribution WHERE kind = 'initial'", 0),
            ("UPDATE marts.workflow_attribution SET share_of_total = NULL", 0),
            ("UPDATE marts.workflow_attribution SET share_of_workflow = 0.9 WHERE kind = 'workflow'", 0),
            ("UPDATE marts.booking_credit SET weight = weight - 0.00000001 WHERE credit_no = 1", 1),
            ("UPDATE marts.booking_credit SET booked_at = step_executed_at WHERE kind = 'workflow'", 2),
            ("UPDATE facts.step_execution SET outcome = 'skipped'", 2),
            ("DELETE FROM facts.step_execution", 2),
            ("ALTER TABLE marts.workflow_attribution "
             "DROP CONSTRAINT workflow_attribution_workspace_id_window_label_model_sequen_key; "
             "INSERT INTO marts.workflow_attribution SELECT * FROM marts.workflow_attribution "
             "WHERE kind = 'workflow' AND bookings = 0 OR kind = 'initial'", 3),
        ],
    )  # fmt: skip
    def test_what_does_not_add_up_is_counted_for_its_workspace(
        self, world: World, statement: str, failing: int
    ) -> None:
        lead = world.add_lead()
        world.add_step(lead, world.add_instance(lead), NOW - HOUR)
        world.add_appointment(lead, NOW)
        other = world.add_workspace("globex")
        for fact in (BOOKING, STEP_EXECUTION):
            build(world, fact, TODAY - DAY, TODAY)
        for workspace in (world.workspace, other):
            with world.build.transaction():
                mart.build(world.build, workspace, NOW + HOUR)
        world.superuser(statement.replace(" WHERE", f" WHERE workspace_id = '{world.workspace}' AND", 1))
        mine = [question(world.build, world.workspace) for question in self.MART_QUESTIONS]
        assert mine[failing] > 0
        if failing < 3:
            assert [index for index, bad in enumerate(mine) if bad] == [failing]
        assert [question(world.build, None) for question in self.MART_QUESTIONS][failing] >= mine[failing]


IDS = [UUID(int=number) for number in range(1, 4)]
LEADS = IDS[:2]
# Few values on a coarse grid: equal times, equal starts and repeated links are the interesting cases.
MOMENTS = st.integers(0, 12).map(lambda step: NOW - 8 * DAY + step * 16 * HOUR)
STEP_MOMENTS = st.sampled_from([NOW - 9 * DAY, NOW - 8 * DAY, NOW - 4 * DAY])
STARTS = st.sampled_from([NOW - 11 * DAY, NOW - 10 * DAY])
BOOKINGS = st.lists(
    st.builds(
        attribution.Booking,
        provider=st.sampled_from(["ghl", "calendly"]),
        appointment_id=st.sampled_from(["a", "B", "c", "é", "z-1"]),
        lead_id=st.sampled_from(LEADS),
        booked_at=MOMENTS,
        final_status=st.sampled_from(["confirmed", "canceled", "rescheduled"]),
        cancelled_at=st.none() | MOMENTS,
        superseded_by=st.none() | st.sampled_from(["a", "B", "c", "é", "z-1", "gone"]),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda booking: booking.key,
)
STEPS = st.lists(
    st.builds(
        attribution.Step,
        lead_id=st.sampled_from(LEADS),
        sequence_id=st.sampled_from(IDS),
        step_id=st.sampled_from(IDS),
        instance_id=st.sampled_from(IDS),
        attempt=st.integers(1, 2),
        # Mostly credited: two steps of one lead must tie often enough for every tie rule to be seen.
        outcome=st.sampled_from(["sent", "sent", "sent", "task_created", "skipped", "failed"]),
        executed_at=STEP_MOMENTS,
        instance_started_at=STARTS,
    ),
    min_size=3,
    max_size=12,
    unique_by=lambda step: (step.instance_id, step.step_id, step.attempt),
)


def plant(world: World, bookings: list[attribution.Booking], steps: list[attribution.Step]) -> None:
    world.build.execute("DELETE FROM facts.booking")
    world.build.execute("DELETE FROM facts.step_execution")
    with world.build.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO facts.booking (workspace_id, provider, provider_appointment_id, utc_day, lead_id, booked_at, "
            "booked_at_source, final_status, cancelled_at, superseded_by) "
            "VALUES (%s, %s, %s, %s, %s, %s, 'provider', %s, %s, %s)",
            [(world.workspace, each.provider, each.appointment_id, each.booked_at.date(), each.lead_id, each.booked_at,
              each.final_status, each.cancelled_at, each.superseded_by) for each in bookings],
        )  # fmt: skip
        cursor.executemany(
            "INSERT INTO facts.step_execution (workspace_id, instance_id, step_id, attempt, utc_day, sequence_id, "
            "lead_id, channel, outcome, executed_at, instance_started_at) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s, 'email', %s, %s, %s)",
            [(world.workspace, each.instance_id, each.step_id, each.attempt, each.executed_at.date(), each.sequence_id,
              each.lead_id, each.outcome, each.executed_at, each.instance_started_at) for each in steps],
        )  # fmt: skip


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bookings=BOOKINGS | st.just([]), steps=STEPS | st.just([]))
def test_the_tables_say_what_the_rule_says(world: World, bookings, steps) -> None:
    with world.build.transaction(force_rollback=True):
        plant(world, bookings, steps)
        mart.build(world.build, world.workspace, NOW)
        stored = world.build.execute("SELECT * FROM marts.booking_credit").fetchall()
        totals = world.build.execute("SELECT * FROM marts.workflow_attribution").fetchall()
        problems = [question(world.build, world.workspace) for question in (
            checks.wrong_totals, checks.wrong_weights, checks.credits_out_of_order, checks.duplicate_summaries,
        )]  # fmt: skip
    booked = attribution.episodes(bookings)
    kept = {(each.provider, each.appointment_id): each.is_kept for each in booked}
    expected = {
        (each.provider, each.appointment_id, each.model, each.credit_no): (
            each.kind, each.sequence_id, each.step_id, each.weight, each.minutes_from_step,
            kept[each.provider, each.appointment_id],
        )
        for episode in booked for each in attribution.credit(episode, steps)
    }  # fmt: skip
    assert {
        (row["provider"], row["provider_appointment_id"], row["model"], row["credit_no"]): (
            row["kind"], row["sequence_id"], row["step_id"], row["weight"], row["minutes_from_step"], row["is_kept"],
        )
        for row in stored
    } == expected  # fmt: skip
    assert {
        (row["window_label"], row["model"], row["sequence_id"]): (row["bookings"], row["kept"]) for row in totals
    } == {
        (window.label, model, sequence): (total.bookings, total.kept)
        for window in preset_windows(NOW)
        for (model, sequence), total in attribution.summarise(booked, steps, window).items()
    }
    assert problems == [0, 0, 0, 0]


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
