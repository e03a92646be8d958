"""`zrg explain`: what was decided about a lead or a draft, by which rule, with which inputs, in time order."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from zrg_dagster.commands.common import with_database
from zrg_dagster.commands.workspace import said_plainly

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from zrg_dagster.core.replies.explain import Story

app = typer.Typer(help="Why was this sent, or not? Decisions in time order, without texts.", no_args_is_help=True)

Id = Annotated[UUID, typer.Argument(metavar="ID", help="Id of the lead or draft.")]


@app.command()
def lead(lead_id: Id) -> None:
    """Everything about a lead; the first line says how things stand."""
    from zrg_dagster.core.replies.explain import explain_lead

    _tell(lambda conn: explain_lead(conn, lead_id))


@app.command()
def draft(draft_id: Id) -> None:
    """What led to a draft and what became of it."""
    from zrg_dagster.core.replies.explain import explain_draft

    _tell(lambda conn: explain_draft(conn, draft_id))


def _tell(ask: "Callable[[AsyncConnection], Awaitable[Story]]") -> None:
    from zrg_dagster.core.replies.explain import ExplainError, plain

    async def work(_stack: object, engine: "AsyncEngine") -> "Story":
        async with engine.connect() as conn:
            return await ask(conn)

    with said_plainly(ExplainError):
        story = with_database(work)
    for line in plain(story):
        typer.echo(line)
