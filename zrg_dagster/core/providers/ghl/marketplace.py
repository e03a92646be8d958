"""Feed B: the marketplace app's typed events (spec/providers.md §4.2, §4.3)."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from zrg_dagster.core.providers.ghl.workflow import sms_flags
from zrg_dagster.core.providers.payload import (
    Json,
    attachment_urls,
    child,
    flag,
    ident,
    need_ident,
    need_object,
    raw_text,
    text,
    unknown_event,
)
from zrg_dagster.core.providers.records import (
    AppointmentRecord,
    AppointmentStatus,
    IdentityKind,
    LeadRecord,
    MessageFlags,
    MessageRecord,
    MessageSource,
    Parsed,
    ShapeError,
    SignalRecord,
    ignored,
)
from zrg_dagster.core.text.address import normalise_email
from zrg_dagster.core.text.phone import region_of_timezone, to_e164
from zrg_dagster.core.text.times import best_stamp, parse_local, parse_timestamp

# Families that the vendor documents and we do not use; a name outside them is new and quarantined.
_NOT_HANDLED = re.compile(
    r"(?:Contact|Conversation|Opportunity|Task|Note|Invoice|Product|Price|Order|Association|Relation|Location|User|Campaign|"
    r"Record|ObjectSchema|Plan|Saas|SaasPlan|LCEmail|Voice|VoiceAi|Payment|Subscription|Coupon|Provider|Install|Uninstall|"
    r"INSTALL|UNINSTALL|AppInstall|AppUninstall|External)[A-Za-z]{0,40}"
)
_APPOINTMENT_STATUS: dict[str, AppointmentStatus] = {
    "new": "CONFIRMED",
    "booked": "CONFIRMED",
    "confirmed": "CONFIRMED",
    "cancelled": "CANCELED",
    "canceled": "CANCELED",
    "invalid": "CANCELED",
    "showed": "SHOWED",
    "noshow": "NO_SHOW",
    "rescheduled": "RESCHEDULED",
}
_SOURCES: dict[str, MessageSource] = {"api": "api", "app": "human"}
_FAILED = {"failed", "undelivered"}


@dataclass(frozen=True, slots=True)
class _Event:
    type: str
    document: Json
    location_id: str
    received_at: datetime
    zone: str | None


def read(document: Json, received_at: datetime, zone: str | None) -> Parsed:
    event_type = text(document, "type") or ""
    handler = _HANDLERS.get(event_type)
    if handler is None:
        if _NOT_HANDLED.fullmatch(event_type):
            return ignored(event_type, "type_not_handled")
        raise unknown_event("$.type", document.get("type"))
    return handler(_Event(event_type, document, need_ident(document, "locationId", "$.locationId"), received_at, zone))


def _message(event: _Event) -> Parsed:
    document = event.document
    message_type = (text(document, "messageType") or "").upper().removeprefix("TYPE_")
    if message_type != "SMS":
        return ignored(event.type, "not_an_sms")
    message_id = need_ident(document, "messageId", "$.messageId")
    contact_id = need_ident(document, "contactId", "$.contactId")
    inbound = event.type == "InboundMessage"
    body = (raw_text(document, "body") or "").strip()
    attachments = attachment_urls(document)
    if not body and not attachments:
        return ignored(event.type, "empty_message")
    stamp = best_stamp((document.get("dateAdded"), document.get("timestamp")), event.received_at)
    user_id = ident(document, "userId")
    message = MessageRecord(
        key=f"ghl:{event.location_id}:{message_id}",
        channel="sms",
        direction="inbound" if inbound else "outbound",
        source="webhook" if inbound else _source(document, user_id),
        body=body,
        raw_text=raw_text(document, "body"),
        sent_at=stamp.at,
        sent_at_quality=stamp.quality,
        provider_message_id=message_id,
        thread_handle=contact_id,
        sender_user_id=user_id,
        attachments=attachments,
        flags=sms_flags(body, attachment_only=not body) if inbound else MessageFlags(),
    )
    return Parsed(event.type, lead=_contact(contact_id), message=message, signals=_delivery(document, message))


def _source(document: Json, user_id: str | None) -> MessageSource:
    """Who sent an outbound SMS: our API call, a person in the vendor's inbox, or one of its automations."""
    source = _SOURCES.get((text(document, "source") or "").lower(), "workflow")
    return "workflow" if source == "human" and user_id is None else source


