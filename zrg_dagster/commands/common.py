"""What commands share: the settings, the running database, one async engine as the worker."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from zrg_dagster.local.stack import Stack

T = TypeVar("T")


class CommandError(ValueError):
    """What was asked cannot be done. One line: what is wrong, and what to do instead."""


@contextmanager
def running_stack() -> "Iterator[Stack]":
    """The stack of this home with its database up for the length of the block."""
    from zrg_dagster.core.base.settings import load_settings
    from zrg_dagster.local.stack import Stack

    stack = Stack(load_settings())
    with stack.running():
        yield stack


@asynccontextmanager
async def engine_of(stack: "Stack", role: str = "worker") -> "AsyncIterator[AsyncEngine]":
    """An async engine of one role, disposed of at the end."""
    from zrg_dagster.core.db.engine import make_engine

    engine = make_engine(stack.dsn(role), application_name="zrg-command")
    try:
        yield engine
    finally:
        await engine.dispose()


def with_database(work: "Callable[[Stack, AsyncEngine], Awaitable[T]]", role: str = "worker") -> T:
    """Run `work(stack, engine)` to its end with the database up; the schema must be the one this code expects."""
    import asyncio

    from zrg_dagster.core.db.migrate import check_schema

    with running_stack() as stack:
        check_schema(stack.dsn(role))

        async def main() -> T:
            async with engine_of(stack, role) as engine:
                return await work(stack, engine)

        return asyncio.run(main())


def in_workspace(key: str, work: "Callable[[AsyncConnection, UUID], Awaitable[T]]") -> T:
    """Run `work(conn, workspace id)` in one transaction; a key that no workspace has is named."""
    from zrg_dagster.core.workspaces.access import workspace_id_of

    async def run(_stack: object, engine: "AsyncEngine") -> T:
        async with engine.begin() as conn:
            workspace_id = await workspace_id_of(conn, key)
            if workspace_id is None:
                raise CommandError(f"no workspace has the key {key!r}; `zrg workspace list` shows them")
            return await work(conn, workspace_id)

    return with_database(run)
