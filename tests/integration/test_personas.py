"""Personas against a real Postgres: one default whatever happens at once, and settings that mirror it."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from tests.conftest import Database
from tests.integration.seeds import NOW, add_campaign, add_lead, add_message, add_workspace
from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.db.engine import make_engine
from zrg_dagster.core.drafting.context import load_context
from zrg_dagster.core.workspaces.access import Role, member_role, workspace_id_of
from zrg_dagster.core.workspaces.personas import (
    FIELDS,
    SETTINGS,
    PersonaError,
    PersonaInput,
    PersonaPatch,
    apply_personas,
    create_from_settings,
    create_persona,
    delete_persona,
    duplicate_persona,
    find_persona,
    list_personas,
    mirrored_fields,
    set_default,
    update_persona,
)
from zrg_dagster.core.workspaces.voice import VoiceSource, merged, voice_of

TEXTS = {name: f"{name} of Ada" for name in FIELDS}


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(database.dsn("worker"), pool_size=16)
    yield engine
    await engine.dispose()


@pytest.fixture
async def workspace(engine: AsyncEngine) -> UUID:
    async with engine.begin() as conn:
        return await add_workspace(conn)


def ada(**changes: Any) -> PersonaInput:
    return PersonaInput(**{"name": "Ada", **TEXTS, **changes})


def bo(**changes: Any) -> PersonaInput:
    return PersonaInput(**{"name": "Bo", "persona_name": "Bo Lind", "signature": "Bo", **changes})


async def settings_of(conn: AsyncConnection, workspace_id: UUID) -> dict[str, Any]:
    row = (
        await conn.execute(text("SELECT * FROM app.workspace_setting WHERE workspace_id = :id"), {"id": workspace_id})
    ).one()
    return row._asdict()


async def assert_mirrored(engine: AsyncEngine, workspace_id: UUID) -> str:
    """Exactly one default, every text of it in the settings; returns its name."""
    async with engine.connect() as conn:
        rows = await list_personas(conn, workspace_id)
        settings = await settings_of(conn, workspace_id)
    defaults = [row for row in rows if row.is_default]
    assert len(defaults) == 1
    assert {name: settings[column] for name, column in SETTINGS.items()} == {
        name: getattr(defaults[0], name) for name in FIELDS
    }
    return defaults[0].name


async def versions(engine: AsyncEngine) -> list[Any]:
    """Which row version stands where: any write at all changes it."""
    async with engine.connect() as conn:
        found = await conn.execute(
            text("""SELECT 'persona' AS kind, id, ctid::text FROM app.ai_persona
                    UNION ALL SELECT 'setting', workspace_id, ctid::text FROM app.workspace_setting ORDER BY 1, 2""")
        )
        return list(found.all())


async def test_the_mirror_holds_all_eight_fields_on_every_path(engine: AsyncEngine, workspace: UUID) -> None:
    async with engine.begin() as conn:
        first = await create_persona(conn, workspace, bo(), NOW)
    assert await assert_mirrored(engine, workspace) == "Bo"  # the first one is the default unasked
    async with engine.begin() as conn:
        second = await create_persona(conn, workspace, ada(is_default=True), NOW + timedelta(minutes=1))
    assert await assert_mirrored(engine, workspace) == "Ada"
    async with engine.connect() as conn:
        assert {name: (await settings_of(conn, workspace))[SETTINGS[name]] for name in FIELDS} == TEXTS
    async with engine.begin() as conn:
        patch = PersonaPatch(ideal_customer_profile="Mills with 50 looms", tone="dry")
        assert await update_persona(conn, workspace, second, patch, NOW)
    assert await assert_mirrored(engine, workspace) == "Ada"
    async with engine.begin() as conn:
        assert await update_persona(conn, workspace, first, PersonaPatch(signature="B.", is_default=True), NOW)
    assert await assert_mirrored(engine, workspace) == "Bo"
    async with engine.begin() as conn:
        await set_default(conn, workspace, second, NOW)
    assert await assert_mirrored(engine, workspace) == "Ada"
    async with engine.begin() as conn:
        await delete_persona(conn, workspace, second, NOW)
    assert await assert_mirrored(engine, workspace) == "Bo"


async def test_a_persona_that_is_not_the_default_is_not_mirrored(engine: AsyncEngine, workspace: UUID) -> None:
    async with engine.begin() as conn:
        await create_persona(conn, workspace, bo(), NOW)
        other = await create_persona(conn, workspace, ada(), NOW)
    before = (await versions(engine))[-1]
    async with engine.begin() as conn:
        await update_persona(conn, workspace, other, PersonaPatch(goals="Other goals"), NOW)
    assert await assert_mirrored(engine, workspace) == "Bo"
    assert (await versions(engine))[-1] == before


async def test_after_a_deleted_default_the_oldest_follows(engine: AsyncEngine, workspace: UUID) -> None:
    async with engine.begin() as conn:
        ids = {
            name: await create_persona(conn, workspace, PersonaInput(name=name), NOW + timedelta(minutes=minute))
            for minute, name in ((5, "Newest"), (1, "Oldest"), (3, "Middle"))
        }
    expected = ["Newest", "Oldest", "Middle"]
    for name in expected:
        assert await assert_mirrored(engine, workspace) == name
        async with engine.begin() as conn:
            await delete_persona(conn, workspace, ids[name], NOW)
    async with engine.connect() as conn:
        assert await list_personas(conn, workspace) == []
        assert await mirrored_fields(conn, workspace) == ()


async def test_refusals_say_what_to_do_and_change_nothing(engine: AsyncEngine, workspace: UUID) -> None:
    async with engine.begin() as conn:
        default = await create_persona(conn, workspace, ada(), NOW)
        await create_persona(conn, workspace, bo(), NOW)
        elsewhere = await add_workspace(conn, "elsewhere")
    before = await versions(engine)

    async def refused(call: Any, message: str) -> None:
        with pytest.raises(PersonaError, match=message):
            async with engine.begin() as conn:
                await call(conn)

    await refused(lambda c: create_persona(c, workspace, ada(name="ada"), NOW), "choose another name")
    await refused(lambda c: update_persona(c, workspace, default, PersonaPatch(name="BO"), NOW), "choose another name")
    await refused(
        lambda c: update_persona(c, workspace, default, PersonaPatch(is_default=False), NOW), "another one the default"
    )
    await refused(lambda c: set_default(c, elsewhere, default, NOW), "no such persona in this workspace")
    await refused(lambda c: delete_persona(c, elsewhere, default, NOW), "no such persona in this workspace")
    await refused(lambda c: update_persona(c, elsewhere, default, PersonaPatch(), NOW), "no such persona")
    await refused(lambda c: create_persona(c, new_id(), ada(), NOW), "no such workspace")
    await refused(lambda c: find_persona(c, workspace, "Cy"), "no persona is named 'Cy'")
    two = [ada(is_default=True), bo(is_default=True)]
    await refused(lambda c: apply_personas(c, workspace, two, NOW), "only one persona can be the default")
    await refused(lambda c: apply_personas(c, workspace, [ada(), ada(name="ADA")], NOW), "the same name")
    with pytest.raises(ValidationError):
        PersonaInput(name="  ")
    assert await versions(engine) == before


async def test_the_database_refuses_a_second_default_by_itself(engine: AsyncEngine, workspace: UUID) -> None:
    async with engine.begin() as conn:
        await create_persona(conn, workspace, ada(), NOW)
        await create_persona(conn, workspace, bo(), NOW)
    with pytest.raises(IntegrityError, match="ai_persona_one_default"):
        async with engine.begin() as conn:
            await conn.execute(text("UPDATE app.ai_persona SET is_default = true"))


async def test_reading_writes_nothing(engine: AsyncEngine, workspace: UUID) -> None:
    async with engine.begin() as conn:
        lead = await add_lead(conn, workspace)
        message = await add_message(conn, workspace, lead)
    before = await versions(engine)
    async with engine.begin() as conn:
        assert await list_personas(conn, workspace) == []
        await load_context(conn, message, now=NOW)
        await mirrored_fields(conn, workspace)
    assert await versions(engine) == before


async def test_a_copy_takes_the_first_free_name_and_is_no_default(engine: AsyncEngine, workspace: UUID) -> None:
    async with engine.begin() as conn:
        first = await create_persona(conn, workspace, ada(), NOW)
        for _ in range(3):
            await duplicate_persona(conn, workspace, first, NOW)
        rows = await list_personas(conn, workspace)
    assert [row.name for row in rows] == ["Ada", "Ada (Copy)", "Ada (Copy) 2", "Ada (Copy) 3"]
    assert [row.is_default for row in rows] == [True, False, False, False]
    assert {name: getattr(rows[3], name) for name in FIELDS} == TEXTS


async def test_the_first_persona_can_be_made_of_the_settings(engine: AsyncEngine) -> None:
    async with engine.begin() as conn:
        workspace = await add_workspace(conn, sender_name="Noor", signature="Noor C", goals="A call", tone="warm")
        before = await settings_of(conn, workspace)
        assert await create_from_settings(conn, workspace, NOW) is not None
        assert await create_from_settings(conn, workspace, NOW) is None
        (made,) = await list_personas(conn, workspace)
        after = await settings_of(conn, workspace)
    assert (made.name, made.persona_name, made.signature, made.goals, made.tone) == (
        *("Default", "Noor", "Noor C", "A call", "warm"),
    )
    assert {**after, "updated_at": None} == {**before, "updated_at": None}


async def test_applying_a_list_again_writes_nothing(engine: AsyncEngine, workspace: UUID) -> None:
    personas = [{"name": "Ada", **TEXTS}, bo(is_default=True)]
    async with engine.begin() as conn:
        assert await apply_personas(conn, workspace, personas, NOW) == ["Ada", "Bo"]
    assert await assert_mirrored(engine, workspace) == "Bo"
    before = await versions(engine)
    async with engine.begin() as conn:
        assert await apply_personas(conn, workspace, personas, NOW + timedelta(days=1)) == []
    assert await versions(engine) == before
    # The default moves, an unnamed persona stays, and a list without a default leaves it where it is.
    async with engine.begin() as conn:
        assert await apply_personas(conn, workspace, [ada(is_default=True)], NOW) == ["Ada"]
    assert await assert_mirrored(engine, workspace) == "Ada"
    async with engine.begin() as conn:
        assert await apply_personas(conn, workspace, [bo(goals="More")], NOW) == ["Bo"]
    assert await assert_mirrored(engine, workspace) == "Ada"


async def test_applying_repairs_settings_that_drifted(engine: AsyncEngine, workspace: UUID) -> None:
    async with engine.begin() as conn:
        await apply_personas(conn, workspace, [ada()], NOW)
        await conn.execute(text("UPDATE app.workspace_setting SET tone = 'cold', greeting = 'Hey'"))
        assert set(await mirrored_fields(conn, workspace)) == set(SETTINGS.values())
    async with engine.begin() as conn:
        await apply_personas(conn, workspace, [ada()], NOW)
    assert await assert_mirrored(engine, workspace) == "Ada"


async def _fifty_at_once(engine: AsyncEngine, workspace: UUID, personas: list[UUID], seed: int) -> None:
    """50 calls at the same moment, half of them from a queue of 16 connections: order is the database's."""
    order = random.Random(seed)

    async def one(persona_id: UUID) -> None:
        async with engine.begin() as conn:
            await set_default(conn, workspace, persona_id, NOW)

    await asyncio.gather(*(one(order.choice(personas)) for _ in range(50)))


