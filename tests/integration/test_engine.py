"""The pool and the transactions of the engine against a real Postgres."""

import asyncio

import psycopg
import pytest
from sqlalchemy import text

from zrg_dagster.core.db import engine as engines
from zrg_dagster.core.db.engine import autocommit, make_engine

_PID = text("SELECT pg_backend_pid()")


@pytest.fixture
async def engine(database):
    engine = make_engine(database.dsn("bootstrap"), pool_size=1)
    yield engine
    await engine.dispose()


async def pid_of(engine):
    return await pid_on(engine.connect())


async def pid_on(connection):
    async with connection as conn:
        return (await conn.execute(_PID)).scalar_one()


async def test_a_rested_connection_that_died_is_replaced(engine, database, monkeypatch):
    monkeypatch.setattr(engines, "PING_AFTER_S", 0.0)
    first = await pid_of(engine)
    assert await pid_of(engine) == first, "a living connection is kept"
    with psycopg.connect(database.dsn("bootstrap"), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [first])
    assert await pid_of(engine) != first


async def test_a_busy_connection_is_not_asked(engine, monkeypatch):
    pings = []
    monkeypatch.setattr(engine.dialect, "do_ping", lambda connection: pings.append(connection) or True)
    await pid_of(engine)
    await pid_of(engine)
    assert pings == []
    monkeypatch.setattr(engines, "PING_AFTER_S", 0.0)
    await pid_of(engine)
    assert len(pings) == 1


async def test_autocommit_keeps_what_was_written_and_transactions_still_end(engine):
    async with autocommit(engine) as conn:
        await conn.execute(text("CREATE TABLE noted (number int)"))
        await conn.execute(text("INSERT INTO noted VALUES (1)"))
        await conn.rollback()
    async with engine.connect() as conn:
        await conn.execute(text("INSERT INTO noted VALUES (2)"))
        await conn.rollback()
        numbers = (await conn.execute(text("SELECT number FROM noted"))).scalars().all()
    assert numbers == [1]


async def test_a_rested_autocommit_connection_that_died_is_replaced(engine, database, monkeypatch):
    monkeypatch.setattr(engines, "PING_AFTER_S", 0.0)
    first = await pid_on(autocommit(engine))
    with psycopg.connect(database.dsn("bootstrap"), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [first])
    assert await pid_on(autocommit(engine)) != first


async def test_dispose_closes_every_connection(database):
    engine = make_engine(database.dsn("bootstrap"), pool_size=1)
    pids = [await pid_of(engine), await pid_on(autocommit(engine))]
    await engine.dispose()
    with psycopg.connect(database.dsn("bootstrap"), autocommit=True) as other:
        left = "SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(%s)"
        for _ in range(100):
            if other.execute(left, [pids]).fetchone() == (0,):
                return
            await asyncio.sleep(0.05)
    raise AssertionError("a connection is still open")
