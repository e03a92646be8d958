"""`zrg persona`: voices that drafts are written in."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zrg_dagster.commands.common import CommandError, in_workspace
from zrg_dagster.commands.workspace import By, actor_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection

    Work = Callable[[AsyncConnection, UUID], Awaitable[Any]]

app = typer.Typer(help="Voices that drafts are written in.", no_args_is_help=True)

Workspace = Annotated[str, typer.Argument(metavar="WORKSPACE", help="Key of the workspace.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the persona.")]
PersonaName = Annotated[str | None, typer.Option("--persona-name", help="The name that signs and introduces itself.")]
Tone = Annotated[str | None, typer.Option("--tone", help="How it sounds.")]
Greeting = Annotated[str | None, typer.Option("--greeting", help="Opening of an e-mail.")]
SmsGreeting = Annotated[str | None, typer.Option("--sms-greeting", help="Opening of a text message.")]
Signature = Annotated[str | None, typer.Option("--signature", help="Signature under an e-mail.")]
Goals = Annotated[str | None, typer.Option("--goals", help="What a conversation should lead to.")]
Description = Annotated[str | None, typer.Option("--service-description", help="What is offered.")]
Profile = Annotated[str | None, typer.Option("--ideal-customer-profile", help="Who it is offered to.")]


@app.command("list")
def list_(workspace: Workspace) -> None:
    """List the personas, the default first."""
    from zrg_dagster.core.workspaces import personas

    async def work(conn: "AsyncConnection", workspace_id: "UUID") -> list[str]:
        rows = await personas.list_personas(conn, workspace_id)
        return [f"{'*' if row.is_default else ' '} {row.name}" for row in rows]

    lines = _in_workspace(workspace, work)
    for line in lines or ["no personas: drafts use the workspace's settings"]:
        typer.echo(line)


@app.command()
def show(workspace: Workspace, name: Name) -> None:
    """Print one persona as JSON."""
    from zrg_dagster.core.workspaces import personas

    async def work(conn: "AsyncConnection", workspace_id: "UUID") -> dict[str, Any]:
        return (await personas.find_persona(conn, workspace_id, name))._asdict()

    typer.echo(json.dumps(_in_workspace(workspace, work), indent=2, default=str, ensure_ascii=False))


@app.command()
def create(
    workspace: Workspace,
    name: Name,
    default: Annotated[bool, typer.Option("--default", help="Make it the default.")] = False,
    from_settings: Annotated[
        bool,
        typer.Option("--from-settings", help="Take the texts of the workspace's settings; the first persona only."),
    ] = False,
    persona_name: PersonaName = None,
    tone: Tone = None,
    greeting: Greeting = None,
    sms_greeting: SmsGreeting = None,
    signature: Signature = None,
    goals: Goals = None,
    service_description: Description = None,
    ideal_customer_profile: Profile = None,
    by: By = None,
) -> None:
    """Add a persona. The first one of a workspace becomes its default, and the settings mirror it from then on."""
    from zrg_dagster.core.base.clock import utc_now
    from zrg_dagster.core.workspaces import personas

    texts = {field: value for field, value in locals().items() if field in personas.FIELDS and value is not None}
    if from_settings and (texts or default):
        raise CommandError("--from-settings takes every text from the settings; give no other option with it")

    async def work(conn: "AsyncConnection", workspace_id: "UUID") -> bool:
        if from_settings:
            return await personas.create_from_settings(conn, workspace_id, utc_now(), name=name) is not None
        part = personas.PersonaInput(name=name, is_default=default, **texts)
        await personas.create_persona(conn, workspace_id, part, utc_now())
        return True

    made = _changed(workspace, "create", name, by, work)
    typer.echo(f"persona {name} created" if made else "this workspace has personas already: nothing changed")


@app.command()
def update(
    workspace: Workspace,
    name: Name,
    rename: Annotated[str | None, typer.Option("--name", help="New name.")] = None,
    persona_name: PersonaName = None,
    tone: Tone = None,
    greeting: Greeting = None,
    sms_greeting: SmsGreeting = None,
    signature: Signature = None,
    goals: Goals = None,
    service_description: Description = None,
    ideal_customer_profile: Profile = None,
    by: By = None,
) -> None:
    """Change what the options name. Changes of the default persona reach the settings too."""
    from zrg_dagster.core.base.clock import utc_now
    from zrg_dagster.core.workspaces import personas

    texts = {field: value for field, value in locals().items() if field in personas.FIELDS and value is not None}

    async def work(conn: "AsyncConnection", workspace_id: "UUID") -> bool:
        persona = await personas.find_persona(conn, workspace_id, name)
        patch = personas.PersonaPatch(name=rename, **texts)
        return await personas.update_persona(conn, workspace_id, persona.id, patch, utc_now())

    typer.echo(f"persona {name} updated" if _changed(workspace, "update", name, by, work) else "nothing to change")


@app.command("set-default")
def set_default(workspace: Workspace, name: Name, by: By = None) -> None:
    """Make this persona the one that speaks where a campaign names none."""
    from zrg_dagster.core.base.clock import utc_now
    from zrg_dagster.core.workspaces import personas

    async def work(conn: "AsyncConnection", workspace_id: "UUID") -> None:
        persona = await personas.find_persona(conn, workspace_id, name)
        await personas.set_default(conn, workspace_id, persona.id, utc_now())

    _changed(workspace, "set_default", name, by, work)
    typer.echo(f"{name} is the default persona of {workspace}")


@app.command()
def duplicate(workspace: Workspace, name: Name, by: By = None) -> None:
    """Copy a persona under a free name. The copy is not the default."""
    from zrg_dagster.core.base.clock import utc_now
    from zrg_dagster.core.workspaces import personas

    async def work(conn: "AsyncConnection", workspace_id: "UUID") -> None:
        persona = await personas.find_persona(conn, workspace_id, name)
        await personas.duplicate_persona(conn, workspace_id, persona.id, utc_now())

    _changed(workspace, "duplicate", name, by, work)
    typer.echo(f"persona {name} copied")


@app.command()
def delete(workspace: Workspace, name: Name, by: By = None) -> None:
    """Remove a persona. The oldest one left follows a default; campaigns and sequences bound to it become generic."""
    from zrg_dagster.core.base.clock import utc_now
    from zrg_dagster.core.workspaces import personas

    async def work(conn: "AsyncConnection", workspace_id: "UUID") -> str | None:
        persona = await personas.find_persona(conn, workspace_id, name)
        await personas.delete_persona(conn, workspace_id, persona.id, utc_now())
        left = await personas.list_personas(conn, workspace_id)
        return left[0].name if left else None

    default = _changed(workspace, "delete", name, by, work)
    typer.echo(f"persona {name} deleted; {f'the default is {default}' if default else 'drafts use the settings now'}")


def _changed(key: str, verb: str, name: str, by: str | None, work: "Work") -> Any:
    """`_in_workspace` for work that changes personas: what differs afterwards is in the audit log."""
    from zrg_dagster.core.base.clock import utc_now
    from zrg_dagster.core.workspaces.persona_audit import audited

    async def audited_work(conn: "AsyncConnection", workspace_id: "UUID") -> Any:
        action = f"persona.{verb}"
        async with audited(conn, workspace_id, actor=actor_of(by), action=action, name=name, now=utc_now()):
            return await work(conn, workspace_id)

    return _in_workspace(key, audited_work)


def _in_workspace(key: str, work: "Work") -> Any:
    """`in_workspace`; a refusal of the persona rules ends as one line."""
    from pydantic import ValidationError

    from zrg_dagster.core.workspaces.personas import PersonaError

    try:
        return in_workspace(key, work)
    except PersonaError as error:
        raise CommandError(str(error)) from None
    except ValidationError as error:
        problem = error.errors()[0]
        raise CommandError(f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}") from None
