"""Decisions of people from the UI: many drafts at once, the switch of automatic sends, sends that nobody confirmed, and
the story of one lead. Dry by default."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

import dagster as dg
from pydantic import Field

from zrg_dagster.core.base.settings import current_settings
from zrg_dagster.jobs.run_async import run_async
from zrg_dagster.resources.clock import Clock
from zrg_dagster.resources.database import Database

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncEngine

SHOWN = 100
TAGS = {"zrg/trigger": "manual", "dagster/max_runtime": "900"}


def table(heads: "Sequence[str]", rows: "Sequence[Sequence[Any]]", empty: str) -> Any:
    """Rows as markdown; cells hold codes and ids, never what people wrote."""
    if not rows:
        return dg.MetadataValue.md(empty)
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    lines += [f"| {' | '.join(str('' if cell is None else cell).replace('|', '¦') for cell in row)} |" for row in rows]
    return dg.MetadataValue.md("\n".join(lines))


def ids_of(written: "Sequence[str]") -> "tuple[UUID, ...]":
    """Ids as given in a config; a readable failure for what is none."""
    from uuid import UUID

    try:
        return tuple(UUID(each.strip()) for each in written)
    except ValueError:
        raise dg.Failure(description=f"ids: {list(written)} are not all ids", allow_retries=False) from None


def run_with_engine(
    context: dg.OpExecutionContext, database: Database, work: "Callable[[AsyncEngine], Awaitable[dict[str, Any]]]"
) -> None:
    """Run `work(engine)` and show what it returns on the run's page; what a room refuses fails the run in its words."""
    from zrg_dagster.core.replies.drafts import DraftError
    from zrg_dagster.core.replies.explain import ExplainError
    from zrg_dagster.core.sending.switches import SwitchError

    async def main(_stop: asyncio.Event) -> dict[str, Any]:
        engine = database.engine(pool_size=1, name="zrg-decisions")
        try:
            return await work(engine)
        finally:
            await engine.dispose()

    try:
        context.add_output_metadata(run_async(context, main))
    except (DraftError, ExplainError, SwitchError) as error:
        raise dg.Failure(description=str(error), allow_retries=False) from None


class DecideConfig(dg.Config):
    """Which pending drafts, and what happens to them. All conditions that are given hold."""

    action: Literal["approve", "reject"] = Field(default="reject", description="approve sends them as they are.")
    by: str = Field(default="", description="E-mail address of the member who decides; needed unless dry_run.")
    workspace: str = Field(default="", description="Key of the workspace. Empty: all.")
    ids: list[str] = Field(default=[], description="Ids of drafts. Empty: all that match.")
    channel: str = Field(default="", description="email, sms or linkedin. Empty: all.")
    reason: str = Field(default="", description="Why they wait, as the dry run shows it. Empty: all.")
    tag: str = Field(default="", description="The lead's tag, as Interested. Empty: all.")
    older_than_h: float = Field(default=0, ge=0, description="Only drafts written at least so many hours ago.")
    why: str = Field(default="", description="A rejection's reason, for whoever looks later.")
    limit: int = Field(default=50, ge=1, le=500, description="At most this many, the newest first.")
    dry_run: bool = Field(default=True, description="Show which drafts would be decided, decide none.")


@dg.op(tags={"kind": "python"})
def decide_pending_drafts(
    context: dg.OpExecutionContext, config: DecideConfig, database: Database, clock: Clock
) -> None:
    """Approve or reject pending drafts through the function of the review card, each in a transaction of its own."""
    from zrg_dagster.core.db.engine import until_settled
    from zrg_dagster.core.replies import drafts, review
    from zrg_dagster.core.workspaces.access import super_admins

    now = clock.now()
    chosen = drafts.Selection(
        workspace=config.workspace.strip() or None,
        ids=ids_of(config.ids),
        channel=config.channel.strip() or None,
        reason=config.reason.strip() or None,
        tag=config.tag.strip() or None,
        older_than=now - timedelta(hours=config.older_than_h) if config.older_than_h else None,
        limit=config.limit,
    )
    if not config.dry_run and not config.by.strip():
        raise dg.Failure(description="by: name the member who decides", allow_retries=False)

    async def work(engine: "AsyncEngine") -> dict[str, Any]:
        async with engine.connect() as conn:
            found = await drafts.find(conn, chosen)
        outcomes: dict[UUID, str] = {}
        for draft in found if not config.dry_run else ():
            request = review.ReviewRequest(
                workspace_id=draft.workspace_id,
                action=config.action,
                draft_id=draft.id,
                version=draft.version,
                slack_user=None,
                edited_text=None,
                reason=config.why.strip() or None,
                correlation_id=f"run:{context.run_id}",
                super_admins=super_admins(current_settings()),
                user_email=config.by,
            )

            async def decide(request: review.ReviewRequest = request) -> review.Reviewed:
                async with engine.begin() as conn:
                    return await review.apply(conn, request, clock.now())

            outcomes[draft.id] = (await until_settled(decide)).outcome
        rows = [
            (
                each.id,
                each.workspace,
                each.channel,
                each.tag,
                each.reason,
                outcomes.get(each.id, f"would {config.action}"),
            )
            for each in found[:SHOWN]
        ]
        heads = ("draft", "workspace", "channel", "tag", "why it waits", "outcome")
        decided = sum(outcome in review.DECIDED for outcome in outcomes.values())
        return {"matching": len(found), "decided": decided, "drafts": table(heads, rows, "No pending draft matches.")}

    run_with_engine(context, database, work)


