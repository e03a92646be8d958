"""`zrg events`: deliveries as stored, processed again or given up by hand."""

import json
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from zrg_dagster.commands.common import CommandError, with_database
from zrg_dagster.commands.workspace import By, actor_of, keys_of, said_plainly

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from sqlalchemy import Row
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from zrg_dagster.core.intake.replay import Change, Selection
    from zrg_dagster.local.stack import Stack

app = typer.Typer(help="Deliveries as stored: find, look into, process again, give up.", no_args_is_help=True)

Ids = Annotated[list[UUID] | None, typer.Argument(metavar="[ID]...", help="Ids of deliveries; none: all that match.")]
Workspace = Annotated[str | None, typer.Option("--workspace", help="Key of the workspace.")]
Provider = Annotated[str | None, typer.Option("--provider", help="Vendor: emailbison, ghl, calendly …")]
States = Annotated[list[str] | None, typer.Option("--state", help="May be repeated. Default: quarantined and dead.")]
Reason = Annotated[str | None, typer.Option("--reason", help="The reason code that `events list` shows.")]
Since = Annotated[datetime | None, typer.Option("--since", formats=["%Y-%m-%dT%H:%M%z"], help="2026-03-10T16:00Z")]
Until = Annotated[datetime | None, typer.Option("--until", formats=["%Y-%m-%dT%H:%M%z"], help="Before this instant.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=10_000, help="At most this many, the oldest first.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it. Without it the command only shows what would happen.")]


@app.command("list")
def list_(
    workspace: Workspace = None,
    provider: Provider = None,
    state: States = None,
    reason: Reason = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 50,
) -> None:
    """List deliveries, the newest first. Bodies are not shown: they hold personal data."""
    from zrg_dagster.core.intake import replay

    with said_plainly(replay.ReplayError):
        chosen = _selection((), workspace, provider, state, reason, since, until, limit)
    rows = _read(lambda conn: replay.find(conn, chosen, newest=True))
    for row in rows:
        words = (row.workspace, row.provider, row.event_type, row.state, row.reason, row.error)
        typer.echo(f"{row.id} {row.received_at:%Y-%m-%d %H:%M:%SZ} {' '.join(str(word) for word in words if word)}")
    if not rows:
        typer.echo("no delivery matches")


@app.command()
def show(
    event_id: Annotated[UUID, typer.Argument(metavar="ID", help="Id of the delivery.")],
    body: Annotated[bool, typer.Option("--body", help="The body as received too: it holds personal data.")] = False,
) -> None:
    """Print one delivery as JSON."""
    from zrg_dagster.core.intake import replay

    chosen = replay.Selection(ids=(event_id,), states=replay.STATES)
    [row] = _read(lambda conn: replay.find(conn, chosen)) or [None]
    if row is None:
        raise CommandError(f"no delivery has the id {event_id}")
    shown: dict[str, Any] = {name: value for name, value in row._asdict().items() if value is not None}
    if body:
        stored = _read(lambda conn: replay.body_of(conn, event_id))
        shown["body"] = stored.decode("utf-8", "replace") if stored else None
    typer.echo(json.dumps(shown, indent=2, default=str, ensure_ascii=False))


@app.command("replay")
def replay_(
    ids: Ids = None,
    workspace: Workspace = None,
    provider: Provider = None,
    state: States = None,
    reason: Reason = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 500,
    yes: Yes = False,
    by: By = None,
) -> None:
    """Process deliveries again. Nothing is sent by itself because of it: a reply found now goes to a person."""
    from zrg_dagster.core.base.clock import utc_now
    from zrg_dagster.core.intake import replay

    with said_plainly(replay.ReplayError):
        chosen = _selection(ids or (), workspace, provider, state, reason, since, until, limit)

    async def look(stack: "Stack", engine: "AsyncEngine") -> "tuple[Sequence[Row[Any]], list[Change]]":
        async with engine.connect() as conn:
            events = await replay.find(conn, chosen)
            await conn.rollback()
            return events, await replay.preview(conn, events, utc_now(), sealer=keys_of(stack).credentials)

    async def do(_stack: "Stack", engine: "AsyncEngine") -> int:
        async with engine.begin() as conn:
            events = await replay.find(conn, chosen)
            return len(await replay.replay(conn, events, chosen, actor=actor_of(by), now=utc_now()))

    if yes:
        typer.echo(f"{with_database(do)} deliveries wait for the inbound drain")
        return
    events, changes = with_database(look)
    for change in changes:
        kept = (
            "unchanged" if not change.differs else f"{_end(change.state, change.reason)} {change.error or ''}".strip()
        )
        typer.echo(
            f"{change.event.id} {change.event.event_type}: {_end(change.event.state, change.event.reason)} -> {kept}"
        )
    for event in events:
        if why := replay.refusal(event):
            typer.echo(f"{event.id} {event.event_type}: left alone, {why}")
    typer.echo(f"{len(changes)} deliveries would be processed again; add --yes to do it")


@app.command()
def discard(
    ids: Ids = None,
    workspace: Workspace = None,
    provider: Provider = None,
    state: States = None,
    reason: Reason = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 500,
    yes: Yes = False,
    by: By = None,
) -> None:
    """Give up quarantined and dead deliveries. They stay stored and counted."""
    from zrg_dagster.core.base.clock import utc_now
    from zrg_dagster.core.intake import replay

    with said_plainly(replay.ReplayError):
        chosen = _selection(ids or (), workspace, provider, state, reason, since, until, limit)

    async def do(_stack: "Stack", engine: "AsyncEngine") -> int:
        async with engine.begin() as conn:
            events = await replay.find(conn, chosen)
            if not yes:
                return sum(event.state in replay.TROUBLE for event in events)
            return len(await replay.discard(conn, events, chosen, actor=actor_of(by), now=utc_now()))

    number = with_database(do)
    typer.echo(
        f"{number} deliveries discarded" if yes else f"{number} deliveries would be given up; add --yes to do it"
    )


def _end(state: str, reason: str | None) -> str:
    return f"{state} ({reason})" if reason else state


def _selection(
    ids: "Sequence[UUID]",
    workspace: str | None,
    provider: str | None,
    states: list[str] | None,
    reason: str | None,
    since: datetime | None,
    until: datetime | None,
    limit: int,
) -> "Selection":
    from zrg_dagster.core.intake.replay import FINISHED, TROUBLE, Selection

    # Who names deliveries means these, however they ended.
    default = FINISHED if ids else TROUBLE
    return Selection(
        ids=tuple(ids),
        workspace=workspace,
        provider=provider,
        states=tuple(states or default),
        reason=reason,
        since=since,
        until=until,
        limit=limit,
    )


def _read(question: "Callable[[AsyncConnection], Awaitable[Any]]") -> Any:
    async def work(_stack: object, engine: "AsyncEngine") -> Any:
        async with engine.connect() as conn:
            return await question(conn)

    return with_database(work)
