"""Due follow-up steps and the ends of their sends, against a real Postgres."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.conftest import Database
from tests.integration.followups_world import DAY, HOUR, NOW, World, add_appointment, make_world
from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.followups.due import plan_due
from zrg_dagster.core.followups.outcome import EndCode
from zrg_dagster.core.followups.rules import StartCode
from zrg_dagster.core.followups.start import start_manual, start_on_booking


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    async with make_world(database) as made:
        yield made


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
        await add_appointment(world, lead)
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
