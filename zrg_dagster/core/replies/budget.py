"""The day's budget for the model as the stages of a reply meet it: may they ask, and who is told when it runs out."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from zrg_dagster.core.ai.models import Purpose
from zrg_dagster.core.ai.spend import Allowance, Spending
from zrg_dagster.core.db.engine import autocommit
from zrg_dagster.core.notifications.alerts import people_who_may, plan_alert
from zrg_dagster.core.replies import stages
from zrg_dagster.core.replies.stages import Reply
from zrg_dagster.core.replies.world import ReplyWorld
from zrg_dagster.core.workspaces.access import Action

_CONSEQUENCE = {
    Decimal(
        "0.8"
    ): "Drafts are not revised any more. At 90 % they are not checked either and wait for a person, at 100 % "
    "none is written.",
    Decimal(1): "Replies are still sorted, but no drafts are written until midnight UTC. Raise "
    "`settings.model_daily_budget_usd` to go on at once.",
}


async def allowance_of(
    engine: AsyncEngine, spending: Spending, workspace_id: UUID, purpose: Purpose, correlation_id: str, now: datetime
) -> Allowance:
    """Whether the workspace may ask for `purpose` now. At 80 and at 100 % its admins are told, once a day each."""
    allowance = spending.known(workspace_id, purpose, now)
    if allowance is None:
        # Only a question that is really asked takes a connection.
        async with autocommit(engine) as conn:
            allowance = await spending.allowed(conn, workspace_id, purpose, now)
    share = spending.share_to_tell(workspace_id, allowance, now)
    if share is not None:
        async with engine.begin() as conn:
            await plan_alert(
                conn,
                workspace_id,
                await people_who_may(conn, workspace_id, Action.CHANGE_SETTINGS),
                key=f"model_budget:{share:.0%}:{now.date()}",
                title=f"{share:.0%} of the day's budget for the model is spent",
                said=f"The model has cost {allowance.spent_usd:.2f} of {allowance.budget_usd:.2f} USD today. "
                f"{_CONSEQUENCE[share]}",
                now=now,
                correlation_id=correlation_id,
            )
    return allowance


async def refusal(world: ReplyWorld, workspace_id: UUID, purpose: Purpose, correlation_id: str) -> str | None:
    """Why the workspace may not ask for `purpose` now; None when it may."""
    asked = (workspace_id, purpose, correlation_id, world.clock())
    return (await allowance_of(world.engine, world.spending, *asked)).reason


class DayBudget:
    """The day's budget as one reply meets it. A refusal is noted on the lead's list, each reason once."""

    def __init__(self, world: ReplyWorld, reply: Reply, correlation_id: str) -> None:
        self._world = world
        self._reply = reply
        self._correlation_id = correlation_id
        self._noted: set[str] = set()

    async def refusal(self, purpose: Purpose) -> str | None:
        """Why the workspace may not ask for `purpose` now; None when it may."""
        world, now = self._world, self._world.clock()
        asked = (self._reply.message.workspace_id, purpose, self._correlation_id, now)
        allowance = await allowance_of(world.engine, world.spending, *asked)
        if allowance.reason is not None and allowance.reason not in self._noted:
            await note_refusal(world.engine, self._reply, allowance, now)
            self._noted.add(allowance.reason)
        return allowance.reason


async def note_refusal(engine: AsyncEngine, reply: Reply, allowance: Allowance, now: datetime) -> None:
    """What the budget cost this reply, on the lead's list."""
    assert allowance.reason is not None
    detail = {"spent_usd": allowance.spent_usd, "budget_usd": allowance.budget_usd}
    async with engine.begin() as conn:
        await stages.decide_row(conn, reply, "reply", reply.message.id, allowance.reason, now, detail)
