"""Who is looked up at the enrichment vendor, and what becomes of questions that nobody answers (EN-01, EN-05, EN-07).

`app.lead_enrichment` is the ledger: `pending` is written before the vendor is asked, the answer's delivery writes the rest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

import psycopg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

Kind = Literal["phone", "linkedin"]
KINDS: tuple[Kind, ...] = ("phone", "linkedin")
PROVIDER = "clay"
CALL_INTENT = "Call Requested"
AGAIN_AFTER = timedelta(hours=24)
STALE_AFTER = timedelta(hours=2)
NO_ANSWER = "no_answer"
# The vendor certainly has not been asked: as if there had been no attempt.
NOT_SENT = "not_sent"
EXPIRE_LIMIT = 1000


class EnrichmentCode(StrEnum):
    """Why a lead is asked about, or is not; reasons of the job."""

    ASK = "enrichment_asked"
    NO_TABLE = "enrichment_not_connected"
    LEAD_GONE = "enrichment_lead_gone"
    NO_EMAIL = "enrichment_no_email"
    HAS_VALUE = "enrichment_not_needed"
    IN_PROGRESS = "enrichment_in_progress"
    ATTEMPTED = "enrichment_attempted_before"


@dataclass(frozen=True, slots=True)
class Subject:
    """A lead as far as the question goes, with the table that would be asked and how the last question ended."""

    lead_id: UUID
    kind: Kind
    is_gone: bool
    email: str | None
    value: str | None
    table_url: str | None
    status: str | None
    reason: str | None
    requested_at: datetime | None


def decide(subject: Subject, *, call_intent: bool, now: datetime) -> EnrichmentCode:
    """Whether to ask. Pure. Once a lead and kind; somebody who wants a call is looked up again, at most every 24 hours."""
    if subject.is_gone:
        return EnrichmentCode.LEAD_GONE
    if subject.table_url is None:
        return EnrichmentCode.NO_TABLE
    if subject.value:
        return EnrichmentCode.HAS_VALUE
    if not subject.email:
        return EnrichmentCode.NO_EMAIL
    if subject.status is None or (subject.status == "failed" and subject.reason == NOT_SENT):
        return EnrichmentCode.ASK
    if subject.status == "pending":
        return EnrichmentCode.IN_PROGRESS
    is_again = call_intent and subject.kind == "phone"
    if is_again and (subject.requested_at is None or now - subject.requested_at >= AGAIN_AFTER):
        return EnrichmentCode.ASK
    return EnrichmentCode.ATTEMPTED


_SUBJECT = text("""
    SELECT l.id AS lead_id, l.erased_at IS NOT NULL OR l.merged_into_lead_id IS NOT NULL OR l.status = 'blacklisted' AS is_gone,
           k.kind, l.email, CASE k.kind WHEN 'phone' THEN l.phone ELSE l.linkedin_url END AS value,
           CASE k.kind WHEN 'phone' THEN i.phone_table_url ELSE i.linkedin_table_url END AS table_url,
           x.status, x.reason, x.requested_at
    FROM app.lead l CROSS JOIN unnest(CAST(:kinds AS text[])) WITH ORDINALITY AS k (kind, position)
    LEFT JOIN app.integration i ON i.workspace_id = l.workspace_id AND i.provider = 'clay' AND i.is_active
    LEFT JOIN app.lead_enrichment x ON x.workspace_id = l.workspace_id AND x.lead_id = l.id AND x.kind = k.kind
    WHERE l.id = :lead ORDER BY k.position""")
_PERSON = text("""
    SELECT l.id, l.workspace_id, l.email, l.first_name, l.last_name, l.company_name, l.linkedin_url, c.sealed
    FROM app.lead l
    LEFT JOIN secret.credential c ON c.workspace_id = l.workspace_id AND c.name = 'clay_table_token'
    WHERE l.id = :lead""")
_CLAIM = text("""
    INSERT INTO app.lead_enrichment (workspace_id, lead_id, kind, status, provider, requested_at)
    SELECT workspace_id, id, :kind, 'pending', 'clay', :now FROM app.lead WHERE id = :lead
    ON CONFLICT (workspace_id, lead_id, kind) DO UPDATE
        SET status = 'pending', provider = excluded.provider, reason = NULL, requested_at = excluded.requested_at""")
_FAIL = text("""
    UPDATE app.lead_enrichment SET status = 'failed', reason = :reason, answered_at = :now
    WHERE lead_id = :lead AND kind = :kind AND status = 'pending'""")
# A late answer still counts: it is newer than this.
_EXPIRE = text(f"""
    UPDATE app.lead_enrichment x SET status = 'failed', reason = '{NO_ANSWER}', answered_at = :now
    FROM (SELECT workspace_id, lead_id, kind FROM app.lead_enrichment
          WHERE status = 'pending' AND requested_at <= :before
          ORDER BY requested_at LIMIT :limit FOR UPDATE SKIP LOCKED) o
    WHERE x.workspace_id = o.workspace_id AND x.lead_id = o.lead_id AND x.kind = o.kind""")
_OLDEST = """
    SELECT min(requested_at) AS oldest FROM app.lead_enrichment WHERE status = 'pending' AND requested_at <= %(before)s"""


async def load_subject(conn: AsyncConnection, lead_id: UUID, kind: Kind) -> Subject | None:
    return next(iter(await load_subjects(conn, lead_id, [kind])), None)


async def load_subjects(conn: AsyncConnection, lead_id: UUID, kinds: Sequence[Kind] = KINDS) -> list[Subject]:
    """The lead once for each of `kinds`, in their order; nothing when there is no such lead."""
    rows = await conn.execute(_SUBJECT, {"lead": lead_id, "kinds": list(kinds)})
    return [Subject(**row) for row in rows.mappings()]


async def load_person(conn: AsyncConnection, lead_id: UUID) -> Mapping[str, Any]:
    """What the question says about the person, and the table's sealed token or None."""
    return {**(await conn.execute(_PERSON, {"lead": lead_id})).mappings().one()}