async def _race(engine: AsyncEngine, workspace: UUID, repetitions: int) -> None:
    async with engine.begin() as conn:
        personas = [
            await create_persona(conn, workspace, PersonaInput(name=f"P{number}", goals=f"Goal {number}"), NOW)
            for number in range(5)
        ]
    for seed in range(repetitions):
        await _fifty_at_once(engine, workspace, personas, seed)
        await assert_mirrored(engine, workspace)


async def test_fifty_at_once_leave_one_default_and_its_mirror(engine: AsyncEngine, workspace: UUID) -> None:
    await _race(engine, workspace, 10)


@pytest.mark.proof
async def test_fifty_at_once_a_hundred_times(engine: AsyncEngine, workspace: UUID) -> None:
    await _race(engine, workspace, 100)
    print("100 repetitions of 50 concurrent set-default calls, seeds 0 to 99: one default, mirror equal, every time")


async def test_every_kind_of_write_at_once_leaves_one_default(engine: AsyncEngine, workspace: UUID) -> None:
    """Create as default, update to default, delete, apply and set default in one crowd."""
    async with engine.begin() as conn:
        personas = [await create_persona(conn, workspace, PersonaInput(name=f"P{n}"), NOW) for n in range(8)]

    async def write(call: Any) -> None:
        # Somebody may have deleted the persona first; any other refusal fails the test.
        with contextlib.suppress(PersonaError):
            async with engine.begin() as conn:
                await call(conn)

    calls: list[Any] = []
    for n, persona in enumerate(personas):
        calls += [
            lambda c, p=persona: set_default(c, workspace, p, NOW),
            lambda c, p=persona: update_persona(c, workspace, p, PersonaPatch(is_default=True, goals="x"), NOW),
            lambda c, n=n: create_persona(c, workspace, PersonaInput(name=f"N{n}", is_default=True), NOW),
            lambda c, n=n: apply_personas(c, workspace, [PersonaInput(name=f"A{n}", is_default=True)], NOW),
        ]
        if n < 4:
            calls.append(lambda c, p=persona: delete_persona(c, workspace, p, NOW))
    random.Random(7).shuffle(calls)
    await asyncio.gather(*(write(call) for call in calls))
    await assert_mirrored(engine, workspace)


