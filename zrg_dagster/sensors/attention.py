"""What needs somebody, shown in the catalogue without a run: on change, and every quarter of an hour."""

import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import dagster as dg

from zrg_dagster.assets.attention import ATTENTION, MODELS_ANSWER, answering, shown
from zrg_dagster.core.base.settings import current_settings
from zrg_dagster.resources.clock import Clock
from zrg_dagster.resources.database import Database

UNCHANGED_EVERY = timedelta(minutes=15)


@dg.sensor(
    name="attention_observed",
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING if current_settings().automation else dg.DefaultSensorStatus.STOPPED,
    description="Reports what is stuck, why, and which job fixes it, to the asset ops/attention: on change or every 15 "
    "minutes, with the check whether the models answer. Starts no run.",
)
def attention_observed(context: dg.SensorEvaluationContext, database: Database, clock: Clock):
    from zrg_dagster.core.replies.attention import attention
    from zrg_dagster.core.replies.model_health import model_health

    now = clock.now()
    seen: dict[str, Any] = json.loads(context.cursor) if context.cursor else {}
    with database.connect() as conn:
        conn.execute("SET statement_timeout = '20s'")
        models = model_health(conn, now)
        budget = Decimal(str(current_settings().model_daily_budget_usd))
        items = attention(conn, now, default_budget_usd=budget, models=models)
    said = [[item.what, item.code, item.number, item.workspace] for item in items]
    is_new = "at" not in seen or now - datetime.fromisoformat(seen["at"]) >= UNCHANGED_EVERY
    if said == seen.get("said") and not is_new:
        return dg.SkipReason("Nothing changed since the last report.")
    cursor = json.dumps({"said": said, "at": now.isoformat()})
    observation = dg.AssetObservation(ATTENTION, metadata=shown(items))
    checked = answering(models)
    evaluation = dg.AssetCheckEvaluation(
        asset_key=ATTENTION,
        check_name=MODELS_ANSWER,
        passed=checked.passed,
        severity=checked.severity,
        metadata=checked.metadata,
    )
    return dg.SensorResult(asset_events=[observation, evaluation], cursor=cursor, skip_reason="Reported without a run.")