@dg.job(
    name="decide_drafts",
    description="Approves or rejects pending drafts by workspace, channel, reason, tag or age, as a member who may. By "
    "default it only shows which. The same checks as a click on a review card; an approved one leaves with the sends lane.",
    tags=TAGS,
)
def decide_drafts() -> None:
    decide_pending_drafts()


class SwitchConfig(dg.Config):
    """What to stop or start. Nothing named: everything."""

    action: Literal["stop", "start"] = Field(default="stop", description="start lifts a stop of exactly this scope.")
    workspace: str = Field(default="", description="Key of the workspace. Empty: all.")
    campaign: str = Field(default="", description="The vendor's id of a campaign of that workspace.")
    channel: str = Field(default="", description="email, sms or linkedin.")
    reason: str = Field(default="", description="Why, for whoever looks later.")
    dry_run: bool = Field(default=True, description="Show what is stopped now, change nothing.")


@dg.op(tags={"kind": "python"})
def switch_automatic_sends(
    context: dg.OpExecutionContext, config: SwitchConfig, database: Database, clock: Clock
) -> None:
    """Stop or start automatic sends, and show every stop in force."""
    from zrg_dagster.core.sending import switches

    parts = (config.workspace, config.campaign, config.channel)
    switch = switches.Switch(*(part.strip() or None for part in parts))

    async def work(engine: "AsyncEngine") -> dict[str, Any]:
        changed, actor, now = False, f"dagster:{context.run_id}", clock.now()
        async with engine.begin() as conn:
            if not config.dry_run and config.action == "stop":
                changed = await switches.stop(conn, switch, reason=config.reason.strip(), actor=actor, now=now)
            elif not config.dry_run:
                changed = await switches.start(conn, switch, actor=actor, now=now)
            active = await switches.active(conn)
        rows = [
            (switches.Switch(each.workspace, each.campaign, each.channel), each.stopped_at, each.blocked, each.reason)
            for each in active
        ]
        shown = table(("stopped", "since", "sends blocked", "why"), rows, "Nothing is stopped.")
        return {"changed": changed, "scope": str(switch), "in_force": shown}

    run_with_engine(context, database, work)


@dg.job(
    name="autosend_switch",
    description="Stops automatic sends, everywhere or by workspace, campaign or channel, or lifts a stop; as `zrg "
    "autosend`. In force when the run ends. By default it only shows what is stopped.",
    tags=TAGS,
)
def autosend_switch() -> None:
    switch_automatic_sends()


class SettleConfig(dg.Config):
    """What a person found at the vendor about sends that nobody confirmed."""

    ids: list[str] = Field(default=[], description="Ids of sends. Empty: all that need a person, in a dry run only.")
    arrived: bool = Field(
        default=False,
        description="true: the message is at the vendor. false: it is not; its draft can be approved again.",
    )
    dry_run: bool = Field(default=True, description="List the sends that need a person, settle none.")


