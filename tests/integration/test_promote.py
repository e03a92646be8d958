"""An alternate address becomes the primary one: who may, who can only ask, and what it refuses."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.conftest import Database
from tests.integration import intake_support as world
from tests.integration.intake_support import Rows, accept, drain, person
from tests.integration.seeds import NOW
from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.db.engine import make_engine
from zrg_dagster.core.leads.promote import Promotion, PromotionError, promote_address
from zrg_dagster.core.notifications.promotion import tell_of_request
from zrg_dagster.core.workspaces.access import Role, standing_of

MARA, JO = "mara@brightloom.example", "jo@brightloom.example"
MINUTE = timedelta(minutes=1)


class Place:
    """A workspace with a lead, Mara, in whose thread her colleague Jo answered last."""

    def __init__(self, database: Database, engine: Any) -> None:
        self.database, self.engine, self.rows = database, engine, Rows(database)
        self.workspace = self.rows.workspace()

    async def take_in(self, *deliveries: Any) -> None:
        accept(self.database, deliveries)
        await drain(self.database)

    @property
    def lead(self) -> UUID:
        return self.rows.value(
            "SELECT lead_id FROM app.lead_identity WHERE kind = 'emailbison_lead' AND value = '90312'"
        )

    async def promote(self, address: str = JO, role: Role | None = Role.ADMIN, **options: Any) -> Promotion:
        async with self.engine.begin() as conn:
            lead = options.pop("lead", self.lead)
            return await promote_address(
                conn, self.workspace, lead, address, actor="ada@example.com", role=role, now=NOW, **options
            )

    def kinds(self, address: str) -> list[str]:
        return self.rows.column("SELECT kind FROM app.lead_identity WHERE value = %s ORDER BY kind", address)

    def lead_row(self) -> dict[str, Any]:
        return self.rows.one(
            "SELECT email, current_replier_email AS replier, provenance -> 'email' AS origin FROM app.lead WHERE id = %s",
            self.lead,
        )


@pytest.fixture
async def place(database: Database) -> AsyncIterator[Place]:
    engine = make_engine(database.dsn("worker"), pool_size=4)
    place = Place(database, engine)
    await place.take_in(
        world.replied(place.workspace, 1, at=NOW - 3 * MINUTE),
        world.replied(place.workspace, 2, at=NOW - 2 * MINUTE, sender=JO, from_name="Jo Hale"),
    )
    assert place.lead_row()["replier"] == JO
    yield place
    await engine.dispose()


@pytest.mark.parametrize("role", [Role.ADMIN, Role.OWNER, Role.SUPER_ADMIN])
async def test_an_admin_promotes_and_the_former_address_becomes_an_alternate(place: Place, role: Role) -> None:
    """CC-10: the replier is cleared, because the one who answers is the primary address now."""
    assert await place.promote(role=role) is Promotion.PROMOTED
    assert place.lead_row() == {
        "email": JO,
        "replier": None,
        "origin": {"rank": 0, "at": NOW.isoformat(), "source": "promotion"},
    }
    assert place.kinds(JO) == ["email"]
    assert place.kinds(MARA) == ["alternate_email", "email"]
    assert place.rows.column("SELECT code FROM app.decision WHERE subject = 'lead_address'") == ["address_promoted"]
    entry = place.rows.one("SELECT action, object, changes::text AS changes FROM ops.audit")
    assert entry == {"action": "lead.promote_address", "object": f"lead {place.lead}", "changes": "[]"}
    assert await place.promote(role=role) is Promotion.UNCHANGED


async def test_no_delivery_takes_the_promotion_back(place: Place) -> None:
    await place.promote()
    await place.take_in(
        world.replied(place.workspace, 3, at=NOW - 9 * MINUTE),
        world.replied(place.workspace, 4, at=NOW + MINUTE, sender=JO),
    )
    assert (place.lead_row()["email"], place.lead_row()["replier"]) == (JO, None)
    assert place.rows.value("SELECT count(*) FROM app.lead") == 1
    assert await place.promote(MARA) is Promotion.PROMOTED
    assert (place.lead_row()["email"], place.lead_row()["replier"]) == (MARA, JO)
    assert "alternate_email" not in place.kinds(MARA)


@pytest.mark.parametrize("role", [Role.INBOX_MANAGER, Role.SETTER])
async def test_who_may_not_promote_leaves_one_request(place: Place, role: Role) -> None:
    for _ in range(2):
        assert await place.promote(role=role) is Promotion.REQUESTED
    asked = place.rows.one("SELECT lead_id, code, detail FROM app.decision WHERE subject = 'lead_address'")
    assert asked == {
        "lead_id": place.lead,
        "code": "address_promotion_requested",
        "detail": {"address": JO, "by": "ada@example.com"},
    }
    assert place.lead_row()["email"] == MARA
    assert place.kinds(JO) == ["alternate_email"]
    # What was promoted and undone since can be asked for again.
    await place.promote()
    await place.promote(MARA)
    await place.promote(role=role)
    codes = place.rows.column("SELECT code FROM app.decision WHERE subject = 'lead_address' ORDER BY id")
    assert codes == [
        "address_promotion_requested",
        "address_promoted",
        "address_promoted",
        "address_promotion_requested",
    ]


@pytest.mark.parametrize(("role", "assigned"), [(Role.CLIENT_PORTAL, True), (None, True), (Role.SETTER, False)])
async def test_others_cannot_even_ask(place: Place, role: Role | None, assigned: bool) -> None:
    with pytest.raises(PromotionError, match="neither promote"):
        await place.promote(role=role, assigned=assigned)
    assert place.rows.value("SELECT count(*) FROM app.decision WHERE subject = 'lead_address'") == 0


@pytest.mark.parametrize("role", [Role.ADMIN, Role.SETTER])
async def test_refusals(place: Place, role: Role) -> None:
    await place.take_in(world.replied(place.workspace, 9, lead=person("anna", 90400), sender="anna@brightloom.example"))
    for address, reason in (
        ("anna@brightloom.example", "belongs to lead"),
        ("stranger@x.example", "not among the lead's alternate addresses"),
        ("no address", "is no e-mail address"),
    ):
        with pytest.raises(PromotionError, match=reason):
            await place.promote(address, role=role)
    # An address that another lead merely shows as its own: the identity went to whoever was first (LM-09).
    place.rows.all("UPDATE app.lead SET email = %s WHERE email = 'anna@brightloom.example'", JO)
    with pytest.raises(PromotionError, match="belongs to lead"):
        await place.promote(role=role)
    with pytest.raises(PromotionError, match="no lead of that id"):
        await place.promote(lead=new_id(), role=role)
    for column, value, reason in (("erased_at", NOW, "erased"), ("merged_into_lead_id", new_id(), "became part of")):
        place.rows.all(f"UPDATE app.lead SET {column} = %s WHERE email = %s", value, MARA)
        with pytest.raises(PromotionError, match=reason):
            await place.promote(role=role)
        place.rows.all(f"UPDATE app.lead SET {column} = NULL")


async def test_an_address_of_somebody_who_was_stopped_is_stopped_too(place: Place) -> None:
    await place.take_in(world.replied(place.workspace, 5, "stop", at=NOW - MINUTE))
    await place.promote()
    assert JO in place.rows.column("SELECT value FROM app.suppression WHERE kind = 'email'")


async def test_of_two_promotions_at_once_both_leave_one_primary(place: Place) -> None:
    await place.take_in(world.replied(place.workspace, 6, at=NOW - MINUTE, sender="dee@brightloom.example"))
    await asyncio.gather(place.promote(JO), place.promote("dee@brightloom.example"))
    primary = place.lead_row()["email"]
    assert "alternate_email" not in place.kinds(primary)
    for other in {JO, "dee@brightloom.example", MARA} - {primary}:
        assert "alternate_email" in place.kinds(other)


async def test_the_standing_of_a_user_towards_a_lead(place: Place) -> None:
    users = {}
    for name, role in (("sam", "SETTER"), ("ada", "ADMIN"), ("zed", None)):
        users[name] = new_id()
        place.rows.all("INSERT INTO app.user (id, email) VALUES (%s, %s)", users[name], f"{name}@example.com")
        if role:
            place.rows.all("INSERT INTO app.member VALUES (%s, %s, %s)", place.workspace, users[name], role)
    place.rows.all("UPDATE app.lead SET assigned_to_user_id = %s", users["sam"])
    async with place.engine.connect() as conn:
        found = {
            name: await standing_of(conn, place.workspace, f" {name}@Example.com", place.lead)
            for name in (*users, "nobody")
        }
    assert found == {
        "sam": (Role.SETTER, True),
        "ada": (Role.ADMIN, False),
        "zed": (None, False),
        "nobody": (None, False),
    }


async def test_a_request_reaches_owner_and_admins_once(place: Place) -> None:
    """CC-10: told once for a lead, address and person; a setter, a manager and who has no Slack user are not."""
    for name, role, slack in (
        ("ada", "ADMIN", "U1ADA"),
        ("own", None, "U2OWN"),
        ("sam", "SETTER", "U3SAM"),
        ("ivy", "INBOX_MANAGER", "U4IVY"),
        ("eve", "ADMIN", None),
    ):
        user = new_id()
        place.rows.all(
            "INSERT INTO app.user (id, email, slack_user_id) VALUES (%s, %s, %s)", user, f"{name}@example.com", slack
        )
        if role:
            place.rows.all("INSERT INTO app.member VALUES (%s, %s, %s)", place.workspace, user, role)
        else:
            place.rows.all("UPDATE app.workspace SET owner_user_id = %s", user)
    for _ in range(2):
        assert await place.promote(role=Role.SETTER) is Promotion.REQUESTED
        async with place.engine.begin() as conn:
            told = await tell_of_request(conn, place.workspace, place.lead, JO, actor="sam<!here>@example.com", now=NOW)
        assert told == 2
    sends = place.rows.all(
        "SELECT kind, channel, recipient, lead_id, natural_key, content FROM app.send ORDER BY recipient"
    )
    assert [(row["kind"], row["channel"], row["recipient"], row["lead_id"]) for row in sends] == [
        ("alert", "slack", "U1ADA", place.lead),
        ("alert", "slack", "U2OWN", place.lead),
    ]
    [block] = sends[0]["content"]["blocks"]
    assert JO in block["text"]["text"]
    assert "<!here>" not in block["text"]["text"]
    assert JO not in sends[0]["natural_key"] + sends[0]["content"]["text"]


async def test_nobody_to_tell_is_no_error(place: Place) -> None:
    async with place.engine.begin() as conn:
        assert await tell_of_request(conn, place.workspace, place.lead, JO, actor="sam", now=NOW) == 0
