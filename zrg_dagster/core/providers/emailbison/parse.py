"""EmailBison / Inboxxia deliveries to records (spec/providers.md §5.2, §5.3).

Ids restart on every white-label host, so the host is part of each key. Campaign mail comes by the thousand: it is read
without any HTML tree and without text rules, which are about inbound words only.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from zrg_dagster.core.providers.contact import replier
from zrg_dagster.core.providers.emailbison.lead import sender_lead
from zrg_dagster.core.providers.emailbison.mail import first_to, read_mail
from zrg_dagster.core.providers.emailbison.reading import Reading, unwrap
from zrg_dagster.core.providers.mail import bounced_reply, find_bounce, inbound_message, opted_out, people
from zrg_dagster.core.providers.payload import (
    attachment_urls,
    child,
    ident,
    load,
    need_ident,
    need_object,
    raw_text,
    text,
    unknown_event,
)
from zrg_dagster.core.providers.records import LeadRecord, MessageRecord, Parsed, ShapeError, SignalRecord, ignored
from zrg_dagster.core.text.address import normalise_email
from zrg_dagster.core.text.bounce import Bounce
from zrg_dagster.core.text.email_body import clean_reply
from zrg_dagster.core.text.html import strip_tags
from zrg_dagster.core.text.times import best_stamp

# Known types that carry nothing we need; a type in neither table is quarantined.
IGNORED = {
    "EMAIL_OPENED": "log_only",
    "EMAIL_CLICKED": "log_only",
    "EMAIL_SEND_FAILED": "log_only",
    "LEAD_FIRST_CONTACTED": "covered_by_email_sent",
    "TAG_ATTACHED": "not_handled",
    "TAG_REMOVED": "not_handled",
    "WARMUP_DISABLED_RECEIVING_BOUNCES": "not_handled",
    "WARMUP_DISABLED_CAUSING_BOUNCES": "not_handled",
}
_ACCOUNT_STATES = {
    "EMAIL_ACCOUNT_ADDED": "added",
    "EMAIL_ACCOUNT_REMOVED": "removed",
    "EMAIL_ACCOUNT_DISCONNECTED": "disconnected",
    "EMAIL_ACCOUNT_RECONNECTED": "reconnected",
}


def parse(body: bytes, *, received_at: datetime, workspace_timezone: str | None = None, scope: str) -> Parsed:
    """One delivery. `scope` is the workspace key, used in keys when the payload names no host. Raises `ShapeError`."""
    envelope, path = unwrap(need_object(load(body), "$"))
    event = need_object(envelope.get("event"), f"{path}.event")
    event_type = (text(event, "type") or "").upper()
    if event_type in IGNORED:
        return ignored(event_type, IGNORED[event_type])
    handler = _HANDLERS.get(event_type)
    if handler is None:
        raise unknown_event(f"{path}.event.type", event.get("type"))
    data = need_object(envelope.get("data"), f"{path}.data")
    return handler(Reading(event_type, event, data, f"{path}.data", received_at, workspace_timezone, scope))


def _reply(reading: Reading) -> Parsed:
    """LEAD_REPLIED, LEAD_INTERESTED and UNTRACKED_REPLY_RECEIVED: one inbound mail under the reply's id."""
    reply_id = need_ident(reading.reply, "id", f"{reading.path}.reply.id")
    lead = reading.lead() if reading.event_type != "UNTRACKED_REPLY_RECEIVED" else LeadRecord()
    from_email = normalise_email(reading.reply.get("from_email_address")) or lead.email
    if from_email is None:
        raise ShapeError(f"{reading.path}.reply.from_email_address", "mail address", "none")
    if from_email == normalise_email(reading.sender.get("email")):
        # A mailbox of ours wrote it (a forward, a warm-up mail); as a reply it would make our sender the lead's replier.
        return ignored(reading.event_type, "own_address")
    mail = read_mail(reading, reading.key("reply", reply_id), reply_id, from_email)
    bounce = find_bounce(mail)
    message = inbound_message(mail, bounce)
    if bounce is not None:
        return bounced_reply(reading.event_type, lead, message, bounce)
    if lead.identities:
        lead = replier(lead, from_email, message.from_name)
    else:
        lead = sender_lead(reading.data, from_email, message.from_name)
    return Parsed(reading.event_type, lead=lead, message=message)


def _email_sent(reading: Reading) -> Parsed:
    """A campaign step that the vendor sent without us."""
    scheduled = child(reading.data, "scheduled_email")
    scheduled_id = need_ident(scheduled, "id", f"{reading.path}.scheduled_email.id")
    lead = reading.lead()
    if lead.email is None:
        raise ShapeError(f"{reading.path}.lead.email", "mail address", "none")
    stamp = best_stamp((scheduled.get("sent_at"), reading.campaign_event.get("created_at")), reading.received_at)
    html = raw_text(scheduled, "email_body")
    message = MessageRecord(
        key=reading.key("sched", scheduled_id),
        channel="email",
        direction="outbound",
        source="inboxxia_campaign",
        body=strip_tags(html or ""),
        sent_at=stamp.at,
        sent_at_quality=stamp.quality,
        provider_message_id=scheduled_id,
        internet_message_id=ident(scheduled, "raw_message_id"),
        campaign_step_id=ident(scheduled, "sequence_step_id"),
        subject=text(scheduled, "email_subject"),
        raw_html=html,
        from_email=normalise_email(reading.sender.get("email")),
        from_name=text(reading.sender, "name"),
        to_email=lead.email,
    )
    return Parsed(reading.event_type, lead=lead, message=message)


