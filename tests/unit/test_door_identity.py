"""What a delivery says about itself: its routing keys in order, its event type, its key, the hosts it may name."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zrg_dagster.core.providers.calendly.door import DOOR as CALENDLY
from zrg_dagster.core.providers.clay.door import DOOR as CLAY
from zrg_dagster.core.providers.door import (
    FORM_TYPE,
    Delivery,
    Door,
    Identity,
    Refused,
    Route,
    delivery_key,
    kept_headers,
    label,
    parse_json,
    split_secrets,
)
from zrg_dagster.core.providers.emailbison.door import DOOR as EMAILBISON
from zrg_dagster.core.providers.ghl.door import DOOR as GHL
from zrg_dagster.core.providers.resend.door import DOOR as RESEND
from zrg_dagster.core.providers.slack.door import DOOR as SLACK
from zrg_dagster.core.providers.unipile.door import DOOR as UNIPILE

PAYLOADS = Path(__file__).parents[1] / "data" / "payloads"
NOW = datetime(2026, 3, 10, 17, 1, 13, tzinfo=UTC)
WORKSPACE = UUID(int=7)


def sample(file: str) -> bytes:
    return (PAYLOADS / file).read_bytes()


def said(body: bytes | dict[str, Any], query: dict[str, str] | None = None, **changes: Any) -> Delivery:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Delivery(**{
        "method": "POST", "path_params": {}, "query": query or {}, "headers": {}, "body": raw, "received_at": NOW,
        **changes,
    })  # fmt: skip


def keys(door: Door, delivery: Delivery) -> list[str]:
    assert door.route_keys is not None
    return [key.key for key in door.route_keys(delivery)]


def identity(door: Door, delivery: Delivery, *hosts: str) -> Identity:
    return door.identify(delivery, Route(door.provider, "k", WORKSPACE, "acme", frozenset(hosts)))


def click(**action: str) -> Delivery:
    payload = {"type": "block_actions", "team": {"id": "T1"}, "container": {"message_ts": "9.1"}, "actions": [action]}
    return said(urlencode({"payload": json.dumps(payload)}).encode(), content_type=FORM_TYPE)


def test_emailbison_asks_for_the_named_workspace_before_it_parses() -> None:
    assert EMAILBISON.route_keys is not None
    broken = said(b"{", {"clientId": "acme"})
    assert next(EMAILBISON.route_keys(broken)).key == "acme"
    with pytest.raises(Refused, match="400 invalid_json"):
        keys(EMAILBISON, broken)


@pytest.mark.parametrize("wrapper", ["basic", "test_event_wrapper", "events_api_wrapper"])
def test_emailbison_finds_the_event_in_every_wrapper(wrapper: str) -> None:
    delivery = said(sample(f"emailbison/LEAD_REPLIED__{wrapper}.json"))
    assert keys(EMAILBISON, delivery) == ["send.harbourline.example|41"]
    assert identity(EMAILBISON, delivery).event_type == "LEAD_REPLIED"


def test_emailbison_host_belongs_to_the_key_and_must_be_allowed() -> None:
    event = {"event": {"type": "lead_replied", "instance_url": "https://Send.Other.example:8443/x", "workspace_id": 41}}
    delivery = said(event)
    assert keys(EMAILBISON, delivery) == ["send.other.example|41"]
    assert [claim.key for claim in identity(EMAILBISON, delivery, "send.other.example").claims] == [
        "send.other.example|41"
    ]
    with pytest.raises(Refused, match="401 host_not_allowed"):
        identity(EMAILBISON, delivery, "send.harbourline.example")


@pytest.mark.parametrize("url", ["http://[::1", "", None, {"a": 1}, "https://"])
def test_emailbison_survives_an_address_that_is_none(url: object) -> None:
    delivery = said({"event": {"type": "X", "instance_url": url, "workspace_id": 41}})
    assert len(identity(EMAILBISON, delivery, "send.harbourline.example").delivery_key) == 32
    assert keys(EMAILBISON, said({"event": {"instance_url": url}})) == []


@pytest.mark.parametrize("door", [EMAILBISON, GHL], ids=lambda door: door.provider)
def test_secret_comes_in_header_or_query(door: Door) -> None:
    door.verify(said(b"{}", {"key": "s3cret"}), ["s3cret"], NOW)
    door.verify(said(b"{}", headers={"x-zrg-key": "s3cret"}), ["newer", "s3cret"], NOW)
    for query in ({}, {"key": ""}, {"key": "s3cre"}, {"key": "s3cret "}, {"key": "s3crét"}):
        with pytest.raises(Refused, match="401 bad_secret"):
            door.verify(said(b"{}", query), ["s3cret"], NOW)


def test_ghl_routes_by_query_then_body() -> None:
    body = {"location": {"id": "L1"}, "locationId": "L2"}
    assert keys(GHL, said(body)) == ["L1"]
    assert keys(GHL, said(body, {"locationId": "L3"})) == ["L3", "L1"]
    assert keys(GHL, said({"locationId": "L2"})) == ["L2"]
    assert keys(GHL, said(sample("ghl/sms_inbound__missing_location.json"))) == []


def test_ghl_second_ok_without_a_time_is_another_delivery_but_a_retry_is_not() -> None:
    body = sample("ghl/sms_inbound__no_date_fields.json")
    first = identity(GHL, said(body))
    assert identity(GHL, said(body, received_at=NOW + timedelta(seconds=20))) == first
    assert identity(GHL, said(body, received_at=NOW + timedelta(days=2))).delivery_key != first.delivery_key
    timed = sample("ghl/sms_inbound__basic.json")
    assert identity(GHL, said(timed)) == identity(GHL, said(timed, received_at=NOW + timedelta(days=2)))


def test_ghl_app_webhook_is_named_by_its_id() -> None:
    one = said({"type": "InboundMessage", "webhookId": "w1", "locationId": "L1", "timestamp": "a"})
    again = said({"timestamp": "b", "type": "InboundMessage", "webhookId": "w1", "locationId": "L1"})
    assert identity(GHL, one) == identity(GHL, again)
    assert identity(GHL, one).event_type == "InboundMessage"


def test_calendly_routes_by_path_and_types_by_event() -> None:
    delivery = said(sample("calendly/invitee.created__basic.json"), path_params={"workspace": "acme"})
    assert keys(CALENDLY, delivery) == ["acme"]
    assert identity(CALENDLY, delivery).event_type == "invitee.created"


def test_slack_click_is_named_by_stamp_action_and_card() -> None:
    first = click(action_ts="1.1", action_id="approve_send", value="a")
    assert SLACK.identify(first, None) == SLACK.identify(click(action_ts="1.1", action_id="approve_send"), None)
    assert SLACK.identify(first, None).event_type == "block_actions"
    assert SLACK.identify(first, None).scope == "T1"
    others = [click(action_ts="1.2", action_id="approve_send"), click(action_ts="1.1", action_id="reject")]
    assert len({SLACK.identify(each, None).delivery_key for each in (first, *others)}) == 3


def test_slack_answers_its_handshakes() -> None:
    check = said(b"ssl_check=1&token=x", content_type=FORM_TYPE)
    assert (reply := SLACK.reply_before_auth(check))
    assert reply.body == b""
    assert SLACK.reply_before_auth(said(b"payload=%7B%7D&x=ssl_check=1", content_type=FORM_TYPE)) is None
    challenge = said(sample("slack/url_verification.json"), content_type="application/json")
    assert (reply := SLACK.reply_after_auth(challenge))
    assert json.loads(reply.body)["challenge"] == json.loads(challenge.body)["challenge"]


def test_unipile_routes_by_every_account_that_the_body_names() -> None:
    assert keys(UNIPILE, said(sample("unipile/message_received__inbound.json"))) == ["Kd82nVtQRcW0pZ5mXyLs4A"]
    assert keys(UNIPILE, said(sample("unipile/account_status__OK.json"))) == ["Kd82nVtQRcW0pZ5mXyLs4A"]
    two = said({"account_id": "A", "AccountStatus": {"account_id": "B"}})
    assert keys(UNIPILE, two) == ["A", "B"]
    assert [claim.key for claim in identity(UNIPILE, two).claims] == ["A", "B"]
    assert keys(UNIPILE, said(sample("unipile/message_received__renamed_keys.json"))) == []


def test_unipile_reads_forms_and_json_whatever_the_content_type_says() -> None:
    form = b"account_id=A&event=message_received&message_id=m1"
    assert keys(UNIPILE, said(form, content_type=FORM_TYPE)) == ["A"]
    assert identity(UNIPILE, said(form, content_type=FORM_TYPE)).event_type == "message_received"
    for content_type in ("", "text/plain", FORM_TYPE):
        assert content_type in UNIPILE.content_types
        assert keys(UNIPILE, said(b' {"account_id": "A"}', content_type=content_type)) == ["A"]
    for broken in (said(b"{'event': 1}"), said(b"\xff=1", content_type=FORM_TYPE)):
        with pytest.raises(Refused) as refusal:
            keys(UNIPILE, broken)
        assert refusal.value.status == 400


def test_unipile_wants_its_header() -> None:
    UNIPILE.verify(said(b"{}", headers={"x-unipile-secret": "s3cret"}), ["newer", "s3cret"], NOW)
    for headers in ({}, {"x-unipile-secret": ""}, {"x-unipile-secret": "S3cret"}, {"x-zrg-key": "s3cret"}):
        with pytest.raises(Refused, match="401 bad_secret"):
            UNIPILE.verify(said(b"{}", headers=headers), ["s3cret"], NOW)


def test_unipile_second_loss_of_a_login_is_another_delivery_but_a_retry_is_not() -> None:
    status, message = (
        sample("unipile/account_status__CREDENTIALS.json"),
        sample("unipile/message_received__missing_timestamp.json"),
    )
    for seconds, same in ((20, True), (3600, False)):
        later = NOW + timedelta(seconds=seconds)
        again = identity(UNIPILE, said(status, received_at=later))
        assert (again == identity(UNIPILE, said(status))) is same
        assert identity(UNIPILE, said(message, received_at=later)) == identity(UNIPILE, said(message))
    assert identity(UNIPILE, said(status)).event_type == "AccountStatus"


CLAY_VECTOR = b'{"leadId":"L1","enrichmentType":"phone","status":"success","phone":"+14155550132"}'
CLAY_HMAC = "cf7cf32f6fe7d2e6c2787690180bf59d969d4c31d24fe46aa3a04740086b9e05"


@pytest.mark.parametrize("header", ["x-clay-signature", "x-webhook-signature"])
@pytest.mark.parametrize("given", ["clay-static-9be2", CLAY_HMAC, CLAY_HMAC.upper()])
def test_clay_takes_the_secret_or_the_hmac_made_with_it(header: str, given: str) -> None:
    CLAY.verify(said(CLAY_VECTOR, headers={header: given}), ["newer", "clay-static-9be2"], NOW)
    for body, wrong in ((CLAY_VECTOR, given[:-1]), (CLAY_VECTOR, ""), (CLAY_VECTOR + b" ", CLAY_HMAC)):
        with pytest.raises(Refused, match="401 bad_secret"):
            CLAY.verify(said(body, headers={header: wrong}), ["clay-static-9be2"], NOW)


def test_clay_routes_by_query_and_tells_a_second_run_from_a_retry() -> None:
    delivery = said(CLAY_VECTOR, {"clientId": "acme"})
    assert keys(CLAY, delivery) == ["acme"]
    assert keys(CLAY, said(CLAY_VECTOR)) == []
    assert identity(CLAY, delivery).event_type == "phone"
    assert identity(CLAY, said(CLAY_VECTOR, received_at=NOW + timedelta(seconds=20))) == identity(CLAY, delivery)
    later = said(CLAY_VECTOR, received_at=NOW + timedelta(days=1))
    assert identity(CLAY, later).delivery_key != identity(CLAY, delivery).delivery_key
    assert identity(CLAY, said({"type": ["odd"]})).event_type == "unknown"


def test_resend_is_named_by_its_signed_id() -> None:
    body = sample("resend/email.bounced__permanent.json")
    first = said(body, {"clientId": "acme"}, headers={"svix-id": "msg_1"})
    assert keys(RESEND, first) == ["acme"]
    assert identity(RESEND, first).event_type == "email.bounced"
    assert identity(RESEND, said(body, headers={"webhook-id": "msg_1"})) == identity(RESEND, first)
    assert identity(RESEND, said(body, headers={"svix-id": "msg_2"})) != identity(RESEND, first)


@pytest.mark.parametrize("body", [b"payload=%7B", b"\xff\xfe", b"a=1&" * 100])
def test_slack_form_that_cannot_be_read_is_malformed(body: bytes) -> None:
    with pytest.raises(Refused) as refusal:
        SLACK.identify(said(body, content_type=FORM_TYPE), None)
    assert refusal.value.status == 400


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xff", b"[" * 200_000, b'{"a":1}x'])
def test_undecodable_json_is_malformed(body: bytes) -> None:
    with pytest.raises(Refused, match="400 invalid_json"):
        parse_json(body)


def test_json_that_is_odd_but_readable_is_taken() -> None:
    assert parse_json(b'{"n": ' + b"9" * 6000 + b"}") == {"n": "9" * 6000}
    assert parse_json(b'{"text": "two\nlines"}') == {"text": "two\nlines"}
    assert parse_json(b"\xef\xbb\xbf[1]") == ["1"]
    assert identity(EMAILBISON, said(b"[1, 2]")).event_type == "unknown"


@given(st.text(max_size=200))
def test_label_always_fits_a_text_column(value: str) -> None:
    short = label(value)
    assert 0 < len(short) <= 120
    assert short.isprintable()
    short.encode("utf-8")


@given(st.lists(st.text(max_size=5), min_size=1, max_size=4), st.lists(st.text(max_size=5), min_size=1, max_size=4))
def test_keys_are_equal_only_for_equal_parts(left: list[str], right: list[str]) -> None:
    assert (delivery_key("p", "s", "e", *left) == delivery_key("p", "s", "e", *right)) == (left == right)


def test_headers_kept_are_few_short_and_never_secret() -> None:
    kept = kept_headers({
        "user-agent": "Bot/1 \x00é" + "x" * 999, "authorization": "Bearer s3cret", "cookie": "a=b",
        "x-zrg-key": "s3cret", "x-slack-signature": "v0=s3cret", "calendly-webhook-signature": "t=1,v1=s3cret",
        "svix-id": "msg_1",
    })  # fmt: skip
    assert set(json.loads(kept)) == {"user-agent", "svix-id"}
    assert len(json.loads(kept)["user-agent"]) == 256
    assert b"s3cret" not in kept
    assert b"\x00" not in kept


def test_several_secrets_come_newest_first() -> None:
    assert split_secrets("new,old") == ("new", "old")
    assert split_secrets(",one,") == ("one",)
