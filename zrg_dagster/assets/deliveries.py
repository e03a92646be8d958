"""raw/webhook_event: the deliveries as stored. Nothing materializes it; a sensor reports its numbers."""

from collections.abc import Sequence
from datetime import datetime

import dagster as dg

from zrg_dagster.core.intake.balance import Imbalance, balance
from zrg_dagster.core.intake.silence import Source, silent_sources
from zrg_dagster.resources.clock import Clock
from zrg_dagster.resources.database import Database

DELIVERIES = dg.AssetKey(["raw", "webhook_event"])
BALANCE = "nothing_is_missing"
SILENCE = "no_source_is_silent"

deliveries = dg.AssetSpec(
    DELIVERIES,
    group_name="intake",
    kinds={"postgres"},
    owners=["team:operations"],
    description=(
        "Every webhook that the receiver acknowledged, in one row each.\n\n"
        "`received`, `processed` and `ignored` are of the last 24 hours; `pending`, `running`, `quarantined` and `dead` "
        "are all there are. `trouble` lists what is quarantined or dead by vendor, type and reason. To process "
        "deliveries again launch `webhook_replay`; its dry run shows how each would end. `zrg events` does the same."
    ),
)


def balanced(compared: int, wrong: Sequence[Imbalance]) -> dg.AssetCheckResult:
    """The result of a balance, with the table of what does not agree."""
    lines = ["| vendor | workspace | counted at the door | stored |", "|---|---|---|---|"]
    lines += [f"| {each.provider} | {each.workspace} | {each.counted} | {each.stored} |" for each in wrong]
    return dg.AssetCheckResult(
        check_name=BALANCE,
        passed=not wrong,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={
            "compared": compared,
            "missing": sum(abs(each.counted - each.stored) for each in wrong),
            "differences": dg.MetadataValue.md("\n".join(lines) if wrong else "Every count agrees."),
        },
    )


@dg.asset_check(
    asset=DELIVERIES,
    name=BALANCE,
    description="Every delivery of the last 24 hours that was counted at the door is stored, whatever became of it, by "
    "vendor and workspace. A sensor evaluates it each hour without a run.",
)
def nothing_is_missing(database: Database, clock: Clock) -> dg.AssetCheckResult:
    with database.connect() as conn:
        conn.execute("SET statement_timeout = '60s'")
        return balanced(*balance(conn, clock.now()))


def heard(sources: Sequence[Source], now: datetime) -> dg.AssetCheckResult:
    """The result of listening, with the table of who fell silent."""
    lines = ["| vendor | workspace | last delivery | silent for | deliveries meanwhile in the weeks before |"]
    lines += ["|---|---|---|---|---|"]
    for each in sources:
        before = ", ".join(map(str, each.comparable()))
        hours = (now - each.last).total_seconds() / 3600
        lines.append(
            f"| {each.provider} | {each.workspace} | {each.last:%a %Y-%m-%d %H:%MZ} | {hours:.1f} h | {before} |"
        )
    return dg.AssetCheckResult(
        check_name=SILENCE,
        passed=not sources,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={
            "silent": len(sources),
            "sources": dg.MetadataValue.md("\n".join(lines) if sources else "Whoever usually delivers now does."),
        },
    )


@dg.asset_check(
    asset=DELIVERIES,
    name=SILENCE,
    description="No vendor of a workspace is silent at a time of the week when it always delivered: in each of the last "
    "three or four weeks at least five deliveries came in the same stretch, up to an hour before its end. Look at the "
    "vendor's webhook settings and at /metrics for refusals. A sensor evaluates it every 15 minutes without a run.",
)
def no_source_is_silent(database: Database, clock: Clock) -> dg.AssetCheckResult:
    now = clock.now()
    with database.connect() as conn:
        conn.execute("SET statement_timeout = '60s'")
        return heard(silent_sources(conn, now), now)
