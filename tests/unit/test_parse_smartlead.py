"""SmartLead: who is who in each family of payloads, bodies, notices, categories, and keys."""

import json
from typing import Any

import pytest

from tests.unit.test_parse_samples import RECEIVED, ZONE, parse, wire_body
from zrg_dagster.core.providers.records import CampaignRef, LeadRecord, MessageRecord, Parsed, Person, ShapeError
from zrg_dagster.core.providers.smartlead.parse import parse as parse_body

LEAD, OURS = "joren@pelicanfreight.example", "ava@go-pelican.example"


def document(file: str = "EMAIL_REPLY__docs_flat") -> dict[str, Any]:
    return json.loads(wire_body(f"smartlead/{file}.json"))


def read(body: dict[str, Any], scope: str = "ws") -> Parsed:
    return parse_body(json.dumps(body).encode(), received_at=RECEIVED, workspace_timezone=ZONE, scope=scope)


def message(parsed: Parsed) -> MessageRecord:
    assert parsed.message is not None
    return parsed.message


def lead(parsed: Parsed) -> LeadRecord:
    assert parsed.lead is not None
    return parsed.lead


@pytest.mark.parametrize("name", ["docs_flat", "legacy_orig_shape"])
def test_both_directions_agree_on_who_is_who(name: str) -> None:
    parsed = parse(f"smartlead/EMAIL_REPLY__{name}.json")
    assert lead(parsed).identities == (("email", LEAD),)
    assert (lead(parsed).current_replier, lead(parsed).sender_account_id) == (None, OURS)
    assert (message(parsed).from_email, message(parsed).from_name) == (LEAD, "Joren Vasquez")
    assert message(parsed).to_email == OURS
    assert lead(parsed).campaign == CampaignRef("smartlead", "88412", "3PL founders")


def test_the_newer_guide_names_no_mailbox_and_no_thread() -> None:
    parsed = parse("smartlead/EMAIL_REPLIED__nested_new_docs.json")
    assert (lead(parsed).first_name, lead(parsed).last_name, lead(parsed).company_name) == (
        "Joren",
        "Vasquez",
        "Pelican Freight",
    )
    assert lead(parsed).sender_account_id == "3301"
    told = message(parsed)
    assert (told.to_email, told.thread_handle, told.provider_message_id, told.subject) == (
        None,
        None,
        None,
        "Re: detention fees",
    )


def test_columns_of_the_list_are_read_under_any_spelling() -> None:
    body = document("EMAIL_REPLIED__nested_new_docs")
    body["lead"] |= {
        "phone_number": "(415) 555-0132",
        "custom_fields": {
            "LinkedIn Profile": "https://www.linkedin.com/in/joren",
            "Job Title": "-",
            "title": "Founder",
        },
    }
    found = lead(read(body))
    assert found.identities == (
        ("linkedin_url", "https://linkedin.com/in/joren"),
        ("email", LEAD),
        ("phone", "+14155550132"),
    )
    assert found.job_title == "Founder"


def test_somebody_else_replies() -> None:
    parsed = parse("smartlead/EMAIL_REPLY__alias_replier.json")
    found = lead(parsed)
    assert found.current_replier == Person("ops@pelicanfreight.example", "Pelican Ops")
    assert found.identities == (("email", LEAD), ("alternate_email", "ops@pelicanfreight.example"))
    assert (found.first_name, found.full_name) == (None, None)  # `to_name` is the replier's
    turned = document("EMAIL_REPLY__legacy_orig_shape") | {
        "from_email": "ops@pelicanfreight.example",
        "lead_correspondence": {"targetLeadEmail": LEAD, "replyReceivedFrom": "ops@pelicanfreight.example"},
    }
    found = lead(read(turned))
    assert (found.current_replier, found.sender_account_id) == (Person("ops@pelicanfreight.example"), OURS)
    assert (found.first_name, found.last_name) == ("Joren", "Vasquez")


def test_our_own_mailbox_is_never_a_replier() -> None:
    body = document()
    body["leadCorrespondence"]["replyReceivedFrom"] = OURS
    assert (read(body).outcome, read(body).reason) == ("ignore", "own_address")
    untracked = document("UNTRACKED_REPLIES__basic") | {"sender_detail": f"Ava Lim <{OURS}>"}
    assert read(untracked).reason == "own_address"


