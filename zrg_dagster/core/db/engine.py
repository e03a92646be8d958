"""Connections: one async engine a process for work, one short synchronous connection for a sensor's question."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import psycopg
from psycopg.rows import dict_row
from sqlalchemy import Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from zrg_dagster.core.db import arrays

CONNECT_TIMEOUT_S = 10
CONFLICT_ATTEMPTS = 5
# A pooled connection that rested longer than this is asked whether it lives before it is used.
PING_AFTER_S = 1.0

T = TypeVar("T")


def sqlalchemy_url(dsn: str, driver: str = "psycopg") -> str:
    """A `postgresql://` DSN as an SQLAlchemy URL with an explicit driver (`psycopg` or `psycopg2`)."""
    scheme, rest = dsn.split("://", 1)
    if scheme.split("+")[0] not in ("postgresql", "postgres"):
        raise ValueError("database address: expected postgresql://…")
    return f"postgresql+{driver}://{rest}"


def libpq_dsn(dsn: str) -> str:
    """The same DSN for a driver that wants plain `postgresql://`."""
    return "postgresql://" + dsn.split("://", 1)[1]


class _WorkEngine(AsyncEngine):
    """An engine with a second one for statements that are a transaction of their own.

    They have connections of their own: to switch one and back again costs a fifth of such a statement.
    """

    __slots__ = ("autocommit",)

    def __init__(self, sync_engine: Engine, autocommit: AsyncEngine) -> None:
        super().__init__(sync_engine)
        self.autocommit = autocommit

    async def dispose(self, close: bool = True) -> None:
        await self.autocommit.dispose(close)
        await super().dispose(close)


def make_engine(dsn: str, *, pool_size: int = 5, application_name: str = "zrg") -> AsyncEngine:
    """An async engine for one role. Sessions run in UTC; a statement never waits longer than five minutes.

    At most `pool_size` connections for transactions, and as many for `autocommit`.
    """
    arrays.register()

    def engine(**options: Any) -> AsyncEngine:
        made = create_async_engine(
            sqlalchemy_url(dsn),
            pool_size=pool_size,
            max_overflow=0,
            # An error would otherwise quote the parameters, and with them the texts of people, in logs and tracebacks.
            hide_parameters=True,
            connect_args={
                "connect_timeout": CONNECT_TIMEOUT_S,
                "application_name": application_name,
                "options": "-c timezone=UTC -c statement_timeout=300000 -c idle_in_transaction_session_timeout=60000",
            },
            **options,
        )
        _ping_after_rest(made.sync_engine)
        return made

    # A connection that commits each statement has nothing to take back when it is returned.
    beside = engine(isolation_level="AUTOCOMMIT", skip_autocommit_rollback=True)
    return _WorkEngine(engine().sync_engine, beside)


def _ping_after_rest(engine: Engine) -> None:
    """Let the pool ask a connection whether it lives, when it has rested; a dead one is replaced, and all as old with it.

    The pool's own pre-ping asks at every checkout, a round trip for each short transaction of a busy drain. A server that
    goes away within the second is met like one that goes away inside a transaction.
    """

    def note_use(_connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
        record.info["used_at"] = time.monotonic()

    def ping(connection: DBAPIConnection, record: ConnectionPoolEntry, _fairy: PoolProxiedConnection) -> None:
        used_at = record.info.get("used_at")
        if used_at is None or time.monotonic() - used_at < PING_AFTER_S:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            if not engine.dialect.is_disconnect(error, connection, None):
                raise
            raise InvalidatePoolError from None

    event.listen(engine, "checkin", note_use)
    event.listen(engine, "checkout", ping)


def autocommit(engine: AsyncEngine) -> AsyncConnection:
    """A connection on which each statement is a transaction of its own: for reads, and for writes of a single statement.

    It spares them the round trips of BEGIN and of the end. Statements see no less than in a transaction of ours, where each
    one takes a view of its own too. `engine` is one of `make_engine`; disposing of it closes these connections too.
    """
    assert isinstance(engine, _WorkEngine), "an engine that make_engine did not make has no connections for this"
    return engine.autocommit.connect()


def is_conflict(error: BaseException) -> bool:
    """A deadlock or serialization failure: the transaction was rolled back as a whole and will pass when run again."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return isinstance(cause, psycopg.errors.DeadlockDetected | psycopg.errors.SerializationFailure)


def is_away(error: BaseException) -> bool:
    """The database cannot be reached or ended the connection. A deadlock is an OperationalError too, and is not that."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return isinstance(cause, psycopg.OperationalError) and not is_conflict(error)


async def until_settled(work: Callable[[], Awaitable[T]], *, attempts: int = CONFLICT_ATTEMPTS) -> T:
    """Run a whole transaction, again when another one was in its way. `work` opens and commits it."""
    for _ in range(attempts - 1):
        try:
            return await work()
        except DBAPIError as error:
            if not is_conflict(error):
                raise
    return await work()


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """One transaction: committed when the block ends, rolled back when it raises."""
    async with engine.begin() as connection:
        yield connection


def sync_connect(dsn: str, *, statement_timeout_ms: int = 2000) -> psycopg.Connection[dict[str, Any]]:
    """A short-lived synchronous connection for sensors, schedules and commands; rows are dictionaries."""
    return psycopg.Connection[dict[str, Any]].connect(
        libpq_dsn(dsn),
        row_factory=dict_row,
        connect_timeout=CONNECT_TIMEOUT_S,
        application_name="zrg-sensor",
        options=f"-c timezone=UTC -c statement_timeout={int(statement_timeout_ms)}",
    )
