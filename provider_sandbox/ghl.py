"""GoHighLevel on the wire: conversations and the route table (vendor reference chapter 4).

Kept behaviours: `Version` header, 100 requests per 10 s with the five rate headers, 400 for a contact with DND (key
`status`, not `statusCode`), messages visible in the export a second later, `succeded` as the vendor spells it.
"""

import base64
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provider_sandbox import ghl_calendars, ghl_contacts
from provider_sandbox.ghl_store import NAME, learn, seed, snapshot
from provider_sandbox.ghl_wire import (
    contact_of,
    error,
    guard,
    rate_headers,
    rate_limited,
    read_body,
    refuse,
    store_of,
    trace,
    unauthorized,
    unprocessable,
)
from provider_sandbox.state import parse_iso
from provider_sandbox.vendor import Refused, Vendor, json_response, sandbox_of, whole_number

MESSAGE_TYPES = ("SMS", "Email", "WhatsApp", "IG", "FB", "Custom", "Live_Chat")


def _check_sendable(contact: Mapping[str, Any]) -> None:
    settings = contact.get("dndSettings", {}).get("SMS", {})
    # In the vendor's words an *active* DND setting blocks; a contact without DND has no entry or `inactive`.
    if contact.get("dnd") or settings.get("status") in ("active", "permanent"):
        body = {"status": 400, "message": "Cannot send message as DND is active for SMS.", "name": "HttpException"}
        raise Refused(json_response(body, 400))
    if not contact.get("phone"):
        raise Refused(json_response({"status": 422, "message": "Missing phone number", "name": "HttpException"}, 422))


async def _send(request: Request) -> Response:
    body, store = await read_body(request), store_of(request)
    if not isinstance(body.get("contactId"), str) or not body["contactId"]:
        raise unprocessable("contactId must be a string", "contactId should not be empty")
    if body.get("type") not in MESSAGE_TYPES:
        raise unprocessable(f"type must be one of the following values: {', '.join(MESSAGE_TYPES)}")
    if not body.get("message") and not body.get("attachments"):
        raise refuse(400, "There is no message or attachments for this message. Skip sending.")
    contact = contact_of(request, body["contactId"])
    if body["type"] == "SMS":
        _check_sendable(contact)
    conversation = store.conversation_of(contact, sandbox_of(request).ids)
    message = store.add_message(
        sandbox_of(request), contact, body=str(body.get("message") or ""), direction="outbound", kind=body["type"]
    )
    message |= {"source": "api", "attachments": body.get("attachments") or []}
    sandbox_of(request).hide(NAME, message["id"])
    answer = {"conversationId": conversation["id"], "messageId": message["id"], "traceId": trace(request)}
    return json_response(answer, 201)


async def _search_conversations(request: Request) -> Response:
    query, store = request.query_params, store_of(request)
    if not query.get("locationId"):
        raise unprocessable("locationId must be a string", "locationId should not be empty")
    found = [
        store.shown_conversation(item)
        for item in store.conversations.values()
        if item["locationId"] == query["locationId"] and query.get("contactId", item["contactId"]) == item["contactId"]
    ]
    return json_response({"conversations": found[:20], "total": len(found)})


async def _conversation_messages(request: Request) -> Response:
    store, query = store_of(request), request.query_params
    conversation = store.conversations.get(request.path_params["id"])
    if conversation is None:
        raise refuse(404, "Conversation not found")
    messages = store.newest_messages(conversation["contactId"])
    if query.get("lastMessageId"):
        ids = [message["id"] for message in messages]
        start = ids.index(query["lastMessageId"]) + 1 if query["lastMessageId"] in ids else len(ids)
        messages = messages[start:]
    limit = whole_number(query.get("limit"), 20, 1, 100)
    page = messages[:limit]
    answer = {
        "lastMessageId": page[-1]["id"] if page else None,
        "nextPage": len(messages) > limit,
        "messages": page,
        "traceId": trace(request),
    }
    return json_response(answer)


