"""`ops.model_circuit`: the circuit breakers as others see them, written by their process when one changes."""

import time
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.ai.breaker import Breakers, Circuit

_SAVE = text("""
    INSERT INTO ops.model_circuit (model, circuit, failures, last_outcome, retry_at, changed_at)
    VALUES (:model, :circuit, :failures, :last_outcome, :retry_at, :now)
    ON CONFLICT (model) DO UPDATE SET circuit = excluded.circuit, failures = excluded.failures,
        last_outcome = excluded.last_outcome, retry_at = excluded.retry_at, changed_at = excluded.changed_at""")


async def save_circuits(conn: AsyncConnection, breakers: Breakers, now: datetime) -> int:
    """Write what changed since the last time; returns how many circuits. Mostly none, and then nothing is asked."""
    changed = breakers.take_changed()
    at = time.monotonic()
    for breaker in sorted(changed, key=lambda each: each.model):
        left = timedelta(seconds=max(0.0, breaker.retry_at - at))
        await conn.execute(
            _SAVE,
            {
                "model": breaker.model,
                "circuit": breaker.circuit.value,
                "failures": breaker.failures,
                "last_outcome": breaker.last,
                "retry_at": None if breaker.circuit is Circuit.CLOSED else now + left,
                "now": now,
            },
        )
    return len(changed)
