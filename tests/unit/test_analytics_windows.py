"""Windows: half-open, in the workspace's zone, right on the days the clock changes."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zrg_dagster.core.analytics.windows import (
    PRESET_DAYS,
    InvalidWindow,
    Window,
    parse_window,
    preset_window,
    preset_windows,
    zone_of,
)

NOW = datetime(2026, 3, 10, 13, 0, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def test_presets_are_elapsed_hours_and_end_now():
    # The clock in New York went forward on 8 March: seven days are 168 hours, not seven midnights.
    assert preset_window("7d", NOW) == Window("7d", at(2026, 3, 3, 13), NOW)
    assert [window.label for window in preset_windows(NOW)] == ["7d", "30d", "90d"]
    assert parse_window(now=NOW, zone=NEW_YORK, preset="30d", from_date="2026-01-01").from_utc == NOW - timedelta(
        days=30
    )


def test_two_dates_are_whole_local_days_last_one_included():
    window = parse_window(now=NOW, zone=NEW_YORK, from_date="2026-03-07", to_date="2026-03-08")
    assert (window.from_utc, window.to_utc) == (at(2026, 3, 7, 5), at(2026, 3, 9, 4))
    assert window.to_utc - window.from_utc == timedelta(hours=47)


def test_a_day_has_25_hours_when_the_clock_goes_back():
    window = parse_window(now=NOW, zone=NEW_YORK, from_date="2026-11-01", to_date="2026-11-01")
    assert window.from_utc is not None
    assert window.to_utc - window.from_utc == timedelta(hours=25)


@pytest.mark.parametrize(
    ("zone", "day", "begins"),
    [
        ("America/Havana", "2026-03-08", at(2026, 3, 8, 5)),  # 00:00 does not exist: the day begins at 01:00
        ("America/Havana", "2026-11-01", at(2026, 11, 1, 4)),  # 00:00 comes twice: the first one begins the day
        ("Asia/Kolkata", "2026-03-08", at(2026, 3, 7, 18, 30)),
        ("UTC", "2026-03-08", at(2026, 3, 8)),
    ],
)
def test_a_day_begins_at_its_first_instant(zone, day, begins):
    assert parse_window(now=NOW, zone=ZoneInfo(zone), from_date=day, to_date=day).from_utc == begins


def test_reversed_dates_are_swapped():
    assert parse_window(now=NOW, zone=NEW_YORK, from_date="2026-03-05", to_date="2026-03-01") == parse_window(
        now=NOW, zone=NEW_YORK, from_date="2026-03-01", to_date="2026-03-05"
    )
    future = parse_window(now=NOW, zone=NEW_YORK, from_date="2026-04-01")
    assert (future.from_utc, future.to_utc) == (NOW, at(2026, 4, 1, 4))


def test_one_date_or_none():
    assert parse_window(now=NOW, zone=NEW_YORK, from_date="2026-03-01") == Window("custom", at(2026, 3, 1, 5), NOW)
    only_to = parse_window(now=NOW, zone=NEW_YORK, to_date="2026-03-01")
    assert (only_to.from_utc, only_to.to_utc) == (at(2026, 1, 31, 5), at(2026, 3, 2, 5))
    assert parse_window(now=NOW, zone=NEW_YORK) == Window("all", None, NOW)
    assert parse_window(now=NOW, zone=NEW_YORK, default_days=30) == Window("30d", NOW - timedelta(days=30), NOW)


@pytest.mark.parametrize(
    "value", ["", "yesterday", "2026-02-30", "20260301", "2026-W10-1", "2026-3-1", "2026-03-01T00:00", "٢٠٢٦-٠٣-٠١",
              "9999-12-31", "0001-01-01"],
)  # fmt: skip
def test_an_unreadable_date_is_an_error_and_never_all_time(value):
    for name in ("from_date", "to_date"):
        with pytest.raises(InvalidWindow) as caught:
            parse_window(now=NOW, zone=NEW_YORK, **{name: value})
        assert caught.value.code == "invalid_window"


def test_an_unknown_preset_is_an_error():
    with pytest.raises(InvalidWindow, match="7d, 30d, 90d"):
        parse_window(now=NOW, zone=NEW_YORK, preset="31d")


@given(st.sampled_from(sorted(PRESET_DAYS)), st.integers(-5, 5))
def test_windows_are_half_open(label, seconds):
    window = preset_window(label, NOW)
    assert window.from_utc is not None
    assert (window.from_utc + timedelta(seconds=seconds) in window) == (seconds >= 0)
    assert (window.to_utc + timedelta(seconds=seconds) in window) == (seconds < 0)


def test_a_window_without_beginning_holds_all_the_past():
    window = Window("all", None, NOW)
    assert at(2000, 1, 1) in window
    assert NOW not in window


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../../etc/passwd", "America"])
def test_an_unknown_zone_is_reported(name):
    assert zone_of(name) == (NEW_YORK, False)
    assert zone_of("Europe/Berlin") == (ZoneInfo("Europe/Berlin"), True)
