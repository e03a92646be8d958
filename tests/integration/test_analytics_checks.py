"""The questions behind the asset checks, asked about rows that no builder would write."""

from collections.abc import Iterator

import pytest

from tests.integration.analytics_support import DAY, HOUR, NOW, World, build
from zrg_dagster.core.analytics import checks, facts
from zrg_dagster.core.analytics import workflow_attribution as mart
from zrg_dagster.core.analytics.booking import BOOKING
from zrg_dagster.core.analytics.step_execution import STEP_EXECUTION

TODAY = NOW.date()


@pytest.fixture
def world(database, monkeypatch, tmp_path) -> Iterator[World]:
    made = World(database, monkeypatch, tmp_path)
    yield made
    made.close()


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