def _nested_messages(document: Any) -> Any:
    """The message list as seen in the field: nested once more under `messages`."""
    if isinstance(document, dict) and "lastMessageId" in document:
        trace = document.pop("traceId")
        return {"messages": document, "traceId": trace}
    if isinstance(document, dict) and "event" in document:
        return {"appointment": document["event"]}
    return [document]


async def _get_message(request: Request) -> Response:
    message = store_of(request).messages.get(request.path_params["id"])
    if message is None:
        raise refuse(404, "Message not found")
    return json_response({"message": message, "traceId": trace(request)})


async def _set_message_status(request: Request) -> Response:
    message, body = store_of(request).messages.get(request.path_params["id"]), await read_body(request)
    if message is None:
        raise refuse(404, "Message not found")
    message["status"] = str(body.get("status") or message["status"])
    return json_response({"conversationId": message["conversationId"], "messageId": message["id"], "msg": "updated"})


def _cursor_offset(cursor: str) -> int:
    try:
        return int(base64.b64decode(cursor.encode(), validate=True))
    except ValueError:
        raise refuse(400, "Invalid cursor") from None


async def _export(request: Request) -> Response:
    query, store, sandbox = request.query_params, store_of(request), sandbox_of(request)
    if not query.get("locationId"):
        raise unprocessable("locationId must be a string", "locationId should not be empty")
    visible_until = sandbox.clock.now().timestamp() - sandbox.option(NAME, "export_lag_s")
    start, end = (parse_iso(query.get(name, "")) for name in ("startDate", "endDate"))
    kind = f"TYPE_{query['channel'].upper()}" if query.get("channel") else None

    def wanted(message: Mapping[str, Any]) -> bool:
        added = parse_iso(message["dateAdded"])
        return (
            added is not None
            and message["locationId"] == query["locationId"]
            and query.get("contactId", message["contactId"]) == message["contactId"]
            and (kind is None or message["messageType"] == kind)
            and (start is None or added >= start)
            and (end is None or added <= end)
            and added.timestamp() <= visible_until
            and sandbox.shows(NAME, message["id"])
        )

    messages = [message for message in store.newest_messages() if wanted(message)]
    if query.get("sortOrder", "desc").lower() == "asc":
        messages.reverse()
    offset, limit = _cursor_offset(query["cursor"]) if query.get("cursor") else 0, query.get("limit")
    page = messages[offset : offset + whole_number(limit, 10, 1, 100)]
    after = offset + len(page)
    cursor = base64.b64encode(str(after).encode()).decode() if after < len(messages) else None
    return json_response({"messages": page, "nextCursor": cursor, "total": len(messages), "traceId": trace(request)})


VENDOR = Vendor(
    name=NAME,
    prefix="/ghl",
    guard=guard,
    error=error,
    unauthorized=unauthorized,
    rate_limited=rate_limited,
    snapshot=snapshot,
    seed=seed,
    learn=learn,
    headers=rate_headers,
    wrong_shape=_nested_messages,
    routes=[
        Route("/conversations/messages", _send, methods=["POST"]),
        Route("/conversations/messages/export", _export),
        Route("/conversations/messages/{id}", _get_message),
        Route("/conversations/messages/{id}/status", _set_message_status, methods=["PUT"]),
        Route("/conversations/search", _search_conversations),
        Route("/conversations/{id}/messages", _conversation_messages),
        Route("/contacts/upsert", ghl_contacts.upsert, methods=["POST"]),
        Route("/contacts/", ghl_contacts.upsert, methods=["POST"]),
        Route("/contacts/search", ghl_contacts.search_contacts, methods=["POST"]),
        Route("/contacts/search/duplicate", ghl_contacts.search_duplicate),
        Route("/contacts/{id}", ghl_contacts.get_contact),
        Route("/contacts/{id}", ghl_contacts.update_contact, methods=["PUT"]),
        Route("/contacts/{id}/appointments", ghl_calendars.contact_appointments),
        Route("/contacts/{id}/workflow/{workflow}", ghl_contacts.add_to_workflow, methods=["POST"]),
        Route("/users/", ghl_contacts.list_users),
        Route("/workflows/", ghl_contacts.list_workflows),
        *ghl_calendars.ROUTES,
    ],
)
