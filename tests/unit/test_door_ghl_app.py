"""HighLevel's app webhooks: signed by the vendor with one key for all of its customers."""

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from webhook_receiver.app import app_secrets
from zrg_dagster.core.base.settings import SettingsError, load_settings
from zrg_dagster.core.providers.door import Delivery, Refused, Route
from zrg_dagster.core.providers.ghl.door import APP_DOOR, public_key

PAYLOADS = Path(__file__).parents[1] / "data" / "payloads"
SIGNED: list[dict[str, Any]] = [
    entry
    for entry in json.loads((PAYLOADS / "signatures.json").read_text())
    if entry["file"].startswith("ghl/marketplace_")
]
NEWER, OLDER = ((PAYLOADS / "_keys" / f"ghl_{kind}_test_public.pem").read_text() for kind in ("ed25519", "rsa"))
NOW = datetime(2026, 3, 10, 17, 5, 9, 120_000, tzinfo=UTC)
VECTOR = b'{"type":"InboundMessage","locationId":"L1"}'
VECTOR_SIGNATURE = "giylVW1M0AX2+UFXdX53lgRy+6QR47c5eV6Yk2gmwUsycD7FPb3VY67OlhXjspZkDbTS9WM02qduP09MLEICCQ=="


def delivery(body: bytes, headers: dict[str, str]) -> Delivery:
    return Delivery("POST", {}, {}, headers, body, NOW)


def refused(body: bytes, headers: dict[str, str], keys: list[str], now: datetime = NOW) -> str | None:
    """The code of the refusal, or None when the delivery verifies."""
    try:
        APP_DOOR.verify(delivery(body, headers), keys, now)
    except Refused as refusal:
        return refusal.code if refusal.status == 401 else f"status {refusal.status}"
    return None


def test_every_event_of_the_app_has_its_signatures() -> None:
    assert len(SIGNED) == 13
    assert all(set(entry["headers"]) == {"x-wh-signature", "x-ghl-signature"} for entry in SIGNED)


@pytest.mark.parametrize("entry", SIGNED, ids=lambda entry: entry["file"])
@pytest.mark.parametrize(("header", "key"), [("x-ghl-signature", NEWER), ("x-wh-signature", OLDER)])
def test_sample_verifies_with_either_scheme_and_no_altered_byte_does(
    entry: dict[str, Any], header: str, key: str
) -> None:
    body, headers = (PAYLOADS / entry["file"]).read_bytes(), {header: entry["headers"][header]}
    assert refused(body, headers, [key]) is None
    assert refused(body, headers, [NEWER, OLDER]) is None
    for position in (0, len(body) // 2, len(body) - 1):
        altered = bytearray(body)
        altered[position] ^= 1
        assert refused(bytes(altered), headers, [key]) == "bad_signature"
    for wrong in ("", "!", "AAAA", headers[header][:-4], "\xe9\udc80"):
        assert refused(body, {header: wrong}, [key]) in ("bad_signature", "no_signature")


def test_the_published_vector_verifies_but_is_too_old() -> None:
    assert refused(VECTOR, {"x-ghl-signature": VECTOR_SIGNATURE}, [NEWER]) == "bad_timestamp"
    assert refused(VECTOR + b" ", {"x-ghl-signature": VECTOR_SIGNATURE}, [NEWER]) == "bad_signature"


def test_the_newer_header_decides_where_its_key_is_known() -> None:
    body, headers = (PAYLOADS / SIGNED[0]["file"]).read_bytes(), dict(SIGNED[0]["headers"])
    forged = headers | {"x-ghl-signature": base64.b64encode(bytes(64)).decode()}
    assert refused(body, forged, [NEWER, OLDER]) == "bad_signature"
    assert refused(body, forged, [OLDER]) is None, "its key is not configured, so the older one is asked"
    assert refused(body, {"x-ghl-signature": headers["x-ghl-signature"]}, [OLDER]) == "no_signature"
    assert refused(body, {}, [NEWER, OLDER]) == "no_signature"


def test_both_keys_fit_while_the_vendor_changes_one() -> None:
    body, headers = (PAYLOADS / SIGNED[0]["file"]).read_bytes(), SIGNED[0]["headers"]
    other = Ed25519PrivateKey.generate().public_key()
    der = base64.b64encode(other.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
    assert refused(body, headers, [der, NEWER]) is None
    assert refused(body, headers, [der]) == "bad_signature"


@pytest.mark.parametrize("sign", [1, -1])
def test_window_ends_after_its_last_second(sign: int) -> None:
    body, headers = (PAYLOADS / SIGNED[0]["file"]).read_bytes(), SIGNED[0]["headers"]
    for seconds, code in ((299, None), (300, None), (301, "bad_timestamp")):
        assert refused(body, headers, [NEWER], NOW + timedelta(seconds=sign * seconds)) == code


@pytest.mark.parametrize("stamp", [None, "", "now", 1773162309, "2026-03-10T17:05:09"])
def test_a_time_that_cannot_be_read_is_refused(stamp: object) -> None:
    private = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"harbourline ghl test key").digest())
    body = json.dumps({"type": "InboundMessage", "timestamp": stamp}).encode()
    headers = {"x-ghl-signature": base64.b64encode(private.sign(body)).decode()}
    assert refused(body, headers, [NEWER]) == "bad_timestamp"


def test_a_recorded_delivery_without_an_id_is_never_new_again() -> None:
    route = Route("ghl", "L1", UUID(int=7), "acme")
    first = APP_DOOR.identify(delivery(VECTOR, {}), route)
    later = Delivery("POST", {}, {}, {}, VECTOR, NOW + timedelta(days=9))
    assert APP_DOOR.identify(later, route) == first
    assert (first.event_type, first.scope) == ("InboundMessage", "acme")


def test_keys_are_read_from_the_setting_in_every_form_and_a_bad_one_is_named() -> None:
    one_line = NEWER.strip().replace("\n", "\\n")
    settings = load_settings(GHL_APP_PUBLIC_KEYS=f"{one_line},{OLDER.strip()}")
    keys = app_secrets(APP_DOOR, settings)
    assert [type(public_key(key)).__name__ for key in keys] == ["Ed25519PublicKey", "RSAPublicKey"]
    curve = ec.generate_private_key(ec.SECP256R1()).public_key()
    foreign = curve.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode().strip()
    for bad in ("not a key", foreign, NEWER[:60].strip()):
        with pytest.raises(SettingsError, match="GHL_APP_PUBLIC_KEYS: key 2"):
            app_secrets(APP_DOOR, load_settings(GHL_APP_PUBLIC_KEYS=f"{one_line},{bad}"))
    assert app_secrets(APP_DOOR, load_settings()) == ()
