"""Undoing a merge: every row is what it was, or a reason why that cannot be."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from tests.conftest import Database
from tests.integration.erase_world import EMAIL, TRACES, Place, conversation, row_versions, traces
from tests.integration.intake_support import Rows, person, replied
from tests.integration.merge_world import Pair, every_row, populate, shuffle
from tests.integration.seeds import NOW
from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.base.seal import Sealer, new_key
from zrg_dagster.core.db.engine import make_engine
from zrg_dagster.core.leads.erase import erase_person
from zrg_dagster.core.leads.export import export_person
from zrg_dagster.core.leads.locks import LeadBusy
from zrg_dagster.core.leads.merge import MergeError, merge
from zrg_dagster.core.leads.person import find_person
from zrg_dagster.core.leads.unmerge import unmerge


@pytest.fixture
async def engine(database: Database) -> AsyncIterator:
    engine = make_engine(database.dsn("worker"), pool_size=6)
    yield engine
    await engine.dispose()


@pytest.fixture
def pair(database: Database, engine) -> Pair:
    return populate(database, engine)


@pytest.mark.parametrize("seed", range(8))
async def test_a_merge_and_its_undoing_restore_every_row(pair: Pair, seed: int) -> None:
    shuffle(pair, seed)
    before = every_row(pair.database)
    for keep, gone in ((pair.keep, pair.gone), (pair.gone, pair.keep)):
        merged = await pair.merge(keep, gone)
        assert every_row(pair.database) != before
        assert await pair.unmerge(merged) == gone
        after = every_row(pair.database)
        assert {name: rows for name, rows in after.items() if rows != before[name]} == {}


async def test_merges_are_undone_the_newest_first(pair: Pair) -> None:
    shuffle(pair, 3)
    third = new_id()
    pair.run("INSERT INTO app.lead (id, workspace_id, phone) VALUES (%s, %s, '+14155550199')", third, pair.workspace)
    before = every_row(pair.database)
    first = await pair.merge(pair.keep, pair.gone)
    second = await pair.merge(third, pair.keep)
    with pytest.raises(MergeError, match=f"undo merge {second.id} first"):
        await pair.unmerge(first)
    await pair.unmerge(second)
    await pair.unmerge(first)
    assert every_row(pair.database) == before
    with pytest.raises(MergeError, match="was undone before"):
        await pair.unmerge(first)
    entries = pair.run("SELECT action, object FROM ops.audit ORDER BY id DESC LIMIT 2")
    assert entries == [("lead.unmerge", f"lead {pair.keep}"), ("lead.unmerge", f"lead {third}")]


async def test_of_two_undoings_at_once_one_is_done(pair: Pair) -> None:
    before = every_row(pair.database)
    merged = await pair.merge()
    outcomes = await asyncio.gather(pair.unmerge(merged), pair.unmerge(merged), return_exceptions=True)
    assert sorted(type(each).__name__ for each in outcomes) == ["MergeError", "UUID"]
    assert every_row(pair.database) == before


_LATER: dict[str, tuple[str, str]] = {
    "message": (
        "1 new in app.message",
        """INSERT INTO app.message (id, workspace_id, lead_id, message_key, channel, direction, source, provider, sent_at)
           VALUES (gen_random_uuid(), {workspace}, {keep}, 'late', 'sms', 'inbound', 'webhook', 'ghl', now())""",
    ),
    "send": (
        "1 new in app.send",
        """INSERT INTO app.send (id, workspace_id, natural_key, kind, origin, channel, vendor, lead_id, recipient, content,
               due_at, correlation_id)
           VALUES (gen_random_uuid(), {workspace}, 'late', 'draft', 'ai', 'email', 'ghl', {keep}, 'x', '{{}}', now(), 'c')""",
    ),
    "identity": (
        "1 new in app.lead_identity",
        "INSERT INTO app.lead_identity VALUES ({workspace}, 'email', 'late@x.example', {keep}, 'test', now())",
    ),
    "identity of the gone lead": (
        "1 new in app.lead_identity",
        "INSERT INTO app.lead_identity VALUES ({workspace}, 'email', 'late@x.example', {gone}, 'test', now())",
    ),
    "a row that went": ("other rows in app.touch", "DELETE FROM app.touch WHERE lead_id = {keep}"),
    "field": (r"changed fields \(job_title\)", "UPDATE app.lead SET job_title = 'CEO' WHERE id = {keep}"),
    "assignment": (
        r"changed fields \(assigned_to_user_id\)",
        "UPDATE app.lead SET assigned_to_user_id = NULL WHERE id = {keep}",
    ),
}


@pytest.mark.parametrize("what", _LATER)
async def test_a_later_write_refuses_the_undoing_and_says_which(pair: Pair, what: str) -> None:
    merged = await pair.merge()
    reason, statement = _LATER[what]
    ids = {name: f"'{getattr(pair, name)}'" for name in ("workspace", "keep", "gone")}
    pair.run(statement.format(**ids))
    before = every_row(pair.database)
    with pytest.raises(MergeError, match=f"was written after the merge: {reason}"):
        await pair.unmerge(merged)
    assert every_row(pair.database) == before


async def test_what_was_logged_about_a_row_since_goes_back_with_it(pair: Pair) -> None:
    message = pair.value("SELECT id FROM app.message WHERE lead_id = %s", pair.gone)
    send = pair.value("SELECT id FROM app.send WHERE lead_id = %s", pair.gone)
    merged = await pair.merge()
    pair.run(
        """INSERT INTO app.decision (workspace_id, lead_id, subject, subject_id, code, decided_at)
           VALUES (%s, %s, 'send', %s, 'kill_switch', now()), (%s, %s, 'reply', NULL, 'about_the_kept', now())""",
        *(pair.workspace, pair.keep, send, pair.workspace, pair.keep),
    )
    pair.run(
        """INSERT INTO app.job (id, workspace_id, lane, kind, job_key, serial_key, correlation_id, lead_id, message_id, run_at)
           VALUES (gen_random_uuid(), %s, 'replies', 'reply', 'again', %s, 'c', %s, %s, now())""",
        *(pair.workspace, f"lead:{pair.keep}", pair.keep, message),
    )
    await pair.unmerge(merged)
    owners = dict(pair.run("SELECT code, lead_id FROM app.decision WHERE code IN ('kill_switch', 'about_the_kept')"))
    assert owners == {"kill_switch": pair.gone, "about_the_kept": pair.keep}
    assert pair.run("SELECT lead_id, serial_key FROM app.job WHERE job_key = 'again'") == [
        (pair.gone, f"lead:{pair.gone}")
    ]


async def test_what_the_gone_lead_named_and_is_no_more_stays_empty(pair: Pair) -> None:
    """A campaign that was deleted since, and a setter who left."""
    owner, setter = (
        pair.value("SELECT assigned_to_user_id FROM app.lead WHERE id = %s", lead) for lead in (pair.gone, pair.keep)
    )
    campaigns = [new_id(), new_id()]
    for number, (lead, user) in enumerate(((pair.keep, owner), (pair.gone, setter)), start=1):
        pair.run(
            "INSERT INTO app.email_campaign (id, workspace_id, provider, external_id) VALUES (%s, %s, 'emailbison', %s)",
            *(campaigns[number - 1], pair.workspace, str(number)),
        )
        pair.run(
            """UPDATE app.lead SET email_campaign_id = %s, assigned_to_user_id = %s, provenance = %s WHERE id = %s""",
            *(campaigns[number - 1], user, json.dumps({"campaign": {"at": f"2026-03-0{number}T00:00:00Z"}}), lead),
        )
    merged = await pair.merge()
    pair.run("DELETE FROM app.email_campaign WHERE id = %s", campaigns[1])
    pair.run("DELETE FROM app.member WHERE user_id = %s", setter)
    await pair.unmerge(merged)
    query = "SELECT email_campaign_id, assigned_to_user_id FROM app.lead WHERE id = %s"
    assert pair.run(query, pair.gone) == [(None, None)]
    assert pair.run(query, pair.keep) == [(campaigns[0], owner)]


async def test_a_merge_of_another_workspace_is_not_undone_here(pair: Pair) -> None:
    merged = await pair.merge()
    other = pair.value("SELECT id FROM app.workspace WHERE id <> %s", pair.workspace)
    async with pair.engine.begin() as conn:
        with pytest.raises(MergeError, match="has no merge"):
            await unmerge(conn, merged.id, workspace_id=other, actor="ada", now=NOW)


# ── erasure ─────────────────────────────────────────────────────────────────────


@pytest.fixture
async def place(database: Database, engine) -> Place:
    rows = Rows(database)
    return Place(database, engine, rows, rows.workspace(), Sealer(new_key()))


async def twin_of_mara(place: Place):
    """The same person under another address, merged into the lead; returns the merge and the lead that is gone."""
    twin = person("m.okafor", 77)
    await place.take_in(replied(place.workspace, 950, "Mara Okafor again", lead=twin, sender=twin["email"]))
    gone = place.rows.value("SELECT lead_id FROM app.lead_identity WHERE value = %s", twin["email"])
    async with place.engine.begin() as conn:
        merged = await merge(conn, place.workspace, place.lead, gone, actor="ada", now=NOW)
    return merged, gone


async def test_an_erasure_takes_the_journal_along(place: Place) -> None:
    await conversation(place)
    merged, gone = await twin_of_mara(place)
    lead = place.lead
    found = traces(place.database, *TRACES)
    assert {"app.lead_merge.before", "app.lead_merge.after", "app.lead_merge_row.row_key"} <= set(found)
    # The id that was given out for the gone lead still leads to the person.
    async with place.engine.connect() as conn:
        who = await find_person(conn, place.workspace, str(gone))
        exported = json.dumps(await export_person(conn, who, now=NOW))
    assert set(who.lead_ids) == {lead, gone}
    assert "app.lead_merge_row" in exported
    erased = await place.erase()
    assert erased.rows["merges"] == 1
    assert traces(place.database, *TRACES, "m.okafor@brightloom.example") == {}
    assert place.rows.value("SELECT count(*) FROM app.lead_merge") == 1
    before = row_versions(place.database)
    assert (await place.erase(str(lead))).rows == {}
    assert row_versions(place.database) == before
    async with place.engine.begin() as conn:
        with pytest.raises(MergeError, match="emptied when a person that it names was erased"):
            await unmerge(conn, merged.id, workspace_id=place.workspace, actor="ada", now=NOW)


async def test_an_erasure_also_empties_journals_of_others_that_name_the_person(place: Place) -> None:
    """Mara answers in Anna's place: her address is in the journal of a merge of Anna's leads."""
    await conversation(place)
    anna, other = person("anna", 90400, last_name="Weaver"), person("a.weaver", 90401, last_name="Weaver")
    await place.take_in(replied(place.workspace, 960, "Anna again", lead=other, sender=other["email"]))
    by = "SELECT lead_id FROM app.lead_identity WHERE value = %s"
    keep, gone = place.rows.value(by, anna["email"]), place.rows.value(by, other["email"])
    async with place.engine.begin() as conn:
        await merge(conn, place.workspace, keep, gone, actor="ada", now=NOW)
    assert place.rows.value("SELECT before::text LIKE %s FROM app.lead_merge", f"%{EMAIL}%")
    erased = await place.erase()
    assert erased.rows["merges"] == 1
    assert traces(place.database, *TRACES) == {}
    assert place.rows.value("SELECT last_name FROM app.lead WHERE id = %s", keep) == "Weaver"


async def test_an_erasure_does_not_miss_a_merge_under_way(place: Place) -> None:
    """Who was looked up before the merge would be erased without what has moved to the other lead."""
    await conversation(place)
    twin = person("m.okafor", 77)
    await place.take_in(replied(place.workspace, 950, "Again", lead=twin, sender=twin["email"]))
    keep = place.rows.value("SELECT lead_id FROM app.lead_identity WHERE value = %s", twin["email"])
    async with place.engine.begin() as erasure:
        found = await find_person(erasure, place.workspace, EMAIL, sealer=place.sealer)
        async with place.engine.begin() as conn:
            merged = await merge(conn, place.workspace, keep, place.lead, actor="ada", now=NOW)
        with pytest.raises(LeadBusy, match="merged or parted meanwhile"):
            await erase_person(erasure, found, sealer=place.sealer, actor="ada", now=NOW)
        await erasure.rollback()
    async with place.engine.begin() as erasure:
        found = await find_person(erasure, place.workspace, EMAIL, sealer=place.sealer)
        async with place.engine.begin() as conn:
            await unmerge(conn, merged.id, workspace_id=place.workspace, actor="ada", now=NOW)
        with pytest.raises(LeadBusy, match="merged or parted meanwhile"):
            await erase_person(erasure, found, sealer=place.sealer, actor="ada", now=NOW)
        await erasure.rollback()
    assert EMAIL in traces(place.database, EMAIL)["app.lead.email"]
