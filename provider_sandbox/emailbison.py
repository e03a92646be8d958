"""EmailBison on the wire: leads, campaigns, senders and the route table (vendor reference chapter 5).

Kept behaviours: success bodies in `data`, Laravel error bodies, lists of 15 with `links` and `meta`, 422 for a sender
the workspace does not have, three mandatory fields for a lead, an HTML redirect when the client does not ask for
JSON, a reply appearing as `Outgoing Email` with its `parent_id`, and MANUAL_EMAIL_SENT a moment after it.
"""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provider_sandbox import emailbison_replies
from provider_sandbox.emailbison_store import Store, learn, seed, snapshot
from provider_sandbox.emailbison_wire import (
    NAME,
    error,
    found,
    guard,
    invalid,
    page_of,
    rate_limited,
    read_body,
    store_of,
    unauthorized,
)
from provider_sandbox.state import iso_micro
from provider_sandbox.vendor import Vendor, echo, json_response, sandbox_of

# ── leads ────────────────────────────────────────────────────────────────────


async def _list_leads(request: Request) -> Response:
    needle = request.query_params.get("search", "").lower()
    fields = ("email", "first_name", "last_name", "company")
    leads = list(store_of(request).leads.values())
    return page_of(
        request, [lead for lead in leads if any(needle in str(lead.get(name) or "").lower() for name in fields)]
    )


async def _create_lead(request: Request) -> Response:
    body, sandbox, store = (
        await read_body(request, "first_name", "last_name", "email"),
        sandbox_of(request),
        store_of(request),
    )
    if store.lead_id_by_email(str(body["email"])) is not None:
        raise invalid({"email": "The email has already been taken."})
    _check_variables(store, body)
    lead = store.new_lead(sandbox.ids.number(), sandbox.ids.uuid(), body, iso_micro(sandbox.clock.now()))
    return json_response({"data": lead}, 201)


def _check_variables(store: Store, body: Mapping[str, Any]) -> None:
    for item in body.get("custom_variables") or []:
        if str(item.get("name", "")).lower() not in store.variables:
            raise invalid({"custom_variables": f"The custom variable {item.get('name')} does not exist."})


async def _get_lead(request: Request) -> Response:
    return json_response({"data": found(request, "leads")})


async def _write_lead(request: Request) -> Response:
    lead, body, store = found(request, "leads"), await read_body(request), store_of(request)
    _check_variables(store, body)
    store.write_lead(lead, body, replace=request.method == "PUT", now=iso_micro(sandbox_of(request).clock.now()))
    return json_response({"data": lead})


async def _lead_replies(request: Request) -> Response:
    lead, sandbox = found(request, "leads"), sandbox_of(request)
    replies = (item for item in store_of(request).newest_replies() if item.get("lead_id") == lead["id"])
    return page_of(request, [item for item in replies if sandbox.shows(NAME, item["id"])])


async def _lead_emails(request: Request) -> Response:
    lead, sent_only = found(request, "leads"), request.url.path.endswith("/sent-emails")
    emails = [item for item in store_of(request).emails.values() if item.get("lead_id") == lead["id"]]
    return page_of(request, [item for item in emails if (item.get("status") == "sent") == sent_only])


async def _set_lead_status(request: Request) -> Response:
    lead, store = found(request, "leads"), store_of(request)
    if request.url.path.endswith("/blacklist"):
        store.blacklist[lead["email"]] = True
        lead["status"] = "blacklisted"
    else:
        lead["status"] = "unsubscribed"
        echo(request, NAME, store.event(sandbox_of(request), "LEAD_UNSUBSCRIBED", lead=lead))
    return json_response({"data": lead})


# ── campaigns, senders, variables, webhooks ──────────────────────────────────


async def _list_kind(request: Request) -> Response:
    kind = {
        "campaigns": "campaigns",
        "sender-emails": "senders",
        "custom-variables": "variables",
        "webhook-url": "hooks",
    }
    return page_of(request, list(getattr(store_of(request), kind[request.url.path.rpartition("/")[2]]).values()))


