"""security/posture: proof, renewed every day, that the database refuses what must not happen."""

import dagster as dg

from zrg_dagster.core.base.settings import current_settings
from zrg_dagster.resources.database import Database

OWNERS = ["team:operations"]
CHECK = "no_violations"
PREVIEW_ROWS = 50


@dg.asset(
    key_prefix=["security"],
    group_name="security",
    kinds={"postgres"},
    owners=OWNERS,
    code_version="1",
    check_specs=[
        dg.AssetCheckSpec(
            CHECK,
            asset=dg.AssetKey(["security", "posture"]),
            blocking=True,
            description="The database allows nothing that it should not: 0 violations.",
        )
    ],
    description=(
        "What the database itself allows, held against what it should allow: tables without forced row security, "
        "grants without a policy, anything open to PUBLIC, functions that a caller could redirect, login roles with "
        "too much power. Each violation comes with its fix.\n\n"
        "Materializing it reads the catalogue and changes nothing. It runs every night; run it after every change to "
        "roles or schema, or use `zrg db posture`."
    ),
)
def posture(context: dg.AssetExecutionContext, database: Database) -> dg.MaterializeResult:
    from zrg_dagster.core.db.posture import violations

    with database.connect() as conn:
        # The catalogue answers in well under a second; the limit only bounds a database in trouble.
        conn.execute("SET statement_timeout = '30s'")
        found = violations(conn)
    lines = ["| code | object | fix |", "|---|---|---|"]
    lines += [f"| {each.code} | {each.object} | {each.fix} |" for each in found[:PREVIEW_ROWS]]
    metadata = {
        "violations": len(found),
        "listed": dg.MetadataValue.md("\n".join(lines) if found else "No violation."),
    }
    context.log.info(f"{len(found)} violations of the database's posture.")
    return dg.MaterializeResult(
        metadata=metadata,
        check_results=[
            dg.AssetCheckResult(
                check_name=CHECK, passed=not found, severity=dg.AssetCheckSeverity.ERROR, metadata=metadata
            )
        ],
    )


check_posture = dg.define_asset_job(
    "check_posture",
    selection=dg.AssetSelection.assets(posture),
    description="Checks what the database allows. A violation fails the run and names its fix.",
    tags={"dagster/priority": "-1", "dagster/max_runtime": "300"},
)

check_posture_daily = dg.ScheduleDefinition(
    name="check_posture_daily",
    job=check_posture,
    cron_schedule="43 3 * * *",
    execution_timezone="UTC",
    description="Every night, after housekeeping has made the partitions of the coming days.",
    default_status=dg.DefaultScheduleStatus.RUNNING
    if current_settings().automation
    else dg.DefaultScheduleStatus.STOPPED,
)
