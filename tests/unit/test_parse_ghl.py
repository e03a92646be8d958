"""GoHighLevel: the key of a message without id, times without zone, and the marketplace's types."""

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.test_parse_samples import RECEIVED, SCOPE, ZONE, parse, wire_body
from zrg_dagster.core.providers.ghl.parse import parse as parse_body
from zrg_dagster.core.providers.records import MessageRecord, Parsed, ShapeError


def document(file: str = "sms_inbound__basic") -> dict[str, Any]:
    return json.loads(wire_body(f"ghl/{file}.json"))


def read(body: dict[str, Any], received_at=RECEIVED) -> Parsed:
    return parse_body(json.dumps(body).encode(), received_at=received_at, workspace_timezone=ZONE, scope=SCOPE)


def message(parsed: Parsed) -> MessageRecord:
    assert parsed.message is not None
    return parsed.message


def test_key_vector() -> None:
    for name in ("basic", "duplicate_retry"):
        assert message(parse(f"ghl/sms_inbound__{name}.json")).key == "ghl_sms:9cf00c7d569200ff14b3dff09e5dce1f"
    assert message(parse("ghl/sms_inbound__basic.json")).near_keys == ()
    assert (
        message(parse("ghl/sms_inbound__basic.json", scope="other")).key != "ghl_sms:9cf00c7d569200ff14b3dff09e5dce1f"
    )


def test_message_without_time_is_one_message_for_ten_minutes_and_across_the_edge() -> None:
    body = document("sms_inbound__no_date_fields")
    start = RECEIVED.replace(minute=40, second=0)
    first = message(read(body, start))
    assert message(read(body, start + timedelta(seconds=599))).key == first.key
    late = message(read(body, start + timedelta(seconds=601)))
    assert late.key != first.key
    assert first.key in late.near_keys
    assert late.key in first.near_keys
    next_hour = message(read(body, start + timedelta(hours=1)))
    assert {first.key, *first.near_keys}.isdisjoint({next_hour.key, *next_hour.near_keys})


def test_date_time_field_far_from_receipt_is_not_a_send_time() -> None:
    body = document("sms_inbound__naive_datetime")
    assert message(read(body)).sent_at_quality == "provider"
    assert message(read(body, RECEIVED + timedelta(hours=1))).sent_at == RECEIVED + timedelta(hours=1)


def test_stop_start_and_help() -> None:
    assert message(parse("ghl/sms_inbound__stop.json")).flags.opt_out_rule == "word.stop"
    for word, keyword in (("START", "start"), ("help", "help")):
        body = document()
        body["message"]["body"] = word
        flags = message(read(body)).flags
        assert (flags.opt_out, flags.keyword) == (False, keyword)


def test_campaign_label_and_profile() -> None:
    lead = parse("ghl/sms_inbound__object_label_and_linkedin.json").lead
    assert lead is not None
    assert (lead.sms_campaign, lead.linkedin_url) == (
        "Owners Q1 / Textile",
        "https://linkedin.com/in/mara-okafor-brightloom",
    )
    body = document()
    del body["customData"]["Client"]
    body["triggerData"] = {"Sub-Client": "  West "}
    lead = read(body).lead
    assert lead is not None
    assert lead.sms_campaign == "West"


def test_national_number_is_read_in_the_contacts_country() -> None:
    body = document()
    body |= {"phone": "0412 345 678", "country": "AU"}
    lead = read(body).lead
    assert lead is not None
    assert (lead.phone, lead.phone_raw) == ("+61412345678", "0412 345 678")


def test_picture_without_text_is_a_message() -> None:
    body = document()
    body["message"] = {"type": 2, "body": "", "attachments": ["https://x.example/a.png"]}
    del body["customData"]["Message"]
    assert message(read(body)).flags.attachment_only


@pytest.mark.parametrize(
    ("file", "source", "signals"),
    [
        ("sms_api", "api", [("send_confirmed", "sent")]),
        ("sms_app_user", "human", []),
        ("sms_failed", "api", [("delivery_status", "failed")]),
    ],
)
def test_outbound_messages(file: str, source: str, signals: list[tuple[str, str]]) -> None:
    parsed = parse(f"ghl/marketplace_OutboundMessage__{file}.json")
    assert (message(parsed).direction, message(parsed).source) == ("outbound", source)
    assert [(signal.kind, signal.value) for signal in parsed.signals] == signals


@pytest.mark.parametrize(
    ("file", "status", "start"),
    [
        ("AppointmentCreate__confirmed", "CONFIRMED", "2026-03-12T17:00:00+00:00"),
        ("AppointmentUpdate__rescheduled", "CONFIRMED", "2026-03-13T16:00:00+00:00"),
        ("AppointmentUpdate__noshow", "NO_SHOW", "2026-03-12T17:00:00+00:00"),
        ("AppointmentDelete__basic", "CANCELED", "2026-03-12T17:00:00+00:00"),
    ],
)
def test_appointments(file: str, status: str, start: str) -> None:
    appointment = parse(f"ghl/marketplace_{file}.json").appointment
    assert appointment is not None
    assert (appointment.status, appointment.start_at and appointment.start_at.isoformat()) == (status, start)
    assert (appointment.provider, appointment.join_url) == ("GHL", "https://meet.example/harbourline/m-okafor")


def test_later_update_has_a_later_version() -> None:
    versions = [
        parsed.appointment.version_at
        for name in ("Create__confirmed", "Update__rescheduled", "Update__noshow")
        if (parsed := parse(f"ghl/marketplace_Appointment{name}.json")).appointment
    ]
    assert versions == sorted(set(versions))


def test_appointment_time_without_offset_is_read_in_the_workspace_zone() -> None:
    body = document("marketplace_AppointmentCreate__confirmed")
    body["appointment"]["startTime"] = "2026-03-12 10:00:00"
    appointment = read(body).appointment
    assert appointment is not None
    assert appointment.start_at is not None
    assert appointment.start_at.isoformat() == "2026-03-12T17:00:00+00:00"


def test_unknown_appointment_status_is_quarantined() -> None:
    body = document("marketplace_AppointmentUpdate__noshow")
    body["appointment"]["appointmentStatus"] = "teleported"
    with pytest.raises(ShapeError) as raised:
        read(body)
    assert raised.value.path == "$.appointment.appointmentStatus"


@pytest.mark.parametrize(("settings", "dnd", "value"), [
    ({"SMS": {"status": "permanent"}}, False, "permanent"),
    ({"SMS": {"status": "active"}}, False, "blocked"),
    ({"SMS": {"status": "inactive"}}, False, "clear"),
    ({}, True, "blocked"),
    ({"SMS": {"status": "inactive"}}, True, "blocked"),
])  # fmt: skip
def test_do_not_disturb(settings: dict[str, Any], dnd: bool, value: str) -> None:
    body = document("marketplace_ContactDndUpdate__cleared") | {"dndSettings": settings, "dnd": dnd}
    assert [(signal.kind, signal.value) for signal in read(body).signals] == [("dnd", value)]


def test_undocumented_type_is_quarantined_and_a_known_one_ignored() -> None:
    body = document("marketplace_UnknownType")
    assert read(body).reason == "type_not_handled"
    with pytest.raises(ShapeError) as raised:
        read(body | {"type": "TeleportCreate"})
    assert raised.value.code == "unknown_event_type"
