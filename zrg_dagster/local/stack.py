"""What one `ZRG_HOME` holds: the database (embedded or yours), a DSN per role, keys, folders.

.zrg/dsn/<role>.url     one DSN per role, mode 0600, only for the embedded Postgres
.zrg/keys/*.keys        Fernet keys, mode 0600, made in development when the settings are unset
.zrg/dagster/           DAGSTER_HOME
.zrg/logs/, .zrg/pg/    log files, the cluster (as root: see postgres.py)
"""

import fcntl
import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pydantic import SecretStr

from zrg_dagster.core.base.seal import new_key
from zrg_dagster.core.base.settings import Settings
from zrg_dagster.core.db import migrate, roles
from zrg_dagster.local.files import private_folder, write_private
from zrg_dagster.local.postgres import EmbeddedPostgres


class StackError(RuntimeError):
    """The stack cannot be used as configured. The message is one line with the fix."""


class Stack:
    """The resources of one home folder, resolved from the settings. Starts nothing by itself."""

    def __init__(self, settings: Settings, *, postgres_major: int = 18, durable: bool = True) -> None:
        self.settings = settings
        self.home = settings.home.expanduser().absolute()
        self.notes: list[str] = []
        self.embedded = not self._external()
        self.postgres = EmbeddedPostgres(self.home, postgres_major, durable) if self.embedded else None

    @property
    def dagster_home(self) -> Path:
        return self.home / "dagster"

    @property
    def run_folder(self) -> Path:
        """Working directory of every child: without a `.env`, from which a child could read another one's DSN."""
        return self.home / "run"

    def _external(self) -> bool:
        """True when all role DSNs are set; an error when only some are, which is always a mistake."""
        given = {key: bool(self._setting(f"db_{key}_url")) for key in roles.BY_KEY}
        if not any(given.values()):
            return False
        missing = [f"ZRG_DB_{key.upper()}_URL" for key, present in given.items() if not present]
        if missing:
            raise StackError(
                f"some ZRG_DB_*_URL settings are set but not {', '.join(missing)}: set all of them "
                f"(`zrg db bootstrap` makes them) or none to use the embedded Postgres"
            )
        return True

    def _setting(self, name: str) -> str | None:
        value = getattr(self.settings, name)
        return value.get_secret_value() if isinstance(value, SecretStr) else value

    # Preparing

    def prepare(self) -> None:
        """Create the folders and, in development, the keys. `StackError` names a folder that cannot be written."""
        try:
            private_folder(self.home, mode=None)
            for folder in (self.dagster_home, self.run_folder, self.home / "logs"):
                folder.mkdir(exist_ok=True)
            for folder in (self.home / "dsn", self.home / "keys"):
                private_folder(folder)
            if not os.access(self.home, os.W_OK | os.X_OK):
                raise PermissionError(13, "Permission denied", str(self.home))
        except OSError as error:
            raise StackError(
                f"cannot write {error.filename or self.home}: {error.strerror}; set ZRG_HOME to a writable folder"
            ) from None
        for name in ("secret", "verify"):
            self._ensure_keys(name)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """One supervisor per home. The lock dies with its process; the file only remembers who."""
        handle = (self.home / "up.lock").open("a+")
        with handle:
            self._take_lock(handle)
            yield

    @property
    def is_supervised(self) -> bool:
        """True while some `zrg up` holds this home."""
        path = self.home / "up.lock"
        if not path.exists():
            return False
        with path.open("r") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return True
            return False

    def remove(self) -> None:
        """Delete the home and, with an embedded Postgres, its data wherever they lie. `StackError` while it runs."""
        if not any((self.home / name).exists() for name in ("up.lock", "keys", "dsn")):
            raise StackError(f"{self.home} is no home of this platform, nothing was deleted: check ZRG_HOME")
        if self.is_supervised:
            raise StackError(f"{self.home} is in use: stop `zrg up` first")
        if self.postgres:
            self.postgres.remove()
        shutil.rmtree(self.home)

    def _take_lock(self, handle: IO[str]) -> None:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            handle.seek(0)
            raise StackError(
                f"another `zrg up` (pid {handle.read().strip() or 'unknown'}) uses {self.home}: "
                f"stop it or set ZRG_HOME to another folder"
            ) from None
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()

    # Keys

    def _ensure_keys(self, name: str) -> None:
        path = self.home / "keys" / f"{name}.keys"
        if self._setting(f"{name}_keys") or path.exists():
            return
        setting = f"ZRG_{name.upper()}_KEYS"
        if self.settings.environment == "production":
            raise StackError(f"{setting} is unset: make a key with `zrg secrets keygen` and keep a copy of it")
        write_private(path, new_key())
        self.notes.append(f"{setting} is unset: using a generated development key in {path}")

    def keys(self, name: str) -> str:
        """The Fernet key list `secret` or `verify`: the setting, else the generated file."""
        configured = self._setting(f"{name}_keys")
        return configured or read_private(self.home / "keys" / f"{name}.keys")

    # Databases

    def dsn(self, key: str) -> str:
        """The DSN of a role by its key (`worker`, `dagster`, ...)."""
        if not self.embedded:
            return str(self._setting(f"db_{key}_url"))
        path = self._dsn_file(key)
        if not path.exists():
            raise StackError(f"{path} is missing: `zrg up` or `zrg db upgrade` sets up the embedded Postgres")
        return read_private(path)

    def _dsn_file(self, key: str) -> Path:
        return self.home / "dsn" / f"{key}.url"

    @contextmanager
    def running(self) -> Iterator[None]:
        """The database is up inside this block, with roles and DSNs; an external one is taken as it is."""
        self.prepare()
        if self.postgres is None:
            yield
            return
        with self.postgres.running():
            self.bootstrap()
            yield

    def bootstrap(self) -> None:
        """Create roles and DSN files of the embedded cluster; afterwards nothing connects as superuser.

        Skipped while cluster, socket and role definitions are those of the last time.
        """
        if self.postgres is None:
            return
        mark = self.home / "dsn" / "bootstrapped"
        print_now = self._fingerprint(self.postgres)
        complete = all(self._dsn_file(key).exists() for key in roles.BY_KEY)
        if complete and mark.exists() and mark.read_text() == print_now:
            return
        passwords = {key: roles.new_password() for key in roles.BY_KEY}
        self.notes += roles.bootstrap(self.postgres.dsn("postgres"), passwords)
        for key, login in roles.BY_KEY.items():
            write_private(self._dsn_file(key), self.postgres.dsn(login.database, login.role, passwords[key]))
        write_private(mark, print_now)

    @staticmethod
    def _fingerprint(postgres: EmbeddedPostgres) -> str:
        parts = (postgres.identity, str(postgres.socket_folder), repr(roles.LOGINS))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def upgrade(self) -> tuple[str | None, str | None]:
        """Apply missing migrations; returns (revision before, revision after)."""
        return migrate.upgrade(self.dsn("migrator"))


