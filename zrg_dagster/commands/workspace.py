"""`zrg workspace`: workspaces as reviewed files."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zrg_dagster.commands.common import CommandError, with_database

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from zrg_dagster.core.workspaces.apply import Plan
    from zrg_dagster.core.workspaces.declare import WorkspaceFile
    from zrg_dagster.core.workspaces.sealing import Keys
    from zrg_dagster.local.stack import Stack

app = typer.Typer(help="Workspaces as reviewed files.", no_args_is_help=True)
host_app = typer.Typer(help="Hosts that e-mail API keys may be sent to.", no_args_is_help=True)
app.add_typer(host_app, name="host")

Key = Annotated[str, typer.Argument(metavar="WORKSPACE", help="Key of the workspace.")]
By = Annotated[str | None, typer.Option("--by", help="Who asks, for the audit log. Default: the system user.")]


def actor_of(by: str | None) -> str:
    """Who is written into the audit log: what was said, else the user of this system."""
    return by.strip() if by and by.strip() else f"os:{getpass.getuser()}"


def keys_of(stack: "Stack") -> "Keys":
    """Both key lists of this home."""
    from zrg_dagster.core.base.seal import Sealer
    from zrg_dagster.core.workspaces.sealing import Keys

    return Keys(Sealer(stack.keys("secret")), Sealer(stack.keys("verify")))


@contextmanager
def said_plainly(*faults: type[Exception]) -> Iterator[None]:
    """What a room refuses is said in its own words and ends the command with code 1."""
    try:
        yield
    except faults as error:
        raise CommandError(str(error)) from None


def read_file(path: Path) -> "WorkspaceFile":
    """A workspace file, checked; every problem on its own line and code 1 when there are any."""
    from zrg_dagster.core.workspaces.declare import parse

    try:
        source = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path}: cannot be read ({type(error).__name__})") from None
    with _problems_listed():
        return parse(source, path.name)


@contextmanager
def _problems_listed() -> Iterator[None]:
    from zrg_dagster.core.workspaces.source import WorkspaceFileError

    try:
        yield
    except WorkspaceFileError as error:
        for problem in error.problems:
            typer.echo(problem, err=True)
        typer.echo(f"zrg: {len(error.problems)} problems, nothing was changed", err=True)
        raise typer.Exit(1) from None


@app.command()
def apply(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The workspace's file.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and show the difference, change nothing.")] = False,
    by: By = None,
) -> None:
    """Bring a workspace to what its file says: all of it, or nothing."""
    from zrg_dagster.core.workspaces.references import resolve_all

    parsed = read_file(file)
    with _problems_listed():
        secrets = resolve_all(parsed, base=file.absolute().parent)
        plan = _apply(parsed, secrets, dry_run=dry_run, by=by)
    for note in parsed.notes():
        typer.echo(f"note: {note}", err=True)
    _tell(parsed.workspace.key, plan, dry_run=dry_run)


def _apply(parsed: "WorkspaceFile", secrets: dict[str, Any], *, dry_run: bool, by: str | None) -> "Plan":
    from zrg_dagster.core.base.clock import utc_now
    from zrg_dagster.core.followups.declared import activation_problems
    from zrg_dagster.core.workspaces.run import apply_reviewed, slack_check

    async def work(stack: "Stack", engine: "AsyncEngine") -> "Plan":
        return await apply_reviewed(
            engine,
            parsed,
            secrets,
            keys_of(stack),
            check_slack=slack_check(stack.settings.slack_base_url),
            check=activation_problems,
            actor=actor_of(by),
            now=utc_now(),
            dry_run=dry_run,
        )

    return with_database(work)


def _tell(key: str, plan: "Plan", *, dry_run: bool) -> None:
    from zrg_dagster.core.workspaces.changes import lines

    for line in lines(plan.changes):
        typer.echo(line)
    if not plan.changes:
        typer.echo(f"workspace {key}: no change")
    else:
        done = "would change" if dry_run else "changed"
        typer.echo(f"workspace {key}: {len(plan.changes)} rows {done}")


@app.command()
def create(
    key: Key,
    name: Annotated[str, typer.Option("--name", help="What people call it.")],
    timezone: Annotated[str, typer.Option("--timezone", help="IANA name.")] = "America/New_York",
    owner: Annotated[str | None, typer.Option("--owner", help="E-mail of the owner.")] = None,
    by: By = None,
) -> None:
    """Make an empty workspace with default settings. `export` then gives a file to fill in."""
    import json

    from zrg_dagster.core.workspaces.declare import parse

    # JSON is YAML: the command line goes through the same checks as a file.
    workspace = {"key": key, "name": name, "timezone": timezone, **({"owner": owner} if owner else {})}
    with _problems_listed():
        parsed = parse(json.dumps({"workspace": workspace}), "command line")
        if any(row["key"] == key for row in _all()):
            raise CommandError(f"workspace {key} exists; change it with `zrg workspace apply`")
        plan = _apply(parsed, {}, dry_run=False, by=by)
    _tell(key, plan, dry_run=False)


def _all() -> list[dict[str, Any]]:
    from zrg_dagster.core.workspaces.export import list_workspaces

    async def work(_stack: "Stack", engine: "AsyncEngine") -> list[dict[str, Any]]:
        async with engine.connect() as conn:
            return await list_workspaces(conn)

    return with_database(work)


@app.command("list")
def list_() -> None:
    """List the workspaces."""
    rows = _all()
    for row in rows:
        state = "" if row["is_active"] else " (inactive)"
        connected = row["integrations"] or "nothing connected"
        typer.echo(f"{row['key']}{state}: {row['name']}, {row['members']} members, {connected}")
    if not rows:
        typer.echo("no workspaces; `zrg workspace create` or `zrg workspace apply FILE` makes one")


def _describe(key: str) -> dict[str, Any]:
    from zrg_dagster.core.workspaces.export import NoSuchWorkspace, describe

    async def work(stack: "Stack", engine: "AsyncEngine") -> dict[str, Any]:
        async with engine.connect() as conn:
            return await describe(conn, key, keys_of(stack))

    with said_plainly(NoSuchWorkspace):
        return with_database(work)


@app.command()
def export(key: Key) -> None:
    """Print the workspace as a file. Applying it changes nothing; secrets are not in it."""
    from zrg_dagster.core.workspaces.export import dump

    typer.echo(dump(_describe(key)), nl=False)


@app.command()
def show(key: Key) -> None:
    """Tell what a workspace is, without the long texts: people, connections, secrets masked, counts of the rest."""
    from zrg_dagster.core.workspaces.secrets import StoredSecret, show_secrets

    async def work(stack: "Stack", engine: "AsyncEngine") -> list[StoredSecret]:
        async with engine.connect() as conn:
            return await show_secrets(conn, key, keys_of(stack))

    document = _describe(key)
    workspace = document["workspace"]
    typer.echo(f"{key}: {workspace['name']}, {workspace['timezone']}, owner {workspace['owner'] or 'none'}")
    for name, value in document["settings"].items():
        typer.echo(f"  setting {name}: {' '.join(str(value).split())[:80]}")
    for member in document["members"]:
        typer.echo(f"  member {member['email']} {member['role']}")
    for provider, part in document["integrations"].items():
        typer.echo(f"  integration {provider} {' '.join(f'{name}={value}' for name, value in part.items())}".rstrip())
    for secret in with_database(work):
        typer.echo(f"  secret {secret.name}: {secret.masked}, set {secret.updated_at:%Y-%m-%d}")
    lists = {name: value for name, value in document.items() if isinstance(value, list) and name != "members"}
    typer.echo("  " + ", ".join(f"{len(value)} {name}" for name, value in lists.items()))


@app.command()
def log(key: Key, last: Annotated[int, typer.Option("--last", min=1, max=1000, help="How many entries.")] = 20) -> None:
    """Tell who changed a workspace and when, newest first."""
    from zrg_dagster.core.workspaces.audit import entries

    async def work(_stack: "Stack", engine: "AsyncEngine") -> list[Any]:
        async with engine.connect() as conn:
            return await entries(conn, key, limit=last)

    for entry in with_database(work):
        objects = ", ".join(str(change.get("object", "")) for change in entry.changes[:5])
        more = f" and {len(entry.changes) - 5} more" if len(entry.changes) > 5 else ""
        what = f": {objects}{more}" if objects else ""
        typer.echo(f"{entry.happened_at:%Y-%m-%d %H:%M:%SZ} {entry.actor} {entry.action} {entry.object}{what}")


@host_app.command("list")
def host_list() -> None:
    """List the allowed hosts."""
    from zrg_dagster.core.workspaces.hosts import list_hosts

    async def work(_stack: "Stack", engine: "AsyncEngine") -> list[tuple[str, str]]:
        async with engine.connect() as conn:
            return await list_hosts(conn)

    for host, label in with_database(work):
        typer.echo(f"{host} {label}".rstrip())


@host_app.command("add")
def host_add(
    host: Annotated[str, typer.Argument(metavar="HOST")],
    label: Annotated[str, typer.Option("--label", help="What it is.")] = "",
    by: By = None,
) -> None:
    """Allow a host."""
    from zrg_dagster.core.base.clock import utc_now
    from zrg_dagster.core.workspaces.hosts import HostError, add_host

    async def work(_stack: "Stack", engine: "AsyncEngine") -> bool:
        async with engine.begin() as conn:
            return await add_host(conn, host, label, actor=actor_of(by), now=utc_now())

    with said_plainly(HostError):
        typer.echo("allowed" if with_database(work) else "allowed already")


@host_app.command("remove")
def host_remove(host: Annotated[str, typer.Argument(metavar="HOST")], by: By = None) -> None:
    """Disallow a host that no workspace uses."""
    from zrg_dagster.core.base.clock import utc_now
    from zrg_dagster.core.workspaces.hosts import HostError, remove_host

    async def work(_stack: "Stack", engine: "AsyncEngine") -> None:
        async with engine.begin() as conn:
            await remove_host(conn, host, actor=actor_of(by), now=utc_now())

    with said_plainly(HostError):
        with_database(work)
    typer.echo("removed")
