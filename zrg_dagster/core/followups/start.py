"""Starting a sequence for a lead: after a setter's first e-mail, after a booking, or by hand."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.followups.facts import Decided, load_leads, load_sequences, load_steps, save_decisions
from zrg_dagster.core.followups.rules import LeadFacts, StartCode, check_booking, check_setter_reply, route
from zrg_dagster.core.followups.schedule import first_due

# C17: only an e-mail before the triggering one makes it "not the first"; a later one arriving early must not.
_EARLIER = text("""
    SELECT r.lead_id
    FROM unnest(CAST(:leads AS uuid[]), CAST(:times AS timestamptz[]), CAST(:sends AS uuid[])) AS r (lead_id, sent_at, send_id)
    WHERE EXISTS (SELECT FROM app.message m WHERE m.lead_id = r.lead_id AND m.channel = 'email'
                    AND m.direction = 'outbound' AND m.sent_by_user_id IS NOT NULL AND m.sent_at < r.sent_at
                    AND (r.send_id IS NULL OR m.send_id IS DISTINCT FROM r.send_id))""")

# FU-11. On conflict nothing: a second start of the same intent found the first one.
_INSERT = text("""
    INSERT INTO app.follow_up_instance (id, workspace_id, lead_id, sequence_id, started_at, next_step_due, updated_at)
    SELECT n.*, CAST(:now AS timestamptz)
    FROM unnest(CAST(:ids AS uuid[]), CAST(:workspaces AS uuid[]), CAST(:leads AS uuid[]), CAST(:sequences AS uuid[]),
                CAST(:anchors AS timestamptz[]), CAST(:dues AS timestamptz[])) AS n
    ORDER BY 3, 4
    ON CONFLICT (lead_id, sequence_id) DO NOTHING
    RETURNING id, lead_id""")

# Deliveries have no order: when the first e-mail arrives after the second, the start moves back to it. The due time
# stays, as it would have after the second e-mail pushed it (FU-28).
_REANCHOR = text("""
    UPDATE app.follow_up_instance i SET started_at = n.anchor, updated_at = :now
    FROM unnest(CAST(:leads AS uuid[]), CAST(:sequences AS uuid[]), CAST(:anchors AS timestamptz[]))
         AS n (lead_id, sequence_id, anchor)
    WHERE i.lead_id = n.lead_id AND i.sequence_id = n.sequence_id AND i.current_step = 0 AND i.started_at > n.anchor
    RETURNING i.lead_id""")

_ENABLE = text("""
    UPDATE app.lead SET auto_follow_up_enabled = true, updated_at = :now
    WHERE id = ANY(CAST(:ids AS uuid[])) AND NOT auto_follow_up_enabled""")

_MANUAL_TARGET = text("""
    SELECT q.id, q.workspace_id, q.is_active, i.id AS instance_id, i.status
    FROM app.follow_up_sequence q
    LEFT JOIN app.follow_up_instance i ON i.sequence_id = q.id AND i.lead_id = :lead_id
    WHERE q.id = :sequence_id""")

_RESTART = text("""
    INSERT INTO app.follow_up_instance (id, workspace_id, lead_id, sequence_id, started_at, next_step_due, updated_at)
    VALUES (:id, :workspace_id, :lead_id, :sequence_id, :now, :due, :now)
    ON CONFLICT (lead_id, sequence_id) DO UPDATE
    SET status = 'active', current_step = 0, paused_reason = NULL, last_step_at = NULL, completed_at = NULL,
        started_at = excluded.started_at, next_step_due = excluded.next_step_due, step_attempts = 0,
        updated_at = excluded.updated_at
    WHERE app.follow_up_instance.status <> 'active'""")


@dataclass(frozen=True, slots=True)
class SetterReply:
    """An outbound e-mail; `sent_by_user_id` is None when no member wrote it. `send_id` keeps the stored message of this
    very e-mail, whose vendor time may be a little earlier, from counting as one before it."""

    lead_id: UUID
    sent_at: datetime
    sent_by_user_id: UUID | None
    send_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class _Start:
    lead: LeadFacts
    sequence_id: UUID
    anchor: datetime


async def start_on_setter_replies(conn: AsyncConnection, replies: Sequence[SetterReply], now: datetime) -> Counter[str]:
    """Start the setter-reply sequence for leads whose setter wrote the first e-mail, anchored at its sent time (FU-13).

    The messages are stored before. Every refusal is written as a decision; returns how often each code applied.
    """
    first: dict[UUID, SetterReply] = {}
    for reply in sorted(replies, key=lambda each: each.sent_at):
        if reply.sent_by_user_id is not None or reply.lead_id not in first:
            known = first.get(reply.lead_id)
            first[reply.lead_id] = known if known and known.sent_by_user_id else reply
    if not first:
        return Counter()
    leads = await load_leads(conn, first)
    times = [reply.sent_at for reply in first.values()]
    sends = [reply.send_id for reply in first.values()]
    earlier = set((await conn.execute(_EARLIER, {"leads": list(first), "times": times, "sends": sends})).scalars())
    refused: list[tuple[LeadFacts, StartCode]] = []
    starts: list[tuple[LeadFacts, datetime]] = []
    codes: Counter[str] = Counter()
    for lead_id, reply in first.items():
        lead = leads.get(lead_id)
        code = check_setter_reply(
            lead, sent_by_user_id=reply.sent_by_user_id, earlier_setter_email=lead_id in earlier, now=now
        )
        if lead is None or code is not None:
            codes[code or StartCode.LEAD_NOT_FOUND] += 1
            # An e-mail that nobody of ours wrote is no request to start anything: counted, not decided about.
            if lead is not None and code not in (None, StartCode.NOT_MANUAL_SENDER):
                refused.append((lead, code))
        else:
            starts.append((lead, reply.sent_at))
    return codes + await _start(conn, "setter_reply", starts, refused, now, enable=True)


async def start_on_booking(conn: AsyncConnection, lead_ids: Sequence[UUID], now: datetime) -> Counter[str]:
    """Start the post-booking sequence; the lead's own switch must be on already (FU-16)."""
    leads = await load_leads(conn, set(lead_ids))
    codes: Counter[str] = Counter()
    refused: list[tuple[LeadFacts, StartCode]] = []
    starts: list[tuple[LeadFacts, datetime]] = []
    for lead_id in sorted(set(lead_ids)):
        lead = leads.get(lead_id)
        code = check_booking(lead, now)
        if lead is None or code is not None:
            codes[code or StartCode.LEAD_NOT_FOUND] += 1
            if lead is not None and code is not None:
                refused.append((lead, code))
        else:
            starts.append((lead, now))
    return codes + await _start(conn, "meeting_selected", starts, refused, now, enable=False)


