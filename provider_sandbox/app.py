"""The server: every vendor request passes here once, is matched against the faults, played and recorded."""

import asyncio
import json
import logging
import re
import socket
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from provider_sandbox import calendly, clay, emailbison, ghl, instantly, openai, resend, slack, smartlead, unipile
from provider_sandbox.control import control_app
from provider_sandbox.faults import MAX_SECONDS, NOT_EXECUTED, FaultRule, FaultTable
from provider_sandbox.state import MAX_RECORDED_BODY, Record, Sandbox, iso_micro
from provider_sandbox.vendor import Refused, Vendor, json_response
from provider_sandbox.webhooks import Webhooks

VENDORS: Mapping[str, Vendor] = {
    each.VENDOR.name: each.VENDOR
    for each in (emailbison, smartlead, instantly, ghl, unipile, calendly, slack, openai, clay, resend)
}
MAX_BODY = 10 * 1024 * 1024
TRANSPORT_KEY = "sandbox_transport"
GATEWAY_PAGE = "<html><head><title>502 Bad Gateway</title></head><body><h1>Bad gateway</h1></body></html>"
_MASKED_HEADERS = {"authorization", "cookie", "x-slack-signature", "calendly-webhook-signature", "x-clay-webhook-auth"}
_MASKED_FIELD = re.compile(r'("(?:signing_key|client_secret|api_key|token)"\s*:\s*)"[^"]*"')
_log = logging.getLogger("provider_sandbox")


@dataclass(slots=True)
class Answer:
    """A complete response, before it is sent. `cut` sends half of the body; `reset` sends nothing at all."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    cut: bool = False
    reset: bool = False

    def with_body(self, body: bytes, content_type: str) -> "Answer":
        kept = [pair for pair in self.headers if pair[0] not in (b"content-length", b"content-type")]
        extra = [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode())]
        return Answer(self.status, kept + extra, body)


class SandboxApp:
    """ASGI application. `sandbox`, `faults` and `webhooks` are its whole state."""

    def __init__(self, *, fixtures: str | None = None) -> None:
        self.sandbox = Sandbox()
        self.faults = FaultTable()
        self.webhooks = Webhooks(self.sandbox.clock)
        self._routers = {vendor.name: Router(routes=list(vendor.routes)) for vendor in VENDORS.values()}
        self._control: ASGIApp = control_app(self, VENDORS, fixtures)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        if scope["type"] != "http":
            raise RuntimeError(f"the sandbox serves HTTP only, not {scope['type']}")
        path: str = scope["path"]
        if path == "/_control" or path.startswith("/_control/"):
            await self._control(scope, receive, send)
            return
        for vendor in VENDORS.values():
            if path.startswith(vendor.prefix + "/"):
                await self._exchange(vendor, scope, receive, send)
                return
        prefixes = ", ".join(sorted(vendor.prefix for vendor in VENDORS.values()))
        message = f"No imitated vendor here. Prefixes: {prefixes}, /_control\n"
        await PlainTextResponse(message, status_code=404)(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.webhooks.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _exchange(self, vendor: Vendor, scope: Scope, receive: Receive, send: Send) -> None:
        self.sandbox.recorder.unfinished += 1
        try:
            await self._recorded(vendor, scope, receive, send)
        finally:
            self.sandbox.recorder.unfinished -= 1

    async def _recorded(self, vendor: Vendor, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.monotonic()
        record = self._new_record(vendor, scope)
        candidates = self.faults.candidates(vendor.name, scope["method"], record.path)
        fault, body = await self._draw(candidates, receive)
        record.fault = fault.mode if fault else None
        record.body = readable(body)
        try:
            if self.sandbox.latency.get(vendor.name):
                await asyncio.sleep(self.sandbox.latency[vendor.name])
            answer = await self._answer(vendor, fault, scope, body, receive)
            if answer is None or answer.reset:
                record.outcome = "abandoned" if answer is None else "reset"
                await reset_connection(scope, receive)
            else:
                record.status, record.response = answer.status, readable(answer.body)
                await send_answer(answer, scope, receive, send)
        finally:
            record.duration_ms = round((time.monotonic() - started) * 1000)
            record.size = 500 + min(len(body), MAX_RECORDED_BODY) + len(str(record.response))
            self.sandbox.recorder.add(record)

    async def _draw(self, candidates: list[FaultRule], receive: Receive) -> tuple[FaultRule | None, bytes]:
        if candidates and candidates[0].mode == "reset_before" and not candidates[0].needs_body:
            fault = FaultTable.spend(candidates[:1], b"")
            if fault is not None:
                return fault, b""
            candidates = candidates[1:]
        body = await read_body(receive)
        return FaultTable.spend(candidates, body), body

    def _new_record(self, vendor: Vendor, scope: Scope) -> Record:
        return Record(
            id=self.sandbox.recorder.next_id(),
            provider=vendor.name,
            method=scope["method"],
            path=scope["path"][len(vendor.prefix) :],
            query={
                name: "***" if "key" in name.lower() else value
                for name, value in parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
            },
            headers=masked_headers(scope["headers"]),
            body=None,
            received_at=iso_micro(self.sandbox.clock.now()),
        )

    async def _answer(
        self, vendor: Vendor, fault: FaultRule | None, scope: Scope, body: bytes, receive: Receive
    ) -> Answer | None:
        """The answer to send, or None when the client went away first."""
        mode = fault.mode if fault else None
        if fault is not None and mode in NOT_EXECUTED:
            if mode == "hang":
                await wait_for_disconnect(receive, MAX_SECONDS if fault.seconds is None else fault.seconds)
                return None
            if mode == "reset_before":
                return Answer(0, [], b"", reset=True)
            answer = await self._captured(_refusal(vendor, fault), scope, body)
            return answer if mode == "html" else self._with_headers(vendor, answer, Request(scope))
        answer = await self._play(vendor, mode, scope, body)
        return await self._bent(vendor, fault, answer, scope, body)

    async def _play(self, vendor: Vendor, mode: str | None, scope: Scope, body: bytes) -> Answer:
        inner = {
            **scope,
            "root_path": vendor.prefix,
            "sandbox": self.sandbox,
            "sandbox.fault": mode,
            "sandbox.webhooks": self.webhooks,
        }
        request = Request(inner, replay(body))
        handler: ASGIApp = vendor.guard(self.sandbox, request) or self._routers[vendor.name]
        try:
            answer = await self._captured(handler, inner, body)
        except Refused as refused:
            answer = await self._captured(refused.response, inner, body)
        except Exception:  # noqa: BLE001
            # A defect of the imitation itself: the log says where, the client sees the vendor's 500.
            _log.exception("handler failed: %s %s", scope["method"], scope["path"])
            answer = await self._captured(vendor.error(500), inner, body)
        if answer.body in (b"Not Found", b"Method Not Allowed"):
            answer = await self._captured(vendor.error(answer.status), inner, body)
        return self._with_headers(vendor, answer, request)

    def _with_headers(self, vendor: Vendor, answer: Answer, request: Request) -> Answer:
        """The vendor's own headers, where the answer does not already carry them (a 429 says that nothing is left)."""
        present = {name for name, _ in answer.headers}
        extra = {name.lower().encode(): value for name, value in vendor.headers(self.sandbox, request).items()}
        answer.headers += [(name, value.encode()) for name, value in extra.items() if name not in present]
        return answer

    async def _bent(self, vendor: Vendor, fault: FaultRule | None, answer: Answer, scope: Scope, body: bytes) -> Answer:
        mode = fault.mode if fault else None
        if mode == "slow":
            await asyncio.sleep(1.0 if fault is None or fault.seconds is None else fault.seconds)
        elif mode == "accept_then_reset":
            answer.reset = True
        elif mode == "accept_then_500":
            return await self._captured(vendor.error(500), scope, body)
        elif mode == "truncate":
            answer.cut = True
        elif mode == "bad_json_200":
            return Answer(200, answer.headers, b"").with_body(b"OK <queued>", "text/plain; charset=utf-8")
        elif mode == "wrong_shape":
            bent = json.dumps(vendor.wrong_shape(json.loads(answer.body or b"null"))).encode()
            return answer.with_body(bent, "application/json")
        return answer

    async def _captured(self, handler: ASGIApp, scope: Scope, body: bytes) -> Answer:
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await handler(scope, replay(body), keep)
        start = messages[0]
        return Answer(start["status"], list(start["headers"]), b"".join(part.get("body", b"") for part in messages[1:]))


