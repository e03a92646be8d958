"""The door: verify, store, answer. One ASGI endpoint per vendor route, and three for whoever watches the process."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.routing import Route as HttpRoute

from webhook_receiver.body import BodyReader, ClientGone
from webhook_receiver.metrics import CONTENT_TYPE, Metrics
from webhook_receiver.routes import RouteTable
from webhook_receiver.store import DeliveryNotStorable, DeliveryStore, Row, StoreUnavailable
from zrg_dagster.core.base.clock import utc_now
from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.base.log import get_logger
from zrg_dagster.core.base.settings import Settings, SettingsError
from zrg_dagster.core.providers.calendly.door import DOOR as CALENDLY
from zrg_dagster.core.providers.clay.door import DOOR as CLAY
from zrg_dagster.core.providers.door import (
    Delivery,
    Door,
    Identity,
    Refused,
    Reply,
    Route,
    RouteKey,
    kept_headers,
    split_secrets,
)
from zrg_dagster.core.providers.emailbison.door import DOOR as EMAILBISON
from zrg_dagster.core.providers.ghl.door import APP_DOOR as GHL_APP
from zrg_dagster.core.providers.ghl.door import DOOR as GHL
from zrg_dagster.core.providers.ghl.door import public_key
from zrg_dagster.core.providers.instantly.door import DOOR as INSTANTLY
from zrg_dagster.core.providers.resend.door import DOOR as RESEND
from zrg_dagster.core.providers.slack.door import DOOR as SLACK
from zrg_dagster.core.providers.smartlead.door import DOOR as SMARTLEAD
from zrg_dagster.core.providers.unipile.door import DOOR as UNIPILE

log = get_logger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

WEBHOOKS: Mapping[str, Door] = {
    "/api/webhooks/email": EMAILBISON,
    "/api/webhooks/smartlead": SMARTLEAD,
    "/api/webhooks/instantly": INSTANTLY,
    "/api/webhooks/ghl/sms": GHL,
    "/api/webhooks/ghl/app": GHL_APP,
    "/api/webhooks/calendly/{workspace}": CALENDLY,
    "/api/webhooks/slack/interactions": SLACK,
    "/api/webhooks/linkedin": UNIPILE,
    "/api/webhooks/clay": CLAY,
    "/api/webhooks/resend": RESEND,
}

RETRY_AFTER_S = b"60"
MAX_QUERY_FIELDS = 32
REFUSAL_LOGS_PER_S = 20
JSON = b"application/json"
OUTCOME_OF_STATUS = {
    400: "malformed",
    401: "unauthorized",
    404: "unknown_workspace",
    405: "malformed",
    413: "too_large",
    415: "malformed",
    500: "failed",
    503: "unavailable",
}
STORED = b'{"success": true, "duplicate": false}'
DUPLICATE = b'{"success": true, "duplicate": true}'
MISMATCH = b'{"success": true, "ignored": true, "reason": "provider_mismatch"}'


class ProviderMismatch(Exception):
    """The workspace is connected to `connected`, another vendor of the same kind. `workspace` is its key."""

    def __init__(self, connected: str, workspace: str) -> None:
        super().__init__(f"{workspace} is connected to {connected}")
        self.connected = connected
        self.workspace = workspace


async def respond(
    send: Send, status: int, body: bytes, content_type: bytes = JSON, extra: Headers | None = None
) -> None:
    headers = [(b"content-type", content_type), (b"content-length", b"%d" % len(body)), *(extra or ())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def app_secrets(door: Door, settings: Settings) -> tuple[str, ...]:
    """What verifies a vendor's one app-wide signature; empty when it is not configured."""
    if door is GHL_APP:
        keys = settings.ghl_app_public_keys
        parts = split_secrets(keys.get_secret_value()) if keys else ()
        for number, part in enumerate(parts, start=1):
            try:
                public_key(part)
            except ValueError:
                message = (
                    f"setting GHL_APP_PUBLIC_KEYS: key {number} is no Ed25519 or RSA public key (PEM or base64 DER)"
                )
                raise SettingsError(message) from None
        return parts
    secret = settings.slack_signing_secret
    return split_secrets(secret.get_secret_value()) if secret else ()


