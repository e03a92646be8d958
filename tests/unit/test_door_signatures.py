"""Signatures and windows of the vendors that sign: every sample delivery verifies, every altered one does not."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from zrg_dagster.core.providers.calendly.door import DOOR as CALENDLY
from zrg_dagster.core.providers.door import Delivery, Door, Refused
from zrg_dagster.core.providers.resend.door import DOOR as RESEND
from zrg_dagster.core.providers.slack.door import DOOR as SLACK

PAYLOADS = Path(__file__).parents[1] / "data" / "payloads"
DOORS = {"calendly t.v1": CALENDLY, "slack v0": SLACK, "svix v1": RESEND}
SIGNED: list[dict[str, Any]] = [
    entry for entry in json.loads((PAYLOADS / "signatures.json").read_text()) if entry["scheme"] in DOORS
]


def wire_body(file: str) -> bytes:
    data = (PAYLOADS / file).read_bytes()
    document = json.loads(data)
    wrapped = isinstance(document, dict) and "_encoding" in document
    return document["raw"].encode() if wrapped else data


def delivery(body: bytes, headers: dict[str, str]) -> Delivery:
    lower = {name.lower(): value for name, value in headers.items()}
    return Delivery("POST", {"workspace": "clnt_harbourline"}, {}, lower, body, datetime(2026, 3, 10, tzinfo=UTC))


def refused(door: Door, said: Delivery, secrets: list[str], now: datetime) -> str | None:
    """The code of the refusal, or None when the delivery verifies."""
    try:
        door.verify(said, secrets, now)
    except Refused as refusal:
        return refusal.code if refusal.status == 401 else f"status {refusal.status}"
    return None


def at(entry: dict[str, Any], seconds: float = 0) -> datetime:
    return datetime.fromtimestamp(entry["timestamp"], UTC) + timedelta(seconds=seconds)


def calendly_header(secret: str, stamp: int, body: bytes) -> str:
    return hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()


def test_samples_cover_every_scheme() -> None:
    assert {entry["scheme"] for entry in SIGNED} == set(DOORS)
    assert len(SIGNED) > 25


@pytest.mark.parametrize("entry", SIGNED, ids=lambda entry: entry["file"])
def test_sample_verifies_and_no_altered_byte_does(entry: dict[str, Any]) -> None:
    door, secrets, now = DOORS[entry["scheme"]], [entry["secret"]], at(entry)
    body, headers = wire_body(entry["file"]), entry["headers"]
    assert refused(door, delivery(body, headers), secrets, now) is None
    for position in (0, len(body) // 2, len(body) - 1):
        altered = bytearray(body)
        altered[position] ^= 1
        assert refused(door, delivery(bytes(altered), headers), secrets, now) == "bad_signature"
    for name, value in headers.items():
        last = "1" if value[-1] != "1" else "2"
        assert refused(door, delivery(body, {**headers, name: value[:-1] + last}), secrets, now) is not None
    assert refused(door, delivery(body, headers), [entry["secret"] + "x"], now) == "bad_signature"
    assert refused(door, delivery(body, {}), secrets, now) == "no_signature"


@pytest.mark.parametrize(("scheme", "window"), [("calendly t.v1", 180), ("slack v0", 300), ("svix v1", 300)])
@pytest.mark.parametrize("sign", [1, -1])
def test_window_ends_after_its_last_second(scheme: str, window: int, sign: int) -> None:
    entry = next(entry for entry in SIGNED if entry["scheme"] == scheme)
    said = delivery(wire_body(entry["file"]), entry["headers"])
    for seconds, code in ((window - 1, None), (window, None), (window + 1, "bad_timestamp")):
        assert refused(DOORS[scheme], said, [entry["secret"]], at(entry, sign * seconds)) == code


@pytest.mark.parametrize("scheme", sorted(DOORS))
def test_both_secrets_fit_while_one_is_rotated(scheme: str) -> None:
    entry = next(entry for entry in SIGNED if entry["scheme"] == scheme)
    said = delivery(wire_body(entry["file"]), entry["headers"])
    for secrets in (["newer", entry["secret"]], [entry["secret"], "older"]):
        assert refused(DOORS[scheme], said, secrets, at(entry)) is None
    assert refused(DOORS[scheme], said, ["newer", "older"], at(entry)) == "bad_signature"


def test_calendly_reads_parts_in_any_order_and_several_v1() -> None:
    body, stamp = b'{"event":"invitee.created"}', 1773162073
    good, now = calendly_header("s3cret", stamp, body), datetime.fromtimestamp(stamp, UTC)
    for header in (f"v1={good},t={stamp}", f"t={stamp}, v1={'0' * 64}, v1={good}"):
        assert refused(CALENDLY, delivery(body, {"Calendly-Webhook-Signature": header}), ["s3cret"], now) is None


def test_calendly_refuses_signatures_that_leave_the_time_out() -> None:
    body, stamp = b'{"event":"invitee.created"}', 1773162073
    now = datetime.fromtimestamp(stamp, UTC)
    for message in (body, f"{stamp}".encode() + body):
        value = hmac.new(b"s3cret", message, hashlib.sha256).hexdigest()
        said = delivery(body, {"Calendly-Webhook-Signature": f"t={stamp},v1={value}"})
        assert refused(CALENDLY, said, ["s3cret"], now) == "bad_signature"


@pytest.mark.parametrize("stamp", ["", "-5", "1e9", "٣", "9" * 40, "1773162073.5", " 1773162073"])
def test_timestamp_that_is_no_plain_number_is_refused(stamp: str) -> None:
    headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": "v0=" + "0" * 64}
    assert refused(SLACK, delivery(b"x", headers), ["s"], datetime(2026, 3, 10, tzinfo=UTC)) == "bad_timestamp"


def test_signature_of_strange_characters_is_a_refusal_not_an_error() -> None:
    now = datetime(2026, 3, 10, tzinfo=UTC)
    headers = {"X-Slack-Request-Timestamp": str(int(now.timestamp())), "X-Slack-Signature": "v0=\xff\udc80é"}
    assert refused(SLACK, delivery(b"x", headers), ["s"], now) == "bad_signature"


SVIX_VECTORS = [
    (
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    ),
    (
        "msg_2hbl0000",
        1773162604,
        b'{"type":"email.sent","created_at":"2026-03-10T17:10:01.400Z","data":{"email_id":"e1"}}',
        "whsec_aGFyYm91cmxpbmUtcmVzZW5kLXRlc3Qh",
        "v1,z8LQ4dzgKvb8kvkCom7SHFlPCHb/YtCt/QTNhZBbUgE=",
    ),
]


@pytest.mark.parametrize(("name", "stamp", "body", "secret", "signature"), SVIX_VECTORS)
@pytest.mark.parametrize("prefix", ["svix", "webhook"])
def test_svix_vectors_under_both_names(
    name: str, stamp: int, body: bytes, secret: str, signature: str, prefix: str
) -> None:
    now = datetime.fromtimestamp(stamp, UTC)
    good = {f"{prefix}-id": name, f"{prefix}-timestamp": str(stamp), f"{prefix}-signature": signature}
    assert refused(RESEND, delivery(body, good), [secret], now) is None
    assert refused(RESEND, delivery(body, good), [secret.removeprefix("whsec_")], now) is None
    others = f"v1,{'A' * 43}= v2,{signature[3:]} {signature}"
    assert refused(RESEND, delivery(body, {**good, f"{prefix}-signature": others}), [secret], now) is None
    for header, value, code in (
        ("signature", signature.replace("v1,", "v2,"), "no_signature"),
        ("signature", signature.removeprefix("v1,"), "no_signature"),
        ("signature", f"v1,{'A' * 43}=", "bad_signature"),
        ("signature", "v1,\xe9\udc80", "bad_signature"),
        ("id", f"{name}0", "bad_signature"),
        ("id", "", "no_signature"),
        ("timestamp", str(stamp + 1), "bad_signature"),
        ("timestamp", str(stamp + 301), "bad_timestamp"),
    ):
        assert refused(RESEND, delivery(body, {**good, f"{prefix}-{header}": value}), [secret], now) == code
    assert refused(RESEND, delivery(body, good), ["whsec_not base64!"], now) == "bad_signature"
