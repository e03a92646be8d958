"""ops/attention: what is stuck, why, and which job with which config fixes it. A sensor reports it without a run."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from zrg_dagster.resources.clock import Clock
from zrg_dagster.resources.database import Database

if TYPE_CHECKING:
    from zrg_dagster.core.replies.attention import Item
    from zrg_dagster.core.replies.model_health import ModelHealth

ATTENTION = dg.AssetKey(["ops", "attention"])
MODELS_ANSWER = "models_answer"
SHOWN = 100

attention = dg.AssetSpec(
    ATTENTION,
    group_name="operations",
    kinds={"postgres"},
    owners=["team:operations"],
    description=(
        "Everything that needs somebody: quarantined and dead deliveries, parked and dead jobs, sends that nobody confirmed "
        "or that are late, drafts that have waited for hours, paused follow-ups, stops of automatic sends, accounts that are "
        "disconnected or paused, models that fail or have no price, workspaces that near the day's budget for the model.\n\n"
        "Each line of `listed` names the job that fixes it and the config to paste into its launchpad; every such config is "
        "a dry run. A sensor renews it within a minute of a change."
    ),
)


def shown(items: "Sequence[Item]") -> dict[str, Any]:
    """The metadata of one observation."""
    lines = [
        "| what | workspace | code | why | number | oldest | job | config | note |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for item in items[:SHOWN]:
        config = f"`{item.config}`" if item.config else ""
        cells = (item.what, item.workspace or "", item.code, item.why, str(item.number))
        cells += (f"{item.oldest:%Y-%m-%d %H:%MZ}", item.job, config, item.hint)
        lines.append(f"| {' | '.join(cell.replace('|', '¦').replace(chr(10), ' ') for cell in cells)} |")
    return {
        "kinds": len(items),
        "things": sum(item.number for item in items),
        "listed": dg.MetadataValue.md("\n".join(lines) if items else "Nothing needs anybody."),
    }


def answering(models: "Sequence[ModelHealth]") -> dg.AssetCheckResult:
    """The result of looking at the models, with a line for each that was asked."""
    lines = ["| model | calls | failed by its provider | circuit | cause |", "|---|---|---|---|---|"]
    for each in models:
        lines.append(
            f"| {each.model} | {each.calls} | {each.failed} | {each.circuit or 'closed'} | {each.cause or ''} |"
        )
    failing = [each.model for each in models if each.is_failing]
    return dg.AssetCheckResult(
        check_name=MODELS_ANSWER,
        passed=not failing,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={
            "failing": len(failing),
            "models": dg.MetadataValue.md("\n".join(lines) if models else "No model was asked within five minutes."),
        },
    )


@dg.asset_check(
    asset=ATTENTION,
    name=MODELS_ANSWER,
    description="Less than half of each model's calls of the last five minutes were failed by its provider (from three "
    "calls on), and no circuit is open. Replies of a failing model park and are redone by themselves. A sensor evaluates "
    "it within a minute of a change, without a run.",
)
def models_answer(database: Database, clock: Clock) -> dg.AssetCheckResult:
    from zrg_dagster.core.replies.model_health import model_health

    with database.connect() as conn:
        conn.execute("SET statement_timeout = '20s'")
        return answering(model_health(conn, clock.now()))
