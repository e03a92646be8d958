"""Structured calls to the model over the OpenAI Responses API. The only module that loads the `openai` package."""

import asyncio
import json
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Generic, TypeVar

import openai

# The SDK loads its resources at the first call, a fifth of a second of it. Here the launcher's forkserver has paid for it
# once, and no run does again. The package alone would load nothing.
import openai.resources.responses.responses
from pydantic import BaseModel

from zrg_dagster.core.ai.answer import Reading, outcome_of_status, read_document
from zrg_dagster.core.ai.breaker import Breakers, Circuit
from zrg_dagster.core.ai.models import ModelChoice, Purpose, resolve
from zrg_dagster.core.ai.prompts import RenderedPrompt
from zrg_dagster.core.ai.result import TRANSIENT, ModelOutcome, ModelResult
from zrg_dagster.core.ai.strict_schema import strict_schema
from zrg_dagster.core.ai.tally import CallTally
from zrg_dagster.core.base.log import get_logger
from zrg_dagster.core.base.tls import client_context

log = get_logger(__name__)

T = TypeVar("T", bound=BaseModel)
Sleep = Callable[[float], Awaitable[None]]

MAX_ATTEMPTS = 4
BACKOFF_BASE_S = 0.5
BACKOFF_CAP_S = 8.0
# Longer than this is for the job's schedule, not for a coroutine that holds a lead's turn.
MAX_RETRY_AFTER_S = 20.0
MIN_ATTEMPT_S = 1.0
CONNECT_TIMEOUT_S = 5.0
# An incomplete answer gets one more chance with half as much again plus a fixed reserve for reasoning.
MORE_TOKENS_RATIO = 1.5
MORE_TOKENS_EXTRA = 600
MAX_OUTPUT_TOKENS = 16_000


def request_arguments(
    prompt: RenderedPrompt, schema: type[BaseModel], choice: ModelChoice, tokens: int
) -> dict[str, Any]:
    """The body of one request. The schema is named like the prompt; nothing is stored at the vendor."""
    text: dict[str, Any] = {
        "format": {"type": "json_schema", "name": prompt.key, "strict": True, "schema": strict_schema(schema)}
    }
    arguments: dict[str, Any] = {
        "model": choice.model,
        "instructions": prompt.instructions,
        "input": [{"role": "user", "content": prompt.input}],
        "max_output_tokens": tokens,
        "store": False,
        "text": text,
    }
    if choice.effort is not None:
        # Other families refuse both parameters with a 400.
        arguments["reasoning"] = {"effort": choice.effort.value}
        text["verbosity"] = "low"
    return arguments


def asked_pause_s(headers: Mapping[str, str]) -> float | None:
    """How long the vendor asks us to wait, in seconds: `retry-after-ms`, else `retry-after`."""
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) * scale
        except ValueError:
            continue
        if seconds > 0:
            return seconds
    return None


