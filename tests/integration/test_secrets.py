"""Secrets in the database: set, removed, rotated while others work, and found nowhere in the clear."""

import asyncio
import io
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.integration.seeds import NOW
from tests.integration.workspaces_world import FILE, SECRETS, apply, rows, slack_api, versions
from zrg_dagster.core.base.log import configure_logging
from zrg_dagster.core.base.seal import Sealer, new_key
from zrg_dagster.core.base.settings import current_settings
from zrg_dagster.core.db.engine import make_engine
from zrg_dagster.core.workspaces.rotation import rotate_all
from zrg_dagster.core.workspaces.sealing import Keys
from zrg_dagster.core.workspaces.secrets import SecretError, remove_secret, set_secret, show_secrets
from zrg_dagster.jobs.workspaces import workspace_bootstrap
from zrg_dagster.resources.clock import Clock
from zrg_dagster.resources.database import Database

LATER = NOW + timedelta(days=1)
TEAM = {"ok": True, "team": "Harbourline", "team_id": "T05HARBOUR", "user_id": "U05BOT"}


@pytest.fixture
async def engine(database) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(database.dsn("worker"), pool_size=4)
    yield engine
    await engine.dispose()


@pytest.fixture
def keys() -> Keys:
    return Keys(Sealer(new_key()), Sealer(new_key()))


async def put(engine, keys, name, value, **options) -> bool:
    async with engine.begin() as conn:
        return await set_secret(conn, "harbourline", name, SecretStr(value), keys, actor="t", now=LATER, **options)


async def take(engine, name) -> bool:
    async with engine.begin() as conn:
        return await remove_secret(conn, "harbourline", name, actor="t", now=LATER)


async def shown(engine, keys) -> dict[str, str]:
    async with engine.connect() as conn:
        return {secret.name: secret.masked for secret in await show_secrets(conn, "harbourline", keys)}


async def verifiers(engine, keys, provider) -> list[str]:
    stored = await rows(
        engine, "SELECT workspace_id, sealed_secret FROM raw.route WHERE provider = :p ORDER BY routing_key", p=provider
    )
    return [keys.verifiers.open(row.sealed_secret, scope=f"{row.workspace_id}:verify:{provider}") for row in stored]


async def test_what_is_stored_is_shown_masked(engine, keys):
    await apply(engine, keys)
    masked = await shown(engine, keys)
    assert masked["ghl_token"] == "••••••••77cc (22 characters)"
    assert len(masked) == len(SECRETS)
    assert not [value for value in SECRETS.values() if value in str(masked)]
    others = Keys(Sealer(new_key()), Sealer(new_key()))
    assert set((await shown(engine, others)).values()) == {"cannot be opened with these keys"}


async def test_the_same_value_again_writes_nothing(engine, keys):
    await apply(engine, keys)
    before = await versions(engine)
    assert not await put(engine, keys, "ghl_token", SECRETS["GHL_TOKEN"])
    assert not await put(engine, keys, "ghl_webhook_secret", SECRETS["GHL_HOOK"])
    assert {row[:3] for row in await versions(engine)} == {row[:3] for row in before}
    assert await put(engine, keys, "ghl_token", "second-ghl-token")
    audited = await rows(engine, "SELECT action, object, changes FROM ops.audit ORDER BY id DESC LIMIT 1")
    assert [tuple(row) for row in audited] == [("secret.set", "ghl_token", [])]


async def test_the_receiver_accepts_both_while_a_vendor_is_switched_over(engine, keys):
    await apply(engine, keys)
    old = SECRETS["EB_HOOK"]
    assert await put(engine, keys, "emailbison_webhook_secret", "second-hook", keep_old=True)
    assert await verifiers(engine, keys, "emailbison") == [f"second-hook,{old}"] * 2
    assert await put(engine, keys, "emailbison_webhook_secret", "second-hook")
    assert await verifiers(engine, keys, "emailbison") == ["second-hook"] * 2
    with pytest.raises(SecretError, match="only one is sent"):
        await put(engine, keys, "ghl_token", "second-ghl-token", keep_old=True)


