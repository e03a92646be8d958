"""A small invented world for the analytics tests: a workspace with leads, appointments and a follow-up sequence."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import dagster as dg
import psycopg

from zrg_dagster.core.analytics import facts
from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.db.engine import sync_connect
from zrg_dagster.resources.clock import Clock
from zrg_dagster.resources.database import Database

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


class FixedClock(Clock):
    """A clock that stands still."""

    at: str

    def now(self) -> datetime:
        return datetime.fromisoformat(self.at)


class World:
    """Writes business rows as the worker role and runs builders as the build role."""

    def __init__(self, database: Any, monkeypatch: Any, home: Any) -> None:
        self._database = database
        monkeypatch.setenv("ZRG_DB_BUILD_URL", database.dsn("build"))
        monkeypatch.setenv("ZRG_HOME", str(home))
        self.resources: dict[str, Any] = {"warehouse": Database(role="build"), "clock": FixedClock(at=NOW.isoformat())}
        self.worker = psycopg.connect(database.dsn("worker"), autocommit=True)
        self.build = sync_connect(database.dsn("build"), statement_timeout_ms=30_000)
        self.build.autocommit = True
        self.workspace = self.add_workspace("acme")
        self.sequence = self.add_sequence("Chaser")

    def close(self) -> None:
        self.worker.close()
        self.build.close()

    def superuser(self, statement: str, *values: object) -> None:
        """What no role of the product may do: break a constraint to plant a bad row."""
        with psycopg.connect(self._database.dsn("bootstrap"), autocommit=True) as conn:
            conn.execute(statement.encode(), values)

    def add_workspace(self, key: str) -> UUID:
        workspace = new_id()
        self.worker.execute("INSERT INTO app.workspace (id, key, name) VALUES (%s, %s, %s)", [workspace, key, key])
        return workspace

    def add_sequence(self, name: str, workspace: UUID | None = None) -> UUID:
        sequence = new_id()
        self.worker.execute(
            "INSERT INTO app.follow_up_sequence (id, workspace_id, name) VALUES (%s, %s, %s)",
            [sequence, workspace or self.workspace, name],
        )
        return sequence

    def add_lead(self, workspace: UUID | None = None) -> UUID:
        lead = new_id()
        self.worker.execute(
            "INSERT INTO app.lead (id, workspace_id) VALUES (%s, %s)", [lead, workspace or self.workspace]
        )
        return lead

    def add_instance(self, lead: UUID, sequence: UUID | None = None, started: datetime = NOW - 40 * DAY) -> UUID:
        instance = new_id()
        self.worker.execute(
            "INSERT INTO app.follow_up_instance (id, workspace_id, lead_id, sequence_id, started_at) "
            "VALUES (%s, %s, %s, %s, %s)",
            [instance, self.workspace, lead, sequence or self.sequence, started],
        )
        return instance

    def add_step(
        self, lead: UUID, instance: UUID, at: datetime | None, outcome: str = "sent", workspace: UUID | None = None
    ) -> UUID:
        step = uuid4()
        self.worker.execute(
            "INSERT INTO app.follow_up_step_execution (id, workspace_id, lead_id, instance_id, step_id, attempt, channel,"
            " outcome, planned_at, executed_at) VALUES (%s, %s, %s, %s, %s, 1, 'email', %s, %s, %s)",
            [new_id(), workspace or self.workspace, lead, instance, step, outcome, at or NOW, at],
        )
        return step

    def add_appointment(
        self, lead: UUID | None, booked_at: datetime, external_id: str | None = None, **more: Any
    ) -> str:
        values = {
            "id": new_id(), "workspace_id": self.workspace, "lead_id": lead, "provider": "calendly",
            "external_id": external_id or str(uuid4()), "status": "confirmed", "booked_at": booked_at,
            "booked_at_source": "provider", "vendor_updated_at": booked_at, "start_at": booked_at + 3 * DAY, **more,
        }  # fmt: skip
        columns = ", ".join(values)
        self.worker.execute(
            f"INSERT INTO app.appointment ({columns}) VALUES ({', '.join(['%s'] * len(values))})".encode(),
            list(values.values()),
        )
        return values["external_id"]

    def mark(self, fact: str, day: Any, workspace: UUID | None = None) -> int:
        """A flag as writers set it; answers its version."""
        row = self.worker.execute(
            "INSERT INTO ops.fact_dirty (fact, utc_day, workspace_id, version) "
            "VALUES (%s, %s, %s, nextval('ops.fact_dirty_version')) "
            "ON CONFLICT (fact, utc_day, workspace_id) DO UPDATE SET version = excluded.version RETURNING version",
            [fact, day, workspace or self.workspace],
        ).fetchone()
        assert row is not None
        return row[0]

    def flags(self) -> list[tuple[str, Any, int]]:
        rows = self.worker.execute("SELECT fact, utc_day, version FROM ops.fact_dirty ORDER BY version")
        return [tuple(row) for row in rows]

    def rows(self, statement: str, *values: object) -> list[Any]:
        with sync_connect(self._database.dsn("build")) as conn:
            return conn.execute(statement.encode(), values).fetchall()

    def stop_clock(self, at: datetime) -> None:
        self.resources["clock"] = FixedClock(at=at.isoformat())

    def materialize(self, assets: list[Any], *, instance: dg.DagsterInstance | None = None, **options: Any):
        """Run assets and checks in this process. An instance of its own is closed, or its folder would outlive it."""
        if instance is not None:
            return dg.materialize(assets, resources=self.resources, instance=instance, **options)
        with dg.DagsterInstance.ephemeral() as own:
            return dg.materialize(assets, resources=self.resources, instance=own, **options)


def build(world: World, fact: facts.Fact, first: date | None = None, last: date | None = None) -> facts.Built:
    with world.build.transaction():
        return facts.build(world.build, fact, first or NOW.date(), last or first or NOW.date(), NOW.date())
