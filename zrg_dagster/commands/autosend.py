"""`zrg autosend`: stop automatic sends, start them again, and see what is stopped."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from zrg_dagster.commands.common import with_database
from zrg_dagster.commands.workspace import By, actor_of, said_plainly

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from zrg_dagster.local.stack import Stack

T = TypeVar("T")

app = typer.Typer(
    help="Stop and start automatic sends. What a person approves still leaves; AUTO_SEND_DISABLED is one more switch.",
    no_args_is_help=True,
)

Workspace = Annotated[str | None, typer.Option("--workspace", metavar="KEY", help="This workspace alone.")]
Campaign = Annotated[str | None, typer.Option("--campaign", metavar="ID", help="The vendor's id, with --workspace.")]
Channel = Annotated[str | None, typer.Option("--channel", help="email, sms or linkedin; everywhere or in a workspace.")]


@app.command()
def stop(
    workspace: Workspace = None,
    campaign: Campaign = None,
    channel: Channel = None,
    reason: Annotated[str, typer.Option("--reason", help="Why, for whoever looks later.")] = "",
    by: By = None,
) -> None:
    """Stop automatic sends, planned and delayed ones too. Without options everywhere. In force when it returns."""
    from zrg_dagster.core.base.clock import utc_now
    from zrg_dagster.core.sending import switches

    switch = switches.Switch(workspace, campaign, channel)

    async def do(conn: "AsyncConnection") -> bool:
        return await switches.stop(conn, switch, reason=reason, actor=actor_of(by), now=utc_now())

    with said_plainly(switches.SwitchError):
        new = _change(do)
    typer.echo(f"stopped: {switch}" if new else f"stopped before: {switch}")


@app.command()
def start(workspace: Workspace = None, campaign: Campaign = None, channel: Channel = None, by: By = None) -> None:
    """Lift one stop. Name it as it was stopped; other stops stay in force."""
    from zrg_dagster.core.base.clock import utc_now
    from zrg_dagster.core.sending import switches

    switch = switches.Switch(workspace, campaign, channel)

    async def do(conn: "AsyncConnection") -> tuple[bool, Any]:
        lifted = await switches.start(conn, switch, actor=actor_of(by), now=utc_now())
        return lifted, await switches.active(conn)

    with said_plainly(switches.SwitchError):
        lifted, left = _change(do)
    typer.echo(f"lifted: {switch}" if lifted else f"not stopped: {switch}")
    _say(left)


@app.command()
def show() -> None:
    """Every stop in force, since when, why, and how many sends it has blocked."""
    from zrg_dagster.core.sending import switches

    _say(_change(switches.active))


def _say(rows: Any) -> None:
    from zrg_dagster.core.base.settings import current_settings
    from zrg_dagster.core.sending.switches import Switch

    if current_settings().auto_send_disabled:
        typer.echo("everything, by AUTO_SEND_DISABLED in the environment; a restart without it lifts that")
    for row in rows:
        what = Switch(row.workspace, row.campaign, row.channel)
        why = f": {row.reason}" if row.reason else ""
        typer.echo(f"{what} since {row.stopped_at:%Y-%m-%d %H:%M:%SZ}, {row.blocked} sends blocked{why}")
    if not rows and not current_settings().auto_send_disabled:
        typer.echo("nothing is stopped")


def _change(do: "Callable[[AsyncConnection], Awaitable[T]]") -> "T":
    async def work(_stack: "Stack", engine: "AsyncEngine") -> "T":
        async with engine.begin() as conn:
            return await do(conn)

    return with_database(work)
