"""A workspace with leads, sequences and their messages, for the follow-up tests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.conftest import Database
from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.db.engine import make_engine, sync_connect
from zrg_dagster.core.followups.due import oldest_due, plan_due
from zrg_dagster.core.followups.outcome import EndCode, apply_send_outcome
from zrg_dagster.core.followups.rules import StartCode
from zrg_dagster.core.followups.start import start_manual

NOW = datetime(2026, 5, 4, 15, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass
class World:
    """One workspace, and short ways to add to it."""

    engine: AsyncEngine
    database: Database
    workspace: UUID = field(default_factory=new_id)
    setter: UUID = field(default_factory=new_id)

    async def run(self, statement: str, **parameters: Any) -> list[Any]:
        async with self.engine.begin() as conn:
            result = await conn.execute(text(statement), parameters)
            return list(result.all()) if result.returns_rows else []

    async def build(self) -> None:
        await self.run(
            "INSERT INTO app.workspace (id, key, name, timezone) VALUES (:id, 'acme', 'Acme', 'America/New_York')",
            id=self.workspace,
        )
        await self.run(
            """INSERT INTO app.workspace_setting (workspace_id, company_name, sender_name, booking_link)
               VALUES (:id, 'Acme', 'Sam', 'https://cal.example/sam')""",
            id=self.workspace,
        )
        await self.run("INSERT INTO app.user (id, email) VALUES (:id, 'setter@example.com')", id=self.setter)

    async def lead(self, *, enabled: bool = True, thread: bool = True, **columns: Any) -> UUID:
        lead_id = new_id()
        values = {"first_name": "Ava", "email": f"{lead_id}@example.org", "phone": None, "last_outbound_at": NOW - DAY}
        values |= {"sender_account_id": "77", **columns}
        names = ", ".join(values)
        await self.run(
            f"""INSERT INTO app.lead (id, workspace_id, auto_follow_up_enabled, {names})
                VALUES (:id, :workspace, :enabled, {", ".join(f":{name}" for name in values)})""",
            id=lead_id,
            workspace=self.workspace,
            enabled=enabled,
            **values,
        )
        if thread:
            await self.message(lead_id, "inbound", NOW - 2 * DAY, provider_message_id="501")
        return lead_id

    async def message(self, lead_id: UUID, direction: str, at: datetime, **columns: Any) -> UUID:
        message_id = new_id()
        values = {"provider_message_id": None, "sent_by_user_id": None, "send_id": None, **columns}
        await self.run(
            f"""INSERT INTO app.message (id, workspace_id, lead_id, message_key, channel, direction, source, provider,
                                        sent_at, {", ".join(values)})
               VALUES (:id, :workspace, :lead, :key, 'email', :direction, 'webhook', 'emailbison', :at,
                       {", ".join(f":{name}" for name in values)})""",
            id=message_id,
            workspace=self.workspace,
            lead=lead_id,
            key=str(message_id),
            direction=direction,
            at=at,
            **values,
        )
        return message_id

    async def sequence(self, *steps: tuple[int, int, str, str], trigger: str = "manual", name: str = "Steps") -> UUID:
        sequence_id = new_id()
        await self.run(
            """INSERT INTO app.follow_up_sequence (id, workspace_id, name, trigger_on)
               VALUES (:id, :workspace, :name, :trigger)""",
            id=sequence_id,
            workspace=self.workspace,
            name=name,
            trigger=trigger,
        )
        for order, (day, minute, channel, body) in enumerate(steps, start=1):
            await self.run(
                """INSERT INTO app.follow_up_step (id, workspace_id, sequence_id, step_order, day_offset, minute_offset,
                                                   channel, message_template)
                   VALUES (:id, :workspace, :sequence, :order, :day, :minute, :channel, :body)""",
                id=new_id(),
                workspace=self.workspace,
                sequence=sequence_id,
                order=order,
                day=day,
                minute=minute,
                channel=channel,
                body=body,
            )
        return sequence_id

    async def started(self, lead_id: UUID, sequence_id: UUID, at: datetime = NOW) -> UUID:
        async with self.engine.begin() as conn:
            assert await start_manual(conn, lead_id, sequence_id, at) == StartCode.STARTED
        return (await self.instance(lead_id)).id

    async def instance(self, lead_id: UUID) -> Any:
        return (await self.run("SELECT * FROM app.follow_up_instance WHERE lead_id = :id", id=lead_id))[0]

    async def sends(self) -> list[Any]:
        return await self.run("SELECT * FROM app.send ORDER BY id")

    async def executions(self) -> list[Any]:
        return await self.run("SELECT * FROM app.follow_up_step_execution ORDER BY id")

    async def codes(self, lead_id: UUID) -> list[str]:
        return [
            row.code
            for row in await self.run("SELECT code FROM app.decision WHERE lead_id = :id ORDER BY id", id=lead_id)
        ]

    async def due(self, at: datetime = NOW, *, limit: int = 100, dry_run: bool = False) -> dict[str, int]:
        async with self.engine.begin() as conn:
            return dict((await plan_due(conn, at, limit=limit, dry_run=dry_run)).reasons)

    def oldest(self, at: datetime = NOW) -> datetime | None:
        with sync_connect(self.database.dsn("worker")) as connection:
            return oldest_due(connection, at)

    async def settle(self, state: str, *, at: datetime = NOW, reason: str | None = None) -> EndCode | None:
        """End the newest send the way the sends lane does: the ledger row and its consequence in one transaction."""
        row = (await self.sends())[-1]
        async with self.engine.begin() as conn:
            written = (await conn.execute(_SETTLE, {"id": row.id, "state": state, "reason": reason, "at": at})).one()
            return await apply_send_outcome(conn, written, state, at)


_SETTLE = text("""
    UPDATE app.send SET state = :state, reason = :reason,
        sent_at = CASE WHEN CAST(:state AS text) = 'sent' THEN CAST(:at AS timestamptz) END
    WHERE id = :id RETURNING *""")


async def add_appointment(world: World, lead: UUID, status: str = "confirmed") -> None:
    await world.run(
        """INSERT INTO app.appointment (id, workspace_id, lead_id, provider, external_id, status, booked_at,
                                        booked_at_source, vendor_updated_at)
           VALUES (:id, :w, :lead, 'calendly', :key, :status, :now, 'webhook', :now)""",
        id=new_id(),
        w=world.workspace,
        lead=lead,
        key=str(lead),
        status=status,
        now=NOW,
    )


@asynccontextmanager
async def make_world(database: Database) -> AsyncIterator[World]:
    """A world on its own engine, with the worker's rights."""
    engine = make_engine(database.dsn("worker"), pool_size=5)
    try:
        made = World(engine, database)
        await made.build()
        yield made
    finally:
        await engine.dispose()
