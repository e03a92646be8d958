"""Resend deliveries to notices about our own mail (spec/providers.md §12.2).

Only what an operator should know becomes a record: a notification that did not arrive, or a sending domain that lost its
verification. Progress of a mail (sent, opened …) changes nothing here.
"""

import re
from datetime import datetime

from zrg_dagster.core.providers.payload import (
    Json,
    child,
    ident,
    load,
    need_ident,
    need_object,
    text,
    unknown_event,
)
from zrg_dagster.core.providers.records import Parsed, ShapeError, SignalRecord, ignored
from zrg_dagster.core.text.address import parse_address_list
from zrg_dagster.core.text.times import best_stamp

# event → (our word, where the vendor says why, the key there)
_TROUBLE = {
    "email.bounced": ("bounced", "bounce", "type"),
    "email.complained": ("complained", "", ""),
    "email.suppressed": ("suppressed", "suppressed", "reason"),
    "email.failed": ("failed", "failed", "reason"),
}
_LOG_ONLY = {
    *("email.sent", "email.scheduled", "email.delivered", "email.delivery_delayed", "email.opened", "email.clicked"),
    *("contact.created", "contact.updated", "contact.deleted", "domain.created", "domain.deleted"),
}
_CODE = re.compile(r"[a-z0-9_]{1,64}")


def parse(body: bytes, *, received_at: datetime, workspace_timezone: str | None = None, scope: str) -> Parsed:
    """One delivery. Mail ids are unique at the vendor, so `scope` is not part of the keys. Raises `ShapeError`."""
    document = need_object(load(body), "$")
    event_type = text(document, "type") or ""
    if event_type in _LOG_ONLY:
        return ignored(event_type, "log_only")
    if event_type == "email.received":
        # Only its head is delivered; answers of leads come through the e-mail provider.
        return ignored(event_type, "inbound_mail_not_read")
    at = best_stamp((document.get("created_at"),), received_at).at
    if event_type == "domain.updated":
        return _domain(document, event_type, at)
    if event_type not in _TROUBLE:
        raise unknown_event("$.type", document.get("type"))
    return _mail(document, event_type, at)


def _mail(document: Json, event_type: str, at: datetime) -> Parsed:
    data = need_object(document.get("data"), "$.data")
    mail_id = need_ident(data, "email_id", "$.data.email_id")
    word, where, key = _TROUBLE[event_type]
    why = _code(child(data, where), key)
    recipients = [address.email for address in parse_address_list(data.get("to"))]
    if not recipients:
        raise ShapeError("$.data.to", "mail address", "none")
    signals = (
        SignalRecord(
            kind="notification_mail",
            key=f"resend:{mail_id}:{word}:{why or ''}:{recipient}",
            value=word,
            at=at,
            channel="email",
            detail=why,
            provider_message_id=mail_id,
            account_email=recipient,
        )
        for recipient in recipients
    )
    return Parsed(event_type, signals=tuple(signals))


def _domain(document: Json, event_type: str, at: datetime) -> Parsed:
    data = need_object(document.get("data"), "$.data")
    status = _code(data, "status")
    if status not in ("failed", "temporary_failure"):
        return ignored(event_type, "log_only")
    name = ident(data, "name") or need_ident(data, "id", "$.data.id")
    signal = SignalRecord(
        kind="notification_mail",
        key=f"resend:domain:{name}:{status}:{at:%Y%m%dT%H%M%S%f}",
        value="domain_failed",
        at=at,
        channel="email",
        detail=status,
        account_id=name,
    )
    return Parsed(event_type, signals=(signal,))


def _code(holder: Json, key: str) -> str | None:
    """A word of the vendor's vocabulary; its sentences are not kept."""
    word = (text(holder, key) or "").lower().replace(" ", "_")
    return word if _CODE.fullmatch(word) else None
