"""The follow-up job and its schedule."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import dagster as dg
import pytest

from tests.conftest import Database
from tests.integration.followups_world import NOW, World, make_world
from zrg_dagster.core.base.settings import current_settings
from zrg_dagster.jobs.followups import send_due_followups, send_due_followups_every_minute
from zrg_dagster.resources.clock import Clock
from zrg_dagster.resources.database import Database as DatabaseResource


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    async with make_world(database) as made:
        yield made


class Stopped(Clock):
    """The clock resource, stopped."""

    at: str

    def now(self) -> datetime:
        return datetime.fromisoformat(self.at)


@pytest.fixture
def resources(world: World, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setenv("ZRG_DB_WORKER_URL", world.database.dsn("worker"))
    current_settings.cache_clear()
    return {"database": DatabaseResource(role="worker"), "clock": Stopped(at=NOW.isoformat())}


async def test_the_schedule_asks_first_and_the_job_plans(world: World, resources: dict[str, Any]) -> None:
    def tick(instance: dg.DagsterInstance) -> Any:
        with dg.build_schedule_context(instance=instance, scheduled_execution_time=NOW) as context:
            return send_due_followups_every_minute(context, **resources)

    # A schedule's context needs an instance that has a reference; the ephemeral one has none.
    with dg.instance_for_test() as instance:
        assert "No follow-up step is due" in tick(instance).skip_message
        sequence = await world.sequence((1, 0, "email", "one"))
        for _ in range(3):
            await world.started(await world.lead(), sequence)
        assert tick(instance).tags["zrg/trigger"] == "schedule"
        running = instance.create_run_for_job(send_due_followups, status=dg.DagsterRunStatus.STARTED)
        assert running.run_id[:8] in tick(instance).skip_message
        instance.delete_run(running.run_id)
        config = dg.RunConfig(ops={"plan_due_steps": {"config": {"max_items": 2}}})
        result = await asyncio.to_thread(
            send_due_followups.execute_in_process, resources=resources, run_config=config, instance=instance
        )
        assert result.success
        assert len(await world.sends()) == 2
        result = await asyncio.to_thread(send_due_followups.execute_in_process, resources=resources, instance=instance)
        assert len(await world.sends()) == 3
        (output,) = [event for event in result.all_events if event.event_type_value == "STEP_OUTPUT"]
        metadata = output.step_output_data.metadata
        assert (metadata["claimed"].value, metadata["planned"].value) == (1, 1)
        assert metadata["by_reason"].value.records[0].data == {"reason": "step_planned", "steps": 1}
        assert "No follow-up step is due" in tick(instance).skip_message


async def test_the_environments_dry_run_sends_nothing(
    world: World, resources: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOLLOWUPS_DRY_RUN", "yes")
    current_settings.cache_clear()
    await world.started(await world.lead(), await world.sequence((1, 0, "email", "one")))
    with dg.DagsterInstance.ephemeral() as instance:
        await asyncio.to_thread(send_due_followups.execute_in_process, resources=resources, instance=instance)
    assert await world.sends() == []
