"""Opt-outs and bounces: one transaction that makes a person unreachable on every channel, and says why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.leads.vendor_stops import queue_stops


@dataclass(frozen=True, slots=True)
class Stop:
    """A person who must not be written to any more. `rule` names the opt-out or bounce rule that said so; `is_wish` tells
    an opt-out from a bounce."""

    workspace_id: UUID
    lead_id: UUID
    message_id: UUID | None
    rule: str
    source: str
    at: datetime
    is_wish: bool


# One change of tag, however many stops one batch holds: the earliest made it.
_EVENTS = text("""
    INSERT INTO app.sentiment_event (workspace_id, lead_id, message_id, previous_tag, tag, source, changed_at)
    SELECT DISTINCT ON (s.lead_id) s.workspace_id, s.lead_id, s.message_id, l.sentiment_tag, 'Blacklist', 'floor', s.at
    FROM unnest(CAST(:workspaces AS uuid[]), CAST(:leads AS uuid[]), CAST(:messages AS uuid[]), CAST(:at AS timestamptz[]))
        AS s (workspace_id, lead_id, message_id, at)
    JOIN app.lead l ON l.id = s.lead_id
    WHERE l.sentiment_tag <> 'Blacklist'
    ORDER BY s.lead_id, s.at, s.message_id
    ON CONFLICT DO NOTHING""")
_LEADS = text("""
    UPDATE app.lead SET status = 'blacklisted', sentiment_tag = 'Blacklist', sentiment_source = 'floor', updated_at = :now
    WHERE id = ANY(CAST(:leads AS uuid[])) AND (status <> 'blacklisted' OR sentiment_tag <> 'Blacklist')""")
_SUPPRESS = text("""
    INSERT INTO app.suppression AS x (workspace_id, kind, value, channel, reason, source, suppressed_at)
    SELECT DISTINCT ON (s.workspace_id, v.kind, v.value) s.workspace_id, v.kind, v.value, 'all', s.rule, s.source, s.at
    FROM unnest(CAST(:workspaces AS uuid[]), CAST(:leads AS uuid[]), CAST(:rules AS text[]), CAST(:sources AS text[]),
                CAST(:at AS timestamptz[])) AS s (workspace_id, lead_id, rule, source, at)
    CROSS JOIN LATERAL (
        SELECT 'lead' AS kind, s.lead_id::text AS value
        UNION
        SELECT CASE i.kind WHEN 'phone' THEN 'phone' ELSE 'email' END, i.value FROM app.lead_identity i
        WHERE i.lead_id = s.lead_id AND i.kind IN ('email', 'phone')
    ) v
    ORDER BY s.workspace_id, v.kind, v.value, s.at, s.rule, s.source
    ON CONFLICT (workspace_id, kind, value, channel) DO UPDATE
        SET reason = excluded.reason, source = excluded.source, suppressed_at = excluded.suppressed_at
        WHERE (excluded.suppressed_at, excluded.reason, excluded.source) < (x.suppressed_at, x.reason, x.source)""")
# The delivery that told of the address may have stopped it on its own account, later than the person was stopped.
# Materialized: a planner that takes suppressions for few would read all addresses of the workspace for each of them.
_EXTEND = text("""
    WITH i AS MATERIALIZED (
        SELECT workspace_id, lead_id, kind, value FROM app.lead_identity
        WHERE lead_id = ANY(CAST(:leads AS uuid[])) AND kind IN ('email', 'phone')
    )
    INSERT INTO app.suppression AS x (workspace_id, kind, value, channel, reason, source, suppressed_at)
    SELECT s.workspace_id, i.kind, i.value, s.channel, s.reason, s.source, s.suppressed_at
    FROM i
    JOIN app.suppression s ON s.workspace_id = i.workspace_id AND s.kind = 'lead' AND s.value = i.lead_id::text
    ORDER BY s.workspace_id, i.kind, i.value
    ON CONFLICT (workspace_id, kind, value, channel) DO UPDATE
        SET reason = excluded.reason, source = excluded.source, suppressed_at = excluded.suppressed_at
        WHERE (excluded.suppressed_at, excluded.reason, excluded.source) < (x.suppressed_at, x.reason, x.source)""")
_DRAFTS = text("""
    UPDATE app.draft SET status = 'rejected', reason = 'lead_blacklisted', updated_at = :now
    WHERE lead_id = ANY(CAST(:leads AS uuid[])) AND status = 'pending'""")
_DECISIONS = text("""
    INSERT INTO app.decision (workspace_id, lead_id, subject, subject_id, code, detail, decided_at)
    SELECT DISTINCT ON (s.lead_id, s.message_id, s.rule) s.workspace_id, s.lead_id, 'suppression', s.message_id, s.rule,
           jsonb_build_object('source', s.source), CAST(:now AS timestamptz)
    FROM unnest(CAST(:workspaces AS uuid[]), CAST(:leads AS uuid[]), CAST(:messages AS uuid[]), CAST(:rules AS text[]),
                CAST(:sources AS text[])) AS s (workspace_id, lead_id, message_id, rule, source)
    WHERE NOT EXISTS (SELECT FROM app.decision d WHERE d.lead_id = s.lead_id AND d.subject = 'suppression'
                      AND d.subject_id IS NOT DISTINCT FROM s.message_id AND d.code = s.rule)""")


async def suppress(conn: AsyncConnection, stops: Sequence[Stop], now: datetime) -> None:
    """Blacklist the leads, reject their pending drafts, suppress their addresses on all channels and have the vendors
    told. Idempotent.

    The earliest stop wins as the recorded reason, so the order of deliveries does not matter.
    """
    if not stops:
        return
    ordered = sorted(stops, key=lambda stop: (stop.at, stop.lead_id, stop.rule))
    parameters = {
        "workspaces": [stop.workspace_id for stop in ordered],
        "leads": [stop.lead_id for stop in ordered],
        "messages": [stop.message_id for stop in ordered],
        "rules": [stop.rule for stop in ordered],
        "sources": [stop.source for stop in ordered],
        "at": [stop.at for stop in ordered],
        "now": now,
    }
    for statement in (_EVENTS, _LEADS, _SUPPRESS, _DRAFTS, _DECISIONS):
        await conn.execute(statement, parameters)
    await queue_stops(conn, ordered, now)


async def suppress_new_addresses(conn: AsyncConnection, lead_ids: Sequence[UUID]) -> None:
    """An address that a stopped person turns out to have as well is as stopped as those known at the time."""
    if lead_ids:
        await conn.execute(_EXTEND, {"leads": lead_ids})
