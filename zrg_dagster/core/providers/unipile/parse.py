"""Unipile deliveries to records (spec/providers.md §8.2, §8.3), in the vendor's flat form and in the older nested one.

A person is named by the member id (`ACoAA…`); messages carry the profile's address only in the older form, because
`attendee_profile_url` repeats the member id instead of the public name. A hook may be set to send forms, which cannot
carry the sender: such deliveries are read as far as they go and put aside for what they lack.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl

from zrg_dagster.core.providers.payload import (
    Json,
    child,
    flag,
    ident,
    items,
    load,
    need_ident,
    need_object,
    raw_text,
    text,
    unknown_event,
)
from zrg_dagster.core.providers.records import (
    IdentityKind,
    LeadRecord,
    MessageFlags,
    MessageRecord,
    Parsed,
    ShapeError,
    SignalRecord,
    ignored,
)
from zrg_dagster.core.text.address import split_name
from zrg_dagster.core.text.linkedin import profile_url
from zrg_dagster.core.text.optout import detect
from zrg_dagster.core.text.times import best_stamp

ACCOUNT_STATUS = "AccountStatus"
LINKEDIN = "LINKEDIN"
MAX_ATTENDEES = 2  # the lead and us; a third makes it a conversation that nobody may answer for us
STATUS_BUCKET_S = 600
_MEMBER_PREFIX = "acoa"
_MAX_FIELDS = 64

# What an account's state means for sending (§8.2): (our word, whether it is one to tell).
_STATES = {
    "OK": "reconnected",
    "SYNC_SUCCESS": "reconnected",
    "RECONNECTED": "reconnected",
    "CREATION_SUCCESS": "added",
    "CREDENTIALS": "disconnected",
    "PERMISSIONS": "disconnected",
    "STOPPED": "disconnected",
    "DELETED": "removed",
    "ERROR": "degraded",
}
_TRANSIENT = {"CONNECTING"}


@dataclass(frozen=True, slots=True)
class _Event:
    type: str
    document: Json
    account_id: str
    received_at: datetime

    def key(self, kind: str, value: str) -> str:
        return f"unipile:{self.account_id}:{kind}:{value}"


@dataclass(frozen=True, slots=True)
class _Said:
    """One message in either form. `sender` is somebody's member id, name and address; `others` the attendees who are
    not us. `sender_path` is where the document names the sender."""

    sender_path: str
    message: Json
    message_id: str
    body: str
    sender: Json
    is_ours: bool
    others: tuple[Json, ...]


def parse(body: bytes, *, received_at: datetime, workspace_timezone: str | None = None, scope: str) -> Parsed:
    """One delivery. Account ids are unique at the vendor, so `scope` is not part of the key. Raises `ShapeError`."""
    document = _document(body)
    if ACCOUNT_STATUS in document:
        return _account_status(need_object(document[ACCOUNT_STATUS], f"$.{ACCOUNT_STATUS}"), received_at)
    event_type = text(document, "event") or ""
    handler = _HANDLERS.get(event_type)
    if handler is None:
        if event_type in _NOT_HANDLED:
            return ignored(event_type, _NOT_HANDLED[event_type])
        # A hook of the vendor's version 2 names its events `type`; nothing of it can be read as version 1.
        path = "$.event" if "event" in document else "$.type"
        raise unknown_event(path, document.get("event", document.get("type")))
    account_id = need_ident(document, "account_id", "$.account_id")
    if (text(document, "account_type") or LINKEDIN).upper() != LINKEDIN:
        return ignored(event_type, "not_linkedin")
    return handler(_Event(event_type, document, account_id, received_at))


def _document(body: bytes) -> Json:
    start = body.lstrip(b" \t\r\n\xef\xbb\xbf")[:1]
    if start in (b"{", b"[", b"") or b"=" not in body:
        return need_object(load(body), "$")
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="strict")
    except ValueError:
        raise ShapeError("$", "JSON or a form", "undecodable bytes", code="invalid_json") from None
    fields: dict[str, object] = {}
    for name, value in pairs:
        fields.setdefault(name, value)
    return fields


def _message(event: _Event) -> Parsed:
    said = _flat(event) if event.type in _FLAT else _nested(event)
    if flag(event.document, "is_group") or len(items(event.document, "attendees")) > MAX_ATTENDEES:
        return ignored(event.type, "group_chat")
    if flag(event.document, "is_event"):
        return ignored(event.type, "not_a_message")
    attachments = [item for item in items(said.message, "attachments", 50) if isinstance(item, dict)]
    body = said.body or _named(attachments)
    if not body:
        return ignored(event.type, "empty_message")
    stamp = best_stamp((said.message.get("timestamp"),), event.received_at)
    record = MessageRecord(
        key=event.key("msg", said.message_id),
        channel="linkedin",
        direction="outbound" if said.is_ours else "inbound",
        source="human" if said.is_ours else "webhook",
        body=body,
        raw_text=raw_text(said.message, "message") or raw_text(said.message, "text"),
        sent_at=stamp.at,
        sent_at_quality=stamp.quality,
        provider_message_id=said.message_id,
        thread_handle=ident(said.message, "chat_id"),
        from_name=text(said.sender, "attendee_name"),
        subject=text(said.message, "subject"),
        attachments=tuple(url for item in attachments if (url := _link(item))),
        edited_at=event.received_at if event.type == "message_edited" else None,
        flags=MessageFlags() if said.is_ours else _flags(said.body, attachment_only=not said.body),
    )
    return Parsed(event.type, lead=_lead(_person(said)), message=record)


def _flat(event: _Event) -> _Said:
    """The vendor's form: the message's fields beside the event's."""
    document = event.document
    message_id = need_ident(document, "message_id", "$.message_id")
    sender = need_object(document.get("sender"), "$.sender")
    ours = ident(child(document, "account_info"), "user_id")
    sender_id = ident(sender, "attendee_provider_id")
    is_ours = flag(document, "is_sender") or (ours is not None and sender_id == ours)
    us = sender_id if is_ours else ours
    attendees = (each for each in items(document, "attendees") if isinstance(each, dict))
    others = tuple(each for each in attendees if ident(each, "attendee_provider_id") not in (None, us))
    body = (raw_text(document, "message") or "").strip()
    return _Said("$.sender.attendee_provider_id", document, message_id, body, sender, is_ours, others)


