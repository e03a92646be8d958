"""Calendly: both payload shapes, reschedules in any order, cancellations and no-shows."""

import json
from typing import Any

import pytest

from tests.unit.test_parse_samples import RECEIVED, ZONE, parse, wire_body
from zrg_dagster.core.providers.calendly.parse import parse as parse_body
from zrg_dagster.core.providers.records import AppointmentRecord, ShapeError

EVENT = "https://api.calendly.com/scheduled_events/6f1a9c20-7d43-4e0b-9a11-5b0c7e2d9f31"
INVITEE = f"{EVENT}/invitees/0d92b7e4-3c1f-4d58-8f6e-a7c0e1b2d345"


def document(name: str = "invitee.created__basic") -> dict[str, Any]:
    return json.loads(wire_body(f"calendly/{name}.json"))


def read(body: dict[str, Any]) -> AppointmentRecord:
    found = parse_body(json.dumps(body).encode(), received_at=RECEIVED, workspace_timezone=ZONE, scope="ws").appointment
    assert found is not None
    return found


def appointment(name: str) -> AppointmentRecord:
    return read(document(name))


def test_created() -> None:
    found = appointment("invitee.created__basic")
    assert (found.provider, found.status, found.external_id, found.secondary_id) == (
        "CALENDLY",
        "CONFIRMED",
        INVITEE,
        EVENT,
    )
    assert found.start_at is not None
    assert found.end_at is not None
    assert (found.start_at.isoformat(), found.end_at.isoformat()) == (
        "2026-03-12T17:00:00+00:00",
        "2026-03-12T17:30:00+00:00",
    )
    assert (found.join_url, found.timezone, found.fetch_event) == (
        "https://zoom.example/j/991",
        "America/Los_Angeles",
        False,
    )


def test_nested_invitee_is_the_same_booking() -> None:
    found = appointment("orig_nested_invitee")
    assert (found.external_id, found.secondary_id, found.status) == (INVITEE, EVENT, "CONFIRMED")
    assert found.start_at == appointment("invitee.created__basic").start_at
    assert found.attendee_email == "mara.okafor@brightloom.example"


def test_reschedule_names_its_counterpart_on_both_sides() -> None:
    old, new = appointment("invitee.canceled__reschedule_old"), appointment("invitee.created__reschedule_new")
    assert (old.status, old.superseded_by) == ("RESCHEDULED", new.external_id)
    assert (new.status, new.supersedes) == ("CONFIRMED", old.external_id)


@pytest.mark.parametrize(
    ("name", "by"), [("by_host", "host"), ("by_invitee", "invitee"), ("before_created", "invitee")]
)
def test_canceled(name: str, by: str) -> None:
    found = appointment(f"invitee.canceled__{name}")
    assert (found.status, found.canceled_by) == ("CANCELED", by)


def test_cancellation_is_newer_than_the_booking_whatever_arrives_first() -> None:
    canceled = appointment("invitee.canceled__by_invitee")
    assert canceled.external_id == appointment("invitee.created__basic").external_id
    assert canceled.version_at > appointment("invitee.created__basic").version_at


def test_no_show_and_back() -> None:
    marked, unmarked = appointment("invitee_no_show.created__basic"), appointment("invitee_no_show.deleted__basic")
    assert (marked.status, unmarked.status) == ("NO_SHOW", "CONFIRMED")
    assert unmarked.version_at > marked.version_at
    body = document("invitee_no_show.deleted__basic")
    body["payload"]["status"] = "canceled"
    assert read(body).status == "CANCELED"


def test_event_without_times_is_to_be_fetched() -> None:
    found = appointment("invitee.created__no_scheduled_event")
    assert (found.start_at, found.secondary_id, found.fetch_event) == (None, EVENT, True)


def test_booking_without_invitee_uri_is_stored_under_the_event() -> None:
    body = document()
    del body["payload"]["uri"]
    assert (read(body).external_id, read(body).keyed_by_event) == (EVENT, True)
    del body["payload"]["event"], body["payload"]["scheduled_event"]
    with pytest.raises(ShapeError) as raised:
        read(body)
    assert raised.value.path == "$.payload.uri"


def test_tracking_and_reminder_phone() -> None:
    lead = parse("calendly/invitee.created__questions_and_tracking.json").lead
    assert lead is not None
    assert (lead.reference, lead.phone, lead.timezone) == ("lead_90213", "+14155550132", "America/Los_Angeles")


def test_unknown_event_is_quarantined() -> None:
    with pytest.raises(ShapeError) as raised:
        read(document() | {"event": "invitee.teleported"})
    assert (raised.value.code, raised.value.got) == ("unknown_event_type", "invitee.teleported")
