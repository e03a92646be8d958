"""Instantly deliveries to records: API v2 and the older names (providers §7.2, §7.3).

v2 says `event_type`, `lead_email` and an ISO `timestamp`, the older shape `type`, `contact_email` and milliseconds. Both
are read everywhere: the predecessor knew the older names only and lost every v2 reply and every v2 unsubscribe.

An answer needs the mail's id and our mailbox: `thread_handle` and the lead's `sender_account_id`. Without a handle the
vendor has to be asked for the mail first. Who wrote a reply is not in the payload, so it reads as the lead's.
"""

import re
from collections.abc import Callable
from datetime import datetime

from zrg_dagster.core.providers.contact import columns_of, filled, read_contact
from zrg_dagster.core.providers.door import label
from zrg_dagster.core.providers.mail import (
    Mail,
    bounced_reply,
    find_bounce,
    inbound_message,
    labelled,
    normalised,
    opted_out,
    reported_bounce,
    said_digest,
)
from zrg_dagster.core.providers.payload import Json, ident, load, need_object, raw_text, text, unknown_event
from zrg_dagster.core.providers.records import (
    CampaignRef,
    LeadRecord,
    MessageRecord,
    Parsed,
    ShapeError,
    SignalRecord,
    ignored,
)
from zrg_dagster.core.text.address import normalise_email
from zrg_dagster.core.text.email_body import clean_reply
from zrg_dagster.core.text.html import strip_tags
from zrg_dagster.core.text.times import Stamp, best_stamp

PROVIDER = "instantly"

# Known types that carry nothing we need.
IGNORED = {
    "email_opened": "log_only",
    "link_clicked": "log_only",
    "email_link_clicked": "log_only",
    "campaign_completed": "log_only",
    "supersearch_enrichment_completed": "log_only",
}
LABELS = {
    "lead_interested": "Interested",
    "lead_not_interested": "Not Interested",
    "lead_neutral": "Neutral",
    "lead_meeting_booked": "Meeting Booked",
    "lead_meeting_completed": "Meeting Completed",
    "lead_closed": "Won",
    "lead_out_of_office": "Out of Office",
    "lead_wrong_person": "Wrong Person",
    "lead_no_show": "No Show",
}
# The form of the vendor's own names. Whatever else stands there is a label that a user made up; a new event of the
# vendor must be seen by somebody, not taken for such a label.
_VENDOR_NAME = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)+")


class Reading:
    """What all event types share: the document, our clock and the prefix of every key."""

    def __init__(self, event_type: str, document: Json, received_at: datetime, zone: str | None, scope: str) -> None:
        self.event_type = event_type
        self.document = document
        self.received_at = received_at
        self.zone = zone
        self.scope = scope
        self.lead_email = normalise_email(document.get("lead_email")) or normalise_email(document.get("contact_email"))
        self.mailbox = normalise_email(document.get("email_account"))
        self.email_id = ident(document, "email_id")

    def key(self, kind: str, value: str) -> str:
        return f"{PROVIDER}:{self.scope}:{kind}:{value}"

    def stamp(self) -> Stamp:
        return best_stamp((self.document.get("timestamp"),), self.received_at)

    def need_lead_email(self) -> str:
        if self.lead_email is None:
            raise ShapeError("$.lead_email", "mail address", "none")
        return self.lead_email

    def lead(self) -> LeadRecord:
        """The lead with the columns that its list was imported with."""
        document, campaign_id = self.document, ident(self.document, "campaign_id")
        return read_contact(
            columns_of(document),
            self.zone,
            email=self.need_lead_email(),
            first_name=filled(document, "firstName"),
            last_name=filled(document, "lastName"),
            full_name=filled(document, "contact_name"),
            campaign=CampaignRef(PROVIDER, campaign_id, text(document, "campaign_name")) if campaign_id else None,
            sender_account_id=self.mailbox,
        )


def parse(body: bytes, *, received_at: datetime, workspace_timezone: str | None = None, scope: str) -> Parsed:
    """One delivery. `scope` is the workspace key, part of each key. Raises `ShapeError`."""
    document = need_object(load(body), "$")
    name = "type" if text(document, "event_type") is None and "type" in document else "event_type"
    said = text(document, name) if isinstance(document.get(name), str) else None
    event_type = (said or "").lower()
    if event_type in IGNORED:
        return ignored(event_type, IGNORED[event_type])
    handler = _HANDLERS.get(event_type)
    if handler is not None:
        return handler(Reading(event_type, document, received_at, workspace_timezone, scope))
    if said is None or _VENDOR_NAME.fullmatch(said):
        raise unknown_event(f"$.{name}", document.get(name))
    return _custom_label(Reading(label(said), document, received_at, workspace_timezone, scope))


