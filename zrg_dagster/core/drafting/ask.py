"""The one way from a stage of a draft to the model. Every call names its purpose; what a purpose is asked of is decided here."""

import asyncio
import time
from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel

from zrg_dagster.core.ai.models import Purpose
from zrg_dagster.core.ai.prompts import Own, load, placeholders, render
from zrg_dagster.core.ai.result import ModelOutcome, ModelResult, StructuredModel

T = TypeVar("T", bound=BaseModel)

# One reply's drafting, in seconds, when nobody waits for it (DR-20); the shares of its steps are of this.
BUDGET_S = 120.0


async def ask(
    client: StructuredModel,
    purpose: Purpose,
    key: str,
    values: Mapping[str, str | Own],
    schema: type[T],
    *,
    max_output_tokens: int,
    timeout_s: float,
    deadline_s: float | None = None,
    total_s: float | None = None,
) -> ModelResult[T]:
    """Ask for one `schema` with the prompt `key`, which takes of `values` what it names. Network.

    `timeout_s` bounds an attempt, `deadline_s` all attempts. `total_s` bounds everything, waiting for a free place included;
    what is cut off there ends as a timeout like any other.
    """
    wanted = placeholders(load(key))
    prompt = render(key, {name: value for name, value in values.items() if name in wanted})
    started = time.monotonic()
    try:
        async with asyncio.timeout(total_s):
            return await client.of(purpose).structured(
                prompt, schema, max_output_tokens=max_output_tokens, timeout_s=timeout_s, deadline_s=deadline_s
            )
    except TimeoutError:
        took = round((time.monotonic() - started) * 1000)
        model = client.of(purpose).model or ""
        return ModelResult(
            ModelOutcome.TIMEOUT, None, prompt.key, prompt.version, model, latency_ms=took, attempts=1, detail=purpose
        )
