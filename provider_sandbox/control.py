"""The control plane under `/_control`: not part of any vendor, for the demo and the tests.

| call | body or query | effect |
|---|---|---|
| GET health | | provider totals, pending echoes, virtual time |
| POST reset | | state, faults, latencies, targets, clock and recordings as in a fresh process |
| GET requests | `provider, method, path_regex, after_id, limit` | recorded requests, oldest first |
| POST, GET, DELETE faults | one rule or a list; DELETE `?id=` | see `faults.py` |
| POST latency | `{provider, seconds}` | every answer of the provider waits that long |
| POST credentials | `{provider, add?: [..], remove?: [..]}` | which tokens are accepted |
| POST options | `{provider, <option>: value}` | vendor limits and delays, see `state.DEFAULT_OPTIONS` |
| POST clock | `{now}` or `{advance_s}` or `{}` | virtual time; `{}` returns to the machine's |
| GET, POST state/{provider} | POST: records | read, or seed records |
| POST learn | `{provider, bodies: [webhook body, ..]}` | remember the ids those webhooks speak of |
| POST webhooks/target | `{provider, url or null, secret?, header?, headers?, ed25519_seed?}` | where echoes go |
| POST webhooks/fire | `{provider, body or fixture, sign?, tamper?, delay_s?, repeat?, target?, ..}` | send now |
| GET webhooks | `provider` | deliveries made |
| POST slack/click | `{ts, action_id, channel?, user?, values?, target?, signing_secret?, repeat?}` | a person's click |
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from provider_sandbox import slack_store
from provider_sandbox.faults import MAX_SECONDS, FaultError
from provider_sandbox.state import iso_micro, parse_iso
from provider_sandbox.vendor import SeedError, Vendor, whole_number
from provider_sandbox.webhooks import Target, TargetError, check_url

if TYPE_CHECKING:
    from provider_sandbox.app import SandboxApp

MAX_REPEAT = 100
MAX_DELAY_S = 60.0


class ControlError(ValueError):
    """A control call that is refused; the message names the field."""


Endpoint = Callable[[Request], Awaitable[Response]]


def _number(body: Mapping[str, Any], name: str, default: float, high: float, low: float = 0.0) -> float:
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ControlError(f"{name}: a number from {low:g} to {high:g}")
    return value


async def _body(request: Request) -> Any:
    raw = await request.body()
    try:
        return json.loads(raw) if raw else {}
    except ValueError:
        raise ControlError("body: not valid JSON") from None


async def _object(request: Request) -> dict[str, Any]:
    body = await _body(request)
    if not isinstance(body, dict):
        raise ControlError("body: an object is needed")
    return body


class Control:
    """The handlers, over one sandbox."""

    def __init__(self, app: "SandboxApp", vendors: Mapping[str, Vendor], fixtures: str | None) -> None:
        self.app = app
        self.vendors = vendors
        self.fixtures = Path(fixtures).resolve() if fixtures else None

    def _provider(self, name: Any) -> Vendor:
        if name not in self.vendors:
            raise ControlError(f"provider: one of {', '.join(self.vendors)}")
        return self.vendors[name]

    async def health(self, request: Request) -> Response:
        sandbox = self.app.sandbox
        body = {
            "ok": True,
            "now": iso_micro(sandbox.clock.now()),
            "requests": sandbox.recorder.totals,
            "unfinished": sandbox.recorder.unfinished,
            "pending_echoes": self.app.webhooks.pending,
            "faults": len(self.app.faults.rules),
        }
        return JSONResponse(body)

    async def reset(self, request: Request) -> Response:
        self.app.sandbox.reset()
        self.app.faults.remove()
        await self.app.webhooks.reset()
        return JSONResponse({"ok": True})

    async def requests(self, request: Request) -> Response:
        query = request.query_params
        after = whole_number(query.get("after_id"), 0, 0, 2**62)
        limit = whole_number(query.get("limit"), 1_000, 1, 20_000)
        try:
            path = re.compile(query.get("path_regex", ""))
        except re.error as error:
            raise ControlError(f"path_regex: {error}") from error
        found = [
            record.to_json()
            for record in self.app.sandbox.recorder
            if record.id > after
            and query.get("provider", record.provider) == record.provider
            and query.get("method", record.method).upper() == record.method
            and path.search(record.path)
        ]
        first = sorted(found, key=lambda record: record["id"])[:limit]
        return JSONResponse({"requests": first, "total": len(found), "forgotten": self.app.sandbox.recorder.forgotten})

    async def set_faults(self, request: Request) -> Response:
        body = await _body(request)
        rules = body if isinstance(body, list) else [body]
        for raw in rules:
            if not isinstance(raw, dict):
                raise ControlError("body: a rule or a list of rules")
            if raw.get("provider", "*") != "*":
                self._provider(raw.get("provider"))
        return JSONResponse({"faults": [self.app.faults.add(raw).to_json() for raw in rules]}, status_code=201)

    async def get_faults(self, request: Request) -> Response:
        return JSONResponse({"faults": [rule.to_json() for rule in self.app.faults.rules]})

    async def delete_faults(self, request: Request) -> Response:
        rule_id = request.query_params.get("id")
        if rule_id is not None and not rule_id.isdecimal():
            raise ControlError("id: a number")
        return JSONResponse({"removed": self.app.faults.remove(int(rule_id) if rule_id else None)})

    async def latency(self, request: Request) -> Response:
        body = await _object(request)
        seconds = _number(body, "seconds", 0, MAX_SECONDS)
        self.app.sandbox.latency[self._provider(body.get("provider")).name] = seconds
        return JSONResponse({"latency": self.app.sandbox.latency})

    async def credentials(self, request: Request) -> Response:
        body = await _object(request)
        accepted = self.app.sandbox.credentials[self._provider(body.get("provider")).name]
        accepted |= {str(value) for value in body.get("add") or []}
        accepted -= {str(value) for value in body.get("remove") or []}
        return JSONResponse({"accepted": len(accepted)})

    async def options(self, request: Request) -> Response:
        body = await _object(request)
        known = self.app.sandbox.options[self._provider(body.pop("provider", None)).name]
        for name, value in body.items():
            if name not in known:
                raise ControlError(f"{name}: not an option; known: {', '.join(known)}")
            if isinstance(known[name], str) != isinstance(value, str):
                raise ControlError(f"{name}: must be of the same type as {known[name]!r}")
        known |= body
        return JSONResponse({"options": known})

    async def clock(self, request: Request) -> Response:
        body, clock = await _object(request), self.app.sandbox.clock
        if "now" in body:
            moment = parse_iso(str(body["now"]))
            if moment is None:
                raise ControlError("now: an ISO time")
            clock.set(moment)
        elif "advance_s" in body:
            clock.offset += timedelta(seconds=_number(body, "advance_s", 0, 10 * 366 * 86_400, low=-10 * 366 * 86_400))
        else:
            clock.offset = timedelta()
        return JSONResponse({"now": iso_micro(clock.now())})

    async def get_state(self, request: Request) -> Response:
        return JSONResponse(self._provider(request.path_params["provider"]).snapshot(self.app.sandbox))

    async def seed(self, request: Request) -> Response:
        vendor = self._provider(request.path_params["provider"])
        return JSONResponse({"taken": vendor.seed(self.app.sandbox, await _object(request))}, status_code=201)

    async def learn(self, request: Request) -> Response:
        body = await _object(request)
        vendor, bodies = self._provider(body.get("provider")), body.get("bodies")
        if not isinstance(bodies, list):
            raise ControlError("bodies: a list of webhook bodies")
        taken = sum(vendor.learn(self.app.sandbox, item) for item in bodies if isinstance(item, dict))
        return JSONResponse({"taken": taken}, status_code=201)

    # ── webhooks ─────────────────────────────────────────────────────────────

    async def set_target(self, request: Request) -> Response:
        body = await _object(request)
        name = self._provider(body.get("provider")).name
        if body.get("url") is None:
            self.app.webhooks.targets.pop(name, None)
        else:
            self.app.webhooks.targets[name] = self._target(name, body)
        return JSONResponse({"targets": {key: target.url for key, target in self.app.webhooks.targets.items()}})

    def _target(self, provider: str, body: Mapping[str, Any]) -> Target:
        """The target of a firing: the configured one, with what this call overrides."""
        known = self.app.webhooks.targets.get(provider)
        url = body.get("url") or body.get("target") or (known.url if known else None)
        return Target(
            url=check_url(url),
            secret=str(body.get("secret", known.secret if known else "")),
            header=str(body.get("header", known.header if known else "x-zrg-key")),
            headers={
                str(key): str(value) for key, value in (body.get("headers") or (known.headers if known else {})).items()
            },
            ed25519_seed=str(body.get("ed25519_seed", known.ed25519_seed if known else "")),
        )

    def _raw(self, body: Mapping[str, Any]) -> tuple[bytes, str]:
        """Bytes and content type of what is fired: an object, exact text, or a fixture file."""
        if "fixture" in body:
            return self._fixture(str(body["fixture"]))
        if "body" not in body:
            raise ControlError("body: the webhook's JSON, or its exact text; or fixture")
        content = body["body"]
        raw = content.encode() if isinstance(content, str) else json.dumps(content, separators=(",", ":")).encode()
        return raw, str(body.get("content_type") or "application/json")

    def _fixture(self, name: str) -> tuple[bytes, str]:
        if self.fixtures is None:
            raise ControlError("fixture: start the sandbox with --fixtures FOLDER")
        path = (self.fixtures / name).resolve()
        if not path.is_relative_to(self.fixtures) or not path.is_file():
            raise ControlError("fixture: no such file in the fixtures folder")
        raw = path.read_bytes()
        if ".form." in path.name or ".raw." in path.name:
            document = json.loads(raw)
            return document["raw"].encode(), document["_encoding"]
        return raw, "application/json"

    async def fire(self, request: Request) -> Response:
        body = await _object(request)
        vendor = self._provider(body.get("provider"))
        target, (raw, content_type) = self._target(vendor.name, body), self._raw(body)
        try:
            document = json.loads(raw)
        except ValueError:
            document = None
        if isinstance(document, dict) and body.get("learn", True):
            vendor.learn(self.app.sandbox, document)
        results = await self._deliver(vendor.name, target, raw, body, content_type)
        return JSONResponse({"deliveries": results})

    async def _deliver(
        self, provider: str, target: Target, raw: bytes, body: Mapping[str, Any], content_type: str
    ) -> list[dict[str, Any]]:
        await asyncio.sleep(_number(body, "delay_s", 0, MAX_DELAY_S))
        return [
            await self.app.webhooks.deliver(
                provider,
                target,
                raw,
                content_type=content_type,
                sign=bool(body.get("sign", True)),
                tamper=body.get("tamper"),
            )
            for _ in range(int(_number(body, "repeat", 1, MAX_REPEAT)))
        ]

    async def deliveries(self, request: Request) -> Response:
        wanted = request.query_params.get("provider")
        found = [item for item in self.app.webhooks.deliveries if wanted in (None, item["provider"])]
        return JSONResponse({"deliveries": found})

    async def click(self, request: Request) -> Response:
        body, sandbox = await _object(request), self.app.sandbox
        message = sandbox.store(slack_store.Store).find_by_ts(str(body.get("ts") or ""), body.get("channel"))
        if message is None:
            raise ControlError("ts: no message with this ts was posted")
        results = []
        for _ in range(int(_number(body, "repeat", 1, MAX_REPEAT))):
            # Every click has its own action_ts and trigger_id, so a double click is two payloads, not one twice.
            payload = slack_store.block_actions(
                sandbox,
                message,
                action_id=str(body.get("action_id") or ""),
                user_id=str(body.get("user") or "U05REVIEWER"),
                values=body.get("values") or {},
                response_base=f"{str(request.base_url).rstrip('/')}/slack",
            )
            fields = dict(body)
            if "signing_secret" in body:
                fields["secret"] = body["signing_secret"]
            target = self._target("slack", fields)
            raw, form = urlencode({"payload": payload}).encode(), "application/x-www-form-urlencoded"
            results += await self._deliver("slack", target, raw, {**body, "repeat": 1}, form)
        return JSONResponse({"deliveries": results})


def control_app(app: "SandboxApp", vendors: Mapping[str, Vendor], fixtures: str | None) -> Starlette:
    control = Control(app, vendors, fixtures)

    async def refused(request: Request, error: Exception) -> Response:
        return JSONResponse({"ok": False, "error": str(error)}, status_code=422)

    table: list[tuple[str, str, Endpoint]] = [
        ("GET", "health", control.health),
        ("POST", "reset", control.reset),
        ("GET", "requests", control.requests),
        ("POST", "faults", control.set_faults),
        ("GET", "faults", control.get_faults),
        ("DELETE", "faults", control.delete_faults),
        ("POST", "latency", control.latency),
        ("POST", "credentials", control.credentials),
        ("POST", "options", control.options),
        ("POST", "clock", control.clock),
        ("GET", "state/{provider}", control.get_state),
        ("POST", "state/{provider}", control.seed),
        ("POST", "learn", control.learn),
        ("POST", "webhooks/target", control.set_target),
        ("POST", "webhooks/fire", control.fire),
        ("GET", "webhooks", control.deliveries),
        ("POST", "slack/click", control.click),
    ]
    errors = (ControlError, FaultError, SeedError, TargetError, slack_store.ClickError)
    return Starlette(
        routes=[Route(f"/_control/{path}", endpoint, methods=[method]) for method, path, endpoint in table],
        exception_handlers=dict.fromkeys(errors, refused),
    )
