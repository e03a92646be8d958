"""Answers of enrichment vendors: whose they are, and what they leave behind.

A found value is the weakest claim there is: it fills a blank and never replaces what a person, a vendor's own record or
a message said, whichever was first (§10.2 "fill only").
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.providers.records import EnrichmentRecord

UNKNOWN_LEAD = "unknown_lead"


@dataclass(frozen=True, slots=True)
class NewEnrichment:
    workspace_id: UUID
    lead_id: UUID
    provider: str
    record: EnrichmentRecord


_LEADS = text("""
    SELECT k.number, coalesce(l.merged_into_lead_id, l.id) AS id, l.erased_at IS NOT NULL AS is_erased
    FROM unnest(CAST(:numbers AS int[]), CAST(:workspaces AS uuid[]), CAST(:ids AS uuid[])) AS k (number, workspace_id, id)
    JOIN app.lead l ON l.workspace_id = k.workspace_id AND l.id = k.id""")

# A find stays when a later run of the column finds nothing; else the last answer counts. An answer to an earlier request
# does not end a newer one.
_STORE = text("""
    INSERT INTO app.lead_enrichment AS x (workspace_id, lead_id, kind, status, provider, reason, answered_at)
    SELECT DISTINCT ON (n.workspace_id, n.lead_id, n.kind) n.*
    FROM unnest(CAST(:workspaces AS uuid[]), CAST(:leads AS uuid[]), CAST(:kinds AS text[]), CAST(:statuses AS text[]),
                CAST(:providers AS text[]), CAST(:reasons AS text[]), CAST(:at AS timestamptz[]))
        AS n (workspace_id, lead_id, kind, status, provider, reason, answered_at)
    ORDER BY n.workspace_id, n.lead_id, n.kind, n.status = 'success' DESC, n.answered_at DESC, n.status DESC
    ON CONFLICT (workspace_id, lead_id, kind) DO UPDATE
        SET status = excluded.status, provider = excluded.provider, reason = excluded.reason,
            answered_at = excluded.answered_at
        WHERE (excluded.status = 'success', excluded.answered_at, excluded.status)
                > (x.status = 'success', coalesce(x.answered_at, '-infinity'), x.status)
          AND (excluded.status = 'success' OR x.requested_at IS NULL OR x.requested_at <= excluded.answered_at)""")


async def leads_asked_about(
    conn: AsyncConnection, answers: Mapping[int, tuple[UUID, EnrichmentRecord]]
) -> tuple[dict[int, UUID], set[int]]:
    """By number: the lead of each answer that names one of its workspace, and the numbers of those who were erased."""
    asked = {number: (workspace, id_) for number, (workspace, each) in answers.items() if (id_ := _uuid(each.lead_id))}
    if not asked:
        return {}, set()
    parameters = {
        "numbers": list(asked),
        "workspaces": [workspace for workspace, _ in asked.values()],
        "ids": [lead_id for _, lead_id in asked.values()],
    }
    rows = (await conn.execute(_LEADS, parameters)).all()
    return {row.number: row.id for row in rows if not row.is_erased}, {row.number for row in rows if row.is_erased}


async def store_enrichments(conn: AsyncConnection, found: Sequence[NewEnrichment]) -> None:
    """Write how each answer ended, in any order and any number of times."""
    if not found:
        return
    parameters: dict[str, Collection[object]] = {
        "workspaces": [each.workspace_id for each in found],
        "leads": [each.lead_id for each in found],
        "kinds": [each.record.kind for each in found],
        "statuses": [each.record.status for each in found],
        "providers": [each.provider for each in found],
        "reasons": [each.record.reason for each in found],
        "at": [each.record.at for each in found],
    }
    await conn.execute(_STORE, parameters)


def _uuid(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None
