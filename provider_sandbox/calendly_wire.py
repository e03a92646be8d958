"""Calendly's manners, shared by its handlers: credentials, limits, error bodies, collections, open slots."""

import time
from collections import deque
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from provider_sandbox.calendly_store import NAME, Store
from provider_sandbox.slots import open_slots
from provider_sandbox.state import Sandbox, iso_micro
from provider_sandbox.vendor import Refused, json_object, json_response, retry_after_text, sandbox_of, whole_number

MINUTE_S = 60.0
_TITLES = {
    400: ("Invalid Argument", "The supplied parameters are invalid."),
    403: ("Permission Denied", "You do not have permission to access this resource."),
    404: ("Resource Not Found", "The server could not find the requested resource."),
    409: ("Already Exists", "Hook with this url already exists"),
    424: ("External Calendar Error", "The external calendar could not be read."),
}


def error(status: int) -> Response:
    if status == 401:
        return unauthorized()
    if status == 429:
        return rate_limited(30)
    title, message = _TITLES.get(status, ("Internal Server Error", "The server encountered an unexpected condition."))
    return json_response({"title": title, "message": message}, status)


def unauthorized() -> Response:
    return json_response({"title": "Unauthenticated", "message": "The access token is invalid"}, 401)


def rate_limited(retry_after: float, limit: int = 500) -> Response:
    headers = {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": retry_after_text(retry_after),
    }
    return json_response({"title": "Too Many Requests", "message": "Rate limit exceeded"}, 429, headers)


def invalid(parameter: str, message: str) -> Refused:
    body = {
        "title": "Invalid Argument",
        "message": _TITLES[400][1],
        "details": [{"parameter": parameter, "message": message}],
    }
    return Refused(json_response(body, 400))


def recent(calls: deque[float]) -> deque[float]:
    while calls and calls[0] <= time.monotonic() - MINUTE_S:
        calls.popleft()
    return calls


def wait_s(calls: deque[float]) -> float:
    return max(1.0, calls[0] + MINUTE_S - time.monotonic())


def _is_public(request: Request) -> bool:
    return request.url.path.startswith("/calendly/api/booking/")


def guard(sandbox: Sandbox, request: Request) -> Response | None:
    if _is_public(request):
        return None
    if not sandbox.bearer_ok(NAME, request.headers.get("authorization")):
        return unauthorized()
    calls, limit = recent(sandbox.store(Store).calls), sandbox.option(NAME, "requests_per_minute")
    if limit and len(calls) >= limit:
        return rate_limited(wait_s(calls), limit)
    calls.append(time.monotonic())
    return None


def rate_headers(sandbox: Sandbox, request: Request) -> Mapping[str, str]:
    if _is_public(request) or not sandbox.bearer_ok(NAME, request.headers.get("authorization")):
        return {}
    calls, limit = recent(sandbox.store(Store).calls), sandbox.option(NAME, "requests_per_minute") or 500
    return {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(max(0, limit - len(calls))),
        "X-RateLimit-Reset": retry_after_text(wait_s(calls) if calls else MINUTE_S),
    }


async def read_body(request: Request) -> dict[str, Any]:
    return await json_object(request, error(400))


def store_of(request: Request) -> Store:
    return sandbox_of(request).store(Store)


def now_text(request: Request) -> str:
    return iso_micro(sandbox_of(request).clock.now())


def found(request: Request, kind: str, uuid: str | None = None) -> dict[str, Any]:
    record = getattr(store_of(request), kind).get(uuid or request.path_params["uuid"])
    if record is None:
        raise Refused(error(404))
    return record


def collection(request: Request, items: list[dict[str, Any]]) -> Response:
    count = whole_number(request.query_params.get("count"), 20, 1, 100)
    offset = whole_number(request.query_params.get("page_token"), 0, 0, 1_000_000)
    page, after = items[offset : offset + count], offset + count
    token = str(after) if after < len(items) else None
    url = str(request.url.include_query_params(page_token=token)) if token else None
    previous = str(max(0, offset - count)) if offset else None
    pagination = {
        "count": len(page),
        "next_page": url,
        "previous_page": str(request.url.include_query_params(page_token=previous)) if previous else None,
        "next_page_token": token,
        "previous_page_token": previous,
    }
    return json_response({"collection": page, "pagination": pagination})


def free_slots(request: Request, event_type: Mapping[str, Any], start: datetime, end: datetime) -> list[datetime]:
    store, minutes = store_of(request), event_type["duration"]
    not_before = sandbox_of(request).clock.now()
    slots = open_slots(start, end, zone=store.user["timezone"], minutes=minutes, not_before=not_before)
    return [slot for slot in slots if not store.is_taken(slot, minutes)]