class Webhook:
    """The ASGI endpoint of one vendor."""

    def __init__(
        self,
        door: Door,
        settings: Settings,
        store: DeliveryStore,
        routes: RouteTable,
        metrics: Metrics,
        bodies: BodyReader,
    ) -> None:
        self._door = door
        self._development = settings.environment == "development"
        self._app_secrets = app_secrets(door, settings) if door.verified_by == "app" else ()
        self._store = store
        self._routes = routes
        self._metrics = metrics
        self._bodies = bodies
        self._refusals = LogBudget(REFUSAL_LOGS_PER_S)
        metrics.prepare(door.provider)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] in ("GET", "HEAD"):
            # Vendors' consoles probe a webhook address with GET; the answer lists nothing of ours.
            await respond(send, 200, b"" if scope["method"] == "HEAD" else b'{"status": "ok"}')
            return
        delivery_id = new_id()
        correlation_id = delivery_id.hex
        extra: Headers = [(b"x-correlation-id", correlation_id.encode())]
        provider = self._door.provider
        held = 0
        try:
            delivery = await self._read(scope, receive)
            held = len(delivery.body)
            reply = await self._take_in(delivery, delivery_id, correlation_id)
            await respond(send, 200, reply.body, reply.content_type.encode(), extra)
        except ClientGone:
            self._metrics.count(provider, "malformed")
        except ProviderMismatch as mismatch:
            self._metrics.count(provider, "provider_mismatch")
            if self._refusals.spend():
                log.warning(
                    "delivery_ignored",
                    provider=provider,
                    reason="provider_mismatch",
                    workspace=mismatch.workspace,
                    connected=mismatch.connected,
                    correlation_id=correlation_id,
                )
            await respond(send, 200, MISMATCH, JSON, extra)
        except Refused as refusal:
            outcome = OUTCOME_OF_STATUS.get(refusal.status, "failed")
            self._metrics.count(provider, outcome)
            if self._refusals.spend():
                log.warning(
                    "delivery_refused",
                    provider=provider,
                    status=refusal.status,
                    code=refusal.code,
                    correlation_id=correlation_id,
                )
            if refusal.status == 503:
                extra.append((b"retry-after", RETRY_AFTER_S))
            if refusal.status == 405:
                extra.append((b"allow", b"GET, HEAD, POST"))
            body = json.dumps({"success": False, "error": refusal.code}).encode()
            await respond(send, refusal.status, body, JSON, extra)
        finally:
            self._bodies.release(held)

    async def _read(self, scope: Scope, receive: Receive) -> Delivery:
        """The request as a `Delivery`, or `Refused` with 400, 405, 413, 415 or 503."""
        if scope["method"] != "POST":
            raise Refused(405, "method_not_allowed")
        headers: dict[str, str] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))
        media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        if not (media_type in self._door.content_types or media_type.endswith("+json")):
            raise Refused(415, "unsupported_content_type")
        if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
            raise Refused(415, "unsupported_content_encoding")
        received_at = utc_now()
        query = _query(scope["query_string"])
        body = await self._bodies.read(receive, headers.get("content-length", ""))
        return Delivery("POST", scope.get("path_params", {}), query, headers, body, received_at, media_type)

    async def _take_in(self, delivery: Delivery, delivery_id: Any, correlation_id: str) -> Reply:
        """Authenticate and store one delivery; the reply is sent only after its commit."""
        door = self._door
        if reply := door.reply_before_auth(delivery):
            self._metrics.count(door.provider, "ignored")
            return reply
        route = await self._find_route(delivery) if door.route_keys else None
        if route is None and door.route_keys and door.unknown_route:
            self._metrics.count(door.provider, "unknown_workspace")
            return door.unknown_route
        self._authenticate(delivery, route)
        if reply := door.reply_after_auth(delivery):
            self._metrics.count(door.provider, "ignored")
            return reply
        identity = door.identify(delivery, route)
        self._refuse_foreign(identity, route)
        row = Row(
            id=delivery_id,
            provider=identity.provider,
            scope=identity.scope,
            workspace_id=route.workspace_id if route else None,
            event_type=identity.event_type,
            delivery_key=identity.delivery_key,
            received_at=delivery.received_at,
            headers=kept_headers(delivery.headers),
            body=delivery.body,
            correlation_id=correlation_id,
        )
        try:
            is_new = await self._store.accept(row)
        except StoreUnavailable as error:
            raise Refused(503, error.reason) from None
        except DeliveryNotStorable:
            raise Refused(500, "not_storable") from None
        self._metrics.count(door.provider, "stored" if is_new else "duplicate")
        if route and not route.secrets and door.verified_by == "route":
            self._metrics.count_unsigned(door.provider)
        return door.accepted or Reply(STORED if is_new else DUPLICATE, "application/json")

    async def _find_route(self, delivery: Delivery) -> Route | None:
        """The route of the first key that somebody has. `ProviderMismatch` when a key finds only a rival vendor's; else
        `Refused(404)`, but None where the vendor also delivers what concerns nobody here and the delivery names a key."""
        assert self._door.route_keys is not None
        is_named, mismatch = False, None
        for key in self._door.route_keys(delivery):
            if route := await self._routes.find(key):
                return route
            is_named = True
            rivals = (name for name in self._door.rivals if self._routes.peek(RouteKey(name, key.key)) is not None)
            mismatch = mismatch or next((ProviderMismatch(rival, key.key) for rival in rivals), None)
        if mismatch:
            raise mismatch
        if is_named and self._door.unknown_route:
            return None
        raise Refused(404, "unknown_workspace")

    def _authenticate(self, delivery: Delivery, route: Route | None) -> None:
        """Check the signature with the route's secrets, or with those of the app."""
        door = self._door
        if door.verified_by == "app":
            if not self._app_secrets:
                raise Refused(401, "not_configured")
            door.verify(delivery, self._app_secrets, delivery.received_at)
        elif route and route.secrets:
            door.verify(delivery, route.secrets, delivery.received_at)
        elif not route or not self._development:
            raise Refused(401, "unsigned")
        elif self._refusals.spend():
            log.warning("unsigned_delivery_accepted", provider=door.provider, workspace=route.workspace_key)

    def _refuse_foreign(self, identity: Identity, route: Route | None) -> None:
        for claim in identity.claims:
            owner = self._routes.peek(claim)
            if route and owner is not None and owner != route.workspace_id:
                raise Refused(401, "foreign_workspace")


