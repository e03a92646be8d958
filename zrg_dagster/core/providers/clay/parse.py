"""Clay callbacks to enrichment results (spec/providers.md §10.2): our own format, typed by hand into a table's column.

So names of keys vary, and an empty cell arrives as "", null or the text of a token that was not resolved: only what is a
number or a person's profile counts as found.
"""

import re
from collections.abc import Sequence
from datetime import datetime

from zrg_dagster.core.providers.payload import Json, ident, kind_of, load, need_object, text, unknown_event
from zrg_dagster.core.providers.records import (
    EnrichmentKind,
    EnrichmentRecord,
    EnrichmentStatus,
    IdentityKind,
    LeadRecord,
    Parsed,
    ShapeError,
)
from zrg_dagster.core.text.linkedin import company_url, profile_url
from zrg_dagster.core.text.phone import region_of_timezone, to_e164

_LEAD_KEYS = ("leadId", "leadID", "lead_id")
_TYPE_KEYS = ("enrichmentType", "type", "enrichment_type")
_STATUS_KEYS = ("status", "result", "outcome")
_FLAG_KEYS = ("success", "ok")
_ERROR_KEYS = ("error", "errorMessage", "error_message", "message")
_PROFILE_KEYS = (
    *("linkedinUrl", "linkedin_url", "linkedInUrl", "profileUrl", "profile_url", "linkedinProfile", "linkedInProfile"),
    *("linkedin_profile", "linkedin"),
)
_MEMBER_KEYS = ("linkedinId", "linkedin_id", "linkedInId")
_PHONE_KEYS = (
    *("phone", "phoneNumber", "phone_number", "validatedPhone", "validated_phone", "mobilePhone", "mobile_phone"),
    "mobile",
)
_KINDS: dict[str, EnrichmentKind] = {"phone": "phone", "linkedin": "linkedin"}
_STATUSES: dict[str, EnrichmentStatus] = {
    **dict.fromkeys(("success", "ok", "succeeded"), "success"),
    **dict.fromkeys(("notfound", "missing"), "not_found"),
    **dict.fromkeys(("error", "failed", "failure"), "failed"),
}
_NOT_LETTERS = re.compile(r"[^a-z]+")
# A cell that refers to another one which has no value.
_TOKEN = re.compile(r"\{\{.*\}\}|/[A-Za-z ]+")
# LinkedIn's member ids; an `ACo…` id is case-sensitive and carries no blanks.
_MEMBER = re.compile(r"[A-Za-z0-9_-]{3,100}")


def parse(body: bytes, *, received_at: datetime, workspace_timezone: str | None = None, scope: str) -> Parsed:
    """One answer. The found value stands in `lead`, whose it is in `enrichment.lead_id`. Raises `ShapeError`."""
    document = need_object(load(body), "$")
    lead_id = next((found for key in _LEAD_KEYS if (found := ident(document, key))), None)
    if lead_id is None:
        raise ShapeError("$.leadId", "id", kind_of(document.get("leadId")))
    word = _first(document, _TYPE_KEYS)
    kind = _KINDS.get((word or "").lower())
    if kind is None:
        raise unknown_event("$.enrichmentType", word)
    lead, miss = _phone(document, workspace_timezone) if kind == "phone" else _profile(document)
    status = _status(document, is_found=bool(lead.identities))
    record = EnrichmentRecord(
        key=f"clay:{lead_id}:{kind}",
        kind=kind,
        status=status,
        lead_id=lead_id,
        at=received_at,
        reason={"success": None, "not_found": miss, "failed": "vendor_error"}[status],
    )
    return Parsed(f"{kind}.{status}", lead=lead if status == "success" else LeadRecord(), enrichment=record)


def _status(document: Json, *, is_found: bool) -> EnrichmentStatus:
    """What the column says, else what its cells show; a success without a usable value found nothing (§10.2)."""
    word = _first(document, _STATUS_KEYS)
    said = _said(document) if word is None else _STATUSES.get(_NOT_LETTERS.sub("", word.lower()))
    if said is None and word is not None:
        raise ShapeError("$.status", "known status", "other word")
    if said is None:
        said = "failed" if not is_found and _first(document, _ERROR_KEYS) else "success"
    return "not_found" if said == "success" and not is_found else said


def _said(document: Json) -> EnrichmentStatus | None:
    flags = [document[key] for key in _FLAG_KEYS if isinstance(document.get(key), bool)]
    if not flags:
        return None
    return "success" if flags[0] else "failed"


def _phone(document: Json, zone: str | None) -> tuple[LeadRecord, str]:
    raw = _first(document, _PHONE_KEYS)
    phone = to_e164(raw, region_of_timezone(zone))
    if phone is None:
        digits = sum(character.isdigit() for character in raw or "")
        return LeadRecord(), "unusable_number" if digits else "no_value"
    return LeadRecord(identities=(("phone", phone),), phone=phone, phone_raw=raw), "no_value"


def _profile(document: Json) -> tuple[LeadRecord, str]:
    """A company's page names no person (§10.5)."""
    values = [value for key in _PROFILE_KEYS if (value := text(document, key))]
    url = next((found for value in values if (found := profile_url(value))), None)
    member = _first(document, _MEMBER_KEYS)
    if url is None:
        is_company = any(company_url(value) for value in values)
        return LeadRecord(), "company_page" if is_company else "no_value"
    pairs: tuple[tuple[IdentityKind, str | None], ...] = (
        ("linkedin_member", member if member and _MEMBER.fullmatch(member) else None),
        ("linkedin_url", url),
    )
    return LeadRecord(identities=tuple((kind, value) for kind, value in pairs if value), linkedin_url=url), "no_value"


def _first(document: Json, keys: Sequence[str]) -> str | None:
    """The first of these cells that holds something."""
    values = (text(document, key) for key in keys)
    return next((value for value in values if value and not _TOKEN.fullmatch(value)), None)
