"""GoHighLevel's two doors (spec/providers.md §4.1).

`POST /api/webhooks/ghl/sms`: a workflow posts contact and message data and signs nothing. Its author adds our
per-workspace secret as header `x-zrg-key` ("custom webhook" action) or as `key` in the query (plain action).

`POST /api/webhooks/ghl/app`: typed events of the marketplace app, one address for all locations, signed by the vendor with
one key for all of its customers.
"""

import base64
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from zrg_dagster.core.providers.door import (
    JSON_TYPES,
    Delivery,
    Door,
    Identity,
    Refused,
    Route,
    RouteKey,
    as_object,
    as_text,
    delivery_key,
    label,
    receipt_bucket,
    secret_matches,
)

PROVIDER = "ghl"
WORKFLOW_EVENT = "workflow.sms_inbound"


def stated_location(delivery: Delivery) -> str:
    """`location.id` of the workflow feed, else the `locationId` that app webhooks carry."""
    fields = delivery.fields
    return as_text(as_object(fields.get("location")).get("id")) or as_text(fields.get("locationId"))


def route_keys(delivery: Delivery) -> Iterator[RouteKey]:
    """The location named in the query, then the body's. With the first, a wrong secret is refused before parsing."""
    if location := delivery.query.get("locationId", ""):
        yield RouteKey(PROVIDER, location)
    if location := stated_location(delivery):
        yield RouteKey(PROVIDER, location)


def verify(delivery: Delivery, secrets: Sequence[str], _now: datetime) -> None:
    given = delivery.headers.get("x-zrg-key") or delivery.query.get("key", "")
    if not secret_matches(given, secrets):
        raise Refused(401, "bad_secret")


def identify(delivery: Delivery, route: Route | None) -> Identity:
    """An app webhook has a `webhookId`; the workflow feed has none, so its body names the delivery.

    Without a message time in `customData` two genuine "OK" of one lead are the same bytes (§4.2). Then the receipt
    time, in ten-minute buckets, belongs to the identity: a retry is still recognised, a second answer is not lost.
    """
    assert route is not None
    fields = delivery.fields
    event_type = label(fields.get("type"), WORKFLOW_EVENT)
    location = stated_location(delivery)
    said: tuple[str | bytes, ...]
    if webhook_id := as_text(fields.get("webhookId")):
        said = ("webhook", webhook_id)
    elif as_text(as_object(fields.get("customData")).get("Time")):
        said = ("body", delivery.body)
    else:
        said = ("body", delivery.body, receipt_bucket(delivery.received_at))
    return Identity(
        provider=PROVIDER,
        scope=route.workspace_key,
        event_type=event_type,
        delivery_key=delivery_key(PROVIDER, route.workspace_key, event_type, *said),
        claims=(RouteKey(PROVIDER, location),) if location else (),
    )


DOOR = Door(provider=PROVIDER, content_types=JSON_TYPES, verify=verify, identify=identify, route_keys=route_keys)

APP_WINDOW_S = 300


@lru_cache(maxsize=32)
def public_key(text: str) -> Ed25519PublicKey | RSAPublicKey:
    """A key as PEM or as the base64 of its DER; `ValueError` when it is neither Ed25519 nor RSA."""
    lines = (line for line in text.replace("\\n", "\n").splitlines() if not line.startswith("-----"))
    try:
        key = load_der_public_key(base64.b64decode("".join(lines).replace(" ", ""), validate=True))
    except UnsupportedAlgorithm:
        key = None
    if isinstance(key, Ed25519PublicKey | RSAPublicKey):
        return key
    raise ValueError("neither an Ed25519 nor an RSA key")


def verify_app(delivery: Delivery, keys: Sequence[str], now: datetime) -> None:
    """Check the signature over the raw body with the vendor's public keys, and that the event is at most five minutes old.

    The newer header counts when a key for it is configured; the older one is sent beside it until the vendor drops it.
    """
    loaded = [public_key(key) for key in keys]
    newer = [key for key in loaded if isinstance(key, Ed25519PublicKey)]
    older = [key for key in loaded if isinstance(key, RSAPublicKey)]
    if newer and (given := delivery.headers.get("x-ghl-signature")):
        is_signed = any(_is_valid(lambda sig, key=key: key.verify(sig, delivery.body), given) for key in newer)
    elif older and (given := delivery.headers.get("x-wh-signature")):
        is_signed = any(
            _is_valid(lambda sig, key=key: key.verify(sig, delivery.body, PKCS1v15(), SHA256()), given) for key in older
        )
    else:
        raise Refused(401, "no_signature")
    if not is_signed:
        raise Refused(401, "bad_signature")
    if not _is_fresh(as_text(delivery.fields.get("timestamp")), now):
        raise Refused(401, "bad_timestamp")


def _is_valid(check: Callable[[bytes], None], given: str) -> bool:
    try:
        check(base64.b64decode(given, validate=True))
    except (InvalidSignature, ValueError):
        return False
    return True


def _is_fresh(stamp: str, now: datetime) -> bool:
    try:
        at = datetime.fromisoformat(stamp)
    except ValueError:
        return False
    return at.tzinfo is not None and abs((now - at).total_seconds()) <= APP_WINDOW_S


def app_route_keys(delivery: Delivery) -> Iterator[RouteKey]:
    """The signature proves the vendor, not the workspace: only the signed body says whose event it is."""
    if location := as_text(delivery.fields.get("locationId")):
        yield RouteKey(PROVIDER, location)


def identify_app(delivery: Delivery, route: Route | None) -> Identity:
    """`webhookId` names the delivery; a body without one names itself, so that a recorded one is never new again."""
    assert route is not None
    fields = delivery.fields
    event_type = label(fields.get("type"))
    webhook_id = as_text(fields.get("webhookId"))
    said: tuple[str | bytes, ...] = ("webhook", webhook_id) if webhook_id else ("body", delivery.body)
    return Identity(
        provider=PROVIDER,
        scope=route.workspace_key,
        event_type=event_type,
        delivery_key=delivery_key(PROVIDER, route.workspace_key, event_type, *said),
    )


APP_DOOR = Door(
    provider=PROVIDER,
    content_types=JSON_TYPES,
    verify=verify_app,
    identify=identify_app,
    route_keys=app_route_keys,
    verified_by="app",
)
