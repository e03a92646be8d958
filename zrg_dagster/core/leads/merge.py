"""Two leads that are one person become one, in one transaction, with a journal from which it is undone (unmerge.py).

The kept lead gets every row of the gone one, and its fields by the rules of intake (joined.py). The gone lead's row stays,
emptied: see app.lead.merged_into_lead_id in the schema. Intake and the claims of both lanes wait meanwhile, so whatever is
read before the merge is also written before it.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.db import lanes, queue
from zrg_dagster.core.db.dirty import mark_dirty
from zrg_dagster.core.leads import merge_journal
from zrg_dagster.core.leads.campaigns import sync_campaigns
from zrg_dagster.core.leads.erased import exclude_intake
from zrg_dagster.core.leads.joined import COLUMNS, EMPTY, Side, joined
from zrg_dagster.core.leads.locks import hold_leads
from zrg_dagster.core.leads.merge_journal import journal
from zrg_dagster.core.leads.replier import set_repliers
from zrg_dagster.core.leads.suppression import suppress_new_addresses
from zrg_dagster.core.workspaces.audit import record

# The decision about a sequence that ran on both leads and goes on once.
SEQUENCE_ENDED = "sequence_runs_on_merged_lead"


class MergeError(ValueError):
    """These leads cannot be merged, or parted. One line: why, and what to do."""


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge did: rows moved by table, and how many runs of sequences it ended."""

    id: UUID
    rows: Counter[str]
    ended: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What a merge would do: rows by table, runs of sequences that end, and columns of the kept lead that change."""

    rows: Counter[str]
    ends: int
    fields: tuple[str, ...]


_SIDES = text("""
    SELECT l.*, c.provider AS campaign_provider, c.external_id AS campaign_external_id,
           greatest((SELECT max(e.changed_at) FROM app.sentiment_event e WHERE e.lead_id = l.id),
                    (SELECT max(a.vendor_updated_at) FROM app.appointment a WHERE a.lead_id = l.id)) AS standing_at,
           EXISTS (SELECT FROM app.follow_up_instance i WHERE i.lead_id = l.id) AS has_sequences
    FROM app.lead l LEFT JOIN app.email_campaign c ON c.id = l.email_campaign_id
    WHERE l.workspace_id = :workspace_id AND l.id = ANY(CAST(:leads AS uuid[]))""")
# Columns that the values do not name stay as they are.
_WRITE = text(f"""
    UPDATE app.lead l SET {", ".join(f"{name} = r.{name}" for name in COLUMNS)}, updated_at = :now
    FROM app.lead o CROSS JOIN LATERAL jsonb_populate_record(o, CAST(:row AS jsonb)) r WHERE o.id = :id AND l.id = o.id""")
_SNAPSHOT = text("""
    SELECT id, to_jsonb(l) - 'last_message_direction' AS row FROM app.lead l WHERE id = ANY(CAST(:leads AS uuid[]))""")

# A run that could not move, because the kept lead has one of the same sequence, must not go on beside it.
_RUNNING_TWICE = """
    FROM app.follow_up_instance i JOIN app.follow_up_instance k ON k.lead_id = :keep AND k.sequence_id = i.sequence_id
    WHERE i.lead_id = :gone AND i.status IN ('active', 'paused')"""
_COUNT_TWICE = text(f"SELECT count(*) {_RUNNING_TWICE}")
_END_TWICE = text(f"""
    WITH was AS (
        SELECT i.*, k.id AS other_id {_RUNNING_TWICE} FOR UPDATE OF i
    ), ended AS (
        UPDATE app.follow_up_instance i SET status = 'cancelled', paused_reason = NULL, next_step_due = NULL,
            completed_at = :now, updated_at = :now
        FROM was WHERE i.id = was.id
    ), decided AS (
        INSERT INTO app.decision (workspace_id, lead_id, subject, subject_id, code, detail, decided_at)
        SELECT workspace_id, :keep, 'follow_up', id, :code, jsonb_build_object('goes_on', other_id), :now FROM was
        RETURNING id
    ), noted AS (
        {journal("moved", "app.decision", "decided", key="jsonb_build_object('id', id)", old=":gone")}
    ) {journal("changed", "app.follow_up_instance", "was", key="jsonb_build_object('id', id)", before="to_jsonb(was)",
               old=":gone")}""")  # fmt: skip

_CANDIDATES = text(f"""
    WITH named AS (
        DELETE FROM app.lead_merge_candidate c
        WHERE c.workspace_id = :workspace_id AND :gone IN (c.lead_id, c.other_lead_id) RETURNING c.*
    ), again AS (
        INSERT INTO app.lead_merge_candidate AS c (workspace_id, lead_id, other_lead_id, kind, created_at)
        SELECT workspace_id, least(o.id, :keep), greatest(o.id, :keep), kind, created_at
        FROM named CROSS JOIN LATERAL (SELECT CASE lead_id WHEN :gone THEN other_lead_id ELSE lead_id END AS id) o
        WHERE o.id <> :keep
        ON CONFLICT DO NOTHING RETURNING c.*
    ), noted AS (
        {journal("inserted", "app.lead_merge_candidate", "again", key="to_jsonb(again)")}
    ) {journal("deleted", "app.lead_merge_candidate", "named", before="to_jsonb(named)", key="'{}'")}""")
# The gone lead's own row of the list stays: nothing is sent to an id that somebody still holds.
_STOP = text("""
    INSERT INTO app.suppression (workspace_id, kind, value, channel, reason, source, suppressed_at)
    SELECT workspace_id, kind, CAST(:keep AS text), channel, reason, source, suppressed_at FROM app.suppression
    WHERE workspace_id = :workspace_id AND kind = 'lead' AND value = CAST(:gone AS text)
    ON CONFLICT DO NOTHING""")
_STOPPED = text("""
    SELECT to_jsonb(s) AS row FROM app.suppression s
    WHERE s.workspace_id = :workspace_id AND ((s.kind = 'lead' AND s.value = CAST(:keep AS text)) OR (s.kind, s.value) IN (
        SELECT i.kind, i.value FROM app.lead_identity i WHERE i.lead_id = :keep))""")
_NOTE_STOPS = text(journal("inserted", "app.suppression", "unnest(CAST(:rows AS jsonb[])) AS row_key"))
_REJECT_DRAFTS = text(f"""
    WITH was AS (
        SELECT * FROM app.draft WHERE lead_id = :keep AND status = 'pending' FOR UPDATE
    ), rejected AS (
        UPDATE app.draft d SET status = 'rejected', reason = 'lead_blacklisted', updated_at = :now
        FROM was WHERE d.id = was.id
    ) {journal("changed", "app.draft", "was", key="jsonb_build_object('id', id)",
               before="jsonb_build_object('status', status, 'reason', reason, 'updated_at', updated_at)")}""")  # fmt: skip
_APPOINTMENTS = text("SELECT id, email_campaign_id FROM app.appointment WHERE lead_id = :keep ORDER BY id")
_NOTE_CAMPAIGNS = text(
    journal(
        "changed",
        "app.appointment",
        "unnest(CAST(:ids AS uuid[]), CAST(:campaigns AS uuid[])) AS a (id, campaign)",
        key="jsonb_build_object('id', id)",
        before="jsonb_build_object('email_campaign_id', campaign)",
    )
)
_BEGIN = text("""
    INSERT INTO app.lead_merge (id, workspace_id, kept_lead_id, gone_lead_id, actor, merged_at, before, after)
    VALUES (:merge, :workspace_id, :keep, :gone, :actor, :now, CAST(:before AS jsonb), '{}')""")
_END = text("UPDATE app.lead_merge SET after = CAST(:after AS jsonb) WHERE id = :merge")
_DAYS = text("""
    SELECT 'booking' AS fact, a.workspace_id, a.booked_at AS at FROM app.appointment a WHERE a.lead_id = :lead
    UNION ALL
    SELECT 'step_execution', x.workspace_id, x.executed_at FROM app.follow_up_step_execution x
    WHERE x.lead_id = :lead AND x.executed_at IS NOT NULL""")


async def merge(
    conn: AsyncConnection, workspace_id: UUID, keep: UUID, gone: UUID, *, actor: str, now: datetime
) -> Merged:
    """Make `gone` part of `keep` in the caller's transaction. `MergeError` when they cannot be merged, `LeadBusy` while a
    job runs for one of them or a message is being sent."""
    await keep_others_out(conn, workspace_id)
    await hold_leads(conn, {keep, gone})
    sides = await _sides(conn, workspace_id, keep, gone)
    merge_id, before = new_id(), await snapshot(conn, keep, gone)
    who = {"workspace_id": workspace_id, "merge": merge_id, "keep": keep, "gone": gone, "now": now}
    await conn.execute(_BEGIN, {**who, "actor": actor, "before": json.dumps(before)})
    await mark_facts(conn, gone)
    rows = await merge_journal.move(conn, workspace_id, merge_id, gone=gone, keep=keep)
    ended = (await conn.execute(_END_TWICE, {**who, "code": SEQUENCE_ENDED})).rowcount
    rows["app.lead_merge_candidate"] = (await conn.execute(_CANDIDATES, who)).rowcount
    row = joined(*sides)
    await write_lead(conn, keep, row, now)
    await write_lead(conn, gone, {**EMPTY, "merged_into_lead_id": keep}, now)
    await set_repliers(conn, [keep])
    await _stop(conn, who, rejects_drafts=row["status"] == "blacklisted")
    await _sync_campaigns(conn, who)
    after = {**await snapshot(conn, keep, gone), "rows": await merge_journal.belongings(conn, (keep, gone))}
    await conn.execute(_END, {"merge": merge_id, "after": json.dumps(after)})
    changes = [{"object": name, "changed": number} for name, number in sorted((+rows).items())]
    await record(
        conn,
        actor=actor,
        action="lead.merge",
        object=f"lead {keep}",
        now=now,
        workspace_id=workspace_id,
        changes=[{"object": f"lead {gone}", "merge": str(merge_id)}, *changes],
    )
    return Merged(merge_id, +rows, ended)


async def preview(conn: AsyncConnection, workspace_id: UUID, keep: UUID, gone: UUID) -> Preview:
    """What `merge` would do now; changes and locks nothing."""
    kept, other = await _sides(conn, workspace_id, keep, gone)
    row = joined(kept, other)
    return Preview(
        rows=await merge_journal.count(conn, gone=gone, keep=keep),
        ends=(await conn.execute(_COUNT_TWICE, {"keep": keep, "gone": gone})).scalar_one(),
        fields=tuple(name for name in COLUMNS if row[name] != kept.lead[name] and name != "provenance"),
    )


_LIST = text("""
    SELECT c.lead_id, c.other_lead_id, array_agg(c.kind ORDER BY c.kind) AS kinds, min(c.created_at) AS since,
           l.email, o.email AS other_email,
           (SELECT count(*) FROM app.message m WHERE m.lead_id = c.lead_id) AS messages,
           (SELECT count(*) FROM app.message m WHERE m.lead_id = c.other_lead_id) AS other_messages
    FROM app.lead_merge_candidate c
    JOIN app.lead l ON l.id = c.lead_id JOIN app.lead o ON o.id = c.other_lead_id
    WHERE c.workspace_id = :workspace_id
    GROUP BY c.lead_id, c.other_lead_id, l.email, o.email ORDER BY since, c.lead_id, c.other_lead_id LIMIT :limit""")


async def candidates(conn: AsyncConnection, workspace_id: UUID, *, limit: int) -> Sequence[Row[Any]]:
    """Pairs of leads that deliveries name as one person, the oldest first: lead_id, other_lead_id, kinds, since, and of
    each its address and number of messages."""
    return (await conn.execute(_LIST, {"workspace_id": workspace_id, "limit": limit})).all()


async def keep_others_out(conn: AsyncConnection, workspace_id: UUID) -> None:
    """Wait for intake of this workspace and for claims under way, and keep new ones out until the transaction ends: they
    hold ids of leads between what they read and what they write."""
    await exclude_intake(conn, workspace_id)
    for lane in (lanes.REPLIES, lanes.SENDS):
        await queue.lock_claims(conn, lane)


async def snapshot(conn: AsyncConnection, keep: UUID, gone: UUID) -> dict[str, Any]:
    """Both leads' rows as JSON, without what the database derives."""
    rows = {row.id: row.row for row in await conn.execute(_SNAPSHOT, {"leads": [keep, gone]})}
    return {"kept": rows[keep], "gone": rows[gone]}


