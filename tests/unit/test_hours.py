"""Business hours: windows, holidays, zones (SC-01 to SC-11)."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zrg_dagster.core.sending.hours import hours_of
from zrg_dagster.core.text.hours import (
    ALWAYS,
    PRESET,
    Holidays,
    Hours,
    HoursReason,
    Week,
    after_working,
    place,
    preset_days,
)

NEW_YORK = ZoneInfo("America/New_York")
OFFICE = Week(frozenset({1, 2, 3, 4, 5}), time(9), time(17))
HOURS = Hours(week=OFFICE, zone=NEW_YORK)


def local(text: str, zone: ZoneInfo = NEW_YORK) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "at, wanted, reason",
    [
        ("2026-03-10T09:00", "2026-03-10T09:00", "within_window"),
        ("2026-03-10T16:59:59", "2026-03-10T16:59:59", "within_window"),
        ("2026-03-10T17:00", "2026-03-11T09:00", "outside_window"),
        ("2026-03-10T08:59", "2026-03-10T09:00", "outside_window"),
        ("2026-03-13T18:00", "2026-03-16T09:00", "outside_window"),
        ("2026-03-14T12:00", "2026-03-16T09:00", "day_not_active"),
    ],
)
def test_the_start_is_inside_and_the_end_is_not(at, wanted, reason):
    placed = place(HOURS, local(at))
    assert (placed.at, placed.reason) == (local(wanted), reason)


def test_nine_is_another_instant_in_summer():
    assert place(HOURS, utc("2026-01-12T03:00")).at == utc("2026-01-12T14:00")
    assert place(HOURS, utc("2026-07-13T03:00")).at == utc("2026-07-13T13:00")


@pytest.mark.parametrize(
    "at, inside",
    [("2026-03-14T01:59", True), ("2026-03-13T00:30", False), ("2026-03-13T22:00", True), ("2026-03-14T02:00", False)],
)
def test_a_night_belongs_to_the_day_it_begins_on(at, inside):
    friday_night = Hours(week=Week(frozenset({5}), time(22), time(2)), zone=NEW_YORK)
    assert (place(friday_night, local(at)).reason == HoursReason.WITHIN) is inside


def test_sunday_is_day_zero():
    sunday = Hours(week=Week(frozenset({0}), time(9), time(10)), zone=NEW_YORK)
    assert place(sunday, local("2026-03-10T12:00")).at == local("2026-03-15T09:00")


@pytest.mark.parametrize(
    "day, is_holiday",
    [
        ("2026-01-01", True), ("2026-01-19", True), ("2026-02-16", True), ("2026-05-25", True), ("2026-06-19", True),
        ("2026-07-03", True), ("2026-07-04", True), ("2026-09-07", True), ("2026-10-12", True), ("2026-11-11", True),
        ("2026-11-26", True), ("2026-11-27", True), ("2026-12-24", True), ("2026-12-25", True), ("2027-07-05", True),
        ("2021-12-31", True), ("2026-12-31", False), ("2026-07-06", False), ("2026-05-18", False), ("2026-11-19", False),
    ],
)  # fmt: skip
def test_the_preset_knows_its_days_and_when_they_are_observed(day, is_holiday):
    assert (date.fromisoformat(day) in preset_days(date.fromisoformat(day))) is is_holiday


def test_holidays_of_workspace_and_campaign_are_united_and_exclusions_stay_with_their_preset():
    workspace = Holidays(extra=frozenset({date(2026, 3, 10)}))
    campaign = Holidays(
        PRESET, excluded=frozenset({date(2026, 12, 24)}), ranges=((date(2026, 8, 3), date(2026, 8, 7)),)
    )
    hours = Hours(week=OFFICE, zone=NEW_YORK, holidays=(workspace, campaign))
    asked = {
        "2026-03-10": "2026-03-11",
        "2026-07-03": "2026-07-06",
        "2026-08-03": "2026-08-10",
        "2026-12-24": "2026-12-24",
    }
    for day, wanted in asked.items():
        assert place(hours, local(f"{day}T12:00")).at == local(f"{wanted}T{'12' if day == wanted else '09'}:00"), day
    assert place(hours, local("2026-07-03T12:00")).reason == HoursReason.HOLIDAY


@pytest.mark.parametrize(
    "hours, reason",
    [
        (Hours(week=OFFICE), HoursReason.NO_ZONE),
        (Hours(zone=NEW_YORK), HoursReason.NO_SCHEDULE),
        (
            Hours(week=OFFICE, zone=NEW_YORK, holidays=(Holidays(ranges=((date(2026, 1, 1), date(2026, 12, 31)),)),)),
            HoursReason.NO_WINDOW,
        ),
    ],
)
def test_what_cannot_be_placed_is_closed(hours, reason):
    placed = place(hours, local("2026-03-10T12:00"))
    assert (placed.at, placed.reason) == (None, reason)


def test_always_needs_nothing():
    at = local("2026-03-15T03:00")
    assert place(ALWAYS, at).at == at


@pytest.mark.parametrize(
    "start, minutes, wanted",
    [
        ("2026-03-10T09:30", 60, "2026-03-10T10:30"),
        ("2026-03-10T16:30", 60, "2026-03-11T09:30"),
        ("2026-03-10T16:00", 60, "2026-03-10T17:00"),
        ("2026-03-14T12:00", 60, "2026-03-16T10:00"),
        ("2026-03-13T16:00", 10 * 60, "2026-03-17T10:00"),
        # Clocks go forward on Sunday the 8th: work is not shorter for it.
        ("2026-03-06T16:30", 60, "2026-03-09T09:30"),
    ],
)
def test_working_minutes_pass_in_working_time_only(start, minutes, wanted):
    assert after_working(HOURS, local(start), timedelta(minutes=minutes)) == local(wanted)


def test_hours_that_never_come_never_pass():
    assert after_working(Hours(zone=NEW_YORK), local("2026-03-10T09:30"), timedelta(minutes=1)) is None
    at = local("2026-03-15T03:00")
    assert after_working(ALWAYS, at, timedelta(minutes=5)) == at + timedelta(minutes=5)


zones = st.sampled_from(
    [ZoneInfo(name) for name in ("America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC")]
)
times = st.builds(time, st.integers(0, 23), st.integers(0, 59))
instants = st.integers(0, 3 * 365 * 24 * 60).map(lambda minutes: utc("2025-01-01T00:00") + timedelta(minutes=minutes))


@given(st.frozensets(st.integers(0, 6), min_size=1), times, times, zones, instants)
def test_what_is_placed_is_inside_and_never_earlier(days, start, end, zone, at):
    if start == end:
        return
    hours = Hours(week=Week(days, start, end), zone=zone)
    placed = place(hours, at)
    assert placed.at is not None
    assert placed.at >= at
    again = place(hours, placed.at)
    assert (again.at, again.reason) == (placed.at, HoursReason.WITHIN)


ROW = {
    "workspace_zone": "America/New_York", "lead_zone": None, "auto_send_schedule_mode": "BUSINESS_HOURS",
    "work_start_time": time(8), "work_end_time": time(12), "auto_send_custom_schedule": None, "auto_send_holidays": None,
    "campaign_mode": None, "campaign_schedule": None, "campaign_holidays": None,
}  # fmt: skip
OWN = {"days": [0], "start": "10:00", "end": "11:00", "timezone": "Europe/Paris"}


@pytest.mark.parametrize(
    "changes, week, zone",
    [
        ({}, Week(OFFICE.days, time(8), time(12)), "America/New_York"),
        ({"lead_zone": "Asia/Tokyo"}, Week(OFFICE.days, time(8), time(12)), "Asia/Tokyo"),
        ({"lead_zone": "nowhere"}, Week(OFFICE.days, time(8), time(12)), "America/New_York"),
        ({"campaign_mode": "CUSTOM", "campaign_schedule": OWN, "lead_zone": "Asia/Tokyo"},
         Week(frozenset({0}), time(10), time(11)), "Europe/Paris"),
        ({"campaign_mode": "CUSTOM", "auto_send_custom_schedule": OWN}, None, "America/New_York"),
        ({"auto_send_schedule_mode": "CUSTOM", "auto_send_custom_schedule": {"days": []}}, None, "America/New_York"),
        ({"auto_send_holidays": {"extra": ["someday"]}}, None, "America/New_York"),
    ],
)  # fmt: skip
def test_the_campaigns_rule_comes_before_the_workspaces(changes, week, zone):
    hours = hours_of({**ROW, **changes})
    assert (hours.week, hours.zone) == (week, ZoneInfo(zone))


def test_no_zone_at_all_is_no_zone():
    assert hours_of({**ROW, "workspace_zone": "Mars/Olympus"}).zone is None
    assert hours_of({**ROW, "campaign_mode": "ALWAYS"}) == ALWAYS
    assert hours_of({**ROW, "auto_send_schedule_mode": None}) == ALWAYS
