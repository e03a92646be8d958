"""Calendly's door: `POST /api/webhooks/calendly/{workspace}`.

`Calendly-Webhook-Signature: t=<unix seconds>,v1=<hex>` with HMAC-SHA256 over `t.body`, at most 180 s old
(spec/providers.md §9.1). Signatures over `tbody` or over the body alone are not accepted: they allow replays.
"""

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
    hmac_matches,
    label,
    within_window,
)

PROVIDER = "calendly"
WINDOW_S = 180
MAX_SIGNATURES = 4  # while the vendor rotates its key a header may carry more than one v1


def read_signature(header: str) -> tuple[str, list[str]]:
    """(timestamp text, v1 values) of the header; parts come in any order."""
    stamp, signatures = "", []
    for part in header.split(","):
        name, _, value = part.strip().partition("=")
        if name == "t" and not stamp:
            stamp = value
        elif name == "v1" and len(signatures) < MAX_SIGNATURES:
            signatures.append(value)
    return stamp, signatures


def route_keys(delivery: Delivery) -> Iterator[RouteKey]:
    if workspace := delivery.path_params.get("workspace", ""):
        yield RouteKey(PROVIDER, workspace)


def verify(delivery: Delivery, secrets: Sequence[str], now: datetime) -> None:
    stamp, signatures = read_signature(delivery.headers.get("calendly-webhook-signature", ""))
    if not signatures or not within_window(stamp, now, WINDOW_S):
        raise Refused(401, "bad_timestamp" if signatures else "no_signature")
    if not hmac_matches(signatures, stamp.encode() + b"." + delivery.body, secrets):
        raise Refused(401, "bad_signature")


def identify(delivery: Delivery, route: Route | None) -> Identity:
    """Calendly sends no delivery id; a retry repeats the bytes (`created_at` included), so the body names it."""
    assert route is not None
    event_type = label(delivery.fields.get("event"))
    return Identity(
        provider=PROVIDER,
        scope=route.workspace_key,
        event_type=event_type,
        delivery_key=delivery_key(PROVIDER, route.workspace_key, event_type, delivery.body),
    )


DOOR = Door(provider=PROVIDER, content_types=JSON_TYPES, verify=verify, identify=identify, route_keys=route_keys)
