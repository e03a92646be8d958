"""`zrg drafts` and `zrg send`: a reviewer's decisions without a card, through the same function as the card's buttons."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from uuid import UUID

import typer

from zrg_dagster.commands.common import CommandError, with_database
from zrg_dagster.commands.workspace import said_plainly

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from zrg_dagster.core.replies.content import Recipients
    from zrg_dagster.core.replies.review import ReviewRequest
    from zrg_dagster.local.stack import Stack

T = TypeVar("T")

app = typer.Typer(help="Answers that wait for a person: look, approve, edit, regenerate, reject.", no_args_is_help=True)

Draft = Annotated[UUID, typer.Argument(metavar="ID", help="Id of the draft.")]
By = Annotated[str, typer.Option("--by", metavar="EMAIL", help="Who decides: a member who may, by e-mail address.")]
Version = Annotated[
    int | None, typer.Option("--version", min=1, help="Refuse unless the draft is still at this version.")
]
To = Annotated[str | None, typer.Option("--to", metavar="EMAIL", help="Another address of the lead. Mail only.")]
Cc = Annotated[list[str] | None, typer.Option("--cc", metavar="EMAIL", help="Copies, in place of the thread's.")]
Text = Annotated[str | None, typer.Option("--text", help="The message.")]
File = Annotated[Path | None, typer.Option("--file", help="The message from a file; - reads the input.")]

WHY = {
    "not_a_member": "--by is no member who may decide drafts",
    "not_assigned": "a setter decides drafts of leads that are assigned to them",
    "unknown_draft": "no such draft",
    "stale_version": "the draft was changed since; look at it again",
    "already_handled": "somebody decided this draft before",
    "already_sending": "its send is under way or done",
    "empty_text": "the message is empty",
}


@app.command("list")
def list_(
    workspace: Annotated[str | None, typer.Option("--workspace", metavar="KEY", help="This workspace alone.")] = None,
    lead: Annotated[UUID | None, typer.Option("--lead", help="Of this lead.")] = None,
    channel: Annotated[str | None, typer.Option("--channel", help="email, sms or linkedin.")] = None,
    status: Annotated[str, typer.Option("--status", help="pending, approved, rejected or all.")] = "pending",
    reason: Annotated[str | None, typer.Option("--reason", help="The reason code of a line.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most this many.")] = 50,
) -> None:
    """List drafts, the newest first. Texts are not shown: they hold personal data."""
    from zrg_dagster.core.replies import drafts

    chosen = drafts.Selection(
        workspace=workspace, lead_id=lead, channel=channel, status=status, reason=reason, limit=limit
    )
    with said_plainly(drafts.DraftError):
        rows = _in_transaction(lambda conn: drafts.find(conn, chosen))
    for row in rows:
        confidence = f"{row.confidence:.2f} of {row.threshold:.2f}" if row.confidence is not None else ""
        send = f"send {row.send_state} {row.send_reason or ''}" if row.send_state else ""
        words = (row.workspace, row.channel, row.tag, row.status, row.reason, confidence, send)
        shown = " ".join(str(word).strip() for word in words if word)
        typer.echo(f"{row.id} v{row.version} {row.created_at:%Y-%m-%d %H:%MZ} {shown}")
    if not rows:
        typer.echo("no draft matches")


@app.command()
def show(draft_id: Draft) -> None:
    """Print a draft, the message that it answers, and what became of it."""
    from zrg_dagster.core.replies import drafts

    with said_plainly(drafts.DraftError):
        row = _in_transaction(lambda conn: drafts.show(conn, draft_id))
    facts = {
        "workspace": row.workspace,
        "lead": row.lead_id,
        "channel": f"{row.channel} through {row.provider}",
        "tag": row.tag,
        "version": row.version,
        "status": row.status,
        "why": row.reason,
        "confidence": None if row.confidence is None else f"{row.confidence} of {row.threshold}",
        "send": " ".join(filter(None, (row.send_state, row.send_reason))) or None,
        "decided by": row.decided_by,
    }
    for name, value in facts.items():
        if value is not None:
            typer.echo(f"{name}: {value}")
    typer.echo(f"\nthey wrote at {row.they_wrote_at:%Y-%m-%d %H:%MZ}:\n{row.they_wrote}\n\ndraft:\n{row.body}")


@app.command()
def approve(draft_id: Draft, by: By, version: Version = None, to: To = None, cc: Cc = None) -> None:
    """Send a draft as it is."""
    _decide("approve", draft_id, by, version, chosen=_chosen(to, cc))


@app.command()
def edit(
    draft_id: Draft,
    by: By,
    text: Text = None,
    file: File = None,
    version: Version = None,
    to: To = None,
    cc: Cc = None,
) -> None:
    """Send a draft with another text."""
    _decide("edit", draft_id, by, version, text=_text(text, file), chosen=_chosen(to, cc))


@app.command()
def regenerate(draft_id: Draft, by: By, version: Version = None) -> None:
    """Have another draft written; the reviewers get it."""
    _decide("regenerate", draft_id, by, version)


@app.command()
def reject(
    draft_id: Draft,
    by: By,
    reason: Annotated[str | None, typer.Option("--reason", help="Why, for whoever looks later.")] = None,
    version: Version = None,
) -> None:
    """Close a draft without sending it."""
    _decide("reject", draft_id, by, version, reason=reason)


def send(
    lead: Annotated[UUID, typer.Argument(metavar="LEAD", help="Id of the lead.")],
    channel: Annotated[str, typer.Option("--channel", help="email, sms or linkedin.")],
    by: By,
    text: Text = None,
    file: File = None,
    to: To = None,
    cc: Cc = None,
) -> None:
    """Answer a lead's newest message on a channel with a text of your own. A draft that waits there is replaced by it."""
    from zrg_dagster.core.base.clock import utc_now
    from zrg_dagster.core.replies import drafts

    body, chosen = _text(text, file), _chosen(to, cc)

    async def do(conn: "AsyncConnection") -> tuple[str, str]:
        draft = await drafts.draft_of_own(conn, lead, channel, utc_now())
        # What cannot be sent leaves no empty draft behind for the reviewers.
        kept = await conn.begin_nested()
        outcome = await _apply(conn, "edit", draft.id, by, None, text=body, chosen=chosen)
        if outcome[0] == "edited":
            await kept.commit()
        else:
            await conn.rollback()
        return outcome

    with said_plainly(drafts.DraftError):
        _say(*_in_transaction(do))