class LogBudget:
    """At most `per_second` lines a second: a flood of bad requests must not become a flood of log writes."""

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second
        self._second = 0
        self._spent = 0

    def spend(self) -> bool:
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._spent = second, 0
        self._spent += 1
        return self._spent <= self._per_second


def _query(raw: bytes) -> dict[str, str]:
    """The query string, first value of each field. `Refused(400)` when it has too many."""
    if not raw:
        return {}
    try:
        pairs = parse_qsl(raw.decode("latin-1"), keep_blank_values=True, max_num_fields=MAX_QUERY_FIELDS)
    except ValueError:
        raise Refused(400, "invalid_query") from None
    return dict(reversed(pairs))


def create_app(settings: Settings, *, store: DeliveryStore, routes: RouteTable, metrics: Metrics) -> Starlette:
    """The ASGI application. Its lifespan starts and stops `store` and `routes`; nothing connects before that."""
    bodies = BodyReader(settings.receiver_max_body_bytes)
    metrics.held_bytes.set_function(lambda: bodies.held_bytes)
    metrics.queue_length.set_function(store.waiting)
    metrics.route_age.set_function(routes.age_s)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await routes.start()
        await store.start()
        log.info("receiver_started", environment=settings.environment, batch_size=settings.receiver_batch_size)
        yield
        await asyncio.gather(store.stop(), routes.stop())
        log.info("receiver_stopped")

    return Starlette(
        lifespan=lifespan,
        routes=[
            *(
                HttpRoute(path, Webhook(door, settings, store, routes, metrics, bodies))
                for path, door in WEBHOOKS.items()
            ),
            HttpRoute("/healthz", Healthz()),
            HttpRoute("/readyz", Readyz(routes)),
            HttpRoute("/metrics", MetricsPage(metrics)),
        ],
    )


class Healthz:
    """The process is alive and its event loop turns. Says nothing about the database."""

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await respond(send, 200, b'{"status": "ok"}')


class Readyz:
    """The database answers and the routing table is loaded: deliveries would be stored."""

    def __init__(self, routes: RouteTable) -> None:
        self._routes = routes

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        if await self._routes.reachable():
            await respond(send, 200, b'{"status": "ready"}')
            return
        body = json.dumps({"status": "unavailable", "database": False, "routes_loaded": self._routes.loaded}).encode()
        await respond(send, 503, body, JSON, [(b"retry-after", RETRY_AFTER_S)])


class MetricsPage:
    """Prometheus text of this worker process."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await respond(send, 200, self._metrics.render(), CONTENT_TYPE.encode())
