"""One row per model call, without any text: what was asked, by what, how it ended, what it cost (TL-04, TL-05, TL-08)."""

import json
from collections.abc import Sequence
from contextvars import ContextVar
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.ai.prices import Price, cost_usd, parse_prices
from zrg_dagster.core.ai.result import ModelResult
from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.base.settings import SettingsError, current_settings

# What asks on behalf of nobody that said its name: a call without a source would be one that no analyst can place.
UNNAMED = "unnamed"
_source: ContextVar[str] = ContextVar("model_call_source", default=UNNAMED)

# The rows of `calls_document` as one statement, or as a part of one that stores more.
INSERT_CALLS = """
    INSERT INTO app.ai_call (id, workspace_id, message_id, prompt_key, prompt_version, model, effort, outcome, input_tokens,
                             output_tokens, reasoning_tokens, cost_usd, latency_ms, request_id, source, correlation_id,
                             called_at)
    SELECT c.* FROM jsonb_to_recordset(CAST(:calls AS jsonb)) AS c (id uuid, workspace_id uuid, message_id uuid,
        prompt_key text, prompt_version text, model text, effort text, outcome text, input_tokens integer,
        output_tokens integer, reasoning_tokens integer, cost_usd numeric, latency_ms bigint, request_id text, source text,
        correlation_id text, called_at timestamptz)"""
_INSERT = text(INSERT_CALLS)


# Counted down in batches: a night's delete holds its rows until it commits.
PRUNE_BATCH = 5000
_PRUNE = text("""
    DELETE FROM app.ai_call WHERE id IN (
        SELECT id FROM app.ai_call WHERE called_at < :before ORDER BY called_at LIMIT :batch FOR UPDATE SKIP LOCKED)""")


def calling_from(source: str) -> None:
    """Name what asks in the current task from now on: `job/reply`, `op/drain_replies`, `command/drafts`."""
    _source.set(source)


@lru_cache(maxsize=1)
def _prices(text_of_setting: str | None) -> dict[str, Price]:
    try:
        return parse_prices(text_of_setting)
    except ValueError as error:
        raise SettingsError(f"setting AI_MODEL_PRICING_JSON: {error}") from None


def price_list() -> dict[str, Price]:
    """The prices of this process. `SettingsError` when AI_MODEL_PRICING_JSON is none; whoever makes a client asks first."""
    return _prices(current_settings().ai_model_pricing_json)


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
) -> None:
    """Store the facts of `result`, if it was ever asked. The parameters are those of `calls_document`."""
    await record_calls(conn, calls_document(workspace_id, message_id, [result], correlation_id, now))


async def record_calls(conn: AsyncConnection, document: str | None) -> None:
    """Store the calls of a `calls_document`, if there are any."""
    if document is not None:
        await conn.execute(_INSERT, {"calls": document})


def calls_document(
    workspace_id: UUID,
    message_id: UUID | None,
    results: Sequence[ModelResult[Any]],
    correlation_id: str | None,
    now: datetime,
) -> str | None:
    """The facts of those of `results` that were asked, as `INSERT_CALLS` takes them; None when none was. Pure but for the
    name of what asks in this task."""
    rows = [_row(workspace_id, message_id, each, correlation_id, now) for each in results if each.was_asked]
    return json.dumps(rows, default=str) if rows else None


def _row(
    workspace_id: UUID, message_id: UUID | None, result: ModelResult[Any], correlation_id: str | None, now: datetime
) -> dict[str, Any]:
    return {
        "id": new_id(),
        "workspace_id": workspace_id,
        "message_id": message_id,
        "prompt_key": result.prompt_key,
        "prompt_version": result.prompt_version,
        "model": result.model,
        "effort": result.effort,
        "outcome": result.outcome.value,
        "input_tokens": result.input_tokens,
        "output_tokens": result.output_tokens,
        "reasoning_tokens": result.reasoning_tokens,
        "cost_usd": cost_usd(price_list(), result.model, result.input_tokens, result.output_tokens),
        "latency_ms": result.latency_ms,
        "request_id": result.request_id,
        "source": _source.get(),
        "correlation_id": correlation_id,
        "called_at": now,
    }
