"""Unipile API v1 (LinkedIn) on the wire (vendor reference chapter 8).

Kept behaviours: `errors/…` types, distance and pending invitation per profile, messages to strangers refused, InMail to
open profiles while there is credit, multipart and JSON bodies, one pending invitation per person.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provider_sandbox.state import BoundedDict, Sandbox, iso_milli, parse_iso
from provider_sandbox.vendor import Refused, SeedError, Vendor, json_object, json_response, sandbox_of, whole_number

NAME = "unipile"
NEAR = ("FIRST_DEGREE", "DISTANCE_1", "SELF")
NOTE_CHARS = 300
_DETAILS = {
    "missing_credentials": (401, "Missing credentials", "X-API-KEY header is missing."),
    "disconnected_account": (401, "Disconnected account", "The account appears to be disconnected from the provider."),
    "resource_not_found": (404, "Resource not found", "The requested profile does not exist."),
    "invalid_parameters": (400, "Invalid parameters", "A parameter is missing or malformed."),
    "too_many_characters": (400, "Too many characters", "The message is too long."),
    "no_connection_with_recipient": (422, "No connection", "The recipient is not a first degree connection."),
    "insufficient_credits": (422, "Insufficient credits", "No InMail credit left."),
    "already_invited_recently": (422, "Already invited recently", "An invitation was sent recently."),
    "already_connected": (422, "Already connected", "The recipient is a connection."),
    "too_many_requests": (429, "Too many requests", "Provider limit."),
    "unexpected_error": (500, "Unexpected error", "Something went wrong."),
    "service_unavailable": (503, "Service unavailable", "Try again."),
    "request_timeout": (504, "Request timed out", "Please try again."),
}


@dataclass(slots=True)
class Store:
    """Profiles by member id, chats, messages and invitations by id, and the credit for InMail."""

    profiles: BoundedDict = field(default_factory=BoundedDict)
    chats: BoundedDict = field(default_factory=BoundedDict)
    messages: BoundedDict = field(default_factory=BoundedDict)
    invitations: BoundedDict = field(default_factory=BoundedDict)
    disconnected: set[str] = field(default_factory=set)
    credits: int = 5

    def profile(self, identifier: str) -> dict[str, Any] | None:
        if identifier in self.profiles:
            return self.profiles[identifier]
        return next((each for each in self.profiles.values() if each["public_identifier"] == identifier), None)

    def pending(self, member: str) -> dict[str, Any] | None:
        return next((each for each in self.invitations.values() if each["invited_user_id"] == member), None)


def _store(request: Request) -> Store:
    return sandbox_of(request).store(Store)


def refusal(kind: str) -> Response:
    status, title, detail = _DETAILS[kind]
    body = {"status": status, "type": f"errors/{kind}", "title": title, "detail": detail, "instance": "/api/v1"}
    return json_response(body, status)


def error(status: int) -> Response:
    kind = next((name for name, (code, _, _) in _DETAILS.items() if code == status), None)
    return refusal(kind or ("unexpected_error" if status >= 500 else "invalid_parameters"))


def guard(sandbox: Sandbox, request: Request) -> Response | None:
    return None if request.headers.get("x-api-key") in sandbox.credentials[NAME] else refusal("missing_credentials")


def _form(content_type: str, body: bytes) -> dict[str, str]:
    """The text fields of a multipart body."""
    parsed = message_from_bytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    fields = {}
    for part in parsed.walk():
        name, value = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(value, bytes):
            fields[name] = value.decode("utf-8", "replace")
    return fields


async def _fields(request: Request) -> dict[str, Any]:
    """The body, as JSON or as a multipart form with the names that the vendor's SDK sends."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return await json_object(request, refusal("invalid_parameters"))
    flat = _form(request.headers["content-type"], await request.body())
    fields: dict[str, Any] = {name: value for name, value in flat.items() if "[" not in name}
    if "attendees_ids" in fields:
        fields["attendees_ids"] = [fields["attendees_ids"]]
    if flat.get("linkedin[inmail]") == "true":
        fields["linkedin"] = {"inmail": True, "api": flat.get("linkedin[api]")}
    return fields


