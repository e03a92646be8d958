"""Calendly deliveries to appointments (spec/providers.md §9.2, §9.3).

The payload is the invitee; older forwarders nest it as `payload.invitee`. Created and canceled arrive in any order, so
each record carries `version_at` and a reschedule names its counterpart. Which event types a workspace books, and which
lead this is, is decided where the database is.
"""

import re
from datetime import datetime

from zrg_dagster.core.providers.payload import Json, child, flag, ident, load, need_object, text, unknown_event
from zrg_dagster.core.providers.records import (
    AppointmentRecord,
    AppointmentStatus,
    IdentityKind,
    LeadRecord,
    Parsed,
    ShapeError,
    ignored,
)  # fmt: skip
from zrg_dagster.core.text.address import normalise_email, split_name
from zrg_dagster.core.text.phone import region_of_timezone, to_e164
from zrg_dagster.core.text.times import load_zone, parse_timestamp

HANDLED = {"invitee.created", "invitee.canceled", "invitee_no_show.created", "invitee_no_show.deleted"}
_NOT_HANDLED = re.compile(
    r"(?:routing_form_submission|event_type|contact|meeting_recap|user|organization|scheduled_event)\.[a-z_]{1,40}"
)


def parse(body: bytes, *, received_at: datetime, workspace_timezone: str | None = None, scope: str) -> Parsed:
    """One delivery. Invitee URIs are unique at the vendor, so `scope` is not part of the key. Raises `ShapeError`."""
    document = need_object(load(body), "$")
    event_type = text(document, "event") or ""
    if event_type not in HANDLED:
        if _NOT_HANDLED.fullmatch(event_type):
            return ignored(event_type, "not_handled")
        raise unknown_event("$.event", document.get("event"))
    payload = need_object(document.get("payload"), "$.payload")
    invitee = child(payload, "invitee") or payload
    event = child(payload, "scheduled_event") or child(payload, "event")
    lead = _lead(payload, invitee, workspace_timezone)
    appointment = _appointment(event_type, document, invitee, payload, event, received_at)
    return Parsed(event_type, lead=lead, appointment=appointment)


def _appointment(
    event_type: str, document: Json, invitee: Json, payload: Json, event: Json, received_at: datetime
) -> AppointmentRecord:
    invitee_uri = ident(invitee, "uri")
    event_uri = ident(event, "uri") or ident(invitee, "event") or ident(payload, "event")
    external_id = invitee_uri or event_uri
    if external_id is None:
        raise ShapeError("$.payload.uri", "invitee or event URI", "none")
    start_at = parse_timestamp(event.get("start_time"))
    location = child(event, "location")
    cancellation = child(invitee, "cancellation") or child(event, "cancellation")
    canceler = (text(cancellation, "canceler_type") or "").lower()
    return AppointmentRecord(
        key=f"calendly:{event_type}:{external_id}",
        provider="CALENDLY",
        external_id=external_id,
        secondary_id=event_uri,
        status=_status(event_type, invitee),
        version_at=_version(document, invitee, cancellation, received_at),
        start_at=start_at,
        end_at=parse_timestamp(event.get("end_time")),
        timezone=_zone(invitee),
        join_url=text(location, "join_url"),
        location=text(location, "location"),
        title=text(event, "name"),
        attendee_email=normalise_email(invitee.get("email")),
        attendee_name=text(invitee, "name"),
        event_type_id=ident(event, "event_type"),
        canceled_by="host" if canceler == "host" else "invitee" if canceler == "invitee" else None,
        reason=text(cancellation, "reason"),
        superseded_by=ident(invitee, "new_invitee"),
        supersedes=ident(invitee, "old_invitee"),
        keyed_by_event=invitee_uri is None,
        fetch_event=start_at is None and event_uri is not None,
    )


def _status(event_type: str, invitee: Json) -> AppointmentStatus:
    if event_type == "invitee.canceled":
        # Half of a reschedule: the meeting goes on under the new invitee, so nobody is asked to rebook.
        return "RESCHEDULED" if flag(invitee, "rescheduled") else "CANCELED"
    if event_type == "invitee_no_show.created":
        return "NO_SHOW"
    if event_type == "invitee_no_show.deleted" and (text(invitee, "status") or "").lower() == "canceled":
        return "CANCELED"
    return "CONFIRMED"


def _version(document: Json, invitee: Json, cancellation: Json, received_at: datetime) -> datetime:
    """When this became true: the latest time in the delivery. The invitee's own `updated_at` may be its creation."""
    times = (
        document.get("created_at"),
        invitee.get("updated_at"),
        invitee.get("created_at"),
        cancellation.get("created_at"),
        child(invitee, "no_show").get("created_at"),
    )
    return max((at for at in map(parse_timestamp, times) if at), default=received_at)


def _lead(payload: Json, invitee: Json, zone: str | None) -> LeadRecord:
    email = normalise_email(invitee.get("email"))
    name = text(invitee, "name")
    first, last = split_name(name)
    lead_zone = _zone(invitee)
    phone_raw = text(invitee, "text_reminder_number")
    phone = to_e164(phone_raw, region_of_timezone(lead_zone) or region_of_timezone(zone))
    pairs: tuple[tuple[IdentityKind, str | None], ...] = (("email", email), ("phone", phone))
    return LeadRecord(
        identities=tuple((kind, value) for kind, value in pairs if value),
        email=email,
        first_name=text(invitee, "first_name") or first,
        last_name=text(invitee, "last_name") or last,
        full_name=name,
        phone=phone,
        phone_raw=phone_raw,
        timezone=lead_zone,
        reference=ident(child(invitee, "tracking") or child(payload, "tracking"), "utm_content"),
    )


def _zone(invitee: Json) -> str | None:
    name = text(invitee, "timezone")
    return name if load_zone(name) else None