@dg.op(tags={"kind": "python"})
def settle_unconfirmed_sends(
    context: dg.OpExecutionContext, config: SettleConfig, database: Database, clock: Clock
) -> None:
    """Write down what a person found at the vendor. Nothing is sent by this."""
    from zrg_dagster.core.sending import by_hand
    from zrg_dagster.jobs.consequences import CONSEQUENCES

    ids = ids_of(config.ids)
    if not config.dry_run and not ids:
        raise dg.Failure(description="ids: name the sends that you looked at", allow_retries=False)

    async def work(engine: "AsyncEngine") -> dict[str, Any]:
        async with engine.connect() as conn:
            found = await by_hand.waiting(conn, ids)
        settled = 0
        for each in found if not config.dry_run else ():
            async with engine.begin() as conn:
                now = clock.now()
                row = await by_hand.settle_by_hand(
                    conn, each.id, arrived=config.arrived, actor=f"dagster:{context.run_id}", now=now
                )
                if row is not None:
                    settled += 1
                    if consequence := CONSEQUENCES.get(row.kind):
                        await consequence(conn, row, now)
        rows = [
            (each.id, each.workspace, each.kind, each.channel, each.vendor, each.reason, each.claimed_at, each.lead_id)
            for each in found[:SHOWN]
        ]
        heads = ("send", "workspace", "kind", "channel", "vendor", "why", "tried at", "lead")
        return {"waiting": len(found), "settled": settled, "sends": table(heads, rows, "No send needs a person.")}

    run_with_engine(context, database, work)


@dg.job(
    name="settle_sends",
    description="For sends in state needs_human: look into the vendor's own list, then say here whether the message is "
    "there. By default it lists them. It sends nothing: what did not arrive can be approved again.",
    tags=TAGS,
)
def settle_sends() -> None:
    settle_unconfirmed_sends()


class RedoConfig(dg.Config):
    """Which dead jobs."""

    kind: str = Field(default="", description="reply, review_action, regenerate or card_update. Empty: all.")
    workspace: str = Field(default="", description="Key of the workspace. Empty: all.")
    limit: int = Field(default=100, ge=1, le=5000, description="At most this many, the oldest first.")
    dry_run: bool = Field(default=True, description="List them, hand none over.")


@dg.op(tags={"kind": "python"})
def redo_dead_jobs(context: dg.OpExecutionContext, config: RedoConfig, database: Database, clock: Clock) -> None:
    """Hand jobs that used up their attempts to their lane once more."""
    from zrg_dagster.core.db import jobs, lanes, queue

    kind, workspace = config.kind.strip() or None, config.workspace.strip() or None

    async def work(engine: "AsyncEngine") -> dict[str, Any]:
        async with engine.begin() as conn:
            found = await jobs.dead_jobs(conn, kind=kind, workspace=workspace, limit=config.limit)
            redone = 0
            if not config.dry_run and found:
                redone = await jobs.redo(conn, [each.id for each in found], clock.now())
                await queue.wake(conn, lanes.REPLIES)
        rows = [(each.id, each.workspace, each.kind, each.reason, each.created_at) for each in found[:SHOWN]]
        shown = table(("job", "workspace", "kind", "why it died", "made at"), rows, "No job is dead.")
        return {"dead": len(found), "redone": redone, "jobs": shown}

    run_with_engine(context, database, work)


@dg.job(
    name="redo_jobs",
    description="Tries jobs once more that used up their attempts: when what made them fail is repaired. By default it "
    "lists them. Stages that were done are not repeated.",
    tags=TAGS,
)
def redo_jobs() -> None:
    redo_dead_jobs()


class ExplainConfig(dg.Config):
    """Whose story."""

    lead: str = Field(default="", description="Id of a lead.")
    draft: str = Field(default="", description="Id of a draft, instead.")


@dg.op(tags={"kind": "python"})
def tell_story(context: dg.OpExecutionContext, config: ExplainConfig, database: Database) -> None:
    """What was decided about a lead or draft, by which rule, with which inputs, in time order. No texts."""
    from zrg_dagster.core.replies import explain

    given = [each for each in (config.lead.strip(), config.draft.strip()) if each]
    if len(given) != 1:
        raise dg.Failure(description="give the id of a lead or of a draft, one of them", allow_retries=False)
    [wanted] = ids_of(given)

    async def work(engine: "AsyncEngine") -> dict[str, Any]:
        ask = explain.explain_lead if config.lead.strip() else explain.explain_draft
        async with engine.connect() as conn:
            story = await ask(conn, wanted)
        return {"verdict": story.verdict, "story": dg.MetadataValue.md(explain.markdown(story))}

    run_with_engine(context, database, work)


@dg.job(
    name="explain",
    description="Why was this sent, or not? The decisions about a lead or a draft in time order, each with its rule and "
    "inputs, as `zrg explain`. Reads only.",
    tags=TAGS,
)
def explain_job() -> None:
    tell_story()
