"""Connections of the receiver, and what may be said about their errors."""

import psycopg

CONNECT_TIMEOUT_S = 3


async def connect(dsn: str, *, name: str) -> psycopg.AsyncConnection:
    """An autocommit connection: one statement is one transaction, its result arrives after the commit.

    A dead peer is noticed by TCP within ten seconds; without these options a flusher could wait two hours on a host
    that vanished. Statement and lock timeouts are settings of the role (`core/db/roles.py`).
    """
    return await psycopg.AsyncConnection.connect(
        dsn,
        autocommit=True,
        connect_timeout=CONNECT_TIMEOUT_S,
        application_name=f"zrg-receiver-{name}",
        keepalives_idle=5,
        keepalives_interval=2,
        keepalives_count=2,
        tcp_user_timeout=10_000,
    )


def describe(error: BaseException) -> str:
    """`error` for a log line: its class and SQLSTATE. Postgres quotes row content in its messages, so they stay out."""
    state = getattr(error, "sqlstate", None)
    if state is None and isinstance(error, psycopg.OperationalError):
        return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'connection lost'}"
    return f"{type(error).__name__} {state}" if state else type(error).__name__