def test_the_lead_is_found_in_every_place_that_names_it() -> None:
    body = document("LEAD_UNSUBSCRIBED__docs")
    for name in ("lead_email", "to_email"):
        assert read(body).signals[0].key == f"smartlead:ws:unsub:{LEAD}"
        del body[name]
    with pytest.raises(ShapeError) as raised:
        read(body)
    assert raised.value.path == "$.sl_lead_email"
    for name in ("LEAD_UNSUBSCRIBED__legacy", "LEAD_UNSUBSCRIBED__docs"):
        (signal,) = parse(f"smartlead/{name}.json").signals
        assert (signal.kind, signal.value, signal.detail) == ("opt_out", "opted_out", "vendor_unsubscribe")
    assert read({"event": "EMAIL_UNSUBSCRIBED", "lead": {"email": LEAD}}).signals[0].key == f"smartlead:ws:unsub:{LEAD}"


def test_the_preview_is_read_only_when_there_is_no_body() -> None:
    body = document() | {"preview_text": "What does it co…"}
    assert message(read(body)).body == "What does it cost?"
    body["reply_message"] = {"text": " ", "html": None}
    body["reply_body"] = "<p>What does it cost?</p><blockquote>Hi Joren</blockquote>"
    assert message(read(body)).body == "What does it cost?"
    body["reply_body"] = "Plain words,\n\n> quoted"
    assert message(read(body)).body == "Plain words,"
    body["reply_body"] = ""
    assert message(read(body)).body == "What does it co…"


def test_opt_out_counts_in_the_reply_and_not_in_our_quoted_footer() -> None:
    body = document()
    body["reply_message"]["text"] = "Please remove me from your list."
    assert message(read(body)).flags.opt_out
    body["reply_message"]["text"] = "Yes, Thursday.\n\nOn Mon, Mar 9, 2026 at 7:00 AM Ava wrote:\n> Unsubscribe here"
    assert not message(read(body)).flags.opt_out


def test_two_answers_without_an_id_are_two_messages_and_a_retry_is_one() -> None:
    body = document("EMAIL_REPLIED__nested_new_docs")
    first = message(read(body)).key
    assert message(read(body | {"sequence_number": 3})).key == first
    body["reply"] |= {"received_at": "2026-03-11T15:20:30Z"}
    assert message(read(body)).key != first


def test_the_id_of_our_own_mail_never_names_a_reply() -> None:
    body = document()
    body["reply_message"]["message_id"] = None
    body["message_id"] = body["sent_message"]["message_id"]
    assert message(read(body)).provider_message_id is None
    assert "sl-771" not in message(read(body)).key


def test_a_thread_without_its_stats_id_has_no_handle() -> None:
    assert message(parse("smartlead/EMAIL_REPLY__missing_stats_id.json")).thread_handle is None
    assert message(parse("smartlead/UNTRACKED_REPLIES__basic.json")).thread_handle is None
    handle = message(parse("smartlead/EMAIL_REPLY__docs_flat.json")).thread_handle
    assert handle == "88412:1c7e55aa-88a0-4c59-9f0e-f0a2c1d3b6e7"


def test_copies_are_read_from_lists_and_from_text() -> None:
    assert message(parse("smartlead/EMAIL_REPLY__legacy_orig_shape.json")).cc == (Person("fin@pelicanfreight.example"),)
    body = document("UNTRACKED_REPLIES__basic") | {"cc": "Fin <fin@pelicanfreight.example>, x@y.example"}
    assert message(read(body)).cc == (Person("fin@pelicanfreight.example", "Fin"), Person("x@y.example"))


def test_a_campaign_step_is_told_by_its_stats_id() -> None:
    sent = message(parse("smartlead/EMAIL_SENT__basic.json"))
    assert (sent.direction, sent.source, sent.campaign_step_id) == ("outbound", "inboxxia_campaign", "1")
    assert (sent.from_email, sent.to_email, sent.internet_message_id) == (OURS, LEAD, "<sl-771@go-pelican.example>")
    body = document("EMAIL_SENT__basic")
    del body["stats_id"]
    assert message(read(body)).key == "smartlead:ws:sent:<sl-771@go-pelican.example>"
    del body["message_id"], body["sent_message"]
    with pytest.raises(ShapeError) as raised:
        read(body)
    assert (raised.value.path, raised.value.expected) == ("$.stats_id", "id")