async def test_without_its_token_calendly_keeps_nothing(engine, keys):
    await apply(engine, keys)
    async with engine.begin() as conn:
        await conn.execute(
            text(
                "UPDATE app.integration SET user_uri = 'https://u', organization_uri = 'https://o', "
                "webhook_subscription_uri = 'https://w' WHERE provider = 'calendly'"
            )
        )
    assert await take(engine, "calendly_token")
    assert not await take(engine, "calendly_token")
    [left] = await rows(engine, "SELECT * FROM app.integration WHERE provider = 'calendly'")
    assert (left.user_uri, left.organization_uri, left.webhook_subscription_uri, left.is_active) == (*[None] * 3, False)
    assert await verifiers(engine, keys, "calendly") == []
    assert not {"calendly_token", "calendly_signing_key"} & set(await shown(engine, keys))
    # Connected again, key by key.
    assert await put(engine, keys, "calendly_token", "second-calendly-token")
    assert await put(engine, keys, "calendly_signing_key", "second-calendly-key")
    assert await verifiers(engine, keys, "calendly") == ["second-calendly-key"]
    [again] = await rows(engine, "SELECT is_active FROM app.integration WHERE provider = 'calendly'")
    assert again.is_active


async def test_other_removals_take_the_value_alone(engine, keys):
    await apply(engine, keys)
    assert await take(engine, "ghl_token")
    assert len(await verifiers(engine, keys, "ghl")) == 1
    assert await take(engine, "ghl_webhook_secret")
    assert await rows(engine, "SELECT 1 FROM raw.route WHERE provider = 'ghl'") == []


@pytest.mark.parametrize(
    ("key", "name", "says"),
    [
        ("harbourline", "ghl_key", "unknown secret 'ghl_key'; the names are emailbison_api_key, "),
        ("nowhere", "ghl_token", "no workspace has the key 'nowhere'"),
        ("empty", "ghl_token", "has no ghl integration; add it to its file"),
    ],
)
async def test_what_cannot_be_set_is_refused(engine, keys, key, name, says):
    await apply(engine, keys, "workspace: {key: empty, name: Empty}\n")
    with pytest.raises(SecretError, match=says):
        async with engine.begin() as conn:
            await set_secret(conn, key, name, SecretStr("some-value"), keys, actor="t", now=NOW)


