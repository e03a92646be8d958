"""Settings: refused when wrong, documented when present, read when they exist."""

import re
from pathlib import Path

import pytest

from zrg_dagster.core.base.settings import Settings, SettingsError, load_settings
from zrg_dagster.core.base.settings_doc import settings_table

ROOT = Path(__file__).parents[2]


def test_documentation_holds_the_table_of_today():
    assert settings_table() in (ROOT / "docs" / "configuration.md").read_text()


def test_every_setting_is_read_by_some_code():
    """A setting that no code reads is a promise that nobody keeps."""
    sources = "\n".join(
        path.read_text()
        for folder in ("zrg_dagster", "webhook_receiver")
        for path in (ROOT / folder).rglob("*.py")
        if path.name not in ("settings.py", "settings_doc.py")
    )
    # `db_*_url` and `*_keys` are read through a name that is put together from the role or the key list.
    # The log format is read through the property `json_logs`.
    indirect = re.compile(r"^db_\w+_url$|^(secret|verify)_keys$|^log_format$")
    unread = [name for name in Settings.model_fields if not indirect.match(name) and f".{name}" not in sources]
    assert unread == []


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("OPENAI_API_KEY", "sk-x\n", "white space"),
        ("SLACK_BOT_TOKEN", " xoxb-1", "white space"),
        ("ZRG_RECEIVER_PORT", "0", "greater than or equal to 1"),
        ("ZRG_EVENT_BATCH_SIZE", "1001", "less than or equal to 1000"),
        ("ZRG_JOB_CONCURRENCY", "many", "integer"),
        ("ZRG_ENV", "staging", "development"),
    ],
)
def test_wrong_values_are_refused_with_the_setting_named(monkeypatch, name, value, says):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert f"setting {name}:" in str(refused.value)
    assert says in str(refused.value)
    assert "sk-x" not in str(refused.value)


def test_an_empty_secret_is_no_secret(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "")
    assert load_settings().openai_api_key is None


@pytest.mark.parametrize(("written", "means"), [("1", True), ("true", True), ("yes", True), ("on", True), ("0", False)])
def test_the_kill_switch_takes_any_spelling(monkeypatch, written, means):
    monkeypatch.setenv("AUTO_SEND_DISABLED", written)
    assert load_settings().auto_send_disabled is means


def test_a_variable_named_like_a_field_is_not_read(monkeypatch):
    """`HOME` is everybody's variable; it must not become ZRG_HOME."""
    monkeypatch.setenv("HOME", "/nowhere")
    assert load_settings().home == Path(".zrg")
