"""SmartLead deliveries to records: the flat family, the nested one, and the older shape (providers §6.2, §6.3).

An answer needs the campaign, the stats id and the id of the mail: `thread_handle` is `campaign:stats`,
`provider_message_id` the mail's. Mail without a handle can be read but not answered before the vendor is asked.
"""

from collections.abc import Callable
from datetime import datetime

from zrg_dagster.core.providers.contact import replier, sender_lead
from zrg_dagster.core.providers.mail import (
    Mail,
    bounced_reply,
    find_bounce,
    inbound_message,
    labelled,
    normalised,
    opted_out,
    people,
    reported_bounce,
    said_digest,
)
from zrg_dagster.core.providers.payload import (
    Json,
    attachment_urls,
    child,
    flag,
    ident,
    load,
    need_object,
    raw_text,
    text,
    unknown_event,
)
from zrg_dagster.core.providers.records import (
    LeadRecord,
    MessageRecord,
    Parsed,
    Person,
    ShapeError,
    SignalRecord,
    ignored,
)
from zrg_dagster.core.providers.smartlead.reading import Reading
from zrg_dagster.core.text.address import normalise_email, parse_address
from zrg_dagster.core.text.email_body import clean_reply
from zrg_dagster.core.text.html import looks_like_html, strip_tags
from zrg_dagster.core.text.times import best_stamp

MAX_LABEL_CHARS = 120

# Known types that carry nothing we need. The newer guide renamed some events.
IGNORED = {
    "EMAIL_OPEN": "log_only",
    "EMAIL_OPENED": "log_only",
    "EMAIL_LINK_CLICK": "log_only",
    "EMAIL_CLICKED": "log_only",
    "FIRST_EMAIL_SENT": "covered_by_email_sent",
    "MANUAL_STEP_REACHED": "log_only",
    "CAMPAIGN_STATUS_CHANGED": "log_only",
}


def parse(body: bytes, *, received_at: datetime, workspace_timezone: str | None = None, scope: str) -> Parsed:
    """One delivery. `scope` is the workspace key, part of each key. Raises `ShapeError`."""
    document = need_object(load(body), "$")
    name = "event" if text(document, "event_type") is None and "event" in document else "event_type"
    event_type = (text(document, name) or "").upper()
    if event_type in IGNORED:
        return ignored(event_type, IGNORED[event_type])
    handler = _HANDLERS.get(event_type)
    if handler is None:
        raise unknown_event(f"$.{name}", document.get(name))
    return handler(Reading(event_type, document, received_at, workspace_timezone, scope))


def _reply(reading: Reading) -> Parsed:
    """An answer in a campaign's thread."""
    document, writer = reading.document, reading.writer
    if writer is None:
        raise ShapeError("$.sl_lead_email", "mail address", "none")
    if writer == reading.mailbox:
        # A mailbox of ours wrote it; as a reply it would make our sender the lead's replier.
        return ignored(reading.event_type, "own_address")
    subject = text(document, "subject") or text(child(document, "reply"), "subject")
    mail = _mail(reading, Person(writer, reading.name_of(writer)), subject)
    return _received(reading, mail, replier(reading.lead(), mail.from_email, mail.from_name))


def _untracked_reply(reading: Reading) -> Parsed:
    """Mail to one of our mailboxes that belongs to no campaign thread: it makes a lead of whoever wrote it."""
    sender = parse_address(reading.document.get("sender_detail"))
    if sender is None:
        raise ShapeError("$.sender_detail", "mail address", "none")
    if sender.email == reading.mailbox:
        return ignored(reading.event_type, "own_address")
    mail = _mail(reading, Person(sender.email, sender.name), text(reading.document, "subject"))
    account = reading.sender_account_id()
    return _received(reading, mail, sender_lead(sender.email, sender.name, campaign=None, sender_account_id=account))


