"""What the follow-up rules are asked about, read in one statement each for any number of leads."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.booking.booked import booked_sql
from zrg_dagster.core.followups.rules import FollowUpSequence, LeadFacts
from zrg_dagster.core.followups.schedule import Step
from zrg_dagster.core.workspaces.voice import persona_id_sql

_LEADS = text(f"""
    SELECT l.id, l.workspace_id, l.status, l.sentiment_tag, l.auto_follow_up_enabled,
           {booked_sql("l.id")} AS booked,
           w.is_active AS workspace_active, s.follow_ups_paused_until AS paused_until,
           {persona_id_sql("l.workspace_id", "c.ai_persona_id")} AS routing_persona_id
    FROM app.lead l
    JOIN app.workspace w ON w.id = l.workspace_id
    LEFT JOIN app.email_campaign c ON c.workspace_id = l.workspace_id AND c.id = l.email_campaign_id
    LEFT JOIN app.workspace_setting s ON s.workspace_id = l.workspace_id
    WHERE l.id = ANY(CAST(:ids AS uuid[]))""")

_SEQUENCES = text("""
    SELECT workspace_id, id, name, trigger_on, created_at, ai_persona_id FROM app.follow_up_sequence
    WHERE is_active AND workspace_id = ANY(CAST(:ids AS uuid[]))""")

_STEPS = text("""
    SELECT sequence_id, id, step_order AS "order", day_offset, minute_offset, channel, subject,
           message_template AS template
    FROM app.follow_up_step WHERE sequence_id = ANY(CAST(:ids AS uuid[])) ORDER BY sequence_id, step_order""")

# Row locks in id order: two batches that meet on the same instances must not wait for each other in a circle.
_INSTANCES = text("""
    SELECT i.id, i.workspace_id, i.lead_id, i.sequence_id, i.current_step, i.status, i.paused_reason, i.started_at,
           i.next_step_due, i.step_attempts, q.trigger_on
    FROM app.follow_up_instance i JOIN app.follow_up_sequence q ON q.id = i.sequence_id
    WHERE i.lead_id = ANY(CAST(:ids AS uuid[])) AND i.status = ANY(CAST(:statuses AS text[]))
    ORDER BY i.id FOR UPDATE OF i""")

# The fields that a rule may change on an instance; `started_at` only by a start.
_UPDATE = text("""
    UPDATE app.follow_up_instance i
    SET status = u.status, paused_reason = u.paused_reason, current_step = u.current_step,
        next_step_due = u.next_step_due, last_step_at = coalesce(u.last_step_at, i.last_step_at),
        step_attempts = u.step_attempts, updated_at = :now,
        completed_at = CASE WHEN u.status IN ('completed', 'cancelled') THEN CAST(:now AS timestamptz) END
    FROM unnest(CAST(:ids AS uuid[]), CAST(:statuses AS text[]), CAST(:reasons AS text[]), CAST(:steps AS int[]),
                CAST(:dues AS timestamptz[]), CAST(:step_times AS timestamptz[]), CAST(:attempts AS int[]))
         AS u (id, status, paused_reason, current_step, next_step_due, last_step_at, step_attempts)
    WHERE i.id = u.id""")

_DECIDE = text("""
    INSERT INTO app.decision (workspace_id, lead_id, subject, subject_id, code, detail, decided_at)
    SELECT d.workspace_id, d.lead_id, 'follow_up', d.subject_id, d.code, CAST(d.detail AS jsonb), :now
    FROM unnest(CAST(:workspaces AS uuid[]), CAST(:leads AS uuid[]), CAST(:subjects AS uuid[]), CAST(:codes AS text[]),
                CAST(:details AS text[])) WITH ORDINALITY AS d (workspace_id, lead_id, subject_id, code, detail, nth)
    ORDER BY d.nth""")


@dataclass(frozen=True, slots=True)
class Instance:
    """A row of `app.follow_up_instance` with the trigger of its sequence, locked until the transaction ends."""

    id: UUID
    workspace_id: UUID
    lead_id: UUID
    sequence_id: UUID
    current_step: int
    status: str
    paused_reason: str | None
    started_at: datetime
    next_step_due: datetime | None
    step_attempts: int
    trigger_on: str


@dataclass(frozen=True, slots=True)
class Change:
    """The new state of one instance. A finished one gets its `completed_at`, any other loses it."""

    id: UUID
    status: str
    current_step: int
    next_step_due: datetime | None
    paused_reason: str | None = None
    last_step_at: datetime | None = None
    step_attempts: int = 0


@dataclass(frozen=True, slots=True)
class Decided:
    """One line of `app.decision` about a follow-up; `subject_id` is the instance where there is one."""

    workspace_id: UUID
    lead_id: UUID
    code: str
    subject_id: UUID | None = None
    detail: str = "{}"


async def load_leads(conn: AsyncConnection, lead_ids: Collection[UUID]) -> dict[UUID, LeadFacts]:
    """Facts of the leads that exist."""
    rows = await conn.execute(_LEADS, {"ids": list(lead_ids)})
    return {row.id: LeadFacts(**row._mapping) for row in rows}  # noqa: SLF001 - the documented mapping of a Row


async def load_sequences(conn: AsyncConnection, workspace_ids: Collection[UUID]) -> dict[UUID, list[FollowUpSequence]]:
    """Active sequences by workspace."""
    found: dict[UUID, list[FollowUpSequence]] = {}
    for row in await conn.execute(_SEQUENCES, {"ids": list(workspace_ids)}):
        found.setdefault(row.workspace_id, []).append(
            FollowUpSequence(row.id, row.name, row.trigger_on, row.created_at, row.ai_persona_id)
        )
    return found


async def load_steps(conn: AsyncConnection, sequence_ids: Collection[UUID]) -> dict[UUID, tuple[Step, ...]]:
    """Steps by sequence, in order; a sequence without steps has an empty tuple."""
    found: dict[UUID, list[Step]] = {sequence_id: [] for sequence_id in sequence_ids}
    for row in await conn.execute(_STEPS, {"ids": list(found)}):
        found[row.sequence_id].append(
            Step(row.id, row.order, row.day_offset, row.minute_offset, row.channel, row.subject, row.template)
        )
    return {sequence_id: tuple(steps) for sequence_id, steps in found.items()}


async def lock_instances(
    conn: AsyncConnection, lead_ids: Collection[UUID], *, statuses: Sequence[str]
) -> list[Instance]:
    """Instances of these leads in one of `statuses`, row-locked."""
    rows = await conn.execute(_INSTANCES, {"ids": list(lead_ids), "statuses": list(statuses)})
    return [Instance(**row._mapping) for row in rows]  # noqa: SLF001 - the documented mapping of a Row


async def save_changes(conn: AsyncConnection, changes: Sequence[Change], now: datetime) -> None:
    """Write the new states in one statement."""
    if not changes:
        return
    parameters: dict[str, Any] = {
        "ids": [change.id for change in changes],
        "statuses": [change.status for change in changes],
        "reasons": [change.paused_reason for change in changes],
        "steps": [change.current_step for change in changes],
        "dues": [change.next_step_due for change in changes],
        "step_times": [change.last_step_at for change in changes],
        "attempts": [change.step_attempts for change in changes],
        "now": now,
    }
    await conn.execute(_UPDATE, parameters)


async def save_decisions(conn: AsyncConnection, decided: Sequence[Decided], now: datetime) -> None:
    """Write what was decided, in the order given."""
    if not decided:
        return
    parameters: dict[str, Any] = {
        "workspaces": [each.workspace_id for each in decided],
        "leads": [each.lead_id for each in decided],
        "subjects": [each.subject_id for each in decided],
        "codes": [each.code for each in decided],
        "details": [each.detail for each in decided],
        "now": now,
    }
    await conn.execute(_DECIDE, parameters)
