"""A receiver in this process on a real database, with the sample workspace's routes."""

import base64
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from webhook_receiver.app import create_app
from webhook_receiver.metrics import Metrics
from webhook_receiver.routes import RouteTable
from webhook_receiver.store import DeliveryStore
from zrg_dagster.core.base.seal import Sealer, new_key
from zrg_dagster.core.base.settings import load_settings

PAYLOADS = Path(__file__).parents[1] / "data" / "payloads"
WORKSPACE = UUID("01900000-0000-7000-8000-000000000001")
PELICAN = UUID("01900000-0000-7000-8000-0000000000a1")
KELP = UUID("01900000-0000-7000-8000-0000000000a2")
HOST = "send.harbourline.example"
EMAIL_SECRET, GHL_SECRET, CALENDLY_SECRET, SLACK_SECRET = (
    "eb-hook-55d0", "ghl-hook-7c21e0", "cal-sign-8f31d0", "slk-sign-7e1d0c5b9a",
)  # fmt: skip
SMARTLEAD_SECRET, INSTANTLY_SECRET = "sl-6e0b2f44-hook", "in-hook-0af93c"
UNIPILE_SECRET, UNIPILE_ACCOUNT = "uni-hook-a1d7", "Kd82nVtQRcW0pZ5mXyLs4A"
CLAY_SECRET, RESEND_SECRET = "clay-static-9be2", "whsec_aGFyYm91cmxpbmUtcmVzZW5kLXRlc3Qh"
# The sample author's throw-away pair for the app's feed; HighLevel's own keys are a setting.
GHL_APP_KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"harbourline ghl test key").digest())
GHL_APP_KEYS = ",".join((PAYLOADS / "_keys" / f"ghl_{kind}_test_public.pem").read_text() for kind in ("ed25519", "rsa"))
SLACK_VECTOR_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
EMAIL_PATH = f"/api/webhooks/email?clientId=clnt_harbourline&key={EMAIL_SECRET}"
JSON_TYPE = {"content-type": "application/json"}
# The samples' workspaces: one for each e-mail vendor.
WORKSPACES = {"clnt_harbourline": WORKSPACE, "clnt_pelican": PELICAN, "clnt_kelp": KELP}
ROUTES = (
    ("emailbison", "clnt_harbourline", EMAIL_SECRET, "clnt_harbourline"),
    ("emailbison", f"{HOST}|41", EMAIL_SECRET, "clnt_harbourline"),
    ("ghl", "vQ7mZ2xKc9TfLp4RdWnA", GHL_SECRET, "clnt_harbourline"),
    ("calendly", "clnt_harbourline", CALENDLY_SECRET, "clnt_harbourline"),
    ("smartlead", "clnt_pelican", SMARTLEAD_SECRET, "clnt_pelican"),
    ("instantly", "clnt_kelp", INSTANTLY_SECRET, "clnt_kelp"),
    ("unipile", UNIPILE_ACCOUNT, UNIPILE_SECRET, "clnt_harbourline"),
    ("clay", "clnt_harbourline", CLAY_SECRET, "clnt_harbourline"),
    ("resend", "clnt_harbourline", RESEND_SECRET, "clnt_harbourline"),
)


def wire_body(file: str) -> bytes:
    """The bytes a vendor sends: the file itself, or the `raw` text of a wrapped body."""
    data = (PAYLOADS / file).read_bytes()
    document = json.loads(data)
    return document["raw"].encode() if isinstance(document, dict) and "_encoding" in document else data


def signed_by_ghl(body: bytes) -> dict[str, str]:
    return {**JSON_TYPE, "x-ghl-signature": base64.b64encode(GHL_APP_KEY.sign(body)).decode()}


def sent_event(number: int) -> bytes:
    """A distinct EMAIL_SENT delivery."""
    return json.dumps({
        "event": {"type": "EMAIL_SENT", "instance_url": f"https://{HOST}", "workspace_id": 41},
        "data": {"scheduled_email": {"id": number}},
    }).encode()  # fmt: skip


