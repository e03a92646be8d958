"""What replies, touches, bookings and starts do to running sequences, in any order."""

import itertools
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.conftest import Database
from tests.integration.followups_world import DAY, HOUR, NOW, World, add_appointment, make_world
from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.followups.outcome import EndCode
from zrg_dagster.core.followups.pause import Touch, complete_on_booking, pause_on_reply, resume_on_touch
from zrg_dagster.core.followups.rules import StartCode
from zrg_dagster.core.followups.start import SetterReply, start_manual, start_on_booking, start_on_setter_replies


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    async with make_world(database) as made:
        yield made


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
    await add_appointment(world, lead)
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
