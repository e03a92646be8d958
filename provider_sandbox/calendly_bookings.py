"""Calendly bookings on the wire: book, list, cancel, reschedule, no-show (vendor reference 9.4)."""

import random
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from provider_sandbox.calendly_store import HOST, NAME, last_part
from provider_sandbox.calendly_wire import (
    collection,
    found,
    free_slots,
    invalid,
    now_text,
    rate_limited,
    read_body,
    recent,
    store_of,
    wait_s,
)
from provider_sandbox.state import parse_iso
from provider_sandbox.vendor import echo, json_response, sandbox_of


def _check_guest(event_type: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    guest = body.get("invitee")
    if not isinstance(guest, dict) or "@" not in str(guest.get("email", "")):
        raise invalid("invitee.email", "is invalid")
    if not guest.get("timezone"):
        raise invalid("invitee.timezone", "is missing")
    name = guest.get("name") or " ".join(filter(None, (guest.get("first_name"), guest.get("last_name"))))
    if not name:
        raise invalid("invitee.name", "is missing")
    answers = body.get("questions_and_answers") or []
    answered = {item.get("question") for item in answers if item.get("answer")}
    for question in event_type["custom_questions"]:
        if question["required"] and question["enabled"] and question["name"] not in answered:
            raise invalid("questions_and_answers", f"{question['name']} is required")
    blank = dict.fromkeys(("utm_campaign", "utm_source", "utm_medium", "utm_content", "utm_term", "salesforce_uuid"))
    kept = {key: guest[key] for key in ("first_name", "last_name", "text_reminder_number") if guest.get(key)}
    tracking = blank | (body.get("tracking") or {})
    base = {"email": guest["email"], "name": name, "timezone": guest["timezone"], "tracking": tracking}
    return base | kept | {"questions_and_answers": answers}


async def book(request: Request) -> Response:
    body, store, sandbox = await read_body(request), store_of(request), sandbox_of(request)
    limit, bookings = sandbox.option(NAME, "bookings_per_minute"), recent(store.bookings)
    if limit and len(bookings) >= limit:
        return rate_limited(wait_s(bookings), limit)
    event_type = store.event_types.get(last_part(str(body.get("event_type", ""))))
    if event_type is None:
        raise invalid("event_type", "is invalid")
    start = parse_iso(str(body.get("start_time", "")))
    if start is None:
        raise invalid("start_time", "is not a valid time")
    guest = _check_guest(event_type, body)
    if start not in free_slots(request, event_type, start, start + timedelta(seconds=1)):
        raise invalid("start_time", "is not available")
    bookings.append(time.monotonic())
    invitee = store.add_booking(sandbox, event_type, start, guest)
    _fire(request, "invitee.created", invitee)
    return json_response({"resource": invitee}, 201)


def _fire(request: Request, kind: str, invitee: Mapping[str, Any], delay_s: float = 0.0) -> None:
    delay = delay_s + sandbox_of(request).option(NAME, "echo_delay_s")
    echo(request, NAME, store_of(request).webhook(kind, invitee, now_text(request)), delay_s=delay)


async def list_events(request: Request) -> Response:
    query, store = request.query_params, store_of(request)
    if not query.get("user") and not query.get("organization"):
        raise invalid("user", "user or organization must be given")
    earliest, latest = (parse_iso(query.get(name, "")) for name in ("min_start_time", "max_start_time"))

    def wanted(event: Mapping[str, Any]) -> bool:
        start, emails = (
            parse_iso(event["start_time"]),
            {guest["email"].lower() for guest in store.invitees_of(event["uri"])},
        )
        return (
            query.get("status", event["status"]) == event["status"]
            and (not query.get("invitee_email") or query["invitee_email"].lower() in emails)
            and start is not None
            and (earliest is None or start >= earliest)
            and (latest is None or start <= latest)
        )

    events = sorted(filter(wanted, store.events.values()), key=lambda event: event["start_time"])
    if query.get("sort") == "start_time:desc":
        events.reverse()
    return collection(request, events)


async def get_event(request: Request) -> Response:
    return json_response({"resource": found(request, "events")})


async def list_invitees(request: Request) -> Response:
    query, event = request.query_params, found(request, "events")
    invitees = [
        invitee
        for invitee in store_of(request).invitees_of(event["uri"])
        if query.get("email", invitee["email"]).lower() == invitee["email"].lower()
        and query.get("status", invitee["status"]) == invitee["status"]
    ]
    return collection(request, invitees)


async def get_invitee(request: Request) -> Response:
    return json_response({"resource": found(request, "invitees", request.path_params["invitee"])})


async def cancel(request: Request) -> Response:
    event, body, store = found(request, "events"), await read_body(request), store_of(request)
    if event["status"] == "canceled":
        body = {"title": "Permission Denied", "message": "Event is already canceled"}
        return json_response(body, 403)
    cancellation = store.cancel(
        sandbox_of(request), event, by=store.user["name"], reason=body.get("reason"), role="host"
    )
    for invitee in store.invitees_of(event["uri"]):
        _fire(request, "invitee.canceled", invitee)
    return json_response({"resource": cancellation}, 201)


async def create_no_show(request: Request) -> Response:
    body, store, sandbox = await read_body(request), store_of(request), sandbox_of(request)
    invitee = found(request, "invitees", last_part(str(body.get("invitee", ""))) or "-")
    uuid = sandbox.ids.uuid()
    no_show = {"uri": f"{HOST}/invitee_no_shows/{uuid}", "created_at": now_text(request)}
    store.no_shows[uuid] = no_show | {"invitee": invitee["uri"]}
    invitee["no_show"] = no_show
    _fire(request, "invitee_no_show.created", invitee)
    return json_response({"resource": store.no_shows[uuid]}, 201)


async def delete_no_show(request: Request) -> Response:
    no_show, store = found(request, "no_shows"), store_of(request)
    invitee = found(request, "invitees", last_part(no_show["invitee"]))
    del store.no_shows[request.path_params["uuid"]]
    invitee["no_show"] = None
    _fire(request, "invitee_no_show.deleted", invitee)
    return Response(status_code=204)


async def reschedule(request: Request) -> Response:
    """The lead moves the booking on the public page: two webhooks, in an order nobody may rely on."""
    body, store, sandbox = await read_body(request), store_of(request), sandbox_of(request)
    old = found(request, "invitees", request.path_params["uuid"])
    event = store.events[last_part(old["event"])]
    event_type = store.event_types[last_part(event["event_type"])]
    start = parse_iso(str(body.get("start_time", "")))
    if start is None or start not in free_slots(request, event_type, start, start + timedelta(seconds=1)):
        raise invalid("start_time", "is not available")
    store.cancel(sandbox, event, by=old["name"], reason="Rescheduled", role="invitee")
    kept = ("email", "name", "timezone", "tracking", "first_name", "last_name", "questions_and_answers")
    new = store.add_booking(
        sandbox, event_type, start, {name: old[name] for name in kept} | {"old_invitee": old["uri"]}
    )
    old |= {"rescheduled": True, "new_invitee": new["uri"]}
    pair = [("invitee.canceled", old), ("invitee.created", new)]
    random.shuffle(pair)
    for order, (kind, invitee) in enumerate(pair):
        _fire(request, kind, invitee, delay_s=order * 0.05)
    return json_response({"resource": new}, 201)