def _check_account(request: Request, account: Any) -> str:
    sandbox, wanted = sandbox_of(request), str(account or "")
    if wanted in _store(request).disconnected:
        raise Refused(refusal("disconnected_account"))
    known = sandbox.option(NAME, "account_id")
    if not wanted or (known and wanted != known):
        raise Refused(refusal("invalid_parameters"))
    return wanted


def _profile_of(request: Request, identifier: str) -> dict[str, Any]:
    sandbox, store = sandbox_of(request), _store(request)
    found = store.profile(identifier)
    if found is None and sandbox.option(NAME, "adopt_unknown"):
        found = _new_profile(
            store, {"provider_id": identifier, "network_distance": sandbox.option(NAME, "adopted_distance")}
        )
    if found is None:
        raise Refused(refusal("resource_not_found"))
    return found


def _new_profile(store: Store, fields: Mapping[str, Any]) -> dict[str, Any]:
    member = str(fields["provider_id"])
    distance = fields.get("network_distance", "SECOND_DEGREE")
    profile = {
        "object": "UserProfile",
        "provider": "LINKEDIN",
        "provider_id": member,
        "public_identifier": member.lower(),
        "first_name": "Sandbox",
        "last_name": "Person",
        "headline": "",
        "network_distance": distance,
        "is_relationship": distance in NEAR,
        "is_open_profile": False,
        "is_premium": False,
        **fields,
    }
    store.profiles[member] = profile
    return profile


async def _get_profile(request: Request) -> Response:
    _check_account(request, request.query_params.get("account_id"))
    profile = _profile_of(request, request.path_params["identifier"])
    pending = _store(request).pending(profile["provider_id"])
    seeded = profile.get("invitation")
    return json_response({**profile, "invitation": {"type": "SENT", "status": "PENDING"} if pending else seeded})


def _add_message(request: Request, chat: Mapping[str, Any], text: str) -> dict[str, Any]:
    sandbox, store = sandbox_of(request), _store(request)
    message = {
        "object": "Message",
        "id": sandbox.ids.alnum(20),
        "account_id": chat["account_id"],
        "chat_id": chat["id"],
        "chat_provider_id": f"2-{chat['id']}",
        "provider_id": f"2-{sandbox.ids.alnum(8)}",
        "sender_id": "us",
        "attendee_provider_id": chat["attendee_provider_id"],
        "text": text,
        "timestamp": iso_milli(sandbox.clock.now()),
        "is_sender": 1,
        "seen": 0,
        "attachments": [],
        "reactions": [],
        "is_event": 0,
    }
    store.messages[message["id"]] = message
    chat["timestamp"] = message["timestamp"]  # type: ignore[index]
    sandbox.hide(NAME, message["id"])
    return message


async def _start_chat(request: Request) -> Response:
    body, store, sandbox = await _fields(request), _store(request), sandbox_of(request)
    account = _check_account(request, body.get("account_id"))
    attendees = body.get("attendees_ids")
    if not isinstance(attendees, list) or len(attendees) != 1 or not body.get("text"):
        raise Refused(refusal("invalid_parameters"))
    profile = _profile_of(request, str(attendees[0]))
    inmail = isinstance(body.get("linkedin"), dict) and bool(body["linkedin"].get("inmail"))
    if inmail and profile["is_open_profile"]:
        if store.credits <= 0:
            raise Refused(refusal("insufficient_credits"))
        store.credits -= 1
    elif not profile["is_relationship"]:
        raise Refused(refusal("no_connection_with_recipient"))
    chat = {
        "object": "Chat",
        "id": sandbox.ids.alnum(15),
        "account_id": account,
        "attendee_provider_id": profile["provider_id"],
        "timestamp": iso_milli(sandbox.clock.now()),
        "inmail": inmail,
    }
    store.chats[chat["id"]] = chat
    message = _add_message(request, chat, str(body["text"]))
    return json_response({"object": "ChatStarted", "chat_id": chat["id"], "message_id": message["id"]}, 201)


