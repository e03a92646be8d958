"""What a step leaves behind: its execution row and, when a person has to take over, a task."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.base.ids import new_id

_EXECUTION = text("""
    INSERT INTO app.follow_up_step_execution (id, workspace_id, lead_id, instance_id, step_id, attempt, channel,
                                              outcome, reason, send_id, planned_at, executed_at)
    SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:workspaces AS uuid[]), CAST(:leads AS uuid[]),
                         CAST(:instances AS uuid[]), CAST(:steps AS uuid[]), CAST(:attempts AS smallint[]),
                         CAST(:channels AS text[]), CAST(:outcomes AS text[]), CAST(:reasons AS text[]),
                         CAST(:sends AS uuid[]), CAST(:planned AS timestamptz[]), CAST(:executed AS timestamptz[]))""")

# One open task per instance, step and type: a second reason for the same step is the same work for a person.
_TASK = text("""
    INSERT INTO app.follow_up_task (id, workspace_id, lead_id, instance_id, step_id, type, reason, subject,
                                    suggested_message, due_at)
    SELECT t.*, CAST(:now AS timestamptz)
    FROM unnest(CAST(:ids AS uuid[]), CAST(:workspaces AS uuid[]), CAST(:leads AS uuid[]), CAST(:instances AS uuid[]),
                CAST(:steps AS uuid[]), CAST(:types AS text[]), CAST(:reasons AS text[]), CAST(:subjects AS text[]),
                CAST(:messages AS text[])) AS t
    ON CONFLICT (instance_id, step_id, type) WHERE status = 'pending' DO NOTHING""")


@dataclass(frozen=True, slots=True)
class NewExecution:
    """One attempt at one step; `executed_at` is None exactly while `outcome` is planned."""

    workspace_id: UUID
    lead_id: UUID
    instance_id: UUID
    step_id: UUID
    attempt: int
    channel: str
    outcome: str
    reason: str | None
    send_id: UUID | None
    planned_at: datetime
    executed_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewTask:
    """Work for a person in place of a step. `suggested_message` is the template, unfilled where data is missing."""

    workspace_id: UUID
    lead_id: UUID
    instance_id: UUID
    step_id: UUID
    type: str
    reason: str
    subject: str | None
    suggested_message: str | None


async def save_executions(conn: AsyncConnection, executions: Sequence[NewExecution]) -> None:
    """Insert the rows; a second row for one (instance, step, attempt) raises, because it would be a second send."""
    if not executions:
        return
    parameters: dict[str, Any] = {
        "ids": [new_id() for _ in executions],
        "workspaces": [each.workspace_id for each in executions],
        "leads": [each.lead_id for each in executions],
        "instances": [each.instance_id for each in executions],
        "steps": [each.step_id for each in executions],
        "attempts": [each.attempt for each in executions],
        "channels": [each.channel for each in executions],
        "outcomes": [each.outcome for each in executions],
        "reasons": [each.reason for each in executions],
        "sends": [each.send_id for each in executions],
        "planned": [each.planned_at for each in executions],
        "executed": [each.executed_at for each in executions],
    }
    await conn.execute(_EXECUTION, parameters)


async def save_tasks(conn: AsyncConnection, tasks: Sequence[NewTask], now: datetime) -> None:
    """Insert tasks that are not open already."""
    if not tasks:
        return
    parameters: dict[str, Any] = {
        "ids": [new_id() for _ in tasks],
        "workspaces": [each.workspace_id for each in tasks],
        "leads": [each.lead_id for each in tasks],
        "instances": [each.instance_id for each in tasks],
        "steps": [each.step_id for each in tasks],
        "types": [each.type for each in tasks],
        "reasons": [each.reason for each in tasks],
        "subjects": [each.subject for each in tasks],
        "messages": [each.suggested_message for each in tasks],
        "now": now,
    }
    await conn.execute(_TASK, parameters)
