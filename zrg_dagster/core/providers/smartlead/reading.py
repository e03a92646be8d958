"""Who is who in a SmartLead delivery, in each of the three families of payloads (providers §6.2, §6.3).

The flat family of the help centre says `event_type`, its `from_email` is our mailbox and `to_email` whoever answers. The
older shape that the predecessor knew looks the same with the two addresses the other way round. The newer guide nests
`lead` and `reply`, says `event`, and names no mailbox at all.
"""

from datetime import datetime

from zrg_dagster.core.providers.contact import columns_of, filled, read_contact
from zrg_dagster.core.providers.payload import Json, child, ident, text
from zrg_dagster.core.providers.records import CampaignRef, LeadRecord, ShapeError
from zrg_dagster.core.text.address import normalise_email, parse_address
from zrg_dagster.core.text.times import Stamp, best_stamp

PROVIDER = "smartlead"


class Reading:
    """What all event types share: the document, the people in it, our clock and the prefix of every key."""

    def __init__(self, event_type: str, document: Json, received_at: datetime, zone: str | None, scope: str) -> None:
        self.event_type = event_type
        self.document = document
        self.received_at = received_at
        self.zone = zone
        self.scope = scope
        self.nested_lead = child(document, "lead")
        self.reply_message = child(document, "reply_message")
        self.sent_message = child(document, "sent_message")
        self.campaign_id = ident(document, "campaign_id")
        self.stats_id = ident(document, "stats_id")
        self.lead_id = ident(document, "sl_email_lead_id") or ident(document, "lead_id")
        letters = child(document, "leadCorrespondence") or child(document, "lead_correspondence")
        from_email, to_email = normalise_email(document.get("from_email")), normalise_email(document.get("to_email"))
        self.lead_email = _first_email(
            letters.get("targetLeadEmail"),
            document.get("sl_lead_email"),
            document.get("lead_email"),
            self.nested_lead.get("email"),
            to_email,
        )
        replier = normalise_email(letters.get("replyReceivedFrom"))
        # The older direction: the writer stands in `from_email`.
        turned = from_email is not None and (
            from_email == self.lead_email or (from_email == replier and to_email != self.lead_email)
        )
        recipient = parse_address(document.get("recipient_detail"))
        self.mailbox = recipient.email if recipient else to_email if turned else from_email
        self.writer = replier or (from_email if turned else to_email) or self.lead_email

    def key(self, kind: str, value: str) -> str:
        return f"{PROVIDER}:{self.scope}:{kind}:{value}"

    def stamp(self, *candidates: object) -> Stamp:
        """`candidates`, then the times that every event has."""
        names = ("event_timestamp", "time_replied", "timestamp")
        return best_stamp((*candidates, *(self.document.get(name) for name in names)), self.received_at)

    def need_lead_email(self) -> str:
        if self.lead_email is None:
            raise ShapeError("$.sl_lead_email", "mail address", "none")
        return self.lead_email

    def name_of(self, email: str) -> str | None:
        """The display name that the delivery gives an address. `to_name` is of whoever stands in `to_email`."""
        if email == normalise_email(self.document.get("to_email")) and (name := filled(self.document, "to_name")):
            return name
        if email != self.lead_email:
            return None
        return filled(self.document, "sl_lead_name") or filled(self.document, "lead_name")

    def lead(self) -> LeadRecord:
        """The lead; without an address (then without identities) when the delivery names none."""
        lead = self.nested_lead
        return read_contact(
            columns_of(lead, child(lead, "custom_fields")),
            self.zone,
            email=self.lead_email,
            first_name=filled(lead, "first_name"),
            last_name=filled(lead, "last_name"),
            full_name=self.name_of(self.lead_email) if self.lead_email else None,
            campaign=self.campaign(),
            sender_account_id=self.sender_account_id(),
        )

    def campaign(self) -> CampaignRef | None:
        if self.campaign_id is None:
            return None
        return CampaignRef(PROVIDER, self.campaign_id, text(self.document, "campaign_name"))

    def sender_account_id(self) -> str | None:
        """Our mailbox; the newer guide has an id of the account instead."""
        return self.mailbox or ident(self.document, "email_account_id")

    def thread_handle(self) -> str | None:
        """`campaign:stats` of the mail to answer. None when the vendor left one out: it must be looked up first."""
        return f"{self.campaign_id}:{self.stats_id}" if self.campaign_id and self.stats_id else None


def _first_email(*values: object) -> str | None:
    return next((email for value in values if (email := normalise_email(value))), None)