async def begin(conn: AsyncConnection, lead_id: UUID, kind: Kind, now: datetime) -> None:
    """Note that the vendor is about to be asked; committed before it is."""
    await conn.execute(_CLAIM, {"lead": lead_id, "kind": kind, "now": now})


async def fail(conn: AsyncConnection, lead_id: UUID, kind: Kind, reason: str, now: datetime) -> None:
    """The question did not reach the vendor, or was refused."""
    await conn.execute(_FAIL, {"lead": lead_id, "kind": kind, "reason": reason, "now": now})


async def expire(conn: AsyncConnection, now: datetime, *, limit: int = EXPIRE_LIMIT) -> int:
    """Questions without an answer for two hours have failed (CR: enrichment). Returns how many."""
    parameters = {"now": now, "before": now - STALE_AFTER, "limit": limit}
    return (await conn.execute(_EXPIRE, parameters)).rowcount


def oldest_unanswered(connection: psycopg.Connection[dict[str, Any]], now: datetime) -> datetime | None:
    """When the oldest question that is overdue was asked. For the schedule."""
    row = connection.execute(_OLDEST.encode(), {"before": now - STALE_AFTER}).fetchone()
    return row["oldest"] if row else None


# Whose domain says nothing about where somebody works.
FREE_MAIL = frozenset(
    {
        *("gmail.com", "googlemail.com", "yahoo.com", "hotmail.com", "outlook.com", "live.com", "icloud.com", "me.com"),
        *("aol.com", "proton.me", "protonmail.com", "gmx.net", "gmx.de", "web.de", "mail.com", "msn.com"),
    }
)


def question(person: Mapping[str, Any], kind: Kind) -> dict[str, str]:
    """The row of the table: our names, all text, an empty cell where nothing is known (§10.4). Pure."""
    email = person["email"] or ""
    domain = email.rpartition("@")[2].lower()
    first, last = person["first_name"] or "", person["last_name"] or ""
    row = {
        "leadId": str(person["id"]),
        "emailAddress": email,
        "firstName": first,
        "lastName": last,
        "fullName": f"{first} {last}".strip(),
        "companyName": person["company_name"] or "",
        "companyDomain": "" if domain in FREE_MAIL else domain,
        "state": "",
    }
    return row | {"linkedInProfile": person["linkedin_url"] or ""} if kind == "phone" else row
