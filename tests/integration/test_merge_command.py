"""`zrg lead candidates|merge|unmerge|promote` as an operator types them."""

import re

from tests.conftest import Database
from tests.integration import intake_support as world
from tests.integration.command_support import Zrg
from tests.integration.intake_support import Rows, accept, drain
from zrg_dagster.core.base.ids import new_id


async def test_from_candidates_to_a_merge_and_back(database: Database, zrg: Zrg) -> None:
    rows = Rows(database)
    workspace, by = rows.workspace(), "SELECT lead_id FROM app.lead_identity WHERE kind = %s"
    accept(database, [world.replied(workspace, 1), world.sms(workspace, "Hi", fields={"phone": None})])
    await drain(database)
    both = {"phone": None, "email": "mara@brightloom.example"}
    accept(database, [world.sms(workspace, "Me again", time="9:55 AM", fields=both)])
    await drain(database)
    keep, gone = str(rows.value(by, "email")), str(rows.value(by, "ghl_contact"))

    listed = zrg("lead", "candidates", world.KEY)
    assert listed.code == 0, listed.text
    assert {keep, gone} <= set(listed.text.split())
    looked = zrg("lead", "merge", world.KEY, keep, gone)
    assert looked.code == 1
    assert "app.message: 2 rows move" in looked.text
    assert "--yes" in looked.text
    assert rows.value("SELECT count(*) FROM app.lead_merge") == 0

    done = zrg("lead", "merge", world.KEY, keep, gone, "--yes", "--by", "ada@example.com")
    assert done.code == 0, done.text
    assert rows.column("SELECT DISTINCT lead_id::text FROM app.message") == [keep]
    assert zrg("lead", "candidates", world.KEY).text == "no candidates\n"
    again = zrg("lead", "merge", world.KEY, keep, gone, "--yes")
    assert (again.code, f"became part of lead {keep}" in again.text) == (1, True)

    found = re.search(r"zrg lead unmerge (\S+) (\S+)", done.text)
    assert found is not None
    undone = zrg("lead", "unmerge", *found.groups(), "--by", "ada@example.com")
    assert undone.code == 0, undone.text
    assert rows.value("SELECT count(DISTINCT lead_id) FROM app.message") == 2
    assert zrg("lead", "unmerge", *found.groups()).code == 1
    actions = rows.all("SELECT actor, action FROM ops.audit ORDER BY id")
    assert [each["action"] for each in actions] == [
        "lead.list_candidates",
        "lead.merge",
        "lead.list_candidates",
        "lead.unmerge",
    ]
    assert {each["actor"] for each in actions if "merge" in each["action"]} == {"ada@example.com"}


async def test_the_role_of_who_asks_decides_about_a_promotion(database: Database, zrg: Zrg) -> None:
    rows = Rows(database)
    workspace = rows.workspace()
    accept(database, [world.replied(workspace, 1), world.replied(workspace, 2, sender="jo@brightloom.example")])
    await drain(database)
    lead, setter = str(rows.value("SELECT id FROM app.lead")), new_id()
    rows.all("INSERT INTO app.user (id, email) VALUES (%s, 'sam@example.com')", setter)
    rows.all("INSERT INTO app.member VALUES (%s, %s, 'SETTER')", workspace, setter)
    ask = ("lead", "promote", world.KEY, lead, "jo@brightloom.example")

    refused = zrg(*ask, "--by", "sam@example.com")
    assert (refused.code, "may neither promote" in refused.text) == (1, True), refused.text
    rows.all("UPDATE app.lead SET assigned_to_user_id = %s", setter)
    assert zrg(*ask, "--by", "sam@example.com").text.startswith("requested")
    assert rows.value("SELECT email FROM app.lead") == "mara@brightloom.example"
    assert zrg(*ask).text == "promoted\n"
    assert rows.value("SELECT email FROM app.lead") == "jo@brightloom.example"
    assert zrg("lead", "promote", "nowhere", lead, "x@y.example").code == 1
