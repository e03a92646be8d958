"""Labels with an explicit zone, the choice of two slots, and what a vendor's answer changes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zrg_dagster.core.booking.availability import (
    DOUBTED_EMPTY_ANSWERS,
    IDLE_EVERY,
    LIVE_EVERY,
    LONGEST_RETRY,
    LOOK_AHEAD,
    Calendar,
    RefreshCode,
    answered,
    failed,
)
from zrg_dagster.core.booking.slots import MINIMUM_NOTICE, choose_two, offer_labels, slot_label

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")
CALENDAR = Calendar(UUID(int=1), UUID(int=2), "ghl", "cal", 0, 0, has_slots=True, is_live=False, lease=NOW)


@pytest.mark.parametrize(
    ("zone", "at", "label"),
    [
        ("America/New_York", datetime(2026, 2, 12, 15, 0, tzinfo=UTC), "10:00 AM EST on Thu, Feb 12"),
        ("America/New_York", datetime(2026, 7, 1, 4, 30, tzinfo=UTC), "12:30 AM EDT on Wed, Jul 1"),
        ("America/Los_Angeles", datetime(2026, 7, 1, 19, 0, tzinfo=UTC), "12:00 PM PDT on Wed, Jul 1"),
        ("UTC", datetime(2026, 7, 1, 19, 5, tzinfo=UTC), "7:05 PM UTC on Wed, Jul 1"),
        ("Europe/London", datetime(2026, 1, 5, 9, 0, tzinfo=UTC), "9:00 AM GMT on Mon, Jan 5"),
        ("Europe/London", datetime(2026, 7, 6, 8, 0, tzinfo=UTC), "9:00 AM GMT+1 on Mon, Jul 6"),
        ("Asia/Kolkata", datetime(2026, 7, 6, 8, 0, tzinfo=UTC), "1:30 PM GMT+5:30 on Mon, Jul 6"),
        ("Asia/Shanghai", datetime(2026, 7, 6, 8, 0, tzinfo=UTC), "4:00 PM GMT+8 on Mon, Jul 6"),
        ("America/St_Johns", datetime(2026, 1, 5, 15, 0, tzinfo=UTC), "11:30 AM GMT-3:30 on Mon, Jan 5"),
    ],
)
def test_label(zone: str, at: datetime, label: str) -> None:
    """AV-25 to AV-27: letter codes only where they mean one thing."""
    assert slot_label(at, ZoneInfo(zone)) == label


def test_the_hour_that_happens_twice_reads_differently() -> None:
    first, second = datetime(2026, 11, 1, 5, 30, tzinfo=UTC), datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    assert slot_label(first, NEW_YORK) == "1:30 AM EDT on Sun, Nov 1"
    assert slot_label(second, NEW_YORK) == "1:30 AM EST on Sun, Nov 1"


def local(day: int, hour: int) -> datetime:
    return datetime(2026, 5, day, hour, 0, tzinfo=NEW_YORK).astimezone(UTC)


def test_two_options_are_a_morning_and_an_afternoon_on_another_day() -> None:
    slots = [local(5, 14), local(5, 15), local(6, 9), local(6, 16), local(7, 15)]
    assert choose_two(slots, NOW, NEW_YORK) == [local(6, 9), local(5, 14)]


def test_without_the_opposite_half_another_day_is_enough_and_then_anything() -> None:
    assert choose_two([local(5, 9), local(5, 10), local(6, 11)], NOW, NEW_YORK) == [local(5, 9), local(6, 11)]
    assert choose_two([local(5, 9), local(5, 10)], NOW, NEW_YORK) == [local(5, 9), local(5, 10)]
    assert choose_two([local(5, 9)], NOW, NEW_YORK) == [local(5, 9)]
    assert choose_two([], NOW, NEW_YORK) == []


def test_night_and_far_slots_are_taken_only_when_there_is_nothing_else() -> None:
    assert choose_two([local(5, 3), local(5, 10)], NOW, NEW_YORK) == [local(5, 10)]
    assert choose_two([local(5, 3)], NOW, NEW_YORK) == [local(5, 3)]
    assert choose_two([local(20, 10), local(6, 10)], NOW, NEW_YORK) == [local(6, 10)]
    assert choose_two([local(20, 10)], NOW, NEW_YORK) == [local(20, 10)]


@given(st.lists(st.integers(-500, 3000), max_size=40))
def test_offers_are_known_slots_far_enough_ahead_and_never_twice_the_same(halves: list[int]) -> None:
    slots = [NOW + timedelta(minutes=30 * half) for half in halves]
    chosen = choose_two(slots, NOW, NEW_YORK)
    assert set(chosen) <= set(slots)
    assert len(set(chosen)) == len(chosen) <= 2
    assert all(slot >= NOW + MINIMUM_NOTICE for slot in chosen)
    assert bool(chosen) == any(slot >= NOW + MINIMUM_NOTICE for slot in slots)
    assert len(offer_labels(slots, NOW, NEW_YORK)) == len(chosen)


def test_an_answer_is_sorted_deduplicated_and_bounded() -> None:
    hour = timedelta(hours=1)
    starts = [NOW + 2 * hour, NOW + hour, NOW + hour, NOW, NOW - hour, NOW + LOOK_AHEAD + hour]
    refreshed = answered(CALENDAR, starts, NOW)
    assert refreshed.slots == [NOW + hour, NOW + 2 * hour]
    assert (refreshed.code, refreshed.refresh_due_at, refreshed.error) == (RefreshCode.STORED, NOW + IDLE_EVERY, None)


def test_a_workspace_in_conversation_is_refreshed_more_often() -> None:
    assert answered(replace(CALENDAR, is_live=True), [], NOW).refresh_due_at <= NOW + LIVE_EVERY
    assert answered(replace(CALENDAR, is_live=True), [NOW + LIVE_EVERY], NOW).refresh_due_at == NOW + LIVE_EVERY


def test_an_empty_answer_is_doubted_three_times_before_it_empties_a_good_cache() -> None:
    """AV-12, E1."""
    calendar, at = CALENDAR, NOW
    for count in range(1, DOUBTED_EMPTY_ANSWERS + 1):
        refreshed = answered(calendar, [], at)
        assert (refreshed.code, refreshed.slots) == (RefreshCode.EMPTY_DOUBTED, None)
        assert refreshed.empty_answers == count
        calendar, at = replace(calendar, empty_answers=refreshed.empty_answers), refreshed.refresh_due_at
    assert at - NOW <= timedelta(minutes=15)
    last = answered(calendar, [], at)
    assert (last.code, last.slots) == (RefreshCode.EMPTY, [])
    assert answered(replace(CALENDAR, has_slots=False), [], NOW).code == RefreshCode.EMPTY


def test_failures_back_off_and_keep_the_slots() -> None:
    waits = [
        failed(replace(CALENDAR, failures=count), RefreshCode.FAILED, "x", NOW).refresh_due_at - NOW
        for count in range(12)
    ]
    assert waits[:4] == [timedelta(minutes=minutes) for minutes in (1, 2, 4, 8)]
    assert max(waits) == waits[-1] == LONGEST_RETRY
    kept = failed(CALENDAR, RefreshCode.FAILED, "x" * 9000, NOW)
    assert kept.slots is None
    assert len(kept.error or "") == 500
