"""Calendly on the wire: account, event types, public booking pages, the route table (vendor reference chapter 9).

Kept behaviours: ids are full URIs, the signing key of a subscription is an input and never in the answer, available
times span at most 7 days and lie in the future, a booked slot is gone, `resource.event` on a booking.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provider_sandbox import calendly_bookings
from provider_sandbox.calendly_store import NAME, last_part, seed, snapshot
from provider_sandbox.calendly_wire import (
    collection,
    error,
    found,
    free_slots,
    guard,
    invalid,
    now_text,
    rate_headers,
    rate_limited,
    read_body,
    store_of,
    unauthorized,
)
from provider_sandbox.state import parse_iso
from provider_sandbox.vendor import Refused, Vendor, json_response, sandbox_of

MAX_RANGE = timedelta(days=7)


# ── account, subscriptions, event types ──────────────────────────────────────


async def _me(request: Request) -> Response:
    return json_response({"resource": store_of(request).user})


async def _subscribe(request: Request) -> Response:
    body, store, sandbox = await read_body(request), store_of(request), sandbox_of(request)
    for name in ("url", "events", "organization", "scope"):
        if not body.get(name):
            raise invalid(name, "is missing")
    if body["scope"] == "user" and not body.get("user"):
        raise invalid("user", "is missing")
    if any(item["callback_url"] == body["url"] for item in store.subscriptions.values()):
        raise Refused(error(409))
    now, uuid = now_text(request), sandbox.ids.uuid()
    subscription = store.subscription(uuid, now, {"user": None, **body})
    store.subscriptions[uuid] = subscription
    # Kept to sign later; it never goes back to the client.
    store.signing_keys[uuid] = str(body.get("signing_key") or "")
    return json_response({"resource": subscription}, 201)


async def _list_subscriptions(request: Request) -> Response:
    query = request.query_params
    if not query.get("organization") or not query.get("scope"):
        raise invalid("organization" if not query.get("organization") else "scope", "is missing")
    items = [
        item
        for item in store_of(request).subscriptions.values()
        if item["organization"] == query["organization"]
        and item["scope"] == query["scope"]
        and item["user"] == (query.get("user") or item["user"])
    ]
    return collection(request, items)


async def _subscription(request: Request) -> Response:
    subscription = found(request, "subscriptions")
    if request.method != "DELETE":
        return json_response({"resource": subscription})
    uuid, store = request.path_params["uuid"], store_of(request)
    del store.subscriptions[uuid]
    store.signing_keys.pop(uuid, None)
    return Response(status_code=204)


async def _list_event_types(request: Request) -> Response:
    query = request.query_params
    if not query.get("user") and not query.get("organization"):
        raise invalid("user", "user or organization must be given")
    items = list(store_of(request).event_types.values())
    if query.get("active"):
        items = [item for item in items if item["active"] == (query["active"] == "true")]
    return collection(request, items)


async def _event_type(request: Request) -> Response:
    return json_response({"resource": found(request, "event_types")})


async def _available_times(request: Request) -> Response:
    query, now = request.query_params, sandbox_of(request).clock.now()
    start, end = (parse_iso(query.get(name, "")) for name in ("start_time", "end_time"))
    if start is None or end is None:
        raise invalid("start_time" if start is None else "end_time", "is not a valid time")
    if end - start > MAX_RANGE:
        raise invalid("end_time", "date range can be no greater than 1 week (7 days)")
    if start < now:
        raise invalid("start_time", "start_time must be in the future")
    if end <= start:
        raise invalid("end_time", "end_time must be after start_time")
    event_type = found(request, "event_types", last_part(query.get("event_type", "")))
    slots = free_slots(request, event_type, start, end)
    return json_response({"collection": [_slot(event_type, slot) for slot in slots]})


def _slot(event_type: Mapping[str, Any], slot: datetime) -> dict[str, Any]:
    text = slot.strftime("%Y-%m-%dT%H:%M:%SZ")
    url = f"{event_type['scheduling_url']}/{text}"
    return {"status": "available", "invitees_remaining": 1, "start_time": text, "scheduling_url": url}


# ── public booking pages, no credential ──────────────────────────────────────


async def _lookup(request: Request) -> Response:
    query, store = request.query_params, store_of(request)
    for uuid, event_type in store.event_types.items():
        if event_type["slug"] == query.get("event_type_slug") and store.user["slug"] == query.get("profile_slug"):
            return json_response(
                {"uuid": uuid, "availability_timezone": store.user["timezone"], "name": event_type["name"]}
            )
    raise Refused(error(404))


async def _scheduling_link(request: Request) -> Response:
    for uuid, event_type in store_of(request).event_types.items():
        if event_type["slug"] == request.path_params["slug"]:
            return json_response({"owner_uuid": uuid})
    raise Refused(error(404))


async def _range(request: Request) -> Response:
    query, event_type = request.query_params, found(request, "event_types")
    start, end = (parse_iso(query.get(name, "")) for name in ("range_start", "range_end"))
    if start is None or end is None:
        raise invalid("range_start" if start is None else "range_end", "is not a valid date")
    try:
        zone = ZoneInfo(query.get("timezone", "UTC"))
    except (KeyError, ValueError, OSError):
        raise invalid("timezone", "is invalid") from None
    days: dict[str, list[dict[str, str]]] = {}
    for offset in range(min(62, (end - start).days + 1)):
        days[(start + timedelta(days=offset)).date().isoformat()] = []
    for slot in free_slots(request, event_type, start, end + timedelta(days=1)):
        local = slot.astimezone(zone)
        days.setdefault(local.date().isoformat(), []).append({"status": "available", "start_time": local.isoformat()})
    shown = [
        {"date": date, "status": "available" if spots else "unavailable", "spots": spots}
        for date, spots in days.items()
    ]
    return json_response({"days": shown})


VENDOR = Vendor(
    name=NAME,
    prefix="/calendly",
    guard=guard,
    error=error,
    unauthorized=unauthorized,
    rate_limited=rate_limited,
    snapshot=snapshot,
    seed=seed,
    headers=rate_headers,
    routes=[
        Route("/users/me", _me),
        Route("/webhook_subscriptions", _subscribe, methods=["POST"]),
        Route("/webhook_subscriptions", _list_subscriptions),
        Route("/webhook_subscriptions/{uuid}", _subscription, methods=["GET", "DELETE"]),
        Route("/event_types", _list_event_types),
        Route("/event_types/{uuid}", _event_type),
        Route("/event_type_available_times", _available_times),
        Route("/scheduled_events", calendly_bookings.list_events),
        Route("/scheduled_events/{uuid}", calendly_bookings.get_event),
        Route("/scheduled_events/{uuid}/invitees", calendly_bookings.list_invitees),
        Route("/scheduled_events/{uuid}/invitees/{invitee}", calendly_bookings.get_invitee),
        Route("/scheduled_events/{uuid}/cancellation", calendly_bookings.cancel, methods=["POST"]),
        Route("/invitees", calendly_bookings.book, methods=["POST"]),
        Route("/invitee_no_shows", calendly_bookings.create_no_show, methods=["POST"]),
        Route("/invitee_no_shows/{uuid}", calendly_bookings.delete_no_show, methods=["DELETE"]),
        Route("/api/booking/event_types/lookup", _lookup),
        Route("/api/booking/scheduling_links/{slug}", _scheduling_link),
        Route("/api/booking/event_types/{uuid}/calendar/range", _range),
        # Not an API of the vendor: what a person does on the rescheduling page (needs the credential like the rest).
        Route("/reschedulings/{uuid}", calendly_bookings.reschedule, methods=["POST"]),
    ],
)
