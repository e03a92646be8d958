"""The doors of SmartLead and Instantly: every place where a proof may stand, wrong and missing ones, and rotation."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from tests.unit.test_parse_samples import PAYLOADS, wire_body
from zrg_dagster.core.providers.door import Delivery, Door, Refused, Route
from zrg_dagster.core.providers.instantly.door import DOOR as INSTANTLY
from zrg_dagster.core.providers.smartlead.door import DOOR as SMARTLEAD

NOW = datetime(2026, 3, 10, 17, 1, 13, tzinfo=UTC)
SECRET = "sl-6e0b2f44-hook"
SIGNED: list[dict[str, Any]] = [
    entry for entry in json.loads((PAYLOADS / "signatures.json").read_text()) if entry["scheme"].startswith("smartlead")
]


def said(body: bytes, query: Mapping[str, str] | None = None, **headers: str) -> Delivery:
    lower = {name.lower().replace("_", "-"): value for name, value in headers.items()}
    return Delivery("POST", {}, query or {}, lower, body, NOW)


def refusal(door: Door, delivery: Delivery, *secrets: str) -> str | None:
    try:
        door.verify(delivery, secrets, NOW)
    except Refused as refused:
        return f"{refused.status} {refused.code}"
    return None


def key_of(door: Door, delivery: Delivery) -> bytes:
    return door.identify(delivery, Route(door.provider, "acme", UUID(int=7), "acme")).delivery_key


def sign(body: bytes, secret: str) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def test_a_signature_of_the_vendor_verifies() -> None:
    """The vector of providers §6.1."""
    body = b'{"event":"EMAIL_REPLIED"}'
    signature = "sha256=b9e8286faa8bc98b6bca036c170dd9d1ffa499af7a4f38fd2769a7caf9231d93"
    assert refusal(SMARTLEAD, said(body, x_smartlead_signature=signature), SECRET) is None
    assert refusal(SMARTLEAD, said(body, x_smartlead_signature=signature.upper()), SECRET) is None


@pytest.mark.parametrize("entry", SIGNED, ids=lambda entry: entry["file"])
def test_a_signed_sample_verifies_and_no_altered_byte_does(entry: dict[str, Any]) -> None:
    body, signature = wire_body(entry["file"]), entry["headers"]["X-Smartlead-Signature"]
    assert refusal(SMARTLEAD, said(body, x_smartlead_signature=signature), entry["secret"]) is None
    for position in (0, len(body) // 2, len(body) - 1):
        altered = bytearray(body)
        altered[position] ^= 1
        assert refusal(SMARTLEAD, said(bytes(altered), x_smartlead_signature=signature), SECRET) == "401 bad_signature"


@pytest.mark.parametrize("signature", ["", "sha256=", "sha1=00", "b9e8286f", "sha256=\xff\udc80é"])
def test_a_wrong_signature_is_not_saved_by_the_secret_in_the_body(signature: str) -> None:
    body = json.dumps({"event_type": "EMAIL_REPLY", "secret_key": SECRET}).encode()
    assert refusal(SMARTLEAD, said(body, x_smartlead_signature=signature), SECRET) == "401 bad_signature"
    assert refusal(SMARTLEAD, said(body), SECRET) is None


@pytest.mark.parametrize(
    "delivery",
    [
        said(b"{", {"key": SECRET}),
        said(b"{", authorization=f"Bearer {SECRET}"),
        said(b"{", authorization=f"bearer  {SECRET}"),
        said(b"{", x_smartlead_secret=SECRET),
        said(b"{", x_zrg_key=SECRET),
        said(json.dumps({"secret_key": f" {SECRET}\n"}).encode()),
        said(json.dumps({"secret_key": "not-it"}).encode(), {"key": SECRET}),
    ],
    ids=["query", "bearer", "bearer in lower case", "own header", "our header", "body", "query beside another key"],
)
def test_smartlead_takes_the_secret_from_each_of_its_places(delivery: Delivery) -> None:
    assert refusal(SMARTLEAD, delivery, SECRET) is None
    assert refusal(SMARTLEAD, delivery, "newer", SECRET) is None  # while the key is rotated
    assert refusal(SMARTLEAD, delivery, SECRET, "older") is None
    assert refusal(SMARTLEAD, delivery, "newer") is not None


@pytest.mark.parametrize(
    "body",
    [b"{}", b"[]", b'"x"', b'{"secret_key": null}', b'{"secret_key": ""}', b'{"secret_key": ["sl-6e0b2f44-hook"]}'],
)
def test_smartlead_without_a_proof_is_refused(body: bytes) -> None:
    assert refusal(SMARTLEAD, said(body), SECRET) == "401 bad_secret"
    assert refusal(SMARTLEAD, said(body, authorization=f"Basic {SECRET}"), SECRET) == "401 bad_secret"
    assert refusal(SMARTLEAD, said(body, {"key": ""}, authorization="Bearer "), SECRET) == "401 bad_secret"


def test_smartlead_signs_for_either_secret_while_one_is_rotated() -> None:
    body = b'{"event":"EMAIL_REPLIED"}'
    delivery = said(body, x_smartlead_signature=sign(body, "older"))
    assert refusal(SMARTLEAD, delivery, "newer", "older") is None
    assert refusal(SMARTLEAD, delivery, "newer") == "401 bad_signature"


def test_a_body_that_is_no_json_proves_nothing() -> None:
    assert refusal(SMARTLEAD, said(b"event_type=EMAIL_REPLY&secret_key=x"), SECRET) == "400 invalid_json"


@pytest.mark.parametrize("header", ["authorization", "x_instantly_secret", "x_zrg_key"])
def test_instantly_takes_the_secret_from_a_header_alone(header: str) -> None:
    def with_header(value: str) -> Delivery:
        return said(b"{", None, **{header: f"Bearer {value}" if header == "authorization" else value})

    assert refusal(INSTANTLY, with_header("in-hook"), "in-hook") is None
    assert refusal(INSTANTLY, with_header("in-hook"), "newer", "in-hook") is None
    for wrong in ("", "in-hoo", "in-hookx", "in-hoök", "newer,in-hook"):
        assert refusal(INSTANTLY, with_header(wrong), "newer", "in-hook") == "401 bad_secret"
    inside = json.dumps({"secret_key": "in-hook"}).encode()
    assert refusal(INSTANTLY, said(inside, {"key": "in-hook"}), "in-hook") == "401 bad_secret"


@pytest.mark.parametrize("door", [SMARTLEAD, INSTANTLY], ids=lambda door: door.provider)
def test_only_the_address_names_the_workspace(door: Door) -> None:
    assert door.route_keys is not None
    body = b'{"client_id": "other", "workspace": "other", "clientId": "other"}'
    assert list(door.route_keys(said(body))) == []
    assert [key.key for key in door.route_keys(said(b"{", {"clientId": "acme"}))] == ["acme"]
    assert door.provider not in door.rivals


@pytest.mark.parametrize(
    ("door", "document", "event_type"),
    [
        (SMARTLEAD, {"event_type": "email_reply", "event": "x"}, "EMAIL_REPLY"),
        (SMARTLEAD, {"event": "EMAIL_REPLIED"}, "EMAIL_REPLIED"),
        (SMARTLEAD, [], "unknown"),
        (INSTANTLY, {"event_type": "reply_received", "type": "x"}, "reply_received"),
        (INSTANTLY, {"type": "unsubscribed"}, "unsubscribed"),
        (INSTANTLY, {"event_type": "Call back\nin Q3"}, "Call back?in Q3"),
        (INSTANTLY, {"event_type": {"a": 1}}, "unknown"),
    ],
)
def test_the_event_type_of_either_family(door: Door, document: Any, event_type: str) -> None:
    route = Route(door.provider, "acme", UUID(int=7), "acme")
    assert door.identify(said(json.dumps(document).encode()), route).event_type == event_type


def test_a_second_answer_in_a_thread_is_another_delivery() -> None:
    """`stats_id` and `email_id` repeat with each event about one mail."""
    for door, name in ((SMARTLEAD, "stats_id"), (INSTANTLY, "email_id")):
        one = said(json.dumps({"event_type": "x", name: "1", "text": "ok"}).encode())
        other = said(json.dumps({"event_type": "x", name: "1", "text": "thanks"}).encode())
        assert key_of(door, one) == key_of(door, said(one.body))
        assert key_of(door, one) != key_of(door, other)


@pytest.mark.parametrize("door", [SMARTLEAD, INSTANTLY], ids=lambda door: door.provider)
@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xff"])
def test_undecodable_bytes_are_malformed(door: Door, body: bytes) -> None:
    with pytest.raises(Refused, match="400 invalid_json"):
        key_of(door, said(body))
