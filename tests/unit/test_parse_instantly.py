"""Instantly: both shapes, labels, notices, and what an answer will need."""

import json
from typing import Any

import pytest

from tests.unit.test_parse_samples import RECEIVED, ZONE, parse, wire_body
from zrg_dagster.core.providers.instantly.parse import LABELS
from zrg_dagster.core.providers.instantly.parse import parse as parse_body
from zrg_dagster.core.providers.records import CampaignRef, LeadRecord, MessageRecord, Parsed, ShapeError

LEAD, OURS = "p.achterberg@kelpmotor.example", "sol@meet-kelp.example"
EMAIL_ID = "01958f11-9f0a-7d41-bb0c-2a3b4c5d6e7f"


def document(file: str = "reply_received__v2") -> dict[str, Any]:
    return json.loads(wire_body(f"instantly/{file}.json"))


def read(body: dict[str, Any], scope: str = "ws") -> Parsed:
    return parse_body(json.dumps(body).encode(), received_at=RECEIVED, workspace_timezone=ZONE, scope=scope)


def message(parsed: Parsed) -> MessageRecord:
    assert parsed.message is not None
    return parsed.message


def lead(parsed: Parsed) -> LeadRecord:
    assert parsed.lead is not None
    return parsed.lead


@pytest.mark.parametrize("name", ["v2", "legacy_orig_shape", "no_timestamp"])
def test_every_shape_of_one_reply_is_one_message_of_one_lead(name: str) -> None:
    parsed = parse(f"instantly/reply_received__{name}.json", scope="ws")
    told = message(parsed)
    assert told.key == f"instantly:ws:reply:{EMAIL_ID}"
    assert (told.from_email, told.to_email, told.thread_handle, told.subject) == (
        LEAD,
        OURS,
        EMAIL_ID,
        "Re: winter berths",
    )
    found = lead(parsed)
    assert (found.first_name, found.last_name, found.sender_account_id) == ("Pim", "Achterberg", OURS)
    assert found.campaign == CampaignRef("instantly", "01958a90-4c1d-7b3e-8a6f-9c0d1e2f3a4b", "Boat yards Q1")


def test_columns_of_the_list_make_the_lead() -> None:
    found = lead(parse("instantly/reply_received__v2.json"))
    assert found.identities == (
        ("linkedin_url", "https://linkedin.com/in/pim-achterberg"),
        ("email", LEAD),
        ("phone", "+31205550199"),
    )
    assert (found.company_name, found.company_website) == ("Kelp Motor", "https://kelpmotor.example")


def test_times_are_read_in_both_forms() -> None:
    body = document()
    body["timestamp"] = "2026-03-10T16:30:00.500Z"
    assert message(read(body)).sent_at.isoformat() == "2026-03-10T16:30:00.500000+00:00"
    body["timestamp"] = 1773160200500
    assert message(read(body)).sent_at.isoformat() == "2026-03-10T16:30:00.500000+00:00"
    del body["timestamp"]
    assert (message(read(body)).sent_at, message(read(body)).sent_at_quality) == (RECEIVED, "receipt")


def test_without_an_id_the_words_name_the_reply_and_there_is_nothing_to_answer_to() -> None:
    told = message(parse("instantly/reply_received__missing_email_id.json"))
    assert (told.provider_message_id, told.thread_handle) == (None, None)
    body = document("reply_received__missing_email_id")
    other = body | {"timestamp": "2026-03-11T18:45:02.311Z"}
    assert len({message(read(each)).key for each in (body, body, other)}) == 2


def test_automatic_answers_are_marked() -> None:
    flags = message(parse("instantly/auto_reply_received__basic.json")).flags
    assert (flags.auto_reply, flags.out_of_office) == (True, True)
    body = document("auto_reply_received__basic") | {"reply_text": "Thank you for your mail."}
    assert message(read(body)).flags.auto_reply
    body["event_type"] = "reply_received"
    assert not message(read(body)).flags.auto_reply


def test_the_snippet_is_read_only_when_there_is_no_body() -> None:
    body = document() | {"reply_text": "", "reply_html": " "}
    assert message(read(body)).body == "Tell me more"
    assert message(parse("instantly/reply_received__html_only.json")).body == "Not now,\ntry in June"


