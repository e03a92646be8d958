"""Reading a Responses API document: status first, then refusal, then the last message that is not commentary (§13.3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from zrg_dagster.core.ai.result import ModelOutcome

T = TypeVar("T", bound=BaseModel)

_FAILED = {
    "server_error": ModelOutcome.UNAVAILABLE,
    "vector_store_timeout": ModelOutcome.UNAVAILABLE,
    "rate_limit_exceeded": ModelOutcome.RATE_LIMITED,
    "invalid_prompt": ModelOutcome.BAD_REQUEST,
}
_QUOTA_CODES = frozenset({"insufficient_quota", "credit_balance_exhausted"})


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """One attempt's verdict. `detail` is a short code; it never quotes what the model wrote."""

    outcome: ModelOutcome
    value: T | None = None
    detail: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None


def read_document(document: Any, schema: type[T]) -> Reading[T]:
    """The verdict over a decoded HTTP 200 body."""
    if not isinstance(document, dict) or "status" not in document:
        return Reading(ModelOutcome.UNAVAILABLE, detail="unexpected_body")
    usage = document.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    details = usage.get("output_tokens_details")
    reasoning = _count(details.get("reasoning_tokens")) if isinstance(details, dict) else None
    outcome, value, detail = _verdict(document, schema)
    counts = _count(usage.get("input_tokens")), _count(usage.get("output_tokens")), reasoning
    return Reading(outcome, value, detail, *counts)


def _verdict(document: Mapping[str, Any], schema: type[T]) -> tuple[ModelOutcome, T | None, str]:
    status = document["status"]
    if status == "incomplete":
        why = document.get("incomplete_details")
        why = str(why.get("reason") or "unknown") if isinstance(why, dict) else "unknown"
        return (ModelOutcome.REFUSED if why == "content_filter" else ModelOutcome.INCOMPLETE), None, why[:80]
    if status == "failed":
        error = document.get("error")
        code = str(error.get("code") or "failed") if isinstance(error, dict) else "failed"
        return _FAILED.get(code, ModelOutcome.BAD_REQUEST), None, code[:80]
    if status != "completed":
        return ModelOutcome.UNAVAILABLE, None, f"status_{status}"[:80]
    parts = _final_parts(document.get("output"))
    if any(part.get("type") == "refusal" for part in parts):
        return ModelOutcome.REFUSED, None, "refusal"
    text = "".join(str(part.get("text") or "") for part in parts if part.get("type") == "output_text")
    if not text.strip():
        return ModelOutcome.INVALID, None, "no_text"
    try:
        return ModelOutcome.OK, schema.model_validate_json(text), ""
    except ValidationError as error:
        # Field and rule only: the input that pydantic would print is text of the conversation.
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(item) for item in first["loc"]) or "document"
        return ModelOutcome.INVALID, None, f"{where}:{first['type']}"[:80]


def _final_parts(output: Any) -> list[dict[str, Any]]:
    messages = [
        item
        for item in (output if isinstance(output, list) else [])
        if isinstance(item, dict) and item.get("type") == "message" and item.get("phase") != "commentary"
    ]
    content = messages[-1].get("content") if messages else None
    return [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) else None


def outcome_of_status(status: int, code: str | None) -> ModelOutcome:
    """The class of an HTTP error (vendor reference §13.4)."""
    if status == 429:
        return ModelOutcome.QUOTA if code in _QUOTA_CODES else ModelOutcome.RATE_LIMITED
    if status in (401, 403):
        return ModelOutcome.AUTH
    if status in (408, 409) or status >= 500:
        return ModelOutcome.UNAVAILABLE
    return ModelOutcome.BAD_REQUEST