def _received(reading: Reading, mail: Mail, lead: LeadRecord) -> Parsed:
    bounce = find_bounce(mail)
    message = inbound_message(mail, bounce)
    if bounce is None:
        return Parsed(reading.event_type, lead=lead, message=message)
    about = reading.lead()
    if about.email in (None, mail.from_email):  # then only the notice knows whom it is about
        about = LeadRecord(sender_account_id=about.sender_account_id)
    return bounced_reply(reading.event_type, about, message, bounce)


def _mail(reading: Reading, sender: Person, subject: str | None) -> Mail:
    """The mail that an event brings. Its id names it; without one, who said what and when."""
    document, reply = reading.document, reading.reply_message
    words, html = _body(reading)
    times = (
        (reply, "time"),
        (document, "event_timestamp"),
        (document, "time_replied"),
        (child(document, "reply"), "received_at"),
        (document, "timestamp"),
    )
    message_id = _reply_id(reading)
    told = message_id or said_digest(
        reading.campaign_id or "",
        reading.lead_id or reading.lead_email or sender.email,
        next((said for holder, name in times if (said := text(holder, name))), ""),
        normalised(clean_reply(words, html)),
    )
    return Mail(
        key=reading.key("reply", told),
        from_email=sender.email,
        from_name=sender.name,
        to_email=reading.mailbox,
        stamp=best_stamp((holder.get(name) for holder, name in times), reading.received_at),
        received_at=reading.received_at,
        subject=subject,
        text=words,
        html=html,
        provider_message_id=message_id,
        thread_handle=reading.thread_handle(),
        parent_message_id=ident(reading.sent_message, "message_id"),
        internet_message_id=message_id,
        cc=people(document.get("cc") or document.get("cc_emails")),
        bcc=people(document.get("bcc") or document.get("bcc_emails")),
        attachments=attachment_urls(reply) or attachment_urls(document),
        has_attachment=flag(document, "has_attachment"),
        own_addresses=frozenset({reading.mailbox} if reading.mailbox else ()),
    )


def _reply_id(reading: Reading) -> str | None:
    """The id of the reply. The top-level one is the sent mail's in other events, and then names no reply."""
    own = ident(reading.reply_message, "message_id")
    top = ident(reading.document, "message_id")
    return own or (top if top != ident(reading.sent_message, "message_id") else None)


def _body(reading: Reading) -> tuple[str | None, str | None]:
    """Text and HTML of the reply. A preview is a cut-off of them and is read only when nothing else is there (B47)."""
    document = reading.document
    words = _written((reading.reply_message, "text"))
    html = _written((reading.reply_message, "html"), (document, "reply_body"))
    if words or html:
        return (words, html) if words or looks_like_html(html or "") else (html, None)
    return _written((child(document, "reply"), "body"), (document, "preview_text"), (document, "visible_text")), None


def _written(*places: tuple[Json, str]) -> str | None:
    """The first text that is more than blanks."""
    return next((value for holder, name in places if (value := raw_text(holder, name)) and value.strip()), None)


def _email_sent(reading: Reading) -> Parsed:
    """A campaign step that the vendor sent without us."""
    document, sent, email = reading.document, reading.sent_message, child(reading.document, "email")
    lead_email = reading.need_lead_email()
    message_id = ident(sent, "message_id") or ident(document, "message_id") or ident(email, "message_id")
    sent_id = reading.stats_id or message_id
    if sent_id is None:
        raise ShapeError("$.stats_id", "id", "nothing")
    stamp, html = reading.stamp(sent.get("time")), raw_text(sent, "html")
    message = MessageRecord(
        key=reading.key("sent", sent_id),
        channel="email",
        direction="outbound",
        source="inboxxia_campaign",
        body=strip_tags(html or "") or (raw_text(sent, "text") or "").strip(),
        sent_at=stamp.at,
        sent_at_quality=stamp.quality,
        provider_message_id=sent_id,
        internet_message_id=message_id,
        campaign_step_id=ident(document, "sequence_number"),
        subject=text(document, "subject") or text(email, "subject"),
        raw_text=raw_text(sent, "text"),
        raw_html=html,
        from_email=reading.mailbox,
        to_email=lead_email,
    )
    return Parsed(reading.event_type, lead=reading.lead(), message=message)


