"""The processes of the platform: command, environment and readiness of each.

A process receives its own DSN and keys and nobody else's: a leak in one of them is not a leak of the platform.
"""

import os
import shutil
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

import zrg_dagster
from zrg_dagster.core.base.settings import Settings
from zrg_dagster.core.db.engine import sqlalchemy_url
from zrg_dagster.local import probes
from zrg_dagster.local.probes import Probe, free_port
from zrg_dagster.local.stack import Stack, StackError

RECEIVER, CODE_SERVER, DAEMON, WEBSERVER, SANDBOX = "receiver", "code-server", "daemon", "webserver", "sandbox"

# What the operating system, a proxy or a certificate store needs; nothing of ours.
_BASE_ENV = (
    *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "TMPDIR", "TERM"),
    *("VIRTUAL_ENV", "PYTHONPATH", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
)
# Secrets that are not the worker's: every other one is.
_NOT_FOR_WORKERS = frozenset({"slack_signing_secret", "ghl_app_public_keys"})


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the processes listen."""

    receiver: int = 8080
    webserver: int = 3000
    code_server: int = 4266
    sandbox: int = 8090

    @classmethod
    def of(cls, settings: Settings) -> "Ports":
        return cls(settings.receiver_port, settings.webserver_port, settings.code_server_port)

    @classmethod
    def free(cls) -> "Ports":
        """Four free ports, for demo, tests and benchmarks; the fixed ones belong to `zrg up`."""
        found: set[int] = set()
        while len(found) < 4:
            found.add(free_port())
        return cls(*found)


@dataclass(frozen=True, slots=True)
class Child:
    """One process to supervise.

    `ready` is asked until it answers None. `address` is checked to be free before the start. `stop_group` orders the
    stop, lower first; children of one group stop together.
    """

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str] = field(repr=False)
    ready: Probe = lambda: None
    address: tuple[str, int] | None = None
    port_setting: str = ""
    stop_group: int = 0
    stop_timeout_s: float = 3.0
    stop_signal: signal.Signals = signal.SIGTERM


def product_children(stack: Stack, ports: Ports, *, sandbox: bool = False) -> list[Child]:
    """The platform's processes in the order of their start. Call after `stack.bootstrap()`: it reads the DSNs."""
    settings = stack.settings
    render_dagster_yaml(stack.dagster_home)
    workspace = str(repository_file("workspace.yaml"))
    receiver_host, receiver_at = settings.receiver_host, (settings.receiver_host, ports.receiver)
    web_host = settings.webserver_host
    web = f"http://{reachable(web_host)}:{ports.webserver}"
    code_host = settings.code_server_host
    dagster_dsn = stack.dsn("dagster")
    dagster = _dagster_env(stack, ports)
    worker = {**dagster, **_worker_env(stack)}
    log_format = ("--log-format", "json" if settings.json_logs else "colored")
    started = time.time()
    children = [
        Child(
            RECEIVER,
            (
                *(_program("granian"), "--interface", "asgi", "webhook_receiver.main:app"),
                *("--host", receiver_host, "--port", str(ports.receiver), "--no-ws", "--workers-kill-timeout", "2"),
            ),
            {**base_env(stack), **_receiver_env(stack, ports)},
            lambda: probes.http_ok(f"http://{reachable(receiver_host)}:{ports.receiver}/readyz"),
            receiver_at,
            "ZRG_RECEIVER_PORT",
            stop_group=3,
        ),
        Child(
            CODE_SERVER,
            (
                *(sys.executable, "-m", "dagster", "api", "grpc", "-m", "zrg_dagster.definitions"),
                *("-h", code_host, "-p", str(ports.code_server), "--location-name", "zrg_dagster", *log_format),
            ),
            worker,
            lambda: probes.code_server_serving(reachable(code_host), ports.code_server),
            (code_host, ports.code_server),
            "ZRG_CODE_SERVER_PORT",
            stop_group=2,
        ),
        Child(
            DAEMON,
            (sys.executable, "-m", "dagster._daemon", "run", "-w", workspace, *log_format),
            worker,
            lambda: probes.daemon_heartbeat(dagster_dsn, started),
            stop_group=1,
            stop_timeout_s=9.0,  # its fork server gives runs 8 s to finish or park what they hold
        ),
        Child(
            WEBSERVER,
            (
                *(sys.executable, "-m", "dagster_webserver", "-w", workspace, *log_format),
                *("-h", web_host, "-p", str(ports.webserver)),
            ),
            dagster,
            lambda: probes.http_ok(f"{web}/server_info") or probes.location_loaded(web),
            (web_host, ports.webserver),
            "ZRG_WEBSERVER_PORT",
            stop_group=2,
        ),
    ]
    if sandbox:
        children.insert(0, _sandbox(stack, ports))
    return children