def _nested(event: _Event) -> _Said:
    """The older form: an object `message`, whose sender is never us."""
    message = need_object(event.document.get("message"), "$.message")
    sender = {
        "attendee_provider_id": message.get("sender_id"),
        "attendee_name": message.get("sender_name"),
        "attendee_profile_url": message.get("sender_linkedin_url"),
    }
    message_id = need_ident(message, "id", "$.message.id")
    return _Said(
        "$.message.sender_id", message, message_id, (raw_text(message, "text") or "").strip(), sender, False, ()
    )


def _person(said: _Said) -> Json:
    """The one of the conversation who is not us. `ShapeError` when the delivery does not say who that is."""
    if not said.is_ours:
        need_ident(said.sender, "attendee_provider_id", said.sender_path)
        return said.sender
    if len(said.others) != 1:
        raise ShapeError("$.attendees", "one other attendee", f"{len(said.others)}")
    return said.others[0]


def _lead(person: Json) -> LeadRecord:
    member = ident(person, "attendee_provider_id")
    return _record(member, profile_url(person.get("attendee_profile_url")), text(person, "attendee_name"))


def _record(member: str | None, profile: str | None, name: str | None) -> LeadRecord:
    slug = (profile or "").rpartition("/")[2]
    if slug.startswith(_MEMBER_PREFIX) or (member and slug == member.lower()):
        profile = None  # the member id again, which is no public name
    first, last = split_name(name)
    pairs: tuple[tuple[IdentityKind, str | None], ...] = (("linkedin_member", member), ("linkedin_url", profile))
    return LeadRecord(
        identities=tuple((kind, value) for kind, value in pairs if value),
        first_name=first,
        last_name=last,
        full_name=name,
        linkedin_url=profile,
    )


def _flags(body: str, *, attachment_only: bool) -> MessageFlags:
    verdict = detect(body, channel="linkedin") if body else None
    if verdict is not None and verdict.kind == "opt_out":
        return MessageFlags(opt_out=True, opt_out_rule=verdict.rule)
    return MessageFlags(attachment_only=attachment_only)


