"""`zrg doctor`: what is wrong with this installation, and what to do about it.

Each check looks at one thing and never starts, repairs or changes anything. A check that cannot look (the database is
down, a table is missing) says so as a finding of its own.
"""

import json
import sys
import zoneinfo
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from zrg_dagster.core.base.clock import utc_now
from zrg_dagster.core.base.seal import Sealer, SealError
from zrg_dagster.core.base.settings import Settings, SettingsError, load_settings
from zrg_dagster.core.db import migrate, roles
from zrg_dagster.local import probes
from zrg_dagster.local.children import CODE_SERVER, RECEIVER, WEBSERVER, Ports, reachable
from zrg_dagster.local.postgres import PostgresError
from zrg_dagster.local.stack import Stack, StackError, check_private

Status = Literal["ok", "warn", "fail"]
_HEARTBEAT_S = 90.0  # Dagster's daemons beat every 30 s
_QUEUE_WARN = timedelta(minutes=5)
_QUEUE_FAIL = timedelta(minutes=15)  # the age at which somebody is called
# Zones and instants where data of different years disagree: abolished or moved daylight saving time.
_ZONES = (
    *("America/Vancouver", "America/New_York", "America/Sao_Paulo", "America/Mexico_City", "America/Asuncion"),
    *("Europe/London", "Europe/Berlin", "Europe/Kyiv", "Africa/Cairo", "Africa/Casablanca", "Asia/Tehran"),
    *("Asia/Amman", "Asia/Almaty", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Auckland"),
)
_INSTANTS = tuple(
    datetime(year, month, 15, 12, tzinfo=UTC) for year in (2024, 2025, 2026, 2027) for month in (3, 7, 12)
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One answer. `fix` is empty when `status` is ok."""

    check: str
    status: Status
    detail: str
    fix: str = ""


def examine(settings: Settings | None = None, now: datetime | None = None) -> list[Finding]:
    """All findings, in the order in which one would repair them."""
    findings = [_python(sys.version_info[:3])]
    try:
        settings = settings or load_settings()
        stack = Stack(settings)
    except SettingsError as error:
        return [*findings, Finding("settings", "fail", str(error), "correct it in the environment or in .env")]
    except (StackError, PostgresError) as error:
        return [*findings, Finding("settings", "fail", *_halves(error))]
    place = "the embedded Postgres" if stack.embedded else "your own Postgres"
    findings.append(Finding("settings", "ok", f"{settings.environment}, home {stack.home}, {place}"))
    findings.append(_public_address(settings))
    findings += _guarded("secrets", lambda: _secrets(stack))
    findings += _guarded("database", lambda: _database_checks(stack, now or utc_now()))
    findings += _guarded("processes", lambda: _processes(stack, now or utc_now()))
    return findings


def print_findings(findings: list[Finding], *, as_json: bool) -> None:
    """A list for people, or one JSON object `{"ok": bool, "findings": [...]}`."""
    if as_json:
        ok = all(finding.status != "fail" for finding in findings)
        print(json.dumps({"ok": ok, "findings": [asdict(finding) for finding in findings]}, indent=2))
        return
    width = max(len(finding.check) for finding in findings)
    for finding in findings:
        print(f"{finding.status:<4}  {finding.check:<{width}}  {finding.detail}")
        if finding.fix:
            print(f"{'':<{width + 6}}  fix: {finding.fix}")


def _guarded(check: str, look: Callable[[], Iterator[Finding]]) -> list[Finding]:
    """The findings of `look`; what stops it becomes the last one."""
    found: list[Finding] = []
    try:
        found.extend(look())
    except (StackError, PostgresError, migrate.SchemaMismatch) as error:
        found.append(Finding(check, "fail", *_halves(error)))
    except (psycopg.Error, OSError) as error:
        found.append(Finding(check, "fail", _one_line(error), "see the other findings"))
    return found


def _halves(error: Exception) -> tuple[str, str]:
    """Our messages read `problem: fix` or `problem; fix`."""
    text = _one_line(error)
    for mark in ("; ", ": "):
        problem, found, fix = text.rpartition(mark)
        if found:
            return problem, fix
    return text, "see docs/operations.md"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _python(version: tuple[int, ...]) -> Finding:
    text = ".".join(map(str, version))
    if (3, 11) <= version[:2] < (3, 14):
        return Finding("python", "ok", text)
    return Finding("python", "fail", f"Python {text}", "use Python 3.11, 3.12 or 3.13 and run `make setup` again")


# Secrets


def _public_address(settings: Settings) -> Finding:
    """Where vendors are told to deliver. Plain http would send webhook secrets in the clear."""
    url = urlsplit(settings.public_url)
    shown = f"vendors deliver to {settings.public_url}/api/webhooks/..."
    if url.scheme not in ("http", "https") or not url.hostname:
        return Finding("public address", "fail", "PUBLIC_URL is no address", "set it to https://your.host")
    if settings.environment == "production" and url.scheme != "https":
        return Finding("public address", "fail", f"{shown}, without TLS", "set PUBLIC_URL to https://your.host")
    return Finding("public address", "ok", shown)


def _secrets(stack: Stack) -> Iterator[Finding]:
    bad = 0
    for path in sorted([*(stack.home / "dsn").glob("*.url"), *(stack.home / "keys").glob("*.keys")]):
        try:
            check_private(path)
        except StackError as error:
            bad += 1
            yield Finding("secrets", "fail", *_halves(error))
    if bad:
        return
    for name in ("secret", "verify"):
        setting = f"ZRG_{name.upper()}_KEYS"
        try:
            Sealer(stack.keys(name))
        except FileNotFoundError:
            level: Status = "fail" if stack.settings.environment == "production" else "warn"
            fix = f"set {setting} to the output of `zrg secrets keygen`"
            yield Finding("secrets", level, f"{setting} is unset and no key was generated yet", fix)
        except SealError as error:
            yield Finding("secrets", "fail", f"{setting}: {error}", "make a key with `zrg secrets keygen`")
        else:
            yield Finding("secrets", "ok", f"{setting} is usable")


# Database


def _database_checks(stack: Stack, now: datetime) -> Iterator[Finding]:
    if stack.postgres is not None and not stack.postgres.is_running:
        yield Finding("database", "fail", "the embedded Postgres is not running", "start it with `zrg up`")
        return
    try:
        connection = psycopg.connect(stack.dsn("monitor"), connect_timeout=5, autocommit=True)
    except psycopg.OperationalError as error:
        yield Finding("database", "fail", _one_line(error), "check ZRG_DB_MONITOR_URL and that Postgres runs")
        return
    with connection:
        version = connection.info.server_version // 10_000
        if version < roles.LEAST_VERSION:
            yield Finding("database", "fail", f"Postgres {version}", f"use Postgres {roles.LEAST_VERSION} or later")
            return
        yield Finding("database", "ok", f"Postgres {version}")
        yield from _roles(connection)
        yield _time_zones(connection)
        yield _schema(connection)
    yield from _logins(stack)
    yield from _queues(stack, now)


def _roles(connection: psycopg.Connection) -> Iterator[Finding]:
    rows = connection.execute(
        "SELECT rolname, rolsuper, rolbypassrls, rolcanlogin FROM pg_roles WHERE rolname = ANY(%s)",
        ([roles.OWNER, *(login.role for login in roles.LOGINS)],),
    ).fetchall()
    missing = {roles.OWNER, *(login.role for login in roles.LOGINS)} - {row[0] for row in rows}
    mighty = [row[0] for row in rows if row[1] or row[2]]
    faults = 0
    if missing:
        faults += 1
        yield Finding("roles", "fail", f"missing: {', '.join(sorted(missing))}", "run `zrg db bootstrap`")
    if mighty:
        faults += 1
        names = ", ".join(sorted(mighty))
        yield Finding("roles", "fail", f"superuser or bypassrls: {names}", "run `zrg db bootstrap` as a superuser")
    if any(row[0] == roles.OWNER and row[3] for row in rows):
        faults += 1
        yield Finding("roles", "fail", f"{roles.OWNER} may log in", f"ALTER ROLE {roles.OWNER} NOLOGIN")
    if not faults:
        yield Finding("roles", "ok", f"{len(rows)} roles, none of them superuser or bypassrls")


def _logins(stack: Stack) -> Iterator[Finding]:
    """Each DSN opens, and opens as the role it is named after: a swapped pair would undo the separation."""
    wrong = []
    for key, login in roles.BY_KEY.items():
        try:
            with psycopg.connect(stack.dsn(key), connect_timeout=5) as connection:
                if connection.info.user != login.role:
                    wrong.append(f"ZRG_DB_{key.upper()}_URL logs in as {connection.info.user}, not {login.role}")
        except psycopg.OperationalError as error:
            wrong.append(f"ZRG_DB_{key.upper()}_URL: {_one_line(error)}")
    for problem in wrong:
        yield Finding("logins", "fail", problem, "run `zrg db bootstrap` and copy the settings it writes")
    if not wrong:
        yield Finding("logins", "ok", f"{len(roles.BY_KEY)} roles log in with their own DSN")


def _schema(connection: psycopg.Connection) -> Finding:
    try:
        migrate.check_schema(connection)
    except migrate.SchemaMismatch as error:
        return Finding("schema", "fail", *_halves(error))
    return Finding("schema", "ok", f"revision {migrate.expected_revision()}")


def _time_zones(connection: psycopg.Connection) -> Finding:
    """Python and Postgres must place an instant at the same local time, or a message leaves outside business hours."""
    pairs = [(zone, instant) for zone in _ZONES for instant in _INSTANTS]
    rows = connection.execute(
        "SELECT zone, instant, (instant AT TIME ZONE zone) - (instant AT TIME ZONE 'UTC')"
        " FROM unnest(%s::text[], %s::timestamptz[]) AS pair (zone, instant)",
        ([zone for zone, _ in pairs], [instant for _, instant in pairs]),
    ).fetchall()
    differing = [
        f"{zone} on {instant:%Y-%m-%d} (Python {_hours(ours)}, Postgres {_hours(theirs)})"
        for zone, instant, theirs in rows
        if (ours := instant.astimezone(zoneinfo.ZoneInfo(zone)).utcoffset()) != theirs
    ]
    if zoneinfo.TZPATH:
        return Finding(
            "time zones", "fail", "Python reads the system's zone data", "start it with PYTHONTZPATH set empty"
        )
    if differing:
        more = f" and {len(differing) - 3} more" if len(differing) > 3 else ""
        fix = "bring the tzdata package and your Postgres to the same release; until then Python's answer is used"
        return Finding("time zones", "warn", f"differ: {'; '.join(differing[:3])}{more}", fix)
    return Finding("time zones", "ok", f"Python and Postgres agree on {len(_ZONES)} zones")


def _hours(offset: timedelta | None) -> str:
    return f"{offset.total_seconds() / 3600:+g} h" if offset is not None else "unknown"


def _queues(stack: Stack, now: datetime) -> Iterator[Finding]:
    with psycopg.connect(stack.dsn("worker"), connect_timeout=5, autocommit=True) as connection:
        for name, schema, table in (("inbound queue", "raw", "webhook_event"), ("job queue", "app", "job")):
            query = sql.SQL("SELECT min(run_at), count(*) FROM {} WHERE state = 'pending' AND run_at <= %s")
            try:
                row = connection.execute(query.format(sql.Identifier(schema, table)), (now,)).fetchone()
            except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
                yield Finding(name, "warn", f"table {schema}.{table} does not exist", "run `zrg db upgrade`")
                continue
            oldest, due = row or (None, 0)
            yield _queue(name, oldest, due, now)


def _queue(name: str, oldest: datetime | None, due: int, now: datetime) -> Finding:
    age = now - oldest if oldest else timedelta()
    status: Status = "fail" if age >= _QUEUE_FAIL else "warn" if age >= _QUEUE_WARN else "ok"
    detail = f"{due} due, the oldest for {int(age.total_seconds())} s" if due else "nothing is due"
    fix = "" if status == "ok" else "is the daemon running, and is the lane's sensor switched on in the UI?"
    return Finding(name, status, detail, fix)


# Processes


def _processes(stack: Stack, now: datetime) -> Iterator[Finding]:
    settings = stack.settings
    ports = Ports.of(settings)
    is_up = stack.is_supervised
    receiver, web = f"http://{reachable(settings.receiver_host)}", f"http://{reachable(settings.webserver_host)}"
    code_host = settings.code_server_host
    questions: tuple[tuple[str, str, int, str, probes.Probe], ...] = (
        (
            *(RECEIVER, settings.receiver_host, ports.receiver, "ZRG_RECEIVER_PORT"),
            lambda: probes.http_ok(f"{receiver}:{ports.receiver}/readyz"),
        ),
        (
            *(CODE_SERVER, code_host, ports.code_server, "ZRG_CODE_SERVER_PORT"),
            lambda: probes.code_server_serving(reachable(code_host), ports.code_server),
        ),
        (
            *(WEBSERVER, settings.webserver_host, ports.webserver, "ZRG_WEBSERVER_PORT"),
            lambda: (
                probes.http_ok(f"{web}:{ports.webserver}/server_info")
                or probes.location_loaded(f"{web}:{ports.webserver}")
            ),
        ),
    )
    for name, host, port, setting, ready in questions:
        yield _listener(name, host, port, setting, ready, is_up=is_up)
    if not is_up:
        yield Finding("daemon", "warn", "the platform is not running here", "start it with `zrg up`")
        return
    lacking = probes.daemon_heartbeat(stack.dsn("dagster"), now.timestamp() - _HEARTBEAT_S)
    if lacking:
        yield Finding("daemon", "fail", lacking, "see the lines of `daemon` in the output of `zrg up`")
    else:
        yield Finding("daemon", "ok", "heartbeat is fresh")


def _listener(name: str, host: str, port: int, setting: str, ready: probes.Probe, *, is_up: bool) -> Finding:
    if probes.port_is_free(host, port):
        if is_up:
            fix = f"see the lines of `{name}` in the output of `zrg up`"
            return Finding(name, "fail", f"nothing listens on {host}:{port}", fix)
        return Finding(name, "ok", f"not running, port {port} is free")
    try:
        lacking = ready()
    except probes.Broken as error:
        return Finding(name, "fail", str(error), "see the lines of `code-server` in the output of `zrg up`")
    if lacking is None:
        return Finding(name, "ok", f"answers on {host}:{port}")
    if is_up:
        return Finding(name, "fail", lacking, f"see the lines of `{name}` in the output of `zrg up`")
    return Finding(name, "fail", f"port {port} is used by something else", f"stop it or set {setting} to another port")
