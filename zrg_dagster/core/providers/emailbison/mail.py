"""One mail of an EmailBison delivery: the inbound text with the floor's verdict, and delivery notices told apart."""

from zrg_dagster.core.providers.emailbison.reading import Reading
from zrg_dagster.core.providers.payload import Json, attachment_urls, flag, ident, items, raw_text, text
from zrg_dagster.core.providers.records import MessageFlags, MessageRecord, Person
from zrg_dagster.core.text.address import normalise_email, parse_address_list
from zrg_dagster.core.text.autoreply import detect_auto_reply
from zrg_dagster.core.text.bounce import Bounce, detect_bounce, is_bounce_sender
from zrg_dagster.core.text.email_body import clean_reply
from zrg_dagster.core.text.html import html_to_text, looks_like_html
from zrg_dagster.core.text.optout import Verdict, detect
from zrg_dagster.core.text.times import best_stamp


def read_bounce(reading: Reading, from_email: str | None, raw: str | None, html: str | None) -> Bounce | None:
    """A delivery notice is told by raw text; HTML is rendered for it only when something points at a mail system."""
    reply_type, folder = text(reading.reply, "type"), text(reading.reply, "folder")
    body = raw or ""
    suspicious = is_bounce_sender(from_email) or "bounced" in f"{reply_type} {folder}".lower()
    if suspicious and (looks_like_html(body) or not body.strip()):
        body = html_to_text(body if body.strip() else html or "")
    return detect_bounce(
        from_email=from_email,
        subject=text(reading.reply, "email_subject"),
        text=body,
        reply_type=reply_type,
        folder=folder,
        own_addresses=reading.own_addresses(),
    )


def read_inbound(
    reading: Reading, key: str, reply_id: str | None, from_email: str, bounce: Bounce | None
) -> MessageRecord:
    reply = reading.reply
    raw, html, subject = raw_text(reply, "text_body"), raw_text(reply, "html_body"), text(reply, "email_subject")
    body = clean_reply(raw, html)
    stamp = best_stamp((reply.get(name) for name in ("date_received", "created_at", "updated_at")), reading.received_at)
    attachments = attachment_urls(reply)
    return MessageRecord(
        key=key,
        channel="email",
        direction="inbound",
        source="bounce" if bounce else "webhook",
        body=body,
        sent_at=stamp.at,
        sent_at_quality=stamp.quality,
        provider_message_id=reply_id,
        thread_handle=reply_id,
        parent_message_id=ident(reply, "parent_id"),
        internet_message_id=ident(reply, "raw_message_id"),
        subject=subject,
        raw_text=raw,
        raw_html=html,
        from_email=from_email,
        from_name=text(reply, "from_name"),
        to_email=normalise_email(reading.sender.get("email"))
        or normalise_email(reply.get("primary_to_email_address"))
        or first_to(reply),
        cc=people(reply.get("cc")),
        bcc=people(reply.get("bcc")),
        attachments=attachments,
        flags=_flags(
            reading,
            body,
            subject,
            bounce,
            attachment_only=not body and bool(attachments or items(reply, "attachments")),
        ),
    )


def _flags(
    reading: Reading, body: str, subject: str | None, bounce: Bounce | None, *, attachment_only: bool
) -> MessageFlags:
    """The floor over the cleaned text. A delay notice is an automatic answer and suppresses nobody."""
    interested = reading.event_type == "LEAD_INTERESTED" or flag(reading.reply, "interested")
    if bounce is not None:
        hard = bounce.severity == "hard"
        return MessageFlags(auto_reply=True, bounce=hard, bounce_rule=bounce.rule, attachment_only=attachment_only)
    auto = detect_auto_reply(
        body, subject=subject, vendor_flag=flag(reading.reply, "automated_reply"), now=reading.received_at
    )
    verdict: Verdict | None = detect(body, channel="email", subject=subject)
    opt_out = verdict is not None and verdict.kind == "opt_out"
    return MessageFlags(
        auto_reply=auto is not None,
        out_of_office=auto is not None and auto.kind == "out_of_office",
        returns_on=auto.returns_on if auto else None,
        opt_out=opt_out,
        opt_out_rule=verdict.rule if opt_out and verdict else None,
        provider_interested=interested,
        attachment_only=attachment_only,
    )


def people(value: object) -> tuple[Person, ...]:
    return tuple(Person(address.email, address.name) for address in parse_address_list(value))


def first_to(reply: Json) -> str | None:
    addresses = parse_address_list(reply.get("to"))
    return addresses[0].email if addresses else None
