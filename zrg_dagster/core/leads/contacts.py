"""A lead as the contact it is at the SMS vendor: which job keeps the two together, what it sends, what it learns."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.db.jobs import NewJob
from zrg_dagster.core.db.lanes import Lane

KIND = "ghl_contact"
SOURCE = "ghl:contact_sync"


class ContactCode(StrEnum):
    """How keeping a lead and its contact together ended."""

    MADE = "contact_linked"
    UPDATED = "contact_updated"
    LEAD_GONE = "contact_lead_gone"
    NOT_CONNECTED = "vendor_not_connected"
    NOTHING_KNOWN = "contact_without_address"
    # The vendor says that this contact is somebody else's here: two leads are one person, which people decide.
    TAKEN = "contact_of_another_lead"


@dataclass(frozen=True, slots=True)
class Person:
    """A lead as far as its contact goes. `fields` are the vendor's names, only those with a value."""

    lead_id: UUID
    workspace_id: UUID
    is_gone: bool
    contact_id: str | None
    location: str | None
    fields: dict[str, str]


_PERSON = text("""
    SELECT l.id, l.workspace_id,
           l.erased_at IS NOT NULL OR l.merged_into_lead_id IS NOT NULL OR l.status = 'blacklisted' AS is_gone,
           l.email, l.phone, l.first_name, l.last_name, l.company_name, l.timezone,
           (SELECT y.value FROM app.lead_identity y WHERE y.lead_id = l.id AND y.kind = 'ghl_contact'
            ORDER BY y.created_at, y.value LIMIT 1) AS contact_id,
           (SELECT i.external_id FROM app.integration i
            WHERE i.workspace_id = l.workspace_id AND i.provider = 'ghl' AND i.is_active) AS location
    FROM app.lead l WHERE l.id = :lead_id""")
_FIELDS = {
    "email": "email",
    "phone": "phone",
    "firstName": "first_name",
    "lastName": "last_name",
    "companyName": "company_name",
    "timezone": "timezone",
}
_LOCK = text("""
    SELECT id FROM app.lead WHERE id = :lead_id AND erased_at IS NULL AND merged_into_lead_id IS NULL FOR UPDATE""")
_LINK = text("""
    INSERT INTO app.lead_identity AS y (workspace_id, kind, value, lead_id, source, created_at)
    VALUES (:workspace_id, 'ghl_contact', :contact_id, :lead_id, :source, :now)
    ON CONFLICT (workspace_id, kind, value) DO UPDATE SET source = y.source RETURNING lead_id""")
_UNLINK = text("""
    DELETE FROM app.lead_identity WHERE workspace_id = :workspace_id AND kind = 'ghl_contact' AND value = :contact_id
      AND lead_id = :lead_id""")
_CANDIDATE = text("""
    INSERT INTO app.lead_merge_candidate (workspace_id, lead_id, other_lead_id, kind, created_at)
    VALUES (:workspace_id, least(CAST(:one AS uuid), CAST(:other AS uuid)),
            greatest(CAST(:one AS uuid), CAST(:other AS uuid)), 'ghl_contact', :now)
    ON CONFLICT DO NOTHING""")


def contact_job(workspace_id: UUID, lead_id: UUID, why: str, correlation_id: str, now: datetime) -> NewJob:
    """The job that brings the contact up to date; `why` names its occasion, of which each counts once."""
    return NewJob(
        workspace_id=workspace_id,
        lane=Lane.REPLIES,
        kind=KIND,
        job_key=f"{KIND}:{lead_id}:{why}",
        # Never in the way of the answer to the lead.
        serial_key=f"{KIND}:{lead_id}",
        correlation_id=correlation_id,
        run_at=now,
        lead_id=lead_id,
    )


async def load_person(conn: AsyncConnection, lead_id: UUID) -> Person | None:
    """What the vendor would be told about the lead now; None when the lead is no more."""
    row = (await conn.execute(_PERSON, {"lead_id": lead_id})).mappings().one_or_none()
    if row is None:
        return None
    fields = {name: row[column] for name, column in _FIELDS.items() if row[column]}
    return Person(row["id"], row["workspace_id"], row["is_gone"], row["contact_id"], row["location"], fields)


async def link(conn: AsyncConnection, person: Person, contact_id: str, now: datetime) -> ContactCode:
    """Note under which id the vendor has the lead. One that another lead has makes the two a pair to look at."""
    if (await conn.execute(_LOCK, {"lead_id": person.lead_id})).one_or_none() is None:
        return ContactCode.LEAD_GONE
    ids: dict[str, Any] = {"workspace_id": person.workspace_id, "contact_id": contact_id, "lead_id": person.lead_id}
    owner = (await conn.execute(_LINK, {**ids, "source": SOURCE, "now": now})).scalar_one()
    if owner == person.lead_id:
        return ContactCode.MADE
    pair = {"workspace_id": person.workspace_id, "one": person.lead_id, "other": owner, "now": now}
    await conn.execute(_CANDIDATE, pair)
    return ContactCode.TAKEN


async def unlink(conn: AsyncConnection, person: Person) -> None:
    """The vendor no longer has this contact."""
    ids = {"workspace_id": person.workspace_id, "contact_id": person.contact_id, "lead_id": person.lead_id}
    await conn.execute(_UNLINK, ids)
