"""The lanes as Dagster runs them: sensors that ask the database, drains on real resources."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import dagster as dg
import httpx
import pytest

from tests.conftest import Database
from tests.integration import intake_support as world
from tests.integration.intake_support import accept
from tests.integration.lanes_support import LANES, MINUTE, Control, living
from tests.unit.sandbox_tools import server
from zrg_dagster.core.base.clock import utc_now
from zrg_dagster.core.base.seal import Sealer, new_key
from zrg_dagster.core.base.settings import current_settings
from zrg_dagster.core.db.engine import make_engine
from zrg_dagster.core.workspaces.channels import CREDENTIAL_NAMES, credential_scope
from zrg_dagster.jobs import access as jobs_access
from zrg_dagster.jobs.access import vendor_access
from zrg_dagster.jobs.inbound import process_inbound
from zrg_dagster.jobs.replies import process_replies
from zrg_dagster.jobs.sends import process_sends
from zrg_dagster.resources.channels import Channels
from zrg_dagster.resources.clock import Clock
from zrg_dagster.resources.database import Database as DatabaseResource
from zrg_dagster.sensors.lanes import (
    process_inbound_when_due,
    process_replies_when_due,
    process_sends_when_due,
)


@pytest.fixture
def control(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Control]:
    monkeypatch.setenv("ZRG_DB_WORKER_URL", database.dsn("worker"))
    current_settings.cache_clear()
    with dg.instance_for_test() as instance:
        yield Control(database, instance)


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
        later = control.tick(sensor, Clock(offset_s=60))
        assert isinstance(later, dg.RunRequest), "it did not take the lane: the database went away under it"
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
