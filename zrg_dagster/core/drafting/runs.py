"""The run of the draft pipeline behind each draft: its stages with what they said, and an end that always comes (seed 002).

A run stays RUNNING while its reply's job is tried again or waits; it ends with the job's end. What a stage made is kept
in one statement with the fact of its call, and a retry goes on behind it; see record.py for what happens if that fails.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.ai.result import ModelResult
from zrg_dagster.core.ai.telemetry import INSERT_CALLS
from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.drafting.reply_stage import INSERT_DONE, Done, done_document

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

    SIGNATURE = "signature_context"
    STRATEGY = "draft_strategy_step1"
    GENERATION = "draft_generation_step2"
    VERIFICATION = "draft_verifier_step3"
    EXTRACT = "meeting_overseer_extract"
    GATE = "meeting_overseer_gate"
    EVALUATION = "auto_send_evaluation"
    SELECTOR = "auto_send_revision_selector"
    REVISER = "auto_send_revision_reviser"
    LOOP = "auto_send_revision_loop"
    MEMORY = "memory_proposal"
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


# `is_new` spares the first try the question for artifacts: a row that was just inserted has no locker.
_OPEN = text("""
    INSERT INTO app.draft_pipeline_run (id, workspace_id, lead_id, trigger_message_id, channel, snapshot, created_at,
        updated_at)
    VALUES (:id, :workspace_id, :lead_id, :message_id, :channel, CAST(:snapshot AS jsonb), :now, :now)
    ON CONFLICT (trigger_message_id, channel) DO UPDATE SET updated_at = excluded.updated_at
    RETURNING id, xmax = 0 AS is_new""")
_ARTIFACTS = text("""
    SELECT stage, iteration, payload, text AS body FROM app.draft_pipeline_artifact WHERE run_id = :run_id""")
_KEEP_SQL = """
    INSERT INTO app.draft_pipeline_artifact (id, workspace_id, run_id, stage, iteration, prompt_key, model, payload, text,
        input_tokens, output_tokens, latency_ms, created_at)
    SELECT a.id, :workspace_id, :run_id, a.stage, a.iteration, a.prompt_key, a.model, CAST(a.payload AS jsonb), a.body,
        a.input_tokens, a.output_tokens, a.latency_ms, :now
    FROM unnest(CAST(:ids AS uuid[]), CAST(:stages AS text[]), CAST(:iterations AS integer[]), CAST(:prompt_keys AS text[]),
                CAST(:models AS text[]), CAST(:payloads AS text[]), CAST(:bodies AS text[]),
                CAST(:input_tokens AS integer[]), CAST(:output_tokens AS integer[]), CAST(:latencies AS bigint[]))
        AS a (id, stage, iteration, prompt_key, model, payload, body, input_tokens, output_tokens, latency_ms)
    ON CONFLICT (run_id, stage, iteration) DO UPDATE SET prompt_key = excluded.prompt_key, model = excluded.model,
        payload = excluded.payload, text = excluded.text, input_tokens = excluded.input_tokens,
        output_tokens = excluded.output_tokens, latency_ms = excluded.latency_ms, created_at = excluded.created_at"""
_END_SQL = """
    UPDATE app.draft_pipeline_run SET status = :status, reason = CAST(:reason AS text), updated_at = :now,
        snapshot = coalesce(CAST(:snapshot AS jsonb), snapshot),
        draft_id = coalesce((SELECT d.id FROM app.draft d WHERE d.trigger_message_id = :message_id
                             AND d.channel = draft_pipeline_run.channel), draft_id)
    WHERE trigger_message_id = :message_id AND status = 'RUNNING'"""
_END = text(_END_SQL)
_KEEP = text(f"WITH calls AS ({INSERT_CALLS}), done AS ({INSERT_DONE}) {_KEEP_SQL}")
_KEEP_AND_END = text(f"WITH calls AS ({INSERT_CALLS}), done AS ({INSERT_DONE}), ended AS ({_END_SQL}) {_KEEP_SQL}")
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


@dataclass(frozen=True, slots=True)
class Kept:
    """What an earlier try recorded of one stage."""

    payload: Any
    body: str | None


Found = dict[tuple[RunStage, int], Kept]


async def open_run(
    conn: AsyncConnection,
    *,
    workspace_id: UUID,
    lead_id: UUID,
    message_id: UUID,
    channel: str,
    snapshot: dict[str, Any],
    now: datetime,
) -> tuple[UUID, Found]:
    """The run of this reply, made on the first try and found on every later one (PR-01), with what its stages made."""
    parameters = {
        "id": new_id(),
        "workspace_id": workspace_id,
        "lead_id": lead_id,
        "message_id": message_id,
        "channel": channel,
        "snapshot": capped(snapshot),
        "now": now,
    }
    run = (await conn.execute(_OPEN, parameters)).one()
    if run.is_new:
        return run.id, {}
    rows = await conn.execute(_ARTIFACTS, {"run_id": run.id})
    return run.id, {(RunStage(row.stage), row.iteration): Kept(row.payload, row.body) for row in rows}


@dataclass(frozen=True, slots=True)
class End:
    """How a run ends. `snapshot` are the sizes of the context that the draft was really made of, in place of those at its
    beginning."""

    status: RunStatus
    reason: str | None = None
    snapshot: dict[str, Any] | None = None

    def parameters(self) -> dict[str, Any]:
        return {"status": self.status, "reason": self.reason, "snapshot": capped(self.snapshot)}


async def keep(
    conn: AsyncConnection,
    workspace_id: UUID,
    message_id: UUID,
    run_id: UUID,
    artifacts: Sequence[Artifact],
    done: Sequence[Done],
    now: datetime,
    *,
    calls_made: str | None,
    end: End | None = None,
) -> None:
    """Store what stages made, that they are done, and the end of the run if this is it, in one statement.

    The same stage and iteration again replaces what stands there (PR-04). `calls_made` is the `calls_document` of the calls.
    """
    calls = [artifact.call for artifact in artifacts]
    parameters = {
        "workspace_id": workspace_id,
        "message_id": message_id,
        "run_id": run_id,
        "calls": calls_made or "[]",
        "done": done_document(done),
        "ids": [new_id() for _ in artifacts],
        "stages": [artifact.stage.value for artifact in artifacts],
        "iterations": [artifact.iteration for artifact in artifacts],
        "prompt_keys": [call and call.prompt_key for call in calls],
        "models": [call and call.model for call in calls],
        "payloads": [capped(artifact.payload) for artifact in artifacts],
        "bodies": [_body(artifact.body) for artifact in artifacts],
        "input_tokens": [call and call.input_tokens for call in calls],
        "output_tokens": [call and call.output_tokens for call in calls],
        "latencies": [call and call.latency_ms for call in calls],
        "now": now,
    }
    if end is None:
        await conn.execute(_KEEP, parameters)
    else:
        await conn.execute(_KEEP_AND_END, {**parameters, **end.parameters()})


def _body(body: str | None) -> str | None:
    return None if body is None else body[:MAX_TEXT_CHARS].replace("\x00", "")


async def end_run(conn: AsyncConnection, message_id: UUID, end: End, now: datetime) -> None:
    """End the run of this reply. One that has ended, and a reply that never had one, stay as they are."""
    await conn.execute(_END, {"message_id": message_id, "now": now, **end.parameters()})


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