async def write_lead(conn: AsyncConnection, lead_id: UUID, row: Mapping[str, Any], now: datetime) -> None:
    """Write the merged columns of a lead from values that become JSON."""
    values = {name: each.isoformat() if isinstance(each, datetime) else each for name, each in row.items()}
    await conn.execute(_WRITE, {"id": lead_id, "row": json.dumps(values, default=str), "now": now})


async def mark_facts(conn: AsyncConnection, lead_id: UUID) -> None:
    """Flag the days whose facts name this lead: they are built again with the one that it belongs to then."""
    days: dict[str, set[tuple[date, UUID]]] = {"booking": set(), "step_execution": set()}
    for row in await conn.execute(_DAYS, {"lead": lead_id}):
        days[row.fact].add((row.at.astimezone(UTC).date(), row.workspace_id))
    for fact, pairs in days.items():
        await mark_dirty(conn, fact, pairs)


async def _sides(conn: AsyncConnection, workspace_id: UUID, keep: UUID, gone: UUID) -> tuple[Side, Side]:
    if keep == gone:
        raise MergeError("a lead cannot be merged with itself")
    rows = await conn.execute(_SIDES, {"workspace_id": workspace_id, "leads": [keep, gone]})
    found: dict[UUID, dict[str, Any]] = {row["id"]: {**row} for row in rows.mappings()}
    for lead_id in (keep, gone):
        if (row := found.get(lead_id)) is None:
            raise MergeError(f"this workspace has no lead {lead_id}")
        if row["erased_at"] is not None:
            raise MergeError(f"lead {lead_id} was erased")
        if row["merged_into_lead_id"] is not None:
            raise MergeError(f"lead {lead_id} became part of lead {row['merged_into_lead_id']}: name that one")
    return _side(found[keep]), _side(found[gone])


