"""The lanes as Dagster runs them: sensors that ask the database, drains on real resources, housekeeping, the alarm."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import dagster as dg
import httpx
import pytest

from tests.conftest import Database
from tests.integration import intake_support as world
from tests.integration.intake_support import Rows, accept
from tests.unit.sandbox_tools import server
from zrg_dagster.core.base.clock import utc_now
from zrg_dagster.core.base.seal import Sealer, new_key
from zrg_dagster.core.base.settings import current_settings
from zrg_dagster.core.db.engine import make_engine
from zrg_dagster.core.db.lanes import INBOUND, REPLIES, SENDS, Queue
from zrg_dagster.core.db.worker import worker_session
from zrg_dagster.core.workspaces.channels import CREDENTIAL_NAMES, credential_scope
from zrg_dagster.jobs import access as jobs_access
from zrg_dagster.jobs.access import vendor_access
from zrg_dagster.jobs.inbound import process_inbound
from zrg_dagster.jobs.maintenance import daily_maintenance
from zrg_dagster.jobs.replies import process_replies
from zrg_dagster.jobs.sends import process_sends
from zrg_dagster.resources.channels import Channels
from zrg_dagster.resources.clock import Clock
from zrg_dagster.resources.database import Database as DatabaseResource
from zrg_dagster.resources.model import Model
from zrg_dagster.sensors.absence import absence_alarm
from zrg_dagster.sensors.lanes import (
    process_inbound_when_due,
    process_replies_when_due,
    process_sends_when_due,
)

LANES = {
    "inbound": (process_inbound_when_due, process_inbound, INBOUND),
    "replies": (process_replies_when_due, process_replies, REPLIES),
    "sends": (process_sends_when_due, process_sends, SENDS),
}
MINUTE = timedelta(minutes=1)


class Stopped(Clock):
    """The clock resource, stopped."""

    at: str

    def now(self) -> datetime:
        return datetime.fromisoformat(self.at)


class Control:
    """One Dagster instance and the product's resources on one test database."""

    def __init__(self, database: Database, instance: dg.DagsterInstance) -> None:
        self.database = database
        self.instance = instance
        self.rows = Rows(database)
        self.workspace = self.rows.workspace()

    @property
    def resources(self) -> dict[str, Any]:
        return {
            "database": DatabaseResource(role="worker"),
            "clock": Clock(),
            "model": Model(),
            "channels": Channels(),
        }

    def tick(self, sensor: dg.SensorDefinition, clock: Clock | None = None) -> Any:
        with dg.build_sensor_context(instance=self.instance) as context:
            return sensor(context, database=DatabaseResource(role="worker"), clock=clock or Clock())

    def run(self, job: dg.JobDefinition, **config: Any) -> dict[str, Any]:
        """Execute a drain; what its run page shows."""
        (op,) = job.all_node_defs
        assert isinstance(op, dg.OpDefinition)
        result = job.execute_in_process(
            resources={name: self.resources[name] for name in op.required_resource_keys},
            instance=self.instance,
            run_config={"ops": {op.name: {"config": {"idle_s": 0, **config}}}},
        )
        assert result.success
        (output,) = [event for event in result.all_events if event.event_type_value == "STEP_OUTPUT"]
        return {name: value.value for name, value in output.step_output_data.metadata.items()}

    def put(self, lane: str, at: datetime, state: str | None = None) -> UUID:
        """One row of work in a lane, due at `at`."""
        match lane:
            case "inbound":
                accept(self.database, [world.replied(self.workspace, 1, received_at=at)])
                table = "raw.webhook_event"
            case "replies":
                self.rows.all(
                    "INSERT INTO app.job (id, workspace_id, lane, kind, job_key, serial_key, correlation_id, run_at) "
                    "VALUES (gen_random_uuid(), %s, 'replies', 'reply', 'k', 's', 'c', %s)", self.workspace, at,
                )  # fmt: skip
                table = "app.job"
            case _:
                self.rows.all(
                    "INSERT INTO app.send (id, workspace_id, natural_key, kind, origin, channel, vendor, recipient, content, "
                    "due_at, correlation_id) VALUES (gen_random_uuid(), %s, 'k', 'digest', 'system', 'slack', 'slack', "
                    "'C1', '{\"text\": \"hi\"}', %s, 'c')", self.workspace, at,
                )  # fmt: skip
                table = "app.send"
        if state:
            self.rows.all(f"UPDATE {table} SET state = %s, claimed_by = 4711, claimed_at = now()", state)
        return self.rows.value(f"SELECT id FROM {table}")


@pytest.fixture
def control(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Control]:
    monkeypatch.setenv("ZRG_DB_WORKER_URL", database.dsn("worker"))
    current_settings.cache_clear()
    with dg.instance_for_test() as instance:
        yield Control(database, instance)


@contextmanager
def living(database: Database, queue: Queue) -> Iterator[None]:
    """A worker of the lane holds its lock while the block runs."""
    loop = asyncio.new_event_loop()
    session = worker_session(database.dsn("worker"), queue, run_id=None, now=utc_now())
    loop.run_until_complete(session.__aenter__())
    try:
        yield
    finally:
        loop.run_until_complete(session.__aexit__(None, None, None))
        loop.close()