async def start_manual(conn: AsyncConnection, lead_id: UUID, sequence_id: UUID, now: datetime) -> StartCode:
    """Start or restart one sequence for one lead from its first step; switches the lead's follow-ups on (FU-17).

    Refuses an unknown, foreign, inactive or empty sequence and an instance that is active.
    """
    lead = (await load_leads(conn, [lead_id])).get(lead_id)
    if lead is None:
        return StartCode.LEAD_NOT_FOUND
    code = await _start_manual(conn, lead, sequence_id, now)
    await save_decisions(conn, [_decided(lead, code, {"by": "manual", "sequence": str(sequence_id)})], now)
    return code


async def _start_manual(conn: AsyncConnection, lead: LeadFacts, sequence_id: UUID, now: datetime) -> StartCode:
    target = (await conn.execute(_MANUAL_TARGET, {"lead_id": lead.id, "sequence_id": sequence_id})).one_or_none()
    if target is None or target.workspace_id != lead.workspace_id or not target.is_active:
        return StartCode.SEQUENCE_NOT_FOUND
    if target.status == "active":
        return StartCode.ALREADY_ACTIVE
    due = first_due(now, (await load_steps(conn, [sequence_id]))[sequence_id])
    if due is None:
        return StartCode.SEQUENCE_EMPTY
    if lead.paused_until is not None and lead.paused_until > due:
        due = lead.paused_until  # FU-18
    result: CursorResult[Any] = await conn.execute(
        _RESTART,
        {
            "id": new_id(),
            "workspace_id": lead.workspace_id,
            "lead_id": lead.id,
            "sequence_id": sequence_id,
            "now": now,
            "due": due,
        },
    )
    if not result.rowcount:
        return StartCode.ALREADY_ACTIVE  # another command was faster
    await conn.execute(_ENABLE, {"ids": [lead.id], "now": now})
    return StartCode.STARTED


