"""What runs, when, and under which limits: golden lists, so that nothing appears, disappears or changes unseen."""

import json
import os
import subprocess
import sys

import dagster as dg
import pytest

from zrg_dagster.definitions import defs

RUNNING = "RUNNING"

ASSETS = {
    "facts/booking",
    "facts/step_execution",
    "marts/ai_calls",
    "marts/ai_funnel",
    "marts/workflow_attribution",
    "ops/attention",
    "raw/webhook_event",
    "security/posture",
}
CHECKS = {
    "facts/booking": {"not_null_keys", "row_balance", "unique_key", "window_bounds"},
    "facts/step_execution": {"not_null_keys", "row_balance", "unique_key", "window_bounds"},
    "marts/ai_calls": {"error_share"},
    "marts/ai_funnel": {"positive_replies_covered", "steps_agree"},
    "marts/workflow_attribution": {"credit_before_booking", "totals_agree", "unique_key", "weights_sum_to_one"},
    "ops/attention": {"models_answer"},
    "raw/webhook_event": {"no_source_is_silent", "nothing_is_missing"},
    "security/posture": {"no_violations"},
}
# job → pools it waits for, longest run in seconds
JOBS = {
    "autosend_switch": (set(), 900),
    "check_integrations": (set(), 1800),
    "check_posture": (set(), 300),
    "conversation_sync": (set(), 300),
    "daily_maintenance": (set(), 1800),
    "decide_drafts": (set(), 900),
    "expire_enrichments": (set(), 300),
    "explain": (set(), 900),
    "process_inbound": ({"inbound"}, 4200),
    "process_replies": ({"replies"}, 4200),
    "process_sends": ({"sends"}, 4200),
    "redo_jobs": (set(), 900),
    "refresh_ai_marts": ({"warehouse"}, 900),
    "refresh_availability": ({"availability"}, 300),
    "refresh_booking_facts": ({"warehouse"}, 900),
    "refresh_step_execution_facts": ({"warehouse"}, 900),
    "refresh_workflow_attribution": ({"warehouse"}, 900),
    "send_daily_digest": ({"digest"}, 300),
    "send_due_followups": ({"followups"}, 300),
    "settle_sends": (set(), 900),
    "webhook_replay": (set(), 1800),
    "workspace_bootstrap": ({"workspaces"}, 300),
}
SCHEDULES = {
    "check_integrations_daily": ("check_integrations", "11 5 * * *"),
    "check_posture_daily": ("check_posture", "43 3 * * *"),
    "daily_maintenance_at_night": ("daily_maintenance", "17 3 * * *"),
    "expire_enrichments_every_quarter_hour": ("expire_enrichments", "*/15 * * * *"),
    "refresh_ai_marts_hourly": ("refresh_ai_marts", "20 * * * *"),
    "refresh_availability_every_minute": ("refresh_availability", "* * * * *"),
    "refresh_marts_hourly": ("refresh_workflow_attribution", "5 * * * *"),
    "send_daily_digest_every_quarter_hour": ("send_daily_digest", "*/15 * * * *"),
    "send_due_followups_every_minute": ("send_due_followups", "* * * * *"),
}
# sensor → seconds between ticks, jobs it may start
SENSORS = {
    "absence_alarm": (60, set()),
    "attention_observed": (60, set()),
    "deliveries_observed": (60, set()),
    "facts_dirty_sensor": (
        30,
        {"refresh_booking_facts", "refresh_step_execution_facts", "refresh_workflow_attribution"},
    ),
    "process_inbound_when_due": (5, {"process_inbound"}),
    "process_replies_when_due": (5, {"process_replies"}),
    "process_sends_when_due": (5, {"process_sends"}),
    "workspace_partitions_sensor": (30, set()),
}
RESOURCES = {"channels", "clock", "database", "model", "warehouse"}

repository = defs.get_repository_def()
jobs = {job.name: job for job in repository.get_all_jobs() if not job.name.startswith("__")}


