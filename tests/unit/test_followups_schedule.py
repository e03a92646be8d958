"""Follow-up arithmetic: FU-21 to FU-26, as examples from the specification and as properties."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zrg_dagster.core.followups.schedule import (
    Step,
    current_step,
    delta,
    display_order,
    due_after,
    first_due,
    next_step,
    offset,
)

START = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)


def step(order: int, day: int = 1, minute: int = 0, channel: str = "email") -> Step:
    return Step(UUID(int=order), order, day, minute, channel, None, "Hi")


@st.composite
def sequences(draw: st.DrawFn) -> list[Step]:
    orders = draw(st.lists(st.integers(1, 60), unique=True, max_size=8))
    return [
        step(
            order,
            draw(st.integers(-5, 400)),
            draw(st.integers(0, 5000)),
            draw(st.sampled_from(["email", "sms", "linkedin"])),
        )
        for order in orders
    ]


@pytest.mark.parametrize(
    ("day", "minute", "expected"),
    [
        (1, 0, timedelta(0)),
        (0, 0, timedelta(0)),
        (-3, 15, timedelta(minutes=15)),
        (2, 0, timedelta(hours=24)),
        (5, 30, timedelta(hours=96, minutes=30)),
    ],
)
def test_offset_counts_day_one_as_the_start(day: int, minute: int, expected: timedelta) -> None:
    assert offset(step(1, day, minute)) == expected


def test_delta_out_of_order_is_zero() -> None:
    assert delta(step(1, 5), step(2, 2)) == timedelta(0)
    assert delta(step(1, 2), step(2, 5)) == timedelta(days=3)


def test_due_times_count_from_the_execution_so_delays_add_up() -> None:
    steps = [step(1, 1, 2), step(2, 2), step(5, 5)]
    assert first_due(START, steps) == START + timedelta(minutes=2)
    late = START + timedelta(hours=7)
    assert due_after(late, steps, 1) == late + timedelta(hours=23, minutes=58)
    assert due_after(late, steps, 2) == late + timedelta(days=3)
    assert due_after(late, steps, 5) is None


def test_a_deleted_current_step_counts_as_the_last_one_before_it() -> None:
    steps = [step(1, 2), step(4, 6)]
    assert due_after(START, steps, 3) == START + timedelta(days=4)
    assert current_step(steps, 0) is None


def test_spacing_is_elapsed_time_across_a_clock_change() -> None:
    """T-6: 24 hours a day, so the local hour shifts over the change of 2026-03-08 in New York."""
    before = datetime(2026, 3, 7, 15, 0, tzinfo=UTC)
    due = due_after(before, [step(1), step(2, 2)], 1)
    assert due == datetime(2026, 3, 8, 15, 0, tzinfo=UTC)


def test_display_order_is_day_minute_channel() -> None:
    steps = [step(1, 2, 0, "linkedin"), step(2, 2, 0, "sms"), step(3, 0, 5), step(4, 2, 0, "email")]
    assert [each.order for each in display_order(steps)] == [3, 4, 2, 1]


@given(sequences(), st.integers(-2, 70))
def test_next_step_is_the_smallest_order_above(steps: list[Step], current: int) -> None:
    found = next_step(steps, current)
    above = sorted(each.order for each in steps if each.order > current)
    assert (found.order if found else None) == (above[0] if above else None)


@given(sequences(), st.integers(0, 70))
def test_a_due_time_is_never_before_the_instant_it_counts_from(steps: list[Step], current: int) -> None:
    due = due_after(START, steps, current)
    assert (due is None) == (next_step(steps, current) is None)
    assert due is None or due >= START


@given(sequences(), st.timedeltas(timedelta(0), timedelta(days=400)))
def test_a_later_execution_moves_the_next_due_time_by_exactly_as_much(steps: list[Step], late: timedelta) -> None:
    due, later = first_due(START, steps), first_due(START + late, steps)
    assert (due is None) == (later is None)
    assert due is None or later == due + late


@given(sequences())
def test_walking_a_sequence_visits_every_step_once_and_takes_at_least_its_longest_offset(steps: list[Step]) -> None:
    visited, at, current = [], START, 0
    while (due := due_after(at, steps, current)) is not None:
        following = next_step(steps, current)
        assert following is not None
        visited.append(following.order)
        at, current = due, following.order
    assert visited == sorted(each.order for each in steps)
    assert at - START >= max((offset(each) for each in steps), default=timedelta(0))