async def test_drafts_speak_as_the_campaign_then_the_default_then_the_settings(engine: AsyncEngine) -> None:
    async with engine.begin() as conn:
        workspace = await add_workspace(
            conn, sender_name="Settings Sam", tone="plain", signature="Sam", service_description="We mend looms."
        )
        campaign = await add_campaign(conn, workspace)
        lead = await add_lead(conn, workspace, email_campaign_id=campaign)
        message = await add_message(conn, workspace, lead)
        from_settings = (await load_context(conn, message, now=NOW)).persona
        assert (from_settings.sender_name, from_settings.tone, from_settings.signature) == (
            *("Settings Sam", "plain", "Sam"),
        )
        assert from_settings.greeting == "Hi {firstName},"
        await create_persona(conn, workspace, ada(service_description="We mend LOOMS. Fast."), NOW)
        default = (await load_context(conn, message, now=NOW)).persona
        assert (default.sender_name, default.goals, default.sms_greeting) == (
            *(TEXTS["persona_name"], TEXTS["goals"], TEXTS["sms_greeting"]),
        )
        own = await create_persona(conn, workspace, bo(tone="", service_description="Bo sells shuttles."), NOW)
        await conn.execute(text("UPDATE app.email_campaign SET ai_persona_id = :id"), {"id": own})
        bound = (await load_context(conn, message, now=NOW)).persona
        # Blank fields come from the settings, which say what the default says; descriptions are told together.
        assert (bound.sender_name, bound.signature, bound.tone, bound.goals) == (
            *("Bo Lind", "Bo", TEXTS["tone"], TEXTS["goals"]),
        )
        assert bound.service_description == "Bo sells shuttles.\n\nWe mend LOOMS. Fast."
        await delete_persona(conn, workspace, own, NOW)
        again = (await load_context(conn, message, now=NOW)).persona
        assert again == default


