"""Workspaces whose e-mail comes through SmartLead or Instantly: connected, changed over, and verified by the receiver."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.integration.receiver_support import JSON_TYPE, Receiver, running_receiver, wire_body
from tests.integration.seeds import NOW
from tests.integration.workspaces_world import SECRETS, apply, rows
from zrg_dagster.core.base.seal import Sealer, new_key
from zrg_dagster.core.db.engine import make_engine
from zrg_dagster.core.workspaces import export
from zrg_dagster.core.workspaces.changes import lines
from zrg_dagster.core.workspaces.sealing import Keys
from zrg_dagster.core.workspaces.secrets import SecretError, remove_secret, set_secret
from zrg_dagster.core.workspaces.source import WorkspaceFileError

HEAD = "workspace: {key: pelican, name: Pelican Freight}\n"
SMARTLEAD = "integrations:\n  smartlead: {api_key: env:SL_KEY, webhook_secret: env:SL_HOOK}\n"
INSTANTLY = "integrations:\n  smartlead: null\n  instantly: {api_key: env:IN_KEY, webhook_secret: env:IN_HOOK}\n"
AGAIN = "integrations:\n  instantly: null\n  smartlead: {api_key: env:SL_KEY, webhook_secret: env:SL_HOOK}\n"
EMAILBISON = (
    "integrations:\n  smartlead: null\n  emailbison:\n    base_url: http://127.0.0.1:9/emailbison\n    external_id: 77\n"
    "    api_key: env:EB_KEY\n    webhook_secret: env:EB_HOOK\n"
)
ENVIRONMENT = {
    **SECRETS,
    "SL_KEY": "planted-sl-key-88aa",
    "SL_HOOK": "sl-6e0b2f44-hook",
    "IN_KEY": "planted-in-key-88cc",
    "IN_HOOK": "in-hook-0af93c",
}


@pytest.fixture
async def engine(database) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(database.dsn("worker"), pool_size=4)
    yield engine
    await engine.dispose()


@pytest.fixture
def keys() -> Keys:
    return Keys(Sealer(new_key()), Sealer(new_key()))


async def connect(engine, keys, part: str):
    return await apply(engine, keys, HEAD + part, environment=ENVIRONMENT)


async def connected(engine) -> tuple[list[str], list[tuple[str, str]]]:
    """The active integrations and the routes."""
    active = await rows(engine, "SELECT provider FROM app.integration WHERE is_active ORDER BY 1")
    routes = await rows(engine, "SELECT provider, routing_key FROM raw.route ORDER BY 1, 2")
    return [row.provider for row in active], [tuple(row) for row in routes]


@pytest.mark.parametrize(
    ("provider", "part", "hook", "key"),
    [("smartlead", SMARTLEAD, "SL_HOOK", "SL_KEY"), ("instantly", INSTANTLY, "IN_HOOK", "IN_KEY")],
)
async def test_a_file_connects_the_vendor_and_an_unchanged_one_writes_nothing(engine, keys, provider, part, hook, key):
    workspace_id = (await connect(engine, keys, part)).workspace_id
    assert await connected(engine) == ([provider], [(provider, "pelican")])
    [route] = await rows(engine, "SELECT sealed_secret FROM raw.route")
    opened = keys.verifiers.open(route.sealed_secret, scope=f"{workspace_id}:verify:{provider}")
    assert opened == ENVIRONMENT[hook]
    [stored] = await rows(engine, "SELECT name, sealed FROM secret.credential")
    assert stored.name == f"{provider}_api_key"
    assert keys.credentials.open(stored.sealed, scope=f"{workspace_id}:{stored.name}") == ENVIRONMENT[key]
    assert (await connect(engine, keys, part)).changes == ()
    async with engine.connect() as conn:
        exported = export.dump(await export.describe(conn, "pelican", keys))
    assert f"{provider}: {{}}" in exported
    assert (await apply(engine, keys, exported)).changes == ()


async def test_one_vendor_gives_way_to_another_and_comes_back(engine, keys):
    """At no moment are two on, whichever row the database touches first."""
    for part, provider, routes in (
        (SMARTLEAD, "smartlead", [("smartlead", "pelican")]),
        (INSTANTLY, "instantly", [("instantly", "pelican")]),
        (AGAIN, "smartlead", [("smartlead", "pelican")]),
        (EMAILBISON, "emailbison", [("emailbison", "127.0.0.1:9|77"), ("emailbison", "pelican")]),
        (AGAIN + "  emailbison: null\n", "smartlead", [("smartlead", "pelican")]),
        (INSTANTLY, "instantly", [("instantly", "pelican")]),
    ):
        done = await connect(engine, keys, part)
        assert any(f"integration {provider}" in line for line in lines(done.changes))
        assert await connected(engine) == ([provider], routes)


async def test_the_former_vendors_key_switches_nothing_on(engine, keys):
    await connect(engine, keys, SMARTLEAD)
    await connect(engine, keys, INSTANTLY)
    for name in ("smartlead_api_key", "smartlead_webhook_secret"):
        with pytest.raises(SecretError, match=r"apply (it|its file)"):
            async with engine.begin() as conn:
                await set_secret(conn, "pelican", name, SecretStr("some-value"), keys, actor="t", now=NOW)
    assert await connected(engine) == (["instantly"], [("instantly", "pelican")])


@pytest.mark.parametrize("missing", ["api_key", "webhook_secret"])
async def test_both_secrets_are_needed_once(engine, keys, missing):
    part = "integrations:\n  instantly: {%s: env:IN_KEY}\n" % ("webhook_secret" if missing == "api_key" else "api_key")
    with pytest.raises(WorkspaceFileError) as error:
        await connect(engine, keys, part)
    assert f"integrations.instantly.{missing}" in error.value.problems[0]


async def test_a_campaign_of_the_vendor_can_be_configured(engine, keys):
    campaigns = "campaigns:\n  - {provider: smartlead, external_id: 88412, response_mode: AI_AUTO_SEND}\n"
    await connect(engine, keys, SMARTLEAD + campaigns)
    [campaign] = await rows(engine, "SELECT provider, external_id, response_mode FROM app.email_campaign")
    assert tuple(campaign) == ("smartlead", "88412", "AI_AUTO_SEND")


async def answered(receiver: Receiver, secret: str) -> int:
    assert await receiver.routes.refresh()
    headers = {**JSON_TYPE, "authorization": f"Bearer {secret}"}
    body = wire_body("instantly/reply_received__v2.json")
    answer = await receiver.post(body, "/api/webhooks/instantly?clientId=pelican", headers)
    return answer.status_code


async def test_what_was_applied_is_what_the_receiver_verifies_with(database, engine):
    async with running_receiver(database) as receiver:
        keys = Keys(Sealer(new_key()), receiver.sealer)
        await connect(engine, keys, INSTANTLY)
        assert [await answered(receiver, secret) for secret in ("in-hook-0af93c", "second-hook")] == [200, 401]

        async def rotate(**options) -> None:
            async with engine.begin() as conn:
                value = SecretStr("second-hook")
                assert await set_secret(
                    conn, "pelican", "instantly_webhook_secret", value, keys, actor="t", now=NOW, **options
                )

        await rotate(keep_old=True)
        assert [await answered(receiver, secret) for secret in ("in-hook-0af93c", "second-hook")] == [200, 200]
        await rotate()
        assert [await answered(receiver, secret) for secret in ("in-hook-0af93c", "second-hook")] == [401, 200]
        await connect(engine, keys, SMARTLEAD.replace("integrations:", "integrations:\n  instantly: null"))
        assert await answered(receiver, "second-hook") == 200
        assert receiver.counted("provider_mismatch", "instantly") == 1
        async with engine.begin() as conn:
            later = NOW + timedelta(days=1)
            assert await remove_secret(conn, "pelican", "smartlead_webhook_secret", actor="t", now=later)
        assert await answered(receiver, "second-hook") == 404
