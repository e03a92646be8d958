"""What is stuck, why, and what an operator does about it: one list over lanes, sends, drafts and accounts.

Read with a short synchronous connection, for the asset `ops/attention`. No texts and no addresses of people.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from zrg_dagster.core.ai.spend import DEFAULT_BUDGET_USD
from zrg_dagster.core.replies.model_health import BUDGETS, UNPRICED, ModelHealth, budget_values, model_health
from zrg_dagster.core.replies.why import why

if TYPE_CHECKING:
    import psycopg

# A draft that waits longer than this has been overlooked.
DRAFT_WAITS = timedelta(hours=4)
# Longer than any vendor's settle time: nobody works on it.
UNKNOWN_WAITS = timedelta(minutes=30)
LATE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Item:
    """One kind of trouble. `job` and `config` (YAML for the launchpad, None: as it is) are the fix; `hint` says what else."""

    what: str
    code: str
    number: int
    oldest: datetime
    workspace: str | None
    job: str
    config: str | None
    hint: str = ""

    @property
    def why(self) -> str:
        return why(self.code)


_DELIVERIES = """
    SELECT e.state || ' deliveries of ' || e.provider AS what, coalesce(e.reason, e.state) AS code, count(*) AS number,
           min(e.received_at) AS oldest, w.key AS workspace, e.provider, e.state, e.reason
    FROM raw.webhook_event e LEFT JOIN app.workspace w ON w.id = e.workspace_id
    WHERE e.state IN ('quarantined', 'dead') GROUP BY e.state, e.provider, e.reason, w.key"""
_JOBS = """
    SELECT j.state || ' jobs: ' || j.kind AS what, coalesce(j.reason, j.state) AS code, count(*) AS number,
           min(j.created_at) AS oldest, w.key AS workspace, j.state, j.kind
    FROM app.job j JOIN app.workspace w ON w.id = j.workspace_id
    WHERE j.state IN ('parked', 'dead') GROUP BY j.state, j.kind, j.reason, w.key"""
_UNCONFIRMED = """
    SELECT 'sends that need a person: ' || s.vendor AS what, coalesce(s.reason, s.state) AS code, count(*) AS number,
           min(s.claimed_at) AS oldest, w.key AS workspace, (array_agg(s.id ORDER BY s.claimed_at))[1:20] AS ids
    FROM app.send s JOIN app.workspace w ON w.id = s.workspace_id
    WHERE s.state = 'needs_human' GROUP BY s.vendor, s.reason, s.state, w.key"""
_LATE = """
    SELECT 'sends that are late: ' || s.vendor AS what, coalesce(s.reason, s.state) AS code, count(*) AS number,
           min(s.due_at) AS oldest, w.key AS workspace
    FROM app.send s JOIN app.workspace w ON w.id = s.workspace_id
    WHERE (s.state = 'planned' AND s.due_at < %(late)s) OR (s.state = 'unknown' AND s.claimed_at < %(unknown)s)
    GROUP BY s.vendor, s.reason, s.state, w.key"""
_DRAFTS = """
    SELECT 'drafts that wait for a person: ' || d.channel AS what, coalesce(s.reason, d.reason, 'undecided') AS code,
           count(*) AS number, min(d.created_at) AS oldest, w.key AS workspace, d.channel, d.reason
    FROM app.draft d JOIN app.workspace w ON w.id = d.workspace_id
    LEFT JOIN app.send s ON s.draft_id = d.id AND s.kind = 'draft'
    WHERE d.status = 'pending' AND d.created_at < %(drafts)s AND (s.id IS NULL OR s.state IN ('blocked', 'refused'))
    GROUP BY d.channel, s.reason, d.reason, w.key"""
_FOLLOW_UPS = """
    SELECT 'paused follow-ups' AS what, coalesce(i.paused_reason, 'paused') AS code, count(*) AS number,
           min(i.updated_at) AS oldest, w.key AS workspace
    FROM app.follow_up_instance i JOIN app.workspace w ON w.id = i.workspace_id
    WHERE i.status = 'paused' AND i.paused_reason <> 'lead_replied' GROUP BY i.paused_reason, w.key"""
_SWITCHES = """
    SELECT 'automatic sends are stopped: ' || k.scope AS what, 'kill_switch' AS code, 1 AS number, k.stopped_at AS oldest,
           w.key AS workspace, c.external_id AS campaign, k.channel
    FROM app.kill_switch k LEFT JOIN app.workspace w ON w.id = k.workspace_id
    LEFT JOIN app.email_campaign c ON c.id = k.email_campaign_id WHERE k.lifted_at IS NULL"""
_ACCOUNTS = """
    SELECT what, code, 1 AS number, oldest, workspace FROM (
        SELECT DISTINCT ON (n.workspace_id, n.provider, n.subject) 'account of ' || n.provider || ' is ' || n.value AS what,
               'sender_unhealthy' AS code, n.noticed_at AS oldest, w.key AS workspace, n.value
        FROM app.vendor_notice n JOIN app.workspace w ON w.id = n.workspace_id WHERE n.kind = 'sender_health'
        ORDER BY n.workspace_id, n.provider, n.subject, n.noticed_at DESC, n.created_at DESC) last
    WHERE value IN ('disconnected', 'removed')
    UNION ALL
    SELECT 'account of ' || b.vendor || ' pauses', 'account_paused', 1, b.refilled_at, w.key
    FROM ops.vendor_budget b JOIN app.workspace w ON w.id = b.workspace_id WHERE b.paused_until > %(now)s"""


def attention(
    conn: "psycopg.Connection[dict[str, Any]]",
    now: datetime,
    *,
    default_budget_usd: Decimal = DEFAULT_BUDGET_USD,
    models: Sequence[ModelHealth] | None = None,
) -> Sequence[Item]:
    """Everything that needs somebody, the oldest first. `models` is `model_health`, for who has asked already."""
    times: dict[str, Any] = {
        "now": now,
        "late": now - LATE,
        "unknown": now - UNKNOWN_WAITS,
        "drafts": now - DRAFT_WAITS,
    }
    times |= budget_values(now, default_budget_usd)
    items = [_failing(each, now) for each in (model_health(conn, now) if models is None else models) if each.is_failing]
    for question, fix in _QUESTIONS:
        for row in conn.execute(question.encode(), times).fetchall():
            job, config, hint = fix(row)
            shown = (row["what"], row["code"], row["number"], row["oldest"], row["workspace"])
            items.append(Item(*shown, job, config, hint))
    return sorted(items, key=lambda item: (item.oldest, item.what, item.workspace or ""))


def _failing(model: ModelHealth, now: datetime) -> Item:
    circuit = f", circuit {model.circuit}" if model.circuit else ""
    what = f"model {model.model} fails{circuit}"
    hint = f"{model.failed} of {model.calls} calls failed in five minutes; parked replies are redone when it answers"
    code = f"model_{model.cause or 'circuit_open'}"
    return Item(what, code, max(model.failed, 1), model.since or now, None, "process_replies", None, hint)


def launch(op: str, **config: Any) -> str:
    """Run config for the launchpad, as YAML: strings quoted, lists in one line."""
    lines = [f"ops: {{{op}: {{config: {{"]
    parts = [f"{name}: {_yaml(value)}" for name, value in config.items() if value is not None]
    return f"{lines[0]}{', '.join(parts)}}}}}}}"


def _yaml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(_yaml(each) for each in value)}]"
    return "'" + str(value).replace("'", "''") + "'"


Fix = tuple[str, str | None, str]


def _replay(row: dict[str, Any]) -> Fix:
    config = launch(
        "replay_deliveries", states=[row["state"]], provider=row["provider"], reason=row["reason"],
        workspace=row["workspace"], dry_run=True,
    )  # fmt: skip
    return "webhook_replay", config, "the dry run shows how each would end"


def _redo(row: dict[str, Any]) -> Fix:
    if row["state"] == "parked":
        return (
            "process_replies",
            None,
            "parked work is tried again every five minutes; check the model's key and limits",
        )
    return "redo_jobs", launch("redo_dead_jobs", kind=row["kind"], workspace=row["workspace"], dry_run=True), ""


def _settle(row: dict[str, Any]) -> Fix:
    config = launch("settle_unconfirmed_sends", ids=[str(each) for each in row["ids"]], arrived=False, dry_run=True)
    return "settle_sends", config, "look into the vendor's own list first"


def _decide(row: dict[str, Any]) -> Fix:
    config = launch(
        "decide_pending_drafts", action="reject", workspace=row["workspace"], channel=row["channel"],
        reason=row["reason"], dry_run=True,
    )  # fmt: skip
    return "decide_drafts", config, "or `zrg drafts list`; in Slack the cards still work"


def _switch(row: dict[str, Any]) -> Fix:
    config = launch(
        "switch_automatic_sends", action="start", workspace=row["workspace"], campaign=row["campaign"],
        channel=row["channel"], dry_run=True,
    )  # fmt: skip
    return "autosend_switch", config, "lift it when its reason is gone"


_QUESTIONS: tuple[tuple[str, Any], ...] = (
    (_DELIVERIES, _replay),
    (_JOBS, _redo),
    (_UNCONFIRMED, _settle),
    (_LATE, lambda _row: ("process_sends", None, "the lane catches up by itself while its sensor is on")),
    (_DRAFTS, _decide),
    (_FOLLOW_UPS, lambda _row: ("explain", None, "a task says what a person does; `explain` tells each lead's story")),
    (_SWITCHES, _switch),
    (
        BUDGETS,
        lambda _row: ("process_replies", None, "raise `settings.model_daily_budget_usd`, or wait for midnight UTC"),
    ),
    (
        UNPRICED,
        lambda _row: ("process_replies", None, "name its price in AI_MODEL_PRICING_JSON; the budget does not see it"),
    ),
    (_ACCOUNTS, lambda _row: ("process_sends", None, "connect the account at the vendor again")),
)
