"""OpenAI's Responses API on the wire (vendor reference chapter 13). No model runs here: the answers are an imitation.

Structured requests get an instance of their own schema, computed from the request's text by `model_fill`; the same
request always gets the same text. Kept behaviours: strict-schema rules, error bodies, usage that grows with the text,
a too small `max_output_tokens` ending in `incomplete`, rate-limit and request-id headers, and the answers that are
HTTP 200 without a result (fault modes refusal, incomplete, incomplete_reasoning, content_filter, commentary, failed).
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provider_sandbox.model_answers import write_draft
from provider_sandbox.model_fill import CannotFill, Filler
from provider_sandbox.model_reading import read
from provider_sandbox.model_steps import answer_step
from provider_sandbox.state import Sandbox
from provider_sandbox.vendor import (
    Refused,
    Vendor,
    fault_mode,
    json_object,
    json_response,
    retry_after_text,
    sandbox_of,
)

NAME = "openai"
MODELS = ("gpt-5.4-mini", "gpt-5.4", "gpt-5.4-nano", "gpt-5.2", "gpt-5-mini", "gpt-5-nano")
TOKENS_PER_MINUTE = 2_000_000
_EFFORT_TOKENS = {"none": 0, "minimal": 16, "low": 64, "medium": 192, "high": 512, "xhigh": 1024, "max": 2048}
_SCHEMA_NAME = re.compile(r"^[A-Za-z0-9_-]{1,64}$")


def _fail(status: int, message: str, kind: str, code: str | None, param: str | None = None) -> Response:
    return json_response({"error": {"message": message, "type": kind, "param": param, "code": code}}, status)


def _error(status: int) -> Response:
    if status == 401:
        return _unauthorized()
    if status == 429:
        return _rate_limited(2)
    if status == 503:
        return _fail(503, "The engine is overloaded.", "service_unavailable_error", "server_is_overloaded")
    if status >= 500:
        return _fail(status, "The server had an error.", "server_error", None)
    if status == 404:
        message = "The model does not exist or you do not have access to it."
        return _fail(404, message, "invalid_request_error", "model_not_found", "model")
    return _fail(status, "We could not parse the JSON body of your request.", "invalid_request_error", None)


def _unauthorized() -> Response:
    return _fail(401, "Incorrect API key provided.", "invalid_request_error", "invalid_api_key")


def _rate_limited(retry_after: float) -> Response:
    answer = _fail(429, "Rate limit reached on tokens per min (TPM).", "tokens", "rate_limit_exceeded")
    answer.headers["retry-after"] = retry_after_text(retry_after)
    answer.headers["retry-after-ms"] = str(int(retry_after * 1000))
    answer.headers["x-ratelimit-remaining-tokens"] = "0"
    return answer


def _guard(sandbox: Sandbox, request: Request) -> Response | None:
    return None if sandbox.bearer_ok(NAME, request.headers.get("authorization")) else _unauthorized()


def _headers(sandbox: Sandbox, request: Request) -> Mapping[str, str]:
    return {
        "x-request-id": f"req_{sandbox.ids.alnum(16)}",
        "openai-processing-ms": "5",
        "openai-version": "2020-10-01",
        "openai-organization": "org-sandbox",
        "x-ratelimit-limit-requests": "5000",
        "x-ratelimit-limit-tokens": str(TOKENS_PER_MINUTE),
        "x-ratelimit-remaining-requests": "4999",
        "x-ratelimit-remaining-tokens": str(TOKENS_PER_MINUTE - 1000),
        "x-ratelimit-reset-requests": "12ms",
        "x-ratelimit-reset-tokens": "203ms",
    }


def count_tokens(text: str) -> int:
    """About four characters a token, as for English text."""
    return max(1, -(-len(text) // 4))


def _input_tokens(body: Mapping[str, Any]) -> int:
    parts = [str(body.get("instructions") or ""), json.dumps(body.get("input", "")), json.dumps(body.get("text") or {})]
    return 7 + sum(count_tokens(part) for part in parts if part)


def strict_problems(schema: Any, path: str = "") -> Iterator[str]:
    """Every breach of the strict-mode rules: closed objects, all properties required, an object at the root."""
    if isinstance(schema, list):
        for item in schema:
            yield from strict_problems(item, path)
        return
    if not isinstance(schema, dict):
        return
    where = f"In context=({path}), " if path else ""
    if not path and (schema.get("type") != "object" or "anyOf" in schema):
        yield "schema must be a JSON Schema of 'type: \"object\"', got something else at the root."
    properties = schema.get("properties")
    if schema.get("type") == "object" or properties is not None:
        if schema.get("additionalProperties") is not False:
            yield f"{where}'additionalProperties' is required to be supplied and to be false."
        missing = sorted(set(properties or {}) - set(schema.get("required") or []))
        if missing:
            yield (
                f"{where}'required' is required to be supplied and to be an array including every key in properties. "
                f"Missing '{missing[0]}'."
            )
    for key in ("properties", "$defs", "definitions"):
        for name, inner in (schema.get(key) or {}).items():
            yield from strict_problems(inner, f"{path}.{key}.{name}" if path else f"{key}.{name}")
    for key in ("items", "anyOf", "oneOf"):
        if key in schema:
            yield from strict_problems(schema[key], f"{path}.{key}" if path else key)


def _check(sandbox: Sandbox, body: Mapping[str, Any]) -> None:
    def refuse(message: str, code: str | None, param: str) -> Refused:
        return Refused(_fail(400, message, "invalid_request_error", code, param))

    if not body.get("model"):
        raise refuse("Missing required parameter: 'model'.", "missing_required_parameter", "model")
    if not str(body["model"]).startswith(("gpt-", "o")):
        raise Refused(_error(404))
    if body.get("input") in (None, "", []):
        raise refuse("Missing required parameter: 'input'.", "missing_required_parameter", "input")
    effort = (body.get("reasoning") or {}).get("effort")
    strict_temperature = sandbox.option(NAME, "reject_temperature_with_reasoning")
    if strict_temperature and body.get("temperature") not in (None, 1, 1.0) and effort not in (None, "none", "minimal"):
        message = "Unsupported parameter: 'temperature' is not supported with this model."
        raise refuse(message, "unsupported_parameter", "temperature")
    form = (body.get("text") or {}).get("format") or {}
    if form.get("type") != "json_schema":
        return
    if not _SCHEMA_NAME.match(str(form.get("name", ""))):
        raise refuse("Invalid 'text.format.name': string does not match pattern.", "invalid_value", "text.format.name")
    if not form.get("strict"):
        return
    problem = next(strict_problems(form.get("schema")), None)
    if problem is not None:
        message = f"Invalid schema for response_format '{form['name']}': {problem}"
        raise refuse(message, "invalid_json_schema", "text.format.schema")


async def _body(request: Request) -> dict[str, Any]:
    return await json_object(request, _error(400))


def _text(body: Mapping[str, Any]) -> str:
    """The imitated model's words for this request."""
    form, reading = (body.get("text") or {}).get("format") or {}, read(body)
    if form.get("type") == "json_schema":
        name = str(form["name"]).lower()
        filled = Filler(reading, name, form["schema"]).fill()
        known = answer_step(name, reading)
        filled |= {key: value for key, value in known.items() if key in filled}
        return json.dumps(filled, ensure_ascii=False)
    return write_draft(reading)


