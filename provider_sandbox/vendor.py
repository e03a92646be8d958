"""What one imitated vendor hands to the server, and the small tools its handlers share."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from provider_sandbox.state import Sandbox


class Refused(Exception):
    """A handler's way out with the vendor's own error answer."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


class SeedError(ValueError):
    """Seed or webhook data that the control plane refuses; the message names the field."""


def no_headers(sandbox: Sandbox, request: Request) -> Mapping[str, str]:
    return {}


def as_list(document: Any) -> Any:
    """The default wrong shape: an object where the client reads keys becomes a bare list."""
    return [document]


def learn_nothing(sandbox: Sandbox, body: Mapping[str, Any]) -> int:
    return 0


@dataclass(frozen=True, slots=True)
class Vendor:
    """One vendor on the wire.

    `guard` answers before any handler (credentials, mandatory headers, limits) or returns None. `error` gives the
    vendor's body for a status. `headers` are added to every answer. `learn` reads one webhook body the vendor would
    have sent, so that its ids are known here afterwards; `seed` adds records; both return how many they took.
    """

    name: str
    prefix: str
    routes: Sequence[Route]
    guard: Callable[[Sandbox, Request], Response | None]
    error: Callable[[int], Response]
    unauthorized: Callable[[], Response]
    rate_limited: Callable[[float], Response]
    snapshot: Callable[[Sandbox], Mapping[str, Any]]
    seed: Callable[[Sandbox, Mapping[str, Any]], int]
    learn: Callable[[Sandbox, Mapping[str, Any]], int] = learn_nothing
    headers: Callable[[Sandbox, Request], Mapping[str, str]] = no_headers
    wrong_shape: Callable[[Any], Any] = as_list


def sandbox_of(request: Request) -> Sandbox:
    return request.scope["sandbox"]


def fault_mode(request: Request) -> str | None:
    """The fault that this request drew, for the modes a handler plays itself."""
    return request.scope.get("sandbox.fault")


def echo(request: Request, provider: str, body: Mapping[str, Any], *, delay_s: float = 0.0) -> None:
    """Fire the vendor's own webhook about what this request did, if a target is configured.

    The fault `duplicate` fires it twice: vendors deliver at least once.
    """
    repeat = 2 if fault_mode(request) == "duplicate" else 1
    request.scope["sandbox.webhooks"].echo(provider, body, delay_s=delay_s, repeat=repeat)


async def json_object(request: Request, invalid: Response) -> dict[str, Any]:
    """The request's JSON object; an empty body is {}. Raises Refused(invalid) for anything else."""
    raw = await request.body()
    if not raw:
        return {}
    try:
        body = json.loads(raw)
    except ValueError:
        raise Refused(invalid) from None
    if not isinstance(body, dict):
        raise Refused(invalid)
    return body


def retry_after_text(seconds: float) -> str:
    """`Retry-After` carries whole seconds, never less than asked."""
    return str(int(-(-seconds // 1)))


def json_response(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse(body, status_code=status, headers=dict(headers) if headers else None)


def whole_number(text: str | None, default: int, low: int, high: int) -> int:
    """A query number, clamped; vendors ignore nonsense here rather than refuse it."""
    try:
        value = int(text) if text else default
    except ValueError:
        value = default
    return max(low, min(high, value))
