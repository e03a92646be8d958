"""The doctor against a real database: healthy, then with one fault injected at a time."""

import json
import socket
import zoneinfo
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from zrg_dagster.core.base.clock import utc_now
from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.base.seal import new_key
from zrg_dagster.core.base.settings import load_settings
from zrg_dagster.core.db import migrate, roles
from zrg_dagster.local import doctor
from zrg_dagster.local.probes import free_port


@pytest.fixture
def environment(database, tmp_path):
    """Settings of an external Postgres: the test's own database, free ports."""
    return {
        "ZRG_HOME": tmp_path / "home",
        **{f"ZRG_DB_{key.upper()}_URL": database.dsn(key) for key in roles.BY_KEY},
        "ZRG_SECRET_KEYS": new_key(),
        "ZRG_VERIFY_KEYS": new_key(),
        **{name: free_port() for name in ("ZRG_RECEIVER_PORT", "ZRG_WEBSERVER_PORT", "ZRG_CODE_SERVER_PORT")},
    }


def _findings(environment, now=None) -> dict[str, doctor.Finding]:
    found = {}
    for finding in doctor.examine(load_settings(**environment), now or utc_now()):
        assert "\n" not in finding.detail
        assert (finding.status == "ok") == (not finding.fix), finding
        # Of several findings of one check the worst counts.
        rank = {"ok": 0, "warn": 1, "fail": 2}
        if finding.check not in found or rank[finding.status] > rank[found[finding.check].status]:
            found[finding.check] = finding
    return found


def test_a_healthy_database_and_a_stopped_platform(environment):
    findings = _findings(environment)
    worse = {name: finding for name, finding in findings.items() if finding.status != "ok"}
    assert set(worse) == {"daemon"}, worse
    assert findings["daemon"].detail == "the platform is not running here"
    assert findings["schema"].detail == f"revision {migrate.expected_revision()}"


def test_postgres_uses_the_zone_data_of_python(environment, database):
    """British Columbia keeps summer time from 2026 on: data of an earlier year places December an hour off."""
    with psycopg.connect(database.dsn("monitor")) as connection:
        row = connection.execute(
            "select ('2026-12-15T12:00Z'::timestamptz at time zone 'America/Vancouver')::time"
        ).fetchone()
    ours = datetime(2026, 12, 15, 12, tzinfo=UTC).astimezone(zoneinfo.ZoneInfo("America/Vancouver"))
    assert row == (ours.time(),)


def test_differing_zone_data_is_found(environment, monkeypatch):
    class Older(zoneinfo.ZoneInfo):
        def utcoffset(self, dt):
            offset = super().utcoffset(dt)
            return offset + timedelta(hours=1) if self.key == "America/Vancouver" and offset else offset

    monkeypatch.setattr(zoneinfo, "ZoneInfo", Older)
    finding = _findings(environment)["time zones"]
    assert finding.status == "warn"
    assert "America/Vancouver on 2026-12-15" in finding.detail or "America/Vancouver on 2024-03-15" in finding.detail


def test_the_systems_own_zone_data_is_a_failure(environment):
    zoneinfo.reset_tzpath(["/usr/share/zoneinfo"])
    try:
        assert _findings(environment)["time zones"].status == "fail"
    finally:
        zoneinfo.reset_tzpath(())


def test_an_unmigrated_database(environment, empty_database):
    for key in roles.BY_KEY:
        environment[f"ZRG_DB_{key.upper()}_URL"] = empty_database.dsn(key)
    findings = _findings(environment)
    assert (findings["schema"].status, findings["schema"].fix) == ("fail", "run `zrg db upgrade`")
    assert (findings["job queue"].status, findings["job queue"].fix) == ("warn", "run `zrg db upgrade`")


def test_a_database_that_is_away(environment):
    environment["ZRG_DB_MONITOR_URL"] = f"postgresql://zrg_monitor:p@127.0.0.1:{free_port()}/zrg"
    findings = _findings(environment)
    assert findings["database"].status == "fail"
    assert "ZRG_DB_MONITOR_URL" in findings["database"].fix


