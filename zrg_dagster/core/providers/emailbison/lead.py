"""The person in an EmailBison payload: the lead object with its free-text custom variables, or a mail's sender."""

from dataclasses import replace

from zrg_dagster.core.providers.payload import Json, child, ident, items, text
from zrg_dagster.core.providers.records import CampaignRef, IdentityKind, LeadRecord, Person
from zrg_dagster.core.text.address import normalise_email, split_name
from zrg_dagster.core.text.linkedin import parse_linkedin
from zrg_dagster.core.text.phone import region_of_timezone, to_e164
from zrg_dagster.core.text.times import load_zone
from zrg_dagster.core.text.website import normalise_website

PROVIDER = "emailbison"
# Names are typed by whoever imported the list (EN-02).
_PHONE = ("phone", "mobile", "phone number", "mobile phone", "phone_number")
_LINKEDIN = ("linkedin url", "linkedin", "linkedin_url", "linkedin profile")
_WEBSITE = ("website", "company website", "domain")
_STATE = ("company state", "state", "company_state")
_TIMEZONE = ("timezone", "time zone", "time_zone")
_EMPTY_VALUES = {"", "-"}


def read_lead(data: Json, zone: str | None) -> LeadRecord:
    """`data.lead` with campaign and sender account. Without identities when the payload names no lead."""
    lead = child(data, "lead")
    variables = _variables(lead)
    email = normalise_email(lead.get("email"))
    phone_raw = _first(variables, _PHONE)
    phone = to_e164(phone_raw, region_of_timezone(zone))
    linkedin = parse_linkedin(_first(variables, _LINKEDIN))
    profile = linkedin.url if linkedin and linkedin.kind == "person" else None
    zone_name = _first(variables, _TIMEZONE)
    first_name, last_name = _filled(lead, "first_name"), _filled(lead, "last_name")
    return LeadRecord(
        identities=_identities(ident(lead, "id"), profile, email, phone),
        email=email,
        first_name=first_name,
        last_name=last_name,
        full_name=" ".join(part for part in (first_name, last_name) if part) or None,
        phone=phone,
        phone_raw=phone_raw,
        job_title=_filled(lead, "title"),
        company_name=_filled(lead, "company"),
        company_website=normalise_website(_first(variables, _WEBSITE)),
        company_state=_first(variables, _STATE),
        linkedin_url=profile,
        linkedin_company_url=linkedin.url if linkedin and linkedin.kind == "company" else None,
        timezone=zone_name if load_zone(zone_name) else None,
        campaign=_campaign(data),
        sender_account_id=ident(child(data, "sender_email"), "id"),
    )


def replier(lead: LeadRecord, from_email: str, from_name: str | None) -> LeadRecord:
    """The lead with whoever else wrote this reply (CC-01, CC-02); unchanged when the lead wrote it."""
    if lead.email is None:
        return replace(lead, email=from_email, identities=_with_address(lead, "email", from_email))
    if from_email == lead.email:
        return lead
    return replace(
        lead,
        identities=_with_address(lead, "alternate_email", from_email),
        current_replier=Person(from_email, from_name),
        alternate_emails=(from_email,),
    )


def _with_address(lead: LeadRecord, kind: IdentityKind, email: str) -> tuple[tuple[IdentityKind, str], ...]:
    """An address stands before the phone in matching priority."""
    before = tuple(pair for pair in lead.identities if pair[0] != "phone")
    return (*before, (kind, email), *lead.identities[len(before) :])


def sender_lead(data: Json, from_email: str, from_name: str | None) -> LeadRecord:
    """A lead made from a mail's sender, for mail that belongs to no campaign thread."""
    first_name, last_name = split_name(from_name)
    return LeadRecord(
        identities=(("email", from_email),),
        email=from_email,
        first_name=first_name,
        last_name=last_name,
        full_name=from_name,
        campaign=_campaign(data),
        sender_account_id=ident(child(data, "sender_email"), "id"),
    )


def _campaign(data: Json) -> CampaignRef | None:
    campaign = child(data, "campaign")
    campaign_id = ident(campaign, "id")
    return CampaignRef(PROVIDER, campaign_id, text(campaign, "name")) if campaign_id else None


def _variables(lead: Json) -> dict[str, str]:
    """Custom variables by lower-case name; a dash means empty."""
    found: dict[str, str] = {}
    for item in items(lead, "custom_variables"):
        if isinstance(item, dict) and (name := text(item, "name")) and (value := _filled(item, "value")):
            found.setdefault(name.lower(), value)
    return found


def _first(variables: dict[str, str], names: tuple[str, ...]) -> str | None:
    return next((variables[name] for name in names if name in variables), None)


def _filled(parent: Json, key: str) -> str | None:
    value = text(parent, key)
    return None if value is None or value in _EMPTY_VALUES or len(value) > 500 else value


def _identities(
    lead_id: str | None, profile: str | None, email: str | None, phone: str | None
) -> tuple[tuple[IdentityKind, str], ...]:
    pairs: tuple[tuple[IdentityKind, str | None], ...] = (
        ("emailbison_lead", lead_id),
        ("linkedin_url", profile),
        ("email", email),
        ("phone", phone),
    )
    return tuple((kind, value) for kind, value in pairs if value)
