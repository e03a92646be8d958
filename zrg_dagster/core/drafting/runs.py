"""The run of the draft pipeline behind each draft: its stages with what they said, and an end that always comes (seed 002).

A run stays RUNNING while its reply's job is tried again or waits; it ends with the job's end. What a stage made is kept
beside the way, best effort: no draft fails because its record could not be written (PR-06).
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from zrg_dagster.core.ai.result import ModelResult
from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.base.log import get_logger
from zrg_dagster.core.db.engine import is_away
from zrg_dagster.core.db.problems import describe

log = get_logger(__name__)

MAX_PAYLOAD_BYTES = 32_768
MAX_TEXT_CHARS = 32_768
PRUNE_BATCH = 250
# A run that nobody works on is not ended before this: its job may be about to be claimed (PR-11).
SWEEP_AFTER = timedelta(minutes=15)


class RunStatus(StrEnum):
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    ABORTED = "ABORTED"


class RunStage(StrEnum):
    """The stages that leave an artifact."""

    GENERATION = "draft_generation_step2"
    EVALUATION = "auto_send_evaluation"
    FINAL = "final_draft"
    ERROR = "loop_error"


@dataclass(frozen=True, slots=True)
class Artifact:
    """What one stage made. `payload` is structured and ends up as JSON of at most 32 KB; `body` is a draft's text."""

    stage: RunStage
    payload: Any = None
    body: str | None = None
    iteration: int = 0
    call: ModelResult[Any] | None = None


def capped(payload: Any) -> str | None:
    """`payload` as JSON; what is too large or no JSON becomes a note that says so (PR-05)."""
    if payload is None:
        return None
    try:
        document = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    except (TypeError, ValueError):
        return json.dumps({"error": "payload_not_serializable"})
    # U+0000 is JSON that jsonb refuses.
    document = document.replace("\\u0000", "")
    size = len(document.encode("utf-8", "surrogatepass"))
    if size > MAX_PAYLOAD_BYTES:
        return json.dumps({"error": "payload_too_large", "bytes": size, "maxBytes": MAX_PAYLOAD_BYTES})
    return document


_OPEN = text("""
    INSERT INTO app.draft_pipeline_run (id, workspace_id, lead_id, trigger_message_id, channel, created_at, updated_at)
    VALUES (:id, :workspace_id, :lead_id, :message_id, :channel, :now, :now)
    ON CONFLICT (trigger_message_id, channel) DO UPDATE SET updated_at = excluded.updated_at
    RETURNING id""")
_ARTIFACT = text("""
    INSERT INTO app.draft_pipeline_artifact (id, workspace_id, run_id, stage, iteration, prompt_key, model, payload, text,
        input_tokens, output_tokens, latency_ms, created_at)
    SELECT :id, r.workspace_id, r.id, :stage, :iteration, :prompt_key, :model, CAST(:payload AS jsonb), :body,
        :input_tokens, :output_tokens, :latency_ms, :now
    FROM app.draft_pipeline_run r WHERE r.trigger_message_id = :message_id AND r.channel = :channel
    ON CONFLICT (run_id, stage, iteration) DO UPDATE SET prompt_key = excluded.prompt_key, model = excluded.model,
        payload = excluded.payload, text = excluded.text, input_tokens = excluded.input_tokens,
        output_tokens = excluded.output_tokens, latency_ms = excluded.latency_ms, created_at = excluded.created_at""")
_END = text("""
    UPDATE app.draft_pipeline_run SET status = :status, reason = :reason, updated_at = :now,
        draft_id = coalesce((SELECT d.id FROM app.draft d WHERE d.trigger_message_id = :message_id
                             AND d.channel = draft_pipeline_run.channel), draft_id)
    WHERE trigger_message_id = :message_id AND status = 'RUNNING'""")
_ABORT = text("""
    UPDATE app.draft_pipeline_run r SET status = 'ABORTED', reason = :reason, draft_id = d.id, updated_at = :now
    FROM app.draft d
    WHERE d.id = ANY(CAST(:drafts AS uuid[])) AND r.trigger_message_id = d.trigger_message_id AND r.channel = d.channel
      AND r.status = 'RUNNING'""")