def _manual_email_sent(reading: Reading) -> Parsed:
    """A mail written in the vendor's inbox or by our own API call; `parent_id` is the reply it answers (§5.6)."""
    reply = reading.reply
    reply_id = need_ident(reply, "id", f"{reading.path}.reply.id")
    lead = reading.lead()
    to_email = normalise_email(reply.get("primary_to_email_address")) or first_to(reply)
    if not lead.identities and to_email:
        lead = replace(lead, identities=(("email", to_email),), email=to_email)
    if not lead.identities:
        raise ShapeError(f"{reading.path}.lead.email", "mail address", "none")
    stamp = best_stamp((reply.get(name) for name in ("date_received", "created_at", "updated_at")), reading.received_at)
    raw, html, key, parent = (
        raw_text(reply, "text_body"),
        raw_text(reply, "html_body"),
        reading.key("reply", reply_id),
        ident(reply, "parent_id"),
    )
    message = MessageRecord(
        key=key,
        channel="email",
        direction="outbound",
        source="human",
        body=clean_reply(raw, html),
        sent_at=stamp.at,
        sent_at_quality=stamp.quality,
        provider_message_id=reply_id,
        thread_handle=reply_id,
        parent_message_id=parent,
        internet_message_id=ident(reply, "raw_message_id"),
        subject=text(reply, "email_subject"),
        raw_text=raw,
        raw_html=html,
        from_email=normalise_email(reply.get("from_email_address")) or normalise_email(reading.sender.get("email")),
        from_name=text(reply, "from_name"),
        to_email=to_email or lead.email,
        cc=people(reply.get("cc")),
        bcc=people(reply.get("bcc")),
        attachments=attachment_urls(reply),
    )
    confirmed = SignalRecord(
        kind="send_confirmed",
        key=key,
        value="sent",
        at=stamp.at,
        channel="email",
        provider_message_id=reply_id,
        parent_message_id=parent,
        account_id=ident(reading.sender, "id"),
    )
    return Parsed(reading.event_type, lead=lead, message=message, signals=(confirmed,))


def _email_bounced(reading: Reading) -> Parsed:
    """Campaign mail bounced; the notice itself is not always attached. Keyed, or each retry would be a new row (B84)."""
    lead = reading.lead()
    if lead.email is None:
        raise ShapeError(f"{reading.path}.lead.email", "mail address", "none")
    scheduled_id = ident(child(reading.data, "scheduled_email"), "id")
    key = reading.event_key("bounced", scheduled_id or lead.email)
    stamp = best_stamp((reading.campaign_event.get("created_at"),), reading.received_at)
    bounce, message = Bounce("hard", "vendor_event", lead.email), None
    if reading.reply:
        from_email = normalise_email(reading.reply.get("from_email_address")) or lead.email
        mail = read_mail(reading, key, ident(reading.reply, "id"), from_email)
        bounce = replace(find_bounce(mail) or bounce, recipient=lead.email)
        message = inbound_message(mail, bounce)
    signal = SignalRecord(
        kind="bounce",
        key=key,
        value=bounce.severity,
        at=stamp.at,
        channel="email",
        detail=bounce.rule,
        provider_message_id=scheduled_id,
    )
    return Parsed(reading.event_type, lead=lead, message=message, signals=(signal,))


def _lead_unsubscribed(reading: Reading) -> Parsed:
    lead = reading.lead()
    if not lead.identities:
        raise ShapeError(f"{reading.path}.lead", "lead id or mail address", "none")
    stamp = best_stamp((reading.campaign_event.get("created_at"),), reading.received_at)
    key = reading.event_key("unsub", lead.identities[0][1])
    return opted_out(reading.event_type, lead, key, stamp.at)


def _account(reading: Reading) -> Parsed:
    account_id = need_ident(reading.sender, "id", f"{reading.path}.sender_email.id")
    state = _ACCOUNT_STATES[reading.event_type]
    stamp = best_stamp((reading.sender.get("updated_at"),), reading.received_at)
    signal = SignalRecord(
        kind="sender_health",
        key=reading.key("account", f"{account_id}:{state}:{stamp.at:%Y%m%dT%H%M%S%f}"),
        value=state,
        at=stamp.at,
        channel="email",
        account_id=account_id,
        account_email=normalise_email(reading.sender.get("email")),
    )
    return Parsed(reading.event_type, signals=(signal,))


_HANDLERS: dict[str, Callable[[Reading], Parsed]] = {
    "LEAD_REPLIED": _reply,
    "LEAD_INTERESTED": _reply,
    "UNTRACKED_REPLY_RECEIVED": _reply,
    "EMAIL_SENT": _email_sent,
    "MANUAL_EMAIL_SENT": _manual_email_sent,
    "EMAIL_BOUNCED": _email_bounced,
    "LEAD_UNSUBSCRIBED": _lead_unsubscribed,
    **dict.fromkeys(_ACCOUNT_STATES, _account),
}
