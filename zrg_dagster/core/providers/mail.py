"""One inbound mail in every e-mail vendor's delivery: the text with the floor's verdict, and delivery notices told apart.

A vendor says what it knows as a `Mail`; cleaning, opt-out, auto-reply and bounce rules are the same for all of them.
"""

import hashlib
from datetime import datetime

from zrg_dagster.core.base.record import record
from zrg_dagster.core.providers.records import (
    LeadRecord,
    MessageFlags,
    MessageRecord,
    Parsed,
    Person,
    SignalRecord,
    ignored,
)
from zrg_dagster.core.text.address import parse_address_list
from zrg_dagster.core.text.autoreply import detect_auto_reply
from zrg_dagster.core.text.bounce import Bounce, detect_bounce, is_bounce_sender
from zrg_dagster.core.text.email_body import clean_reply
from zrg_dagster.core.text.html import html_to_text, looks_like_html
from zrg_dagster.core.text.optout import detect
from zrg_dagster.core.text.times import Stamp


@record
class Mail:
    """What a vendor reports of one inbound mail, before any rule has read it.

    `received_at` is our receipt. `automated` and `interested` are the vendor's marks, `reply_type` and `folder` its
    words for where the mail was put. `own_addresses` are our mailboxes as this delivery shows them: notices quote them.
    `has_attachment` counts files that come without a link.
    """

    key: str
    from_email: str
    stamp: Stamp
    received_at: datetime
    from_name: str | None = None
    to_email: str | None = None
    subject: str | None = None
    text: str | None = None
    html: str | None = None
    provider_message_id: str | None = None
    thread_handle: str | None = None
    parent_message_id: str | None = None
    internet_message_id: str | None = None
    cc: tuple[Person, ...] = ()
    bcc: tuple[Person, ...] = ()
    attachments: tuple[str, ...] = ()
    has_attachment: bool = False
    automated: bool = False
    interested: bool = False
    reply_type: str | None = None
    folder: str | None = None
    own_addresses: frozenset[str] = frozenset()


def find_bounce(mail: Mail) -> Bounce | None:
    """A delivery notice is told by raw text; HTML is rendered for it only when something points at a mail system."""
    body = mail.text or ""
    suspicious = is_bounce_sender(mail.from_email) or "bounced" in f"{mail.reply_type} {mail.folder}".lower()
    if suspicious and (looks_like_html(body) or not body.strip()):
        body = html_to_text(body if body.strip() else mail.html or "")
    return detect_bounce(
        from_email=mail.from_email,
        subject=mail.subject,
        text=body,
        reply_type=mail.reply_type,
        folder=mail.folder,
        own_addresses=mail.own_addresses,
    )


def inbound_message(mail: Mail, bounce: Bounce | None) -> MessageRecord:
    body = clean_reply(mail.text, mail.html)
    return MessageRecord(
        key=mail.key,
        channel="email",
        direction="inbound",
        source="bounce" if bounce else "webhook",
        body=body,
        sent_at=mail.stamp.at,
        sent_at_quality=mail.stamp.quality,
        provider_message_id=mail.provider_message_id,
        thread_handle=mail.thread_handle,
        parent_message_id=mail.parent_message_id,
        internet_message_id=mail.internet_message_id,
        subject=mail.subject,
        raw_text=mail.text,
        raw_html=mail.html,
        from_email=mail.from_email,
        from_name=mail.from_name,
        to_email=mail.to_email,
        cc=mail.cc,
        bcc=mail.bcc,
        attachments=mail.attachments,
        flags=_flags(mail, body, bounce),
    )


def _flags(mail: Mail, body: str, bounce: Bounce | None) -> MessageFlags:
    """The floor over the cleaned text. A delay notice is an automatic answer and suppresses nobody."""
    attachment_only = not body and bool(mail.attachments or mail.has_attachment)
    if bounce is not None:
        hard = bounce.severity == "hard"
        return MessageFlags(auto_reply=True, bounce=hard, bounce_rule=bounce.rule, attachment_only=attachment_only)
    auto = detect_auto_reply(body, subject=mail.subject, vendor_flag=mail.automated, now=mail.received_at)
    verdict = detect(body, channel="email", subject=mail.subject)
    opt_out = verdict is not None and verdict.kind == "opt_out"
    return MessageFlags(
        auto_reply=auto is not None,
        out_of_office=auto is not None and auto.kind == "out_of_office",
        returns_on=auto.returns_on if auto else None,
        opt_out=opt_out,
        opt_out_rule=verdict.rule if opt_out and verdict else None,
        provider_interested=mail.interested,
        attachment_only=attachment_only,
    )


def bounced_reply(event_type: str, lead: LeadRecord, message: MessageRecord, bounce: Bounce) -> Parsed:
    """A notice belongs to the lead it is about, never to the mail system that wrote it (IN-04)."""
    if not lead.identities:
        if bounce.recipient is None:
            return ignored(event_type, "bounce_recipient_unknown")
        lead = LeadRecord(
            identities=(("email", bounce.recipient),), email=bounce.recipient, sender_account_id=lead.sender_account_id
        )
    signal = SignalRecord(
        kind="bounce", key=message.key, value=bounce.severity, at=message.sent_at, channel="email", detail=bounce.rule
    )
    return Parsed(event_type, lead=lead, message=message, signals=(signal,))


def reported_bounce(notice: str, recipient: str) -> Bounce:
    """A bounce that the vendor reports as an event. It is hard unless the notice itself speaks of a delay."""
    found = detect_bounce(from_email=None, subject=None, text=notice, reply_type="bounced")
    return Bounce(found.severity if found else "hard", "vendor_event", recipient)


def opted_out(event_type: str, lead: LeadRecord, key: str, at: datetime, *, rule: str = "vendor_unsubscribe") -> Parsed:
    """A stop that the vendor reports: an unsubscribe link, or its people's mark."""
    signal = SignalRecord(kind="opt_out", key=key, value="opted_out", at=at, channel="email", detail=rule)
    return Parsed(event_type, lead=lead, signals=(signal,))


# Marks that people at the vendor set on somebody who must not be written to, without case and separators.
_STOP_LABELS = frozenset({"donotcontact", "dnc", "unsubscribe", "unsubscribed", "optedout", "optout"})


def labelled(event_type: str, lead: LeadRecord, label: str, key: str, at: datetime) -> Parsed:
    """The vendor's label on a lead. Our own reading of the conversation stays in charge (providers §7.2), with one
    exception: a label that says "do not contact" is a stop, because a stop is never weighed against anything."""
    signals = (SignalRecord(kind="provider_category", key=key, value=label, at=at, channel="email"),)
    if "".join(char for char in label.lower() if char.isalnum()) in _STOP_LABELS:
        signals += opted_out(event_type, lead, f"{key}:stop", at, rule="vendor_label").signals
    return Parsed(event_type, lead=lead, signals=signals)


def people(value: object) -> tuple[Person, ...]:
    return tuple(Person(address.email, address.name) for address in parse_address_list(value))


def said_digest(*parts: str) -> str:
    """Names a message whose vendor gave it no id, by what is said of it (providers §6.2): 32 hex characters."""
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:32]


def normalised(body: str) -> str:
    """A cleaned body as `said_digest` compares it: case and white space do not tell two mails apart."""
    return " ".join(body.lower().split())