class TestRotation:
    async def test_everything_is_under_the_newest_key_and_again_changes_nothing(self, engine):
        old, new = (new_key(), new_key()), (new_key(), new_key())
        before = Keys(Sealer(old[0]), Sealer(old[1]))
        await apply(engine, before)
        await apply(engine, before, _second_workspace())
        both = Keys(Sealer(f"{new[0]},{old[0]}"), Sealer(f"{new[1]},{old[1]}"))
        times = await rows(engine, "SELECT updated_at FROM secret.credential ORDER BY workspace_id, name")
        done = await rotate_all(engine, both, actor="t", now=LATER, batch=3)
        assert {name: (each.seen, each.rotated, each.unreadable) for name, each in done.items()} == {
            "credential": (10, 10, ()),
            "pepper": (0, 0, ()),
            "verification": (8, 8, ()),
        }
        only_new = Keys(Sealer(new[0]), Sealer(new[1]))
        assert set((await shown(engine, only_new)).values()) == set((await shown(engine, both)).values())
        assert "cannot be opened with these keys" not in (await shown(engine, only_new)).values()
        assert await rows(engine, "SELECT updated_at FROM secret.credential ORDER BY workspace_id, name") == times
        versions_before = await versions(engine)
        again = await rotate_all(engine, both, actor="t", now=LATER, batch=3)
        assert [each.rotated for each in again.values()] == [0, 0, 0]
        assert await versions(engine) == versions_before
        # The file is still the same: what its secrets are wrapped in is no change.
        assert (await apply(engine, only_new)).changes == ()

    async def test_a_value_that_no_key_opens_is_named_and_the_rest_is_rotated(self, engine):
        old, new = new_key(), new_key()
        verify = Sealer(new_key())
        await apply(engine, Keys(Sealer(old), verify))
        stray = Sealer(new_key()).seal("lost-value", scope="x")
        async with engine.begin() as conn:
            await conn.execute(text("UPDATE secret.credential SET sealed = :s WHERE name = 'ghl_token'"), {"s": stray})
        done = await rotate_all(engine, Keys(Sealer(f"{new},{old}"), verify), actor="t", now=LATER)
        assert (done["credential"].seen, done["credential"].rotated) == (5, 4)
        assert [row.endswith("ghl_token") for row in done["credential"].unreadable] == [True]

    async def test_readers_and_writers_go_on_meanwhile(self, engine):
        """Whatever interleaving: every read opens, and a value set during the rotation is the one that stays."""
        old, new, verify = new_key(), new_key(), Sealer(new_key())
        await apply(engine, Keys(Sealer(old), verify))
        both = Keys(Sealer(f"{new},{old}"), verify)

        async def write() -> None:
            for number in range(10):
                await put(engine, both, "ghl_token", f"value-number-{number}")

        async def read() -> None:
            for _ in range(20):
                assert "cannot be opened with these keys" not in (await shown(engine, both)).values()

        async def rotate() -> None:
            for _ in range(5):
                await rotate_all(engine, both, actor="t", now=LATER, batch=1)

        await asyncio.gather(write(), read(), rotate())
        await rotate_all(engine, both, actor="t", now=LATER)
        [row] = await rows(engine, "SELECT workspace_id, sealed FROM secret.credential WHERE name = 'ghl_token'")
        assert Sealer(new).open(row.sealed, scope=f"{row.workspace_id}:ghl_token") == "value-number-9"


def _second_workspace() -> str:
    source = FILE.replace("key: harbourline", "key: second", 1).replace("external_id: 41", "external_id: 42", 1)
    return source.replace("vQ7mZ2xKc9TfLp4RdWnA", "xQ7mZ2xKc9TfLp4RdWnA").replace(
        "[send.harbourline.example]", "[send.second.example]"
    )


@pytest.fixture
def home(zrg, monkeypatch, tmp_path) -> Path:
    """The settings of a process of ours on this test's database, and a folder with the workspace's file."""
    monkeypatch.setenv("ZRG_SECRET_KEYS", new_key())
    monkeypatch.setenv("ZRG_VERIFY_KEYS", new_key())
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "w.yaml").write_text(FILE)
    return tmp_path