# ── sensors ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("lane", LANES)
def test_a_sensor_starts_a_drain_only_for_work_that_nobody_does(control: Control, lane: str) -> None:
    sensor, job, queue = LANES[lane]
    assert control.tick(sensor).skip_message == "nothing is due"
    control.put(lane, utc_now() + 5 * MINUTE)
    assert control.tick(sensor).skip_message == "nothing is due", "work of the future is no work"
    control.rows.all(f"UPDATE {queue.table} SET {queue.due} = now() - interval '1 minute'")
    request = control.tick(sensor)
    assert isinstance(request, dg.RunRequest)
    assert request.tags == {"zrg/lane": lane, "zrg/trigger": "sensor"}
    with living(control.database, queue):
        assert control.tick(sensor).skip_message == "a drain is working"
    for status in (dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTED):
        run = control.instance.create_run_for_job(job, status=status)
        assert control.tick(sensor).skip_message == "a drain is on its way"
        control.instance.delete_run(run.run_id)
    control.instance.create_run_for_job(job, status=dg.DagsterRunStatus.FAILURE)
    assert isinstance(control.tick(sensor), dg.RunRequest), "a run that is over does nothing any more"


@pytest.mark.parametrize("lane, state", [("inbound", "running"), ("replies", "running"), ("sends", "sending")])
def test_what_a_dead_worker_held_is_work_too(control: Control, lane: str, state: str) -> None:
    """And the run that died holding it counts as on its way only while it could still be starting."""
    sensor, job, queue = LANES[lane]
    control.put(lane, utc_now() - MINUTE, state)
    assert isinstance(control.tick(sensor), dg.RunRequest)
    with living(control.database, queue):
        assert control.tick(sensor).skip_message == "nothing is due", "the living worker releases it"
    control.instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    assert control.tick(sensor).skip_message == "a drain is on its way"
    assert isinstance(control.tick(sensor, Clock(offset_s=60)), dg.RunRequest), "a minute later it is a dead one"


