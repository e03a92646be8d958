"""What came in, shown in the catalogue without a run: numbers on change, who fell silent, the balance every hour."""

import json
from datetime import datetime, timedelta
from typing import Any

import dagster as dg

from zrg_dagster.assets.deliveries import DELIVERIES, balanced, heard
from zrg_dagster.core.base.settings import current_settings
from zrg_dagster.core.intake.balance import balance, summary, trouble
from zrg_dagster.core.intake.silence import silent_sources
from zrg_dagster.resources.clock import Clock
from zrg_dagster.resources.database import Database

UNCHANGED_EVERY = timedelta(minutes=15)
LISTENED_EVERY = timedelta(minutes=15)
BALANCE_EVERY = timedelta(hours=1)


@dg.sensor(
    name="deliveries_observed",
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING if current_settings().automation else dg.DefaultSensorStatus.STOPPED,
    description="Reports the numbers of raw/webhook_event to the catalogue, on change or every 15 minutes, whether a "
    "source fell silent, and each hour whether every delivery that was counted at the door is still there. Starts no run.",
)
def deliveries_observed(context: dg.SensorEvaluationContext, database: Database, clock: Clock):
    now = clock.now()
    seen: dict[str, Any] = json.loads(context.cursor) if context.cursor else {}
    with database.connect() as conn:
        conn.execute("SET statement_timeout = '20s'")
        numbers = summary(conn, now)
        events: list[Any] = []
        # The age grows by itself; it is shown, and is no change.
        said = {name: value for name, value in numbers.items() if name != "oldest_due_s"}
        if said != seen.get("said") or _is_due(seen, "said_at", UNCHANGED_EVERY, now):
            events.append(_observation(numbers, trouble(conn)))
            seen |= {"said": said, "said_at": now.isoformat()}
        if _is_due(seen, "balanced_at", BALANCE_EVERY, now):
            events.append(_evaluation(balanced(*balance(conn, now))))
            seen["balanced_at"] = now.isoformat()
        if _is_due(seen, "listened_at", LISTENED_EVERY, now):
            events.append(_evaluation(heard(silent_sources(conn, now), now)))
            seen["listened_at"] = now.isoformat()
    if not events:
        return dg.SkipReason("Nothing changed since the last report.")
    return dg.SensorResult(asset_events=events, cursor=json.dumps(seen), skip_reason="Reported without a run.")


def _evaluation(result: dg.AssetCheckResult) -> dg.AssetCheckEvaluation:
    assert result.check_name is not None
    return dg.AssetCheckEvaluation(
        asset_key=DELIVERIES,
        check_name=result.check_name,
        passed=result.passed,
        severity=result.severity,
        metadata=result.metadata,
    )


def _is_due(seen: dict[str, Any], name: str, every: timedelta, now: datetime) -> bool:
    return name not in seen or now - datetime.fromisoformat(seen[name]) >= every


def _observation(numbers: dict[str, Any], problems: Any) -> dg.AssetObservation:
    lines = ["| vendor | type | state | reason | problem | deliveries | last |", "|---|---|---|---|---|---|---|"]
    for row in problems:
        words = (row["provider"], row["event_type"], row["state"], row["reason"], row["problem"], row["number"])
        cells = [str(word or "").replace("|", "\\|").replace("\n", " ") for word in words]
        lines.append(f"| {' | '.join(cells)} | {row['last']:%Y-%m-%d %H:%MZ} |")
    table = "\n".join(lines) if problems else "Nothing is quarantined or dead."
    return dg.AssetObservation(
        DELIVERIES,
        metadata={
            **{name: value for name, value in numbers.items() if name != "ignored_by_reason"},
            "ignored_by_reason": dg.MetadataValue.json(numbers["ignored_by_reason"]),
            "trouble": dg.MetadataValue.md(table),
        },
    )
