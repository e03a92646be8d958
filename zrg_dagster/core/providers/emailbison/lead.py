"""The person in an EmailBison payload: the lead object with its free-text custom variables, or a mail's sender."""

from zrg_dagster.core.providers import contact
from zrg_dagster.core.providers.contact import filled, read_contact
from zrg_dagster.core.providers.payload import Json, child, ident, items, text
from zrg_dagster.core.providers.records import CampaignRef, LeadRecord
from zrg_dagster.core.text.address import normalise_email

PROVIDER = "emailbison"


def read_lead(data: Json, zone: str | None) -> LeadRecord:
    """`data.lead` with campaign and sender account. Without identities when the payload names no lead."""
    lead = child(data, "lead")
    lead_id = ident(lead, "id")
    variables = (item for item in items(lead, "custom_variables") if isinstance(item, dict))
    return read_contact(
        contact.columns((text(item, "name"), filled(item, "value")) for item in variables),
        zone,
        email=normalise_email(lead.get("email")),
        first_name=filled(lead, "first_name"),
        last_name=filled(lead, "last_name"),
        job_title=filled(lead, "title"),
        company_name=filled(lead, "company"),
        campaign=_campaign(data),
        sender_account_id=ident(child(data, "sender_email"), "id"),
        vendor_lead=("emailbison_lead", lead_id) if lead_id else None,
    )


def sender_lead(data: Json, from_email: str, from_name: str | None) -> LeadRecord:
    account = ident(child(data, "sender_email"), "id")
    return contact.sender_lead(from_email, from_name, campaign=_campaign(data), sender_account_id=account)


def _campaign(data: Json) -> CampaignRef | None:
    campaign = child(data, "campaign")
    campaign_id = ident(campaign, "id")
    return CampaignRef(PROVIDER, campaign_id, text(campaign, "name")) if campaign_id else None
