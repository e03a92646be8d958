"""Rates, pauses, caps and quiet hours: arithmetic over times."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zrg_dagster.core.sending.budget import Bucket, Rate, decide_waits
from zrg_dagster.core.sending.gates import WaitReason
from zrg_dagster.core.sending.quiet import plausible_zones, quiet_until

NOON = datetime(2026, 3, 10, 19, 0, tzinfo=UTC)  # noon in Los Angeles
WORKSPACE = UUID(int=1)
KEY = (WORKSPACE, "smartlead", "")


def due(number: int, **fields: Any) -> Any:
    row = {
        "id": UUID(int=number),
        "state": "planned",
        "workspace_id": WORKSPACE,
        "vendor": "smartlead",
        "channel": "email",
        "origin": "ai",
        "sender_account": "a@b.example",
        "recipient": "x@y.example",
        "lead_zone": None,
        "phone": None,
        "workspace_zone": "America/Los_Angeles",
        "daily_cap": None,
    }
    return SimpleNamespace(**(row | fields))


@given(st.lists(st.floats(0, 20), min_size=1, max_size=60))
def test_a_bucket_never_lets_out_more_than_its_rate(pauses: list[float]) -> None:
    rate, at, made = Rate(2, 5), NOON, 0
    bucket = Bucket(rate.burst, NOON)
    for pause in pauses:
        at += timedelta(seconds=pause)
        bucket.refill(rate, at)
        made += bucket.take(rate, at, 0) is None
    assert made <= rate.burst + (at - NOON).total_seconds() * rate.per_s + 1e-6


def test_what_must_wait_is_spread_over_the_time_to_come() -> None:
    budgets = {KEY: Bucket(2, NOON)}
    waits, touched = decide_waits([due(n) for n in range(5)], budgets, NOON)
    assert touched == [KEY]
    assert [wait.id.int for wait in waits] == [2, 3, 4]
    assert {wait.reason for wait in waits} == {WaitReason.RATE_BUDGET}
    assert [(wait.until - NOON).total_seconds() for wait in waits] == pytest.approx([0.2, 0.4, 0.6])


def test_a_paused_account_asks_nothing_and_keeps_its_tokens() -> None:
    until = NOON + timedelta(hours=24)
    budgets = {KEY: Bucket(5, NOON, paused_until=until)}
    waits, _ = decide_waits([due(1), due(2, state="unknown")], budgets, NOON)
    assert [(wait.reason, wait.until) for wait in waits] == [(WaitReason.ACCOUNT_PAUSED, until)] * 2
    assert budgets[KEY].tokens == 5


def test_read_backs_of_instantly_have_a_budget_of_their_own() -> None:
    rows = [due(n, vendor="instantly", state="unknown") for n in range(8)]
    waits, touched = decide_waits(rows, {}, NOON)
    assert touched == [(WORKSPACE, "instantly", "read-back")]
    assert len(waits) == 3


@pytest.mark.parametrize("own, cap", [(None, 80), (3, 3), (500, 500)])
def test_a_day_has_room_for_so_many_automatic_messages_of_one_profile(own: int | None, cap: int) -> None:
    key = (WORKSPACE, "unipile", "me")
    rows = [due(1, vendor="unipile", channel="linkedin", sender_account="me", daily_cap=own)]
    last = {key: Bucket(0, NOON, used=cap - 1, used_on=NOON.date())}
    assert decide_waits(rows, last, NOON)[0] == []
    budgets = {key: Bucket(0, NOON, used=cap, used_on=NOON.date())}
    waits, _ = decide_waits(rows, budgets, NOON)
    assert [(wait.reason, wait.until) for wait in waits] == [(WaitReason.DAILY_CAP, datetime(2026, 3, 11, tzinfo=UTC))]
    assert (
        decide_waits(
            [due(2, vendor="unipile", channel="linkedin", sender_account="me", origin="setter")], budgets, NOON
        )[0]
        == []
    )
    assert budgets[key].use(cap, NOON + timedelta(days=1)) is None
    assert (budgets[key].used, budgets[key].used_on) == (1, date(2026, 3, 11))


def test_the_days_cap_counts_what_goes_and_not_what_waits_for_its_turn() -> None:
    """Of twenty due at once five may go; the others come back every two seconds, and would use the day up."""
    rows = [due(n, vendor="unipile", channel="linkedin", sender_account="me") for n in range(20)]
    budgets: dict[Any, Bucket] = {}
    waits, _ = decide_waits(rows, budgets, NOON)
    assert len(waits) == 15
    decide_waits(rows[5:], budgets, NOON)
    assert budgets[WORKSPACE, "unipile", "me"].used == 5


@pytest.mark.parametrize(
    "lead_zone, phone, zones",
    [
        ("Europe/Paris", "+14155550132", {"Europe/Paris"}),
        ("nonsense", "+14155550132", {"America/Los_Angeles"}),
        (None, "+33612345678", {"Europe/Paris"}),
        (None, None, {"America/Chicago"}),
        (None, "not a number", {"America/Chicago"}),
    ],
)
def test_where_a_person_may_be(lead_zone: str | None, phone: str | None, zones: set[str]) -> None:
    assert {zone.key for zone in plausible_zones(lead_zone, phone, "America/Chicago")} == zones


def test_a_number_of_no_place_may_be_anywhere_in_its_country() -> None:
    zones = {zone.key for zone in plausible_zones(None, "+18005550132", "America/Chicago")}
    assert {"America/New_York", "America/Los_Angeles"} <= zones


@pytest.mark.parametrize(
    "zones, at, until",
    [
        (["America/New_York"], "2026-03-10T12:00:00Z", None),  # 08:00
        (["America/New_York"], "2026-03-10T11:59:59Z", "2026-03-10T12:00:00Z"),
        (["America/New_York"], "2026-03-11T00:59:59Z", None),  # 20:59:59
        (["America/New_York"], "2026-03-11T01:00:00Z", "2026-03-11T12:00:00Z"),
        # Day in New York, still night in Los Angeles: the strictest decides.
        (["America/New_York", "America/Los_Angeles"], "2026-03-10T14:00:00Z", "2026-03-10T15:00:00Z"),
        # Day in Los Angeles, night in New York: not before both have day again.
        (["America/New_York", "America/Los_Angeles"], "2026-03-11T02:00:00Z", "2026-03-11T15:00:00Z"),
        # The night in which the clocks go forward.
        (["America/New_York"], "2026-03-08T06:00:00Z", "2026-03-08T12:00:00Z"),
    ],
)
def test_the_night_ends(zones: list[str], at: str, until: str | None) -> None:
    found = quiet_until([ZoneInfo(name) for name in zones], datetime.fromisoformat(at))
    assert found == (datetime.fromisoformat(until) if until else None)


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC)),
    st.lists(
        st.sampled_from(
            ["America/New_York", "America/Los_Angeles", "Pacific/Honolulu", "America/Adak", "America/Denver"]
        ),
        min_size=1,
        max_size=4,
    ),
)
def test_when_the_night_has_ended_it_is_day_everywhere(now: datetime, names: list[str]) -> None:
    zones = [ZoneInfo(name) for name in names]
    until = quiet_until(zones, now)
    at = until or now
    assert all(8 <= at.astimezone(zone).hour < 21 for zone in zones)
    assert until is None or until > now


def test_zones_that_share_no_day_hour_still_end() -> None:
    far = [ZoneInfo("Pacific/Auckland"), ZoneInfo("America/New_York"), ZoneInfo("Asia/Kolkata")]
    assert quiet_until(far, NOON) is not None


@pytest.mark.parametrize(
    "fields, waits",
    [
        ({"channel": "sms", "vendor": "ghl", "phone": "+14155550132"}, True),
        ({"channel": "linkedin", "vendor": "unipile"}, True),
        ({"channel": "email"}, False),
        ({"channel": "sms", "vendor": "ghl", "origin": "setter"}, False),
        ({"channel": "sms", "vendor": "ghl", "state": "unknown"}, False),
        ({"channel": "sms", "vendor": "ghl", "lead_zone": "Australia/Sydney"}, False),
    ],
)
def test_nobody_is_written_to_at_night_by_a_machine(fields: dict[str, Any], waits: bool) -> None:
    night = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)  # 02:00 in Los Angeles, 20:00 in Sydney
    found, _ = decide_waits([due(1, **fields)], {}, night)
    assert [wait.reason for wait in found] == ([WaitReason.QUIET_HOURS] if waits else [])
