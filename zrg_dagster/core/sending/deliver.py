"""One ledger row to one vendor call, and one unknown row to one read-back. Network only: no database here."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from zrg_dagster.core.providers.clients import VendorClients
from zrg_dagster.core.providers.credential import Credential
from zrg_dagster.core.providers.emailbison.client import Address
from zrg_dagster.core.providers.outcome import Accepted, CallOutcome, ReadBack, ReadFailed, Refused
from zrg_dagster.core.providers.slack.client import message_metadata


@dataclass(frozen=True, slots=True)
class Delivery:
    """A claimed row with the credential to send it. `known_ids` are vendor ids that belong to the lead's other sends."""

    row: Row[Any]
    credential: Credential
    known_ids: frozenset[str] = frozenset()


async def _emailbison(vendors: VendorClients, delivery: Delivery) -> CallOutcome:
    content = delivery.row.content
    return await vendors.emailbison(delivery.credential).reply(
        content["reply_id"],
        str(content["sender_email_id"]),
        [Address(delivery.row.recipient, content.get("to_name") or "")],
        [Address(address) for address in content.get("cc", ())],
        content["text"],
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
    "ghl": _ghl,
    "slack": _slack,
}
FINDERS: dict[str, Callable[[VendorClients, Delivery], Awaitable[ReadBack]]] = {
    "emailbison": _find_emailbison,
    "ghl": _find_ghl,
    "slack": _find_slack,
}


async def send(vendors: VendorClients, delivery: Delivery) -> CallOutcome:
    """The one vendor call of this row. Never repeated here."""
    return await SENDERS[delivery.row.vendor](vendors, delivery)


async def read_back(vendors: VendorClients, delivery: Delivery) -> ReadBack:
    """Ask the vendor whether the attempt of this row went out."""
    return await FINDERS[delivery.row.vendor](vendors, delivery)


def accepted_key(delivery: Delivery, accepted: Accepted) -> str | None:
    """The message key under which the vendor will report this message back, when it named the message.

    The same key as the parser gives (providers §1.2), so that the report is recognised as known.
    """
    if accepted.vendor_message_id is None:
        return None
    if delivery.row.vendor == "ghl" and delivery.credential.external_id:
        return f"ghl:{delivery.credential.external_id}:{accepted.vendor_message_id}"
    return None