def test_a_bounce_is_hard_unless_the_notice_speaks_of_a_delay() -> None:
    (signal,) = parse("smartlead/EMAIL_BOUNCE__basic.json").signals
    assert (signal.kind, signal.value, signal.detail) == ("bounce", "hard", "vendor_event")
    assert signal.at.isoformat() == "2026-03-09T14:00:09+00:00"
    body = document("EMAIL_BOUNCE__basic")
    body["bounce_message"]["text"] = "Action: delayed\nStatus: 4.4.1"
    assert read(body).signals[0].value == "soft"
    del body["bounce_message"]
    assert read(body).signals[0].value == "hard"


NOTICE = "Final-Recipient: rfc822; joren@pelicanfreight.example\nAction: failed\nStatus: 5.1.1\n"


def test_a_notice_among_the_replies_is_about_the_lead() -> None:
    body = document()
    body["leadCorrespondence"] = {"targetLeadEmail": LEAD, "replyReceivedFrom": "mailer-daemon@mail.example"}
    body["reply_message"]["text"] = NOTICE
    parsed = read(body)
    assert (message(parsed).source, lead(parsed).email, lead(parsed).current_replier) == ("bounce", LEAD, None)
    assert [(signal.kind, signal.value) for signal in parsed.signals] == [("bounce", "hard")]


def test_an_untracked_notice_is_about_the_address_in_it() -> None:
    body = document("UNTRACKED_REPLIES__basic") | {"sender_detail": "Mail System <mailer-daemon@mail.example>"}
    body["reply_message"] = {"message_id": "<n-1@mail.example>", "text": NOTICE, "html": None}
    assert lead(read(body)).identities == (("email", LEAD),)
    body["reply_message"]["text"] = f"Delivery to {OURS} failed permanently"
    assert read(body).reason == "bounce_recipient_unknown"


def test_a_category_is_the_vendors_word_and_do_not_contact_is_a_stop() -> None:
    (signal,) = parse("smartlead/LEAD_CATEGORY_UPDATED__interested.json").signals
    assert (signal.kind, signal.value) == ("provider_category", "Interested")
    body = document("LEAD_CATEGORY_UPDATED__interested")
    body["lead_category"]["new_name"] = "Do Not Contact"
    signals = read(body).signals
    assert [(each.kind, each.detail) for each in signals] == [("provider_category", None), ("opt_out", "vendor_label")]
    body["lead_category"]["new_name"] = None
    assert read(body).reason == "category_cleared"
    del body["lead_category"]
    with pytest.raises(ShapeError, match=r"\$\.lead_category"):
        read(body)


def test_sender_health() -> None:
    (signal,) = parse("smartlead/EMAIL_ACCOUNT_DISCONNECTED__basic.json").signals
    assert (signal.kind, signal.value, signal.account_id, signal.account_email) == (
        "sender_health",
        "disconnected",
        "3301",
        OURS,
    )
    warned = parse("smartlead/CAMPAIGN_BOUNCE_THRESHOLD__basic.json")
    assert (warned.signals[0].value, warned.signals[0].detail, lead(warned).campaign) == (
        "degraded",
        "bounce_threshold",
        CampaignRef("smartlead", "88412", "3PL founders"),
    )


@pytest.mark.parametrize(
    ("event_type", "got"),
    [("EMAIL_SNEEZED", "EMAIL_SNEEZED"), ("Joren <joren@x.example>", "string"), (7, "number"), (None, "nothing")],
)
def test_an_unknown_type_is_named_only_if_it_looks_like_a_name(event_type: object, got: str) -> None:
    with pytest.raises(ShapeError) as raised:
        read(document() | {"event_type": event_type})
    assert (raised.value.code, raised.value.path, raised.value.got) == ("unknown_event_type", "$.event_type", got)


def test_a_reply_that_names_nobody_is_put_aside() -> None:
    with pytest.raises(ShapeError) as raised:
        read({"event_type": "EMAIL_REPLY", "reply_message": {"text": "joren says hi"}})
    assert (raised.value.path, "joren" in str(raised.value)) == ("$.sl_lead_email", False)
    with pytest.raises(ShapeError, match=r"\$\.sender_detail"):
        read(document("UNTRACKED_REPLIES__basic") | {"sender_detail": "nobody"})
