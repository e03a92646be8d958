"""Resend's door: `POST /api/webhooks/resend?clientId=<workspace>`, signed by Svix (spec/providers.md §12.1).

`svix-signature` lists `v1,<base64>` values, one for each key while the vendor rotates it: HMAC-SHA256 over
`id.timestamp.body` with the base64 of the secret behind `whsec_`, at most 300 s old. `webhook-*` are other names of the
same headers.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterator, Sequence
from datetime import datetime

from zrg_dagster.core.providers.door import (
    JSON_TYPES,
    Delivery,
    Door,
    Identity,
    Refused,
    Route,
    RouteKey,
    delivery_key,
    label,
    within_window,
)

PROVIDER = "resend"
WINDOW_S = 300
MAX_SIGNATURES = 8
_PREFIX = "whsec_"


def header(delivery: Delivery, name: str) -> str:
    return delivery.headers.get(f"svix-{name}") or delivery.headers.get(f"webhook-{name}", "")


def route_keys(delivery: Delivery) -> Iterator[RouteKey]:
    if workspace := delivery.query.get("clientId", ""):
        yield RouteKey(PROVIDER, workspace)


def verify(delivery: Delivery, secrets: Sequence[str], now: datetime) -> None:
    stamp, listed = header(delivery, "timestamp"), header(delivery, "signature").split(" ")[:MAX_SIGNATURES]
    given = [value for version, _, value in (each.partition(",") for each in listed) if version == "v1" and value]
    delivery_id = header(delivery, "id")
    if not given or not delivery_id:
        raise Refused(401, "no_signature")
    if not within_window(stamp, now, WINDOW_S):
        raise Refused(401, "bad_timestamp")
    message = b".".join((delivery_id.encode("utf-8", "surrogatepass"), stamp.encode(), delivery.body))
    is_signed = False
    for secret in secrets:
        expected = base64.b64encode(hmac.new(_key(secret), message, hashlib.sha256).digest())
        for value in given:
            is_signed |= hmac.compare_digest(value.encode("utf-8", "surrogatepass"), expected)
    if not is_signed:
        raise Refused(401, "bad_signature")


def _key(secret: str) -> bytes:
    """The bytes behind the prefix. A stored secret that is none of the vendor's verifies nothing it signs."""
    encoded = secret.removeprefix(_PREFIX)
    try:
        return base64.b64decode(encoded, validate=True)
    except ValueError:
        return secret.encode()


def identify(delivery: Delivery, route: Route | None) -> Identity:
    """The id is signed and stays the same on retries."""
    assert route is not None
    event_type = label(delivery.fields.get("type"))
    delivery_id = header(delivery, "id")
    return Identity(
        provider=PROVIDER,
        scope=route.workspace_key,
        event_type=event_type,
        delivery_key=delivery_key(PROVIDER, route.workspace_key, event_type, delivery_id or delivery.body),
    )


DOOR = Door(provider=PROVIDER, content_types=JSON_TYPES, verify=verify, identify=identify, route_keys=route_keys)
