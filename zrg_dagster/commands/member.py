"""`zrg member`: who works in a workspace."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from zrg_dagster.commands.common import with_database
from zrg_dagster.commands.workspace import By, Key, actor_of, said_plainly

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from zrg_dagster.local.stack import Stack

app = typer.Typer(help="Who works in a workspace.", no_args_is_help=True)

Email = Annotated[str, typer.Argument(metavar="EMAIL", help="Address of the person, in any case.")]


@app.command("list")
def list_(key: Key) -> None:
    """List owner and members with their roles."""
    from zrg_dagster.core.workspaces.members import MemberError, list_members

    async def work(_stack: "Stack", engine: "AsyncEngine") -> list[Any]:
        async with engine.connect() as conn:
            return list(await list_members(conn, key))

    with said_plainly(MemberError):
        rows = with_database(work)
    for row in rows:
        typer.echo(" ".join(part for part in (row.role, row.email, row.name, row.slack_user_id) if part))
    if not rows:
        typer.echo("no members")


@app.command()
def add(
    key: Key,
    email: Email,
    role: Annotated[str, typer.Option("--role", help="ADMIN, INBOX_MANAGER, SETTER or CLIENT_PORTAL.")],
    name: Annotated[str, typer.Option("--name", help="Name of the person.")] = "",
    slack_user: Annotated[str | None, typer.Option("--slack-user", help="Slack user id (U…).")] = None,
    by: By = None,
) -> None:
    """Give a person a role. The person is made when the address is new."""
    from zrg_dagster.core.base.clock import utc_now
    from zrg_dagster.core.workspaces.members import MemberError, add_member

    async def work(_stack: "Stack", engine: "AsyncEngine") -> bool:
        async with engine.begin() as conn:
            return await add_member(
                conn, key, email, role, actor=actor_of(by), now=utc_now(), name=name, slack_user=slack_user
            )

    with said_plainly(MemberError):
        typer.echo("added" if with_database(work) else "has that role already")


@app.command()
def remove(
    key: Key,
    email: Email,
    role: Annotated[str | None, typer.Option("--role", help="Only this role. Default: every role.")] = None,
    by: By = None,
) -> None:
    """Take a person's roles in a workspace. The person stays a user."""
    from zrg_dagster.core.base.clock import utc_now
    from zrg_dagster.core.workspaces.members import MemberError, remove_member

    async def work(_stack: "Stack", engine: "AsyncEngine") -> list[str]:
        async with engine.begin() as conn:
            return await remove_member(conn, key, email, role, actor=actor_of(by), now=utc_now())

    with said_plainly(MemberError):
        typer.echo(f"removed {', '.join(with_database(work))}")
