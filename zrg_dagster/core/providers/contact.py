"""The person in an e-mail vendor's payload: contact fields out of what the importer of the list typed, and who replied.

Lists are imported by hand, so one vendor calls a column `phone number`, another `phoneNumber`, a third puts it among
custom fields. Names of columns are compared without case, blanks, underscores and hyphens (EN-02).
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from typing import Any

from zrg_dagster.core.providers.payload import Json, text
from zrg_dagster.core.providers.records import CampaignRef, IdentityKind, LeadRecord, Person
from zrg_dagster.core.text.address import split_name
from zrg_dagster.core.text.linkedin import parse_linkedin
from zrg_dagster.core.text.phone import region_of_timezone, to_e164
from zrg_dagster.core.text.times import load_zone
from zrg_dagster.core.text.website import normalise_website

MAX_FIELD_CHARS = 500
MAX_COLUMNS = 200
MAX_NAME_CHARS = 64

_PHONE = ("phone", "mobile", "phonenumber", "mobilephone")
_LINKEDIN = ("linkedinurl", "linkedin", "linkedinprofile")
_WEBSITE = ("website", "companywebsite", "domain")
_STATE = ("companystate", "state")
_TIMEZONE = ("timezone",)
_COMPANY = ("companyname", "company")
_TITLE = ("jobtitle", "title")
_EMPTY_VALUE = "-"
_NO_SEPARATORS = {ord(char): None for char in " _-"}


def filled(parent: Json, key: str) -> str | None:
    """The text under `key`; a dash means empty, and what is longer than a contact field holds is none."""
    value = text(parent, key)
    return None if value is None or value == _EMPTY_VALUE or len(value) > MAX_FIELD_CHARS else value


def columns(pairs: Iterable[tuple[Any, str | None]]) -> dict[str, str]:
    """Values by folded column name; of two columns with one name the first counts."""
    found: dict[str, str] = {}
    for name, value in islice(pairs, MAX_COLUMNS):
        if value and isinstance(name, str) and len(name) <= MAX_NAME_CHARS:
            found.setdefault(_folded(name), value)
    return found


@lru_cache(maxsize=1024)  # the same few columns come with each mail of a campaign
def _folded(name: str) -> str:
    return name.lower().translate(_NO_SEPARATORS)


def columns_of(*holders: Json) -> dict[str, str]:
    """The filled columns of several objects, the first object first."""
    return columns((name, filled(holder, name)) for holder in holders for name in holder)


def read_contact(
    fields: Mapping[str, str],
    zone: str | None,
    *,
    email: str | None,
    first_name: str | None = None,
    last_name: str | None = None,
    full_name: str | None = None,
    job_title: str | None = None,
    company_name: str | None = None,
    campaign: CampaignRef | None = None,
    sender_account_id: str | None = None,
    vendor_lead: tuple[IdentityKind, str] | None = None,
) -> LeadRecord:
    """A lead of its named values and of the columns in `fields`; `zone` is the workspace's, for phones without country."""
    phone_raw = _first(fields, _PHONE)
    phone = to_e164(phone_raw, region_of_timezone(zone))
    linkedin = parse_linkedin(_first(fields, _LINKEDIN))
    profile = linkedin.url if linkedin and linkedin.kind == "person" else None
    zone_name = _first(fields, _TIMEZONE)
    if not (first_name or last_name):
        first_name, last_name = split_name(full_name)
    pairs: tuple[tuple[IdentityKind, str | None], ...] = (
        *((vendor_lead,) if vendor_lead else ()),
        ("linkedin_url", profile),
        ("email", email),
        ("phone", phone),
    )
    return LeadRecord(
        identities=tuple((kind, value) for kind, value in pairs if value),
        email=email,
        first_name=first_name,
        last_name=last_name,
        full_name=full_name or " ".join(part for part in (first_name, last_name) if part) or None,
        phone=phone,
        phone_raw=phone_raw,
        job_title=job_title or _first(fields, _TITLE),
        company_name=company_name or _first(fields, _COMPANY),
        company_website=normalise_website(_first(fields, _WEBSITE)),
        company_state=_first(fields, _STATE),
        linkedin_url=profile,
        linkedin_company_url=linkedin.url if linkedin and linkedin.kind == "company" else None,
        timezone=zone_name if load_zone(zone_name) else None,
        campaign=campaign,
        sender_account_id=sender_account_id,
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


def sender_lead(
    from_email: str, from_name: str | None, *, campaign: CampaignRef | None, sender_account_id: str | None
) -> LeadRecord:
    """A lead made from a mail's sender, for mail that belongs to no campaign thread."""
    first_name, last_name = split_name(from_name)
    return LeadRecord(
        identities=(("email", from_email),),
        email=from_email,
        first_name=first_name,
        last_name=last_name,
        full_name=from_name,
        campaign=campaign,
        sender_account_id=sender_account_id,
    )


def _with_address(lead: LeadRecord, kind: IdentityKind, email: str) -> tuple[tuple[IdentityKind, str], ...]:
    """An address stands before the phone in matching priority."""
    before = tuple(pair for pair in lead.identities if pair[0] != "phone")
    return (*before, (kind, email), *lead.identities[len(before) :])


def _first(fields: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    for name in names:
        if name in fields:
            return fields[name]
    return None