class ModelClient:
    """One model account of a process. `gate` limits the requests in flight over everything that shares it, `breakers`
    keep it from asking a model that is away. `model` is what the process asks where nobody chose (`OPENAI_MODEL`)."""

    def __init__(
        self,
        *,
        api_key: str | None,
        base_url: str,
        model: str | None,
        gate: asyncio.Semaphore,
        deadline_s: float = 60.0,
        sleep: Sleep = asyncio.sleep,
        breakers: Breakers | None = None,
    ) -> None:
        for name in ("openai", "httpx2", "aiohttp"):
            # At debug level these print request bodies, at info level addresses.
            logging.getLogger(name).setLevel(logging.WARNING)
        self._model = model
        self.breakers = breakers if breakers is not None else Breakers()
        self.tally = CallTally()
        self._gate = gate
        self._deadline_s = deadline_s
        self._sleep = sleep
        self._sdk: openai.AsyncOpenAI | None = None
        if api_key:
            http = openai.DefaultAioHttpClient(verify=client_context())
            # Our own retries know the deadline and the outcome classes; the SDK's would multiply with them.
            self._sdk = openai.AsyncOpenAI(api_key=api_key, base_url=base_url, max_retries=0, http_client=http)

    def __repr__(self) -> str:
        return f"ModelClient(model={self._model!r}, has_key={self.has_key})"

    @property
    def model(self) -> str | None:
        return self._model

    @property
    def has_key(self) -> bool:
        return self._sdk is not None

    async def aclose(self) -> None:
        if self._sdk is not None:
            await self._sdk.close()

    def of(self, purpose: Purpose) -> "ModelClient":
        """Itself: without a workspace nothing tells one purpose from another."""
        return self

    async def structured(
        self,
        prompt: RenderedPrompt,
        schema: type[T],
        *,
        max_output_tokens: int,
        timeout_s: float,
        deadline_s: float | None = None,
        choice: ModelChoice | None = None,
    ) -> ModelResult[T]:
        """Ask for one `schema`. `timeout_s` bounds an attempt, `deadline_s` or else the client's own all of them together.

        Waiting for a free place in the gate before the first attempt does not count against the deadline.
        """
        choice = choice or resolve(None, Purpose.CLASSIFICATION, default_model=self._model)
        if self._sdk is None:
            return ModelResult(ModelOutcome.NO_KEY, None, prompt.key, prompt.version, choice.model)
        if (held := self._held_back(prompt, choice)) is not None:
            return held
        deadline_s = deadline_s or self._deadline_s
        tokens = min(max_output_tokens + choice.reasoning_tokens, MAX_OUTPUT_TOKENS)
        call = _Call(prompt, schema, choice, tokens)
        while True:
            async with self._gate:
                call.begin()
                timeout = min(timeout_s, max(MIN_ATTEMPT_S, deadline_s - call.elapsed_s()))
                await self._attempt(self._sdk, call, timeout)
            pause = call.next_pause_s(deadline_s)
            if pause is None:
                break
            await self._sleep(pause)
        result = call.result()
        self.tally.add(result)
        if (breaker := self.breakers.report(choice.model, result.outcome, time.monotonic())) is not None:
            write = log.info if breaker.circuit is Circuit.CLOSED else log.warning
            write("model_circuit_changed", model=breaker.model, circuit=breaker.circuit, last=breaker.last)
        log.info(
            "model_answered",
            prompt=prompt.key,
            version=prompt.version,
            model=choice.model,
            effort=choice.effort,
            outcome=result.outcome.value,
            detail=result.detail,
            attempts=result.attempts,
            latency_ms=result.latency_ms,
            request_id=result.request_id,
        )
        return result

    def _held_back(self, prompt: RenderedPrompt, choice: ModelChoice) -> ModelResult[Any] | None:
        """The result of not asking a model whose circuit is open."""
        breaker = self.breakers.of(choice.model)
        wait_s = breaker.wait_s(time.monotonic())
        if wait_s is None:
            return None
        result: ModelResult[Any] = ModelResult(
            ModelOutcome.CIRCUIT_OPEN,
            None,
            prompt.key,
            prompt.version,
            choice.model,
            effort=choice.effort,
            retry_after_s=wait_s,
            detail=f"after_{breaker.last}",
        )
        self.tally.add(result)
        return result

    async def _attempt(self, sdk: "openai.AsyncOpenAI", call: "_Call[T]", timeout_s: float) -> None:
        arguments = request_arguments(call.prompt, call.schema, call.choice, call.tokens)
        try:
            async with asyncio.timeout(timeout_s):
                # As extra body: the SDK walks typed parameters field by field, which costs more than all else of a call.
                raw = await sdk.responses.with_raw_response.create(
                    extra_body=arguments, timeout=openai.Timeout(timeout_s, connect=min(timeout_s, CONNECT_TIMEOUT_S))
                )
                headers, body = raw.headers, raw.content
        except (openai.APIConnectionError, TimeoutError) as error:
            call.took(_broken(error), {})
        except openai.APIStatusError as error:
            outcome = outcome_of_status(error.status_code, error.code)
            detail = f"http_{error.status_code}:{error.code or ''}".rstrip(":")
            call.took(Reading(outcome, detail=detail[:80]), error.response.headers)
        else:
            try:
                document = json.loads(body)
            except ValueError:
                document = None
            call.took(read_document(document, call.schema), headers)


