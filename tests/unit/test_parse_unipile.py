"""Unipile: who a LinkedIn message is about, what is only noise, and the two names of a new relation."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.unit.test_parse_samples import wire_body
from zrg_dagster.core.providers.records import Parsed, ShapeError
from zrg_dagster.core.providers.unipile.parse import parse

RECEIVED = datetime(2026, 3, 10, 18, 5, tzinfo=UTC)
ACCOUNT = "Kd82nVtQRcW0pZ5mXyLs4A"
MARA, NOOR = "ACoAADx91RwBkT6mZqLs3vYcHn8GpWf5UoEjDbA", "ACoAABt7Qm0BzL2kWvNr8xYdPq4TgHs1UfEjCaI"
PROFILE = "https://linkedin.com/in/mara-okafor-brightloom"


def document(name: str) -> dict[str, Any]:
    return json.loads(wire_body(f"unipile/{name}.json"))


def read(body: bytes | dict[str, Any], received_at: datetime = RECEIVED) -> Parsed:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return parse(raw, received_at=received_at, scope="ws")


def sample(name: str) -> Parsed:
    return read(wire_body(f"unipile/{name}.json"))


def test_inbound_message() -> None:
    found = sample("message_received__inbound")
    assert found.message is not None
    assert found.lead is not None
    assert found.lead.identities == (("linkedin_member", MARA),)
    assert (found.lead.first_name, found.lead.last_name, found.lead.linkedin_url) == ("Mara", "Okafor", None)
    message = found.message
    assert (message.channel, message.direction, message.source) == ("linkedin", "inbound", "webhook")
    assert (message.thread_handle, message.provider_message_id) == ("cH4tZ81RkLmQwVx", "mSg71KdZ0qRtWvYxPnLcBs")
    assert message.key == f"unipile:{ACCOUNT}:msg:mSg71KdZ0qRtWvYxPnLcBs"
    assert (message.body, message.sent_at_quality) == (
        "Hey Noor, saw your note. What would onboarding look like?",
        "provider",
    )
    assert message.sent_at == datetime(2026, 3, 10, 17, 31, 55, tzinfo=UTC)


def test_message_without_time_takes_receipt() -> None:
    message = sample("message_received__missing_timestamp").message
    assert message is not None
    assert (message.sent_at, message.sent_at_quality) == (RECEIVED, "receipt")


@pytest.mark.parametrize("says", [{"is_sender": True}, {"is_sender": 1}, {}])
def test_our_own_message_is_about_the_other_person(says: dict[str, Any]) -> None:
    """The ids alone tell it, and so does the flag alone."""
    body = document("message_received__own_outbound_echo")
    del body["is_sender"]
    if says:
        del body["account_info"]
    found = read(body | says)
    assert found.message is not None
    assert found.lead is not None
    assert (found.message.direction, found.message.source) == ("outbound", "human")
    assert found.lead.identity("linkedin_member") == MARA
    assert found.lead.full_name == "Mara Okafor"


def test_our_own_message_to_nobody_is_put_aside() -> None:
    body = document("message_received__own_outbound_echo")
    with pytest.raises(ShapeError) as raised:
        read(body | {"attendees": [each for each in body["attendees"] if each["attendee_provider_id"] == NOOR]})
    assert (raised.value.path, raised.value.got) == ("$.attendees", "0")


def test_our_own_words_are_never_an_opt_out() -> None:
    found = read(document("message_received__own_outbound_echo") | {"message": "Please stop messaging me"}).message
    assert found is not None
    assert not found.flags.opt_out


@pytest.mark.parametrize(("text", "rule"), [("STOP", "word.stop"), ("Please remove me from your list", None)])
def test_a_request_to_stop_counts_on_linkedin(text: str, rule: str | None) -> None:
    found = read(document("message_received__inbound") | {"message": text}).message
    assert found is not None
    assert found.flags.opt_out
    assert found.flags.opt_out_rule
    assert rule in (None, found.flags.opt_out_rule)


def test_files_alone_stand_as_their_names() -> None:
    found = sample("message_received__attachment_only").message
    assert found is not None
    assert (found.body, found.flags.attachment_only, found.attachments) == ("[attachment: rfp.pdf]", True, ())
    body = document("message_received__attachment_only")
    body["attachments"] += [{"attachment_type": "img", "attachment_url": "https://media.example/1.png"}, "odd", {}]
    found = read(body).message
    assert found is not None
    assert found.body == "[attachment: rfp.pdf]\n[attachment: img]\n[attachment: file]"
    assert found.attachments == ("https://media.example/1.png",)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"is_group": True}, "group_chat"),
        ({"attendees": [{"attendee_provider_id": each} for each in (MARA, NOOR, "ACoAAThird")]}, "group_chat"),
        ({"is_event": 1}, "not_a_message"),
        ({"message": "  "}, "empty_message"),
        ({"message": None, "attachments": None}, "empty_message"),
        ({"account_type": "WHATSAPP"}, "not_linkedin"),
        ({"event": "message_read"}, "log_only"),
        ({"event": "message_deleted"}, "message_kept"),
    ],
)
def test_what_changes_nothing_says_why(changes: dict[str, Any], reason: str) -> None:
    found = read(document("message_received__inbound") | changes)
    assert (found.outcome, found.reason, found.message) == ("ignore", reason, None)


def test_changed_wording_is_the_same_message() -> None:
    found = sample("message_edited__basic").message
    original = sample("message_received__inbound").message
    assert found is not None
    assert original is not None
    assert (found.key, found.body) == (original.key, "Hey Noor, what would onboarding cost?")
    assert (found.edited_at, original.edited_at) == (RECEIVED, None)


def test_delivered_names_our_message_and_its_reader() -> None:
    found = sample("message_delivered__basic")
    [signal] = found.signals
    assert (signal.kind, signal.value, signal.provider_message_id) == (
        "delivery_status",
        "delivered",
        "mSgOwn00000000000001",
    )
    assert found.lead is not None
    assert found.lead.identity("linkedin_member") == MARA


@pytest.mark.parametrize("name", ["new_relation__basic", "orig_connection.accepted__basic"])
def test_relation_names_a_person_both_ways(name: str) -> None:
    found = sample(name)
    [signal] = found.signals
    assert (signal.kind, signal.value, signal.at, signal.account_id) == (
        "connection_accepted",
        "connected",
        RECEIVED,
        ACCOUNT,
    )
    assert signal.key == f"unipile:{ACCOUNT}:rel:{MARA}"
    assert found.lead is not None
    assert found.lead.identities == (("linkedin_member", MARA), ("linkedin_url", PROFILE))


def test_relation_whose_address_repeats_the_member_id_has_one_name() -> None:
    body = document("new_relation__basic")
    body |= {"user_public_identifier": None, "user_profile_url": f"https://www.linkedin.com/in/{MARA}"}
    lead = read(body).lead
    assert lead is not None
    assert lead.identities == (("linkedin_member", MARA),)


def test_older_form() -> None:
    found = sample("orig_message.received__basic")
    assert found.message is not None
    assert found.lead is not None
    assert (found.message.key, found.message.body) == (f"unipile:{ACCOUNT}:msg:mSgOld01", "Works for me")
    assert (found.message.thread_handle, found.lead.linkedin_url) == ("cH4tZ81RkLmQwVx", PROFILE)
    assert found.lead.identities == (("linkedin_member", MARA), ("linkedin_url", PROFILE))
    assert found.message.sent_at == datetime(2026, 3, 10, 17, 31, 55, tzinfo=UTC)


@pytest.mark.parametrize(
    ("message", "state"),
    [
        ("OK", "reconnected"),
        ("SYNC_SUCCESS", "reconnected"),
        ("RECONNECTED", "reconnected"),
        ("CREATION_SUCCESS", "added"),
        ("CREDENTIALS", "disconnected"),
        ("PERMISSIONS", "disconnected"),
        ("STOPPED", "disconnected"),
        ("DELETED", "removed"),
        ("ERROR", "degraded"),
    ],
)
def test_state_of_an_account(message: str, state: str) -> None:
    body = document("account_status__OK")
    body["AccountStatus"]["message"] = message
    [signal] = read(body).signals
    assert (signal.kind, signal.value, signal.detail) == ("sender_health", state, message.lower())
    assert signal.account_id == ACCOUNT


def test_an_account_that_is_still_connecting_is_no_news() -> None:
    assert sample("account_status__CONNECTING").reason == "transient"


@pytest.mark.parametrize(
    ("name", "path", "got"),
    [("v2_event__message_new", "$.type", "message.new"), ("account_status__OK", "$.AccountStatus.message", "SLEEPING")],
)
def test_what_no_table_names_is_put_aside(name: str, path: str, got: str) -> None:
    body = document(name)
    if "AccountStatus" in body:
        body["AccountStatus"]["message"] = "SLEEPING"
    with pytest.raises(ShapeError) as raised:
        read(body)
    assert (raised.value.code, raised.value.path, raised.value.got) == ("unknown_event_type", path, got)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("message_received__form_encoded.form", "$.sender"),
        ("message_received__renamed_keys", "$.type"),
        ("MALFORMED.raw", "$"),
    ],
)
def test_hooks_that_were_made_wrongly_are_put_aside(name: str, path: str) -> None:
    with pytest.raises(ShapeError) as raised:
        sample(name)
    assert raised.value.path == path


def test_the_sender_must_be_somebody() -> None:
    body = document("message_received__inbound")
    del body["sender"]["attendee_provider_id"]
    with pytest.raises(ShapeError) as raised:
        read(body)
    assert raised.value.path == "$.sender.attendee_provider_id"
