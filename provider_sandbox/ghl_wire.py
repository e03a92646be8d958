"""GoHighLevel's manners, shared by its handlers: credentials, `Version`, the rate bucket, error bodies."""

import time
from collections import deque
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from provider_sandbox.ghl_store import NAME, Store
from provider_sandbox.state import Sandbox, iso_milli
from provider_sandbox.vendor import Refused, json_object, json_response, retry_after_text, sandbox_of

INTERVAL_S = 10.0
DAILY_MAX = 200_000


def error(status: int) -> Response:
    if status == 401:
        return unauthorized()
    words = {404: "Not Found", 403: "Forbidden resource", 429: "Too Many Requests", 503: "Service Unavailable"}
    message = words.get(status, "Internal server error" if status >= 500 else "Bad Request")
    return json_response({"statusCode": status, "message": message}, status)


def unauthorized() -> Response:
    body = {"statusCode": 401, "message": "Invalid token: access token is invalid", "error": "Unauthorized"}
    return json_response(body, 401)


def rate_limited(retry_after: float) -> Response:
    headers = {"Retry-After": retry_after_text(retry_after), "X-RateLimit-Remaining": "0"}
    return json_response({"statusCode": 429, "message": "Too Many Requests"}, 429, headers)


def refuse(status: int, message: str, **extra: Any) -> Refused:
    return Refused(json_response({"statusCode": status, "message": message, **extra}, status))


def unprocessable(*messages: str) -> Refused:
    body = {"statusCode": 422, "message": list(messages), "error": "Unprocessable Entity"}
    return Refused(json_response(body, 422))


def _bucket(sandbox: Sandbox, request: Request) -> deque[float]:
    calls = sandbox.store(Store).calls.setdefault(request.headers.get("authorization", ""), deque())
    # The bucket measures the wire, so it follows real time, not the virtual clock.
    horizon = time.monotonic() - INTERVAL_S
    while calls and calls[0] <= horizon:
        calls.popleft()
    return calls


def guard(sandbox: Sandbox, request: Request) -> Response | None:
    if not sandbox.bearer_ok(NAME, request.headers.get("authorization")):
        return unauthorized()
    if not request.headers.get("version"):
        return json_response(
            {"statusCode": 400, "message": "version header was not found.", "error": "Bad Request"}, 400
        )
    maximum = sandbox.option(NAME, "bucket_max")
    calls = _bucket(sandbox, request)
    if maximum and len(calls) >= maximum:
        return rate_limited(max(1.0, calls[0] + INTERVAL_S - time.monotonic()))
    if maximum:
        calls.append(time.monotonic())
    sandbox.store(Store).served += 1
    return None


def rate_headers(sandbox: Sandbox, request: Request) -> Mapping[str, str]:
    if not sandbox.bearer_ok(NAME, request.headers.get("authorization")):
        return {}
    maximum = sandbox.option(NAME, "bucket_max") or 100
    return {
        "X-RateLimit-Limit-Daily": str(DAILY_MAX),
        "X-RateLimit-Daily-Remaining": str(max(0, DAILY_MAX - sandbox.store(Store).served)),
        "X-RateLimit-Interval-Milliseconds": str(int(INTERVAL_S * 1000)),
        "X-RateLimit-Max": str(maximum),
        "X-RateLimit-Remaining": str(max(0, maximum - len(_bucket(sandbox, request)))),
    }


async def read_body(request: Request) -> dict[str, Any]:
    bad = json_response({"statusCode": 400, "message": "Unexpected token in JSON", "error": "Bad Request"}, 400)
    return await json_object(request, bad)


def trace(request: Request) -> str:
    return sandbox_of(request).ids.uuid()


def store_of(request: Request) -> Store:
    return sandbox_of(request).store(Store)


def contact_of(request: Request, contact_id: Any) -> dict[str, Any]:
    store, sandbox = store_of(request), sandbox_of(request)
    contact = store.contacts.get(contact_id)
    if contact is None and sandbox.option(NAME, "adopt_unknown"):
        contact = store.new_contact(str(contact_id), {"phone": "+15550100000"}, iso_milli(sandbox.clock.now()))
    if contact is None:
        raise refuse(404, f"Contact with id {contact_id} not found")
    return contact
