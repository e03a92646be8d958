"""How the models do just now, and which workspaces near the end of their budget: for `ops/attention`, set-based."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from zrg_dagster.core.ai.breaker import PROVIDER_FAILURES
from zrg_dagster.core.ai.spend import ALERT_AT, day_start

if TYPE_CHECKING:
    import psycopg

# Long enough to hold a few calls of a quiet hour, short enough that an outage is seen within a minute of its beginning.
WINDOW = timedelta(minutes=5)
MIN_CALLS = 3
FAILING_SHARE = Decimal("0.5")
# A process that died with an open circuit closes it no more; the circuit is old news after this.
STALE = timedelta(minutes=15)

# The model's side alone: a refused or unreadable answer says that somebody is there.
_MODELS = """
    SELECT coalesce(c.model, k.model) AS model, coalesce(c.calls, 0)::int AS calls, coalesce(c.failed, 0)::int AS failed,
           c.first_failed, c.cause, k.circuit, k.changed_at, k.last_outcome
    FROM (SELECT a.model, count(*) AS calls, count(*) FILTER (WHERE a.outcome = ANY(%(provider)s::text[])) AS failed,
                 min(a.called_at) FILTER (WHERE a.outcome = ANY(%(provider)s::text[])) AS first_failed,
                 mode() WITHIN GROUP (ORDER BY a.outcome) FILTER (WHERE a.outcome = ANY(%(provider)s::text[])) AS cause
          FROM app.ai_call a WHERE a.called_at > %(since)s AND a.outcome <> 'no_key' GROUP BY a.model) c
    FULL JOIN (SELECT * FROM ops.model_circuit m WHERE m.circuit <> 'closed' AND m.retry_at > %(stale)s) k
        ON k.model = c.model
    ORDER BY 1"""


@dataclass(frozen=True, slots=True)
class ModelHealth:
    """One model over the last five minutes. `failed` counts what its provider failed; `circuit` is None when closed."""

    model: str
    calls: int
    failed: int
    circuit: str | None
    cause: str | None
    since: datetime | None

    @property
    def is_failing(self) -> bool:
        if self.circuit is not None:
            return True
        return self.calls >= MIN_CALLS and self.failed >= FAILING_SHARE * self.calls


def model_health(conn: "psycopg.Connection[dict[str, Any]]", now: datetime) -> list[ModelHealth]:
    """Every model that was asked within the last five minutes or whose circuit is open, by name."""
    values = {"provider": sorted(PROVIDER_FAILURES), "since": now - WINDOW, "stale": now - STALE}
    return [
        ModelHealth(
            row["model"],
            row["calls"],
            row["failed"],
            row["circuit"],
            row["cause"] or row["last_outcome"],
            row["first_failed"] or row["changed_at"],
        )
        for row in conn.execute(_MODELS.encode(), values).fetchall()
    ]


# Today's calls of all workspaces, once.
BUDGETS = """
    SELECT 'the day''s budget for the model: ' || round(100 * d.spent / d.budget) || ' %% of ' || d.budget || ' USD' AS what,
           CASE WHEN d.spent >= d.budget THEN 'model_budget_no_drafts' ELSE 'model_budget_no_revision' END AS code,
           1 AS number, d.newest AS oldest, w.key AS workspace
    FROM (SELECT c.workspace_id, sum(c.cost_usd) AS spent, max(c.called_at) AS newest,
                 coalesce(nullif(max(s.model_daily_budget_usd), 0), %(budget)s) AS budget
          FROM app.ai_call c LEFT JOIN app.workspace_setting s ON s.workspace_id = c.workspace_id
          WHERE c.called_at >= %(today)s GROUP BY c.workspace_id) d
    JOIN app.workspace w ON w.id = d.workspace_id WHERE d.spent >= %(alert_at)s * d.budget"""
UNPRICED = """
    SELECT 'model without a price: ' || c.model AS what, 'model_unpriced' AS code, count(*)::int AS number,
           min(c.called_at) AS oldest, NULL AS workspace
    FROM app.ai_call c
    WHERE c.called_at >= %(today)s AND c.cost_usd IS NULL AND c.input_tokens IS NOT NULL GROUP BY c.model"""


def budget_values(now: datetime, default_budget_usd: Decimal) -> dict[str, Any]:
    """What `BUDGETS` and `UNPRICED` ask with."""
    return {"today": day_start(now), "budget": default_budget_usd, "alert_at": ALERT_AT[0]}
