"""EmailBison's door: `POST /api/webhooks/email?clientId=<workspace>&key=<secret>`.

The vendor signs nothing, so each workspace has a secret of ours in the query (or in `x-zrg-key` where a proxy can add a
header), and the host that the payload names must be one of the workspace's (spec/providers.md §5.1).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from urllib.parse import urlsplit

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
    secret_matches,
)

PROVIDER = "emailbison"
MAX_WRAPPERS = 3  # the sample-payload endpoint adds one level, the events API another


def unwrap(document: object) -> Mapping[str, object]:
    """The level that holds `event`: descend through `payload` or `data` while it is missing (§5.3)."""
    level = as_object(document)
    for _ in range(MAX_WRAPPERS):
        if "event" in level:
            break
        children = [as_object(level.get(name)) for name in ("payload", "data")]
        level = next((child for child in children if "event" in child), level)
    return level


def instance_host(event: Mapping[str, object]) -> str:
    """Lower-case host of `event.instance_url` without port, or the empty string."""
    url = as_text(event.get("instance_url"))
    try:
        return (urlsplit(url if "//" in url else f"//{url}").hostname or "").lower()
    except ValueError:
        return ""


def vendor_key(event: Mapping[str, object]) -> str | None:
    """`{host}|{vendor workspace id}`: workspace ids restart on every white-label host, so the host belongs to it."""
    host, workspace = instance_host(event), as_text(event.get("workspace_id"))
    return f"{host}|{workspace}" if host and workspace else None


def route_keys(delivery: Delivery) -> Iterator[RouteKey]:
    """The workspace named in the query, then what the payload says. The body is parsed only if the first is unknown."""
    if client := delivery.query.get("clientId", ""):
        yield RouteKey(PROVIDER, client)
    if key := vendor_key(as_object(unwrap(delivery.document).get("event"))):
        yield RouteKey(PROVIDER, key)


def verify(delivery: Delivery, secrets: Sequence[str], _now: datetime) -> None:
    given = delivery.query.get("key") or delivery.headers.get("x-zrg-key", "")
    if not secret_matches(given, secrets):
        raise Refused(401, "bad_secret")


def identify(delivery: Delivery, route: Route | None) -> Identity:
    """EmailBison sends no delivery id; a retry repeats the bytes, so the body names the delivery."""
    assert route is not None
    event = as_object(unwrap(delivery.document).get("event"))
    host = instance_host(event)
    if host and route.allowed_hosts and host not in route.allowed_hosts:
        raise Refused(401, "host_not_allowed")
    event_type = label(event.get("type"), "").upper() or "unknown"
    key = vendor_key(event)
    return Identity(
        provider=PROVIDER,
        scope=route.workspace_key,
        event_type=event_type,
        delivery_key=delivery_key(PROVIDER, route.workspace_key, event_type, delivery.body),
        claims=(RouteKey(PROVIDER, key),) if key else (),
    )


DOOR = Door(provider=PROVIDER, content_types=JSON_TYPES, verify=verify, identify=identify, route_keys=route_keys)
