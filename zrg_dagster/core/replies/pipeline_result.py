"""How a job of the replies lane ends."""

from dataclasses import dataclass
from typing import Any

from zrg_dagster.core.ai.result import ModelResult


@dataclass(frozen=True, slots=True)
class Ended:
    """The job is finished. `state` is done, skipped or dead; `reason` says why nothing more was done."""

    state: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class NotNow:
    """Nothing was got. `park` waits for an operator (or for `after_s`) without spending an attempt, otherwise the job is
    retried; `after_s` is the other side's wish.

    `passes` tells an outage, which ends by itself, from an answer that the model will give again (a refusal, text that
    does not fit the schema): that one ends in the dead letter, or each retry would cost money for ever.
    """

    reason: str
    park: bool
    after_s: float | None = None
    passes: bool = True


def not_now(call: ModelResult[Any]) -> NotNow:
    """What a model call without an answer means for its job."""
    return NotNow(call.reason, park=call.parks, after_s=call.retry_after_s, passes=call.is_transient or call.parks)
