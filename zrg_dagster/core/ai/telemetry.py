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
