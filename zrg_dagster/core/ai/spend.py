"""What a workspace may spend on the model in a UTC day, and what is given up first when it comes near.

The order, by the share of the budget that is spent (each step keeps what the ones before it gave up):

    80 %   no revisions: a draft that did not pass waits for a person as it is
    90 %   no verification, no overseer, no evaluation: every draft waits for a person
    100 %  no drafts: the reply waits until the day is over or the budget is raised

Classification never stops, and an opt-out needs no model at all.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.ai.models import Purpose

# Of one workspace in one process: the number may be this old.
FRESH_S = 5.0
DEFAULT_BUDGET_USD = Decimal(100)
# Work that waits for the next day looks again after this: somebody may have raised the budget.
RETRY_S = 1800.0
# Shares at which the admins are told, and ops/attention names the workspace.
ALERT_AT = (Decimal("0.8"), Decimal(1))


class SpendReason(StrEnum):
    """What was given up to stay within the day's budget."""

    NO_REVISION = "model_budget_no_revision"
    NO_CHECKS = "model_budget_no_checks"
    NO_DRAFTS = "model_budget_no_drafts"


_CHECKS = frozenset({Purpose.VERIFICATION, Purpose.OVERSEER, Purpose.EVALUATION})
STEPS: tuple[tuple[Decimal, frozenset[Purpose], SpendReason], ...] = (
    (Decimal("0.8"), frozenset({Purpose.REVISION}), SpendReason.NO_REVISION),
    (Decimal("0.9"), _CHECKS, SpendReason.NO_CHECKS),
    (
        Decimal(1),
        frozenset({Purpose.ROUTING, Purpose.SIGNATURE, Purpose.STRATEGY, Purpose.DRAFTING}),
        SpendReason.NO_DRAFTS,
    ),
)


@dataclass(frozen=True, slots=True)
class Allowance:
    """Whether a workspace may ask the model for something now. `reason` is set exactly when it may not."""

    spent_usd: Decimal
    budget_usd: Decimal
    reason: SpendReason | None = None

    @property
    def is_allowed(self) -> bool:
        return self.reason is None


def judge(purpose: Purpose, spent_usd: Decimal, budget_usd: Decimal) -> Allowance:
    """The allowance for a day's spend. Pure; reaching a share counts as passing it."""
    for share, purposes, reason in STEPS:
        if purpose in purposes and spent_usd >= share * budget_usd:
            return Allowance(spent_usd, budget_usd, reason)
    return Allowance(spent_usd, budget_usd)


def day_start(now: datetime) -> datetime:
    """When the day of the budget began: midnight UTC, as the vendor's own bill counts."""
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


# Calls without a known price add nothing: the warning about them says so.
_SPENT = text("""
    SELECT coalesce((SELECT sum(c.cost_usd) FROM app.ai_call c
                     WHERE c.workspace_id = :workspace_id AND c.called_at >= :since), 0) AS spent,
           (SELECT s.model_daily_budget_usd FROM app.workspace_setting s WHERE s.workspace_id = :workspace_id) AS budget""")


class Spending:
    """Answers from one question a workspace every few seconds. One for all the work of a process."""

    def __init__(
        self,
        default_budget_usd: Decimal = DEFAULT_BUDGET_USD,
        *,
        fresh_s: float = FRESH_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._default = default_budget_usd
        self._fresh_s = fresh_s
        self._monotonic = monotonic
        self._known: dict[UUID, tuple[float, datetime, Decimal, Decimal]] = {}
        self._told: dict[UUID, tuple[datetime, Decimal]] = {}

    def known(self, workspace_id: UUID, purpose: Purpose, now: datetime) -> Allowance | None:
        """What `allowed` would say without a question; None when the last answer is too old, or of another day."""
        known = self._known.get(workspace_id)
        if known is None or known[1] != day_start(now) or self._monotonic() - known[0] >= self._fresh_s:
            return None
        return judge(purpose, known[2], known[3])

    async def allowed(self, conn: AsyncConnection, workspace_id: UUID, purpose: Purpose, now: datetime) -> Allowance:
        """Whether the workspace may ask for `purpose` now. Reads the database at most every few seconds."""
        if (known := self.known(workspace_id, purpose, now)) is not None:
            return known
        since, at = day_start(now), self._monotonic()
        row = (await conn.execute(_SPENT, {"workspace_id": workspace_id, "since": since})).one()
        budget = row.budget or self._default
        self._known[workspace_id] = (at, since, row.spent, budget)
        return judge(purpose, row.spent, budget)

    def share_to_tell(self, workspace_id: UUID, allowance: Allowance, now: datetime) -> Decimal | None:
        """The share of `ALERT_AT` that the day has reached and that this process has not answered with before."""
        reached = [share for share in ALERT_AT if allowance.spent_usd >= share * allowance.budget_usd]
        today = (day_start(now), max(reached, default=Decimal(0)))
        if not reached or self._told.get(workspace_id) == today:
            return None
        self._told[workspace_id] = today
        return today[1]
