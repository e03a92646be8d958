"""Where a person is named outside of their own rows: other people's conversations, and raw deliveries."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.leads.identifiers import MASK, Identifiers

# A delivery that another process stored while the first, long search ran may carry a slightly earlier time.
OVERLAP = timedelta(minutes=10)

# Texts that people and models write. A test holds this against the catalogue: a new text column must be listed or named
# as one that never holds what an outsider wrote.
TEXTS: dict[str, tuple[str, ...]] = {
    "app.message": ("subject", "body", "raw_text", "raw_html", "from_email", "from_name", "to_email"),
    "app.draft": ("subject", "body", "ai_body", "reason"),
    "app.draft_pipeline_artifact": ("text",),
    "app.send": ("recipient", "error"),
    "app.job": ("error", "reason"),
    "app.follow_up_task": ("subject", "suggested_message"),
    "app.action_signal": ("link",),
    "app.lead_memory": ("category", "content"),
    "app.workspace_memory": ("category", "content"),
}
DOCUMENTS: dict[str, tuple[str, ...]] = {
    "app.message": ("reports",),
    "app.send": ("content", "vendor_detail"),
    "app.decision": ("detail",),
    "app.job": ("payload",),
    "app.reply_stage": ("detail",),
    "app.draft_pipeline_artifact": ("payload",),
}
LISTS = {"app.message": "cc"}

# A text that is about to go out must not go out with a hole in it: such a send is blocked, such a draft rejected.
_STOP_SENDS = text("""
    UPDATE app.send SET state = 'blocked', reason = 'suppressed', finished_at = :now
    WHERE workspace_id = :workspace_id AND state = 'planned' AND (recipient ~* :pattern OR content::text ~* :pattern)""")
_STOP_DRAFTS = text("""
    UPDATE app.draft SET status = 'rejected', reason = 'person_erased', updated_at = :now
    WHERE workspace_id = :workspace_id AND status = 'pending' AND (body ~* :pattern OR coalesce(subject, '') ~* :pattern)""")
_REPLIERS = text("""
    UPDATE app.lead SET current_replier_email = NULL, current_replier_name = NULL, current_replier_since = NULL,
        updated_at = :now
    WHERE workspace_id = :workspace_id
      AND (coalesce(current_replier_email, '') ~* :pattern OR coalesce(current_replier_name, '') ~* :pattern)""")
# An address that was a colleague's in somebody's thread.
_ALTERNATES = text("""
    DELETE FROM app.lead_identity WHERE workspace_id = :workspace_id AND kind = 'alternate_email'
      AND value = ANY(CAST(:emails AS text[])) AND NOT lead_id = ANY(CAST(:leads AS uuid[]))""")


async def mask(
    conn: AsyncConnection, workspace_id: UUID, who: Identifiers, leads: Sequence[UUID], now: datetime
) -> Counter[str]:
    """Replace every mention in the workspace's texts; returns how many rows of each kind changed."""
    shared = {"workspace_id": workspace_id, "pattern": who.pattern}
    rows: Counter[str] = Counter()
    for name, statement in (("sends", _STOP_SENDS), ("drafts", _STOP_DRAFTS), ("repliers", _REPLIERS)):
        rows[f"{name}_stopped"] += (await conn.execute(statement, {**shared, "now": now})).rowcount
    parameters = {"workspace_id": workspace_id, "emails": sorted(who.emails), "leads": list(leads)}
    rows["alternate_identities"] += (await conn.execute(_ALTERNATES, parameters)).rowcount
    for table, columns in TEXTS.items():
        sets = ", ".join(f"{column} = regexp_replace({column}, :pattern, :mask, 'gi')" for column in columns)
        lists = LISTS.get(table)
        if lists:
            sets += f", {lists} = ARRAY(SELECT e FROM unnest({lists}) AS e WHERE e !~* :pattern)"
        tested = [*(f"coalesce({column}, '')" for column in columns), *([f"{lists}::text"] if lists else [])]
        found = " OR ".join(f"{each} ~* :pattern" for each in tested)
        statement = text(f"UPDATE {table} SET {sets} WHERE workspace_id = :workspace_id AND ({found})")
        rows[table] += (await conn.execute(statement, {**shared, "mask": MASK})).rowcount
    for table, columns in DOCUMENTS.items():
        for column in columns:
            rows[table] += await _mask_documents(conn, table, column, shared, who)
    return rows


