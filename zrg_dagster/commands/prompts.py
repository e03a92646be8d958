"""`zrg prompts`: a workspace's own words for our prompts. What the model must answer, the schema, is not part of them."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zrg_dagster.commands.common import CommandError, in_workspace
from zrg_dagster.commands.workspace import By, Key, actor_of, said_plainly

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection

    from zrg_dagster.core.ai.overrides import Override

    Work = Callable[[AsyncConnection, UUID], Awaitable[Any]]

app = typer.Typer(help="A workspace's own words for our prompts.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="PROMPT", help="Key of the prompt.")]


@app.command("list")
def list_(workspace: Key) -> None:
    """List the prompts: whether ours or the workspace's words are used, which version, and what must be filled in."""
    from zrg_dagster.core.ai import overrides, prompts

    async def work(conn: "AsyncConnection", workspace_id: "UUID") -> "dict[str, Override]":
        return await overrides.newest(conn, workspace_id)

    own = _in_workspace(workspace, work)
    for key in overrides.prompt_keys():
        ours, override = prompts.load(key), own.get(key)
        state = override.state if override else "default"
        version = override.version if override and state == "override" else ours.version
        named = " ".join(sorted(prompts.placeholders(ours)))
        typer.echo(f"{key}: {state}, version {version}, base {ours.content_hash}, {named}")
    for key in sorted(set(own) - set(overrides.prompt_keys())):
        typer.echo(f"{key}: we have no such prompt any more, nothing uses the workspace's words")


@app.command()
def show(
    workspace: Key,
    prompt: Name,
    default: Annotated[bool, typer.Option("--default", help="Our words, whatever the workspace's are.")] = False,
) -> None:
    """Print the words in use, as `set` takes them."""
    from zrg_dagster.core.ai import overrides, prompts

    async def work(conn: "AsyncConnection", workspace_id: "UUID") -> "dict[str, Override]":
        return await overrides.newest(conn, workspace_id)

    if prompt not in overrides.prompt_keys():
        raise CommandError(f"no prompt has the key {prompt!r}; `zrg prompts list` shows them")
    own = _in_workspace(workspace, work).get(prompt)
    if own is not None and own.state == "needs rebase":
        typer.echo(
            f"note: revision {own.revision} of the workspace rests: ours has changed since it was written", err=True
        )
    in_use = None if default or own is None or own.state != "override" else own.content
    typer.echo(in_use or prompts.body(prompts.load(prompt)), nl=False)


@app.command("set")
def set_(
    workspace: Key,
    prompt: Name,
    file: Annotated[Path, typer.Option("--file", help="The words; - reads the input.")],
    by: By = None,
) -> None:
    """Use these words instead of ours: instructions, the line `--- input ---`, the input part; same placeholders."""
    try:
        content = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{file}: cannot be read ({type(error).__name__})") from None
    made = _change(workspace, prompt, content, by)
    typer.echo(f"{prompt}: version {made.version} from now on" if made else f"{prompt}: no change")


@app.command()
def reset(workspace: Key, prompt: Name, by: By = None) -> None:
    """Go back to our words. The workspace's stay in the history."""
    made = _change(workspace, prompt, None, by)
    typer.echo(f"{prompt}: ours from now on" if made else f"{prompt}: ours already")


@app.command()
def history(
    workspace: Key,
    prompt: Name,
    revision: Annotated[int | None, typer.Option("--revision", min=1, help="Print the words of this revision.")] = None,
) -> None:
    """Tell who changed a prompt and when, newest first; or print one revision, as `set` takes it."""
    from zrg_dagster.core.ai import overrides

    async def work(conn: "AsyncConnection", workspace_id: "UUID") -> "list[Override]":
        return list(await overrides.history(conn, workspace_id, prompt))

    found = _in_workspace(workspace, work)
    if revision is None:
        for each in found:
            what = "reset to ours" if each.content is None else f"{len(each.content)} characters"
            typer.echo(f"{each.changed_at:%Y-%m-%d %H:%M:%SZ} {each.changed_by} {each.version} {what}")
        if not found:
            typer.echo(f"{prompt}: never changed")
        return
    chosen = next((each for each in found if each.revision == revision), None)
    if chosen is None or chosen.content is None:
        raise CommandError(f"prompt {prompt} has no words in revision {revision}; `zrg prompts history` lists them")
    typer.echo(chosen.content, nl=False)


def _change(key: str, prompt: str, content: str | None, by: str | None) -> "Override | None":
    from zrg_dagster.core.base.clock import utc_now
    from zrg_dagster.core.base.settings import current_settings
    from zrg_dagster.core.workspaces.access import Role, role_of, super_admins
    from zrg_dagster.core.workspaces.prompt_changes import change_prompt

    async def work(conn: "AsyncConnection", workspace_id: "UUID") -> "Override | None":
        # Who has a shell and the worker's password needs no role; a named user is held to theirs.
        role: Role | None = Role.SUPER_ADMIN
        if by is not None:
            role = await role_of(conn, workspace_id, by, admins=super_admins(current_settings()))
        return await change_prompt(
            conn, workspace_id, prompt, content, actor=actor_of(by), role=role, now=utc_now()
        )  # fmt: skip

    return _in_workspace(key, work)


def _in_workspace(key: str, work: "Work") -> Any:
    """`in_workspace`; a refusal ends as one line."""
    from zrg_dagster.core.ai.overrides import OverrideError

    with said_plainly(OverrideError):
        return in_workspace(key, work)
