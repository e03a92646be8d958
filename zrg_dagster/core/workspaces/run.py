"""One apply from a file's text to the database, for a command and for a Dagster op alike.

Plan on a connection of its own, ask Slack with none open, then plan again and write in one transaction.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from zrg_dagster.core.providers.clients import VendorClients
from zrg_dagster.core.providers.credential import Credential, checked_base_url
from zrg_dagster.core.workspaces.apply import Check, Plan, apply_file, make_plan
from zrg_dagster.core.workspaces.declare import WorkspaceFile
from zrg_dagster.core.workspaces.sealing import Keys
from zrg_dagster.core.workspaces.secrets import slack_problem
from zrg_dagster.core.workspaces.source import WorkspaceFileError

SLACK_TOKEN = "slack_bot_token"  # noqa: S105 - the name of the secret

# `(token) -> why it must not be saved, or None`
CheckToken = Callable[[SecretStr], Awaitable[str | None]]


def slack_check(base_url: str) -> CheckToken:
    """A check that asks Slack at `base_url` whose token it is."""

    async def check(token: SecretStr) -> str | None:
        async with VendorClients(max_connections=1) as vendors:
            credential = Credential(checked_base_url(base_url), token.get_secret_value())
            return await slack_problem(vendors.slack(credential))

    return check


async def apply_reviewed(
    engine: AsyncEngine,
    file: WorkspaceFile,
    secrets: Mapping[str, SecretStr],
    keys: Keys,
    *,
    check_slack: CheckToken,
    check: Check,
    actor: str,
    now: datetime,
    dry_run: bool,
) -> Plan:
    """The plan, and unless `dry_run` its execution. `check` brings the rules of the follow-ups, which lie above this room.
    `WorkspaceFileError` and `RouteTaken` mean that nothing changed."""
    async with engine.connect() as conn:
        plan = await make_plan(conn, file, secrets, keys, check)
    if SLACK_TOKEN in secrets and plan.touches("credential", SLACK_TOKEN):
        problem = await check_slack(secrets[SLACK_TOKEN])
        if problem is not None:
            raise WorkspaceFileError([file.problem(("integrations", "slack", "bot_token"), problem)])
    if dry_run or not plan.changes:
        return plan
    async with engine.begin() as conn:
        return await apply_file(conn, file, secrets, keys, actor=actor, now=now, check=check)