class TestNothingRepeatsASecret:
    """Planted values run through commands, job, logs and errors, and are looked for afterwards."""

    def test_commands(self, home, zrg, monkeypatch):
        logs, said = io.StringIO(), []
        configure_logging(json=True, level="DEBUG", stream=logs)
        caught = logging.StreamHandler(logs)
        logging.getLogger().addHandler(caught)

        def run(*arguments: str, code: int = 0, given: str | None = None) -> str:
            said.append(zrg.ends(*arguments, code=code, given=given))
            return said[-1]

        try:
            with slack_api(TEAM) as address:
                monkeypatch.setenv("SLACK_API_BASE_URL", address)
                file = str(home / "w.yaml")
                assert "rows would change" in run("workspace", "apply", file, "--dry-run")
                assert run("workspace", "list").startswith("no workspaces")
                assert "rows changed" in run("workspace", "apply", file, "--by", "ops@zrg.example")
                assert run("workspace", "apply", file) == "workspace harbourline: no change\n"
                assert "harbourline: Harbourline Analytics, 3 members" in run("workspace", "list")
                assert "secret ghl_token: ••••••••77cc" in run("workspace", "show", "harbourline")
                assert "location_id: vQ7mZ2xKc9TfLp4RdWnA" in run("workspace", "export", "harbourline")
                assert "ops@zrg.example workspace.create" in run("workspace", "log", "harbourline")
                assert "stored" in run("secrets", "set", "harbourline", "ghl_token", given="planted-ghl-77xx \n")
                assert "slack_bot_token: ••••••••77gg" in run("secrets", "show", "harbourline")
                assert "OWNER owner@harbourline.example" in run("member", "list", "harbourline")
                run("member", "add", "harbourline", "new@mills.example", "--role", "SETTER")
                assert "removed SETTER" in run("member", "remove", "harbourline", "new@mills.example")
                assert "verification: 4 values, 0 sealed anew" in run("secrets", "rotate")
                assert "2 rows changed" in run("workspace", "create", "other", "--name", "Other")
                assert "exists" in run("workspace", "create", "other", "--name", "Other", code=1)
                run("secrets", "set", "harbourline", "ghl_token", given="planted inner space", code=1)
                monkeypatch.setenv("GHL_TOKEN", "planted-ghl token")
                assert "w.yaml:22: integrations.ghl.token: env:GHL_TOKEN" in run("workspace", "apply", file, code=1)
            with slack_api({"ok": False, "error": "invalid_auth"}) as address:
                monkeypatch.setenv("SLACK_API_BASE_URL", address)
                refusal = run("secrets", "set", "harbourline", "slack_bot_token", given="xoxb-planted-new", code=1)
                assert "Slack refuses the token: invalid_auth" in refusal
                monkeypatch.setenv("GHL_TOKEN", SECRETS["GHL_TOKEN"])
                monkeypatch.setenv("SLACK_TOKEN", "xoxb-planted-other")
                assert "w.yaml:24: integrations.slack.bot_token" in run("workspace", "apply", file, code=1)
        finally:
            logging.getLogger().removeHandler(caught)
        assert "planted" not in "".join(said) + logs.getvalue()

    def test_the_job(self, home, monkeypatch, capfd):
        def run(**config):
            resources = {"database": Database(role="worker"), "clock": Clock()}
            with dg.DagsterInstance.ephemeral() as instance:
                result = workspace_bootstrap.execute_in_process(
                    run_config={"ops": {"apply_workspace_file": {"config": config}}},
                    resources=resources,
                    instance=instance,
                    raise_on_error=False,
                )
                events = "".join(str(record) for record in instance.all_logs(result.run_id))
                outputs = [
                    event.step_output_data.metadata
                    for event in result.all_events
                    if event.event_type_value == "STEP_OUTPUT"
                ]
            return result.success, (outputs or [{}])[0], events

        path = str(home / "w.yaml")
        with slack_api(TEAM) as address:
            monkeypatch.setenv("SLACK_API_BASE_URL", address)
            current_settings.cache_clear()
            dry = run(path=path)
            assert (dry[0], dry[1]["dry_run"].value, dry[1]["rows_changed"].value) == (True, True, 0)
            assert "+ credential ghl_token: value=(secret)" in dry[1]["difference"].value
            assert not [word for word in ("@", "First setter") if word in dry[1]["difference"].value]
            wet = run(path=path, dry_run=False)
            assert wet[1]["rows_changed"].value == dry[1]["rows_different"].value > 30
            assert run(path=path, dry_run=False)[1]["difference"].value == "```diff\nno change\n```"
            wrong = run(path="/etc/hostname", dry_run=False)
            assert (wrong[0], "expected a file that ends in .yaml or .yml" in wrong[2]) == (False, True)
            (home / "w.yaml").write_text(FILE.replace("tone: brief", "tune: brief"))
            wrong = run(path=path, dry_run=False)
            assert "w.yaml:27: personas[1].tune: unknown key; did you mean `tone`?" in wrong[2]
        heard = "".join(capfd.readouterr())
        assert "planted" not in heard + dry[2] + wet[2] + wrong[2]
