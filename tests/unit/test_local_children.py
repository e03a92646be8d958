"""Which process receives what. Nothing is started here."""

import json
import os
from pathlib import Path

import pytest
from pydantic import SecretStr

from zrg_dagster.core.base.settings import Settings, load_settings
from zrg_dagster.core.db import roles
from zrg_dagster.local import output
from zrg_dagster.local.children import Ports, product_children
from zrg_dagster.local.stack import Stack

DSNS = {key: f"postgresql://{login.role}:pw-{key}@db.internal:5432/zrg" for key, login in roles.BY_KEY.items()}
SECRETS = {
    "ZRG_DB_ADMIN_URL": "postgresql://chief:pw-admin@db.internal/postgres",
    "ZRG_SECRET_KEYS": "the-secret-key",
    "ZRG_VERIFY_KEYS": "the-verify-key",
    "OPENAI_API_KEY": "the-openai-key",
    "SLACK_BOT_TOKEN": "the-slack-token",
    "UNIPILE_API_KEY": "the-unipile-key",
    "SLACK_SIGNING_SECRET": "the-slack-signing-secret",
    "GHL_APP_PUBLIC_KEYS": "the-ghl-app-keys",
}
ALLOWED = {
    "receiver": {"pw-receiver", "the-verify-key", "the-slack-signing-secret", "the-ghl-app-keys"},
    "code-server": {
        *("pw-worker", "pw-build", "pw-dagster", "the-secret-key", "the-verify-key"),
        *("the-openai-key", "the-slack-token", "the-unipile-key"),
    },
    "webserver": {"pw-dagster"},
    "sandbox": set(),
}
ALLOWED["daemon"] = ALLOWED["code-server"]
ALL_VALUES = {
    *(f"pw-{key}" for key in DSNS),
    "pw-admin",
    *(v for k, v in SECRETS.items() if not k.startswith("ZRG_DB")),
}


@pytest.fixture
def children(tmp_path, monkeypatch):
    urls = {f"ZRG_DB_{key.upper()}_URL": dsn for key, dsn in DSNS.items()}
    settings = load_settings(ZRG_HOME=tmp_path / "home", ZRG_LEASE_S=120, AUTO_SEND_DISABLED=True, **urls, **SECRETS)
    # What the operator's shell holds must not reach a child by inheritance either.
    for name, value in {**urls, **SECRETS, "UNRELATED_TOKEN": "shell-secret"}.items():
        monkeypatch.setenv(name, value)
    stack = Stack(settings)
    stack.prepare()
    return {child.name: child for child in product_children(stack, Ports(1001, 1002, 1003, 1004), sandbox=True)}


@pytest.mark.parametrize("name", ALLOWED)
def test_each_process_gets_its_own_secrets_and_no_other(children, name):
    text = "\n".join(children[name].env.values())
    assert {value for value in ALL_VALUES if value in text} == ALLOWED[name]
    assert "shell-secret" not in text
    assert not any(value in " ".join(children[name].command) for value in ALL_VALUES), "visible in `ps`"
    assert not any(value in repr(children[name]) for value in ALL_VALUES)


def test_every_secret_setting_is_covered_by_this_test():
    """A new secret must be put into ALLOWED on purpose, not reach a process by accident."""
    secret = {
        str(field.validation_alias)
        for field in Settings.model_fields.values()
        if SecretStr.__name__ in repr(field.annotation)
    }
    assert secret == {*SECRETS, *(f"ZRG_DB_{key.upper()}_URL" for key in DSNS)}


def test_plain_settings_reach_every_process(children):
    for child in children.values():
        assert child.env["ZRG_LEASE_S"] == "120.0"
        assert child.env["AUTO_SEND_DISABLED"] == "true"
        assert child.env["PYTHONTZPATH"] == ""
        assert child.env["PATH"] == os.environ["PATH"]


def test_dagster_finds_its_files_and_the_driver_that_works(children):
    for name in ("code-server", "daemon", "webserver"):
        env = children[name].env
        assert env["ZRG_DAGSTER_STORAGE_URL"].startswith("postgresql+psycopg2://dagster_instance:")
        assert (env["ZRG_CODE_SERVER_HOST"], env["ZRG_CODE_SERVER_PORT"]) == ("127.0.0.1", "1003")
        assert env["DAGSTER_DISABLE_TELEMETRY"] == "1"
    home = children["daemon"].env["DAGSTER_HOME"]
    assert "ZRG_DAGSTER_STORAGE_URL" in Path(home, "dagster.yaml").read_text()
    for name in ("daemon", "webserver"):
        # Without -w Dagster would load the module itself and start a fresh code server every minute.
        assert "-w" in children[name].command


def test_groups_stop_in_order(children):
    """Daemon first (nothing new starts), then code server and UI, then the door; Postgres follows them all."""
    order = sorted(children.values(), key=lambda child: child.stop_group)
    assert order[0].name == "daemon"
    assert {child.name for child in order if child.stop_group == 2} == {"code-server", "webserver"}
    assert {child.name for child in order if child.stop_group == 3} == {"receiver", "sandbox"}


def test_free_ports_differ():
    ports = Ports.free()
    assert len({ports.receiver, ports.webserver, ports.code_server, ports.sandbox}) == 4


def test_lines_carry_the_name_of_their_process(capsys):
    output.print_line("daemon", "\x1b[32mhello\x1b[0m")
    output.print_json("daemon", "\x1b[32mhello\x1b[0m")
    output.print_json("receiver", '{"event": "batch_stored", "rows": 2}')
    plain, wrapped, merged = capsys.readouterr().out.splitlines()
    assert plain == "daemon      | hello"
    assert json.loads(wrapped) == {"process": "daemon", "event": "hello"}
    assert json.loads(merged) == {"process": "receiver", "event": "batch_stored", "rows": 2}
