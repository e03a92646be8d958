"""Shared by all rings: isolation from the developer's machine, and a real Postgres that tests clone in milliseconds."""

import gc
import os
import tempfile
import zoneinfo
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import hypothesis
import psycopg
import pytest
from psycopg import sql

from zrg_dagster.core.base.settings import Settings, current_settings
from zrg_dagster.core.db import migrate, roles
from zrg_dagster.core.db.engine import sync_connect
from zrg_dagster.local.postgres import EmbeddedPostgres

pytest_plugins = ["tests.secret_watch"]

_OURS = ("ZRG_", "OPENAI_", "SLACK_", "GHL_", "CALENDLY_", "EMAILBISON_", "UNIPILE_", "DAGSTER_", "PG")
_OURS_EXACT = ("PUBLIC_URL", "AUTO_SEND_DISABLED")
_POSTGRES_MAJOR = int(os.environ.get("ZRG_TEST_PG") or "18")
_clone_numbers = count(1)


def pytest_configure() -> None:
    """Before any fixture: no variable and no .env of the developer reaches a test or a process that a test starts."""
    for name in list(os.environ):
        if name.startswith(_OURS) or name in _OURS_EXACT:
            del os.environ[name]
    os.environ["DAGSTER_DISABLE_TELEMETRY"] = "1"
    os.environ["PYTHONTZPATH"] = ""
    zoneinfo.reset_tzpath(())
    Settings.model_config["env_file"] = None
    # No timed assertions: these machines are shared, and a slow example is not a wrong one.
    hypothesis.settings.register_profile("zrg", deadline=None)
    hypothesis.settings.load_profile("zrg")


def pytest_collection_finish() -> None:
    """Seven thousand collected tests stay until the end: the garbage collector need not look through them again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _fresh_settings() -> Iterator[None]:
    """`current_settings` is cached per process; no test sees what another one set."""
    current_settings.cache_clear()
    yield
    current_settings.cache_clear()


@pytest.fixture(scope="session")
def postgres_major() -> int:
    """The embedded Postgres version of this session: ZRG_TEST_PG, 18 by default."""
    return _POSTGRES_MAJOR


class Cluster:
    """A running embedded Postgres with the product's roles and a migrated database to clone."""

    def __init__(self, postgres: EmbeddedPostgres) -> None:
        self.postgres = postgres
        self.passwords = {key: roles.new_password() for key in roles.BY_KEY}
        roles.bootstrap(self.admin_dsn(), self.passwords)
        self.template = roles.DATABASE
        migrate.upgrade(self.dsn("migrator", self.template))
        self._admin: psycopg.Connection | None = None

    def admin_dsn(self, database: str = "postgres") -> str:
        return self.postgres.dsn(database)

    def dsn(self, role: str, database: str) -> str:
        """The DSN of a role, by its key (`worker`) or its name (`zrg_worker`); `bootstrap` is the superuser."""
        if role == "bootstrap":
            return self.admin_dsn(database)
        login = next(each for each in roles.LOGINS if role in (each.key, each.role))
        return self.postgres.dsn(database, login.role, self.passwords[login.key])

    def execute(self, statement: sql.Composed) -> None:
        """As superuser, on a connection that is kept: a new one costs a tenth of a small test."""
        if self._admin is None or self._admin.broken:
            self._admin = psycopg.connect(self.admin_dsn(), autocommit=True)
        self._admin.execute(statement)

    def close(self) -> None:
        if self._admin is not None:
            self._admin.close()


class Database:
    """One database of one test."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self._cluster = cluster
        self.name = name
        self._kept: psycopg.Connection[dict[str, Any]] | None = None

    def kept(self) -> psycopg.Connection[dict[str, Any]]:
        """The worker's connection for what a test asks by the way; a new one for each question costs most of a test."""
        if self._kept is None or self._kept.closed:
            self._kept = sync_connect(self.dsn("worker"), statement_timeout_ms=30_000)
            self._kept.autocommit = True
        return self._kept

    def close(self) -> None:
        if self._kept is not None:
            self._kept.close()

    def dsn(self, role: str) -> str:
        """The DSN of a role on this database; `dagster` is on the shared database zrg_dagster."""
        return self._cluster.dsn(role, roles.DAGSTER_DATABASE if role in ("dagster", "dagster_instance") else self.name)


def _memory_folder() -> Path | None:
    """Where a cluster lies in memory: a clone makes and removes six hundred files, which costs a disk most of a test."""
    folder = Path("/dev/shm")
    if not os.access(folder, os.W_OK | os.X_OK):
        return None
    there = os.statvfs(folder)
    has_room = there.f_bavail * there.f_frsize > 2 * 2**30
    return folder if has_room and not there.f_flag & os.ST_NOEXEC else None


@pytest.fixture(scope="session")
def cluster(postgres_major: int) -> Iterator[Cluster]:
    """One cluster per test process (xdist workers have their own). Not durable, removed at the end."""
    with tempfile.TemporaryDirectory(prefix="zrg test ") as home:
        postgres = EmbeddedPostgres(Path(home), postgres_major, durable=False)
        if memory := _memory_folder():
            postgres.base = memory / f"zrg-test-{os.getpid()}"
            postgres.data = postgres.base / str(postgres_major)
        try:
            postgres.start()
            with closing(Cluster(postgres)) as made:
                yield made
        finally:
            postgres.stop()
            postgres.remove()


def _clone(cluster: Cluster, template: str | None) -> Iterator[Database]:
    name = f"t{os.getpid()}_{next(_clone_numbers)}"
    # Copying files is six times as fast as writing the copy to the log, which nobody would recover a test from.
    create = "CREATE DATABASE {} OWNER {} STRATEGY FILE_COPY" + (" TEMPLATE {}" if template else "")
    parts = [sql.Identifier(name), sql.Identifier(roles.OWNER), *([sql.Identifier(template)] if template else [])]
    cluster.execute(sql.SQL(create).format(*parts))
    # The clone's own rights alone: what lies inside of it is the template's already.
    if template is None:
        roles.apply_database_rights(cluster.admin_dsn(), name)
    else:
        for statement in roles.database_rights(name):
            cluster.execute(statement)
    with closing(Database(cluster, name)) as made:
        yield made
    cluster.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def database(cluster: Cluster) -> Iterator[Database]:
    """A database of this test alone, migrated to head, with the product's roles and rights."""
    yield from _clone(cluster, cluster.template)


@pytest.fixture
def empty_database(cluster: Cluster) -> Iterator[Database]:
    """A database with roles and rights but no migration."""
    yield from _clone(cluster, None)