def test_parked_replies_are_work_as_soon_as_there_is_a_model(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    control.put("replies", utc_now() - MINUTE)
    control.rows.all("UPDATE app.job SET state = 'parked', reason = 'model_no_key'")
    assert control.tick(process_replies_when_due).skip_message == "nothing is due", "an idle platform starts nothing"
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    current_settings.cache_clear()
    assert isinstance(control.tick(process_replies_when_due), dg.RunRequest)
    control.rows.all("UPDATE app.job SET run_at = now() + interval '3 minutes'")
    assert control.tick(process_replies_when_due).skip_message == "nothing is due", "its pause is not over"


# ── drains ───────────────────────────────────────────────────────────────────


@pytest.fixture
def connected(control: Control, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    """The workspace with its accounts at a sandbox of the vendors, in a process of its own."""
    with server() as sandbox:
        keys = new_key()
        for name, value in {
            "ZRG_SECRET_KEYS": keys,
            "OPENAI_API_KEY": "sk-sandbox",
            "OPENAI_BASE_URL": f"{sandbox}/openai/v1",
            "GHL_BASE_URL": f"{sandbox}/ghl",
            "SLACK_API_BASE_URL": f"{sandbox}/slack/api",
        }.items():
            monkeypatch.setenv(name, value)
        current_settings.cache_clear()
        tokens = {
            "emailbison": ("sandbox-emailbison-key", f"{sandbox}/emailbison"),
            "slack": ("xoxb-sandbox", None),
        }
        for provider, (token, address) in tokens.items():
            name = CREDENTIAL_NAMES[provider]
            sealed = Sealer(keys).seal(token, scope=credential_scope(control.workspace, name))
            control.rows.all(
                "INSERT INTO app.integration (workspace_id, provider, base_url) VALUES (%s, %s, %s)",
                control.workspace, provider, address,
            )  # fmt: skip
            control.rows.all(
                "INSERT INTO secret.credential (workspace_id, name, sealed, updated_at) VALUES (%s, %s, %s, now())",
                control.workspace, name, sealed,
            )  # fmt: skip
        with httpx.Client(base_url=sandbox, timeout=30) as client:
            yield client


def test_a_reply_goes_through_the_three_drains_to_the_vendor(control: Control, connected: httpx.Client) -> None:
    """Everything real but the vendors' machines: sensors, runs, sealed credentials, HTTP over a socket."""
    rows = control.rows
    rows.all(
        "INSERT INTO app.email_campaign (id, workspace_id, provider, external_id, response_mode, auto_send_threshold, "
        "delay_min_s, delay_max_s) VALUES (gen_random_uuid(), %s, 'emailbison', '318', 'AI_AUTO_SEND', 0.1, 0, 0)",
        control.workspace,
    )  # fmt: skip
    now = utc_now() - MINUTE
    deliveries = [
        world.replied(control.workspace, 4401, "Sounds interesting, tell me more about how it works.", at=now),
        world.replied(
            control.workspace, 4402, "Thanks, but we are not interested.", at=now, lead=world.person("ada", 2),
            sender="ada@brightloom.example", from_name="Ada",
        ),
    ]  # fmt: skip
    connected.post(
        "/_control/learn", json={"provider": "emailbison", "bodies": [json.loads(d.body) for d in deliveries]}
    ).raise_for_status()
    accept(control.database, [*deliveries, world.email(control.workspace, {"event": {"type": "NEW_ONE"}, "data": {}})])

    assert isinstance(control.tick(process_inbound_when_due), dg.RunRequest)
    shown = control.run(process_inbound)
    assert (shown["claimed"], shown["done"], shown["dead"], shown["retried"]) == (3, 2, 0, 0)
    assert shown["outcomes"] == {"processed": 2, "quarantined": 1}
    assert shown["reasons"] == {"unknown_event_type": 1}
    assert shown["oldest_due_s"] > 0
    assert control.tick(process_inbound_when_due).skip_message == "nothing is due"

    assert isinstance(control.tick(process_replies_when_due), dg.RunRequest)
    shown = control.run(process_replies)
    assert (shown["claimed"], shown["done"]) == (2, 2)
    assert shown["reasons"] == {"no_draft_for_tag": 1}
    assert control.tick(process_replies_when_due).skip_message == "nothing is due"

    assert isinstance(control.tick(process_sends_when_due), dg.RunRequest)
    shown = control.run(process_sends)
    assert shown["outcomes"] == {"sent": 1}
    calls = connected.get("/_control/requests", params={"provider": "emailbison", "method": "POST"}).json()["requests"]
    assert len(calls) == 1
    draft = rows.one("SELECT status, disposition, body FROM app.draft")
    assert (draft["status"], draft["disposition"]) == ("approved", "AUTO_SENT")
    assert draft["body"].splitlines()[0][:20] in json.dumps(calls[0]["body"], ensure_ascii=False)
    workers = rows.all("SELECT lane, run_id, stopped_at FROM ops.worker ORDER BY id")
    assert [worker["lane"] for worker in workers] == ["inbound", "replies", "sends"]
    assert all(worker["run_id"] and worker["stopped_at"] for worker in workers)


def test_a_workspace_without_accounts_is_told_so_and_nothing_is_called(control: Control) -> None:
    control.put("sends", utc_now() - MINUTE)
    shown = control.run(process_sends)
    assert (shown["outcomes"], shown["reasons"]) == ({"refused": 1}, {"vendor_not_connected": 1})


def test_a_drain_ends_with_its_budget_and_leaves_the_rest_due(control: Control) -> None:
    control.put("inbound", utc_now() - MINUTE)
    shown = control.run(process_inbound, budget_s=0)
    assert shown["claimed"] == 0
    assert isinstance(control.tick(process_inbound_when_due), dg.RunRequest)


def test_a_failing_drain_still_shows_its_numbers(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    control.put("inbound", utc_now() - MINUTE)

    async def broken(*_args: Any) -> None:
        raise RuntimeError("the lane itself broke")

    monkeypatch.setattr("zrg_dagster.core.intake.drain.InboundLane._work", broken)
    result = process_inbound.execute_in_process(
        resources={"database": DatabaseResource(role="worker"), "clock": Clock()},
        instance=control.instance,
        run_config={"ops": {"drain_deliveries": {"config": {"idle_s": 0}}}},
        raise_on_error=False,
    )
    assert not result.success
    assert control.rows.one("SELECT state, attempts FROM raw.webhook_event") == {"state": "running", "attempts": 1}
    assert isinstance(control.tick(process_inbound_when_due), dg.RunRequest), "what it held is stranded, hence work"


def test_a_credential_that_changes_during_a_drain_reaches_it(
    control: Control, connected: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A drain may run for half an hour. Disconnecting must stop it, and connecting must not wait for the next one."""
    now = [0.0]
    monkeypatch.setattr(jobs_access.time, "monotonic", lambda: now[0])
    rows, workspace = control.rows, control.workspace

    async def ask() -> list[bool]:
        engine = make_engine(control.database.dsn("worker"), pool_size=1)
        access, seen = vendor_access(Channels()), []

        async def usable(vendor: str) -> None:
            async with engine.connect() as conn:
                seen.append(await access(conn, workspace, vendor) is not None)

        try:
            await usable("slack")
            rows.all("UPDATE app.integration SET is_active = false WHERE provider = 'slack'")
            await usable("slack")  # remembered for a moment
            now[0] += jobs_access.REMEMBER_S + 1
            await usable("slack")
            rows.all("UPDATE app.integration SET is_active = true WHERE provider = 'slack'")
            await usable("slack")  # a problem is not remembered at all
            await usable("ghl")
        finally:
            await engine.dispose()
        return seen

    assert asyncio.run(ask()) == [True, True, False, True, False]


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
        run_config={"ops": {name: {"config": config} for name in ("maintain_bodies", "purge_runs")}},
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
