"""Who may be followed up, by which sequence, and in which order the checks are asked."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from zrg_dagster.core.followups.rules import (
    FollowUpSequence,
    LeadFacts,
    RouteCode,
    StartCode,
    check_booking,
    check_setter_reply,
    route,
    touch_refusal,
)

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
SETTER = UUID(int=9)
LEAD = LeadFacts(
    id=UUID(int=1),
    workspace_id=UUID(int=2),
    status="new",
    sentiment_tag="Interested",
    auto_follow_up_enabled=True,
    booked=False,
    workspace_active=True,
    paused_until=None,
)
# Everything wrong at once; the checks must name them one after the other as each is mended.
BROKEN = replace(
    LEAD, status="blacklisted", sentiment_tag="Not Interested", booked=True, paused_until=NOW + timedelta(days=1)
)


def setter_reply(lead: LeadFacts | None, *, by: UUID | None = SETTER, earlier: bool = False) -> StartCode | None:
    return check_setter_reply(lead, sent_by_user_id=by, earlier_setter_email=earlier, now=NOW)


def test_setter_reply_checks_come_in_the_specified_order() -> None:
    assert setter_reply(BROKEN, by=None, earlier=True) == StartCode.NOT_MANUAL_SENDER
    assert setter_reply(None, earlier=True) == StartCode.LEAD_NOT_FOUND
    assert setter_reply(BROKEN, earlier=True) == StartCode.BLACKLISTED
    mended = replace(BROKEN, status="new")
    assert setter_reply(mended, earlier=True) == StartCode.NEGATIVE_SENTIMENT
    mended = replace(mended, sentiment_tag="Interested")
    assert setter_reply(mended, earlier=True) == StartCode.WORKSPACE_PAUSED
    mended = replace(mended, paused_until=None)
    assert setter_reply(mended, earlier=True) == StartCode.ALREADY_BOOKED
    mended = replace(mended, booked=False)
    assert setter_reply(mended, earlier=True) == StartCode.NOT_FIRST_SETTER_REPLY
    assert setter_reply(mended) is None


@pytest.mark.parametrize("status", ["blacklisted", "unqualified", "not-interested"])
def test_a_closed_status_is_its_own_reason(status: str) -> None:
    assert setter_reply(replace(LEAD, status=status)) == status


def test_a_pause_that_ends_now_is_over() -> None:
    """T-7: "still paused" is exclusive."""
    assert setter_reply(replace(LEAD, paused_until=NOW)) is None
    assert setter_reply(replace(LEAD, paused_until=NOW + timedelta(seconds=1))) == StartCode.WORKSPACE_PAUSED


def test_a_workspace_that_is_switched_off_starts_nothing() -> None:
    assert setter_reply(replace(LEAD, workspace_active=False)) == StartCode.WORKSPACE_PAUSED


def test_booking_checks_come_in_order() -> None:
    assert check_booking(None, NOW) == StartCode.LEAD_NOT_FOUND
    lead = replace(BROKEN, booked=False, sentiment_tag="Blacklist", auto_follow_up_enabled=False)
    assert check_booking(lead, NOW) == StartCode.WORKSPACE_PAUSED
    lead = replace(lead, paused_until=None, status="unqualified")
    assert check_booking(lead, NOW) == StartCode.UNQUALIFIED
    lead = replace(lead, status="new")
    assert check_booking(lead, NOW) == StartCode.BLACKLISTED
    lead = replace(lead, sentiment_tag="Interested")
    assert check_booking(lead, NOW) == StartCode.NO_APPOINTMENT
    lead = replace(lead, booked=True)
    assert check_booking(lead, NOW) == StartCode.AUTO_FOLLOW_UP_DISABLED
    assert check_booking(replace(lead, auto_follow_up_enabled=True), NOW) is None


def test_touch_guards_come_in_order() -> None:
    lead = replace(BROKEN, auto_follow_up_enabled=False)
    assert touch_refusal(None, NOW) == StartCode.LEAD_NOT_FOUND
    assert touch_refusal(lead, NOW) == StartCode.WORKSPACE_PAUSED
    lead = replace(lead, paused_until=None)
    assert touch_refusal(lead, NOW) == StartCode.AUTO_FOLLOW_UP_DISABLED
    lead = replace(lead, auto_follow_up_enabled=True)
    assert touch_refusal(lead, NOW) == StartCode.BLACKLISTED
    lead = replace(lead, status="not-interested")
    assert touch_refusal(lead, NOW) == StartCode.ALREADY_BOOKED
    assert touch_refusal(replace(lead, booked=False), NOW) is None


def sequence(number: int, name: str, trigger: str, day: int) -> FollowUpSequence:
    return FollowUpSequence(UUID(int=number), name, trigger, NOW + timedelta(days=day))


def test_routing_takes_the_newest_with_the_trigger() -> None:
    old, new = sequence(1, "A", "setter_reply", 0), sequence(2, "B", "setter_reply", 1)
    assert route([new, old, sequence(3, "C", "manual", 9)], "setter_reply") == (new, RouteCode.GENERIC_FALLBACK)


def test_routing_falls_back_to_known_names_in_list_order() -> None:
    """FU-8: the first name wins over the second even when that one is newer; newest within one name."""
    second = sequence(1, "Meeting Requested Day 1/2/5/7", "manual", 9)
    first_old, first_new = sequence(2, "ZRG Workflow V1", "manual", 0), sequence(3, "ZRG Workflow V1", "no_response", 1)
    assert route([second, first_old, first_new], "setter_reply") == (first_new, RouteCode.NAME_FALLBACK)
    assert route([second], "setter_reply") == (second, RouteCode.NAME_FALLBACK)


def test_routing_without_a_match_finds_nothing() -> None:
    assert route([sequence(1, "Mine", "manual", 0)], "setter_reply") is None
    assert route([], "meeting_selected") is None
