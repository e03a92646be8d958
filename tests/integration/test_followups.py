"""Follow-ups against a real Postgres: start, due, send outcome, pause, resume, booking; and the job and its schedule."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import dagster as dg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from tests.conftest import Database
from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.base.settings import current_settings
from zrg_dagster.core.db.engine import make_engine, sync_connect
from zrg_dagster.core.followups.due import oldest_due, plan_due
from zrg_dagster.core.followups.outcome import EndCode, apply_send_outcome
from zrg_dagster.core.followups.pause import Touch, complete_on_booking, pause_on_reply, resume_on_touch
from zrg_dagster.core.followups.rules import StartCode
from zrg_dagster.core.followups.start import SetterReply, start_manual, start_on_booking, start_on_setter_replies
from zrg_dagster.jobs.followups import send_due_followups, send_due_followups_every_minute
from zrg_dagster.resources.clock import Clock
from zrg_dagster.resources.database import Database as DatabaseResource

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


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    engine = make_engine(database.dsn("worker"), pool_size=5)
    made = World(engine, database)
    await made.build()
    yield made
    await engine.dispose()


# --- due steps -----------------------------------------------------------------------------------------------------


async def test_a_due_step_becomes_one_planned_send_and_waits_for_its_outcome(world: World) -> None:
    lead = await world.lead()
    sequence = await world.sequence((1, 0, "email", "Hi {firstName}, {senderName} here. {link}"), (3, 0, "email", "2"))
    instance = await world.started(lead, sequence)
    assert world.oldest() == NOW
    assert await world.due() == {"step_planned": 1}
    (send,) = await world.sends()
    (execution,) = await world.executions()
    assert send.natural_key == f"follow_up:{instance}:{execution.step_id}"
    assert (send.kind, send.origin, send.channel, send.vendor) == ("follow_up", "system", "email", "emailbison")
    assert send.content["text"] == "Hi Ava, Sam here. https://cal.example/sam"
    assert (send.content["reply_id"], send.content["sender_email_id"]) == ("501", "77")
    assert (execution.outcome, execution.send_id, execution.attempt) == ("planned", send.id, 1)
    # Until the send has ended the instance is not due: no second plan, no run.
    assert world.oldest(NOW + 30 * DAY) is None
    assert await world.due(NOW + 30 * DAY) == {}


async def test_a_sent_step_advances_and_the_last_one_completes(world: World) -> None:
    lead = await world.lead()
    await world.started(lead, await world.sequence((1, 0, "email", "one"), (3, 0, "email", "two")))
    await world.due()
    sent_at = NOW + timedelta(minutes=4)
    assert await world.settle("sent", at=sent_at) == EndCode.SENT
    row = await world.instance(lead)
    assert (row.status, row.current_step, row.last_step_at) == ("active", 1, sent_at)
    assert row.next_step_due == sent_at + 2 * DAY
    later = sent_at + 2 * DAY
    await world.due(later)
    assert await world.settle("sent", at=later) == EndCode.SENT
    row = await world.instance(lead)
    assert (row.status, row.current_step, row.next_step_due, row.completed_at) == ("completed", 2, None, later)
    dirty = await world.run("SELECT fact, utc_day FROM ops.fact_dirty ORDER BY utc_day")
    assert [(each.fact, each.utc_day) for each in dirty] == [
        ("step_execution", sent_at.date()),
        ("step_execution", later.date()),
    ]
    # Reported twice, applied once.
    assert await world.settle("sent", at=later + HOUR) is None


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE app.lead SET auto_follow_up_enabled = false",
        "UPDATE app.lead SET snoozed_until = :later",
        "UPDATE app.workspace_setting SET follow_ups_paused_until = :later",
        "UPDATE app.workspace SET is_active = false",
        "UPDATE app.follow_up_instance SET next_step_due = :later",
    ],
)
async def test_what_is_not_eligible_is_not_due_and_starts_no_run(world: World, change: str) -> None:
    """FU-33."""
    lead = await world.lead()
    await world.started(lead, await world.sequence((1, 0, "email", "one")))
    await world.run(change, **({"later": NOW + HOUR} if ":later" in change else {}))
    assert world.oldest() is None
    assert await world.due() == {}
    assert (await world.instance(lead)).status == "active"


async def test_a_lead_who_wrote_last_pauses_the_instance(world: World) -> None:
    """FU-34, also when the reply was never announced to the follow-up rules."""
    lead = await world.lead(last_inbound_at=NOW - HOUR)
    await world.started(lead, await world.sequence((1, 0, "email", "one")))
    assert await world.due() == {"lead_replied": 1}
    row = await world.instance(lead)
    assert (row.status, row.paused_reason) == ("paused", "lead_replied")
    assert await world.sends() == []


async def test_a_booked_lead_is_completed_except_after_a_meeting(world: World) -> None:
    plain, after = await world.lead(), await world.lead()
    await world.started(plain, await world.sequence((1, 0, "email", "one")))
    for lead in (plain, after):
        await _appointment(world, lead)
    async with world.engine.begin() as conn:
        sequence = await world.sequence((1, 0, "email", "prep"), trigger="meeting_selected", name="After")
        assert await start_on_booking(conn, [after, plain], NOW) == {StartCode.STARTED: 2}
    assert sequence
    reasons = await world.due()
    # The plain lead has two instances; the one before the meeting ends, the one after it goes out.
    assert reasons == {"meeting_booked": 1, "step_planned": 2}


async def test_sms_without_a_number_makes_a_task_and_goes_on(world: World) -> None:
    """Design: task, skip, advance."""
    lead = await world.lead()
    await world.started(lead, await world.sequence((1, 0, "sms", "text {firstName}"), (2, 0, "email", "mail")))
    assert await world.due() == {"missing_phone": 1}
    row = await world.instance(lead)
    assert (row.status, row.current_step, row.next_step_due) == ("active", 1, NOW + DAY)
    (task,) = await world.run("SELECT * FROM app.follow_up_task")
    assert (task.type, task.reason, task.status) == ("sms", "missing_phone", "pending")
    (execution,) = await world.executions()
    assert (execution.outcome, execution.executed_at) == ("task_created", NOW)
    assert await world.codes(lead) == ["started", "missing_phone"]


async def test_sms_with_a_contact_is_planned(world: World) -> None:
    lead = await world.lead(phone="+12025550123")
    await world.run(
        """INSERT INTO app.lead_identity (workspace_id, kind, value, lead_id, source)
           VALUES (:workspace, 'ghl_contact', 'c-1', :lead, 'test')""",
        workspace=world.workspace,
        lead=lead,
    )
    await world.started(lead, await world.sequence((1, 0, "sms", "Hi {firstName}")))
    assert await world.due() == {"step_planned": 1}
    (send,) = await world.sends()
    assert (send.vendor, send.recipient, send.content) == (
        "ghl",
        "+12025550123",
        {"contact_id": "c-1", "text": "Hi Ava"},
    )


async def test_a_message_with_a_hole_is_never_planned(world: World) -> None:
    lead = await world.lead(first_name=None)
    await world.started(lead, await world.sequence((1, 0, "email", "Hi {firstName}, about {result} {nonsense}")))
    assert await world.due() == {"template_blocked": 1}
    row = await world.instance(lead)
    assert row.paused_reason == "missing_lead_data: {firstName}, {result}, {nonsense}"
    assert await world.sends() == []


async def test_availability_in_a_message_comes_from_the_cache(world: World) -> None:
    lead = await world.lead()
    await world.started(lead, await world.sequence((1, 0, "email", "Free {availability}?")))
    calendar = new_id()
    await world.run(
        "INSERT INTO app.calendar (id, workspace_id, provider, external_id) VALUES (:id, :w, 'ghl', 'cal')",
        id=calendar,
        w=world.workspace,
    )
    for slot in (datetime(2026, 5, 5, 14, 0, tzinfo=UTC), datetime(2026, 5, 6, 19, 30, tzinfo=UTC)):
        await world.run(
            "INSERT INTO app.availability_slot VALUES (:w, :c, :at)", w=world.workspace, c=calendar, at=slot
        )
    assert await world.due() == {"step_planned": 1}
    (send,) = await world.sends()
    assert send.content["text"] == "Free 10:00 AM EDT on Tue, May 5 or 3:30 PM EDT on Wed, May 6?"


async def test_one_follow_up_a_day_per_channel_even_within_one_batch(world: World) -> None:
    """FU-53: the second sequence of the same lead waits for the next local morning."""
    lead = await world.lead()
    first = await world.sequence((1, 0, "email", "one"), name="A")
    second = await world.sequence((1, 0, "email", "two"), name="B")
    await world.started(lead, first, NOW - HOUR)
    async with world.engine.begin() as conn:
        await start_manual(conn, lead, second, NOW)
    assert await world.due() == {"step_planned": 1, "channel_used_today": 1}
    (row,) = await world.run("SELECT * FROM app.follow_up_instance WHERE sequence_id = :id", id=second)
    assert row.next_step_due == datetime(2026, 5, 5, 13, 0, tzinfo=UTC)  # 09:00 in New York
    assert len(await world.sends()) == 1


async def test_a_dry_run_counts_and_changes_nothing(world: World) -> None:
    lead = await world.lead()
    await world.started(lead, await world.sequence((1, 0, "email", "one")))
    before = await world.instance(lead)
    assert await world.due(dry_run=True) == {"step_planned": 1}
    assert await world.instance(lead) == before
    assert await world.sends() == []
    assert await world.codes(lead) == ["started"]


async def test_two_runs_at_once_never_plan_a_step_twice(world: World) -> None:
    sequence = await world.sequence((1, 0, "email", "one"))
    for _ in range(6):
        await world.started(await world.lead(), sequence)
    async with world.engine.begin() as one, world.engine.begin() as two:
        first = await plan_due(one, NOW, limit=4)
        second = await plan_due(two, NOW, limit=100)
    assert (first.planned, second.planned) == (4, 2)
    assert len(await world.sends()) == 6


async def test_the_oldest_due_come_first_and_the_limit_holds(world: World) -> None:
    sequence = await world.sequence((1, 0, "email", "one"))
    leads = [await world.lead() for _ in range(3)]
    for number, lead in enumerate(leads):
        await world.started(lead, sequence, NOW - number * HOUR)
    assert await world.due(limit=2) == {"step_planned": 2}
    assert {send.lead_id for send in await world.sends()} == {leads[1], leads[2]}


async def test_a_known_intent_is_never_planned_again(world: World) -> None:
    lead = await world.lead()
    await world.started(lead, await world.sequence((1, 0, "email", "one")))
    await world.due()
    await world.run("DELETE FROM app.follow_up_step_execution")
    await world.run("UPDATE app.follow_up_instance SET next_step_due = :now", now=NOW)
    assert await world.due() == {"step_planned": 1}
    row = await world.instance(lead)
    assert (row.status, row.paused_reason) == ("paused", "step_error")
    assert len(await world.sends()) == 1
    assert (await world.codes(lead))[-1] == "send_exists_already"


# --- outcomes ------------------------------------------------------------------------------------------------------


async def test_an_uncertain_send_pauses_and_its_discovery_resumes(world: World) -> None:
    lead = await world.lead()
    await world.started(lead, await world.sequence((1, 0, "email", "one"), (2, 0, "email", "two")))
    await world.due()
    assert await world.settle("unknown") == EndCode.UNCERTAIN
    row = await world.instance(lead)
    assert (row.status, row.paused_reason) == ("paused", "email_send_uncertain")
    # An operator who resumes too early does not cause a second send.
    await world.run(
        "UPDATE app.follow_up_instance SET status = 'active', paused_reason = NULL, next_step_due = :n", n=NOW
    )
    assert await world.due() == {"step_in_flight": 1}
    assert await world.settle("needs_human") == EndCode.UNCERTAIN
    assert await world.settle("sent", at=NOW + HOUR) == EndCode.SENT
    row = await world.instance(lead)
    assert (row.status, row.current_step, row.next_step_due) == ("active", 1, NOW + HOUR + DAY)
    assert len(await world.sends()) == 1


async def test_a_blocked_send_is_tried_again_later_and_in_the_end_given_to_a_person(world: World) -> None:
    """FU-38: growing waits, then step_error."""
    lead = await world.lead()
    instance = await world.started(lead, await world.sequence((1, 0, "email", "one")))
    at, waits = NOW, []
    for attempt in range(1, 6):
        assert await world.due(at) in ({"step_planned": 1},)
        send = (await world.sends())[-1]
        assert send.natural_key.endswith(f":{attempt}") or attempt == 1
        code = await world.settle("blocked", at=at, reason="recipient_changed")
        row = await world.instance(lead)
        if attempt == 5:
            assert code == EndCode.GAVE_UP
            break
        assert code == EndCode.RETRY
        waits.append(row.next_step_due - at)
        # The rate rule counts plans that may have left, not those that certainly did not.
        at = row.next_step_due
    assert waits == [timedelta(minutes=minutes) for minutes in (5, 20, 80, 320)]
    assert (row.status, row.paused_reason) == ("paused", "step_error")
    executions = await world.executions()
    assert [(each.attempt, each.outcome, each.reason) for each in executions] == [
        (number, "failed", "recipient_changed") for number in range(1, 6)
    ]
    assert instance
    assert len(await world.run("SELECT FROM app.follow_up_task")) == 1


@pytest.mark.parametrize(
    ("reason", "status", "paused_reason"),
    [("lead_replied", "paused", "lead_replied"), ("suppressed", "cancelled", None), ("kill_switch", "active", None)],
)
async def test_what_a_closed_gate_means(world: World, reason: str, status: str, paused_reason: str | None) -> None:
    lead = await world.lead()
    await world.started(lead, await world.sequence((1, 0, "email", "one")))
    await world.due()
    await world.settle("blocked", reason=reason)
    row = await world.instance(lead)
    assert (row.status, row.paused_reason) == (status, paused_reason)
    (execution,) = await world.executions()
    assert execution.reason == reason


async def test_a_refused_email_becomes_a_task_and_the_sequence_goes_on(world: World) -> None:
    """FU-59."""
    lead = await world.lead()
    await world.started(lead, await world.sequence((1, 0, "email", "one"), (2, 0, "email", "two")))
    await world.due()
    assert await world.settle("refused", reason="rejected") == EndCode.SKIPPED
    row = await world.instance(lead)
    assert (row.status, row.current_step, row.next_step_due) == ("active", 1, NOW + DAY)
    (task,) = await world.run("SELECT * FROM app.follow_up_task")
    assert (task.reason, task.suggested_message) == ("rejected", "one")


async def test_a_restart_sends_the_first_step_again_under_a_new_key(world: World) -> None:
    lead = await world.lead()
    sequence = await world.sequence((1, 0, "email", "one"))
    await world.started(lead, sequence)
    await world.due()
    await world.settle("sent")
    later = NOW + 3 * DAY
    await world.run("UPDATE app.lead SET last_outbound_at = :at", at=NOW)
    await world.started(lead, sequence, later)
    assert await world.due(later) == {"step_planned": 1}
    keys = [send.natural_key for send in await world.sends()]
    assert keys[1] == f"{keys[0]}:2"


# --- pause, resume, complete ---------------------------------------------------------------------------------------


async def _apply(conn: AsyncConnection, kind: str, lead: UUID, at: datetime) -> None:
    if kind == "reply":
        await pause_on_reply(conn, {lead: at}, NOW + 9 * DAY)
        return
    touch_id = new_id()
    await conn.execute(
        text("""INSERT INTO app.touch (id, workspace_id, lead_id, channel, kind, is_human, sent_at)
                SELECT :id, workspace_id, id, 'email', 'draft', :human, :at FROM app.lead WHERE id = :lead"""),
        {"id": touch_id, "lead": lead, "at": at, "human": kind == "human"},
    )
    await resume_on_touch(conn, [Touch(lead, at, is_human=kind == "human")], NOW + 9 * DAY)


async def test_reply_and_touch_end_the_same_in_every_order(world: World) -> None:
    sequence = await world.sequence((3, 0, "email", "one"))
    events = [("reply", NOW + HOUR), ("answer", NOW + 2 * HOUR), ("human", NOW + 5 * HOUR)]
    ends = set()
    for order in itertools.permutations(events):
        lead = await world.lead()
        await world.started(lead, sequence)
        for kind, at in order:
            async with world.engine.begin() as conn:
                await _apply(conn, kind, lead, at)
        row = await world.instance(lead)
        ends.add((row.status, row.paused_reason, row.next_step_due, row.current_step))
    assert ends == {("active", None, NOW + 5 * HOUR + 2 * DAY, 0)}


async def test_a_reply_before_the_start_pauses_nothing(world: World) -> None:
    lead = await world.lead()
    await world.started(lead, await world.sequence((1, 0, "email", "one")))
    async with world.engine.begin() as conn:
        assert await pause_on_reply(conn, {lead: NOW}, NOW) == 0
        assert await pause_on_reply(conn, {lead: NOW + timedelta(seconds=1)}, NOW) == 1
        assert await pause_on_reply(conn, {lead: NOW + timedelta(seconds=1)}, NOW) == 0
    assert await world.codes(lead) == ["started", "lead_replied"]


async def test_our_own_step_is_no_answer_to_a_late_reply(world: World) -> None:
    lead = await world.lead()
    await world.started(lead, await world.sequence((1, 0, "email", "one"), (2, 0, "email", "two")))
    await world.run(
        """INSERT INTO app.touch (id, workspace_id, lead_id, channel, kind, sent_at)
           VALUES (:id, :w, :lead, 'email', 'follow_up', :at)""",
        id=new_id(),
        w=world.workspace,
        lead=lead,
        at=NOW + 2 * HOUR,
    )
    async with world.engine.begin() as conn:
        assert await pause_on_reply(conn, {lead: NOW + HOUR}, NOW + 3 * HOUR) == 1


async def test_a_reply_while_a_send_is_planned_keeps_the_step_for_later(world: World) -> None:
    lead = await world.lead()
    await world.started(lead, await world.sequence((1, 0, "email", "one")))
    await world.due()
    async with world.engine.begin() as conn:
        await pause_on_reply(conn, {lead: NOW + timedelta(seconds=5)}, NOW)
    assert await world.settle("blocked", reason="follow_up_not_active") == EndCode.NOT_ACTIVE
    row = await world.instance(lead)
    assert (row.status, row.paused_reason, row.current_step) == ("paused", "lead_replied", 0)
    touched_at = NOW + DAY
    async with world.engine.begin() as conn:
        await _apply(conn, "answer", lead, touched_at)
    await world.run("UPDATE app.lead SET last_inbound_at = :i, last_outbound_at = :o", i=NOW, o=touched_at)
    assert await world.due(touched_at + DAY) == {"step_planned": 1}


@pytest.mark.parametrize("touch", ["human", "answer"])
async def test_only_a_human_touch_moves_an_active_step_and_never_earlier(world: World, touch: str) -> None:
    """FU-28."""
    lead = await world.lead()
    await world.started(lead, await world.sequence((2, 0, "email", "one")))
    async with world.engine.begin() as conn:
        codes = await resume_on_touch(conn, [Touch(lead, NOW + HOUR, is_human=touch == "human")], NOW)
    moved = (await world.instance(lead)).next_step_due
    assert moved == NOW + DAY + (HOUR if touch == "human" else timedelta(0))
    assert codes == (
        {"active_instances_reset_on_human_outbound": 1} if touch == "human" else {"instance_already_active": 1}
    )
    async with world.engine.begin() as conn:
        await resume_on_touch(conn, [Touch(lead, NOW + timedelta(minutes=1), is_human=True)], NOW)
    assert (await world.instance(lead)).next_step_due >= moved


async def test_other_pauses_are_left_to_the_operator(world: World) -> None:
    """FU-30."""
    lead = await world.lead(first_name=None)
    await world.started(lead, await world.sequence((1, 0, "email", "{firstName}")))
    await world.due()
    async with world.engine.begin() as conn:
        codes = await resume_on_touch(conn, [Touch(lead, NOW + HOUR, is_human=True)], NOW)
    assert codes == {"paused_instances_not_resumed": 1}
    assert (await world.instance(lead)).status == "paused"


async def test_a_booking_completes_active_and_paused_but_not_post_booking(world: World) -> None:
    """FU-40."""
    lead = await world.lead()
    sequence = await world.sequence((1, 0, "email", "one"))
    await world.started(lead, sequence)
    await _appointment(world, lead)
    await world.sequence((1, 0, "email", "prep"), trigger="meeting_selected", name="After")
    async with world.engine.begin() as conn:
        await start_on_booking(conn, [lead], NOW)
        await pause_on_reply(conn, {lead: NOW + HOUR}, NOW)
        assert await complete_on_booking(conn, [lead], NOW) == 1
        assert await complete_on_booking(conn, [lead], NOW) == 0
    rows = await world.run("SELECT * FROM app.follow_up_instance WHERE lead_id = :id", id=lead)
    states = {row.sequence_id == sequence: (row.status, row.paused_reason, row.next_step_due) for row in rows}
    assert states[True] == ("completed", None, None)
    assert states[False][:2] == ("paused", "lead_replied")


async def _appointment(world: World, lead: UUID, status: str = "confirmed") -> None:
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


# --- start ---------------------------------------------------------------------------------------------------------


async def test_a_setters_first_email_starts_at_its_sent_time_and_switches_follow_ups_on(world: World) -> None:
    lead = await world.lead(enabled=False)
    sequence = await world.sequence((1, 2, "email", "one"), trigger="setter_reply")
    sent_at = NOW - HOUR
    await world.message(lead, "outbound", sent_at, sent_by_user_id=world.setter)
    reply = SetterReply(lead, sent_at, world.setter)
    async with world.engine.begin() as conn:
        assert await start_on_setter_replies(conn, [reply], NOW) == {"started": 1}
    row = await world.instance(lead)
    assert (row.sequence_id, row.started_at, row.next_step_due) == (sequence, sent_at, sent_at + timedelta(minutes=2))
    (stored,) = await world.run("SELECT auto_follow_up_enabled FROM app.lead WHERE id = :id", id=lead)
    assert stored.auto_follow_up_enabled
    async with world.engine.begin() as conn:
        assert await start_on_setter_replies(conn, [reply], NOW) == {"instance_exists": 1}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_two_setter_emails_end_the_same_in_either_order(world: World, order: tuple[int, int]) -> None:
    lead = await world.lead()
    await world.sequence((1, 30, "email", "one"), trigger="setter_reply")
    times = [NOW - 2 * HOUR, NOW - HOUR]
    for number in order:
        await world.message(lead, "outbound", times[number], sent_by_user_id=world.setter)
        async with world.engine.begin() as conn:
            await start_on_setter_replies(conn, [SetterReply(lead, times[number], world.setter)], NOW)
            await resume_on_touch(conn, [Touch(lead, times[number], is_human=True)], NOW)
    row = await world.instance(lead)
    assert (row.started_at, row.next_step_due) == (times[0], times[1] + timedelta(minutes=30))


async def test_a_start_that_is_refused_flips_no_switch_and_says_why(world: World) -> None:
    """FU-14 as corrected: on success only."""
    lead = await world.lead(enabled=False)
    sent_at = NOW - HOUR
    async with world.engine.begin() as conn:
        codes = await start_on_setter_replies(conn, [SetterReply(lead, sent_at, world.setter)], NOW)
    assert codes == {"sequence_not_found_or_inactive": 1}
    (stored,) = await world.run("SELECT auto_follow_up_enabled FROM app.lead WHERE id = :id", id=lead)
    assert not stored.auto_follow_up_enabled
    assert await world.codes(lead) == ["sequence_not_found_or_inactive"]


async def test_a_manual_start_waits_for_the_end_of_a_workspace_pause(world: World) -> None:
    """FU-18, and the sequences of another workspace stay out of reach."""
    lead = await world.lead(enabled=False)
    sequence = await world.sequence((1, 0, "email", "one"))
    await world.run("UPDATE app.workspace_setting SET follow_ups_paused_until = :at", at=NOW + DAY)
    await world.started(lead, sequence)
    assert (await world.instance(lead)).next_step_due == NOW + DAY
    other = World(world.engine, world.database)
    await world.run("INSERT INTO app.workspace (id, key, name) VALUES (:id, 'other', 'Other')", id=other.workspace)
    foreign = await other.sequence((1, 0, "email", "one"))
    empty = await world.sequence(name="Empty")
    async with world.engine.begin() as conn:
        assert await start_manual(conn, lead, foreign, NOW) == StartCode.SEQUENCE_NOT_FOUND
        assert await start_manual(conn, lead, empty, NOW) == StartCode.SEQUENCE_EMPTY
        assert await start_manual(conn, lead, sequence, NOW) == StartCode.ALREADY_ACTIVE


# --- Dagster -------------------------------------------------------------------------------------------------------


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
        running = instance.create_run_for_job(send_due_followups, status=dg.DagsterRunStatus.QUEUED)
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
