"""Two leads become one: everything moves, who is stopped stays stopped, and what arrives goes to the kept lead."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import psycopg
import pytest

from tests.conftest import Database
from tests.integration import intake_support as world
from tests.integration.intake_support import Rows, accept, drain
from tests.integration.merge_world import Pair, populate
from tests.integration.seeds import NOW
from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.db.engine import make_engine
from zrg_dagster.core.leads import merge_journal
from zrg_dagster.core.leads.erased import share_workspaces
from zrg_dagster.core.leads.joined import COLUMNS, EMPTY
from zrg_dagster.core.leads.locks import LeadBusy
from zrg_dagster.core.leads.merge import SEQUENCE_ENDED, MergeError, candidates, merge, preview
from zrg_dagster.core.leads.merge_journal import CHANGED, TABLES

MINUTE = timedelta(minutes=1)
CONTACT = "h3TzW8kLq0VbNc5XyRsE"


@pytest.fixture
async def engine(database: Database) -> AsyncIterator:
    engine = make_engine(database.dsn("worker"), pool_size=6)
    yield engine
    await engine.dispose()


@pytest.fixture
def pair(database: Database, engine) -> Pair:
    return populate(database, engine)


# ── the catalogue ───────────────────────────────────────────────────────────────


def test_no_table_of_a_lead_is_forgotten(database: Database) -> None:
    with psycopg.connect(database.dsn("bootstrap")) as conn:
        named = {row[0] for row in conn.execute("""
            SELECT n.nspname || '.' || c.relname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
            JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE a.attname = 'lead_id' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
              AND n.nspname IN ('app', 'raw', 'ops', 'secret')""")}  # fmt: skip
        referring = {row[0] for row in conn.execute("""
            SELECT DISTINCT conrelid::regclass::text FROM pg_constraint
            WHERE contype = 'f' AND confrelid = 'app.lead'::regclass""")}  # fmt: skip
    moved = {table.name for table in TABLES}
    assert len(moved) == len(TABLES)
    assert named == moved | {"app.lead_merge_candidate"}
    assert referring - moved == {"app.lead_merge_candidate", "app.lead_merge"}


def test_every_key_and_every_once_is_the_tables_own(database: Database) -> None:
    """A row is found again by its key; where a lead may have a row once, the merge knows."""
    with psycopg.connect(database.dsn("bootstrap")) as conn:
        for table in TABLES:
            indexes = conn.execute("""
                SELECT i.indisprimary, array_agg(a.attname::text ORDER BY a.attname),
                       array_agg(format_type(a.atttypid, NULL) ORDER BY a.attname)
                FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
                WHERE i.indrelid = %s::regclass AND i.indisunique GROUP BY i.indexrelid, i.indisprimary""",
                (table.name,),
            ).fetchall()  # fmt: skip
            (primary,) = [dict(zip(*each[1:], strict=True)) for each in indexes if each[0]]
            own = {name: kind for name, kind in primary.items() if name not in ("workspace_id", "lead_id")}
            assert dict(table.key) == own, table.name
            once = [set(names) - {"lead_id", "workspace_id"} for _, names, _ in indexes if "lead_id" in names]
            assert once == ([set(table.once)] if table.once else []), table.name
        assert set(CHANGED) <= {table.name for table in TABLES}


def test_every_column_of_a_lead_is_decided(database: Database) -> None:
    own = {"id", "workspace_id", "created_at", "updated_at", "erased_at", "last_message_direction"}
    with psycopg.connect(database.dsn("bootstrap")) as conn:
        columns = {row[0] for row in conn.execute("""
            SELECT attname FROM pg_attribute WHERE attrelid = 'app.lead'::regclass
              AND attnum > 0 AND NOT attisdropped""")}  # fmt: skip
    assert columns - own == set(COLUMNS)
    assert set(EMPTY) == set(COLUMNS)


async def test_every_row_moves_to_the_kept_lead(pair: Pair) -> None:
    await pair.merge()
    for table in TABLES:
        left = pair.value(f"SELECT count(*) FROM {table.name} WHERE lead_id = %s", pair.gone)
        assert left == (1 if table.once else 0), table.name
        # Two of each, and three decisions: one about the sequence that ran on both.
        kept = pair.value(f"SELECT count(*) FROM {table.name} WHERE lead_id = %s", pair.keep)
        assert kept == {"app.follow_up_instance": 1, "app.lead_enrichment": 1, "app.decision": 3}.get(table.name, 2), (
            table.name
        )
    assert pair.run("SELECT * FROM app.lead_merge_candidate WHERE workspace_id = %s", pair.workspace) == []
    assert pair.value("SELECT count(*) FROM app.job WHERE serial_key = %s", f"lead:{pair.keep}") == 2
    assert pair.value("SELECT count(*) FROM app.send WHERE serial_key = %s", pair.keep) == 2
    gone = pair.value("SELECT to_jsonb(l) FROM app.lead l WHERE id = %s", pair.gone)
    assert gone.pop("merged_into_lead_id") == str(pair.keep)
    assert {name: gone[name] for name in COLUMNS if name in gone} == {
        name: value for name, value in EMPTY.items() if name in gone
    }


async def test_the_journal_names_every_row_and_the_audit_log_no_person(pair: Pair) -> None:
    before = {
        table.name: pair.value(f"SELECT count(*) FROM {table.name} WHERE lead_id = %s", pair.gone) for table in TABLES
    }
    merged = await pair.merge()
    moved = dict(
        pair.run(
            """SELECT table_name, count(*) FROM app.lead_merge_row
               WHERE merge_id = %s AND change = 'moved' AND old_lead_id = %s GROUP BY 1""",
            *(merged.id, pair.gone),
        )
    )
    assert moved.pop("app.decision") == before.pop("app.decision") + 1
    assert (before.pop("app.follow_up_instance"), before.pop("app.lead_enrichment")) == (1, 1)
    assert moved == before
    row = pair.value("SELECT to_jsonb(m) FROM app.lead_merge m WHERE id = %s", merged.id)
    assert row["before"]["gone"]["email"].endswith("@x")
    assert row["actor"] == "ada@example.com"
    entry = pair.value("SELECT to_jsonb(a) FROM ops.audit a WHERE action = 'lead.merge'")
    assert entry["object"] == f"lead {pair.keep}"
    assert entry["changes"][0] == {"object": f"lead {pair.gone}", "merge": str(merged.id)}
    assert "@" not in str(entry["changes"])


async def test_a_sequence_that_ran_on_both_goes_on_once_and_says_why(pair: Pair) -> None:
    merged = await pair.merge()
    runs = dict(pair.run("SELECT lead_id, status FROM app.follow_up_instance WHERE workspace_id = %s", pair.workspace))
    assert (merged.ended, runs) == (1, {pair.keep: "active", pair.gone: "cancelled"})
    ended = pair.value("SELECT id FROM app.follow_up_instance WHERE lead_id = %s", pair.gone)
    goes_on = pair.value("SELECT id FROM app.follow_up_instance WHERE lead_id = %s", pair.keep)
    assert pair.run(
        "SELECT subject_id, detail FROM app.decision WHERE lead_id = %s AND code = %s", pair.keep, SEQUENCE_ENDED
    ) == [(ended, {"goes_on": str(goes_on)})]
    # Facts of both runs belong to the person who is left.
    assert pair.run("SELECT DISTINCT lead_id FROM app.follow_up_step_execution WHERE instance_id = %s", ended) == [
        (pair.keep,)
    ]


async def test_days_whose_facts_name_the_gone_lead_are_built_again(pair: Pair) -> None:
    pair.run("UPDATE app.follow_up_step_execution SET outcome = 'sent', executed_at = '2026-02-03T23:30:00Z'")
    pair.run("DELETE FROM ops.fact_dirty")
    await pair.merge()
    dirty = pair.run("SELECT fact, utc_day::text, workspace_id FROM ops.fact_dirty ORDER BY 1")
    assert dirty == [("booking", "2026-03-10", pair.workspace), ("step_execution", "2026-02-03", pair.workspace)]


async def test_a_preview_says_what_a_merge_does_and_changes_nothing(pair: Pair) -> None:
    async with pair.engine.connect() as conn:
        told = await preview(conn, pair.workspace, pair.keep, pair.gone)
    assert pair.value("SELECT count(*) FROM app.lead_merge") == 0
    merged = await pair.merge()
    assert (told.rows, told.ends) == ({k: v for k, v in merged.rows.items() if k != "app.lead_merge_candidate"}, 1)


# ── who is stopped ──────────────────────────────────────────────────────────────


@pytest.mark.parametrize("which", ["keep", "gone"])
async def test_who_is_stopped_under_one_lead_is_stopped_with_every_address(pair: Pair, which: str) -> None:
    stopped = getattr(pair, which)
    for number, lead in enumerate((pair.keep, pair.gone)):
        pair.run(
            "INSERT INTO app.lead_identity VALUES (%s, 'email', %s, %s, 'test', now())",
            *(pair.workspace, f"own{number}@x.example", lead),
        )
    pair.run("UPDATE app.lead SET status = 'blacklisted', sentiment_tag = 'Blacklist' WHERE id = %s", stopped)
    pair.run(
        "INSERT INTO app.suppression VALUES (%s, 'lead', %s, 'all', 'stop', 'ghl', now())", pair.workspace, str(stopped)
    )
    await pair.merge()
    assert pair.run("SELECT status, sentiment_tag FROM app.lead WHERE id = %s", pair.keep) == [
        ("blacklisted", "Blacklist")
    ]
    listed = {row[0] for row in pair.run("SELECT value FROM app.suppression WHERE reason = 'stop'")}
    assert {"own0@x.example", "own1@x.example", str(pair.keep), str(stopped)} <= listed
    assert pair.run("SELECT DISTINCT status, reason FROM app.draft WHERE lead_id = %s", pair.keep) == [
        ("rejected", "lead_blacklisted")
    ]


# ── what cannot be merged ───────────────────────────────────────────────────────


async def test_refusals_name_their_reason(pair: Pair) -> None:
    foreign = pair.value("SELECT id FROM app.lead WHERE workspace_id <> %s LIMIT 1", pair.workspace)
    for keep, gone, reason in (
        (pair.keep, pair.keep, "with itself"),
        (pair.keep, new_id(), "has no lead"),
        (pair.keep, foreign, "has no lead"),
    ):
        with pytest.raises(MergeError, match=reason):
            await pair.merge(keep, gone)
    pair.run("UPDATE app.lead SET erased_at = now() WHERE id = %s", pair.gone)
    with pytest.raises(MergeError, match="was erased"):
        await pair.merge()
    pair.run("UPDATE app.lead SET erased_at = NULL")
    await pair.merge()
    with pytest.raises(MergeError, match=f"became part of lead {pair.keep}"):
        await pair.merge(pair.gone, pair.keep)


@pytest.mark.parametrize("which", ["keep", "gone"])
async def test_work_under_way_refuses_the_merge(pair: Pair, which: str) -> None:
    lead = getattr(pair, which)
    pair.run("UPDATE app.send SET state = 'sending', claimed_by = 7 WHERE lead_id = %s", lead)
    with pytest.raises(LeadBusy, match="being sent"):
        await pair.merge()
    pair.run("UPDATE app.send SET state = 'planned', claimed_by = NULL")
    pair.run("UPDATE app.job SET state = 'running', claimed_by = 7 WHERE lead_id = %s", lead)
    with pytest.raises(LeadBusy, match="is running"):
        await pair.merge()
    assert pair.value("SELECT count(*) FROM app.lead_merge") == 0


@pytest.mark.parametrize("same_direction", [True, False])
async def test_of_two_merges_at_once_one_is_done(pair: Pair, same_direction: bool) -> None:
    third = new_id()
    pair.run("INSERT INTO app.lead (id, workspace_id) VALUES (%s, %s)", third, pair.workspace)
    second = (third, pair.gone) if same_direction else (pair.gone, pair.keep)
    outcomes = await asyncio.gather(
        pair.merge(pair.keep, pair.gone), pair.merge(*second), return_exceptions=True
    )  # fmt: skip
    assert sorted(type(each).__name__ for each in outcomes) == ["MergeError", "Merged"], outcomes
    ((kept, gone),) = pair.run("SELECT kept_lead_id, gone_lead_id FROM app.lead_merge")
    assert pair.value("SELECT count(*) FROM app.message WHERE lead_id = %s", gone) == 0
    assert pair.value("SELECT merged_into_lead_id FROM app.lead WHERE id = %s", gone) == kept
    assert pair.value("SELECT merged_into_lead_id IS NULL FROM app.lead WHERE id = %s", kept)


# ── deliveries ──────────────────────────────────────────────────────────────────


@pytest.fixture
def rows(database: Database) -> Rows:
    return Rows(database)


@pytest.fixture
def workspace(rows: Rows):
    return rows.workspace()


async def two_leads(database: Database, rows: Rows, workspace):
    """One person known by mail and by text, as two leads that a third delivery names together: (by mail, by text)."""
    accept(database, [world.replied(workspace, 1), world.sms(workspace, "Hi", fields={"phone": None})])
    await drain(database)
    accept(
        database,
        [world.sms(workspace, "Me again", time="9:55 AM", fields={"phone": None, "email": "mara@brightloom.example"})],
    )
    await drain(database)
    by = "SELECT lead_id FROM app.lead_identity WHERE kind = %s"
    return rows.value(by, "email"), rows.value(by, "ghl_contact")


async def test_candidates_are_listed_until_they_are_merged(database, rows, workspace, engine) -> None:
    mail, sms = await two_leads(database, rows, workspace)
    async with engine.begin() as conn:
        (found,) = await candidates(conn, workspace, limit=10)
        assert {found.lead_id, found.other_lead_id} == {mail, sms}
        assert (found.kinds, {found.messages, found.other_messages}) == (["email"], {1, 2})
        await merge(conn, workspace, mail, sms, actor="ada", now=NOW)
        assert await candidates(conn, workspace, limit=10) == []


@pytest.mark.parametrize("keeps_mail", [True, False])
async def test_deliveries_during_and_after_a_merge_go_to_the_kept_lead(
    database, rows, workspace, engine, keeps_mail: bool
) -> None:
    mail, sms = await two_leads(database, rows, workspace)
    keep, gone = (mail, sms) if keeps_mail else (sms, mail)
    later = [
        world.replied(workspace, 2, "Mail again", at=NOW + MINUTE),
        world.sms(workspace, "Text again", time="9:59 AM", fields={"phone": None}),
    ]
    accept(database, later)
    async with engine.begin() as conn:
        await merge(conn, workspace, keep, gone, actor="ada", now=NOW)
        draining = asyncio.create_task(drain(database, workers=2, batch_size=1))
        _, waiting = await asyncio.wait([draining], timeout=0.5)
        assert waiting, "intake did not wait for the merge"
    report = await draining
    assert report.outcomes["processed"] == 2
    accept(database, [world.replied(workspace, 3, "After", at=NOW + 2 * MINUTE), world.invitee(workspace)])
    await drain(database)
    assert rows.value("SELECT count(*) FROM app.lead") == 2
    assert rows.column("SELECT DISTINCT lead_id FROM app.message") == [keep]
    assert rows.column("SELECT DISTINCT lead_id FROM app.appointment") == [keep]
    assert rows.column("SELECT DISTINCT serial_key FROM app.job") == [f"lead:{keep}"]
    assert rows.value("SELECT count(*) FROM app.message") == 6
    assert rows.value("SELECT last_inbound_at FROM app.lead WHERE id = %s", keep) == NOW + 2 * MINUTE
    assert rows.value("SELECT count(*) FROM app.lead_merge_candidate") == 0


async def test_a_merge_waits_for_intake_that_has_already_looked(database, rows, workspace, engine) -> None:
    """Intake that found the gone lead writes to it before it goes."""
    mail, sms = await two_leads(database, rows, workspace)

    async def merged() -> None:
        async with engine.begin() as conn:
            await merge(conn, workspace, mail, sms, actor="ada", now=NOW)

    async with engine.begin() as intake:
        await share_workspaces(intake, [workspace])
        merging = asyncio.create_task(merged())
        _, waiting = await asyncio.wait([merging], timeout=0.3)
        assert waiting
    await merging
    assert rows.column("SELECT DISTINCT lead_id FROM app.message") == [mail]


async def test_the_replier_is_read_from_the_mails_of_both(database, rows, workspace, engine) -> None:
    mail, sms = await two_leads(database, rows, workspace)
    rows.all(
        """UPDATE app.message SET channel = 'email', from_email = 'm.okafor@loom.example', sent_at = %s
           WHERE lead_id = %s""",
        *(NOW + MINUTE, sms),
    )
    async with engine.begin() as conn:
        await merge(conn, workspace, mail, sms, actor="ada", now=NOW)
        assert await merge_journal.count(conn, gone=sms, keep=mail) == {}
    kept = rows.one("SELECT email, current_replier_email FROM app.lead WHERE id = %s", mail)
    assert kept == {"email": "mara@brightloom.example", "current_replier_email": "m.okafor@loom.example"}