def _sandbox(stack: Stack, ports: Ports) -> Child:
    return Child(
        SANDBOX,
        (sys.executable, "-m", "provider_sandbox", "--port", str(ports.sandbox)),
        base_env(stack),
        lambda: probes.http_ok(f"http://127.0.0.1:{ports.sandbox}/_control/health"),
        ("127.0.0.1", ports.sandbox),
        stop_group=3,
    )


# Environments


def base_env(stack: Stack) -> dict[str, str]:
    """What every child gets: the system's variables and all settings that are not secret. No DSN, no key."""
    env = {name: os.environ[name] for name in _BASE_ENV if name in os.environ}
    settings = stack.settings
    for name in settings.model_fields_set:
        field_info, value = Settings.model_fields[name], getattr(settings, name)
        if value is None or isinstance(value, SecretStr) or not isinstance(field_info.validation_alias, str):
            continue
        env[field_info.validation_alias] = str(value).lower() if isinstance(value, bool) else str(value)
    return env | {
        "ZRG_HOME": str(stack.home),
        "ZRG_ENV": settings.environment,
        "ZRG_LOG_FORMAT": "json" if settings.json_logs else "console",
        "ZRG_LOG_LEVEL": settings.log_level,
        "PYTHONTZPATH": "",  # one source of time zones: the tzdata wheel
        "PYTHONUNBUFFERED": "1",  # a crash must not swallow the lines before it
    }


def _receiver_env(stack: Stack, ports: Ports) -> dict[str, str]:
    env = {
        "ZRG_DB_RECEIVER_URL": stack.dsn("receiver"),
        "ZRG_VERIFY_KEYS": stack.keys("verify"),
        "ZRG_RECEIVER_PORT": str(ports.receiver),
    }
    for_app = {
        "SLACK_SIGNING_SECRET": stack.settings.slack_signing_secret,
        "GHL_APP_PUBLIC_KEYS": stack.settings.ghl_app_public_keys,
    }
    return env | {name: value.get_secret_value() for name, value in for_app.items() if value}


def _dagster_env(stack: Stack, ports: Ports) -> dict[str, str]:
    """Webserver, and the part the workers share with it."""
    passed = {name: value for name, value in os.environ.items() if name.startswith("DAGSTER_")}
    return {
        **base_env(stack),
        "DAGSTER_RUN_STATUS_SENSOR_PROCESS_LIMIT": "50",  # 5 by default: failure alerts lag for days under load
        # Watchers hold calls open forever; the code server has nothing to lose by cutting them (runs are elsewhere).
        "DAGSTER_GRPC_SHUTDOWN_GRACE_PERIOD": "1",
        **passed,
        "DAGSTER_HOME": str(stack.dagster_home),
        "DAGSTER_DISABLE_TELEMETRY": "1",
        "ZRG_DB_DAGSTER_URL": stack.dsn("dagster"),
        # Read by dagster.yaml. Dagster's notifications are invalid SQL under psycopg 3, SQLAlchemy's default driver.
        "ZRG_DAGSTER_STORAGE_URL": sqlalchemy_url(stack.dsn("dagster"), "psycopg2"),
        "ZRG_CODE_SERVER_HOST": reachable(stack.settings.code_server_host),
        "ZRG_CODE_SERVER_PORT": str(ports.code_server),
        "ZRG_WEBSERVER_PORT": str(ports.webserver),
    }


def _worker_env(stack: Stack) -> dict[str, str]:
    env = {
        "ZRG_DB_WORKER_URL": stack.dsn("worker"),
        "ZRG_DB_BUILD_URL": stack.dsn("build"),
        "ZRG_SECRET_KEYS": stack.keys("secret"),
        "ZRG_VERIFY_KEYS": stack.keys("verify"),
    }
    for name, field_info in Settings.model_fields.items():
        value = getattr(stack.settings, name)
        alias = field_info.validation_alias
        if name.startswith("db_") or name in _NOT_FOR_WORKERS or not isinstance(alias, str):
            continue
        if isinstance(value, SecretStr) and alias not in env:
            env[alias] = value.get_secret_value()
    return env


# Files and programs


def repository_file(name: str) -> Path:
    """A file at the root of the checkout; the product runs from an editable install."""
    path = Path(zrg_dagster.__file__).parent.parent / name
    if not path.exists():
        raise StackError(f"{path} is missing: run from a checkout installed with `make setup`")
    return path


def render_dagster_yaml(dagster_home: Path) -> None:
    """Copy the repository's dagster.yaml into DAGSTER_HOME, where Dagster looks for it."""
    source = repository_file("dagster.yaml").read_text()
    target = dagster_home / "dagster.yaml"
    if not target.exists() or target.read_text() != source:
        target.write_text(source)


def _program(name: str) -> str:
    """A console script of this environment, whatever PATH says."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if not found:
        raise StackError(f"{name} is not installed: run `make setup`")
    return found


def reachable(host: str) -> str:
    """The address to ask a server that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 - not a bind
