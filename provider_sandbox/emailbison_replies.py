"""EmailBison's inbox on the wire: sending, reading and flagging replies (vendor reference 5.4)."""

import html
import re
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from provider_sandbox.emailbison_store import Store
from provider_sandbox.emailbison_wire import NAME, error, found, invalid, page_of, read_body, store_of
from provider_sandbox.state import iso_micro
from provider_sandbox.vendor import Refused, echo, json_response, sandbox_of

FLAGS: Mapping[str, tuple[str, Any]] = {
    "mark-as-interested": ("interested", True),
    "mark-as-not-interested": ("interested", False),
    "mark-as-read-or-unread": ("read", "read"),
    "mark-as-automated-or-not-automated": ("automated_reply", "automated"),
    "unsubscribe": ("unsubscribed", True),
}


def _sender(store: Store, body: Mapping[str, Any], parent: Mapping[str, Any] | None) -> dict[str, Any]:
    """The mailbox that sends. `reply_all` without a sender lets the vendor pick: the one that got the mail."""
    wanted = body.get("sender_email_id")
    if wanted is None and body.get("reply_all") and parent is not None:
        wanted = parent.get("sender_email_id") or next(iter(store.senders), None)
    if wanted is None:
        raise invalid({"sender_email_id": "The sender email id field is required."})
    sender = store.senders.get(wanted) if isinstance(wanted, int) else None
    if sender is None or sender["status"] != "Connected":
        raise invalid({"sender_email_id": "The selected sender email id is invalid."})
    return sender


def _recipients(body: Mapping[str, Any], parent: Mapping[str, Any] | None) -> list[dict[str, str]]:
    if body.get("reply_all") and parent is not None:
        return [{"name": parent.get("from_name") or "", "address": parent.get("from_email_address") or ""}]
    if not body.get("to_emails"):
        raise invalid({"to_emails": "The to emails field is required."})
    try:
        return [{"name": item.get("name") or "", "address": item["email_address"]} for item in body["to_emails"]]
    except (TypeError, KeyError, AttributeError):
        raise invalid({"to_emails.0.email_address": "The to_emails.0.email_address field is required."}) from None


def _plain(markup: str) -> str:
    text = re.sub(r"(?i)</p>\s*<p[^>]*>", "\n\n", markup)
    text = re.sub(r"(?i)<br\s*/?>", "\n", text)
    return html.unescape(re.sub(r"<[^>]+>", "", text)).strip()


def _send(request: Request, body: Mapping[str, Any], subject: str, parent: dict[str, Any] | None) -> dict[str, Any]:
    sandbox, store = sandbox_of(request), store_of(request)
    sender = _sender(store, body, parent)
    to = _recipients(body, parent)
    now, message = iso_micro(sandbox.clock.now()), str(body["message"])
    number = sandbox.ids.number()
    lead_id = parent.get("lead_id") if parent else store.lead_id_by_email(to[0]["address"])
    sent = {
        "id": number,
        "uuid": sandbox.ids.uuid(),
        "subject": subject,
        "from_email_address": sender["email"],
        "from_name": sender["name"],
        "primary_to_email_address": to[0]["address"],
        "to": to,
        "cc": _copies(body.get("cc_emails")),
        "bcc": _copies(body.get("bcc_emails")),
        "html_body": message if body.get("content_type") == "html" else None,
        "text_body": _plain(message) if body.get("content_type") == "html" else message,
        "type": "Outgoing Email",
        "folder": "Sent",
        "interested": False,
        "automated_reply": False,
        "parent_id": parent["id"] if parent else None,
        "lead_id": lead_id,
        "campaign_id": parent.get("campaign_id") if parent else None,
        "sender_email_id": sender["id"],
        "date_received": now,
        "created_at": now,
        "updated_at": now,
        "raw_message_id": f"<out-{number}@{sender['email'].partition('@')[2]}>",
    }
    store.replies[number] = sent
    sandbox.hide(NAME, number)
    event = store.event(sandbox, "MANUAL_EMAIL_SENT", reply=sent)
    echo(request, NAME, event, delay_s=sandbox.option(NAME, "echo_delay_s"))
    return sent


def _copies(items: Any) -> list[dict[str, str]]:
    return [
        {"name": item.get("name") or "", "address": item.get("email_address") or ""}
        for item in items or []
        if isinstance(item, dict)
    ]


async def reply(request: Request) -> Response:
    parent = found(request, "replies")
    body = await read_body(request, "message")
    subject = str(parent.get("subject") or "")
    sent = _send(request, body, subject if subject.lower().startswith("re:") else f"Re: {subject}", parent)
    data: dict[str, Any] = {"success": True, "message": "Successfully sent your email"}
    if not body.get("reply_all"):
        data["reply"] = sent
    return json_response({"data": data})


async def compose(request: Request) -> Response:
    body = await read_body(request, "subject", "message")
    sent = _send(request, body, str(body["subject"]), None)
    return json_response({"data": {"success": True, "message": "Successfully sent your email", "reply": sent}})


async def list_replies(request: Request) -> Response:
    query, sandbox = request.query_params, sandbox_of(request)
    items = [item for item in store_of(request).newest_replies() if sandbox.shows(NAME, item["id"])]
    for name in ("campaign_id", "sender_email_id", "lead_id"):
        if query.get(name):
            items = [item for item in items if str(item.get(name)) == query[name]]
    folder, status = query.get("folder", "inbox").lower(), query.get("status")
    if folder != "all":
        items = [item for item in items if str(item.get("folder", "")).lower() == folder]
    if status == "interested":
        items = [item for item in items if item.get("interested")]
    elif status in ("automated_reply", "not_automated_reply"):
        items = [item for item in items if bool(item.get("automated_reply")) == (status == "automated_reply")]
    if query.get("search"):
        needle = query["search"].lower()
        fields = ("subject", "text_body", "from_email_address", "primary_to_email_address")
        items = [item for item in items if any(needle in str(item.get(name) or "").lower() for name in fields)]
    return page_of(request, items)


async def get_reply(request: Request) -> Response:
    return json_response({"data": found(request, "replies")})


async def thread(request: Request) -> Response:
    current, store = found(request, "replies"), store_of(request)
    thread = [item for item in store.newest_replies() if item.get("lead_id") == current.get("lead_id")]
    older = [item for item in thread if item["id"] < current["id"]]
    newer = [item for item in thread if item["id"] > current["id"]]
    data = {"current_reply": current, "older_messages": older, "newer_messages": newer}
    return json_response({"data": data})


async def flag(request: Request) -> Response:
    reply, flag = found(request, "replies"), request.path_params["flag"]
    if flag not in FLAGS:
        raise Refused(error(404))
    body = await read_body(request)
    field, value = FLAGS[flag]
    reply[field] = bool(body.get(value)) if isinstance(value, str) else value
    sandbox = sandbox_of(request)
    reply["updated_at"] = iso_micro(sandbox.clock.now())
    if flag == "mark-as-interested" and not body.get("skip_webhooks"):
        echo(request, NAME, store_of(request).event(sandbox, "LEAD_INTERESTED", reply=reply))
    return json_response({"data": reply})
