"""One mail of an EmailBison delivery, as the rules of every e-mail vendor read it."""

from zrg_dagster.core.providers.emailbison.reading import Reading
from zrg_dagster.core.providers.mail import Mail, people
from zrg_dagster.core.providers.payload import Json, attachment_urls, flag, ident, items, raw_text, text
from zrg_dagster.core.text.address import normalise_email, parse_address_list
from zrg_dagster.core.text.times import best_stamp


def read_mail(reading: Reading, key: str, reply_id: str | None, from_email: str) -> Mail:
    """`data.reply` as it came."""
    reply = reading.reply
    return Mail(
        key=key,
        from_email=from_email,
        from_name=text(reply, "from_name"),
        to_email=normalise_email(reading.sender.get("email"))
        or normalise_email(reply.get("primary_to_email_address"))
        or first_to(reply),
        stamp=best_stamp(
            (reply.get(name) for name in ("date_received", "created_at", "updated_at")), reading.received_at
        ),
        received_at=reading.received_at,
        subject=text(reply, "email_subject"),
        text=raw_text(reply, "text_body"),
        html=raw_text(reply, "html_body"),
        provider_message_id=reply_id,
        thread_handle=reply_id,
        parent_message_id=ident(reply, "parent_id"),
        internet_message_id=ident(reply, "raw_message_id"),
        cc=people(reply.get("cc")),
        bcc=people(reply.get("bcc")),
        attachments=attachment_urls(reply),
        has_attachment=bool(items(reply, "attachments")),
        automated=flag(reply, "automated_reply"),
        interested=reading.event_type == "LEAD_INTERESTED" or flag(reply, "interested"),
        reply_type=text(reply, "type"),
        folder=text(reply, "folder"),
        own_addresses=reading.own_addresses(),
    )


def first_to(reply: Json) -> str | None:
    addresses = parse_address_list(reply.get("to"))
    return addresses[0].email if addresses else None