def test_opt_out_counts_in_the_reply_and_not_in_our_quoted_footer() -> None:
    body = document() | {"reply_text": "Unsubscribe me please"}
    assert message(read(body)).flags.opt_out
    body["reply_text"] = "Fine.\n\nOn Tue, 10 Mar 2026 at 09:00, Sol <sol@meet-kelp.example> wrote:\n> Unsubscribe here"
    assert not message(read(body)).flags.opt_out


@pytest.mark.parametrize("name", ["lead_unsubscribed__v2", "unsubscribed__legacy_orig_shape"])
def test_an_unsubscribe_of_either_name_is_a_stop(name: str) -> None:
    (signal,) = parse(f"instantly/{name}.json", scope="ws").signals
    assert (signal.kind, signal.key, signal.detail) == ("opt_out", f"instantly:ws:unsub:{LEAD}", "vendor_unsubscribe")


def test_a_notice_among_the_replies_is_a_bounce() -> None:
    body = document() | {"reply_text": f"Final-Recipient: rfc822; {LEAD}\nAction: failed\nStatus: 5.1.1\n"}
    parsed = read(body)
    assert (message(parsed).source, lead(parsed).email) == ("bounce", LEAD)
    assert [(signal.kind, signal.value) for signal in parsed.signals] == [("bounce", "hard")]
    (signal,) = parse("instantly/email_bounced__basic.json").signals
    assert (signal.kind, signal.value, signal.detail) == ("bounce", "hard", "vendor_event")


@pytest.mark.parametrize("event_type", sorted(LABELS))
def test_labels_are_the_vendors_word(event_type: str) -> None:
    (signal,) = parse(f"instantly/{event_type}__basic.json").signals
    assert (signal.kind, signal.value) == ("provider_category", LABELS[event_type])


def test_a_label_of_a_user_is_kept_as_text_and_do_not_contact_is_a_stop() -> None:
    parsed = parse("instantly/custom_label__basic.json")
    assert (parsed.event_type, parsed.reason) == ("Call back in Q3", "custom_label")
    stop = read(document("custom_label__basic") | {"event_type": "Do not contact!"})
    assert [signal.kind for signal in stop.signals] == ["provider_category", "opt_out"]


@pytest.mark.parametrize(
    ("event_type", "got"),
    [("lead_sneezed", "lead_sneezed"), (7, "number"), (None, "nothing"), ("", "string"), ({}, "object")],
)
def test_a_new_event_of_the_vendor_is_never_taken_for_a_label(event_type: object, got: str) -> None:
    with pytest.raises(ShapeError) as raised:
        read(document() | {"event_type": event_type})
    assert (raised.value.code, raised.value.path, raised.value.got) == ("unknown_event_type", "$.event_type", got)
    with pytest.raises(ShapeError, match="unknown_event_type"):  # a label is on a lead
        read({"event_type": "Call back in Q3"})


def test_an_account_in_trouble_is_sender_health() -> None:
    (signal,) = parse("instantly/account_error__basic.json").signals
    assert (signal.kind, signal.value, signal.account_id, signal.account_email) == (
        "sender_health",
        "disconnected",
        OURS,
        OURS,
    )


def test_a_campaign_step() -> None:
    sent = message(parse("instantly/email_sent__basic.json"))
    assert (sent.direction, sent.source, sent.campaign_step_id) == ("outbound", "inboxxia_campaign", "1")
    assert (sent.from_email, sent.to_email, sent.subject) == (OURS, LEAD, "winter berths")


@pytest.mark.parametrize(
    ("file", "missing", "path"),
    [
        ("reply_received__v2", "lead_email", "$.lead_email"),
        ("lead_unsubscribed__v2", "lead_email", "$.lead_email"),
        ("email_bounced__basic", "lead_email", "$.lead_email"),
        ("lead_interested__basic", "lead_email", "$.lead_email"),
        ("email_sent__basic", "email_id", "$.email_id"),
        ("account_error__basic", "email_account", "$.email_account"),
    ],
)
def test_what_is_missing_is_named_by_its_path(file: str, missing: str, path: str) -> None:
    body = document(file)
    del body[missing]
    with pytest.raises(ShapeError) as raised:
        read(body)
    assert (raised.value.path, raised.value.code) == (path, "shape_mismatch")


def test_our_own_mailbox_is_never_a_lead() -> None:
    assert read(document() | {"lead_email": OURS}).reason == "own_address"
