"""The `zrg` command. Known faults print one line and end with code 1; wrong usage ends with 2.

Imports stay inside the commands: `zrg --help` and `zrg secrets keygen` need neither Dagster nor a database driver.
"""

import os
import signal
import sys
import zoneinfo
from typing import Annotated, Any

import typer

from zrg_dagster.commands import (
    autosend,
    drafts,
    events,
    explain,
    integration,
    lead,
    lead_merge,
    member,
    memory,
    persona,
    prompts,
    secrets,
    workspace,
)

app = typer.Typer(
    name="zrg",
    help="Run and look after the outreach platform.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
db_app = typer.Typer(help="Database: roles and schema.", no_args_is_help=True)
app.add_typer(db_app, name="db")
app.add_typer(secrets.app, name="secrets")
app.add_typer(workspace.app, name="workspace")
app.add_typer(member.app, name="member")
app.add_typer(persona.app, name="persona")
app.add_typer(prompts.app, name="prompts")
app.add_typer(memory.app, name="memory")
app.add_typer(lead.app, name="lead")
lead_merge.add_to(lead.app)
app.add_typer(events.app, name="events")
app.add_typer(autosend.app, name="autosend")
app.add_typer(drafts.app, name="drafts")
app.add_typer(explain.app, name="explain")
app.command("send")(drafts.send)
app.add_typer(integration.app, name="integration")

# Named, not imported: a fault's class is only loaded when its module was.
_KNOWN_FAULTS = frozenset(
    {
        *("SettingsError", "StackError", "PostgresError", "SupervisorError", "RolesError", "MigrationError"),
        *(
            "SchemaMismatch",
            "SealError",
            "DemoError",
            "WorkspaceFileError",
            "RouteTaken",
            "CommandError",
            "SecretRefused",
        ),
    }
)
_debug = False


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of a fault.")] = False,
) -> None:
    global _debug
    _debug = debug


@app.command()
def up(
    sandbox: Annotated[bool, typer.Option("--sandbox", help="Also start the stand-in for all vendors.")] = False,
) -> None:
    """Start the platform: Postgres, receiver, code server, daemon and UI. Ctrl-C stops all of it."""
    from zrg_dagster.core.base.settings import load_settings
    from zrg_dagster.local.children import Ports
    from zrg_dagster.local.output import print_json, print_line
    from zrg_dagster.local.stack import Stack
    from zrg_dagster.local.supervisor import Supervisor

    settings = load_settings()
    sink = print_json if settings.json_logs else print_line
    ports = Ports.of(settings)
    supervisor = Supervisor(Stack(settings), ports, sandbox=sandbox, sink=sink)
    with _stop_signals():
        try:
            supervisor.start()
            supervisor.wait_ready()
            sink("zrg", f"up: UI on http://{settings.webserver_host}:{ports.webserver}, Ctrl-C stops")
            while True:
                signal.pause()
        except KeyboardInterrupt:
            sink("zrg", "stopping")
        finally:
            # A second Ctrl-C must not interrupt the stop: it would leave Postgres without its checkpoint.
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            supervisor.stop()
    sink("zrg", "stopped")


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
) -> None:
    """Check this installation; each finding names its fix. Ends with code 1 if one fails."""
    from zrg_dagster.local.doctor import examine, print_findings

    findings = examine()
    print_findings(findings, as_json=as_json)
    raise typer.Exit(1 if any(finding.status == "fail" for finding in findings) else 0)


@app.command()
def demo(
    exit_after: Annotated[bool, typer.Option("--exit", help="Stop after the story; code 0 only if it held.")] = False,
) -> None:
    """Start the platform with the sandbox on free ports and play a story through its public doors."""
    from zrg_dagster.local.demo import run

    raise typer.Exit(run(exit_after=exit_after))


@app.command()
def clean(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete the local stack's home: its Postgres with all data, its keys, Dagster's history. Not your own Postgres."""
    from zrg_dagster.core.base.settings import load_settings
    from zrg_dagster.local.stack import Stack

    stack = Stack(load_settings())
    if not stack.home.exists():
        typer.echo(f"{stack.home} does not exist")
        return
    if not yes:
        typer.confirm(f"delete {stack.home} and the data of its Postgres?", abort=True)
    stack.remove()
    typer.echo(f"{stack.home} deleted")


@db_app.command("upgrade")
def db_upgrade() -> None:
    """Apply missing migrations."""
    stack = _stack()
    with stack.running():
        before, after = stack.upgrade()
    changed = "already at" if before == after else f"upgraded from {before or 'empty'} to"
    typer.echo(f"database {changed} {after}")


@db_app.command("status")
def db_status() -> None:
    """Tell the schema revision of the database and of the code; code 1 when they differ."""
    from zrg_dagster.core.db import migrate

    stack = _stack()
    with stack.running():
        found, expected = migrate.status(stack.dsn("migrator")), migrate.expected_revision()
    typer.echo(f"database: {found or 'empty'}\ncode:     {expected or 'empty'}")
    if found != expected:
        typer.echo("run `zrg db upgrade`", err=True)
        raise typer.Exit(1)


@db_app.command("posture")
def db_posture(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of lines.")] = False,
) -> None:
    """List what the database allows and should not: row security, grants, roles. Code 1 when there is anything."""
    import json

    import psycopg

    from zrg_dagster.core.db.posture import violations

    stack = _stack()
    with stack.running(), psycopg.connect(stack.dsn("worker"), autocommit=True) as connection:
        found = violations(connection)
    if as_json:
        rows = [{"code": each.code, "object": each.object, "fix": each.fix} for each in found]
        typer.echo(json.dumps({"violations": rows}))
    else:
        for each in found:
            typer.echo(f"{each.code}  {each.object}\n    fix: {each.fix}")
        typer.echo(f"posture: {len(found)} violations" if found else "posture: no violation")
    raise typer.Exit(1 if found else 0)


@db_app.command("bootstrap")
def db_bootstrap(
    show: Annotated[bool, typer.Option("--print", help="Print the DSN settings, passwords included.")] = False,
) -> None:
    """Create roles and databases on your Postgres through ZRG_DB_ADMIN_URL, and write the DSN settings to a file."""
    from zrg_dagster.core.base.settings import load_settings
    from zrg_dagster.local.stack import bootstrap_external

    settings = load_settings()
    path, notes = bootstrap_external(settings, settings.home.expanduser().absolute())
    for note in notes:
        typer.echo(f"note: {note}", err=True)
    if show:
        typer.echo(path.read_text(), nl=False)
        return
    typer.echo(f"roles and databases are ready; the settings ZRG_DB_*_URL are in {path}: copy them to your .env,")
    typer.echo("remove ZRG_DB_ADMIN_URL from it, then run `zrg db upgrade`")


def _stack() -> Any:
    from zrg_dagster.core.base.settings import load_settings
    from zrg_dagster.local.stack import Stack

    return Stack(load_settings())


class _stop_signals:
    """Inside the block SIGTERM and SIGHUP interrupt like Ctrl-C, even if we were started with them ignored (`&`)."""

    _numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def __enter__(self) -> None:
        self._previous = {number: signal.getsignal(number) for number in self._numbers}
        for number in self._numbers:
            signal.signal(number, signal.default_int_handler)

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)


def main() -> None:
    """Entry point of the console script."""
    # One source of time zones for this process and, by inheritance, for its children: the tzdata wheel.
    os.environ["PYTHONTZPATH"] = ""
    zoneinfo.reset_tzpath(())
    try:
        app()
    except Exception as error:
        if _debug or type(error).__name__ not in _KNOWN_FAULTS:
            raise
        print(f"zrg: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
