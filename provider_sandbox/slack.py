"""Slack on the wire: Web API, response URLs, incoming webhooks (vendor reference chapter 11).

Kept behaviours: errors are HTTP 200 with `ok: false`, the limits of blocks and texts, `ts` as text, a DM channel
that differs from the user id, updates of own messages only, metadata in the history only when asked for.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from provider_sandbox.slack_store import (
    BOT_ID,
    BOT_USER,
    MAX_RESPONSE_USES,
    NAME,
    Store,
    make_user,
    seed,
    snapshot,
)
from provider_sandbox.state import Sandbox
from provider_sandbox.vendor import Refused, Vendor, json_response, retry_after_text, sandbox_of, whole_number

MAX_TEXT = 40_000
MAX_BLOCKS = 50
Handler = Callable[[Request, Mapping[str, Any]], Mapping[str, Any]]


def _not_ok(error: str, **extra: Any) -> Response:
    return json_response({"ok": False, "error": error, **extra})


def _error(status: int) -> Response:
    if status == 401:
        return _unauthorized()
    if status == 429:
        return _rate_limited(30)
    if status == 404:
        return _not_ok("unknown_method")
    if status in (400, 405):
        return _not_ok("invalid_json" if status == 400 else "method_not_supported_for_channel_type")
    return json_response({"ok": False, "error": "internal_error" if status == 500 else "service_unavailable"}, status)


def _unauthorized() -> Response:
    return _not_ok("token_revoked")


def _rate_limited(retry_after: float) -> Response:
    return json_response({"ok": False, "error": "ratelimited"}, 429, {"Retry-After": retry_after_text(retry_after)})


def _guard(sandbox: Sandbox, request: Request) -> Response | None:
    if not request.url.path.startswith("/slack/api/"):
        return None  # response URLs and incoming webhooks carry their secret in the path
    authorization = request.headers.get("authorization")
    if not authorization:
        return _not_ok("not_authed")
    return None if sandbox.bearer_ok(NAME, authorization) else _not_ok("invalid_auth")


def _refuse(error: str, **extra: Any) -> Refused:
    return Refused(_not_ok(error, **extra))


async def _arguments(request: Request) -> dict[str, Any]:
    """Query, form or JSON body, as the Web API accepts them; JSON text inside a form field is parsed."""
    arguments: dict[str, Any] = dict(request.query_params)
    raw = await request.body()
    if raw and "json" in request.headers.get("content-type", ""):
        try:
            body = json.loads(raw)
        except ValueError:
            raise _refuse("invalid_json") from None
        if not isinstance(body, dict):
            raise _refuse("json_not_object")
        arguments |= body
    elif raw:
        arguments |= dict(parse_qsl(raw.decode("utf-8", "replace")))
    for name in ("blocks", "metadata"):
        if isinstance(arguments.get(name), str):
            try:
                arguments[name] = json.loads(arguments[name])
            except ValueError:
                raise _refuse(f"invalid_{name}" if name == "blocks" else "invalid_metadata_format") from None
    return arguments


def _store(request: Request) -> Store:
    return sandbox_of(request).store(Store)


def _text_of(part: Any) -> str:
    return str(part.get("text") or "") if isinstance(part, dict) else ""


def _block_problem(number: int, block: Any) -> str | None:
    """The first broken limit of one block, worded as Slack words it, or None."""
    if not isinstance(block, dict) or not block.get("type"):
        return f"missing required field: type [json-pointer:/blocks/{number}]"
    limits = [(f"/blocks/{number}/block_id", str(block.get("block_id") or ""), 255)]
    limits += [(f"/blocks/{number}/text/text", _text_of(block.get("text")), 150 if block["type"] == "header" else 3000)]
    fields = block.get("fields") or []
    if len(fields) > 10:
        return f"no more than 10 items allowed [json-pointer:/blocks/{number}/fields]"
    limits += [(f"/blocks/{number}/fields/{index}/text", _text_of(item), 2000) for index, item in enumerate(fields)]
    for index, element in enumerate(block.get("elements") or []):
        base = f"/blocks/{number}/elements/{index}"
        if element.get("type") == "button":
            limits += [(f"{base}/text/text", _text_of(element.get("text")), 75)]
            limits += [(f"{base}/value", str(element.get("value") or ""), 2000)]
        limits += [(f"{base}/action_id", str(element.get("action_id") or ""), 255)]
    if block["type"] == "input":
        value = str((block.get("element") or {}).get("initial_value") or "")
        limits += [(f"/blocks/{number}/element/initial_value", value, 3000)]
    for pointer, text, limit in limits:
        if len(text) > limit:
            return f"must be less than {limit + 1} characters [json-pointer:{pointer}]"
    return None


def _check_message(arguments: Mapping[str, Any]) -> None:
    blocks = arguments.get("blocks")
    if not arguments.get("text") and not blocks:
        raise _refuse("no_text")
    if len(str(arguments.get("text") or "")) > MAX_TEXT:
        raise _refuse("msg_too_long")
    if blocks is None:
        return
    if not isinstance(blocks, list):
        raise _refuse("invalid_blocks_format")
    problems = [f"no more than {MAX_BLOCKS} items allowed [json-pointer:/blocks]"] if len(blocks) > MAX_BLOCKS else []
    ids = [block.get("block_id") for block in blocks if isinstance(block, dict) and block.get("block_id")]
    if len(ids) != len(set(ids)):
        problems.append("block_id must be unique [json-pointer:/blocks]")
    problems += [problem for number, block in enumerate(blocks) if (problem := _block_problem(number, block))]
    if problems:
        metadata = {"messages": [f"[ERROR] {problem}" for problem in problems]}
        raise _refuse("invalid_blocks", errors=problems, response_metadata=metadata)


# ── methods ──────────────────────────────────────────────────────────────────


def _auth_test(request: Request, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    team = _store(request).team
    return {
        "url": f"https://{team['domain']}.slack.com/",
        "team": team["domain"].title(),
        "user": "dashbot",
        "team_id": team["id"],
        "user_id": BOT_USER,
        "bot_id": BOT_ID,
        "is_enterprise_install": False,
    }


def _channel(request: Request, arguments: Mapping[str, Any]) -> str:
    store = _store(request)
    channel = store.resolve_channel(str(arguments.get("channel") or ""))
    if channel is None:
        raise _refuse("channel_not_found")
    if store.channels[channel].get("is_archived"):
        raise _refuse("is_archived")
    if not store.channels[channel].get("is_member"):
        raise _refuse("not_in_channel")
    return channel


def _post_message(request: Request, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    channel = _channel(request, arguments)
    _check_message(arguments)
    message = _store(request).add_message(sandbox_of(request), channel, arguments)
    shown = {name: value for name, value in message.items() if name != "channel"}
    return {"channel": channel, "ts": message["ts"], "message": shown}


def _update(request: Request, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    # A user id is not a channel here: an update needs the D id of the DM.
    channel, ts = str(arguments.get("channel") or ""), str(arguments.get("ts") or "")
    message = _store(request).messages.get((channel, ts))
    if message is None:
        raise _refuse("message_not_found")
    if message.get("bot_id") != BOT_ID:
        raise _refuse("cant_update_message")
    _check_message(arguments)
    message["text"] = str(arguments.get("text") or "")
    for name in ("blocks", "metadata"):
        if name in arguments:
            message[name] = arguments[name]
    message["edited"] = {"user": BOT_USER, "ts": _store(request).timestamp(sandbox_of(request))}
    return {"channel": channel, "ts": ts, "text": message["text"], "message": message}


def _open(request: Request, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    user_id, store = str(arguments.get("users") or "").partition(",")[0], _store(request)
    if user_id not in store.users:
        raise _refuse("user_not_found")
    if store.users[user_id]["deleted"]:
        raise _refuse("user_disabled")
    return {"channel": {"id": store.direct_with(user_id)}}


def _history(request: Request, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    store, channel = _store(request), str(arguments.get("channel") or "")
    if channel not in store.channels:
        raise _refuse("channel_not_found")
    oldest, latest = str(arguments.get("oldest") or "0"), str(arguments.get("latest") or "9999999999")
    inclusive = str(arguments.get("inclusive", "")).lower() in ("true", "1")
    with_metadata = str(arguments.get("include_all_metadata", "")).lower() in ("true", "1")
    try:
        low, high = float(oldest), float(latest)
    except ValueError:
        raise _refuse("invalid_ts_oldest") from None
    found = []
    for (message_channel, ts), message in store.messages.items():
        moment = float(ts)
        inside = low <= moment <= high if inclusive else low < moment < high
        if message_channel == channel and inside:
            hidden = {"channel"} if with_metadata else {"channel", "metadata"}
            found.append({name: value for name, value in message.items() if name not in hidden})
    found.sort(key=lambda message: message["ts"], reverse=True)
    offset = whole_number(str(arguments.get("cursor") or "0"), 0, 0, 1_000_000)
    limit = whole_number(str(arguments.get("limit") or "100"), 100, 1, 999)
    more = offset + limit < len(found)
    answer: dict[str, Any] = {"messages": found[offset : offset + limit], "has_more": more}
    if more:
        answer["response_metadata"] = {"next_cursor": str(offset + limit)}
    return answer


def _lookup_by_email(request: Request, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    email, sandbox, store = str(arguments.get("email") or ""), sandbox_of(request), _store(request)
    user = store.user_by_email(email)
    if user is None and email and sandbox.option(NAME, "adopt_unknown"):
        user_id = "U" + sandbox.ids.alnum(10).upper()
        user = store.users[user_id] = make_user(user_id, email.partition("@")[0], email)
    if user is None:
        raise _refuse("users_not_found")
    return {"user": user}


def _listing(kind: str, key: str) -> Handler:
    def handler(request: Request, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        items = [item for item in getattr(_store(request), kind).values() if not item.get("is_im")]
        offset = whole_number(str(arguments.get("cursor") or "0"), 0, 0, 1_000_000)
        limit = whole_number(str(arguments.get("limit") or "100"), 100, 1, 200)
        after = offset + limit
        cursor = str(after) if after < len(items) else ""
        stamp = {"cache_ts": int(sandbox_of(request).clock.now().timestamp())} if key == "members" else {}
        return {key: items[offset:after], **stamp, "response_metadata": {"next_cursor": cursor}}

    return handler


def _method(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return json_response({"ok": True, **handler(request, await _arguments(request))})

    return endpoint


# ── secret URLs ──────────────────────────────────────────────────────────────


async def _response_url(request: Request) -> Response:
    """Replace, delete or answer beside the clicked message: at most five uses within 30 minutes."""
    sandbox, store = sandbox_of(request), _store(request)
    link = store.response_urls.get(request.url.path.removeprefix("/slack"))
    if link is None or link["uses"] >= MAX_RESPONSE_USES or sandbox.clock.now().timestamp() > link["until"]:
        return PlainTextResponse("expired_url", status_code=404)
    link["uses"] += 1
    arguments = await _arguments(request)
    key = (link["channel"], link["ts"])
    if arguments.get("delete_original"):
        store.messages.pop(key, None)
        return PlainTextResponse("ok")
    _check_message(arguments)
    if arguments.get("replace_original") and key in store.messages:
        store.messages[key] |= {"text": str(arguments.get("text") or ""), "blocks": arguments.get("blocks") or []}
    else:
        store.add_message(sandbox, link["channel"], arguments)
    return PlainTextResponse("ok")


async def _incoming_webhook(request: Request) -> Response:
    arguments = await _arguments(request)
    if not arguments.get("text") and not arguments.get("blocks"):
        return PlainTextResponse("no_text", status_code=400)
    _store(request).add_message(sandbox_of(request), "C05ALERTS", arguments)
    return PlainTextResponse("ok")


_METHODS: Mapping[str, Handler] = {
    "auth.test": _auth_test,
    "chat.postMessage": _post_message,
    "chat.update": _update,
    "conversations.open": _open,
    "conversations.history": _history,
    "conversations.list": _listing("channels", "channels"),
    "users.lookupByEmail": _lookup_by_email,
    "users.list": _listing("users", "members"),
}

VENDOR = Vendor(
    name=NAME,
    prefix="/slack",
    guard=_guard,
    error=_error,
    unauthorized=_unauthorized,
    rate_limited=_rate_limited,
    snapshot=snapshot,
    seed=seed,
    routes=[
        *(Route(f"/api/{name}", _method(handler), methods=["GET", "POST"]) for name, handler in _METHODS.items()),
        Route("/actions/{team}/{number}/{token}", _response_url, methods=["POST"]),
        Route("/services/{path:path}", _incoming_webhook, methods=["POST"]),
    ],
)
