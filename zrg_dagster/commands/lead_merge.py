"""`zrg lead merge|unmerge|candidates|promote`: several leads that are one person, and several addresses of one lead."""

from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from zrg_dagster.commands.common import CommandError, with_database
from zrg_dagster.commands.lead import again_while_busy
from zrg_dagster.commands.workspace import By, Key, actor_of, said_plainly

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from zrg_dagster.core.leads.merge import Merged, Preview
    from zrg_dagster.core.leads.promote import Promotion
    from zrg_dagster.local.stack import Stack

Yes = Annotated[bool, typer.Option("--yes", help="Do it. Without it the command only says what would happen.")]


def add_to(app: typer.Typer) -> None:
    """Put these commands beside the others of `zrg lead`."""
    for command in (candidates, merge, unmerge, promote):
        app.command()(command)


def candidates(
    key: Key,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many pairs.")] = 50,
    by: By = None,
) -> None:
    """List pairs of leads that deliveries name as one person, the oldest first. It is written to the audit log."""
    from zrg_dagster.core.base.clock import utc_now
    from zrg_dagster.core.leads.merge import candidates as find
    from zrg_dagster.core.workspaces.audit import record

    async def work(_stack: "Stack", engine: "AsyncEngine") -> "Sequence[Row[Any]]":
        async with engine.begin() as conn:
            workspace_id = await workspace_of(conn, key)
            found = await find(conn, workspace_id, limit=limit)
            await record(
                conn,
                actor=actor_of(by),
                action="lead.list_candidates",
                object=f"workspace {key}",
                now=utc_now(),
                workspace_id=workspace_id,
                changes=[{"object": "pairs", "listed": len(found)}],
            )
            return found

    rows = with_database(work)
    for row in rows:
        one = f"{row.lead_id} {row.email or '-'} ({row.messages} messages)"
        other = f"{row.other_lead_id} {row.other_email or '-'} ({row.other_messages} messages)"
        typer.echo(f"{one}  =  {other}  by {', '.join(row.kinds)}, since {row.since:%Y-%m-%d}")
    if not rows:
        typer.echo("no candidates")


def merge(
    key: Key,
    keep: Annotated[UUID, typer.Argument(metavar="KEEP", help="Id of the lead that stays.")],
    gone: Annotated[UUID, typer.Argument(metavar="GONE", help="Id of the lead that becomes part of it.")],
    yes: Yes = False,
    by: By = None,
) -> None:
    """Make two leads one: everything of GONE becomes KEEP's. `zrg lead unmerge` undoes it until more is written."""
    from zrg_dagster.core.base.clock import utc_now
    from zrg_dagster.core.leads.locks import LeadBusy
    from zrg_dagster.core.leads.merge import MergeError, preview
    from zrg_dagster.core.leads.merge import merge as merge_leads

    async def look(_stack: "Stack", engine: "AsyncEngine") -> "Preview":
        async with engine.connect() as conn:
            return await preview(conn, await workspace_of(conn, key), keep, gone)

    async def do(_stack: "Stack", engine: "AsyncEngine") -> "Merged":
        async def once() -> "Merged":
            async with engine.begin() as conn:
                workspace_id = await workspace_of(conn, key)
                return await merge_leads(conn, workspace_id, keep, gone, actor=actor_of(by), now=utc_now())

        return await again_while_busy(once)

    with said_plainly(MergeError, LeadBusy):
        found = with_database(look)
        _show(found)
        if not yes:
            raise CommandError(f"this makes lead {gone} part of lead {keep}; add --yes to do it")
        merged = with_database(do)
    typer.echo(f"merged: {merged.rows.total()} rows; to undo it: zrg lead unmerge {key} {merged.id}")


def _show(found: "Preview") -> None:
    for name, number in sorted(found.rows.items()):
        typer.echo(f"{name}: {number} rows move")
    if found.ends:
        typer.echo(f"app.follow_up_instance: {found.ends} end, the kept lead has a run of the same sequence")
    typer.echo(f"fields of the kept lead that change: {', '.join(found.fields) or 'none'}")


def unmerge(
    key: Key,
    merge_id: Annotated[UUID, typer.Argument(metavar="MERGE_ID", help="What `zrg lead merge` printed.")],
    by: By = None,
) -> None:
    """Undo a merge: both leads are what they were. Refused when the kept lead was written since."""
    from zrg_dagster.core.base.clock import utc_now
    from zrg_dagster.core.leads.locks import LeadBusy
    from zrg_dagster.core.leads.merge import MergeError
    from zrg_dagster.core.leads.unmerge import unmerge as undo

    async def work(_stack: "Stack", engine: "AsyncEngine") -> UUID:
        async def once() -> UUID:
            async with engine.begin() as conn:
                workspace_id = await workspace_of(conn, key)
                return await undo(conn, merge_id, workspace_id=workspace_id, actor=actor_of(by), now=utc_now())

        return await again_while_busy(once)

    with said_plainly(MergeError, LeadBusy):
        typer.echo(f"undone: lead {with_database(work)} is one of its own again")


def promote(
    key: Key,
    lead: Annotated[UUID, typer.Argument(metavar="LEAD", help="Id of the lead.")],
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="One of the lead's alternate addresses.")],
    by: Annotated[
        str | None,
        typer.Option("--by", metavar="EMAIL", help="The user who asks: their role decides. Default: the operator."),
    ] = None,
) -> None:
    """Make an alternate address of a lead the one it is written to. Who may not do it leaves a request instead."""
    from zrg_dagster.core.base.clock import utc_now
    from zrg_dagster.core.base.settings import current_settings
    from zrg_dagster.core.leads.promote import Promotion, PromotionError, promote_address
    from zrg_dagster.core.notifications.promotion import tell_of_request
    from zrg_dagster.core.workspaces.access import Role, standing_of, super_admins

    async def work(_stack: "Stack", engine: "AsyncEngine") -> "tuple[Promotion, int]":
        async with engine.begin() as conn:
            workspace_id = await workspace_of(conn, key)
            # Who has a shell and the worker's password needs no role; a named user is held to theirs.
            role, assigned = Role.SUPER_ADMIN, True
            if by is not None:
                admins = super_admins(current_settings())
                role, assigned = await standing_of(conn, workspace_id, by, lead, admins=admins)
            actor, now = actor_of(by), utc_now()
            outcome = await promote_address(
                conn, workspace_id, lead, address, actor=actor, role=role, now=now, assigned=assigned
            )
            told = 0
            if outcome is Promotion.REQUESTED:
                told = await tell_of_request(conn, workspace_id, lead, address, actor=actor, now=now)
            return outcome, told

    with said_plainly(PromotionError):
        outcome, told = with_database(work)
    heard = f"{told} told in Slack" if told else "nobody could be told: no owner or admin has a Slack user"
    typer.echo(
        {
            Promotion.PROMOTED: "promoted",
            Promotion.REQUESTED: f"requested: an admin of the workspace has to promote it ({heard})",
            Promotion.UNCHANGED: "is the primary address already",
        }[outcome]
    )


async def workspace_of(conn: "AsyncConnection", key: str) -> UUID:
    """The id of a workspace by its key."""
    from zrg_dagster.core.workspaces.access import workspace_id_of

    workspace_id = await workspace_id_of(conn, key)
    if workspace_id is None:
        raise CommandError(f"no workspace has the key {key!r}; `zrg workspace list` shows them")
    return workspace_id
