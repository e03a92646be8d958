"""Setting up a workspace from its file: what `zrg workspace apply` does, launched from the UI."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

from zrg_dagster.core.base.settings import SettingsError, current_settings
from zrg_dagster.jobs.run_async import run_async
from zrg_dagster.resources.clock import Clock
from zrg_dagster.resources.database import Database

if TYPE_CHECKING:
    from zrg_dagster.core.workspaces.apply import Plan
    from zrg_dagster.core.workspaces.declare import WorkspaceFile
    from zrg_dagster.core.workspaces.sealing import Keys

SHOWN_CHANGES = 200
SUFFIXES = (".yaml", ".yml")


class BootstrapConfig(dg.Config):
    """Which file, and whether it is applied. Secrets are named in the file, never here: run config is stored."""

    path: str = Field(min_length=1, description="The workspace's file, as the worker sees it: a .yaml or .yml.")
    dry_run: bool = Field(default=True, description="Check and show the difference, change nothing.")


@dg.op(pool="workspaces", tags={"kind": "python"})
def apply_workspace_file(
    context: dg.OpExecutionContext, config: BootstrapConfig, database: Database, clock: Clock
) -> None:
    """Bring a workspace to what its file says, in one transaction, or show what that would change."""
    # Imported here: this pulls SQLAlchemy and httpx, which loading the definitions does not need.
    from zrg_dagster.core.followups.declared import activation_problems
    from zrg_dagster.core.workspaces.apply import RouteTaken
    from zrg_dagster.core.workspaces.references import resolve_all
    from zrg_dagster.core.workspaces.run import apply_reviewed, slack_check
    from zrg_dagster.core.workspaces.source import WorkspaceFileError

    async def main(_stop: asyncio.Event) -> "Plan":
        engine = database.engine(pool_size=1, name="zrg-workspaces")
        try:
            return await apply_reviewed(
                engine,
                file,
                secrets,
                keys,
                check_slack=slack_check(current_settings().slack_base_url),
                check=activation_problems,
                actor=f"dagster:{context.run_id}",
                now=clock.now(),
                dry_run=config.dry_run,
            )
        finally:
            await engine.dispose()

    try:
        keys = _keys()
        file = _read(Path(config.path))
        secrets = resolve_all(file, base=Path(config.path).absolute().parent)
        plan = run_async(context, main)
    except (WorkspaceFileError, RouteTaken) as error:
        raise _refusal(str(error)) from None
    context.log.info(f"{len(plan.changes)} rows of workspace {file.workspace.key} differ from the file.")
    metadata = _metadata(file.workspace.key, plan, dry_run=config.dry_run)
    if notes := file.notes():
        metadata["notes"] = dg.MetadataValue.md("\n".join(f"- {note}" for note in notes))
    context.add_output_metadata(metadata)


@dg.job(
    name="workspace_bootstrap",
    description="Makes or changes a workspace from its file. Shows the difference and changes nothing by default.",
    tags={"zrg/lane": "workspaces", "zrg/trigger": "manual", "dagster/max_runtime": "300"},
)
def workspace_bootstrap() -> None:
    apply_workspace_file()


def _read(path: Path) -> "WorkspaceFile":
    """Only workspace files are opened: whoever may launch a run must not learn what else lies on this machine."""
    from zrg_dagster.core.workspaces.declare import parse

    if path.suffix not in SUFFIXES:
        raise _refusal(f"path: expected a file that ends in {' or '.join(SUFFIXES)}")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _refusal(f"path: cannot be read ({type(error).__name__})") from None
    return parse(text, path.name)


def _keys() -> "Keys":
    from zrg_dagster.core.base.seal import Sealer
    from zrg_dagster.core.workspaces.sealing import Keys

    settings = current_settings()
    if settings.secret_keys is None or settings.verify_keys is None:
        raise SettingsError("ZRG_SECRET_KEYS and ZRG_VERIFY_KEYS are needed to seal secrets: set both")
    return Keys(Sealer(settings.secret_keys.get_secret_value()), Sealer(settings.verify_keys.get_secret_value()))


def _refusal(problems: str) -> dg.Failure:
    """A fault of the file: trying again cannot help. Run pages are seen by many, so addresses of people are removed."""
    from zrg_dagster.core.base.log import redact_text

    lines = redact_text(problems).splitlines()
    return dg.Failure(
        description="The file was not applied, nothing was changed.",
        metadata={"problems": dg.MetadataValue.md("\n".join(f"- `{line}`" for line in lines))},
        allow_retries=False,
    )


def _metadata(key: str, plan: "Plan", *, dry_run: bool) -> dict[str, dg.MetadataValue]:
    from zrg_dagster.core.workspaces.changes import lines

    shown = lines(plan.changes, redact=True)
    diff = "\n".join(shown[:SHOWN_CHANGES]) or "no change"
    if len(shown) > SHOWN_CHANGES:
        diff += f"\n… and {len(shown) - SHOWN_CHANGES} more"
    return {
        "workspace": dg.MetadataValue.text(key),
        "dry_run": dg.MetadataValue.bool(dry_run),
        "rows_changed": dg.MetadataValue.int(0 if dry_run else len(plan.changes)),
        "rows_different": dg.MetadataValue.int(len(plan.changes)),
        "difference": dg.MetadataValue.md(f"```diff\n{diff}\n```"),
    }