def _reply(reading: Reading) -> Parsed:
    """reply_received and auto_reply_received: one inbound mail under its id."""
    document, lead = reading.document, reading.lead()
    from_email = reading.need_lead_email()
    if from_email == reading.mailbox:
        return ignored(reading.event_type, "own_address")
    words, html = raw_text(document, "reply_text"), raw_text(document, "reply_html")
    if not ((words or "").strip() or (html or "").strip()):
        words = raw_text(document, "reply_text_snippet")
    told = reading.email_id or said_digest(
        from_email, text(document, "timestamp") or "", normalised(clean_reply(words, html))
    )
    mail = Mail(
        key=reading.key("reply", told),
        from_email=from_email,
        from_name=lead.full_name,
        to_email=reading.mailbox,
        stamp=reading.stamp(),
        received_at=reading.received_at,
        subject=text(document, "reply_subject"),
        text=words,
        html=html,
        provider_message_id=reading.email_id,
        thread_handle=reading.email_id,
        automated=reading.event_type == "auto_reply_received",
        own_addresses=frozenset({reading.mailbox} if reading.mailbox else ()),
    )
    bounce = find_bounce(mail)
    message = inbound_message(mail, bounce)
    if bounce is not None:
        return bounced_reply(reading.event_type, lead, message, bounce)
    return Parsed(reading.event_type, lead=lead, message=message)


def _email_sent(reading: Reading) -> Parsed:
    """A campaign step that the vendor sent without us."""
    document, lead = reading.document, reading.lead()
    if reading.email_id is None:
        raise ShapeError("$.email_id", "id", "nothing")
    stamp, html = reading.stamp(), raw_text(document, "email_html")
    message = MessageRecord(
        key=reading.key("sent", reading.email_id),
        channel="email",
        direction="outbound",
        source="inboxxia_campaign",
        body=strip_tags(html or "") or (raw_text(document, "email_text") or "").strip(),
        sent_at=stamp.at,
        sent_at_quality=stamp.quality,
        provider_message_id=reading.email_id,
        campaign_step_id=ident(document, "step"),
        subject=text(document, "email_subject"),
        raw_text=raw_text(document, "email_text"),
        raw_html=html,
        from_email=reading.mailbox,
        to_email=lead.email,
    )
    return Parsed(reading.event_type, lead=lead, message=message)


def _email_bounced(reading: Reading) -> Parsed:
    """The event is the proof; the payload holds our mail and not the notice."""
    lead, email = reading.lead(), reading.need_lead_email()
    bounce = reported_bounce("", email)
    signal = SignalRecord(
        kind="bounce",
        key=reading.key("bounce", reading.email_id or email),
        value=bounce.severity,
        at=reading.stamp().at,
        channel="email",
        detail=bounce.rule,
        provider_message_id=reading.email_id,
    )
    return Parsed(reading.event_type, lead=lead, signals=(signal,))


def _unsubscribed(reading: Reading) -> Parsed:
    lead = reading.lead()
    return opted_out(reading.event_type, lead, reading.key("unsub", reading.need_lead_email()), reading.stamp().at)


def _label(reading: Reading) -> Parsed:
    lead, at = reading.lead(), reading.stamp().at
    key = reading.key("label", f"{reading.need_lead_email()}:{reading.event_type}:{at:%Y%m%dT%H%M%S%f}")
    return labelled(reading.event_type, lead, LABELS[reading.event_type], key, at)


def _custom_label(reading: Reading) -> Parsed:
    """A label that a user of the vendor made up. Its text stays in the event's type; only one that says "do not contact"
    has an effect."""
    if reading.lead_email is None:
        raise unknown_event("$.event_type", reading.event_type)
    at = reading.stamp().at
    key = reading.key("label", f"{reading.lead_email}:{reading.event_type}:{at:%Y%m%dT%H%M%S%f}")
    parsed = labelled(reading.event_type, reading.lead(), reading.event_type, key, at)
    return parsed if len(parsed.signals) > 1 else ignored(reading.event_type, "custom_label")


def _account(reading: Reading) -> Parsed:
    """The vendor cannot reach one of our mailboxes. Accounts have no id beside their address."""
    if reading.mailbox is None:
        raise ShapeError("$.email_account", "mail address", "none")
    at = reading.stamp().at
    signal = SignalRecord(
        kind="sender_health",
        key=reading.key("account", f"{reading.mailbox}:disconnected:{at:%Y%m%dT%H%M%S%f}"),
        value="disconnected",
        at=at,
        channel="email",
        account_id=reading.mailbox,
        account_email=reading.mailbox,
    )
    return Parsed(reading.event_type, signals=(signal,))


_HANDLERS: dict[str, Callable[[Reading], Parsed]] = {
    "reply_received": _reply,
    "auto_reply_received": _reply,
    "email_sent": _email_sent,
    "email_bounced": _email_bounced,
    "lead_unsubscribed": _unsubscribed,
    "unsubscribed": _unsubscribed,
    "account_error": _account,
    **dict.fromkeys(LABELS, _label),
}