# One question for each state, because each has its own small index among millions of finished jobs.
# A crash leaves a run that no job goes on with: the job ended and the run did not hear of it, or it was discarded.
_SWEEP = text("""
    UPDATE app.draft_pipeline_run r SET updated_at = :now,
        draft_id = coalesce((SELECT d.id FROM app.draft d WHERE d.trigger_message_id = r.trigger_message_id
                             AND d.channel = r.channel), r.draft_id),
        status = CASE WHEN EXISTS (SELECT FROM app.draft d WHERE d.trigger_message_id = r.trigger_message_id
                                   AND d.channel = r.channel AND d.status = 'rejected') THEN 'ABORTED'
                      WHEN EXISTS (SELECT FROM app.reply_stage s WHERE s.message_id = r.trigger_message_id
                                   AND s.stage = 'decide') THEN 'COMPLETED'
                      ELSE 'FAILED' END,
        reason = 'swept_without_end'
    WHERE r.id IN (
        SELECT o.id FROM app.draft_pipeline_run o
        WHERE o.status = 'RUNNING' AND o.updated_at < :before
          AND NOT EXISTS (SELECT FROM app.job j WHERE j.message_id = o.trigger_message_id AND j.kind = 'reply'
                          AND j.lane = 'replies' AND j.state = 'pending')
          AND NOT EXISTS (SELECT FROM app.job j WHERE j.message_id = o.trigger_message_id AND j.kind = 'reply'
                          AND j.state = 'running')
          AND NOT EXISTS (SELECT FROM app.job j WHERE j.message_id = o.trigger_message_id AND j.kind = 'reply'
                          AND j.lane = 'replies' AND j.state = 'parked')
        ORDER BY o.id FOR UPDATE SKIP LOCKED)""")
_PRUNE = text("""
    DELETE FROM app.draft_pipeline_run WHERE id IN (
        SELECT id FROM app.draft_pipeline_run WHERE status <> 'RUNNING' AND created_at < :before
        ORDER BY created_at LIMIT :batch FOR UPDATE SKIP LOCKED)""")


async def open_run(
    conn: AsyncConnection, *, workspace_id: UUID, lead_id: UUID, message_id: UUID, channel: str, now: datetime
) -> UUID:
    """The run of this reply, made on the first try and found on every later one (PR-01)."""
    parameters = {
        "id": new_id(),
        "workspace_id": workspace_id,
        "lead_id": lead_id,
        "message_id": message_id,
        "channel": channel,
        "now": now,
    }
    return (await conn.execute(_OPEN, parameters)).scalar_one()


async def keep_artifact(engine: AsyncEngine, message_id: UUID, channel: str, artifact: Artifact, now: datetime) -> bool:
    """Store what a stage made, in a transaction of its own. False when it could not be stored, which stops nothing."""
    call = artifact.call
    parameters = {
        "id": new_id(),
        "message_id": message_id,
        "channel": channel,
        "stage": artifact.stage,
        "iteration": artifact.iteration,
        "prompt_key": call.prompt_key if call else None,
        "model": call.model if call else None,
        "payload": capped(artifact.payload),
        "body": artifact.body[:MAX_TEXT_CHARS].replace("\x00", "") if artifact.body is not None else None,
        "input_tokens": call.input_tokens if call else None,
        "output_tokens": call.output_tokens if call else None,
        "latency_ms": call.latency_ms if call else None,
        "now": now,
    }
    try:
        async with engine.begin() as conn:
            return (await conn.execute(_ARTIFACT, parameters)).rowcount > 0
    except DBAPIError as error:
        if is_away(error):
            raise
        log.warning("artifact_not_kept", stage=artifact.stage, message_id=str(message_id), problem=describe(error))
        return False


async def end_run(
    conn: AsyncConnection, message_id: UUID, status: RunStatus, reason: str | None, now: datetime
) -> None:
    """End the run of this reply. One that has ended, and a reply that never had one, stay as they are."""
    parameters = {"message_id": message_id, "status": status, "reason": reason, "now": now}
    await conn.execute(_END, parameters)


async def abort_runs(conn: AsyncConnection, drafts: list[UUID], reason: str, now: datetime) -> None:
    """End the runs of drafts that are out of date (PR-10)."""
    if drafts:
        await conn.execute(_ABORT, {"drafts": drafts, "reason": reason, "now": now})


async def sweep_runs(conn: AsyncConnection, now: datetime) -> int:
    """End the runs that nobody goes on with; returns how many."""
    return (await conn.execute(_SWEEP, {"now": now, "before": now - SWEEP_AFTER})).rowcount


async def prune_runs(conn: AsyncConnection, before: datetime) -> int:
    """Delete one batch of runs that were made before `before` and have ended; returns how many (PR-07, PR-11)."""
    return (await conn.execute(_PRUNE, {"before": before, "batch": PRUNE_BATCH})).rowcount
