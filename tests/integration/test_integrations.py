"""`zrg integration connect calendly` and the daily look, against the sandbox's Calendly and a real database."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from provider_sandbox.calendly_store import Store
from tests.integration.command_support import Zrg
from tests.integration.receiver_support import running_receiver
from tests.integration.seeds import NOW
from tests.integration.workspaces_world import FILE, SECRETS, apply, rows
from tests.unit.sandbox_tools import InProcess, server
from zrg_dagster.core.base.seal import Sealer, new_key
from zrg_dagster.core.base.settings import current_settings
from zrg_dagster.core.db.engine import make_engine
from zrg_dagster.core.providers.calendly.client import CalendlyClient
from zrg_dagster.core.providers.credential import Credential
from zrg_dagster.core.workspaces.calendly_connect import Connected, connect
from zrg_dagster.core.workspaces.calendly_hook import HookError
from zrg_dagster.core.workspaces.sealing import Keys
from zrg_dagster.jobs.integrations import check_integrations
from zrg_dagster.resources.channels import Channels
from zrg_dagster.resources.clock import Clock
from zrg_dagster.resources.database import Database

ADDRESS = "https://hooks.harbourline.example/api/webhooks/calendly/harbourline"
MOVED = "https://new.harbourline.example/api/webhooks/calendly/harbourline"
TOKEN = "sandbox-calendly-token"
SOURCE = FILE.replace(", signing_key: env:CAL_KEY", "")


class Stopped(Clock):
    """The clock resource, stopped."""

    at: str

    def now(self) -> datetime:
        return datetime.fromisoformat(self.at)


@pytest.fixture
async def engine(database: Any) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(database.dsn("worker"), pool_size=2)
    yield engine
    await engine.dispose()


@pytest.fixture
def keys() -> Keys:
    return Keys(Sealer(new_key()), Sealer(new_key()))


async def signing_keys(engine: AsyncEngine, keys: Keys) -> list[str]:
    """What the receiver verifies with, newest first."""
    [row] = await rows(engine, "SELECT workspace_id, sealed_secret FROM raw.route WHERE provider = 'calendly'")
    return keys.verifiers.open(row.sealed_secret, scope=f"{row.workspace_id}:verify:calendly").split(",")


class Calendly:
    """The sandbox's account, and the command's work on it."""

    def __init__(self, sandbox: InProcess, engine: AsyncEngine, keys: Keys) -> None:
        self.sandbox, self._engine, self._keys = sandbox, engine, keys

    async def connect(self, address: str = ADDRESS, scope: Any = "user") -> Connected:
        client = CalendlyClient(self.sandbox.http, Credential("http://sandbox.test/calendly", TOKEN))
        return await connect(
            self._engine, client, "harbourline", self._keys, address=address, scope=scope, actor="t", clock=lambda: NOW
        )

    async def subscriptions(self) -> list[dict[str, Any]]:
        return (await self.sandbox.state("calendly"))["subscriptions"]

    async def set_state(self, address: str, state: str) -> None:
        given = {"subscriptions": [{"callback_url": address, "state": state}]}
        await self.sandbox.control("POST", "state/calendly", given)

    def told(self) -> list[str]:
        """The signing keys that the vendor was told, of subscriptions that exist."""
        return list(self.sandbox.app.sandbox.store(Store).signing_keys.values())


@pytest.fixture
async def calendly(engine: AsyncEngine, keys: Keys) -> AsyncIterator[Calendly]:
    await apply(engine, keys, SOURCE)
    async with InProcess() as sandbox:
        yield Calendly(sandbox, engine, keys)


async def test_a_subscription_is_made_once_and_its_key_is_the_receivers(
    calendly: Calendly, engine: AsyncEngine, keys: Keys
) -> None:
    made = await calendly.connect()
    assert (made.is_new, made.removed) == (True, 0)
    [there] = await calendly.subscriptions()
    assert (there["callback_url"], there["scope"], len(there["events"])) == (ADDRESS, "user", 4)
    assert await signing_keys(engine, keys) == calendly.told()
    assert len(calendly.told()[0]) > 40
    again = await calendly.connect()
    assert (again.uri, again.is_new, again.removed) == (made.uri, False, 0)
    assert len(await calendly.subscriptions()) == 1
    entries = await rows(engine, "SELECT action, object, changes FROM ops.audit ORDER BY id")
    assert [(row.action, row.object) for row in entries][1:] == [
        ("secret.set", "calendly_signing_key"),
        ("integration.connect", "calendly webhook subscription"),
    ]
    assert calendly.told()[0] not in str(entries)
    # The file says nothing of the key: applying it again leaves all of it as it is.
    assert (await apply(engine, keys, SOURCE)).changes == ()


async def test_a_disabled_one_is_replaced_and_what_is_under_way_still_verifies(
    calendly: Calendly, engine: AsyncEngine, keys: Keys
) -> None:
    first = await calendly.connect()
    [old_key] = calendly.told()
    await calendly.set_state(ADDRESS, "disabled")
    second = await calendly.connect()
    assert (second.is_new, second.removed, second.uri != first.uri) == (True, 1, True)
    assert [each["state"] for each in await calendly.subscriptions()] == ["active"]
    assert await signing_keys(engine, keys) == [*calendly.told(), old_key]


async def test_a_moved_receiver_takes_its_subscription_along_and_leaves_the_others(calendly: Calendly) -> None:
    await calendly.set_state("https://stage.example/api/webhooks/calendly/harbourline", "active")
    await calendly.connect()
    moved = await calendly.connect(MOVED)
    assert (moved.is_new, moved.removed) == (True, 1)
    addresses = {each["callback_url"] for each in await calendly.subscriptions()}
    assert addresses == {MOVED, "https://stage.example/api/webhooks/calendly/harbourline"}
    wider = await calendly.connect(MOVED, "organization")
    assert (wider.is_new, wider.removed) == (True, 1)


async def test_one_that_somebody_made_by_hand_at_our_address_is_taken_over(calendly: Calendly) -> None:
    await calendly.set_state(ADDRESS, "active")
    made = await calendly.connect()
    assert (made.is_new, made.removed, len(await calendly.subscriptions())) == (True, 1, 1)


@pytest.mark.parametrize("mode", ["accept_then_500", "wrong_shape", "bad_json_200"])
async def test_an_answer_that_was_lost_is_found_at_the_vendor(calendly: Calendly, mode: str) -> None:
    match = {"method": "POST", "path_regex": "^/webhook_subscriptions$"}
    order = {"provider": "calendly", "match": match, "mode": mode, "times": 1}
    await calendly.sandbox.control("POST", "faults", order)
    made = await calendly.connect()
    [there] = await calendly.subscriptions()
    assert (made.uri, made.is_new) == (there["uri"], True)


@pytest.mark.parametrize(
    "status, words",
    [(401, "the token could not be used: Calendly refuses"), (503, "did not answer as expected")],
)
async def test_a_vendor_that_says_no_is_quoted_and_nothing_is_written(
    calendly: Calendly, engine: AsyncEngine, status: int, words: str
) -> None:
    answer = httpx.Response(status, json={"title": "Unauthenticated", "message": "The access token is invalid"})

    async def no_sleep(_seconds: float) -> None:
        return None

    http = httpx.AsyncClient(transport=httpx.MockTransport(lambda _request: answer))
    client = CalendlyClient(http, Credential("https://api.calendly.com", TOKEN), sleep=no_sleep)
    with pytest.raises(HookError, match=words) as refused:
        await connect(
            engine, client, "harbourline", Keys(Sealer(new_key()), Sealer(new_key())),
            address=ADDRESS, scope="user", actor="t", clock=lambda: NOW,
        )  # fmt: skip
    assert "\n" not in str(refused.value)
    assert await rows(engine, "SELECT 1 FROM raw.route WHERE provider = 'calendly'") == []


async def test_what_the_sandbox_signs_with_that_key_is_taken_in(calendly: Calendly, database: Any, keys: Keys) -> None:
    """From the command to a delivery in the table, through the real door."""
    await calendly.connect()
    from tests.integration.test_receiver_fuzz import hexed

    [secret] = calendly.told()
    body = json.dumps({"event": "invitee.created", "payload": {"uri": "https://api.calendly.com/x/1"}}).encode()
    async with running_receiver(database) as receiver:
        receiver.routes._sealer = keys.verifiers
        assert await receiver.routes.refresh()
        stamp = str(int(datetime.now().timestamp()))  # noqa: DTZ005
        signature = f"t={stamp},v1={hexed(secret, stamp.encode() + b'.' + body)}"
        headers = {"content-type": "application/json", "calendly-webhook-signature": signature}
        answer = await receiver.post(body, "/api/webhooks/calendly/harbourline", headers)
        assert (answer.status_code, receiver.sql.count()) == (200, 1)


class TestCommandAndJob:
    """The real command and the real job, with a sandbox in its own process."""

    @pytest.fixture
    def home(self, zrg: Zrg, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
        monkeypatch.setenv("ZRG_SECRET_KEYS", new_key())
        monkeypatch.setenv("ZRG_VERIFY_KEYS", new_key())
        for name, value in SECRETS.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("CAL_TOKEN", TOKEN)
        (tmp_path / "w.yaml").write_text(SOURCE.replace("  slack: {bot_token: env:SLACK_TOKEN}\n", ""))
        return tmp_path

    def checked(self, at: datetime) -> dict[str, Any]:
        current_settings.cache_clear()
        resources = {"database": Database(role="worker"), "clock": Stopped(at=at.isoformat()), "channels": Channels()}
        with dg.DagsterInstance.ephemeral() as instance:
            result = check_integrations.execute_in_process(resources=resources, instance=instance)
        [output] = [event for event in result.all_events if event.event_type_value == "STEP_OUTPUT"]
        return {name: value.value for name, value in output.step_output_data.metadata.items()}

    async def _rows(self, statement: str) -> list[Any]:
        engine = make_engine(current_settings().db_worker_url.get_secret_value(), pool_size=1)  # pyright: ignore
        try:
            return await rows(engine, statement)
        finally:
            await engine.dispose()

    def test_from_a_file_to_a_sound_subscription_and_the_daily_look(
        self, home: Path, zrg: Zrg, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with server() as sandbox, httpx.Client(base_url=sandbox) as control:
            monkeypatch.setenv("CALENDLY_BASE_URL", f"{sandbox}/calendly")
            assert "no workspace has the key" in zrg.ends("integration", "connect", "calendly", "harbourline", code=1)
            zrg.ends("workspace", "apply", str(home / "w.yaml"))
            address = "http://127.0.0.1:8080/api/webhooks/calendly/harbourline"

            seen = self.checked(NOW)
            assert seen["in_trouble"] == 1
            assert "subscription_missing → `zrg integration connect calendly harbourline`" in seen["to_repair"]

            said = zrg.ends("integration", "connect", "calendly", "harbourline")
            assert said.startswith("subscription made: https://api.calendly.com/webhook_subscriptions/")
            assert "sound, nothing changed" in zrg.ends("integration", "connect", "calendly", "harbourline")
            assert self.checked(NOW + timedelta(minutes=1))["in_trouble"] == 0

            given = {"subscriptions": [{"callback_url": address, "state": "disabled"}]}
            control.post("/_control/state/calendly", json=given).raise_for_status()
            for hours in (24, 25, 48):
                assert self.checked(NOW + timedelta(hours=hours))["in_trouble"] == 1
            assert "1 former subscription removed" in zrg.ends("integration", "connect", "calendly", "harbourline")
            for hours in (49, 73):
                assert self.checked(NOW + timedelta(hours=hours))["in_trouble"] == 0
        statement = "SELECT value, is_trouble FROM app.vendor_notice ORDER BY noticed_at"
        assert [tuple(row) for row in asyncio.run(self._rows(statement))] == [
            ("subscription_missing", True),
            ("subscription_active", False),
            ("subscription_disabled", True),
            ("subscription_disabled", True),
            ("subscription_active", False),
        ]

    def test_refusals_are_one_line(self, home: Path, zrg: Zrg, monkeypatch: pytest.MonkeyPatch) -> None:
        zrg.ends("workspace", "apply", str(home / "w.yaml"))
        connect = ("integration", "connect", "calendly", "harbourline")
        assert "PUBLIC_URL is not set" in zrg.ends(*connect, code=1)
        monkeypatch.setenv("PUBLIC_URL", "http://hooks.harbourline.example")
        monkeypatch.setenv("ZRG_ENV", "production")
        assert "deliveries need https outside development" in zrg.ends(*connect, code=1)
        assert "--scope is user or organization" in zrg.ends(*connect, "--scope", "all", code=1)
        zrg.ends("secrets", "remove", "harbourline", "calendly_token")
        assert "not connected to Calendly" in zrg.ends(*connect, code=1)
