"""The demo's workspace: its file, its sandbox credentials, and the transaction that writes it."""

from zrg_dagster.core.base.clock import utc_now
from zrg_dagster.core.base.seal import Sealer
from zrg_dagster.core.db.engine import make_engine
from zrg_dagster.core.workspaces.apply import WorkspaceWriter
from zrg_dagster.core.workspaces.declare import parse
from zrg_dagster.local.children import repository_file
from zrg_dagster.local.stack import Stack

# What the sandbox accepts and what the story signs with; none of it opens anything else.
DEMO_SECRETS = {
    "DEMO_EMAILBISON_KEY": "sandbox-emailbison-key",
    "DEMO_EMAILBISON_HOOK": "demo-emailbison-hook",
    "DEMO_GHL_TOKEN": "sandbox-ghl-token",
    "DEMO_GHL_HOOK": "demo-ghl-hook",
    "DEMO_CALENDLY_TOKEN": "sandbox-calendly-token",
    "DEMO_CALENDLY_KEY": "demo-calendly-signing-key",
    "DEMO_SLACK_TOKEN": "xoxb-sandbox",
}
SIGNING_SECRET = "demo-slack-signing-secret"  # noqa: S105 - of the sandbox's Slack app


async def apply_workspace(stack: Stack, sandbox_url: str) -> None:
    """Write demo/workspace.yaml, pointed at the sandbox, as the worker would."""
    source = repository_file("demo/workspace.yaml").read_text(encoding="utf-8")
    file = parse(source.replace("${SANDBOX}", sandbox_url))
    engine = make_engine(stack.dsn("worker"))
    try:
        async with engine.begin() as conn:
            writer = WorkspaceWriter(
                conn,
                secrets=lambda reference: DEMO_SECRETS[reference.removeprefix("env:")],
                credentials=Sealer(stack.keys("secret")),
                verifiers=Sealer(stack.keys("verify")),
                now=utc_now(),
            )
            await writer.apply(file)
    finally:
        await engine.dispose()
