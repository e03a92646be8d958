"""What a model call came to: always a result with an outcome, never an exception for something the model side did.

Loads no model library, so that the rooms which only pass results around stay light.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from pydantic import BaseModel

from zrg_dagster.core.ai.models import Effort, ModelChoice, Purpose
from zrg_dagster.core.ai.prompts import RenderedPrompt

T = TypeVar("T", bound=BaseModel)


class ModelOutcome(StrEnum):
    OK = "ok"
    REFUSED = "refused"  # the model declined, or a content filter did
    INCOMPLETE = "incomplete"  # ran out of output tokens, also with the larger budget
    INVALID = "invalid"  # not the JSON that the schema asks for
    TIMEOUT = "timeout"
    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"
    AUTH = "auth"
    QUOTA = "quota"
    BAD_REQUEST = "bad_request"
    NO_KEY = "no_key"
    CIRCUIT_OPEN = "circuit_open"  # not asked: the model's last calls failed in a row


TRANSIENT = frozenset({ModelOutcome.TIMEOUT, ModelOutcome.RATE_LIMITED, ModelOutcome.UNAVAILABLE})
# Nothing works before an operator acts; work parks instead of spending its attempts.
NEEDS_OPERATOR = frozenset({ModelOutcome.AUTH, ModelOutcome.QUOTA, ModelOutcome.NO_KEY, ModelOutcome.BAD_REQUEST})


@dataclass(frozen=True, slots=True)
class ModelResult(Generic[T]):
    """One structured call, retries included. `value` is set exactly when `outcome` is ok.

    Tokens are summed over the attempts (a failed attempt costs too), output tokens include `reasoning_tokens`,
    `latency_ms` runs from the first request to the last answer, `detail` is a short code without text of the conversation.
    """

    outcome: ModelOutcome
    value: T | None
    prompt_key: str
    prompt_version: str
    model: str
    latency_ms: int = 0
    attempts: int = 0
    input_tokens: int | None = None
    output_tokens: int | None = None
    request_id: str | None = None
    retry_after_s: float | None = None
    detail: str = ""
    effort: Effort | None = None
    reasoning_tokens: int | None = None

    @property
    def is_ok(self) -> bool:
        return self.outcome is ModelOutcome.OK

    @property
    def is_transient(self) -> bool:
        """Worth the same call again later, without anybody doing anything."""
        return self.outcome in TRANSIENT

    @property
    def needs_operator(self) -> bool:
        return self.outcome in NEEDS_OPERATOR

    @property
    def was_asked(self) -> bool:
        """Whether a request may have left: what was not asked is no call and costs nothing."""
        return self.outcome is not ModelOutcome.CIRCUIT_OPEN

    @property
    def parks(self) -> bool:
        """The work waits without spending its attempts: for an operator, or until the circuit closes."""
        return self.needs_operator or self.outcome is ModelOutcome.CIRCUIT_OPEN

    @property
    def reason(self) -> str:
        """The stable reason that work parks or retries with, for example `model_no_key`."""
        return f"model_{self.outcome.value}"


class StructuredModel(Protocol):
    """What classification, drafting and evaluation need of a model. `model` is the process's own choice, None for none."""

    @property
    def model(self) -> str | None: ...

    def of(self, purpose: Purpose) -> "StructuredModel":
        """The model to ask for `purpose`."""
        ...

    async def structured(
        self,
        prompt: RenderedPrompt,
        schema: type[T],
        *,
        max_output_tokens: int,
        timeout_s: float,
        deadline_s: float | None = None,
        choice: ModelChoice | None = None,
    ) -> ModelResult[T]: ...
