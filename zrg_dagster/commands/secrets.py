"""`zrg secrets`: what a workspace's accounts are opened with, and the keys that seal it.

A value is never an argument: arguments stand in process lists and shell histories.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zrg_dagster.commands.common import CommandError, with_database
from zrg_dagster.commands.workspace import By, Key, actor_of, keys_of, said_plainly

if TYPE_CHECKING:
    from pydantic import SecretStr
    from sqlalchemy.ext.asyncio import AsyncEngine

    from zrg_dagster.local.stack import Stack

app = typer.Typer(help="Secrets of a workspace, and the keys that seal them.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="For example ghl_token; `show` lists what is stored.")]


@app.command()
def keygen() -> None:
    """Print a new Fernet key for ZRG_SECRET_KEYS or ZRG_VERIFY_KEYS (newest first, comma-separated)."""
    from zrg_dagster.core.base.seal import new_key

    typer.echo(new_key())


@app.command()
def show(key: Key) -> None:
    """List the stored secrets of a workspace, masked."""
    from zrg_dagster.core.workspaces.secrets import SecretError, show_secrets

    async def work(stack: "Stack", engine: "AsyncEngine") -> list[Any]:
        async with engine.connect() as conn:
            return await show_secrets(conn, key, keys_of(stack))

    with said_plainly(SecretError):
        rows = with_database(work)
    for row in rows:
        typer.echo(f"{row.name}: {row.masked}, set {row.updated_at:%Y-%m-%d %H:%M}")
    if not rows:
        typer.echo("no secrets")


@app.command("set")
def set_(
    key: Key,
    name: Name,
    source: Annotated[
        str | None, typer.Option("--from", help="env:NAME or file:PATH. Default: asked for, or read from a pipe.")
    ] = None,
    keep_old: Annotated[
        bool, typer.Option("--keep-old", help="Accept deliveries signed with the previous secret too.")
    ] = False,
    by: By = None,
) -> None:
    """Store a secret. A Slack token is checked with Slack first."""
    from zrg_dagster.core.base.clock import utc_now
    from zrg_dagster.core.workspaces.references import SecretRefused
    from zrg_dagster.core.workspaces.run import SLACK_TOKEN, slack_check
    from zrg_dagster.core.workspaces.secrets import SecretError, checked_name, set_secret

    with said_plainly(SecretError, SecretRefused):
        checked_name(name)
        value = _value(name, source)

    async def work(stack: "Stack", engine: "AsyncEngine") -> bool:
        if name == SLACK_TOKEN:
            problem = await slack_check(stack.settings.slack_base_url)(value)
            if problem is not None:
                raise CommandError(problem)
        async with engine.begin() as conn:
            keys = keys_of(stack)
            return await set_secret(conn, key, name, value, keys, actor=actor_of(by), now=utc_now(), keep_old=keep_old)

    with said_plainly(SecretError):
        typer.echo(f"{name} stored" if with_database(work) else f"{name} is stored already, nothing changed")


def _value(name: str, source: str | None) -> "SecretStr":
    from zrg_dagster.core.workspaces.references import clean_secret, resolve

    if source is not None:
        return resolve(source, base=Path.cwd())
    if sys.stdin.isatty():
        return clean_secret(typer.prompt(name, hide_input=True), what=name)
    return clean_secret(sys.stdin.read(), what=name)


@app.command()
def remove(key: Key, name: Name, by: By = None) -> None:
    """Delete a secret. With its token Calendly loses its signing key and what was read with the token."""
    from zrg_dagster.core.base.clock import utc_now
    from zrg_dagster.core.workspaces.secrets import SecretError, remove_secret

    async def work(_stack: "Stack", engine: "AsyncEngine") -> bool:
        async with engine.begin() as conn:
            return await remove_secret(conn, key, name, actor=actor_of(by), now=utc_now())

    with said_plainly(SecretError):
        typer.echo(f"{name} removed" if with_database(work) else f"{name} was not stored")


@app.command()
def rotate(by: By = None) -> None:
    """Seal everything anew with the newest key of ZRG_SECRET_KEYS and ZRG_VERIFY_KEYS, while the platform runs.

    First put the new key in front of the old ones and restart, so that every process can open both. Remove the old
    key after this command says that everything is under the newest one.
    """
    from zrg_dagster.core.base.clock import utc_now
    from zrg_dagster.core.workspaces.rotation import rotate_all

    async def work(stack: "Stack", engine: "AsyncEngine") -> Any:
        return await rotate_all(engine, keys_of(stack), actor=actor_of(by), now=utc_now())

    done = with_database(work)
    for name, rotation in done.items():
        typer.echo(
            f"{name}: {rotation.seen} values, {rotation.rotated} sealed anew, {len(rotation.unreadable)} unreadable"
        )
        for row in rotation.unreadable:
            typer.echo(f"  no key opens {row}; set the secret again", err=True)
    if any(rotation.unreadable for rotation in done.values()):
        raise typer.Exit(1)
    typer.echo("everything is sealed with the newest key; the older ones can be removed")
