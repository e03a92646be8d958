"""One row per model call, without any text: what was asked, how it ended, what it cost (TL-04, TL-05)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.ai.result import ModelResult
from zrg_dagster.core.base.ids import new_id

_INSERT = text("""
    INSERT INTO app.ai_call (id, workspace_id, message_id, prompt_key, prompt_version, model, outcome, input_tokens,
                             output_tokens, latency_ms, request_id, correlation_id, called_at)
    VALUES (:id, :workspace_id, :message_id, :prompt_key, :prompt_version, :model, :outcome, :input_tokens,
            :output_tokens, :latency_ms, :request_id, :correlation_id, :called_at)""")


# Counted down in batches: a night's delete holds its rows until it commits.
PRUNE_BATCH = 5000
_PRUNE = text("""
    DELETE FROM app.ai_call WHERE id IN (
        SELECT id FROM app.ai_call WHERE called_at < :before ORDER BY called_at LIMIT :batch FOR UPDATE SKIP LOCKED)""")


async def prune_calls(conn: AsyncConnection, before: datetime) -> int:
    """Delete one batch of calls made before `before`; returns how many (TL-06)."""
    return (await conn.execute(_PRUNE, {"before": before, "batch": PRUNE_BATCH})).rowcount


async def record_call(
    conn: AsyncConnection,
    workspace_id: UUID,
    message_id: UUID | None,
    result: ModelResult[Any],
    correlation_id: str | None,
    now: datetime,
) -> UUID:
    """Store the facts of `result`; the id of the row."""
    call_id = new_id()
    row = {
        "id": call_id,
        "workspace_id": workspace_id,
        "message_id": message_id,
        "prompt_key": result.prompt_key,
        "prompt_version": result.prompt_version,
        "model": result.model,
        "outcome": result.outcome.value,
        "input_tokens": result.input_tokens,
        "output_tokens": result.output_tokens,
        "latency_ms": result.latency_ms,
        "request_id": result.request_id,
        "correlation_id": correlation_id,
        "called_at": now,
    }
    await conn.execute(_INSERT, row)
    return call_id