def _named(attachments: Sequence[Json]) -> str:
    """What stands for a message that is files alone."""
    names = (
        text(item, "attachment_name") or text(item, "name") or text(item, "attachment_type") for item in attachments
    )
    return "\n".join(f"[attachment: {(name or 'file')[:200]}]" for name in names)


def _link(item: Json) -> str | None:
    url = text(item, "attachment_url") or text(item, "url")
    return url if url and len(url) <= 2_000 else None


def _delivered(event: _Event) -> Parsed:
    said = _flat(event)
    if not said.is_ours or len(said.others) != 1:
        return ignored(event.type, "not_our_message")
    stamp = best_stamp((event.document.get("timestamp"),), event.received_at)
    signal = SignalRecord(
        kind="delivery_status",
        key=f"{event.key('msg', said.message_id)}:delivered",
        value="delivered",
        at=stamp.at,
        channel="linkedin",
        provider_message_id=said.message_id,
        account_id=event.account_id,
    )
    return Parsed(event.type, lead=_lead(said.others[0]), signals=(signal,))


def _relation(event: _Event) -> Parsed:
    """Somebody accepted our invitation or we theirs. The vendor polls for it, up to eight hours late, and names no time."""
    document = event.document
    member = need_ident(document, "user_provider_id", "$.user_provider_id")
    slug = ident(document, "user_public_identifier")
    profile = profile_url(f"https://linkedin.com/in/{slug}") if slug else profile_url(document.get("user_profile_url"))
    return _connected(event, member, profile, text(document, "user_full_name"))


def _accepted(event: _Event) -> Parsed:
    """The older form of a relation."""
    connection = need_object(event.document.get("connection"), "$.connection")
    member = ident(connection, "linkedin_member_id")
    profile = profile_url(connection.get("linkedin_url"))
    if member is None and profile is None:
        raise ShapeError("$.connection", "member id or profile address", "none")
    return _connected(event, member, profile, text(connection, "name"))


def _connected(event: _Event, member: str | None, profile: str | None, name: str | None) -> Parsed:
    lead = _record(member, profile, name)
    signal = SignalRecord(
        kind="connection_accepted",
        key=event.key("rel", member or profile or ""),
        value="connected",
        at=event.received_at,
        channel="linkedin",
        account_id=event.account_id,
    )
    return Parsed(event.type, lead=lead, signals=(signal,))


def _account_status(status: Json, received_at: datetime) -> Parsed:
    account_id = need_ident(status, "account_id", f"$.{ACCOUNT_STATUS}.account_id")
    message = (text(status, "message") or "").upper()
    if (text(status, "account_type") or LINKEDIN).upper() != LINKEDIN:
        return ignored(ACCOUNT_STATUS, "not_linkedin")
    if message in _TRANSIENT:
        return ignored(ACCOUNT_STATUS, "transient")
    state = _STATES.get(message)
    if state is None:
        raise unknown_event(f"$.{ACCOUNT_STATUS}.message", status.get("message"))
    # The vendor names no time; a retry minutes later is still the same change.
    bucket = int(received_at.timestamp()) // STATUS_BUCKET_S
    signal = SignalRecord(
        kind="sender_health",
        key=f"unipile:{account_id}:status:{message}:{bucket}",
        value=state,
        at=received_at,
        channel="linkedin",
        detail=message.lower(),
        account_id=account_id,
    )
    return Parsed(ACCOUNT_STATUS, signals=(signal,))


_FLAT = {"message_received", "message_edited"}
# Known events that change nothing here, each with why. What was said stays on record when the vendor's copy goes.
_NOT_HANDLED = {
    "message_read": "log_only",
    "message_reaction": "log_only",
    "message_deleted": "message_kept",
    "message.sent": "own_message_without_recipient",
    "connection.received": "log_only",
    "profile.viewed": "log_only",
}
_HANDLERS: dict[str, Callable[[_Event], Parsed]] = {
    "message_received": _message,
    "message_edited": _message,
    "message.received": _message,
    "message_delivered": _delivered,
    "new_relation": _relation,
    "connection.accepted": _accepted,
}