def _side(row: Mapping[str, Any]) -> Side:
    campaign = (row["campaign_provider"] or "", row["campaign_external_id"] or "")
    return Side(row, row["standing_at"], row["has_sequences"], campaign)


async def _stop(conn: AsyncConnection, who: Mapping[str, Any], *, rejects_drafts: bool) -> None:
    """Whoever was stopped under one lead is stopped with all addresses of both."""
    known = [row.row for row in await conn.execute(_STOPPED, who)]
    await conn.execute(_STOP, who)
    await suppress_new_addresses(conn, [who["keep"]])
    added = [json.dumps(row.row) for row in await conn.execute(_STOPPED, who) if row.row not in known]
    if added:
        await conn.execute(_NOTE_STOPS, {**who, "rows": added})
    if rejects_drafts:
        await conn.execute(_REJECT_DRAFTS, who)


async def _sync_campaigns(conn: AsyncConnection, who: Mapping[str, Any]) -> None:
    """The kept lead's first touch may be an earlier one now, and with it the campaign behind its bookings."""
    before = {row.id: row.email_campaign_id for row in await conn.execute(_APPOINTMENTS, who)}
    days = await sync_campaigns(conn, [who["keep"]])
    after = {row.id: row.email_campaign_id for row in await conn.execute(_APPOINTMENTS, who)}
    if changed := [each for each in before if before[each] != after[each]]:
        await conn.execute(_NOTE_CAMPAIGNS, {**who, "ids": changed, "campaigns": [before[each] for each in changed]})
    await mark_dirty(conn, "booking", days)
