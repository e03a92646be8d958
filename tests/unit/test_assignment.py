"""Whose turn it is: pure rules (AS-A1 to AS-A4)."""

from dataclasses import replace
from uuid import UUID

import pytest

from zrg_dagster.core.leads.assignment import (
    AssignmentCode,
    Rotation,
    effective_sequence,
    next_index,
    refusal,
    turn,
)

ANN, BEN, CAT = (UUID(int=number) for number in (1, 2, 3))
ON = Rotation(is_enabled=True, email_only=False, sequence=(), setters=(ANN, BEN))


def asked(rotation: Rotation, *, is_positive: bool = True, is_assigned: bool = False, channel: str | None = "email"):
    return refusal(rotation, is_positive=is_positive, is_assigned=is_assigned, channel=channel)


def test_a_lead_is_given_only_when_everything_allows_it():
    assert asked(ON) is None
    assert asked(replace(ON, is_enabled=False)) == AssignmentCode.OFF
    assert asked(ON, is_positive=False) == AssignmentCode.NOT_POSITIVE
    assert asked(ON, is_assigned=True) == AssignmentCode.ALREADY
    assert asked(replace(ON, setters=())) == AssignmentCode.NOBODY


@pytest.mark.parametrize("channel, refused", [("email", False), ("sms", True), ("linkedin", True), (None, True)])
def test_email_only_refuses_other_channels_and_an_unknown_one(channel, refused):
    assert (asked(replace(ON, email_only=True), channel=channel) == AssignmentCode.CHANNEL) is refused


def test_the_order_keeps_its_weights_and_loses_who_left():
    weighted = replace(ON, sequence=(BEN, CAT, BEN, ANN))
    assert effective_sequence(weighted) == (BEN, BEN, ANN)
    assert effective_sequence(ON) == (ANN, BEN)


def test_an_order_of_people_who_left_is_not_replaced_by_everybody():
    gone = replace(ON, sequence=(CAT,))
    assert effective_sequence(gone) == ()
    assert asked(gone) == AssignmentCode.NOBODY_OF_SEQUENCE


@pytest.mark.parametrize(
    "last, length, wanted", [(None, 3, 0), (-1, 3, 0), (-5, 3, 0), (0, 3, 1), (2, 3, 0), (7, 3, 2)]
)
def test_turns_go_round_and_nonsense_begins_anew(last, length, wanted):
    assert next_index(last, length) == wanted


@pytest.mark.parametrize("length", [0, -1])
def test_nobody_has_no_turn(length):
    assert next_index(1, length) is None


def test_another_order_begins_at_its_first():
    assert turn((ANN, BEN), (ANN, BEN), 0) == 1
    assert turn((BEN, ANN), (ANN, BEN), 0) == 0
    assert turn((ANN, BEN, CAT), (ANN, BEN), 0) == 0