async def _start(
    conn: AsyncConnection,
    trigger: str,
    wanted: Sequence[tuple[LeadFacts, datetime]],
    refused: list[tuple[LeadFacts, StartCode]],
    now: datetime,
    *,
    enable: bool,
) -> Counter[str]:
    """Route, insert what is new, and write one decision for every lead (checks 8 and 9, FU-14)."""
    sequences = await load_sequences(conn, {lead.workspace_id for lead, _ in wanted}) if wanted else {}
    routes = {
        lead.id: route(sequences.get(lead.workspace_id, ()), trigger, lead.routing_persona_id) for lead, _ in wanted
    }
    chosen = {each[0].id for each in routes.values() if each}
    steps = await load_steps(conn, chosen) if chosen else {}
    starts: list[_Start] = []
    codes: Counter[str] = Counter()
    decided = [_decided(lead, code, {"trigger": trigger}) for lead, code in refused]
    for lead, anchor in wanted:
        routed = routes[lead.id]
        code = None
        if routed is None:
            code = StartCode.SEQUENCE_NOT_FOUND
        elif not steps[routed[0].id]:
            code = StartCode.SEQUENCE_EMPTY
        else:
            starts.append(_Start(lead, routed[0].id, anchor))
        if code is not None:
            codes[code] += 1
            decided.append(_decided(lead, code, {"trigger": trigger}))
    inserted, moved = await _insert(conn, starts, steps, now) if starts else ({}, set())
    for start in starts:
        instance_id = inserted.get(start.lead.id)
        code = StartCode.STARTED if instance_id else StartCode.INSTANCE_EXISTS
        if start.lead.id in moved:
            code = StartCode.REANCHORED
        codes[code] += 1
        routed, persona = routes[start.lead.id], start.lead.routing_persona_id
        detail = {
            "trigger": trigger,
            "route": routed[1] if routed else None,
            "persona": persona and str(persona),
            "sequence": str(start.sequence_id),
        }
        decided.append(_decided(start.lead, code, detail, instance_id))
    if enable and inserted:
        await conn.execute(_ENABLE, {"ids": sorted(inserted), "now": now})
    await save_decisions(conn, decided, now)
    return codes


async def _insert(
    conn: AsyncConnection, starts: Sequence[_Start], steps: dict[UUID, Any], now: datetime
) -> tuple[dict[UUID, UUID], set[UUID]]:
    """Instance ids by lead of what was inserted, and the leads whose instance got an earlier anchor."""
    parameters = {
        "ids": [new_id() for _ in starts],
        "workspaces": [start.lead.workspace_id for start in starts],
        "leads": [start.lead.id for start in starts],
        "sequences": [start.sequence_id for start in starts],
        "anchors": [start.anchor for start in starts],
        "dues": [first_due(start.anchor, steps[start.sequence_id]) for start in starts],
        "now": now,
    }
    inserted = {row.lead_id: row.id for row in await conn.execute(_INSERT, parameters)}
    known = [start for start in starts if start.lead.id not in inserted]
    if not known:
        return inserted, set()
    moved = await conn.execute(
        _REANCHOR,
        {
            "leads": [start.lead.id for start in known],
            "sequences": [start.sequence_id for start in known],
            "anchors": [start.anchor for start in known],
            "now": now,
        },
    )
    return inserted, set(moved.scalars())


def _decided(lead: LeadFacts, code: StartCode, detail: dict[str, Any], instance_id: UUID | None = None) -> Decided:
    return Decided(lead.workspace_id, lead.id, code, instance_id, json.dumps(detail))