class Sql:
    """The superuser's view of the test's database."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    def run(self, statement: str, *values: object) -> list[Any]:
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            cursor = connection.execute(statement, values)  # pyright: ignore[reportArgumentType, reportCallIssue]
            return cursor.fetchall() if cursor.description else []

    def count(self, table: str = "raw.webhook_event") -> int:
        return self.run(f"SELECT count(*) FROM {table}")[0][0]

    def drop_connections(self) -> None:
        self.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'zrg-receiver%%' "
                 "AND datname = current_database()")  # fmt: skip


@dataclass
class Receiver:
    client: httpx.AsyncClient
    metrics: Metrics
    routes: RouteTable
    sealer: Sealer
    sql: Sql

    async def post(self, body: bytes, path: str = EMAIL_PATH, headers: dict[str, str] | None = None) -> httpx.Response:
        return await self.client.post(path, content=body, headers=JSON_TYPE if headers is None else headers)

    def counted(self, outcome: str, provider: str = "emailbison") -> float:
        labels = {"provider": provider, "outcome": outcome}
        return self.metrics.registry.get_sample_value("zrg_receiver_deliveries_total", labels) or 0

    def add_route(
        self,
        provider: str,
        key: str,
        secret: str | None,
        workspace: UUID = WORKSPACE,
        workspace_key: str = "clnt_harbourline",
    ) -> None:
        sealed = self.sealer.seal(secret, scope=f"{workspace}:verify:{provider}") if secret else None
        self.sql.run(
            "INSERT INTO raw.route (provider, routing_key, workspace_id, workspace_key, allowed_hosts, sealed_secret) "
            "VALUES (%s, %s, %s, %s, %s, %s) "
            "ON CONFLICT (provider, routing_key) DO UPDATE SET sealed_secret = excluded.sealed_secret",
            provider, key, workspace, workspace_key, [HOST] if provider == "emailbison" else [], sealed,
        )  # fmt: skip


def add_workspace(sql: Sql, workspace: UUID, key: str) -> None:
    sql.run("INSERT INTO app.workspace (id, key, name) VALUES (%s, %s, %s)", workspace, key, key)


@asynccontextmanager
async def running_receiver(database: Any, *, samples: bool = True, **changes: Any) -> AsyncIterator[Receiver]:
    """The real application on the receiver's role, with the samples' workspaces and routes; in production mode unless
    `ZRG_ENV` says otherwise."""
    sealer, metrics, sql = Sealer(new_key()), Metrics(), Sql(database.dsn("bootstrap"))
    settings = load_settings(**{
        "ZRG_ENV": "production", "SLACK_SIGNING_SECRET": f"{SLACK_SECRET},{SLACK_VECTOR_SECRET}",
        "GHL_APP_PUBLIC_KEYS": GHL_APP_KEYS.strip(), "ZRG_ROUTE_TTL_S": 600, **changes,
    })  # fmt: skip
    store = DeliveryStore(
        database.dsn("receiver"),
        metrics,
        batch_size=settings.receiver_batch_size,
        queue_size=settings.receiver_queue_size,
        timeout_s=settings.receiver_store_timeout_s,
    )
    routes = RouteTable(database.dsn("receiver"), sealer, metrics, ttl_s=settings.route_ttl_s)
    app = create_app(settings, store=store, routes=routes, metrics=metrics)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://receiver", timeout=30) as client:
        receiver = Receiver(client, metrics, routes, sealer, sql)
        for workspace_key, workspace in WORKSPACES.items() if samples else ():
            add_workspace(sql, workspace, workspace_key)
        for provider, key, secret, workspace_key in ROUTES if samples else ():
            receiver.add_route(provider, key, secret, WORKSPACES[workspace_key], workspace_key)
        async with app.router.lifespan_context(app):
            assert await routes.refresh()
            yield receiver


def set_clock(monkeypatch: pytest.MonkeyPatch, unix_s: int) -> None:
    """Let the door receive everything at `unix_s`, the moment for which the samples are signed."""
    monkeypatch.setattr("webhook_receiver.app.utc_now", lambda: datetime.fromtimestamp(unix_s, UTC))
