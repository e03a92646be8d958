"""One ledger row to one vendor call, and one unknown row to one read-back. Network only: no database here."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from zrg_dagster.core.providers.clients import VendorClients
from zrg_dagster.core.providers.credential import Credential
from zrg_dagster.core.providers.emailbison.client import Address
from zrg_dagster.core.providers.outcome import CallOutcome, ReadBack, ReadFailed, Refused
from zrg_dagster.core.providers.slack.client import message_metadata
from zrg_dagster.core.providers.smartlead.client import AnsweredMail
from zrg_dagster.core.sending.linkedin import send_linkedin


@dataclass(frozen=True, slots=True)
class Delivery:
    """A claimed row with the credential to send it. `known_ids` are vendor ids that belong to the lead's other sends,
    `unnamed_twins` counts equal ones that the vendor accepted around then without naming them."""

    row: Row[Any]
    credential: Credential
    known_ids: frozenset[str] = frozenset()
    unnamed_twins: int = 0


async def _emailbison(vendors: VendorClients, delivery: Delivery) -> CallOutcome:
    content = delivery.row.content
    return await vendors.emailbison(delivery.credential).reply(
        content["reply_id"],
        str(content["sender_email_id"]),
        [Address(delivery.row.recipient, content.get("to_name") or "")],
        [Address(address) for address in content.get("cc", ())],
        content["text"],
    )


async def _smartlead(vendors: VendorClients, delivery: Delivery) -> CallOutcome:
    content = delivery.row.content
    return await vendors.smartlead(delivery.credential).reply(
        content["campaign_id"],
        AnsweredMail(
            content["stats_id"], content.get("message_id"), content.get("answered_at"), content.get("answered_body")
        ),
        Address(delivery.row.recipient, content.get("to_name")),
        [Address(address) for address in content.get("cc", ())],
        content["text"],
    )


async def _instantly(vendors: VendorClients, delivery: Delivery) -> CallOutcome:
    content = delivery.row.content
    return await vendors.instantly(delivery.credential).reply(
        content["reply_to_id"],
        content["mailbox"],
        content["subject"],
        [Address(address) for address in content.get("cc", ())],
        content["text"],
    )


async def _unipile(vendors: VendorClients, delivery: Delivery) -> CallOutcome:
    if delivery.credential.external_id is None:
        return Refused("account_missing", permanent=True)
    content = delivery.row.content
    return await send_linkedin(
        vendors.unipile(delivery.credential),
        content["member_id"] or content["public_name"],
        content["text"],
        chat_id=content.get("chat_id"),
        subject=content.get("subject"),
    )


async def _ghl(vendors: VendorClients, delivery: Delivery) -> CallOutcome:
    content = delivery.row.content
    return await vendors.ghl(delivery.credential).send_sms(content["contact_id"], content["text"])


async def _slack(vendors: VendorClients, delivery: Delivery) -> CallOutcome:
    slack, row = vendors.slack(delivery.credential), delivery.row
    channel = await _slack_channel(vendors, delivery)
    if isinstance(channel, ReadFailed):
        return Refused(channel.reason, channel.permanent, channel.retry_after_s, channel.detail)
    metadata = message_metadata(row.natural_key)
    return await slack.post_message(channel, row.content["text"], row.content.get("blocks"), metadata)


async def _slack_channel(vendors: VendorClients, delivery: Delivery) -> str | ReadFailed:
    """A user id is written to in the direct message with that user; anything else is a channel."""
    recipient = delivery.row.recipient
    if recipient[:1] in ("U", "W"):
        return await vendors.slack(delivery.credential).open_dm(recipient)
    return recipient


async def _find_emailbison(vendors: VendorClients, delivery: Delivery) -> ReadBack:
    row, content = delivery.row, delivery.row.content
    return await vendors.emailbison(delivery.credential).find_sent(
        content.get("lead_external_id"),
        content["reply_id"],
        content.get("subject") or "",
        content["text"],
        row.claimed_at,
        known_ids=delivery.known_ids,
    )


async def _find_smartlead(vendors: VendorClients, delivery: Delivery) -> ReadBack:
    row, content = delivery.row, delivery.row.content
    return await vendors.smartlead(delivery.credential).find_sent(
        content["campaign_id"],
        content["lead_email"],
        content["text"],
        row.claimed_at,
        known_ids=delivery.known_ids,
        spoken_for=delivery.unnamed_twins,
    )


async def _find_instantly(vendors: VendorClients, delivery: Delivery) -> ReadBack:
    row, content = delivery.row, delivery.row.content
    return await vendors.instantly(delivery.credential).find_sent(
        content["lead_email"],
        content["mailbox"],
        content["subject"],
        content["text"],
        row.claimed_at,
        known_ids=delivery.known_ids,
    )


async def _find_unipile(vendors: VendorClients, delivery: Delivery) -> ReadBack:
    row, content = delivery.row, delivery.row.content
    if delivery.credential.external_id is None:
        return ReadFailed("account_missing", permanent=True)
    unipile, member = vendors.unipile(delivery.credential), content["member_id"]
    if member is None:
        profile = await unipile.profile(content["public_name"])
        if isinstance(profile, ReadFailed):
            return profile
        member = profile.member_id
    return await unipile.find_sent(
        content.get("chat_id"), member, content["text"], row.claimed_at, known_ids=delivery.known_ids
    )


async def _find_ghl(vendors: VendorClients, delivery: Delivery) -> ReadBack:
    row, content = delivery.row, delivery.row.content
    if delivery.credential.external_id is None:
        return ReadFailed("location_missing", permanent=True)
    return await vendors.ghl(delivery.credential).find_sent(
        delivery.credential.external_id,
        content["contact_id"],
        content["text"],
        row.claimed_at,
        known_ids=delivery.known_ids,
    )


async def _find_slack(vendors: VendorClients, delivery: Delivery) -> ReadBack:
    channel = await _slack_channel(vendors, delivery)
    if isinstance(channel, ReadFailed):
        return channel
    row = delivery.row
    return await vendors.slack(delivery.credential).find_posted(channel, row.natural_key, row.claimed_at)


SENDERS: dict[str, Callable[[VendorClients, Delivery], Awaitable[CallOutcome]]] = {
    "emailbison": _emailbison,
    "smartlead": _smartlead,
    "instantly": _instantly,
    "unipile": _unipile,
    "ghl": _ghl,
    "slack": _slack,
}
FINDERS: dict[str, Callable[[VendorClients, Delivery], Awaitable[ReadBack]]] = {
    "emailbison": _find_emailbison,
    "smartlead": _find_smartlead,
    "instantly": _find_instantly,
    "unipile": _find_unipile,
    "ghl": _find_ghl,
    "slack": _find_slack,
}


async def send(vendors: VendorClients, delivery: Delivery) -> CallOutcome:
    """The one vendor call of this row. Never repeated here."""
    return await SENDERS[delivery.row.vendor](vendors, delivery)


async def read_back(vendors: VendorClients, delivery: Delivery) -> ReadBack:
    """Ask the vendor whether the attempt of this row went out."""
    return await FINDERS[delivery.row.vendor](vendors, delivery)


def message_key(delivery: Delivery, vendor_message_id: str | None) -> str | None:
    """The message key under which the vendor will report this message back, when it named the message.

    The same key as the parser gives (providers §1.2), so that the report is recognised as known.
    """
    account = delivery.credential.external_id
    if vendor_message_id is None or not account:
        return None
    if delivery.row.vendor == "ghl":
        return f"ghl:{account}:{vendor_message_id}"
    if delivery.row.vendor == "unipile":
        return f"unipile:{account}:msg:{vendor_message_id}"
    return None