def _refusal(vendor: Vendor, fault: FaultRule) -> Response:
    if fault.mode == "rate_limit":
        return vendor.rate_limited(fault.retry_after)
    if fault.mode == "auth_revoked":
        return vendor.unauthorized()
    if fault.mode == "html":
        return HTMLResponse(GATEWAY_PAGE, status_code=502)
    if fault.body is None:
        return vendor.error(fault.status)
    if isinstance(fault.body, str):
        return PlainTextResponse(fault.body, status_code=fault.status)
    return json_response(fault.body, fault.status)


def replay(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


async def read_body(receive: Receive) -> bytes:
    """The whole request body, cut at MAX_BODY: the sandbox must not be filled by one request."""
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b"".join(parts)
        part = message.get("body", b"")
        if size < MAX_BODY:
            parts.append(part)
        size += len(part)
        if not message.get("more_body", False):
            return b"".join(parts)


async def wait_for_disconnect(receive: Receive, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return


async def reset_connection(scope: Scope, receive: Receive) -> None:
    """End the connection with a TCP reset and no answer.

    ASGI has no word for this, so the server's protocol puts its transport into the scope's state. Without one (the
    app is called in process) the same event is an exception at the caller.
    """
    transport: asyncio.Transport | None = scope.get("state", {}).get(TRANSPORT_KEY)
    if transport is None:
        raise ConnectionResetError("the sandbox reset the connection")
    if transport.is_closing():
        return
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    await wait_for_disconnect(receive, 5)


async def send_answer(answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    if not answer.cut:
        await send({"type": "http.response.body", "body": answer.body})
        return
    transport: asyncio.Transport | None = scope.get("state", {}).get(TRANSPORT_KEY)
    half = answer.body[: len(answer.body) // 2]
    await send({"type": "http.response.body", "body": half, "more_body": transport is not None})
    if transport is not None:
        # Closing, unlike a reset, lets the half that is in the buffer go out. Returning before the connection is
        # gone would make the server report an unfinished response.
        transport.close()
        await wait_for_disconnect(receive, 5)


def masked_headers(headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Header values as text; of a credential only the scheme is kept."""
    out = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        if name in _MASKED_HEADERS or "secret" in name or "api-key" in name:
            scheme, space, _ = value.partition(" ")
            value = f"{scheme} ***" if space else "***"
        out[name] = value
    return out


def readable(body: bytes) -> Any:
    """A body for the record: parsed JSON when it is small enough, else its first characters; secrets masked."""
    text = _MASKED_FIELD.sub(r'\1"***"', body[:MAX_RECORDED_BODY].decode("utf-8", "replace"))
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text