async def test_a_workspace_without_any_text_still_has_a_name_and_a_greeting(engine: AsyncEngine) -> None:
    async with engine.begin() as conn:
        workspace = await add_workspace(conn, "quiet")
        message = await add_message(conn, workspace, await add_lead(conn, workspace))
        persona = (await load_context(conn, message, now=NOW)).persona
    assert (persona.sender_name, persona.greeting, persona.sms_greeting) == (
        *("quiet", "Hi {firstName},", "Hi {firstName},"),
    )


async def test_a_persona_of_another_workspace_cannot_be_bound(engine: AsyncEngine, workspace: UUID) -> None:
    async with engine.begin() as conn:
        other = await add_workspace(conn, "other")
        foreign = await create_persona(conn, other, ada(), NOW)
        await add_campaign(conn, workspace)
    with pytest.raises(IntegrityError, match="email_campaign_persona_fkey"):
        async with engine.begin() as conn:
            await conn.execute(text("UPDATE app.email_campaign SET ai_persona_id = :id"), {"id": foreign})


@pytest.mark.parametrize(
    ("persona", "settings", "expected"),
    [
        ("", "", ""),
        (None, "We mend looms.", "We mend looms."),
        ("We mend looms.", None, "We mend looms."),
        ("We  MEND\nlooms.", "we mend looms.", "We  MEND\nlooms."),
        ("looms", "We mend looms.", "We mend looms."),
        ("We mend looms.", "mend", "We mend looms."),
        ("Looms", "Shuttles", "Looms\n\nShuttles"),
    ],
)
def test_descriptions_are_told_once(persona: str | None, settings: str | None, expected: str) -> None:
    assert merged(persona, settings) == expected