def pools_of(job: dg.JobDefinition) -> set[str]:
    return {pool for node in job.all_node_defs if isinstance(node, dg.OpDefinition) for pool in node.pools}


def test_assets_and_their_checks() -> None:
    graph = repository.asset_graph
    assert {key.to_user_string() for key in graph.get_all_asset_keys()} == ASSETS
    checks: dict[str, set[str]] = {}
    for key in graph.asset_check_keys:
        checks.setdefault(key.asset_key.to_user_string(), set()).add(key.name)
    assert checks == CHECKS


def test_jobs_their_pools_and_their_longest_run() -> None:
    assert {name: (pools_of(job), int(job.tags["dagster/max_runtime"])) for name, job in jobs.items()} == JOBS


def test_schedules_all_in_utc_and_on_by_default() -> None:
    schedules = repository.schedule_defs
    assert {each.name: (each.job_name, each.cron_schedule) for each in schedules} == SCHEDULES
    assert {each.execution_timezone for each in schedules} == {"UTC"}
    assert {each.default_status.value for each in schedules} == {RUNNING}


def test_sensors_and_their_pace() -> None:
    sensors = repository.sensor_defs
    found = {each.name: (each.minimum_interval_seconds, {t.job_name for t in each.targets}) for each in sensors}
    assert found == SENSORS
    assert {each.default_status.value for each in sensors} == {RUNNING}


def test_resources() -> None:
    assert set(defs.resources or {}) == RESOURCES


@pytest.mark.parametrize("name", sorted(JOBS))
def test_every_job_says_what_it_does(name: str) -> None:
    assert jobs[name].description
    assert jobs[name].executor_def.name == "in_process", "a second process would cost seconds to start"


def test_every_sensor_and_schedule_says_what_it_waits_for() -> None:
    nameless = [each.name for each in (*repository.sensor_defs, *repository.schedule_defs) if not each.description]
    assert nameless == []


def test_every_field_of_a_jobs_config_says_what_it_does() -> None:
    """An operator reads the launchpad, not the code."""
    silent = []
    for job in jobs.values():
        for node in job.all_node_defs:
            schema = getattr(node, "config_schema", None)
            fields = getattr(getattr(schema, "config_type", None), "fields", {}) if schema else {}
            silent += [f"{node.name}.{name}" for name, field in fields.items() if not field.description]
    assert silent == []


# ── a fresh interpreter ──────────────────────────────────────────────────────

FORBIDDEN = ("openai", "httpx", "pandas", "numpy", "matplotlib", "sqlalchemy", "structlog", "cryptography")
PROGRAM = f"""
import json, sys
import zrg_dagster.definitions as module
module.defs.get_repository_def()
print(json.dumps([name for name in {FORBIDDEN!r} if name in sys.modules]))
"""


def load(**environment: str) -> subprocess.CompletedProcess[str]:
    """The code location in an interpreter of its own, warnings as errors but for the one named exception."""
    allowed = "ignore:Parameter `backfill_policy` of"
    command = [sys.executable, "-W", "error", "-W", allowed, "-c", PROGRAM]
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "PYTHONTZPATH", "TMPDIR")}
    return subprocess.run(
        command, env={**kept, **environment}, capture_output=True, text=True, timeout=120, check=False
    )


def test_it_loads_without_warnings_settings_or_heavy_libraries() -> None:
    loaded = load(DAGSTER_DISABLE_TELEMETRY="1")
    assert loaded.returncode == 0, loaded.stderr[-2000:]
    assert json.loads(loaded.stdout.splitlines()[-1]) == []


def test_automation_is_switched_off_by_one_setting() -> None:
    program = (
        "import zrg_dagster.definitions as m; r = m.defs.get_repository_def();"
        "print({d.default_status.value for d in (*r.sensor_defs, *r.schedule_defs)})"
    )
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "PYTHONTZPATH")}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**kept, "ZRG_AUTOMATION": "false", "DAGSTER_DISABLE_TELEMETRY": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout.strip() == "{'STOPPED'}"
