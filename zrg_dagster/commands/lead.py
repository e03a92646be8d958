"""`zrg lead`: one person, one workspace: look, export, erase. Merging is in lead_merge.py."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from zrg_dagster.commands.common import CommandError, with_database
from zrg_dagster.commands.workspace import By, actor_of, said_plainly

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from zrg_dagster.core.leads.erase import Erased
    from zrg_dagster.core.leads.person import Person
    from zrg_dagster.local.stack import Stack

T = TypeVar("T")

app = typer.Typer(help="One person, one workspace: export, erase, merge.", no_args_is_help=True)

Who = Annotated[str, typer.Argument(metavar="ID|EMAIL", help="Lead id, or the person's own e-mail address.")]
Workspace = Annotated[str, typer.Option("--workspace", metavar="KEY", help="Key of the workspace.")]

# A message that is being sent, or a deadlock with a worker, passes within seconds.
ATTEMPTS = 5
WAIT_S = 3.0


@app.command()
def export(
    who: Who,
    workspace: Workspace,
    out: Annotated[Path | None, typer.Option("--out", help="File to write, readable by you alone.")] = None,
    by: By = None,
) -> None:
    """Print everything held about a person as JSON, raw deliveries included. The export is written to the audit log."""
    from zrg_dagster.core.base.clock import utc_now
    from zrg_dagster.core.leads.export import export_person
    from zrg_dagster.core.leads.person import PersonError
    from zrg_dagster.core.workspaces.audit import record

    async def work(_stack: "Stack", engine: "AsyncEngine") -> dict[str, Any]:
        now = utc_now()
        async with engine.begin() as conn:
            person = await _find(conn, workspace, who)
            document = {"workspace": workspace, **await export_person(conn, person, now=now)}
            for lead_id in person.lead_ids:
                await record(
                    conn,
                    actor=actor_of(by),
                    action="person.export",
                    object=f"lead {lead_id}",
                    now=now,
                    workspace_id=person.workspace_id,
                )
            return document

    with said_plainly(PersonError):
        document = with_database(work)
    written = json.dumps(document, indent=2, ensure_ascii=False)
    if out is None:
        typer.echo(written)
        return
    out.touch(mode=0o600)
    out.chmod(0o600)
    out.write_text(written + "\n", encoding="utf-8")
    typer.echo(f"written to {out}")


@app.command()
def erase(
    who: Who,
    workspace: Workspace,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do it. Without it the command only says who would be erased.")
    ] = False,
    by: By = None,
) -> None:
    """Erase a person: nothing in the database names them afterwards, and nothing takes them in again.

    Vendors, Slack and backups keep what they were given; erase there too. Erasing twice changes nothing.
    """
    from zrg_dagster.core.leads.locks import LeadBusy
    from zrg_dagster.core.leads.person import PersonError

    async def look(_stack: "Stack", engine: "AsyncEngine") -> "Person":
        async with engine.connect() as conn:
            return await _find(conn, workspace, who)

    async def do(stack: "Stack", engine: "AsyncEngine") -> "Erased | None":
        return await _erase(stack, engine, workspace, who, actor_of(by))

    with said_plainly(PersonError, LeadBusy):
        if yes:
            _say(with_database(do))
            return
        person = with_database(look)
    leads = ", ".join(str(lead_id) for lead_id in person.lead_ids)
    raise CommandError(f"this erases lead {leads} of {workspace} for good; add --yes to do it")


def _say(erased: "Erased | None") -> None:
    if erased is None or not erased.rows:
        typer.echo("erased before: nothing to do")
        return
    typer.echo(f"erased ({', '.join(f'{name} {number}' for name, number in sorted(erased.rows.items()))})")
    if erased.waiting:
        typer.echo(
            f"{erased.waiting} deliveries that name this person wait for intake, which empties what is about them"
        )
    typer.echo("vendors, Slack channels and backups keep what they were given: erase there too")


async def _erase(stack: "Stack", engine: "AsyncEngine", workspace: str, who: str, actor: str) -> "Erased | None":
    """None when the address is that of somebody who was erased before."""
    from zrg_dagster.core.base.clock import utc_now
    from zrg_dagster.core.base.seal import Sealer
    from zrg_dagster.core.leads.erase import erase_person
    from zrg_dagster.core.leads.person import PersonErased

    sealer = Sealer(stack.keys("secret"))

    async def once() -> "Erased | None":
        try:
            async with engine.begin() as conn:
                person = await _find(conn, workspace, who, sealer)
                return await erase_person(conn, person, sealer=sealer, actor=actor, now=utc_now())
        except PersonErased:
            return None

    return await again_while_busy(once)


async def again_while_busy(once: "Callable[[], Awaitable[T]]") -> "T":
    """Do what changes a lead as a whole; a few times, while work on the lead is under way or a worker is in the way."""
    import asyncio

    import psycopg
    from sqlalchemy.exc import DBAPIError

    from zrg_dagster.core.leads.locks import LeadBusy

    for attempt in range(1, ATTEMPTS + 1):
        try:
            return await once()
        except (LeadBusy, DBAPIError) as error:
            deadlock = isinstance(error, DBAPIError) and isinstance(error.orig, psycopg.errors.DeadlockDetected)
            if attempt == ATTEMPTS or not (deadlock or isinstance(error, LeadBusy)):
                raise
        await asyncio.sleep(WAIT_S)
    raise AssertionError("unreachable")


async def _find(conn: "AsyncConnection", workspace: str, who: str, sealer: Any = None) -> "Person":
    from zrg_dagster.core.leads.person import find_person
    from zrg_dagster.core.workspaces.access import workspace_id_of

    workspace_id: UUID | None = await workspace_id_of(conn, workspace)
    if workspace_id is None:
        raise CommandError(f"no workspace has the key {workspace!r}; `zrg workspace list` shows them")
    return await find_person(conn, workspace_id, who, sealer=sealer)