async def _mask_documents(
    conn: AsyncConnection, table: str, column: str, shared: dict[str, Any], who: Identifiers
) -> int:
    """JSON is rewritten value by value: replacing in its text could leave something that is no JSON."""
    found = await conn.execute(
        text(f"""
            SELECT ctid::text AS place, {column} AS document FROM {table}
            WHERE workspace_id = :workspace_id AND {column}::text ~* :pattern FOR UPDATE"""),
        shared,
    )
    rows = found.all()
    if not rows:
        return 0
    statement = text(f"""
        UPDATE {table} t SET {column} = CAST(u.document AS jsonb)
        FROM unnest(CAST(:places AS text[]), CAST(:documents AS text[])) AS u (place, document)
        WHERE t.ctid = CAST(u.place AS tid)""")
    documents = [json.dumps(who.masked(row.document)) for row in rows]
    await conn.execute(statement, {"places": [row.place for row in rows], "documents": documents})
    return len(rows)


@dataclass(frozen=True, slots=True)
class Mention:
    """A delivery whose body names the person. One that waits or is being processed is intake's to settle: it may be
    somebody else's answer that quotes this person."""

    id: UUID
    received_at: datetime
    state: str

    @property
    def is_settled(self) -> bool:
        return self.state not in ("pending", "running")


_CANDIDATES = text("""
    SELECT e.id, e.received_at, e.state, b.body
    FROM raw.webhook_body b
    JOIN raw.webhook_event e ON e.id = b.event_id AND e.received_at = b.received_at
    CROSS JOIN LATERAL (SELECT lower(encode(b.body, 'escape')) AS body) h
    WHERE (e.workspace_id = :workspace_id OR e.workspace_id IS NULL)
      AND b.received_at >= coalesce(CAST(:since AS timestamptz), '-infinity')
      AND EXISTS (SELECT FROM unnest(CAST(:needles AS text[])) AS n WHERE strpos(h.body, n) > 0)
    ORDER BY e.received_at, e.id""")
_EMPTY = text("""
    UPDATE raw.webhook_body b SET headers = ''::bytea, body = ''::bytea
    FROM unnest(CAST(:ids AS uuid[]), CAST(:received AS timestamptz[])) AS e (id, received_at)
    WHERE b.event_id = e.id AND b.received_at = e.received_at AND octet_length(b.body) + octet_length(b.headers) > 0""")
# What can no longer be read must not be tried again, or replayed.
_DISCARD = text("""
    UPDATE raw.webhook_event SET error = NULL,
        reason = CASE WHEN state IN ('quarantined', 'dead') THEN 'person_erased' ELSE reason END,
        finished_at = CASE WHEN state IN ('quarantined', 'dead') THEN CAST(:now AS timestamptz) ELSE finished_at END,
        state = CASE WHEN state IN ('quarantined', 'dead') THEN 'discarded' ELSE state END
    WHERE id = ANY(CAST(:ids AS uuid[])) AND (error IS NOT NULL OR state IN ('quarantined', 'dead'))""")


async def deliveries(
    conn: AsyncConnection, workspace_id: UUID, who: Identifiers, *, since: datetime | None = None
) -> list[Mention]:
    """Deliveries of this workspace, or of none that is known yet, whose body names the person. Reads every body that is
    still kept; `since` limits it to those received from then on."""
    parameters = {"workspace_id": workspace_id, "since": since, "needles": who.needles()}
    rows = await conn.stream(_CANDIDATES, parameters)
    return [Mention(row.id, row.received_at, row.state) async for row in rows if who.in_body(row.body)]


async def empty(conn: AsyncConnection, events: Iterable[Any], now: datetime) -> Counter[str]:
    """Take headers and body of deliveries away; their rows stay for accounting."""
    found = {each.id: each.received_at for each in events}
    if not found:
        return Counter()
    parameters = {"ids": list(found), "received": list(found.values())}
    emptied = (await conn.execute(_EMPTY, parameters)).rowcount
    await conn.execute(_DISCARD, {"ids": list(found), "now": now})
    return Counter({"deliveries": emptied})
