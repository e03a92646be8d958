"""EmailBison's manners, shared by its handlers: credentials, error bodies, pages, records by id."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from provider_sandbox.emailbison_store import Store
from provider_sandbox.state import Sandbox, iso_micro
from provider_sandbox.vendor import Refused, json_object, json_response, retry_after_text, sandbox_of, whole_number

NAME = "emailbison"


def failed(status: int, message: str) -> Response:
    return json_response({"data": {"success": False, "message": message}}, status)


def error(status: int) -> Response:
    if status in (401, 403):
        return unauthorized()
    if status == 404:
        return failed(404, "Record not found.")
    if status == 429:
        return rate_limited(30)
    return json_response({"message": "Server Error" if status >= 500 else "The given data was invalid."}, status)


def unauthorized() -> Response:
    message = "The request is not authenticated. Check that the URL and the API key belong to the same workspace."
    return failed(401, message)


def rate_limited(retry_after: float) -> Response:
    headers = {
        "Retry-After": retry_after_text(retry_after),
        "X-RateLimit-Limit": "3000",
        "X-RateLimit-Remaining": "0",
    }
    return json_response({"message": "Too Many Attempts."}, 429, headers)


def guard(sandbox: Sandbox, request: Request) -> Response | None:
    if "json" not in request.headers.get("accept", ""):
        # The framework behind the vendor answers browsers; an API client without Accept is taken for one.
        return RedirectResponse("/login", status_code=302, headers={"content-type": "text/html; charset=UTF-8"})
    if not sandbox.bearer_ok(NAME, request.headers.get("authorization")):
        return unauthorized()
    return None


def invalid(errors: Mapping[str, str]) -> Refused:
    first, more = next(iter(errors.values())), len(errors) - 1
    message = first if not more else f"{first} (and {more} more error{'s' if more > 1 else ''})"
    return Refused(json_response({"message": message, "errors": {name: [text] for name, text in errors.items()}}, 422))


async def read_body(request: Request, *required: str) -> dict[str, Any]:
    body = await json_object(request, json_response({"message": "The request body is not valid JSON."}, 400))
    missing = {
        name: f"The {name.replace('_', ' ')} field is required."
        for name in required
        if body.get(name) in (None, "", [])
    }
    if missing:
        raise invalid(missing)
    return body


def store_of(request: Request) -> Store:
    return sandbox_of(request).store(Store)


def page_of(request: Request, items: list[dict[str, Any]]) -> Response:
    """One page in the vendor's list form; `per_page` is honoured up to 100, 15 by default."""
    size = whole_number(request.query_params.get("per_page"), 15, 1, 100)
    page = whole_number(request.query_params.get("page"), 1, 1, 1_000_000)
    last = max(1, -(-len(items) // size))
    part = items[(page - 1) * size : page * size]
    path = str(request.url.replace(query=""))
    first_index = (page - 1) * size + 1 if part else None
    meta = {
        "current_page": page,
        "from": first_index,
        "last_page": last,
        "path": path,
        "per_page": size,
        "to": first_index + len(part) - 1 if first_index else None,
        "total": len(items),
    }
    links = {
        "first": f"{path}?page=1",
        "last": f"{path}?page={last}",
        "prev": f"{path}?page={page - 1}" if page > 1 else None,
        "next": f"{path}?page={page + 1}" if page < last else None,
    }
    return json_response({"data": part, "links": links, "meta": meta})


def found(request: Request, kind: str) -> dict[str, Any]:
    """The record named in the path; adopts an unknown reply or lead when that option is on, else 404."""
    sandbox, store = sandbox_of(request), store_of(request)
    record_id = request.path_params["id"]
    record = getattr(store, kind).get(record_id)
    if record is None and kind in ("replies", "leads") and sandbox.option(NAME, "adopt_unknown"):
        record = store.adopt(kind, record_id, iso_micro(sandbox.clock.now()))
    if record is None:
        raise Refused(error(404))
    return record