def test_a_blank_field_of_the_persona_is_the_settings_and_no_other_persona() -> None:
    persona_id = new_id()
    row = {f"of_settings_{name}": f" {name} " for name in FIELDS} | {f"of_persona_{name}": " \n" for name in FIELDS}
    voice = voice_of(row | {"persona_id": persona_id}, campaign_persona_id=persona_id)
    assert (voice.source, voice.persona_id) == (VoiceSource.CAMPAIGN, persona_id)
    assert [getattr(voice, name) for name in FIELDS] == list(FIELDS)
    assert voice_of(row | {"persona_id": persona_id}, campaign_persona_id=None).source == VoiceSource.DEFAULT
    assert voice_of(row | {"persona_id": None}, campaign_persona_id=None).source == VoiceSource.SETTINGS


async def test_a_users_role_is_owned_member_or_super_admin(engine: AsyncEngine, workspace: UUID) -> None:
    async with engine.begin() as conn:
        other = await add_workspace(conn, "other")
        ids = {}
        for name in ("owner", "both", "root", "stranger"):
            ids[name] = new_id()
            user = {"id": ids[name], "email": f"{name}@example.com"}
            await conn.execute(text("INSERT INTO app.user (id, email) VALUES (:id, :email)"), user)
        await conn.execute(
            text("UPDATE app.workspace SET owner_user_id = :user WHERE id = :id"),
            {"user": ids["owner"], "id": workspace},
        )
        for role in ("SETTER", "INBOX_MANAGER", "CLIENT_PORTAL"):
            await conn.execute(
                text("INSERT INTO app.member (workspace_id, user_id, role) VALUES (:w, :u, :role)"),
                {"w": workspace, "u": ids["both"], "role": role},
            )
        admins = frozenset({"root@example.com"})
        found = {
            (name, where): await member_role(conn, where, ids[name], admins=admins)
            for name in ids
            for where in (workspace, other)
        }
        assert await member_role(conn, workspace, new_id(), admins=admins) is None
        assert await workspace_id_of(conn, "other") == other
        assert await workspace_id_of(conn, "nowhere") is None
    assert {key: role for key, role in found.items() if role} == {
        ("owner", workspace): Role.OWNER,
        ("both", workspace): Role.INBOX_MANAGER,
        ("root", workspace): Role.SUPER_ADMIN,
        ("root", other): Role.SUPER_ADMIN,
    }
