"""SmartLead's door: `POST /api/webhooks/smartlead?clientId=<workspace>`.

Which proof an account's deliveries carry depends on its plan and on the family of payloads it sends (providers §6.1): a
signature header, a `secret_key` inside the body, or nothing but what we put into the address.
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
    as_text,
    bearer_token,
    delivery_key,
    hmac_matches,
    label,
    secret_matches,
)

PROVIDER = "smartlead"
SIGNATURE_HEADER = "x-smartlead-signature"


def route_keys(delivery: Delivery) -> Iterator[RouteKey]:
    """The payload names no workspace of ours; only the address does."""
    if client := delivery.query.get("clientId", ""):
        yield RouteKey(PROVIDER, client)


def verify(delivery: Delivery, secrets: Sequence[str], _now: datetime) -> None:
    """A signature decides when there is one. Without it any place may hold the secret; the body is parsed last."""
    signature = delivery.headers.get(SIGNATURE_HEADER)
    if signature is not None:
        scheme, _, given = signature.strip().partition("=")
        if scheme.lower() != "sha256" or not hmac_matches([given.lower()], delivery.body, secrets):
            raise Refused(401, "bad_signature")
        return
    offered = (
        bearer_token(delivery.headers),
        delivery.headers.get("x-smartlead-secret", ""),
        delivery.headers.get("x-zrg-key", ""),
        delivery.query.get("key", ""),
    )
    if any(secret_matches(given, secrets) for given in offered):
        return
    if not secret_matches(as_text(delivery.fields.get("secret_key")), secrets):
        raise Refused(401, "bad_secret")


def identify(delivery: Delivery, route: Route | None) -> Identity:
    """The body names the delivery. `stats_id` is of the mail and repeats with each answer to it, and a request id may be
    some proxy's, new at each retry."""
    assert route is not None
    fields = delivery.fields
    event_type = (label(fields.get("event_type"), "") or label(fields.get("event"), "")).upper() or "unknown"
    return Identity(
        provider=PROVIDER,
        scope=route.workspace_key,
        event_type=event_type,
        delivery_key=delivery_key(PROVIDER, route.workspace_key, event_type, delivery.body),
    )


DOOR = Door(
    provider=PROVIDER,
    content_types=JSON_TYPES,
    verify=verify,
    identify=identify,
    route_keys=route_keys,
    rivals=("emailbison", "instantly"),
)
