"""Everything this database holds about a person, as one JSON document: rows of every table, and deliveries as they came."""

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.leads import mentions
from zrg_dagster.core.leads.person import Person

# Every table that says which lead a row is about, found in the catalogue so that a new one is exported too.
_TABLES = text("""
    SELECT format('%I.%I', n.nspname, c.relname) FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE a.attname = 'lead_id' AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND n.nspname IN ('app', 'facts', 'marts') AND has_table_privilege(c.oid, 'SELECT')
    ORDER BY 1""")
# What belongs to the person through something else than a lead id.
_RELATED: Mapping[str, str] = {
    "app.lead": "t.id = ANY(CAST(:leads AS uuid[]))",
    "app.lead_merge_candidate": "CAST(:leads AS uuid[]) && ARRAY[t.lead_id, t.other_lead_id]",
    "app.lead_merge": "CAST(:leads AS uuid[]) && ARRAY[t.kept_lead_id, t.gone_lead_id]",
    "app.lead_merge_row": "t.merge_id IN (SELECT id FROM app.lead_merge "
    "WHERE CAST(:leads AS uuid[]) && ARRAY[kept_lead_id, gone_lead_id])",
    "app.reply_stage": "t.message_id IN (SELECT id FROM app.message WHERE lead_id = ANY(CAST(:leads AS uuid[])))",
    "app.action_signal": "t.message_id IN (SELECT id FROM app.message WHERE lead_id = ANY(CAST(:leads AS uuid[])))",
    "app.ai_call": "t.message_id IN (SELECT id FROM app.message WHERE lead_id = ANY(CAST(:leads AS uuid[])))",
    "app.draft_pipeline_artifact": "t.run_id IN (SELECT id FROM app.draft_pipeline_run "
    "WHERE lead_id = ANY(CAST(:leads AS uuid[])))",
    "app.review_card": "t.draft_id IN (SELECT id FROM app.draft WHERE lead_id = ANY(CAST(:leads AS uuid[])))",
    "app.send": "t.lead_id = ANY(CAST(:leads AS uuid[])) OR t.draft_id IN "
    "(SELECT id FROM app.draft WHERE lead_id = ANY(CAST(:leads AS uuid[])))",
    "app.job": "t.lead_id = ANY(CAST(:leads AS uuid[])) OR t.payload ->> 'draft_id' IN "
    "(SELECT id::text FROM app.draft WHERE lead_id = ANY(CAST(:leads AS uuid[])))",
    "app.appointment": "t.lead_id = ANY(CAST(:leads AS uuid[])) OR t.attendee_email = ANY(CAST(:emails AS text[]))",
    "app.linkedin_relation": "EXISTS (SELECT FROM app.lead_identity i WHERE i.lead_id = ANY(CAST(:leads AS uuid[])) "
    "AND (i.kind, i.value) IN (('linkedin_member', t.member_id), ('linkedin_url', t.profile_url)))",
    "app.suppression": "(t.kind = 'lead' AND t.value = ANY(CAST(CAST(:leads AS uuid[]) AS text[]))) "
    "OR (t.kind = 'email' AND t.value = ANY(CAST(:emails AS text[]))) "
    "OR (t.kind = 'phone' AND t.value = ANY(CAST(:phones AS text[])))",
}
_DELIVERIES = text("""
    SELECT to_jsonb(e) - 'delivery_key' - 'fair_key' AS event, b.headers, b.body
    FROM raw.webhook_event e
    LEFT JOIN raw.webhook_body b ON b.event_id = e.id AND b.received_at = e.received_at
    WHERE e.lead_id = ANY(CAST(:leads AS uuid[])) OR e.id = ANY(CAST(:mentioned AS uuid[]))
    ORDER BY e.received_at, e.id""")


async def export_person(conn: AsyncConnection, person: Person, *, now: datetime) -> dict[str, Any]:
    """The document: `exported_at`, `leads`, `tables` (name → rows, empty ones left out) and `deliveries` (the event, its
    headers, its body as text, or as base64 where it is none). Deliveries that only mention the person are included."""
    parameters: dict[str, Any] = {
        "leads": list(person.lead_ids),
        "emails": sorted(person.identifiers.emails),
        "phones": sorted(person.identifiers.phones),
    }
    tables: dict[str, list[Any]] = {}
    named: Sequence[str] = (await conn.execute(_TABLES)).scalars().all()
    for table in sorted({*named, *_RELATED}):
        where = _RELATED.get(table, "t.lead_id = ANY(CAST(:leads AS uuid[]))")
        rows = await conn.execute(
            text(f"SELECT to_jsonb(t) FROM {table} t WHERE t.workspace_id = :workspace_id AND ({where})"),
            {**parameters, "workspace_id": person.workspace_id},
        )
        if found := list(rows.scalars()):
            tables[table] = sorted(found, key=lambda row: json.dumps(row, sort_keys=True))
    mentioned: list[UUID] = []
    if person.identifiers.pattern:
        mentioned = [each.id for each in await mentions.deliveries(conn, person.workspace_id, person.identifiers)]
    events = await conn.execute(_DELIVERIES, {**parameters, "mentioned": mentioned})
    return {
        "exported_at": now.isoformat(),
        "leads": [str(lead_id) for lead_id in person.lead_ids],
        "tables": tables,
        "deliveries": [
            {**row.event, "headers": json.loads(row.headers) if row.headers else None, "body": _body(row.body)}
            for row in events
        ],
    }


def _body(body: bytes | None) -> str | dict[str, str] | None:
    """A body as text; base64 when it is no UTF-8; None when its time is over."""
    if not body:
        return None
    try:
        return body.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode()}
