"""One Dagster instance over one test database: ticking sensors, running drains, and workers that live."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import dagster as dg

from tests.conftest import Database
from tests.integration import intake_support as world
from tests.integration.intake_support import Rows, accept
from zrg_dagster.core.base.clock import utc_now
from zrg_dagster.core.db.lanes import INBOUND, REPLIES, SENDS, Queue
from zrg_dagster.core.db.worker import worker_session
from zrg_dagster.jobs.inbound import process_inbound
from zrg_dagster.jobs.replies import process_replies
from zrg_dagster.jobs.sends import process_sends
from zrg_dagster.resources.channels import Channels
from zrg_dagster.resources.clock import Clock
from zrg_dagster.resources.database import Database as DatabaseResource
from zrg_dagster.resources.model import Model
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