async def _send(request: Request) -> Response:
    body, store, chat_id = await _fields(request), _store(request), request.path_params["chat"]
    chat = store.chats.get(chat_id)
    if chat is None and sandbox_of(request).option(NAME, "adopt_unknown"):
        chat = {"object": "Chat", "id": chat_id, "account_id": body.get("account_id") or "sandbox",
                "attendee_provider_id": chat_id, "timestamp": "", "inmail": False}  # fmt: skip
        store.chats[chat_id] = chat
    if chat is None:
        raise Refused(refusal("resource_not_found"))
    _check_account(request, body.get("account_id") or chat["account_id"])
    if not body.get("text"):
        raise Refused(refusal("invalid_parameters"))
    message = _add_message(request, chat, str(body["text"]))
    return json_response({"object": "MessageSent", "message_id": message["id"]}, 201)


def _paged(request: Request, kind: str, items: list[dict[str, Any]]) -> Response:
    query = request.query_params
    limit, start = whole_number(query.get("limit"), 100, 1, 250), whole_number(query.get("cursor"), 0, 0, 10**9)
    page, after = items[start : start + limit], start + limit
    return json_response({"object": kind, "items": page, "cursor": str(after) if after < len(items) else None})


async def _chats(request: Request) -> Response:
    sandbox, store, query = sandbox_of(request), _store(request), request.query_params
    after, shown = parse_iso(query.get("after", "")), set()
    for message in store.messages.values():
        if sandbox.shows(NAME, message["id"]):
            shown.add(message["chat_id"])

    def wanted(chat: Mapping[str, Any]) -> bool:
        changed = parse_iso(chat["timestamp"])
        recent = after is None or (changed is not None and changed >= after)
        return recent and chat["id"] in shown and query.get("account_id", chat["account_id"]) == chat["account_id"]

    return _paged(request, "ChatList", [chat for chat in reversed(store.chats.values()) if wanted(chat)])


async def _messages(request: Request) -> Response:
    sandbox, store, chat_id = sandbox_of(request), _store(request), request.path_params["chat"]
    if chat_id not in store.chats:
        raise Refused(refusal("resource_not_found"))
    found = [item for item in reversed(store.messages.values()) if item["chat_id"] == chat_id]
    return _paged(request, "MessageList", [item for item in found if sandbox.shows(NAME, item["id"])])


async def _invite(request: Request) -> Response:
    body, store, sandbox = await _fields(request), _store(request), sandbox_of(request)
    account = _check_account(request, body.get("account_id"))
    if not body.get("provider_id"):
        raise Refused(refusal("invalid_parameters"))
    profile = _profile_of(request, str(body["provider_id"]))
    if len(str(body.get("message") or "")) > NOTE_CHARS:
        raise Refused(refusal("too_many_characters"))
    if profile["is_relationship"]:
        raise Refused(refusal("already_connected"))
    if store.pending(profile["provider_id"]) or profile.get("invitation"):
        raise Refused(refusal("already_invited_recently"))
    now = iso_milli(sandbox.clock.now())
    invitation = {
        "object": "Invitation",
        "id": str(7_300_000_000_000 + sandbox.ids.number()),
        "account_id": account,
        "invited_user_id": profile["provider_id"],
        "invited_user_public_id": profile["public_identifier"],
        "invitation_text": body.get("message") or "",
        "date": now,
        "parsed_datetime": now,
    }
    store.invitations[invitation["id"]] = invitation
    sandbox.hide(NAME, invitation["id"])
    return json_response({"object": "UserInvitationSent", "invitation_id": invitation["id"]}, 201)