def _email_bounced(reading: Reading) -> Parsed:
    """Campaign mail bounced. The event is the proof; the notice tells a delay from a failure."""
    lead_email, notice = reading.need_lead_email(), child(reading.document, "bounce_message")
    bounce = reported_bounce(raw_text(notice, "text") or "", lead_email)
    signal = SignalRecord(
        kind="bounce",
        key=reading.key("bounce", reading.stats_id or ident(reading.document, "message_id") or lead_email),
        value=bounce.severity,
        at=reading.stamp(notice.get("time")).at,
        channel="email",
        detail=bounce.rule,
        provider_message_id=reading.stats_id,
    )
    return Parsed(reading.event_type, lead=reading.lead(), signals=(signal,))


def _unsubscribed(reading: Reading) -> Parsed:
    key = reading.key("unsub", reading.need_lead_email())
    return opted_out(reading.event_type, reading.lead(), key, reading.stamp().at)


def _category(reading: Reading) -> Parsed:
    """Somebody at the vendor, or its model, put the lead into a category. The history that comes along is known already
    from its own events."""
    category = need_object(reading.document.get("lead_category"), "$.lead_category")
    label = (text(category, "new_name") or "")[:MAX_LABEL_CHARS]
    if not label:
        return ignored(reading.event_type, "category_cleared")
    at, lead_email = reading.stamp().at, reading.need_lead_email()
    key = reading.key("category", f"{lead_email}:{ident(category, 'new_id') or label}:{at:%Y%m%dT%H%M%S%f}")
    return labelled(reading.event_type, reading.lead(), label, key, at)


def _account(reading: Reading) -> Parsed:
    document = reading.document
    mailbox = normalise_email(document.get("from_email")) or normalise_email(document.get("email"))
    account_id = ident(document, "email_account_id") or mailbox
    if account_id is None:
        raise ShapeError("$.email_account_id", "id", "nothing")
    at = reading.stamp().at
    signal = SignalRecord(
        kind="sender_health",
        key=reading.key("account", f"{account_id}:disconnected:{at:%Y%m%dT%H%M%S%f}"),
        value="disconnected",
        at=at,
        channel="email",
        account_id=account_id,
        account_email=mailbox,
    )
    return Parsed(reading.event_type, signals=(signal,))


def _bounce_threshold(reading: Reading) -> Parsed:
    """The vendor warns that a campaign bounces too often. It is about the campaign; no lead is in it."""
    campaign = reading.campaign()
    if campaign is None:
        raise ShapeError("$.campaign_id", "id", "nothing")
    at = reading.stamp().at
    signal = SignalRecord(
        kind="sender_health",
        key=reading.key("campaign", f"{campaign.external_id}:bounce_threshold:{at:%Y%m%dT%H%M%S%f}"),
        value="degraded",
        at=at,
        channel="email",
        detail="bounce_threshold",
    )
    return Parsed(reading.event_type, lead=LeadRecord(campaign=campaign), signals=(signal,))


_HANDLERS: dict[str, Callable[[Reading], Parsed]] = {
    "EMAIL_REPLY": _reply,
    "EMAIL_REPLIED": _reply,
    "UNTRACKED_REPLIES": _untracked_reply,
    "EMAIL_SENT": _email_sent,
    "EMAIL_BOUNCE": _email_bounced,
    "EMAIL_BOUNCED": _email_bounced,
    "LEAD_UNSUBSCRIBED": _unsubscribed,
    "EMAIL_UNSUBSCRIBED": _unsubscribed,
    "LEAD_CATEGORY_UPDATED": _category,
    "EMAIL_ACCOUNT_DISCONNECTED": _account,
    "CAMPAIGN_BOUNCE_THRESHOLD": _bounce_threshold,
}
