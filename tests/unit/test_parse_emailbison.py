"""EmailBison: variants of one reply, opt-outs, bounces, and keys that hold on every host."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.unit.test_parse_samples import RECEIVED, ZONE, parse, wire_body
from zrg_dagster.core.providers.emailbison.parse import parse as parse_body
from zrg_dagster.core.providers.records import MessageRecord, Parsed, Person, ShapeError


def document(file: str = "LEAD_REPLIED__basic") -> dict[str, Any]:
    return json.loads(wire_body(f"emailbison/{file}.json"))


def read(body: dict[str, Any], scope: str = "ws") -> Parsed:
    return parse_body(json.dumps(body).encode(), received_at=RECEIVED, workspace_timezone=ZONE, scope=scope)


def message(parsed: Parsed) -> MessageRecord:
    assert parsed.message is not None
    return parsed.message


def test_wrappers_read_as_the_plain_event() -> None:
    plain = document("LEAD_REPLIED__test_event_wrapper")["data"]
    expected = read(plain)
    assert read({"data": plain}) == expected
    assert read({"id": 1, "payload": plain}) == expected
    assert parse("emailbison/LEAD_REPLIED__test_event_wrapper.json", scope="ws") == expected


def test_two_hosts_with_the_same_reply_id_are_two_messages() -> None:
    one, other = document(), document()
    other["event"]["instance_url"] = "https://mail.other.example/"
    assert message(read(one)).key != message(read(other)).key
    del other["event"]["instance_url"]
    assert message(read(other, scope="ws")).key == "emailbison:ws:reply:4401877"


def test_interested_and_replied_are_one_message() -> None:
    replied = message(parse("emailbison/LEAD_REPLIED__basic.json"))
    interested = message(parse("emailbison/LEAD_INTERESTED__after_lead_replied.json"))
    assert interested.flags.provider_interested
    assert replace(interested, flags=replied.flags) == replied


def test_opt_out_is_kept_beside_the_vendors_interest() -> None:
    flags = message(parse("emailbison/LEAD_INTERESTED__but_opt_out_text.json")).flags
    assert (flags.opt_out, flags.opt_out_rule, flags.provider_interested) == (True, "en.unsubscribe", True)
    assert message(parse("emailbison/LEAD_REPLIED__opt_out.json")).flags.opt_out_rule == "en.remove_me"
    assert not message(parse("emailbison/LEAD_REPLIED__quoted_thread.json")).flags.opt_out


def test_campaign_text_with_unsubscribe_footer_is_not_judged() -> None:
    body = document("EMAIL_SENT__step1")
    body["data"]["scheduled_email"]["email_body"] = "<p>Hi</p><p>Unsubscribe me</p>"
    sent = message(read(body))
    assert (sent.body, sent.flags.opt_out, sent.source, sent.campaign_step_id) == (
        "Hi\nUnsubscribe me",
        False,
        "inboxxia_campaign",
        "1461",
    )


def test_somebody_else_replies() -> None:
    lead = parse("emailbison/LEAD_REPLIED__cc_replier.json").lead
    assert lead is not None
    assert lead.current_replier == Person("dita.lindqvist@brightloom.example", "Dita Lindqvist")
    assert lead.identities == (
        ("emailbison_lead", "90213"),
        ("linkedin_url", "https://linkedin.com/in/mara-okafor-brightloom"),
        ("email", "mara.okafor@brightloom.example"),
        ("alternate_email", "dita.lindqvist@brightloom.example"),
        ("phone", "+14155550132"),
    )


def test_our_own_mailbox_is_never_a_replier() -> None:
    body = document()
    body["data"]["reply"]["from_email_address"] = "Noor@try-harbourline.example"
    assert (read(body).outcome, read(body).reason) == ("ignore", "own_address")


@pytest.mark.parametrize("name", ["UNTRACKED_REPLY_RECEIVED__bounce_dsn", "UNTRACKED_REPLY_RECEIVED__bounce_google"])
def test_bounce_belongs_to_the_address_it_is_about(name: str) -> None:
    parsed = parse(f"emailbison/{name}.json")
    assert parsed.lead is not None
    assert parsed.lead.identities == (("email", "joren@pelicanfreight.example"),)
    assert (message(parsed).source, message(parsed).flags.bounce) == ("bounce", True)
    assert [(signal.kind, signal.value) for signal in parsed.signals] == [("bounce", "hard")]


def test_bounce_that_names_only_our_sender_is_ignored() -> None:
    body = document("UNTRACKED_REPLY_RECEIVED__bounce_google")
    body["data"]["reply"]["text_body"] = "Your message wasn't delivered to noor@try-harbourline.example because"
    assert read(body).reason == "bounce_recipient_unknown"


def test_a_delay_notice_suppresses_nobody() -> None:
    body = document("UNTRACKED_REPLY_RECEIVED__bounce_dsn")
    body["data"]["reply"]["text_body"] = (
        "Final-Recipient: rfc822; joren@pelicanfreight.example\nAction: delayed\nStatus: 4.4.1\n"
    )
    parsed = read(body)
    assert (message(parsed).flags.bounce, message(parsed).flags.auto_reply, parsed.signals[0].value) == (
        False,
        True,
        "soft",
    )


def test_bounced_reply_of_a_tracked_lead_stays_with_the_lead() -> None:
    body = document()
    body["data"]["reply"] |= {
        "from_email_address": "mailer-daemon@x.example",
        "text_body": "550 5.1.1 user unknown",
        "type": "Bounced",
    }
    parsed = read(body)
    assert parsed.lead is not None
    assert parsed.lead.identity("emailbison_lead") == "90213"
    assert parsed.lead.current_replier is None


def test_bounce_event_has_a_key_without_its_notice() -> None:
    body = document("EMAIL_BOUNCED__no_reply_object")
    del body["data"]["campaign_event"]
    parsed = read(body)
    assert parsed.message is None
    assert parsed.signals[0].key.startswith("emailbison:send.harbourline.example:bounced:")
    assert read(body).signals[0].key == parsed.signals[0].key


def test_out_of_office() -> None:
    flags = message(parse("emailbison/LEAD_REPLIED__auto_out_of_office.json")).flags
    assert (flags.auto_reply, flags.out_of_office, str(flags.returns_on)) == (True, True, "2026-03-16")


def test_manual_mail_confirms_a_send() -> None:
    parsed = parse("emailbison/MANUAL_EMAIL_SENT__reply.json")
    assert (message(parsed).direction, message(parsed).source, message(parsed).to_email) == (
        "outbound",
        "human",
        "mara.okafor@brightloom.example",
    )
    assert [(signal.kind, signal.parent_message_id) for signal in parsed.signals] == [("send_confirmed", "4401877")]


@pytest.mark.parametrize(
    ("name", "value"),
    [("ADDED", "added"), ("REMOVED", "removed"), ("DISCONNECTED", "disconnected"), ("RECONNECTED", "reconnected")],
)
def test_account_events_are_sender_health(name: str, value: str) -> None:
    (signal,) = parse(f"emailbison/EMAIL_ACCOUNT_{name}__basic.json").signals
    assert (signal.kind, signal.value, signal.account_id, signal.account_email) == (
        "sender_health",
        value,
        "512",
        "noor@try-harbourline.example",
    )


def test_unsubscribe_link() -> None:
    (signal,) = parse("emailbison/LEAD_UNSUBSCRIBED__basic.json").signals
    assert (signal.kind, signal.key, signal.detail) == (
        "opt_out",
        "emailbison:send.harbourline.example:event:88170",
        "vendor_unsubscribe",
    )


def test_attachment_only() -> None:
    body = document()
    body["data"]["reply"] |= {
        "text_body": "",
        "html_body": "<div><br></div>",
        "attachments": [{"url": "https://x.example/a.pdf"}],
    }
    assert message(read(body)).flags.attachment_only
    assert message(read(body)).attachments == ("https://x.example/a.pdf",)


def test_other_encodings_and_lone_surrogates_are_read() -> None:
    body = document()
    body["data"]["reply"]["text_body"] = "Ça va \ud83d"
    text = message(read(body)).body
    assert text.startswith("Ça va")
    text.encode()
    body["data"]["reply"]["text_body"] = "Ça va"
    for encoding in ("cp1252", "utf-8-sig", "utf-16"):
        raw = json.dumps(body, ensure_ascii=False).encode(encoding)
        assert message(parse_body(raw, received_at=RECEIVED, scope="ws")).body == "Ça va"


@pytest.mark.parametrize("value", [None, "", "  ", True, {}, [], 1.5, "x" * 300])
def test_broken_ids_name_the_path_and_no_value(value: object) -> None:
    body = document()
    body["data"]["reply"]["id"] = value
    with pytest.raises(ShapeError) as raised:
        read(body)
    assert (raised.value.path, raised.value.expected) == ("$.data.reply.id", "id")
    assert "mara" not in str(raised.value)


def test_unknown_type_is_named_only_if_it_looks_like_a_name() -> None:
    body = document()
    for event_type, got in (
        ("LEAD_SNEEZED", "LEAD_SNEEZED"),
        ("Mara Okafor <m@x.io>", "string"),
        (7, "number"),
        (None, "nothing"),
    ):
        body["event"]["type"] = event_type
        with pytest.raises(ShapeError) as raised:
            read(body)
        assert (raised.value.code, raised.value.got) == ("unknown_event_type", got)
