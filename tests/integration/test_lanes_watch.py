"""What keeps the lanes in order: the nightly housekeeping, and the alarm for work that nobody does."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from tests.conftest import Database
from tests.integration import intake_support as world
from tests.integration.intake_support import Rows, accept
from tests.integration.lanes_support import LANES, MINUTE, Control, Stopped, living
from zrg_dagster.core.base.clock import utc_now
from zrg_dagster.core.base.settings import current_settings
from zrg_dagster.jobs.inbound import process_inbound
from zrg_dagster.jobs.maintenance import daily_maintenance
from zrg_dagster.resources.database import Database as DatabaseResource
from zrg_dagster.sensors.absence import absence_alarm


@pytest.fixture
def control(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Control]:
    monkeypatch.setenv("ZRG_DB_WORKER_URL", database.dsn("worker"))
    current_settings.cache_clear()
    with dg.instance_for_test() as instance:
        yield Control(database, instance)


# ── housekeeping ─────────────────────────────────────────────────────────────


def partitions(rows: Rows) -> set[str]:
    return set(
        rows.column(
            "SELECT c.relname::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
            "WHERE i.inhparent = 'raw.webhook_body'::regclass AND c.relname <> 'webhook_body_default'"
        )
    )


def maintain(control: Control, at: datetime, **config: Any) -> dict[str, Any]:
    result = daily_maintenance.execute_in_process(
        resources={"database": DatabaseResource(role="worker"), "clock": Stopped(at=at.isoformat())},
        instance=control.instance,
        run_config={"ops": {name: {"config": config} for name in ("maintain_bodies", "prune_drafting", "purge_runs")}},
    )
    assert result.success
    shown: dict[str, Any] = {}
    for event in result.all_events:
        if event.event_type_value == "STEP_OUTPUT":
            shown |= {name: value.value for name, value in event.step_output_data.metadata.items()}
    return shown


def name_of(day: date) -> str:
    return f"webhook_body_{day:%Y%m%d}"


def test_maintenance_makes_the_coming_days_and_drops_what_is_past_its_retention(control: Control) -> None:
    rows = control.rows
    future = datetime(2031, 5, 20, 3, 17, tzinfo=UTC)
    old, kept = future - timedelta(days=32), future - timedelta(days=29)
    for day in (old, kept):
        maintain(control, day - timedelta(days=1))
        accept(control.database, [world.replied(control.workspace, day.day, received_at=day)])
    assert {name_of(old.date()), name_of(kept.date())} <= partitions(rows)
    shown = maintain(control, future)
    found = partitions(rows)
    assert {name_of((future + timedelta(days=n)).date()) for n in range(1, 8)} <= found
    assert name_of(old.date()) not in found
    assert name_of(kept.date()) in found
    assert shown["partitions_created"] >= 5
    assert shown["partitions_dropped"] >= 1
    assert rows.column("SELECT received_at FROM raw.webhook_body") == [kept]
    assert rows.value("SELECT count(*) FROM raw.webhook_event") == 2, "what happened stays readable without its body"
    again = maintain(control, future)
    assert (again["partitions_created"], again["partitions_dropped"]) == (0, 0)


def test_a_rehearsal_of_the_maintenance_changes_nothing(control: Control) -> None:
    before = partitions(control.rows)
    control.instance.create_run_for_job(process_inbound, status=dg.DagsterRunStatus.SUCCESS)
    shown = maintain(control, utc_now() + timedelta(days=90), dry_run=True)
    assert partitions(control.rows) == before
    assert (shown["runs_deleted"], shown["runs_old"]) == (0, 1)
    assert control.instance.get_runs_count(dg.RunsFilter(job_name="process_inbound")) == 1


def test_old_runs_of_the_drains_are_deleted_and_nothing_else(control: Control) -> None:
    instance = control.instance
    for status in (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.STARTED):
        instance.create_run_for_job(process_inbound, status=status)

    @dg.job
    def somebody_elses() -> None:
        return None

    instance.create_run_for_job(somebody_elses, status=dg.DagsterRunStatus.SUCCESS)
    assert maintain(control, utc_now() + timedelta(days=13))["runs_old"] == 0
    shown = maintain(control, utc_now() + timedelta(days=15), max_runs=1)
    assert (shown["runs_deleted"], shown["runs_old"]) == (1, 1)
    assert maintain(control, utc_now() + timedelta(days=15))["runs_deleted"] >= 1
    left = {(run.job_name, run.status) for run in instance.get_runs()}
    assert ("process_inbound", dg.DagsterRunStatus.STARTED) in left, "a run that may still be alive is not touched"
    assert ("somebody_elses", dg.DagsterRunStatus.SUCCESS) in left
    assert ("process_inbound", dg.DagsterRunStatus.SUCCESS) not in left


# ── the alarm ────────────────────────────────────────────────────────────────


def alarm(control: Control) -> str:
    """The reason why the alarm is silent, or what it raises."""
    try:
        return control.tick(absence_alarm).skip_message
    except dg.Failure as failure:
        return failure.description or ""


SILENT = "every lane with work is being worked on"


@pytest.mark.parametrize("lane", LANES)
def test_the_alarm_tells_of_work_that_nobody_does(control: Control, lane: str) -> None:
    _, job, queue = LANES[lane]
    assert alarm(control) == SILENT
    control.put(lane, utc_now() - timedelta(seconds=40))
    assert alarm(control) == SILENT, "a busy machine may take its time"
    control.rows.all(f"UPDATE {queue.table} SET {queue.due} = now() - interval '90 seconds'")
    assert job.name in alarm(control)
    assert "no drain is alive" in alarm(control)
    with living(control.database, queue):
        assert alarm(control) == SILENT
    run = control.instance.create_run_for_job(job, status=dg.DagsterRunStatus.SUCCESS)
    assert alarm(control) == SILENT, "a drain has just ended; the next one comes"
    control.instance.delete_run(run.run_id)
    assert job.name in alarm(control)


def test_the_alarm_names_every_lane_at_once_and_the_job_that_catches_up(control: Control) -> None:
    for lane in LANES:
        control.put(lane, utc_now() - 5 * MINUTE)
    said = alarm(control)
    assert all(job.name in said for _, job, _ in LANES.values())


def test_the_alarm_watches_the_calendars_too(control: Control) -> None:
    control.rows.all(
        "INSERT INTO app.calendar (id, workspace_id, provider, external_id, refresh_due_at) "
        "VALUES (gen_random_uuid(), %s, 'ghl', 'c', now() - interval '1 hour')", control.workspace,
    )  # fmt: skip
    assert "refresh_availability: work has waited" in alarm(control)
    control.rows.all("UPDATE app.calendar SET is_active = false")
    assert alarm(control) == SILENT