def _decide(
    action: str,
    draft_id: UUID,
    by: str,
    version: int | None,
    *,
    text: str | None = None,
    reason: str | None = None,
    chosen: "Recipients | None" = None,
) -> None:
    async def do(conn: "AsyncConnection") -> tuple[str, str]:
        return await _apply(conn, action, draft_id, by, version, text=text, reason=reason, chosen=chosen)

    _say(*_in_transaction(do))


async def _apply(
    conn: "AsyncConnection",
    action: str,
    draft_id: UUID,
    by: str,
    version: int | None,
    *,
    text: str | None = None,
    reason: str | None = None,
    chosen: "Recipients | None" = None,
) -> tuple[str, str]:
    from zrg_dagster.core.base.clock import utc_now
    from zrg_dagster.core.base.settings import current_settings
    from zrg_dagster.core.replies import drafts, review
    from zrg_dagster.core.replies.content import AS_THEY_ARE
    from zrg_dagster.core.workspaces.access import super_admins

    try:
        draft = await drafts.show(conn, draft_id)
    except drafts.DraftError:
        return "unknown_draft", ""
    request: ReviewRequest = review.ReviewRequest(
        workspace_id=draft.workspace_id,
        action=action,
        draft_id=draft_id,
        version=version,
        slack_user=None,
        edited_text=text,
        reason=reason,
        correlation_id=f"command:{draft_id}",
        super_admins=super_admins(current_settings()),
        user_email=by,
        chosen=chosen or AS_THEY_ARE,
    )
    reviewed = await review.apply(conn, request, utc_now())
    return reviewed.outcome.value, reviewed.detail


def _say(outcome: str, detail: str) -> None:
    if outcome in ("approved", "edited"):
        typer.echo("planned: it leaves with the next run of the sends lane")
    elif outcome in ("rejected", "regenerating"):
        typer.echo(outcome)
    else:
        raise CommandError(f"nothing was sent: {WHY.get(outcome) or detail or outcome}")


def _chosen(to: str | None, cc: list[str] | None) -> "Recipients":
    from zrg_dagster.core.replies.content import Recipients

    return Recipients(to, None if cc is None else tuple(cc))


def _text(text: str | None, file: Path | None) -> str:
    if (text is None) == (file is None):
        raise CommandError("give the message with --text or with --file, one of them")
    if file is None:
        return text or ""
    try:
        return typer.get_text_stream("stdin").read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{file}: cannot be read ({type(error).__name__})") from None


def _in_transaction(do: "Callable[[AsyncConnection], Awaitable[T]]") -> "T":
    from zrg_dagster.core.db.engine import until_settled

    async def work(_stack: "Stack", engine: "AsyncEngine") -> Any:
        async def once() -> "T":
            async with engine.connect() as conn:
                result = await do(conn)
                await conn.commit()
                return result

        return await until_settled(once)

    return with_database(work)
