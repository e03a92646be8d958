"""Instantly's door: `POST /api/webhooks/instantly?clientId=<workspace>`.

The vendor signs nothing. A subscription carries headers of our choice to each delivery: `Authorization: Bearer <secret>`
(providers §7.1).
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
    bearer_token,
    delivery_key,
    label,
    secret_matches,
)

PROVIDER = "instantly"


def route_keys(delivery: Delivery) -> Iterator[RouteKey]:
    """The payload names no workspace of ours; only the address does."""
    if client := delivery.query.get("clientId", ""):
        yield RouteKey(PROVIDER, client)


def verify(delivery: Delivery, secrets: Sequence[str], _now: datetime) -> None:
    offered = (
        bearer_token(delivery.headers),
        delivery.headers.get("x-instantly-secret", ""),
        delivery.headers.get("x-zrg-key", ""),
    )
    if not any(secret_matches(given, secrets) for given in offered):
        raise Refused(401, "bad_secret")


def identify(delivery: Delivery, route: Route | None) -> Identity:
    """There is no delivery id, and `email_id` is of the mail that several events are about: the body names the delivery."""
    assert route is not None
    fields = delivery.fields
    event_type = label(fields.get("event_type"), "") or label(fields.get("type"))
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
    rivals=("emailbison", "smartlead"),
)