def _delivery(document: Json, message: MessageRecord) -> tuple[SignalRecord, ...]:
    if message.direction == "inbound":
        return ()
    failed = (text(document, "status") or "").lower() in _FAILED
    if not failed and message.source != "api":
        return ()
    return (
        SignalRecord(
            kind="delivery_status" if failed else "send_confirmed",
            key=f"{message.key}:{'failed' if failed else 'sent'}",
            value="failed" if failed else "sent",
            at=message.sent_at,
            channel="sms",
            provider_message_id=message.provider_message_id,
        ),
    )


def _appointment(event: _Event) -> Parsed:
    path = "$.appointment"
    appointment = need_object(event.document.get("appointment"), path)
    appointment_id = need_ident(appointment, "id", f"{path}.id")
    contact_id = need_ident(appointment, "contactId", f"{path}.contactId")
    status = _status(event, appointment, path)
    start_at = parse_local(appointment.get("startTime"), event.zone, near=event.received_at)
    if start_at is None and status != "CANCELED":
        raise ShapeError(f"{path}.startTime", "time with offset", "none")
    versions = [parse_timestamp(appointment.get("dateUpdated")), parse_timestamp(event.document.get("timestamp"))]
    record = AppointmentRecord(
        key=f"ghl-appt:{appointment_id}",
        provider="GHL",
        external_id=appointment_id,
        status=status,
        version_at=max((version for version in versions if version), default=event.received_at),
        start_at=start_at,
        end_at=parse_local(appointment.get("endTime"), event.zone, near=event.received_at),
        join_url=_link(text(appointment, "address")),
        location=text(appointment, "address"),
        title=text(appointment, "title"),
        event_type_id=ident(appointment, "calendarId"),
    )
    return Parsed(event.type, lead=_contact(contact_id), appointment=record)


def _status(event: _Event, appointment: Json, path: str) -> AppointmentStatus:
    if event.type == "AppointmentDelete":
        return "CANCELED"
    word = re.sub(r"[^a-z]", "", (text(appointment, "appointmentStatus") or "").lower())
    status = _APPOINTMENT_STATUS.get(word)
    if status is None:
        raise ShapeError(f"{path}.appointmentStatus", "known appointment status", "other word" if word else "none")
    return status


def _dnd(event: _Event) -> Parsed:
    """Do-not-disturb for SMS: the channel's own setting, else the contact's switch for all channels."""
    document = event.document
    contact_id = need_ident(document, "id", "$.id")
    setting = (text(child(child(document, "dndSettings"), "SMS"), "status") or "").lower()
    if flag(document, "dnd") and setting not in ("permanent", "active"):
        setting = "active"
    value = {"permanent": "permanent", "active": "blocked"}.get(setting, "clear")
    stamp = best_stamp((document.get("timestamp"),), event.received_at)
    email = normalise_email(document.get("email"))
    phone = to_e164(text(document, "phone"), text(document, "country") or region_of_timezone(event.zone))
    pairs: tuple[tuple[IdentityKind, str | None], ...] = (
        ("ghl_contact", contact_id),
        ("email", email),
        ("phone", phone),
    )
    lead = LeadRecord(
        identities=tuple((kind, value) for kind, value in pairs if value),
        email=email,
        first_name=text(document, "firstName"),
        last_name=text(document, "lastName"),
        phone=phone,
        phone_raw=text(document, "phone"),
    )
    signal = SignalRecord(
        kind="dnd",
        key=f"ghl:{event.location_id}:dnd:{contact_id}:{value}:{stamp.at:%Y%m%dT%H%M%S%f}",
        value=value,
        at=stamp.at,
        channel="sms",
    )
    return Parsed(event.type, lead=lead, signals=(signal,))


def _contact(contact_id: str) -> LeadRecord:
    return LeadRecord(identities=(("ghl_contact", contact_id),))


def _link(address: str | None) -> str | None:
    return address if address and address.lower().startswith(("https://", "http://")) and " " not in address else None


_HANDLERS: dict[str, Callable[[_Event], Parsed]] = {
    "InboundMessage": _message,
    "OutboundMessage": _message,
    "AppointmentCreate": _appointment,
    "AppointmentUpdate": _appointment,
    "AppointmentDelete": _appointment,
    "ContactDndUpdate": _dnd,
}