async def _campaign_leads(request: Request) -> Response:
    campaign = found(request, "campaigns")
    return page_of(request, store_of(request).leads_of_campaign(campaign["id"]))


async def _stop_future(request: Request) -> Response:
    campaign, body = found(request, "campaigns"), await read_body(request, "lead_ids")
    stopped = store_of(request).stop_future_emails(campaign["id"], body["lead_ids"])
    message = "Stopping future emails." if stopped else "No leads of this campaign were given."
    return json_response({"data": {"success": bool(stopped), "message": message}})


async def _create_variable(request: Request) -> Response:
    body, sandbox, store = await read_body(request, "name"), sandbox_of(request), store_of(request)
    variable = {"id": sandbox.ids.number(), "name": str(body["name"]).lower()}
    store.variables[variable["name"]] = variable
    return json_response({"data": variable}, 201)


async def _create_hook(request: Request) -> Response:
    body, sandbox, store = await read_body(request, "name", "url", "events"), sandbox_of(request), store_of(request)
    hook = {"id": sandbox.ids.number()} | {name: body[name] for name in ("name", "url", "events")}
    hook["created_at"] = iso_micro(sandbox.clock.now())
    store.hooks[hook["id"]] = hook
    return json_response({"data": hook}, 201)


async def _hook(request: Request) -> Response:
    hook = found(request, "hooks")
    if request.method == "DELETE":
        del store_of(request).hooks[hook["id"]]
        return json_response({"data": {"success": True, "message": "Webhook URL deleted."}})
    if request.method == "PUT":
        hook |= {name: value for name, value in (await read_body(request)).items() if name in ("name", "url", "events")}
    return json_response({"data": hook})


VENDOR = Vendor(
    name=NAME,
    prefix="/emailbison",
    guard=guard,
    error=error,
    unauthorized=unauthorized,
    rate_limited=rate_limited,
    snapshot=snapshot,
    seed=seed,
    learn=learn,
    # Seen at the vendor: the success object without its wrapper.
    wrong_shape=lambda document: document.get("data", [document]) if isinstance(document, dict) else [document],
    routes=[
        Route("/api/replies/new", emailbison_replies.compose, methods=["POST"]),
        Route("/api/replies/{id:int}/reply", emailbison_replies.reply, methods=["POST"]),
        Route("/api/replies/{id:int}/forward", emailbison_replies.reply, methods=["POST"]),
        Route("/api/replies/{id:int}/conversation-thread", emailbison_replies.thread),
        Route("/api/replies/{id:int}/{flag}", emailbison_replies.flag, methods=["PATCH"]),
        Route("/api/replies/{id:int}", emailbison_replies.get_reply),
        Route("/api/replies", emailbison_replies.list_replies),
        Route("/api/leads", _list_leads),
        Route("/api/leads", _create_lead, methods=["POST"]),
        Route("/api/leads/{id:int}", _get_lead),
        Route("/api/leads/{id:int}", _write_lead, methods=["PUT", "PATCH"]),
        Route("/api/leads/{id:int}/replies", _lead_replies),
        Route("/api/leads/{id:int}/sent-emails", _lead_emails),
        Route("/api/leads/{id:int}/scheduled-emails", _lead_emails),
        Route("/api/leads/{id:int}/unsubscribe", _set_lead_status, methods=["PATCH"]),
        Route("/api/leads/{id:int}/blacklist", _set_lead_status, methods=["POST"]),
        Route("/api/campaigns", _list_kind),
        Route("/api/campaigns/{id:int}/leads", _campaign_leads),
        Route("/api/campaigns/{id:int}/leads/stop-future-emails", _stop_future, methods=["POST"]),
        Route("/api/sender-emails", _list_kind),
        Route("/api/custom-variables", _list_kind),
        Route("/api/custom-variables", _create_variable, methods=["POST"]),
        Route("/api/webhook-url", _list_kind),
        Route("/api/webhook-url", _create_hook, methods=["POST"]),
        Route("/api/webhook-url/{id:int}", _hook, methods=["GET", "PUT", "DELETE"]),
    ],
)
