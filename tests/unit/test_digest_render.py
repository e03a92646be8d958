"""When a digest is due, what time it covers, and how it reads."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zrg_dagster.core.notifications.digest import (
    MAX_LINES,
    Counts,
    Coverage,
    DigestCode,
    DigestWorkspace,
    digest_blocks,
    due_coverage,
    forced_coverage,
)

WORKSPACE = DigestWorkspace(
    id=UUID(int=1),
    name="Acme",
    timezone="America/New_York",
    local_time=time(8, 0),
    recipients=("C1",),
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
    last_day=None,
    covered_until=None,
)
EIGHT = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)  # 08:00 in New York


def covered(workspace: DigestWorkspace, now: datetime) -> Coverage:
    coverage = due_coverage(workspace, now)
    assert isinstance(coverage, Coverage)
    return coverage


def test_never_early_and_due_from_the_minute_on() -> None:
    done_yesterday = replace(WORKSPACE, last_day=date(2026, 5, 3), covered_until=EIGHT - timedelta(days=1))
    assert due_coverage(done_yesterday, EIGHT - timedelta(seconds=1)) == DigestCode.DONE
    coverage = covered(done_yesterday, EIGHT)
    assert coverage == Coverage(date(2026, 5, 4), EIGHT - timedelta(days=1), EIGHT)


def test_once_a_day() -> None:
    assert due_coverage(replace(WORKSPACE, last_day=date(2026, 5, 4), covered_until=EIGHT), EIGHT) == DigestCode.DONE


def test_a_late_scheduler_sends_late_also_across_midnight() -> None:
    evening = replace(WORKSPACE, local_time=time(23, 0), last_day=date(2026, 5, 2), covered_until=EIGHT)
    coverage = covered(evening, datetime(2026, 5, 4, 4, 30, tzinfo=UTC))  # 00:30 local, 23:00 was missed
    assert coverage.local_day == date(2026, 5, 3)


def test_digest_times_of_the_first_hour_fire() -> None:
    """A3: 00:00 to 00:59 never fired in the original."""
    midnight = replace(WORKSPACE, local_time=time(0, 0), last_day=date(2026, 5, 3), covered_until=EIGHT)
    assert covered(midnight, datetime(2026, 5, 4, 4, 0, tzinfo=UTC)).local_day == date(2026, 5, 4)


def test_a_digest_time_inside_a_spring_forward_gap_fires_after_the_gap() -> None:
    gap = replace(
        WORKSPACE, local_time=time(2, 30), last_day=date(2026, 3, 7), covered_until=EIGHT - timedelta(days=60)
    )
    assert due_coverage(gap, datetime(2026, 3, 8, 7, 29, tzinfo=UTC)) == DigestCode.DONE
    assert covered(gap, datetime(2026, 3, 8, 7, 30, tzinfo=UTC)).local_day == date(2026, 3, 8)


def test_a_new_workspace_waits_for_its_first_digest_time() -> None:
    new = replace(WORKSPACE, created_at=EIGHT + timedelta(minutes=1))
    assert due_coverage(new, EIGHT + timedelta(hours=3)) == DigestCode.NOT_YET
    assert isinstance(forced_coverage(new, EIGHT + timedelta(hours=3)), Coverage)
    assert isinstance(due_coverage(new, EIGHT + timedelta(days=1)), Coverage)


def test_the_first_digest_covers_a_day_and_a_long_silence_a_week() -> None:
    assert covered(WORKSPACE, EIGHT).start == EIGHT - timedelta(hours=24)
    asleep = replace(WORKSPACE, last_day=date(2026, 3, 1), covered_until=EIGHT - timedelta(days=60))
    assert covered(asleep, EIGHT).start == EIGHT - timedelta(days=7)


def test_by_hand_still_once_a_day() -> None:
    assert forced_coverage(replace(WORKSPACE, last_day=date(2026, 5, 4)), EIGHT) == DigestCode.DONE


@given(st.lists(st.timedeltas(timedelta(minutes=1), timedelta(days=3)), min_size=1, max_size=30))
def test_consecutive_digests_leave_no_gap_and_never_overlap(waits: list[timedelta]) -> None:
    """Whatever the scheduler's rhythm (up to a week's pause), every instant is reported exactly once."""
    workspace, now, days = WORKSPACE, EIGHT, []
    for wait in waits:
        now += wait
        coverage = due_coverage(workspace, now)
        if isinstance(coverage, Coverage):
            assert workspace.covered_until is None or coverage.start == workspace.covered_until
            assert coverage.end == now
            days.append(coverage.local_day)
            workspace = replace(workspace, last_day=coverage.local_day, covered_until=coverage.end)
    assert days == sorted(set(days))


def texts(counts: Counts) -> list[str]:
    return [block["text"]["text"] for block in digest_blocks("T", "now", counts) if block["type"] == "section"]


def test_sections_without_numbers_are_left_out() -> None:
    assert texts(Counts(bookings=2)) == ["*Bookings*\n• meetings booked: 2"]
    assert texts(Counts(replies={"Interested": 3, "Neutral": 3, "Objection": 5}, waiting=1)) == [
        "*Replies (people, by tag)*\n• Objection: 5\n• Interested: 3\n• Neutral: 3",
        "*Waiting for you*\n• drafts to review: 1",
    ]
    assert texts(Counts()) == []


@pytest.mark.parametrize(
    ("counts", "empty"),
    [
        (Counts(), True),
        (Counts(replies={"Neutral": 0}), True),
        (Counts(waiting=1), False),
        (Counts(tasks=1), False),
        (Counts(bookings=1), False),
        (Counts(failures={"jobs dead": 1}), False),
        (Counts(blocked={"suppressed": 1}), False),
    ],
)
def test_empty(counts: Counts, empty: bool) -> None:
    assert counts.is_empty is empty


def test_long_lists_are_added_up_and_words_cannot_become_links() -> None:
    (section,) = texts(Counts(blocked={f"reason {number:02d}": 1 for number in range(MAX_LINES + 4)}))
    assert section.endswith("• others: 4")
    (section,) = texts(Counts(blocked={"<!channel>": 1}))
    assert "<" not in section


@given(st.dictionaries(st.text(max_size=300), st.integers(0, 10**6), max_size=60))
def test_no_section_is_longer_than_slack_takes(numbers: dict[str, int]) -> None:
    for section in texts(Counts(replies=numbers, blocked=numbers)):
        assert len(section) <= 3000
