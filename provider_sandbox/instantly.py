"""Instantly API v2 on the wire (vendor reference chapter 7).

Kept behaviours: required fields in the vendor's words, the recipient taken from the answered mail, `items` with
`next_starting_after`, twenty list calls of mails a minute, 429 without `Retry-After`.
"""

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provider_sandbox.state import BoundedDict, Sandbox, iso_milli, parse_iso
from provider_sandbox.vendor import Refused, SeedError, Vendor, json_object, json_response, sandbox_of, whole_number

NAME = "instantly"
_TITLES = {400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests"}
_EMAIL_TYPES = {"received": 2, "sent": 1, "manual": 3}


@dataclass(slots=True)
class Store:
    """Mails of both directions by id, campaigns, blocked addresses, and when mails were listed."""

    emails: BoundedDict = field(default_factory=BoundedDict)
    campaigns: BoundedDict = field(default_factory=BoundedDict)
    blocked: BoundedDict = field(default_factory=BoundedDict)
    lists: deque[float] = field(default_factory=deque)


def _store(request: Request) -> Store:
    return sandbox_of(request).store(Store)


def failed(status: int, message: str) -> Response:
    title = _TITLES.get(status, "Internal Server Error" if status >= 500 else "Bad Request")
    return json_response({"statusCode": status, "error": title, "message": message}, status)


def error(status: int) -> Response:
    words = {401: "Invalid API key", 404: "Email not found", 429: "Rate limit exceeded"}
    return failed(status, words.get(status, "Something went wrong" if status >= 500 else "Bad request"))


def guard(sandbox: Sandbox, request: Request) -> Response | None:
    return None if sandbox.bearer_ok(NAME, request.headers.get("authorization")) else error(401)


def _mail(sandbox: Sandbox, **fields: Any) -> dict[str, Any]:
    number, now = sandbox.ids.number(), iso_milli(sandbox.clock.now())
    return {
        "id": sandbox.ids.uuid(),
        "timestamp_created": now,
        "timestamp_email": now,
        "message_id": f"<i-{number}@sandbox.example>",
        "subject": "",
        "from_address_email": "",
        "to_address_email_list": "",
        "cc_address_email_list": "",
        "body": {"text": "", "html": ""},
        "organization_id": "sandbox",
        "campaign_id": None,
        "eaccount": "",
        "ue_type": 3,
        "is_unread": 0,
        "is_auto_reply": 0,
        "thread_id": f"t{number}",
        "lead": "",
        "i_status": None,
        **fields,
    }


async def _reply(request: Request) -> Response:
    sandbox, store = sandbox_of(request), _store(request)
    body = await json_object(request, failed(400, "Body is not valid JSON"))
    for name in ("reply_to_uuid", "eaccount", "subject", "body"):
        if body.get(name) in (None, "", {}):
            raise Refused(failed(400, f"body must have required property '{name}'"))
    answered = store.emails.get(body["reply_to_uuid"])
    if answered is None and not sandbox.option(NAME, "adopt_unknown"):
        raise Refused(error(404))
    # Option `adopt_unknown`: an id never seen is a mail of a lead named after it.
    author = answered["from_address_email"] if answered else f"{body['reply_to_uuid']}@lead.example"
    said = body["body"] if isinstance(body["body"], dict) else {}
    mail = _mail(
        sandbox,
        subject=body["subject"],
        from_address_email=body["eaccount"],
        to_address_email_list=author,
        cc_address_email_list=body.get("cc_address_email_list") or "",
        body={"text": said.get("text") or "", "html": said.get("html") or ""},
        campaign_id=answered["campaign_id"] if answered else None,
        eaccount=body["eaccount"],
        lead=answered["lead"] if answered else author,
        reply_to_uuid=body["reply_to_uuid"],
    )
    if answered:
        mail["thread_id"] = answered["thread_id"]
    store.emails[mail["id"]] = mail
    sandbox.hide(NAME, mail["id"])
    return json_response(mail)


async def _list(request: Request) -> Response:
    sandbox, store, query = sandbox_of(request), _store(request), request.query_params
    most, now = sandbox.option(NAME, "lists_per_minute"), time.monotonic()
    while store.lists and store.lists[0] <= now - 60:
        store.lists.popleft()
    if most and len(store.lists) >= most:
        raise Refused(error(429))
    store.lists.append(now)
    kind, since = _EMAIL_TYPES.get(query.get("email_type", "")), parse_iso(query.get("min_timestamp_created", ""))
    thread = query.get("search", "").removeprefix("thread:") if query.get("search", "").startswith("thread:") else None

    def wanted(mail: Mapping[str, Any]) -> bool:
        created = parse_iso(mail["timestamp_created"])
        return (
            (kind is None or mail["ue_type"] == kind)
            and query.get("lead", mail["lead"]) in (mail["lead"], "")
            and query.get("eaccount", mail["eaccount"]) == mail["eaccount"]
            and (thread is None or mail["thread_id"] == thread)
            and (since is None or (created is not None and created >= since))
            and sandbox.shows(NAME, mail["id"])
        )

    mails = [mail for mail in reversed(store.emails.values()) if wanted(mail)]
    return _page(query.get("starting_after"), whole_number(query.get("limit"), 10, 1, 100), mails)


def _page(after: str | None, limit: int, items: list[dict[str, Any]]) -> Response:
    ids = [item["id"] for item in items]
    start = ids.index(after) + 1 if after in ids else 0
    page = items[start : start + limit]
    more = page[-1]["id"] if page and start + limit < len(items) else None
    return json_response({"items": page, "next_starting_after": more})


async def _get(request: Request) -> Response:
    mail = _store(request).emails.get(request.path_params["id"])
    if mail is None:
        raise Refused(error(404))
    return json_response(mail)


async def _campaigns(request: Request) -> Response:
    query = request.query_params
    items = list(_store(request).campaigns.values())
    return _page(query.get("starting_after"), whole_number(query.get("limit"), 10, 1, 100), items)


async def _create_hook(request: Request) -> Response:
    body, sandbox = await json_object(request, error(400)), sandbox_of(request)
    if not body.get("target_hook_url"):
        raise Refused(failed(400, "body must have required property 'target_hook_url'"))
    shown = {name: body.get(name) for name in ("target_hook_url", "event_type", "name")}
    created = {"id": sandbox.ids.uuid(), "organization": "sandbox", "status": 1}
    return json_response({**created, **shown, "timestamp_created": iso_milli(sandbox.clock.now())})


async def _block(request: Request) -> Response:
    body, sandbox = await json_object(request, error(400)), sandbox_of(request)
    if not isinstance(body.get("bl_value"), str) or not body["bl_value"]:
        raise Refused(failed(400, "body must have required property 'bl_value'"))
    value = body["bl_value"].lower()
    created = {"id": sandbox.ids.uuid(), "timestamp_created": iso_milli(sandbox.clock.now()), "bl_value": value}
    entry = _store(request).blocked.setdefault(value, {**created, "is_domain": "@" not in value})
    return json_response(entry)


def snapshot(sandbox: Sandbox) -> Mapping[str, Any]:
    store = sandbox.store(Store)
    kinds = {"emails": store.emails, "campaigns": store.campaigns, "blocked": store.blocked}
    return {name: list(kind.values()) for name, kind in kinds.items()}


def seed(sandbox: Sandbox, data: Mapping[str, Any]) -> int:
    """`{emails: [{id, lead, eaccount, subject?, thread_id?, ..}, ...], campaigns: [{id, ..}, ...]}`; mails are received."""
    store, taken = sandbox.store(Store), 0
    if set(data) - {"emails", "campaigns"}:
        raise SeedError("instantly: emails and campaigns can be seeded")
    for kind in ("emails", "campaigns"):
        for item in data.get(kind, []):
            if not isinstance(item, dict) or not isinstance(item.get("id"), str):
                raise SeedError(f"instantly {kind}: every record needs a text id")
            if kind == "emails":
                received = {"ue_type": 2, "from_address_email": item.get("lead", "")}
                store.emails[item["id"]] = _mail(sandbox, **(received | item))
            else:
                created = iso_milli(sandbox.clock.now())
                store.campaigns[item["id"]] = {"name": "Sandbox", "status": 1, "timestamp_created": created} | item
            taken += 1
    return taken


def learn(sandbox: Sandbox, body: Mapping[str, Any]) -> int:
    """Remember the mail that a reply's webhook speaks of."""
    lead, mail_id = body.get("lead_email") or body.get("contact_email"), body.get("email_id")
    if not mail_id or not lead:
        return 0
    known = {"lead": lead, "eaccount": body.get("email_account") or "", "campaign_id": body.get("campaign_id")}
    seed(sandbox, {"emails": [{"id": mail_id, **known, "subject": body.get("reply_subject") or ""}]})
    return 1


VENDOR = Vendor(
    name=NAME,
    prefix="/instantly",
    guard=guard,
    error=error,
    unauthorized=lambda: error(401),
    # The vendor sends no rate headers at all.
    rate_limited=lambda _retry_after: error(429),
    snapshot=snapshot,
    seed=seed,
    learn=learn,
    routes=[
        Route("/api/v2/emails/reply", _reply, methods=["POST"]),
        Route("/api/v2/emails", _list),
        Route("/api/v2/emails/{id}", _get),
        Route("/api/v2/campaigns", _campaigns),
        Route("/api/v2/block-lists-entries", _block, methods=["POST"]),
        Route("/api/v2/webhooks", _create_hook, methods=["POST"]),
    ],
)
