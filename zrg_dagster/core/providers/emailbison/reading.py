"""The envelope of an EmailBison delivery and what all its event types share."""

import hashlib
from datetime import datetime
from functools import lru_cache
from urllib.parse import urlsplit

from zrg_dagster.core.providers.emailbison.lead import read_lead
from zrg_dagster.core.providers.payload import Json, child, ident, text
from zrg_dagster.core.providers.records import LeadRecord
from zrg_dagster.core.text.address import normalise_email, parse_address_list

PROVIDER = "emailbison"
_MAX_WRAPPERS = 3


class Reading:
    """What all event types share: the envelope, our clock and the prefix of every key."""

    def __init__(
        self, event_type: str, event: Json, data: Json, path: str, received_at: datetime, zone: str | None, scope: str
    ) -> None:
        self.event_type = event_type
        self.data = data
        self.path = path
        self.received_at = received_at
        self.zone = zone
        self.host = _host(text(event, "instance_url")) or scope
        self.reply = child(data, "reply")
        self.sender = child(data, "sender_email")
        self.campaign_event = child(data, "campaign_event")

    def key(self, kind: str, value: str) -> str:
        return f"{PROVIDER}:{self.host}:{kind}:{value}"

    def lead(self) -> LeadRecord:
        return read_lead(self.data, self.zone)

    def own_addresses(self) -> frozenset[str]:
        """Our mailboxes as this delivery shows them: a bounce notice quotes them."""
        ours = {normalise_email(self.sender.get("email")), normalise_email(self.reply.get("primary_to_email_address"))}
        ours.update(address.email for address in parse_address_list(self.reply.get("to")))
        return frozenset(address for address in ours if address)

    def event_key(self, kind: str, otherwise: str) -> str:
        """The campaign event's id, or what the event is about when the vendor leaves it out."""
        event_id = ident(self.campaign_event, "id")
        if event_id:
            return self.key("event", event_id)
        return self.key(kind, hashlib.sha256(otherwise.encode()).hexdigest()[:32])


def unwrap(document: Json) -> tuple[Json, str]:
    """The level that holds `event`: test events wrap it in `data`, rows of the events API in `payload` (§5.3)."""
    path = "$"
    for _ in range(_MAX_WRAPPERS):
        if "event" in document:
            break
        name = next((key for key in ("payload", "data") if "event" in child(document, key)), None)
        if name is None:
            break
        document, path = child(document, name), f"{path}.{name}"
    return document, path


@lru_cache(maxsize=256)
def _host(url: str | None) -> str | None:
    if url is None:
        return None
    try:
        return (urlsplit(url if "//" in url else f"//{url}").hostname or "").lower() or None
    except ValueError:
        return None