async def _invitations(request: Request) -> Response:
    sandbox, store = sandbox_of(request), _store(request)
    _check_account(request, request.query_params.get("account_id"))
    shown = [item for item in reversed(store.invitations.values()) if sandbox.shows(NAME, item["id"])]
    return _paged(request, "InvitationList", shown)


async def _balance(request: Request) -> Response:
    kinds = {"premium": _store(request).credits, "recruiter": None, "sales_navigator": 0}
    return json_response({"object": "LinkedinInmailBalance", **kinds})


async def _account(request: Request) -> Response:
    account = request.path_params["account"]
    down = account in _store(request).disconnected
    source = {"id": f"{account}_MESSAGING", "status": "CREDENTIALS" if down else "OK"}
    im = {"id": "us", "publicIdentifier": "sandbox", "username": "Sandbox"}
    shown = {"object": "Account", "id": account, "type": "LINKEDIN", "name": "Sandbox", "sources": [source]}
    created = iso_milli(sandbox_of(request).clock.now())
    return json_response({**shown, "created_at": created, "connection_params": {"im": im}})


def snapshot(sandbox: Sandbox) -> Mapping[str, Any]:
    store = sandbox.store(Store)
    kinds = ("profiles", "chats", "messages", "invitations")
    return {kind: list(getattr(store, kind).values()) for kind in kinds} | {"credits": store.credits}


def seed(sandbox: Sandbox, data: Mapping[str, Any]) -> int:
    """`{profiles: [{provider_id, network_distance?, is_open_profile?, ..}], chats: [{id, account_id,
    attendee_provider_id}], disconnected: [account id], credits: number}`."""
    store, taken = sandbox.store(Store), 0
    unknown = set(data) - {"profiles", "chats", "disconnected", "credits"}
    if unknown:
        raise SeedError(f"unipile: unknown kind {sorted(unknown)[0]}")
    for item in data.get("profiles", []):
        if not isinstance(item, dict) or not item.get("provider_id"):
            raise SeedError("unipile profiles: every record needs a provider_id")
        _new_profile(store, item)
        taken += 1
    for item in data.get("chats", []):
        if not isinstance(item, dict) or not {"id", "account_id", "attendee_provider_id"} <= set(item):
            raise SeedError("unipile chats: every record needs id, account_id and attendee_provider_id")
        store.chats[item["id"]] = {"object": "Chat", "timestamp": iso_milli(sandbox.clock.now()), **item}
        taken += 1
    store.disconnected |= set(data.get("disconnected", []))
    store.credits = int(data.get("credits", store.credits))
    return taken


def learn(sandbox: Sandbox, body: Mapping[str, Any]) -> int:
    """Remember the conversation and the person of a message's webhook: who wrote to us is near enough to be answered."""
    sender = body.get("sender") or {}
    member = sender.get("attendee_provider_id")
    if not body.get("chat_id") or not member:
        return 0
    chat = {"id": body["chat_id"], "account_id": body.get("account_id") or "", "attendee_provider_id": member}
    return seed(sandbox, {"profiles": [{"provider_id": member, "network_distance": "FIRST_DEGREE"}], "chats": [chat]})


VENDOR = Vendor(
    name=NAME,
    prefix="/unipile",
    guard=guard,
    error=error,
    unauthorized=lambda: refusal("missing_credentials"),
    rate_limited=lambda _retry_after: refusal("too_many_requests"),
    snapshot=snapshot,
    seed=seed,
    learn=learn,
    routes=[
        Route("/api/v1/users/invite", _invite, methods=["POST"]),
        Route("/api/v1/users/invite/sent", _invitations),
        Route("/api/v1/users/{identifier}", _get_profile),
        Route("/api/v1/chats", _start_chat, methods=["POST"]),
        Route("/api/v1/chats", _chats),
        Route("/api/v1/chats/{chat}/messages", _send, methods=["POST"]),
        Route("/api/v1/chats/{chat}/messages", _messages),
        Route("/api/v1/linkedin/inmail_balance", _balance),
        Route("/api/v1/accounts/{account}", _account),
    ],
)
