"""Clay's door: `POST /api/webhooks/clay?clientId=<workspace>`, called by the HTTP column of an enrichment table.

Clay signs nothing. The table's author types our per-workspace secret as header `x-clay-signature`, or lets a formula
compute the hex HMAC-SHA256 of the body with it (spec/providers.md §10.1); both prove the same.
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
    receipt_bucket,
    secret_matches,
)

PROVIDER = "clay"
TYPE_KEYS = ("enrichmentType", "type", "enrichment_type")


def route_keys(delivery: Delivery) -> Iterator[RouteKey]:
    if workspace := delivery.query.get("clientId", ""):
        yield RouteKey(PROVIDER, workspace)


def verify(delivery: Delivery, secrets: Sequence[str], _now: datetime) -> None:
    given = delivery.headers.get("x-clay-signature") or delivery.headers.get("x-webhook-signature", "")
    is_static = secret_matches(given, secrets)
    if not (hmac_matches([given.lower()], delivery.body, secrets) or is_static):
        raise Refused(401, "bad_secret")


def identify(delivery: Delivery, route: Route | None) -> Identity:
    """An answer has neither id nor time, and a column that runs again may give the same bytes weeks later."""
    assert route is not None
    fields = delivery.fields
    event_type = label(next((fields[key] for key in TYPE_KEYS if fields.get(key)), None)).lower()
    bucket = receipt_bucket(delivery.received_at)
    return Identity(
        provider=PROVIDER,
        scope=route.workspace_key,
        event_type=event_type,
        delivery_key=delivery_key(PROVIDER, route.workspace_key, event_type, delivery.body, bucket),
    )


DOOR = Door(
    provider=PROVIDER,
    content_types=JSON_TYPES | {"text/plain"},
    verify=verify,
    identify=identify,
    route_keys=route_keys,
)
