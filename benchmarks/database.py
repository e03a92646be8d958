"""A durable embedded Postgres for one benchmark, and databases cloned from the migrated one in it."""

import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from uuid import UUID

import psycopg
from psycopg import sql

from tests.conftest import Cluster, Database
from tests.conftest import pytest_configure as forget_environment
from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.db import roles
from zrg_dagster.local.postgres import EmbeddedPostgres

ROOT = Path(__file__).parents[1]


def prepare_process() -> None:
    """Default settings whatever the developer's machine says, and a SIGTERM that cleans up as Ctrl-C does."""
    forget_environment()
    signal.signal(signal.SIGTERM, _terminated)


def _terminated(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(143)


def child_env(**changes: str) -> dict[str, str]:
    """The environment of a program of ours: this checkout's code, and what `changes` names."""
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONTZPATH": "", **changes}


def python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


@contextmanager
def cluster() -> Iterator[Cluster]:
    """A cluster with the product's roles and the product's server settings; removed when the block ends, in any way."""
    with tempfile.TemporaryDirectory(prefix="zrg-bench-") as home:
        postgres = EmbeddedPostgres(Path(home))
        try:
            postgres.start()
            yield Cluster(postgres)
        finally:
            postgres.stop()
            postgres.remove()


def create_clone(cluster: Cluster, name: str, template: str) -> Database:
    # Copying files: writing the copy to the log would fill it just before the measurement.
    create = sql.SQL("CREATE DATABASE {} OWNER {} STRATEGY FILE_COPY TEMPLATE {}")
    cluster.execute(create.format(sql.Identifier(name), sql.Identifier(roles.OWNER), sql.Identifier(template)))
    roles.apply_database_rights(cluster.admin_dsn(), name)
    return Database(cluster, name)


def drop(cluster: Cluster, name: str) -> None:
    cluster.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def clone(cluster: Cluster, name: str, template: str) -> Iterator[Database]:
    database = create_clone(cluster, name, template)
    try:
        yield database
    finally:
        drop(cluster, name)


def checkpoint(admin_dsn: str) -> None:
    """Before every sample, so that none pays for the pages that the one before it left dirty."""
    with psycopg.connect(admin_dsn, autocommit=True) as connection:
        connection.execute("CHECKPOINT")


def add_workspaces(connection: psycopg.Connection, number: int) -> list[UUID]:
    """Workspaces `bench-00`, `bench-01`, … with their settings."""
    made = [new_id() for _ in range(number)]
    for index, workspace in enumerate(made):
        key = f"bench-{index:02d}"
        connection.execute("INSERT INTO app.workspace (id, key, name) VALUES (%s, %s, %s)", (workspace, key, key))
        connection.execute(
            "INSERT INTO app.workspace_setting (workspace_id, company_name) VALUES (%s, 'Harbourline')", (workspace,)
        )
    return made
