"""Resend on the wire: mails out, their states back as Svix-signed webhooks (vendor reference chapter 12).

Kept behaviours: an idempotency key answers the first id for a day and refuses another body under it, `tags` go in as a list
and come back as an object, and of two events of a mail either may come first.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provider_sandbox.state import BoundedDict, Sandbox, iso_milli
from provider_sandbox.vendor import Refused, SeedError, Vendor, echo, json_object, json_response, sandbox_of

NAME = "resend"
KEY_LIFE = timedelta(hours=24)
MAX_KEY_CHARS = 256
MAX_BATCH = 100
_ERRORS = {
    400: ("validation_error", "The request is not valid."),
    404: ("not_found", "Endpoint not found."),
    405: ("method_not_allowed", "Method not allowed."),
    422: ("invalid_parameter", "Invalid parameter."),
    451: ("security_error", "Possible security issue."),
}


@dataclass(slots=True)
class Store:
    """Mails by id, idempotency keys, and the addresses that bounce."""

    mails: BoundedDict = field(default_factory=BoundedDict)
    keys: dict[str, tuple[datetime, str, Any]] = field(default_factory=dict)
    bouncing: set[str] = field(default_factory=set)


def failed(status: int, name: str, message: str) -> Response:
    return json_response({"statusCode": status, "name": name, "message": message}, status)


def error(status: int) -> Response:
    if status in (401, 403):
        return unauthorized()
    if status == 429:
        return rate_limited(1)
    return failed(status, *_ERRORS.get(status, ("internal_server_error", "Unexpected error.")))


def unauthorized() -> Response:
    return failed(403, "invalid_api_key", "API key is invalid.")


def rate_limited(retry_after: float) -> Response:
    response = failed(429, "rate_limit_exceeded", "Too many requests.")
    response.headers["retry-after"] = str(int(-(-retry_after // 1)))
    return response


def headers(sandbox: Sandbox, request: Request) -> Mapping[str, str]:
    return {"ratelimit-limit": "2", "ratelimit-remaining": "1", "ratelimit-reset": "1"}


def guard(sandbox: Sandbox, request: Request) -> Response | None:
    authorization = request.headers.get("authorization")
    if not authorization:
        return failed(401, "missing_api_key", "Missing API key in the authorization header.")
    return None if sandbox.bearer_ok(NAME, authorization) else unauthorized()


def _checked(mail: Any) -> dict[str, Any]:
    """A mail that can be sent; the vendor's refusal otherwise."""
    if not isinstance(mail, dict):
        raise Refused(error(422))
    for name in ("from", "to", "subject"):
        if not mail.get(name):
            raise Refused(failed(422, "missing_required_field", f"Missing `{name}` field."))
    if "@" not in str(mail["from"]):
        raise Refused(failed(422, "invalid_from_address", "Invalid `from` field."))
    to = [mail["to"]] if isinstance(mail["to"], str) else mail["to"]
    if not isinstance(to, list) or len(to) > 50 or not all(isinstance(each, str) and "@" in each for each in to):
        raise Refused(failed(422, "invalid_parameter", "Invalid `to` field."))
    return {**mail, "to": to}


def _once(request: Request, said: Any, make: Any) -> Any:
    """The first answer to this idempotency key and body, or a new one."""
    sandbox, key = sandbox_of(request), request.headers.get("idempotency-key")
    if key is None:
        return make()
    if not 1 <= len(key) <= MAX_KEY_CHARS:
        raise Refused(failed(400, "invalid_idempotency_key", "The key must have 1 to 256 characters."))
    store, now, body = sandbox.store(Store), sandbox.clock.now(), json.dumps(said, sort_keys=True)
    # Scope of a key: method and endpoint.
    name = f"{request.url.path} {key}"
    known = store.keys.get(name)
    if known is not None and now - known[0] < KEY_LIFE:
        if known[1] != body:
            raise Refused(failed(409, "invalid_idempotent_request", "Key reused with another payload."))
        return known[2]
    answer = make()
    store.keys[name] = (now, body, answer)
    return answer


def _send(request: Request, mail: dict[str, Any]) -> dict[str, str]:
    sandbox = sandbox_of(request)
    store, now, mail_id = sandbox.store(Store), sandbox.clock.now(), sandbox.ids.uuid()
    bounces = any(address.lower() in store.bouncing for address in mail["to"])
    store.mails[mail_id] = {
        "object": "email",
        "id": mail_id,
        "to": mail["to"],
        "from": mail["from"],
        "created_at": now.strftime("%Y-%m-%d %H:%M:%S.%f+00"),
        "subject": mail["subject"],
        **{name: mail.get(name) for name in ("html", "text", "bcc", "cc", "reply_to", "scheduled_at")},
        "last_event": "bounced" if bounces else "delivered",
    }
    tags = {tag.get("name"): tag.get("value") for tag in mail.get("tags") or [] if isinstance(tag, dict)}
    data = {
        "email_id": mail_id, "created_at": iso_milli(now), "from": mail["from"], "to": mail["to"],
        "subject": mail["subject"], "tags": tags,
    }  # fmt: skip
    bounce = {"type": "Permanent", "subType": "General", "message": "No such mailbox.", "diagnosticCode": ["550 5.1.1"]}
    for kind, more in (
        ("email.sent", {}),
        ("email.bounced", {"bounce": bounce}) if bounces else ("email.delivered", {}),
    ):
        body = {"type": kind, "created_at": iso_milli(now), "data": data | more}
        echo(request, NAME, body, delay_s=sandbox.option(NAME, "event_delay_s"))
    return {"id": mail_id}


async def _send_one(request: Request) -> Response:
    said = await json_object(request, error(400))
    mail = _checked(said)
    return json_response(_once(request, said, lambda: _send(request, mail)))


async def _send_batch(request: Request) -> Response:
    try:
        said = json.loads(await request.body())
    except ValueError:
        raise Refused(error(400)) from None
    if not isinstance(said, list) or not 1 <= len(said) <= MAX_BATCH:
        raise Refused(error(422))
    mails = [_checked(mail) for mail in said]
    return json_response(_once(request, said, lambda: {"data": [_send(request, mail) for mail in mails]}))


async def _mail(request: Request) -> Response:
    mail = sandbox_of(request).store(Store).mails.get(request.path_params["id"])
    if mail is None:
        raise Refused(failed(404, "not_found", "Email not found"))
    return json_response(mail)


def snapshot(sandbox: Sandbox) -> Mapping[str, Any]:
    store = sandbox.store(Store)
    return {"mails": list(store.mails.values()), "bouncing": sorted(store.bouncing)}


def seed(sandbox: Sandbox, data: Mapping[str, Any]) -> int:
    """`{bouncing: [address, ..]}`: who does not exist."""
    if unknown := set(data) - {"bouncing"}:
        raise SeedError(f"resend: unknown kind {sorted(unknown)[0]}")
    addresses = [str(each).lower() for each in data.get("bouncing", [])]
    sandbox.store(Store).bouncing.update(addresses)
    return len(addresses)


VENDOR = Vendor(
    name=NAME,
    prefix="/resend",
    guard=guard,
    error=error,
    unauthorized=unauthorized,
    rate_limited=rate_limited,
    snapshot=snapshot,
    seed=seed,
    headers=headers,
    routes=[
        Route("/emails", _send_one, methods=["POST"]),
        Route("/emails/batch", _send_batch, methods=["POST"]),
        Route("/emails/{id}", _mail),
    ],
)
