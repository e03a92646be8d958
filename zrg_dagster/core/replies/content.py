"""What an answer needs at its vendor: who receives it, from which of our accounts, in which thread. Pure.

E-mail recipients follow CC-05…CC-09 (seed 003 §10): the current replier, else whom the mail came from, else the lead; the
lead stays in copy, our own mailbox does not. A person may choose another known address of the lead.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any
from urllib.parse import unquote

from sqlalchemy import Row

from zrg_dagster.core.drafting.sms import on_the_wire
from zrg_dagster.core.text.address import normalise_email
from zrg_dagster.core.text.mail_html import text_to_html
from zrg_dagster.core.text.subject import reply_subject

MAX_CC = 20


class CannotSend(ValueError):
    """The draft has no way out: the code says what is missing, `detail` what it is about."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Recipients:
    """What a person chose instead: `to` an address of the lead, `cc` the whole list of copies. None leaves it as it is."""

    to: str | None = None
    cc: tuple[str, ...] | None = None


AS_THEY_ARE = Recipients()


@dataclass(frozen=True, slots=True)
class Outbound:
    """`sender_account` is the mailbox, number or profile of ours that the vendor sends from."""

    vendor: str
    recipient: str
    sender_account: str | None
    content: dict[str, Any]


def outbound_of(draft: Row[Any], body: str, chosen: Recipients = AS_THEY_ARE) -> Outbound:
    """The way of a draft. `CannotSend` with a code when there is none."""
    if draft.channel != "email" and (chosen.to is not None or chosen.cc is not None):
        raise CannotSend("recipient_fixed_by_channel")
    # Ids of one vendor's mail mean nothing to another, or name somebody else's thread there.
    way = _WAYS.get(draft.provider) if draft.channel == "email" else _OTHER_WAYS.get(draft.channel)
    if way is None:
        raise CannotSend("channel_not_supported")
    return way(draft, body, chosen)


def _mail_recipients(draft: Row[Any], chosen: Recipients) -> tuple[str, list[str]]:
    """To and CC. CC never holds the To or our mailbox; the lead is in it when somebody else answers (CC-06)."""
    usual = draft.current_replier_email or draft.from_email or draft.lead_email
    to = usual if chosen.to is None else _known_address(draft, chosen.to)
    if not to:
        raise CannotSend("recipient_missing")
    given = list(draft.cc) if chosen.cc is None else [_address(each) for each in chosen.cc]
    if chosen.cc is not None and len(given) > MAX_CC:
        raise CannotSend("too_many_copies", f"{len(given)} addresses, at most {MAX_CC}")
    copies = [address for address in dict.fromkeys(given) if address not in (to, draft.to_email)]
    if draft.lead_email and draft.lead_email not in (to, *copies):
        copies.insert(0, draft.lead_email)
    return to, copies[:MAX_CC]


def _address(written: str) -> str:
    found = normalise_email(written)
    if found is None:
        raise CannotSend("address_invalid", written[:100])
    return found


def _known_address(draft: Row[Any], written: str) -> str:
    """Nobody is written to who is not the lead: a new address is added to the lead first."""
    address = _address(written)
    if address not in draft.addresses:
        raise CannotSend("recipient_unknown", address)
    return address


def _name_of(draft: Row[Any], to: str) -> str:
    """The display name of whoever receives it: a name is never put on another person's address."""
    if draft.current_replier_email and to == draft.current_replier_email:
        return draft.current_replier_name or ""
    if draft.lead_email and to != draft.lead_email:
        return ""
    return " ".join(filter(None, (draft.first_name, draft.last_name)))


def _emailbison(draft: Row[Any], body: str, chosen: Recipients) -> Outbound:
    to, cc = _mail_recipients(draft, chosen)
    if not draft.provider_message_id or not draft.sender_account_id:
        raise CannotSend("thread_missing")
    content = {
        "reply_id": draft.provider_message_id,
        "lead_external_id": draft.emailbison_lead,
        "sender_email_id": draft.sender_account_id,
        "to_name": _name_of(draft, to),
        "cc": cc,
        "subject": draft.subject,
        "text": body,
    }
    return Outbound("emailbison", to, draft.to_email or draft.sender_account_id, content)


def _smartlead(draft: Row[Any], body: str, chosen: Recipients) -> Outbound:
    """The vendor builds the quotation from what it is given of the answered mail."""
    to, cc = _mail_recipients(draft, chosen)
    campaign, _, stats = (draft.thread_handle or "").partition(":")
    if not campaign or not stats:
        raise CannotSend("thread_missing")
    sent_at = draft.trigger_sent_at.astimezone(UTC)
    content = {
        "campaign_id": campaign,
        "stats_id": stats,
        "message_id": draft.provider_message_id,
        "answered_at": f"{sent_at:%Y-%m-%dT%H:%M:%S}.{sent_at.microsecond // 1000:03d}Z",
        "answered_body": text_to_html(draft.inbound),
        "lead_email": draft.lead_email or to,
        "to_name": _name_of(draft, to),
        "cc": cc,
        "subject": draft.subject,
        "text": body,
    }
    return Outbound("smartlead", to, draft.to_email or draft.sender_account_id, content)


def _instantly(draft: Row[Any], body: str, chosen: Recipients) -> Outbound:
    """The vendor sends to whoever wrote the answered mail; another wish is refused instead of ignored (CC-09)."""
    to, cc = _mail_recipients(draft, chosen)
    author = draft.from_email or draft.lead_email
    if to != author:
        raise CannotSend("recipient_fixed_by_vendor", f"Instantly answers {author} only")
    mailbox = draft.to_email or draft.sender_account_id
    if not draft.thread_handle or not mailbox:
        raise CannotSend("thread_missing")
    content = {
        "reply_to_id": draft.thread_handle,
        "mailbox": mailbox,
        "lead_email": draft.lead_email or to,
        "cc": cc,
        "subject": reply_subject(draft.subject or draft.inbound_subject) or "Re:",
        "text": body,
    }
    return Outbound("instantly", to, mailbox, content)


def _sms(draft: Row[Any], body: str, _chosen: Recipients) -> Outbound:
    if not draft.ghl_contact:
        raise CannotSend("contact_missing")
    recipient = draft.lead_phone or draft.ghl_contact
    return Outbound("ghl", recipient, draft.ghl_location, {"contact_id": draft.ghl_contact, "text": on_the_wire(body)})


def _linkedin(draft: Row[Any], body: str, _chosen: Recipients) -> Outbound:
    """In the conversation that is answered; the person is named too, for when it cannot be used."""
    public_name = unquote((draft.linkedin_profile or "").rpartition("/")[2]) or None
    if not draft.linkedin_member and not public_name:
        raise CannotSend("profile_missing")
    content = {
        "chat_id": draft.thread_handle if draft.provider == "unipile" else None,
        "member_id": draft.linkedin_member,
        "public_name": public_name,
        "subject": draft.subject,
        "text": body,
    }
    return Outbound("unipile", draft.linkedin_member or public_name or "", draft.linkedin_account, content)


_Way = Callable[[Row[Any], str, Recipients], Outbound]
_WAYS: Mapping[str, _Way] = {"emailbison": _emailbison, "smartlead": _smartlead, "instantly": _instantly}
_OTHER_WAYS: Mapping[str, _Way] = {"sms": _sms, "linkedin": _linkedin}
