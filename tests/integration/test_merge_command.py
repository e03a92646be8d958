"""`zrg lead candidates|merge|unmerge|promote` as an operator types them."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Database
from tests.integration import intake_support as world
from tests.integration.intake_support import Rows, accept, drain
from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.db import roles

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def zrg(database: Database, tmp_path: Path) -> Command:
    environment = {f"ZRG_DB_{key.upper()}_URL": database.dsn(key) for key in roles.BY_KEY}
    environment |= {"ZRG_HOME": str(tmp_path / "home"), "PYTHONTZPATH": "", "PATH": "/usr/bin:/bin"}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])  # the code under test, wherever the command starts

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "zrg_dagster.cli", "lead", *arguments],
            env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    return run


async def test_from_candidates_to_a_merge_and_back(database: Database, zrg: Command) -> None:
    rows = Rows(database)
    workspace, by = rows.workspace(), "SELECT lead_id FROM app.lead_identity WHERE kind = %s"
    accept(database, [world.replied(workspace, 1), world.sms(workspace, "Hi", fields={"phone": None})])
    await drain(database)
    both = {"phone": None, "email": "mara@brightloom.example"}
    accept(database, [world.sms(workspace, "Me again", time="9:55 AM", fields=both)])
    await drain(database)
    keep, gone = str(rows.value(by, "email")), str(rows.value(by, "ghl_contact"))

    listed = zrg("candidates", world.KEY)
    assert listed.returncode == 0, listed.stderr
    assert {keep, gone} <= set(listed.stdout.split())
    looked = zrg("merge", world.KEY, keep, gone)
    assert looked.returncode == 1
    assert "app.message: 2 rows move" in looked.stdout
    assert "--yes" in looked.stderr
    assert rows.value("SELECT count(*) FROM app.lead_merge") == 0

    done = zrg("merge", world.KEY, keep, gone, "--yes", "--by", "ada@example.com")
    assert done.returncode == 0, done.stderr
    assert rows.column("SELECT DISTINCT lead_id::text FROM app.message") == [keep]
    assert zrg("candidates", world.KEY).stdout == "no candidates\n"
    again = zrg("merge", world.KEY, keep, gone, "--yes")
    assert (again.returncode, f"became part of lead {keep}" in again.stderr) == (1, True)

    found = re.search(r"zrg lead unmerge (\S+) (\S+)", done.stdout)
    assert found is not None
    undone = zrg("unmerge", *found.groups(), "--by", "ada@example.com")
    assert undone.returncode == 0, undone.stderr
    assert rows.value("SELECT count(DISTINCT lead_id) FROM app.message") == 2
    assert zrg("unmerge", *found.groups()).returncode == 1
    actions = rows.all("SELECT actor, action FROM ops.audit ORDER BY id")
    assert [each["action"] for each in actions] == [
        "lead.list_candidates",
        "lead.merge",
        "lead.list_candidates",
        "lead.unmerge",
    ]
    assert {each["actor"] for each in actions if "merge" in each["action"]} == {"ada@example.com"}


async def test_the_role_of_who_asks_decides_about_a_promotion(database: Database, zrg: Command) -> None:
    rows = Rows(database)
    workspace = rows.workspace()
    accept(database, [world.replied(workspace, 1), world.replied(workspace, 2, sender="jo@brightloom.example")])
    await drain(database)
    lead, setter = str(rows.value("SELECT id FROM app.lead")), new_id()
    rows.all("INSERT INTO app.user (id, email) VALUES (%s, 'sam@example.com')", setter)
    rows.all("INSERT INTO app.member VALUES (%s, %s, 'SETTER')", workspace, setter)
    ask = ("promote", world.KEY, lead, "jo@brightloom.example")

    refused = zrg(*ask, "--by", "sam@example.com")
    assert (refused.returncode, "may neither promote" in refused.stderr) == (1, True), refused.stderr
    rows.all("UPDATE app.lead SET assigned_to_user_id = %s", setter)
    assert zrg(*ask, "--by", "sam@example.com").stdout.startswith("requested")
    assert rows.value("SELECT email FROM app.lead") == "mara@brightloom.example"
    assert zrg(*ask).stdout == "promoted\n"
    assert rows.value("SELECT email FROM app.lead") == "jo@brightloom.example"
    assert zrg("promote", "nowhere", lead, "x@y.example").returncode == 1
