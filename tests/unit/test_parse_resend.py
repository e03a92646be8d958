"""Resend: what an operator is told about our own mail, and what is left alone."""

import json
from typing import Any

import pytest

from tests.unit.test_parse_samples import RECEIVED, parse, wire_body
from zrg_dagster.core.providers.records import Parsed, ShapeError
from zrg_dagster.core.providers.resend.parse import parse as parse_body

MAIL = "0f7d2c1a-9b3e-4e55-8c1d-7a60b2e4f913"


def document(name: str) -> dict[str, Any]:
    return json.loads(wire_body(f"resend/{name}.json"))


def read(body: dict[str, Any]) -> Parsed:
    return parse_body(json.dumps(body).encode(), received_at=RECEIVED, scope="ws")


@pytest.mark.parametrize(
    ("file", "value", "detail"),
    [
        ("email.bounced__permanent", "bounced", "permanent"),
        ("email.bounced__transient", "bounced", "transient"),
        ("email.complained__basic", "complained", None),
        ("email.suppressed__previous_bounce", "suppressed", "previous_bounce"),
        ("email.failed__quota", "failed", "reached_daily_quota"),
    ],
)
def test_mail_that_did_not_arrive(file: str, value: str, detail: str | None) -> None:
    [signal] = parse(f"resend/{file}.json").signals
    assert (signal.kind, signal.value, signal.detail) == ("notification_mail", value, detail)
    assert (signal.account_email, signal.provider_message_id) == ("noor@harbourline.example", MAIL)


def test_each_recipient_is_told_of_once() -> None:
    body = document("email.complained__basic")
    body["data"]["to"] = [
        "Noor <NOOR@harbourline.example>",
        "noor@harbourline.example",
        "Lee <lee@harbourline.example>",
        7,
    ]
    signals = read(body).signals
    assert {signal.account_email for signal in signals} == {"noor@harbourline.example", "lee@harbourline.example"}
    assert len({signal.key for signal in signals}) == len(signals) == 2


def test_the_vendor_s_sentences_are_not_kept() -> None:
    body = document("email.bounced__permanent")
    body["data"]["bounce"]["type"] = "Mara Okafor <mara@x.example> has left the company"
    [signal] = read(body).signals
    assert signal.detail is None


def test_a_domain_that_lost_its_verification() -> None:
    [signal] = parse("resend/domain.updated__failed.json").signals
    assert (signal.value, signal.account_id) == ("domain_failed", "mail.harbourline.example")
    body = document("domain.updated__failed")
    body["data"]["status"] = "verified"
    assert read(body).reason == "log_only"


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"type": "email.teleported"}, "$.type", "unknown_event_type"),
        ({"data": None}, "$.data", "shape_mismatch"),
        ({"data": {"to": ["noor@harbourline.example"]}}, "$.data.email_id", "shape_mismatch"),
        ({"data": {"email_id": MAIL, "to": []}}, "$.data.to", "shape_mismatch"),
    ],
)
def test_what_does_not_fit_is_put_aside(changes: dict[str, Any], path: str, code: str) -> None:
    with pytest.raises(ShapeError) as raised:
        read(document("email.bounced__permanent") | changes)
    assert (raised.value.path, raised.value.code) == (path, code)
