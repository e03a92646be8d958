"""Sequences as people write them, the persona they are bound to, and which one a lead gets."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import text

from tests.conftest import Database
from tests.integration.followups_world import NOW, World, make_world
from tests.integration.seeds import add_campaign, add_workspace
from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.followups.rules import FollowUpSequence, RouteCode, route
from zrg_dagster.core.followups.sequences import (
    SequenceError,
    SequenceInput,
    StepInput,
    create_sequence,
    delete_sequence,
    get_sequence,
    list_sequences,
    moved_pointer,
    set_active,
    template_problems,
    update_sequence,
)
from zrg_dagster.core.followups.start import SetterReply, start_on_setter_replies
from zrg_dagster.core.workspaces.personas import PersonaInput, create_persona, delete_persona

DAY = timedelta(days=1)


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    async with make_world(database) as made:
        yield made


def steps(*messages: str) -> tuple[StepInput, ...]:
    return tuple(
        StepInput(order=number, day_offset=number, channel="email", message=message)
        for number, message in enumerate(messages, start=1)
    )


def sequence(**changes: Any) -> SequenceInput:
    values: dict[str, Any] = {"name": "Nudge", "trigger_on": "setter_reply", "steps": steps("Hi {firstName}", "Hello?")}
    return SequenceInput(**{**values, **changes})


async def create(world: World, **changes: Any) -> UUID:
    async with world.engine.begin() as conn:
        return await create_sequence(conn, world.workspace, sequence(**changes), NOW)


async def update(world: World, sequence_id: UUID, changed: SequenceInput, at: datetime = NOW) -> bool:
    async with world.engine.begin() as conn:
        return await update_sequence(conn, world.workspace, sequence_id, changed, at)


async def persona(world: World, name: str, **texts: Any) -> UUID:
    async with world.engine.begin() as conn:
        return await create_persona(conn, world.workspace, PersonaInput(name=name, **texts), NOW)


async def refused(call: Any, message: str) -> None:
    with pytest.raises(SequenceError, match=message):
        await call


async def test_a_sequence_is_stored_read_changed_and_removed(world: World) -> None:
    bound = await persona(world, "Ada")
    sequence_id = await create(world, ai_persona_id=bound, description="After the first answer")
    async with world.engine.begin() as conn:
        stored = await get_sequence(conn, world.workspace, sequence_id)
        assert await list_sequences(conn, world.workspace) == [stored]
    assert (stored.name, stored.trigger_on, stored.is_active, stored.ai_persona_id) == (
        *("Nudge", "setter_reply", True, bound),
    )
    assert [(step.order, step.day_offset, step.message) for step in stored.steps] == [
        *((1, 1, "Hi {firstName}"), (2, 2, "Hello?")),
    ]
    assert await update(world, sequence_id, sequence(name="Nudges", ai_persona_id=None))
    async with world.engine.begin() as conn:
        changed = await get_sequence(conn, world.workspace, sequence_id)
        assert (changed.name, changed.ai_persona_id) == ("Nudges", None)
        assert [step.id for step in changed.steps] == [step.id for step in stored.steps]
        await delete_sequence(conn, world.workspace, sequence_id)
        assert await list_sequences(conn, world.workspace) == []
    assert await world.run("SELECT 1 FROM app.follow_up_step") == []


async def test_saving_the_same_again_writes_nothing(world: World) -> None:
    sequence_id = await create(world)
    before = await world.run(
        "SELECT ctid::text FROM app.follow_up_sequence UNION ALL SELECT ctid::text FROM app.follow_up_step"
    )
    assert not await update(world, sequence_id, sequence(), NOW + DAY)
    after = await world.run(
        "SELECT ctid::text FROM app.follow_up_sequence UNION ALL SELECT ctid::text FROM app.follow_up_step"
    )
    assert after == before


async def test_a_persona_of_another_workspace_is_refused_with_the_seeds_words(world: World) -> None:
    async with world.engine.begin() as conn:
        other = await add_workspace(conn, "other")
        foreign = await create_persona(conn, other, PersonaInput(name="Foreign"), NOW)
    sequence_id = await create(world)
    for invalid in (foreign, new_id()):
        await refused(create(world, name="Second", ai_persona_id=invalid), "^Invalid persona for this workspace$")
        await refused(
            update(world, sequence_id, sequence(ai_persona_id=invalid)), "^Invalid persona for this workspace$"
        )
    async with world.engine.begin() as conn:
        (only,) = await list_sequences(conn, world.workspace)
    assert (only.id, only.ai_persona_id) == (sequence_id, None)


async def test_a_deleted_persona_leaves_its_sequence_generic(world: World) -> None:
    bound = await persona(world, "Ada")
    sequence_id = await create(world, ai_persona_id=bound)
    async with world.engine.begin() as conn:
        await delete_persona(conn, world.workspace, bound, NOW)
        left = await get_sequence(conn, world.workspace, sequence_id)
    assert (left.ai_persona_id, left.is_active, len(left.steps)) == (None, True, 2)


async def test_unknown_variables_are_refused_with_their_step(world: World) -> None:
    broken = (
        StepInput(order=1, channel="email", message="Hi {firstName}"),
        StepInput(order=2, channel="email", subject="{topic}", message="[[Hi|Hello {nick}]] {name}"),
        StepInput(order=3, channel="sms", message="[[Hi|Hello"),
    )
    says = r"step 2: unknown variable \{topic\}, \{nick\}; step 3: an option group"
    await refused(create(world, steps=broken), says)
    # Saving checks it even when the sequence is switched off: the text would only fail later.
    await refused(create(world, steps=broken, is_active=False), says)
    sequence_id = await create(world)
    await refused(update(world, sequence_id, sequence(steps=broken)), says)
    assert template_problems(steps("{company} {calendarLink}")) == []


async def test_a_trigger_that_nothing_fires_cannot_be_switched_on(world: World) -> None:
    await refused(create(world, trigger_on="no_response"), "no response")
    sequence_id = await create(world, trigger_on="no_response", is_active=False)
    async with world.engine.begin() as conn:
        with pytest.raises(SequenceError, match="setter_reply, meeting_selected or manual"):
            await set_active(conn, world.workspace, sequence_id, True, NOW)
    await refused(update(world, sequence_id, sequence(trigger_on="no_response")), "no response")
    assert await update(world, sequence_id, sequence(trigger_on="meeting_selected"))
    async with world.engine.begin() as conn:
        await set_active(conn, world.workspace, sequence_id, False, NOW)
        await set_active(conn, world.workspace, sequence_id, True, NOW)


async def test_switching_on_names_every_value_that_is_missing(world: World) -> None:
    asking = steps("{signature} {result} {qualificationQuestion2}", "{senderName} {company} {calendarLink} {firstName}")
    says = "set Signature, Target result, Qualification questions first"
    await refused(create(world, steps=asking), says)
    sequence_id = await create(world, steps=asking, is_active=False)
    await world.run(
        """INSERT INTO app.qualification_question (id, workspace_id, position, question)
           VALUES (:id, :w, 1, 'How many looms?')""",
        id=new_id(),
        w=world.workspace,
    )
    await persona(world, "Default", persona_name="Dee")  # the first one is the default; the settings mirror it
    signed = await persona(world, "Signed", signature="Ada")
    await refused(update(world, sequence_id, sequence(steps=asking)), "set Signature, Target result first")
    without_result = steps("{signature} {qualificationQuestion2}", "{company} {calendarLink}")
    await refused(update(world, sequence_id, sequence(steps=without_result)), "set Signature first")
    assert await update(world, sequence_id, sequence(steps=without_result, ai_persona_id=signed))


async def test_names_are_unique_and_other_workspaces_out_of_reach(world: World) -> None:
    sequence_id = await create(world)
    second = await create(world, name="Second")
    await refused(create(world), "'Nudge' exists")
    await refused(update(world, second, sequence()), "'Nudge' exists")
    async with world.engine.begin() as conn:
        other = await add_workspace(conn, "other")
        for call in (
            get_sequence(conn, other, sequence_id),
            update_sequence(conn, other, sequence_id, sequence(), NOW),
            set_active(conn, other, sequence_id, False, NOW),
            delete_sequence(conn, other, sequence_id),
        ):
            with pytest.raises(SequenceError, match="no such sequence in this workspace"):
                await call


async def test_a_running_instance_stays_on_its_step_when_steps_move(world: World) -> None:
    sequence_id = await create(world, trigger_on="manual", steps=steps("one", "two", "three"))
    lead = await world.lead()
    await world.started(lead, sequence_id)
    await world.run("UPDATE app.follow_up_instance SET current_step = 2")
    async with world.engine.begin() as conn:
        one, two, three = (await get_sequence(conn, world.workspace, sequence_id)).steps
    swapped = (
        two.model_copy(update={"order": 1}),
        one.model_copy(update={"order": 2}),
        three.model_copy(update={"order": 5}),
    )
    assert await update(world, sequence_id, sequence(trigger_on="manual", steps=swapped))
    assert (await world.instance(lead)).current_step == 1  # "two" is the first one now
    without_two = (one, three.model_copy(update={"order": 2}))
    assert await update(world, sequence_id, sequence(trigger_on="manual", steps=without_two))
    assert (await world.instance(lead)).current_step == 0  # "two" is gone, and nothing was before it
    await refused(
        update(world, sequence_id, sequence(steps=(StepInput(id=new_id(), order=1, channel="sms", message="x"),))),
        "does not have",
    )


def test_a_sequence_with_two_steps_in_one_place_is_no_sequence() -> None:
    with pytest.raises(ValidationError, match="same order"):
        sequence(steps=(*steps("one"), *steps("two")))


@given(st.data())
def test_a_pointer_never_moves_past_a_step_that_was_not_executed(data: st.DataObject) -> None:
    ids = [UUID(int=number) for number in range(8)]
    before = dict(zip(ids[:5], sorted(data.draw(st.sets(st.integers(1, 20), min_size=5, max_size=5))), strict=True))
    kept = data.draw(st.lists(st.sampled_from(ids), unique=True))
    after = {step_id: order for order, step_id in enumerate(kept, start=1)}
    pointer = data.draw(st.integers(0, 20))
    moved = moved_pointer(pointer, before, after)
    executed = [step_id for step_id, order in sorted(before.items(), key=lambda pair: pair[1]) if order <= pointer]
    left = [step_id for step_id in executed if step_id in after]
    assert moved == (after[left[-1]] if left else 0)
    assert moved_pointer(pointer, before, before) == max((o for o in before.values() if o <= pointer), default=0)


# Routing

ADA, BO = UUID(int=101), UUID(int=102)


def stored(name: str, *, bound: UUID | None = None, age: int = 1, trigger: str = "setter_reply") -> FollowUpSequence:
    created = datetime(2026, 5, 4, tzinfo=UTC) - age * DAY
    return FollowUpSequence(UUID(int=int.from_bytes(name.encode())), name, trigger, created, bound)


@pytest.mark.parametrize("trigger", ["setter_reply", "meeting_selected", "no_response", "manual"])
@pytest.mark.parametrize(
    ("persona_id", "found", "expected"),
    [
        (ADA, [("ada", ADA, 9), ("generic", None, 1), ("bo", BO, 1)], ("ada", RouteCode.MATCHED_PERSONA)),
        (ADA, [("old ada", ADA, 9), ("new ada", ADA, 2)], ("new ada", RouteCode.MATCHED_PERSONA)),
        (ADA, [("bo", BO, 1), ("generic", None, 9)], ("generic", RouteCode.GENERIC_FALLBACK)),
        (None, [("bo", BO, 1), ("generic", None, 9)], ("generic", RouteCode.GENERIC_FALLBACK)),
        (ADA, [("old", BO, 9), ("bo", BO, 1)], ("bo", RouteCode.LATEST_FALLBACK)),
        (None, [("bo", BO, 1)], ("bo", RouteCode.LATEST_FALLBACK)),
        (ADA, [], None),
    ],
)
def test_routing_prefers_the_persona_then_the_generic_then_the_newest(
    trigger: str, persona_id: UUID | None, found: list[tuple[str, UUID | None, int]], expected: Any
) -> None:
    sequences = [stored(name, bound=bound, age=age, trigger=trigger) for name, bound, age in found]
    routed = route([*sequences, stored("elsewhere", bound=ADA, trigger="other")], trigger, persona_id)
    assert (routed and (routed[0].name, routed[1])) == expected


def test_known_names_count_only_when_no_sequence_has_the_trigger() -> None:
    known = stored("ZRG Workflow V1", trigger="manual")
    assert route([known], "setter_reply", ADA) == (known, RouteCode.NAME_FALLBACK)
    other = stored("Other", bound=BO)
    assert route([known, other], "setter_reply", ADA) == (other, RouteCode.LATEST_FALLBACK)


async def test_each_lead_gets_the_sequence_of_its_campaigns_persona(world: World) -> None:
    default = await persona(world, "Default")
    bound = await persona(world, "Bound")
    generic = await create(world, name="Generic")
    theirs = await create(world, name="Bound's", ai_persona_id=bound)
    async with world.engine.begin() as conn:
        campaign = await add_campaign(conn, world.workspace, ai_persona_id=bound)
        plain = await add_campaign(conn, world.workspace, external_id="319")
    leads = {
        "bound": await world.lead(email_campaign_id=campaign),
        "plain": await world.lead(email_campaign_id=plain),
        "none": await world.lead(),
    }

    async def started(at: datetime) -> dict[str, Any]:
        async with world.engine.begin() as conn:
            replies = [SetterReply(lead, at, world.setter) for lead in leads.values()]
            await start_on_setter_replies(conn, replies, at)
        rows = await world.run(
            """SELECT i.lead_id, i.sequence_id, d.detail FROM app.follow_up_instance i
               JOIN app.decision d ON d.lead_id = i.lead_id AND d.code = 'started' AND d.subject_id = i.id"""
        )
        return {name: next(row for row in rows if row.lead_id == lead) for name, lead in leads.items()}

    found = await started(NOW)
    assert {name: row.sequence_id for name, row in found.items()} == {
        "bound": theirs,
        "plain": generic,
        "none": generic,
    }
    assert found["bound"].detail["route"] == "matched_persona"
    assert found["none"].detail == {
        "trigger": "setter_reply",
        "route": "generic_fallback",
        "persona": str(default),
        "sequence": str(generic),
    }


async def test_the_texts_come_from_sequence_then_campaign_then_default_then_settings(world: World) -> None:
    await persona(world, "Default", persona_name="Dee", signature="Dee's signature")
    campaigns = await persona(world, "Campaign's", persona_name="Cam")
    own = await persona(world, "Sequence's", persona_name="Seq", signature="Seq's signature")
    async with world.engine.begin() as conn:
        campaign = await add_campaign(conn, world.workspace, ai_persona_id=campaigns)
    message = steps("{senderName} / {signature}")
    generic = await create(world, name="Generic", trigger_on="manual", steps=message)
    bound = await create(world, name="Bound", trigger_on="manual", steps=message, ai_persona_id=own)
    expected = {}
    cases: tuple[tuple[str, UUID, dict[str, Any], str], ...] = (
        ("sequence", bound, {"email_campaign_id": campaign}, "Seq / Seq's signature"),
        # FU-4: what the campaign's persona leaves blank comes from the settings, which mirror the default.
        ("campaign", generic, {"email_campaign_id": campaign}, "Cam / Dee's signature"),
        ("default", generic, {}, "Dee / Dee's signature"),
    )
    for name, sequence_id, columns, says in cases:
        lead = await world.lead(**columns)
        await world.started(lead, sequence_id, NOW - DAY)
        expected[lead] = (name, says)
    await world.due(NOW + DAY)
    texts = {row.lead_id: row.content["text"] for row in await world.sends()}
    assert {lead: (name, texts[lead]) for lead, (name, _) in expected.items()} == expected


async def test_questions_fill_their_variables_in_order(world: World) -> None:
    for position, question in ((2, "Which vendor?"), (1, "How many looms?")):
        await world.run(
            "INSERT INTO app.qualification_question (id, workspace_id, position, question) VALUES (:id, :w, :p, :q)",
            id=new_id(),
            w=world.workspace,
            p=position,
            q=question,
        )
    message = steps("{qualificationQuestion1} {qualificationQuestion2}")
    sequence_id = await create(world, trigger_on="manual", steps=message)
    await world.started(await world.lead(), sequence_id, NOW - DAY)
    await world.due(NOW + DAY)
    assert [row.content["text"] for row in await world.sends()] == ["How many looms? Which vendor?"]


async def test_the_database_holds_both_indexes_of_routing(world: World) -> None:
    async with world.engine.connect() as conn:
        found = await conn.execute(
            text("SELECT indexdef FROM pg_indexes WHERE schemaname = 'app' AND tablename = 'follow_up_sequence'")
        )
        definitions = " ".join(found.scalars())
    assert "(workspace_id, trigger_on, is_active)" in definitions
    assert "(ai_persona_id)" in definitions
