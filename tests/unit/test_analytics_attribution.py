"""The attribution rule, case by case."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zrg_dagster.core.analytics.attribution import (
    Booking,
    Kind,
    Model,
    Step,
    Total,
    credit,
    episodes,
    is_kept,
    linear_weights,
    summarise,
)
from zrg_dagster.core.analytics.windows import Window

T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)
LEAD, OTHER_LEAD = UUID(int=1), UUID(int=2)


def step(minute: float, sequence: int = 10, number: int = 100, **changes) -> Step:
    values = {
        "lead_id": LEAD, "sequence_id": UUID(int=sequence), "step_id": UUID(int=number), "instance_id": UUID(int=1000),
        "attempt": 1, "outcome": "sent", "executed_at": T0 + timedelta(minutes=minute),
        "instance_started_at": T0 - timedelta(days=1),
    }  # fmt: skip
    return Step(**{**values, **changes})


def booked(minute: float = 60, **changes) -> Booking:
    return Booking(**{"provider": "calendly", "appointment_id": "a", "lead_id": LEAD,
                      "booked_at": T0 + timedelta(minutes=minute), **changes})  # fmt: skip


def credited(steps, model, booking=None):
    (episode,) = episodes([booking or booked()])
    return [(each.step_id and each.step_id.int, each.weight) for each in credit(episode, steps) if each.model == model]


def test_first_last_and_linear_share_the_credit_differently():
    steps = [step(10, number=1), step(20, number=2), step(30, number=3)]
    assert credited(steps, Model.FIRST_TOUCH) == [(1, 1)]
    assert credited(steps, Model.LAST_TOUCH) == [(3, 1)]
    assert credited(steps, Model.LINEAR) == [
        (1, Decimal("0.33333334")), (2, Decimal("0.33333333")), (3, Decimal("0.33333333")),
    ]  # fmt: skip


def test_a_step_at_the_booking_or_after_it_earns_nothing_and_hides_nothing():
    assert credited([step(60), step(61)], Model.FIRST_TOUCH) == [(None, 1)]
    assert credited([step(59.99, number=1), step(60, number=2), step(90, number=3)], Model.LAST_TOUCH) == [(1, 1)]


@pytest.mark.parametrize("outcome", ["skipped", "failed", "planned"])
def test_a_step_that_did_not_reach_the_lead_earns_nothing(outcome):
    assert credited([step(10, outcome=outcome)], Model.LINEAR) == [(None, 1)]
    assert credited([step(10, outcome="task_created", number=7)], Model.LINEAR) == [(7, 1)]


def test_another_leads_step_earns_nothing():
    assert credited([step(10, lead_id=OTHER_LEAD)], Model.FIRST_TOUCH) == [(None, 1)]


@pytest.mark.parametrize("model", [Model.FIRST_TOUCH, Model.LAST_TOUCH])
def test_equal_times_go_to_the_earlier_start_then_the_smaller_sequence(model):
    early = step(10, sequence=20, number=1, instance_started_at=T0 - timedelta(days=2))
    small = step(10, sequence=5, number=2)
    large = step(10, sequence=30, number=3)
    assert credited([large, small, early], model) == [(1, 1)]
    assert credited([large, small], model) == [(2, 1)]


def test_minutes_are_whole_and_rounded_down():
    (episode,) = episodes([booked(60)])
    first = credit(episode, [step(0.5)])[0]
    assert (first.kind, first.minutes_from_step) == (Kind.WORKFLOW, 59)
    assert credit(episode, [])[0].minutes_from_step is None


@given(st.integers(1, 3000))
def test_weights_add_up_to_exactly_one_and_differ_by_a_unit_at_most(count):
    weights = linear_weights(count)
    assert sum(weights) == 1
    assert min(weights) > 0
    assert max(weights) - min(weights) <= Decimal("0.00000001")
    assert weights == sorted(weights, reverse=True)


def test_kept_is_safe_for_bookings_without_status():
    assert is_kept(None, None)
    assert is_kept("showed", None)
    assert not is_kept("canceled", None)
    assert not is_kept(None, T0)


def test_a_reschedule_is_one_booking_that_is_kept_when_its_last_appointment_is():
    old = booked(60, appointment_id="a", final_status="rescheduled", superseded_by="b")
    new = booked(90, appointment_id="b")
    (episode,) = episodes([new, old])
    assert (episode.appointment_id, episode.booked_at, episode.is_kept) == ("a", old.booked_at, True)
    (episode,) = episodes([old, booked(90, appointment_id="b", final_status="canceled")])
    assert not episode.is_kept


def test_a_circle_of_reschedules_does_not_make_bookings_vanish():
    circle = [booked(60, appointment_id=a, superseded_by=b) for a, b in (("a", "b"), ("b", "c"), ("c", "a"))]
    assert [each.appointment_id for each in episodes(circle)] == ["a"]
    assert len(episodes([booked(60, superseded_by="a")])) == 1


def test_a_lead_counts_once_in_a_window_with_its_earliest_booking_there():
    found = episodes([
        booked(-100, appointment_id="before"),
        booked(60, appointment_id="first", final_status="canceled"),
        booked(70, appointment_id="second"),
        booked(80, appointment_id="third", lead_id=OTHER_LEAD),
    ])  # fmt: skip
    totals = summarise(found, [step(10, sequence=10)], Window("w", T0, T0 + timedelta(minutes=81)))
    for model in Model:
        assert totals[model, UUID(int=10)] == Total(Decimal(1), Decimal(0))
        assert totals[model, None] == Total(Decimal(1), Decimal(1))


def test_an_empty_window_still_has_its_initial_row():
    totals = summarise([], [], Window("w", T0, T0))
    assert totals == {(model, None): Total(Decimal(0), Decimal(0)) for model in Model}