def test_an_embedded_postgres_that_does_not_run(tmp_path):
    finding = _findings({"ZRG_HOME": tmp_path / "home"})["database"]
    assert (finding.status, finding.fix) == ("fail", "start it with `zrg up`")


def test_swapped_dsns_are_found(environment):
    environment["ZRG_DB_RECEIVER_URL"] = environment["ZRG_DB_WORKER_URL"]
    finding = _findings(environment)["logins"]
    assert finding.status == "fail"
    assert finding.detail == "ZRG_DB_RECEIVER_URL logs in as zrg_worker, not zrg_receiver"


@pytest.mark.parametrize("attribute", ["superuser", "bypassrls"])
def test_a_mighty_role_is_found(environment, database, attribute):
    with psycopg.connect(database.dsn("bootstrap"), autocommit=True) as connection:
        connection.execute(f"alter role zrg_web {attribute}")  # type: ignore[arg-type]
        try:
            finding = _findings(environment)["roles"]
        finally:
            connection.execute(f"alter role zrg_web no{attribute}")  # type: ignore[arg-type]
    assert (finding.status, finding.detail) == ("fail", "superuser or bypassrls: zrg_web")


@pytest.mark.parametrize(("age", "status"), [(10, "ok"), (400, "warn"), (1000, "fail")])
def test_an_old_queue_is_found(environment, database, age, status):
    now = utc_now()
    with psycopg.connect(database.dsn("bootstrap"), autocommit=True) as connection:
        connection.execute(
            "insert into raw.webhook_event"
            " (id, provider, scope, delivery_key, correlation_id, received_at, body_bytes, run_at)"
            " values (%s, 'ghl', 's', 'k', 'c', %s, 1, %s)",
            (new_id(), now, now - timedelta(seconds=age)),
        )
    finding = _findings(environment, now)["inbound queue"]
    assert (finding.status, finding.detail) == (status, f"1 due, the oldest for {age} s")


def test_a_foreign_process_on_our_port_is_found(environment):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", environment["ZRG_WEBSERVER_PORT"]))
        taken.listen()
        finding = _findings(environment)["webserver"]
    assert finding.status == "fail"
    assert finding.fix == "stop it or set ZRG_WEBSERVER_PORT to another port"


def test_a_spoiled_secret_file_and_a_bad_key_are_found(environment):
    folder = environment["ZRG_HOME"] / "keys"
    folder.mkdir(parents=True)
    (folder / "secret.keys").write_text(new_key() + "\n")
    (folder / "secret.keys").chmod(0o600)
    finding = _findings(environment)["secrets"]
    assert finding.status == "fail"
    assert "white space" in finding.detail
    (folder / "secret.keys").unlink()
    environment["ZRG_SECRET_KEYS"] = "not-a-key"
    finding = _findings(environment)["secrets"]
    assert "not 32 url-safe base64 bytes" in finding.detail
    assert "not-a-key" not in finding.detail


def test_bad_settings_are_one_finding(monkeypatch):
    monkeypatch.setenv("ZRG_RECEIVER_PORT", "eighty")
    python, settings = doctor.examine()
    assert (python.status, settings.status) == ("ok", "fail")
    assert "ZRG_RECEIVER_PORT" in settings.detail


def test_an_old_python_is_found():
    assert doctor._python((3, 10, 4)).status == "fail"
    assert doctor._python((3, 13, 0)).status == "ok"


def test_json_output_is_one_object(capsys):
    findings = [doctor.Finding("a", "ok", "fine"), doctor.Finding("b", "fail", "broken", "mend it")]
    doctor.print_findings(findings, as_json=True)
    seen = json.loads(capsys.readouterr().out)
    assert seen["ok"] is False
    assert seen["findings"][1] == {"check": "b", "status": "fail", "detail": "broken", "fix": "mend it"}
    doctor.print_findings(findings, as_json=False)
    assert "fix: mend it" in capsys.readouterr().out
