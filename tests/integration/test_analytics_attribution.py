"""marts/workflow_attribution: a booking's story, and the SQL held against the rule in plain Python."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.analytics_support import DAY, HOUR, NOW, World, build
from zrg_dagster.core.analytics import attribution, checks
from zrg_dagster.core.analytics import workflow_attribution as mart
from zrg_dagster.core.analytics.booking import BOOKING
from zrg_dagster.core.analytics.step_execution import STEP_EXECUTION
from zrg_dagster.core.analytics.windows import preset_windows

TODAY = NOW.date()


@pytest.fixture
def world(database, monkeypatch, tmp_path) -> Iterator[World]:
    made = World(database, monkeypatch, tmp_path)
    yield made
    made.close()


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
