"""SmartLead on the wire (vendor reference chapter 6).

Kept behaviours: the key in the query only, a bare array of campaigns, field names checked in the vendor's words, a reply
that is queued and named by nothing, plain text instead of JSON on demand, both shapes of the message history.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from provider_sandbox.state import BoundedDict, Sandbox, iso_milli
from provider_sandbox.vendor import Refused, SeedError, Vendor, json_object, json_response, retry_after_text, sandbox_of

NAME = "smartlead"
_WORDS = {401: "API key is invalid.", 404: "Not found", 429: "Too many requests"}


@dataclass(slots=True)
class Store:
    """Leads by address, the stats ids that may be answered (with lead and campaign), and mails sent, oldest first."""

    leads: BoundedDict = field(default_factory=BoundedDict)
    stats: BoundedDict = field(default_factory=BoundedDict)
    received: BoundedDict = field(default_factory=BoundedDict)
    sent: BoundedDict = field(default_factory=BoundedDict)
    campaigns: BoundedDict = field(default_factory=BoundedDict)

    def lead(self, email: str, sandbox: Sandbox, lead_id: Any = None) -> dict[str, Any]:
        if email not in self.leads:
            self.leads[email] = {"id": str(lead_id or sandbox.ids.number()), "email": email, "lead_campaign_data": []}
        return self.leads[email]


def _store(request: Request) -> Store:
    return sandbox_of(request).store(Store)


def error(status: int) -> Response:
    return json_response(
        {"message": _WORDS.get(status, "Internal server error" if status >= 500 else "Bad request")}, status
    )


def rate_limited(retry_after: float) -> Response:
    return json_response({"message": _WORDS[429]}, 429, {"Retry-After": retry_after_text(retry_after)})


def guard(sandbox: Sandbox, request: Request) -> Response | None:
    return None if request.query_params.get("api_key") in sandbox.credentials[NAME] else error(401)


async def _reply(request: Request) -> Response:
    sandbox, store = sandbox_of(request), _store(request)
    body = await json_object(request, error(400))
    for name in ("email_stats_id", "email_body"):
        if not body.get(name):
            raise Refused(json_response({"message": f'"{name}" is required'}, 400))
    stats = store.stats.get(body["email_stats_id"])
    if stats is None and not sandbox.option(NAME, "adopt_unknown"):
        raise Refused(json_response({"message": "Email stats not found"}, 404))
    recipient = str(body.get("to_email") or (stats or {}).get("email") or "")
    lead = store.lead((stats or {}).get("email") or recipient, sandbox)
    mail = {
        "stats_id": body["email_stats_id"],
        "type": "SENT",
        "message_id": f"<sl-{sandbox.ids.number()}@sandbox.example>",
        "time": iso_milli(sandbox.clock.now()),
        "email_body": str(body["email_body"]),
        "subject": (stats or {}).get("subject") or "",
        "to": recipient,
        "cc": body.get("cc") or "",
        "lead_id": lead["id"],
        "campaign_id": request.path_params["campaign"],
        "email_seq_number": None,
        "open_count": 0,
        "click_count": 0,
    }
    store.sent[mail["message_id"]] = mail
    sandbox.hide(NAME, mail["message_id"])
    if sandbox.option(NAME, "plain_success"):
        return PlainTextResponse("success")
    return json_response({"ok": True, "data": "Email added to the queue, will be sent out soon!"})


async def _history(request: Request) -> Response:
    sandbox, store, lead_id = sandbox_of(request), _store(request), request.path_params["lead"]
    lead = next((lead for lead in store.leads.values() if lead["id"] == lead_id), None)
    if lead is None:
        raise Refused(error(404))
    received = [item for item in store.received.values() if item["lead_id"] == lead_id]
    sent = [
        item for item in store.sent.values() if item["lead_id"] == lead_id and sandbox.shows(NAME, item["message_id"])
    ]
    items = sorted([*received, *sent], key=lambda item: item["time"])
    if sandbox.option(NAME, "history_shape") == "messages":
        return json_response({"messages": [_new_shape(item) for item in items]})
    return json_response({"history": items, "from": "sender@sandbox.example", "to": lead["email"]})


def _new_shape(item: Mapping[str, Any]) -> dict[str, Any]:
    outbound = item["type"] == "SENT"
    when = {"sent_at": item["time"]} if outbound else {"received_at": item["time"]}
    return {
        "id": item["message_id"],
        "subject": item["subject"],
        "direction": "outbound" if outbound else "inbound",
        **when,
    }


async def _lead_by_email(request: Request) -> Response:
    return json_response(_store(request).leads.get(request.query_params.get("email", "").lower(), {}))


async def _unsubscribe(request: Request) -> Response:
    lead = next((each for each in _store(request).leads.values() if each["id"] == request.path_params["lead"]), None)
    if lead is None:
        raise Refused(error(404))
    lead["is_unsubscribed"] = True
    return json_response({"ok": True})


async def _campaigns(request: Request) -> Response:
    return json_response(list(_store(request).campaigns.values()))


async def _create_hook(request: Request) -> Response:
    body = await json_object(request, error(400))
    if not body.get("webhook_url"):
        raise Refused(json_response({"message": '"webhook_url" is required'}, 400))
    return json_response({"success": True, "data": {"id": sandbox_of(request).ids.number()}})


def snapshot(sandbox: Sandbox) -> Mapping[str, Any]:
    store = sandbox.store(Store)
    return {kind: list(getattr(store, kind).values()) for kind in ("leads", "stats", "sent", "received", "campaigns")}


def seed(sandbox: Sandbox, data: Mapping[str, Any]) -> int:
    """`{stats: [{stats_id, email, lead_id?, campaign_id?, subject?}, ...]}`: mails that may be answered."""
    if set(data) - {"stats"}:
        raise SeedError("smartlead: only stats can be seeded")
    for item in data.get("stats", []):
        if not isinstance(item, dict) or not item.get("stats_id") or not item.get("email"):
            raise SeedError("smartlead stats: every record needs stats_id and email")
        _remember(sandbox, item)
    return len(data.get("stats", []))


def _remember(sandbox: Sandbox, item: Mapping[str, Any]) -> None:
    store, email = sandbox.store(Store), str(item["email"]).lower()
    lead = store.lead(email, sandbox, item.get("lead_id"))
    store.stats[item["stats_id"]] = {"stats_id": item["stats_id"], "email": email, "subject": item.get("subject") or ""}
    campaign = item.get("campaign_id")
    if campaign is not None and campaign not in store.campaigns:
        created = iso_milli(sandbox.clock.now())
        kind = {"name": item.get("campaign_name") or "Sandbox", "status": "ACTIVE", "client_id": None}
        store.campaigns[campaign] = {"id": campaign, **kind, "created_at": created}
    for message in item.get("history", ()):
        store.received[message["message_id"]] = {**message, "lead_id": lead["id"], "stats_id": item["stats_id"]}


def learn(sandbox: Sandbox, body: Mapping[str, Any]) -> int:
    """Remember the mail that a reply's webhook speaks of, with the thread so far."""
    letters = body.get("leadCorrespondence") or {}
    email = letters.get("targetLeadEmail") or body.get("sl_lead_email") or body.get("to_email")
    if not body.get("stats_id") or not email:
        return 0
    subject = str(body.get("subject") or "")
    parts = (("SENT", body.get("sent_message") or {}), ("REPLY", body.get("reply_message") or {}))
    history = [
        {"type": kind, "message_id": part["message_id"], "time": part.get("time"), "email_body": part.get("html") or "",
         "subject": subject, "email_seq_number": "1", "open_count": 0, "click_count": 0}
        for kind, part in parts if part.get("message_id")
    ]  # fmt: skip
    names = ("stats_id", "campaign_id", "campaign_name", "subject")
    known = {name: body.get(name) for name in names}
    _remember(sandbox, {**known, "email": email, "lead_id": body.get("sl_email_lead_id"), "history": history})
    return 1


VENDOR = Vendor(
    name=NAME,
    prefix="/smartlead",
    guard=guard,
    error=error,
    unauthorized=lambda: error(401),
    rate_limited=rate_limited,
    snapshot=snapshot,
    seed=seed,
    learn=learn,
    routes=[
        Route("/api/v1/campaigns", _campaigns),
        Route("/api/v1/campaigns/{campaign}/reply-email-thread", _reply, methods=["POST"]),
        Route("/api/v1/campaigns/{campaign}/leads/{lead}/message-history", _history),
        Route("/api/v1/leads/", _lead_by_email),
        Route("/api/v1/leads/{lead}/unsubscribe", _unsubscribe, methods=["POST"]),
        Route("/api/v1/webhook/create", _create_hook, methods=["POST"]),
    ],
)