def _broken(error: BaseException) -> Reading[Any]:
    """What an exchange without an answer was. The SDK's own class does not say: to it a refused connection is a timeout."""
    while not isinstance(error, TimeoutError):
        if error.__cause__ is None:
            return Reading(ModelOutcome.UNAVAILABLE, detail=type(error).__name__)
        error = error.__cause__
    return Reading(ModelOutcome.TIMEOUT)


class _Call(Generic[T]):
    """The running state of one call over its attempts."""

    def __init__(self, prompt: RenderedPrompt, schema: type[T], choice: ModelChoice, tokens: int) -> None:
        self.prompt = prompt
        self.schema = schema
        self.tokens = tokens
        self.choice = choice
        self._started: float | None = None
        self._attempts = 0
        self._seen: set[ModelOutcome] = set()
        self._last: Reading[T] = Reading(ModelOutcome.UNAVAILABLE)
        self._request_id: str | None = None
        self._asked_pause: float | None = None
        self._may_retry = True
        self._input_tokens: int | None = None
        self._output_tokens: int | None = None
        self._reasoning_tokens: int | None = None

    def begin(self) -> None:
        self._attempts += 1
        self._started = self._started or time.monotonic()

    def elapsed_s(self) -> float:
        return time.monotonic() - self._started if self._started else 0.0

    def took(self, reading: Reading[T], headers: Mapping[str, str]) -> None:
        self._last = reading
        self._request_id = headers.get("x-request-id") or self._request_id
        self._asked_pause = asked_pause_s(headers)
        self._may_retry = headers.get("x-should-retry") != "false"
        if reading.input_tokens is not None:
            self._input_tokens = (self._input_tokens or 0) + reading.input_tokens
        if reading.output_tokens is not None:
            self._output_tokens = (self._output_tokens or 0) + reading.output_tokens
        if reading.reasoning_tokens is not None:
            self._reasoning_tokens = (self._reasoning_tokens or 0) + reading.reasoning_tokens

    def next_pause_s(self, deadline_s: float) -> float | None:
        """Seconds until the next attempt, or None when this verdict stands."""
        outcome = self._last.outcome
        again_once = outcome in (ModelOutcome.INCOMPLETE, ModelOutcome.INVALID) and outcome not in self._seen
        self._seen.add(outcome)
        if self._attempts >= MAX_ATTEMPTS or not (again_once or (outcome in TRANSIENT and self._may_retry)):
            return None
        if outcome is ModelOutcome.INCOMPLETE:
            larger = min(int(self.tokens * MORE_TOKENS_RATIO) + MORE_TOKENS_EXTRA, MAX_OUTPUT_TOKENS)
            if larger <= self.tokens:
                return None
            self.tokens = larger
        pause = 0.0
        if outcome in TRANSIENT:
            backoff = min(BACKOFF_CAP_S, BACKOFF_BASE_S * 2 ** (self._attempts - 1))
            pause = self._asked_pause or backoff * random.uniform(0.75, 1.0)  # noqa: S311 - jitter
        fits = self.elapsed_s() + pause + MIN_ATTEMPT_S <= deadline_s
        return pause if fits and pause <= MAX_RETRY_AFTER_S else None

    def result(self) -> ModelResult[T]:
        return ModelResult(
            outcome=self._last.outcome,
            value=self._last.value,
            prompt_key=self.prompt.key,
            prompt_version=self.prompt.version,
            model=self.choice.model,
            latency_ms=round(self.elapsed_s() * 1000),
            attempts=self._attempts,
            input_tokens=self._input_tokens,
            output_tokens=self._output_tokens,
            request_id=self._request_id,
            retry_after_s=self._asked_pause if self._last.outcome in TRANSIENT else None,
            detail=self._last.detail,
            effort=self.choice.effort,
            reasoning_tokens=self._reasoning_tokens,
        )
