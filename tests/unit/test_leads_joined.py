"""What a lead looks like after a merge: who of the two wins, and that it does not matter which one is kept."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.leads.fields import FIELDS
from zrg_dagster.core.leads.joined import COLUMNS, EMPTY, Side, joined

NOW = datetime(2026, 3, 10, tzinfo=UTC)
DAY = timedelta(days=1)


def side(
    *, standing_at: datetime | None = None, has_sequences: bool = False, campaign=("", ""), **columns: Any
) -> Side:
    return Side({**EMPTY, **columns}, standing_at, has_sequences, campaign)


def claimed(value: str, rank: int = 1, at: datetime = NOW, field: str = "email") -> dict[str, Any]:
    return {field: value, "provenance": {field: {"rank": rank, "at": at.isoformat(), "source": "test"}}}


def test_it_decides_exactly_the_columns_of_a_lead() -> None:
    assert set(joined(side(), side())) == set(COLUMNS) == set(EMPTY)


def test_fields_follow_the_rule_of_intake() -> None:
    early, late = claimed("a@x.example", at=NOW - DAY), claimed("b@x.example", at=NOW)
    for kept, gone in ((early, late), (late, early)):
        row = joined(side(**kept), side(**gone))
        assert (row["email"], row["provenance"]) == ("a@x.example", early["provenance"])
    better = claimed("c@x.example", rank=0)
    assert joined(side(**early), side(**better))["email"] == "c@x.example"


def test_a_value_typed_by_hand_stays_and_wins_over_vendors() -> None:
    typed, vendor = {"email": "typed@x.example"}, claimed("v@x.example", rank=0)
    for kept, gone in ((typed, vendor), (vendor, typed)):
        row = joined(side(**kept), side(**gone))
        assert (row["email"], row["provenance"]) == ("typed@x.example", {})
    assert joined(side(email="kept@x.example"), side(email="gone@x.example"))["email"] == "kept@x.example"


def test_blanks_are_filled() -> None:
    row = joined(side(**claimed("a@x.example")), side(**claimed("+14155550132", field="phone"), job_title="COO"))
    assert (row["email"], row["phone"], row["job_title"]) == ("a@x.example", "+14155550132", "COO")
    assert set(row["provenance"]) == {"email", "phone"}


claims = st.fixed_dictionaries(
    {name: st.none() | st.tuples(st.integers(0, 2), st.integers(0, 3), st.sampled_from("abc")) for name in FIELDS}
)


@given(claims, claims)
def test_which_lead_is_kept_does_not_matter_for_what_is_known(one, other) -> None:
    def lead(claimed_by):
        provenance = {
            name: {"rank": claim[0], "at": (NOW + claim[1] * DAY).isoformat(), "source": "s"}
            for name, claim in claimed_by.items()
            if claim
        }
        return side(**{name: claim and claim[2] for name, claim in claimed_by.items()}, provenance=provenance)

    assert joined(lead(one), lead(other)) == joined(lead(other), lead(one))


@pytest.mark.parametrize("stopped", [{"status": "blacklisted"}, {"sentiment_tag": "Blacklist"}])
@pytest.mark.parametrize("kept_is_stopped", [True, False])
def test_whoever_is_stopped_stays_stopped(stopped, kept_is_stopped) -> None:
    happy = side(standing_at=NOW, status="meeting-booked", sentiment_tag="Meeting Booked")
    black = side(standing_at=NOW - DAY, **stopped)
    row = joined(black, happy) if kept_is_stopped else joined(happy, black)
    assert (row["status"], row["sentiment_tag"]) == ("blacklisted", "Blacklist")


def test_the_newest_event_says_how_the_lead_stands_and_a_booking_stands() -> None:
    asked = side(
        standing_at=NOW, status="meeting-requested", sentiment_tag="Meeting Requested", sentiment_source="model"
    )
    refused = side(standing_at=NOW - DAY, status="not-interested", sentiment_tag="Not Interested")
    for kept, gone in ((asked, refused), (refused, asked)):
        row = joined(kept, gone)
        assert (row["status"], row["sentiment_tag"], row["sentiment_source"]) == (
            "meeting-requested", "Meeting Requested", "model",
        )  # fmt: skip
    booked = side(standing_at=NOW - DAY, status="meeting-booked", sentiment_tag="Meeting Booked")
    row = joined(asked, booked)
    assert (row["status"], row["sentiment_tag"]) == ("meeting-booked", "Meeting Requested")
    imported = side(status="qualified", sentiment_tag="Interested", sentiment_source="human")
    assert joined(side(), imported)["status"] == "qualified"


def test_the_first_touch_decides_the_campaign() -> None:
    def touched(at: datetime, external_id: str) -> Side:
        provenance = {"campaign": {"at": at.isoformat()}}
        return side(email_campaign_id=new_id(), provenance=provenance, campaign=("emailbison", external_id))

    early, late, twin = touched(NOW - DAY, "9"), touched(NOW, "1"), touched(NOW - DAY, "3")
    for kept, gone in ((early, late), (late, early)):
        row = joined(kept, gone)
        assert row["email_campaign_id"] == early.lead["email_campaign_id"]
        assert row["provenance"] == early.lead["provenance"]
    assert joined(early, twin)["email_campaign_id"] == twin.lead["email_campaign_id"]
    assert joined(side(), late)["email_campaign_id"] == late.lead["email_campaign_id"]


def test_follow_ups_that_a_person_switched_off_stay_off() -> None:
    on, never, off = side(auto_follow_up_enabled=True), side(), side(has_sequences=True)
    assert joined(on, never)["auto_follow_up_enabled"]
    assert joined(never, on)["auto_follow_up_enabled"]
    assert not joined(on, off)["auto_follow_up_enabled"]
    assert not joined(off, on)["auto_follow_up_enabled"]


def test_a_snooze_ends_with_a_newer_answer() -> None:
    snoozed = side(snoozed_until=NOW + DAY, last_inbound_at=NOW - DAY)
    wrote = side(last_inbound_at=NOW, last_outbound_at=NOW - 2 * DAY)
    row = joined(snoozed, wrote)
    assert (row["snoozed_until"], row["last_inbound_at"], row["last_outbound_at"]) == (None, NOW, NOW - 2 * DAY)
    assert joined(snoozed, side())["snoozed_until"] == NOW + DAY