def bootstrap_external(settings: Settings, home: Path) -> tuple[Path, list[str]]:
    """Set up roles and databases through `ZRG_DB_ADMIN_URL`; returns (file with the DSN settings, notes).

    Passwords of an earlier call are kept, so repeating it never locks out running processes.
    """
    if settings.db_admin_url is None:
        raise StackError("ZRG_DB_ADMIN_URL is unset: give a superuser's URL of your Postgres for this one command")
    admin_dsn = settings.db_admin_url.get_secret_value()
    target = home / "dsn" / "external.env"
    try:
        private_folder(home, mode=None)
        private_folder(target.parent)
    except OSError as error:
        raise StackError(
            f"cannot write {error.filename}: {error.strerror}; set ZRG_HOME to a writable folder"
        ) from None
    passwords = {key: roles.new_password() for key in roles.BY_KEY} | _passwords_in(target)
    notes = roles.bootstrap(admin_dsn, passwords)
    lines = [
        f"ZRG_DB_{key.upper()}_URL={roles.role_dsn(admin_dsn, login, passwords[key])}"
        for key, login in roles.BY_KEY.items()
    ]
    write_private(target, "\n".join(lines) + "\n")
    return target, notes


def _passwords_in(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    found = {}
    for line in path.read_text().splitlines():
        name, _, dsn = line.partition("=")
        key = name.removeprefix("ZRG_DB_").removesuffix("_URL").lower()
        if key in roles.BY_KEY:
            found[key] = roles.password_of(dsn)
    return found


def read_private(path: Path) -> str:
    """The content of a secret file that passes `check_private`."""
    check_private(path)
    return path.read_text()


def check_private(path: Path) -> None:
    """`StackError` if others may read the file, or if white space would become part of the secret."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise StackError(f"{path} has mode {mode:04o}: others can read it, run `chmod 600 {path}`")
    text = path.read_text()
    if text != text.strip():
        raise StackError(f"{path} has leading or trailing white space: remove it, it would become part of the secret")
    if not text:
        raise StackError(f"{path} is empty: remove it and start again")
