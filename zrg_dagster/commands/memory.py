"""`zrg memory`: notes about a lead or about the whole workspace, which drafts are written with. The audit log holds no words."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zrg_dagster.commands.common import CommandError, in_workspace
from zrg_dagster.commands.workspace import By, Key, actor_of, said_plainly

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection

    from zrg_dagster.core.leads.memory import Author, Note, Saved

    Work = Callable[[AsyncConnection, UUID], Awaitable[Any]]

app = typer.Typer(help="Notes about a lead or the workspace, which drafts are written with.", no_args_is_help=True)

Lead = Annotated[
    str | None, typer.Option("--lead", metavar="ID|EMAIL", help="The lead it is about. Without: the whole workspace.")
]
NoteId = Annotated[str, typer.Argument(metavar="NOTE", help="Id of the note.")]
Words = Annotated[str, typer.Argument(metavar="TEXT", help="The note, at most 500 characters; - reads the input.")]


@app.command("list")
def list_(
    workspace: Key,
    lead: Lead = None,
    ended: Annotated[bool, typer.Option("--ended", help="Also those that have expired.")] = False,
    last: Annotated[int, typer.Option("--last", min=1, max=200, help="How many notes.")] = 50,
) -> None:
    """List notes, the newest first: id, until when, where it comes from, what it says."""
    from zrg_dagster.core.base.clock import utc_now
    from zrg_dagster.core.leads.memory import notes

    now = utc_now()

    async def work(conn: "AsyncConnection", workspace_id: "UUID") -> "list[Note]":
        lead_id = await _lead_of(conn, workspace_id, lead)
        return list(await notes(conn, workspace_id, lead_id, now=now, ended=ended, limit=last))

    found = _in_workspace(workspace, work)
    for note in found:
        state = "" if note.is_in_force(now) else " (waits for approval)" if note.status != "APPROVED" else " (ended)"
        words = " ".join(note.content.split())
        until = f"until {note.expires_at:%Y-%m-%d}"
        typer.echo(f"{note.id} {until}{state} {note.source} {note.created_by} {note.category}: {words}")
    if not found:
        typer.echo("no notes; `zrg memory add` writes one")


@app.command()
def add(
    workspace: Key,
    text: Words,
    lead: Lead = None,
    category: Annotated[str | None, typer.Option("--category", help="What kind of note. Default: Note.")] = None,
    days: Annotated[int | None, typer.Option("--days", help="For how many days it holds. Default: 90.")] = None,
    by: By = None,
) -> None:
    """Write a note. Mail addresses and phone numbers in it are taken out. The same note again only lasts longer."""
    from zrg_dagster.core.base.clock import utc_now
    from zrg_dagster.core.leads import memory

    async def work(conn: "AsyncConnection", workspace_id: "UUID") -> "Saved":
        return await memory.add(
            conn,
            workspace_id,
            await _lead_of(conn, workspace_id, lead),
            _given(text),
            category=memory.DEFAULT_CATEGORY if category is None else category,
            days=memory.DEFAULT_DAYS if days is None else days,
            author=await _author(conn, workspace_id, by),
            now=utc_now(),
        )

    _tell(_in_workspace(workspace, work))


@app.command()
def edit(
    workspace: Key,
    note: NoteId,
    text: Annotated[str | None, typer.Argument(metavar="[TEXT]", help="Other words; - reads the input.")] = None,
    category: Annotated[str | None, typer.Option("--category", help="Another category.")] = None,
    days: Annotated[int | None, typer.Option("--days", help="It holds for so many days from now.")] = None,
    by: By = None,
) -> None:
    """Change a note's words, category or end; what is not given stays."""
    from zrg_dagster.core.base.clock import utc_now
    from zrg_dagster.core.leads import memory

    if text is None and category is None and days is None:
        raise CommandError("nothing to change; give other words, --category or --days")

    async def work(conn: "AsyncConnection", workspace_id: "UUID") -> "Saved":
        words = None if text is None else _given(text)
        author = await _author(conn, workspace_id, by)
        return await memory.edit(
            conn, workspace_id, _id(note), words, category=category, days=days, author=author, now=utc_now()
        )

    _tell(_in_workspace(workspace, work))


@app.command()
def expire(workspace: Key, note: NoteId, by: By = None) -> None:
    """End a note now: no draft is told it any more. `list --ended` still shows it."""
    from zrg_dagster.core.base.clock import utc_now
    from zrg_dagster.core.leads import memory

    async def work(conn: "AsyncConnection", workspace_id: "UUID") -> bool:
        author = await _author(conn, workspace_id, by)
        return await memory.expire(conn, workspace_id, _id(note), author=author, now=utc_now())

    typer.echo("ended" if _in_workspace(workspace, work) else "had ended already")


@app.command()
def delete(workspace: Key, note: NoteId, by: By = None) -> None:
    """Take a note away for good."""
    from zrg_dagster.core.base.clock import utc_now
    from zrg_dagster.core.leads import memory

    async def work(conn: "AsyncConnection", workspace_id: "UUID") -> None:
        author = await _author(conn, workspace_id, by)
        await memory.delete(conn, workspace_id, _id(note), author=author, now=utc_now())

    _in_workspace(workspace, work)
    typer.echo("deleted")


def _tell(saved: "Saved") -> None:
    typer.echo(f"{saved.id} until {saved.expires_at:%Y-%m-%d}")
    if saved.scrubbed:
        typer.echo(f"note: {saved.scrubbed} addresses or numbers were taken out", err=True)


def _given(text: str) -> str:
    return sys.stdin.read() if text == "-" else text


def _id(note: str) -> "UUID":
    from uuid import UUID

    try:
        return UUID(note)
    except ValueError:
        raise CommandError(f"{note!r} is no id of a note; `zrg memory list` shows them") from None


async def _author(conn: "AsyncConnection", workspace_id: "UUID", by: str | None) -> "Author":
    from zrg_dagster.core.base.settings import current_settings
    from zrg_dagster.core.leads.memory import Author
    from zrg_dagster.core.workspaces.access import Role, role_of, super_admins

    # Who has a shell and the worker's password needs no role; a named user is held to theirs.
    role: Role | None = Role.SUPER_ADMIN
    if by is not None:
        role = await role_of(conn, workspace_id, by, admins=super_admins(current_settings()))
    return Author(actor_of(by), role)


async def _lead_of(conn: "AsyncConnection", workspace_id: "UUID", who: str | None) -> "UUID | None":
    from zrg_dagster.core.leads.person import find_lead

    return None if who is None else await find_lead(conn, workspace_id, who)


def _in_workspace(key: str, work: "Work") -> Any:
    """`in_workspace`; a refusal ends as one line."""
    from zrg_dagster.core.leads.memory import NoteError
    from zrg_dagster.core.leads.person import PersonError

    with said_plainly(NoteError, PersonError):
        return in_workspace(key, work)
