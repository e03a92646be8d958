"""GoHighLevel calendars on the wire: free slots and appointments (vendor reference 4.4)."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provider_sandbox.ghl_store import NAME, Store
from provider_sandbox.ghl_wire import read_body, refuse, store_of, trace
from provider_sandbox.slots import open_slots, overlaps
from provider_sandbox.state import iso_milli, parse_iso
from provider_sandbox.vendor import Refused, json_response, sandbox_of

MAX_RANGE = timedelta(days=31)
_DAY = re.compile(r"^\d{4}-\d{2}-\d{2}$")
_GONE = frozenset({"cancelled", "invalid"})
_WRITABLE = frozenset(
    [
        "startTime",
        "endTime",
        "title",
        "appointmentStatus",
        "assignedUserId",
        "address",
        "description",
        "meetingLocationType",
        "rrule",
        "toNotify",
        "calendarId",
        "contactId",
        "locationId",
    ]
)


def _calendar(request: Request, calendar_id: Any) -> dict[str, Any]:
    calendar = store_of(request).calendars.get(calendar_id)
    if calendar is None:
        raise refuse(404, f"Calendar with id {calendar_id} not found")
    return calendar


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise refuse(422, "timezone must be a valid IANA time zone") from None


def _busy(store: Store, calendar_id: str, *, except_id: str | None = None) -> list[tuple[datetime, datetime]]:
    out = []
    for item in store.appointments.values():
        if item.get("calendarId") != calendar_id or item["id"] == except_id or item["appointmentStatus"] in _GONE:
            continue
        start, end = parse_iso(str(item.get("startTime"))), parse_iso(str(item.get("endTime")))
        if start and end:
            out.append((start, end))
    return out


def _free(request: Request, calendar: Mapping[str, Any], start: datetime, end: datetime) -> list[datetime]:
    minutes = int(calendar["slotDuration"])
    busy = _busy(store_of(request), calendar["id"])
    slots = open_slots(
        start, end, zone=calendar["timezone"], minutes=minutes, not_before=sandbox_of(request).clock.now()
    )
    return [slot for slot in slots if not overlaps(slot, slot + timedelta(minutes=minutes), busy)]


async def free_slots(request: Request) -> Response:
    query, calendar = request.query_params, _calendar(request, request.path_params["id"])
    try:
        start, end = (datetime.fromtimestamp(int(query[name]) / 1000, UTC) for name in ("startDate", "endDate"))
    except (KeyError, ValueError, OverflowError):
        raise refuse(422, "startDate and endDate must be numbers (epoch milliseconds)") from None
    if end - start > MAX_RANGE:
        raise refuse(400, "Date range cannot be more than 31 days")
    zone = _zone(query.get("timezone", calendar["timezone"]))
    days: dict[str, Any] = {}
    for slot in _free(request, calendar, start, end):
        local = slot.astimezone(zone)
        days.setdefault(local.date().isoformat(), {"slots": []})["slots"].append(local.isoformat())
    return json_response({**days, "traceId": trace(request)})


def _times(body: Mapping[str, Any], calendar: Mapping[str, Any]) -> tuple[datetime, datetime]:
    start = parse_iso(str(body.get("startTime") or ""))
    if start is None:
        raise refuse(422, "startTime must be a valid ISO 8601 date string")
    end = parse_iso(str(body.get("endTime") or "")) or start + timedelta(minutes=int(calendar["slotDuration"]))
    if end <= start:
        raise refuse(400, "endTime must be after startTime")
    return start, end


def _check_slot(
    request: Request, body: Mapping[str, Any], calendar: Mapping[str, Any], start: datetime, end: datetime,
    *, except_id: str | None = None,
) -> None:  # fmt: skip
    """The slot must be one the calendar offers and nobody took, unless the caller overrides the check."""
    if body.get("ignoreFreeSlotValidation"):
        return
    now = sandbox_of(request).clock.now()
    offered = open_slots(
        start, start + timedelta(seconds=1), zone=calendar["timezone"], minutes=calendar["slotDuration"], not_before=now
    )
    if next(offered, None) is None or overlaps(
        start, end, _busy(store_of(request), calendar["id"], except_id=except_id)
    ):
        message = "The slot you have selected is no longer available."
        raise refuse(400, message, traceId=trace(request))


async def _create(request: Request) -> Response:
    body, store, sandbox = await read_body(request), store_of(request), sandbox_of(request)
    missing = [name for name in ("calendarId", "locationId", "contactId", "startTime") if not body.get(name)]
    if missing:
        messages = [f"{name} should not be empty" for name in missing]
        raise Refused(json_response({"statusCode": 422, "message": messages, "error": "Unprocessable Entity"}, 422))
    calendar = _calendar(request, body["calendarId"])
    if body["contactId"] not in store.contacts and not sandbox.option(NAME, "adopt_unknown"):
        raise refuse(400, f"Contact with id {body['contactId']} not found")
    start, end = _times(body, calendar)
    _check_slot(request, body, calendar, start, end)
    now = iso_milli(sandbox.clock.now())
    appointment = {
        "id": sandbox.ids.alnum(),
        "title": "",
        "appointmentStatus": "confirmed",
        "assignedUserId": calendar["teamMembers"][0]["userId"] if calendar["teamMembers"] else None,
        "address": "",
        "isRecurring": False,
        **{name: value for name, value in body.items() if name in _WRITABLE and name != "toNotify"},
        "startTime": body["startTime"],
        "endTime": body.get("endTime") or end.astimezone(start.tzinfo).isoformat(),
        "dateAdded": now,
        "dateUpdated": now,
    }
    store.appointments[appointment["id"]] = appointment
    return json_response(appointment)


def _appointment(request: Request) -> dict[str, Any]:
    appointment = store_of(request).appointments.get(request.path_params["id"])
    if appointment is None:
        raise refuse(404, "Appointment not found")
    return appointment


async def _get(request: Request) -> Response:
    wrapper = sandbox_of(request).option(NAME, "appointment_wrapper")
    return json_response({wrapper: _appointment(request), "traceId": trace(request)})


async def _update(request: Request) -> Response:
    appointment, body = _appointment(request), await read_body(request)
    merged = {**appointment, **{name: value for name, value in body.items() if name in _WRITABLE}}
    if "startTime" in body:
        calendar = _calendar(request, merged["calendarId"])
        if "endTime" not in body:
            merged["endTime"] = None
        start, end = _times(merged, calendar)
        _check_slot(request, body, calendar, start, end, except_id=appointment["id"])
        merged["endTime"] = merged["endTime"] or end.isoformat()
    appointment |= merged | {"dateUpdated": iso_milli(sandbox_of(request).clock.now())}
    return json_response(appointment)


async def _delete(request: Request) -> Response:
    del store_of(request).appointments[_appointment(request)["id"]]
    return json_response({"succeeded": True}, 201)


async def _list_events(request: Request) -> Response:
    query = request.query_params
    if not query.get("locationId") or not any(query.get(name) for name in ("calendarId", "userId", "groupId")):
        raise refuse(422, "locationId and one of calendarId, userId, groupId are required")
    try:
        start, end = (datetime.fromtimestamp(int(query[name]) / 1000, UTC) for name in ("startTime", "endTime"))
    except (KeyError, ValueError, OverflowError):
        raise refuse(422, "startTime and endTime must be numbers (epoch milliseconds)") from None

    def wanted(item: Mapping[str, Any]) -> bool:
        begins = parse_iso(str(item["startTime"]))
        return (
            item.get("locationId") == query["locationId"]
            and query.get("calendarId", item.get("calendarId")) == item.get("calendarId")
            and query.get("userId", item.get("assignedUserId")) == item.get("assignedUserId")
            and begins is not None
            and start <= begins < end
        )

    return json_response({"events": [item for item in store_of(request).appointments.values() if wanted(item)]})


async def _list_calendars(request: Request) -> Response:
    location = request.query_params.get("locationId")
    if not location:
        raise refuse(422, "locationId is required")
    calendars = store_of(request).calendars.values()
    return json_response({"calendars": [item for item in calendars if item["locationId"] == location]})


async def contact_appointments(request: Request) -> Response:
    """The one endpoint with naive local times: no offset, in the calendar's own zone."""
    store, contact_id = store_of(request), request.path_params["id"]
    if contact_id not in store.contacts and not sandbox_of(request).option(NAME, "adopt_unknown"):
        raise refuse(404, f"Contact with id {contact_id} not found")
    events = []
    for item in store.appointments.values():
        if item.get("contactId") != contact_id:
            continue
        zone = _zone((store.calendars.get(item.get("calendarId")) or {}).get("timezone", "UTC"))
        naive = {}
        for name in ("startTime", "endTime"):
            moment = parse_iso(str(item.get(name)))
            naive[name] = moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S") if moment else None
        shown = {name: item.get(name) for name in ("id", "calendarId", "title", "assignedUserId", "appointmentStatus")}
        owner = {"contactId": contact_id, "locationId": item.get("locationId")}
        events.append({**shown, "status": "booked", "notes": item.get("description"), **naive, **owner})
    return json_response({"events": events})


ROUTES = [
    Route("/calendars/", _list_calendars),
    Route("/calendars/events", _list_events),
    Route("/calendars/events/appointments", _create, methods=["POST"]),
    Route("/calendars/events/appointments/{id}", _get),
    Route("/calendars/events/appointments/{id}", _update, methods=["PUT"]),
    Route("/calendars/events/{id}", _delete, methods=["DELETE"]),
    Route("/calendars/{id}/free-slots", free_slots),
]
