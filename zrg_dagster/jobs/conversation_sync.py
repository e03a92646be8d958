"""The conversation of a lead as its vendors keep it, asked for by hand. Replies ask for theirs by themselves."""

import asyncio
from typing import Any

import dagster as dg
from pydantic import Field

from zrg_dagster.jobs.run_async import run_async
from zrg_dagster.resources.clock import Clock
from zrg_dagster.resources.database import Database

MAX_LEADS = 200


class ConversationSyncConfig(dg.Config):
    """Whose conversations are read."""

    workspace: str = Field(description="Key of the workspace.")
    leads: list[str] = Field(description=f"Ids or e-mail addresses of leads, at most {MAX_LEADS}.")
    dry_run: bool = Field(default=True, description="Only show which leads would be asked about.")


@dg.op(tags={"kind": "python"})
def ask_for_conversations(
    context: dg.OpExecutionContext, config: ConversationSyncConfig, database: Database, clock: Clock
) -> None:
    """Queue one job for each lead in the replies lane, which reads the vendors and adds what is missing."""
    from zrg_dagster.core.db.jobs import enqueue
    from zrg_dagster.core.intake import history

    wanted = list(dict.fromkeys(each.strip() for each in config.leads if each.strip()))
    if not 0 < len(wanted) <= MAX_LEADS:
        raise dg.Failure(description=f"leads: give 1 to {MAX_LEADS}, not {len(wanted)}", allow_retries=False)

    async def main(_stop: asyncio.Event) -> dict[str, Any]:
        engine = database.engine(pool_size=1, name="zrg-conversation-sync")
        try:
            async with engine.begin() as conn:
                found = await history.find_leads(conn, config.workspace.strip(), wanted)
                asked = 0
                if not config.dry_run:
                    now, asked_by = clock.now(), context.run_id
                    jobs = [history.manual_job(each.workspace_id, each.id, asked_by, now) for each in found]
                    asked = await enqueue(conn, jobs)
        finally:
            await engine.dispose()
        table = ["| lead | SMS contacts | mail leads |", "|---|---|---|"]
        table += [f"| {each.id} | {each.contacts} | {each.mail_leads} |" for each in found]
        return {
            "given": len(wanted),
            "found": len(found),
            "asked": asked,
            "leads": dg.MetadataValue.md("\n".join(table) if found else "No lead of this workspace matches."),
        }

    context.add_output_metadata(run_async(context, main))


@dg.job(
    name="conversation_sync",
    description="Reads what GoHighLevel and EmailBison keep of the conversation with leads and adds what is missing here: "
    "messages that no delivery told of. By default it only shows whom it would ask about. What it adds triggers no reply, "
    "no sequence and no send; a request to stop in it counts. The reading itself is done by process_replies.",
    tags={"zrg/lane": "replies", "zrg/trigger": "manual", "dagster/max_runtime": "300"},
)
def conversation_sync() -> None:
    ask_for_conversations()
