"""`zrg integration`: what has to exist at a vendor so that it delivers to us."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from zrg_dagster.commands.common import CommandError, with_database
from zrg_dagster.commands.workspace import By, Key, actor_of, keys_of, said_plainly

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from zrg_dagster.local.stack import Stack

app = typer.Typer(help="Webhook subscriptions at the vendors.", no_args_is_help=True)
connect_app = typer.Typer(help="Make or repair a subscription.", no_args_is_help=True)
app.add_typer(connect_app, name="connect")


@connect_app.command("calendly")
def connect_calendly(
    key: Key,
    scope: Annotated[
        str,
        typer.Option(
            "--scope", help="user: bookings with the token's user; organization: with everybody (admins only)."
        ),
    ] = "user",
    by: By = None,
) -> None:
    """Have Calendly deliver this workspace's bookings to PUBLIC_URL. Again: keeps what is sound, repairs what is not."""
    from zrg_dagster.core.workspaces.calendly_hook import HookError
    from zrg_dagster.core.workspaces.secrets import SecretError

    if scope not in ("user", "organization"):
        raise CommandError("--scope is user or organization")

    async def work(stack: "Stack", engine: "AsyncEngine") -> Any:
        return await _connect(stack, engine, key, scope, actor_of(by))

    with said_plainly(HookError, SecretError):
        done = with_database(work)
    if done.removed:
        typer.echo(f"{done.removed} former subscription{'s' if done.removed > 1 else ''} removed")
    typer.echo(f"subscription {'made' if done.is_new else 'is sound, nothing changed'}: {done.uri}")


async def _connect(stack: "Stack", engine: "AsyncEngine", key: str, scope: Any, actor: str) -> Any:
    from zrg_dagster.core.base.clock import utc_now
    from zrg_dagster.core.base.log import configure_logging
    from zrg_dagster.core.providers.clients import VendorClients
    from zrg_dagster.core.workspaces.calendly_connect import connect
    from zrg_dagster.core.workspaces.calendly_hook import hook_address, load_hook
    from zrg_dagster.core.workspaces.channels import (
        ChannelDefaults,
        ChannelProblem,
        load_channel_access,
        open_channels,
    )

    settings, keys = stack.settings, keys_of(stack)
    # A command says how it ended; each single call to the vendor is for the log of a process that runs all day.
    configure_logging(json=settings.json_logs, level="WARNING")
    async with engine.connect() as conn:
        stored = await load_hook(conn, key, keys)
        access = await load_channel_access(conn, stored.workspace_id)
    opened = open_channels(access, keys.credentials, ChannelDefaults({"calendly": settings.calendly_base_url}))
    credential = opened.get("calendly")
    if isinstance(credential, ChannelProblem):
        raise CommandError(
            f"no usable Calendly token ({credential}); `zrg secrets set {key} calendly_token` stores one"
        )
    is_development = settings.environment == "development"
    address = hook_address(settings.public_url, credential.base_url, key, is_development=is_development)
    async with VendorClients(max_connections=2) as vendors:
        client = vendors.calendly(credential)
        return await connect(engine, client, key, keys, address=address, scope=scope, actor=actor, clock=utc_now)