def _message(ids: Any, text: str, status: str = "completed", **extra: Any) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}]
    message = {
        "id": f"msg_{ids.alnum(24)}",
        "type": "message",
        "role": "assistant",
        "status": status,
        "content": content,
    }
    return message | extra


def _usage(body: Mapping[str, Any], written: str, reasoning: int) -> dict[str, Any]:
    incoming, outgoing = _input_tokens(body), reasoning + (count_tokens(written) if written else 0)
    return {
        "input_tokens": incoming,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": outgoing,
        "output_tokens_details": {"reasoning_tokens": reasoning},
        "total_tokens": incoming + outgoing,
    }


def _outcome(sandbox: Sandbox, body: Mapping[str, Any], mode: str | None) -> dict[str, Any]:
    """status, error, incomplete_details, output and usage: all that differs between the kinds of answer."""
    ids = sandbox.ids
    thought = {"id": f"rs_{ids.alnum(24)}", "type": "reasoning", "summary": []}
    done: dict[str, Any] = {"status": "completed", "error": None, "incomplete_details": None}
    if mode == "failed":
        error = {"code": "server_error", "message": "The model had an error."}
        return {**done, "status": "failed", "error": error, "output": [], "usage": None}
    if mode == "refusal":
        refusal = _message(ids, "") | {"content": [{"type": "refusal", "refusal": "I can't help with that."}]}
        return {**done, "output": [refusal], "usage": _usage(body, "I can't help with that.", 0)}
    try:
        text = _text(body)
    except CannotFill as error:
        failure = {"code": "server_error", "message": f"The imitated model cannot satisfy the schema: {error}"}
        return {**done, "status": "failed", "error": failure, "output": [], "usage": None}
    reasoning = _EFFORT_TOKENS.get((body.get("reasoning") or {}).get("effort") or "none", 64)
    budget = body.get("max_output_tokens") or 1_000_000
    cut: dict[str, Any] = {**done, "status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    if mode == "content_filter":
        empty = _message(ids, "", "incomplete")
        details = {"reason": "content_filter"}
        return {**cut, "incomplete_details": details, "output": [empty], "usage": _usage(body, "", reasoning)}
    if mode == "incomplete_reasoning" or reasoning >= budget:
        return {**cut, "output": [thought], "usage": _usage(body, "", min(budget, max(reasoning, 1)))}
    if mode == "incomplete" or reasoning + count_tokens(text) > budget:
        half = text[: min(len(text) // 2, (budget - reasoning) * 4)]
        return {**cut, "output": [thought, _message(ids, half, "incomplete")], "usage": _usage(body, half, reasoning)}
    output = [thought, _message(ids, text)]
    if mode == "commentary":
        comment = _message(ids, "Checking the thread first.", phase="commentary")
        output = [thought, comment, _message(ids, text, phase="final_answer")]
    return {**done, "output": output, "usage": _usage(body, text, reasoning)}


async def _responses(request: Request) -> Response:
    body, sandbox = await _body(request), sandbox_of(request)
    _check(sandbox, body)
    now = int(sandbox.clock.now().timestamp())
    answer = {
        "id": f"resp_{sandbox.ids.alnum(32)}",
        "object": "response",
        "created_at": now,
        "completed_at": now,
        "background": False,
        **_outcome(sandbox, body, fault_mode(request)),
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "max_tool_calls": None,
        "model": body["model"],
        "parallel_tool_calls": True,
        "previous_response_id": body.get("previous_response_id"),
        "prompt_cache_key": body.get("prompt_cache_key"),
        "reasoning": {"effort": (body.get("reasoning") or {}).get("effort"), "summary": None},
        "safety_identifier": body.get("safety_identifier"),
        "service_tier": "default",
        "store": bool(body.get("store", True)),
        "temperature": body.get("temperature", 1.0),
        "text": {"format": {"type": "text"}, "verbosity": "medium", **(body.get("text") or {})},
        "tool_choice": "auto",
        "tools": [],
        "top_logprobs": 0,
        "top_p": body.get("top_p", 1.0),
        "truncation": body.get("truncation", "disabled"),
        "user": None,
        "metadata": body.get("metadata") or {},
    }
    return json_response(answer)


async def _count(request: Request) -> Response:
    body = await _body(request)
    return json_response({"object": "response.input_tokens", "input_tokens": _input_tokens(body)})


async def _models(request: Request) -> Response:
    data = [{"id": name, "object": "model", "created": 1_760_000_000, "owned_by": "sandbox"} for name in MODELS]
    return json_response({"object": "list", "data": data})


def _seed(sandbox: Sandbox, data: Mapping[str, Any]) -> int:
    """The imitation keeps nothing between requests, so there is nothing to seed."""
    return 0


def _snapshot(sandbox: Sandbox) -> Mapping[str, Any]:
    return {"models": list(MODELS)}


VENDOR = Vendor(
    name=NAME,
    prefix="/openai",
    guard=_guard,
    error=_error,
    unauthorized=_unauthorized,
    rate_limited=_rate_limited,
    snapshot=_snapshot,
    seed=_seed,
    headers=_headers,
    routes=[
        Route("/v1/responses", _responses, methods=["POST"]),
        Route("/v1/responses/input_tokens", _count, methods=["POST"]),
        Route("/v1/models", _models),
    ],
)
