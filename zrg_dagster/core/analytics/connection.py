"""The builder's connection. Facts and marts are built by few large statements, so it is a synchronous one."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

# The driver is needed to connect, not to load the definitions that name these types.
if TYPE_CHECKING:
    import psycopg

    Connection = psycopg.Connection[dict[str, Any]]
    Cursor = psycopg.Cursor[dict[str, Any]]
else:
    Connection = Cursor = Any


def query(conn: Connection, statement: str, values: Mapping[str, Any] | Sequence[Any] | None = None) -> Cursor:
    """Execute a statement that is composed of our own constants; every value is a parameter."""
    return conn.execute(statement.encode(), values)
