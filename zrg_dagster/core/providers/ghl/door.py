"""GoHighLevel's door for the workflow webhook: `POST /api/webhooks/ghl/sms`.

A workflow posts contact and message data and signs nothing. Its author adds our per-workspace secret as header
`x-zrg-key` ("custom webhook" action) or as `key` in the query (plain action); spec/providers.md §4.1 A.
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
