"""Erasing and exporting a person: nothing anywhere names them afterwards."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta

import psycopg
import pytest

from tests.conftest import Database
from tests.integration.erase_world import (
    EMAIL,
    KEY,
    PHONE,
    TRACES,
    Place,
    conversation,
    counts,
    drain,
    mara,
    row_versions,
    send,
    traces,
)
from tests.integration.intake_support import Rows, accept, person, replied
from tests.integration.seeds import NOW
from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.base.seal import Sealer
from zrg_dagster.core.db.engine import make_engine
from zrg_dagster.core.leads import mentions
from zrg_dagster.core.leads.erase import LEAD_ERASED
from zrg_dagster.core.leads.export import export_person
from zrg_dagster.core.leads.identifiers import MASK
from zrg_dagster.core.leads.locks import LeadBusy
from zrg_dagster.core.leads.person import PersonErased, PersonError, find_person
from zrg_dagster.core.sending import ledger


@pytest.fixture
async def place(database: Database) -> AsyncIterator[Place]:
    rows = Rows(database)
    engine = make_engine(database.dsn("worker"), pool_size=5)
    yield Place(database, engine, rows, rows.workspace(), Sealer(KEY))
    await engine.dispose()


async def test_after_an_erasure_nothing_anywhere_names_the_person(
    place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    await conversation(place)
    lead = place.lead
    before = traces(place.database, *TRACES)
    expected = ("lead.email", "lead_identity.value", "message.body", "message.cc", "draft.body", "send.content")
    expected += ("send.recipient", "job.payload", "decision.detail", "reply_stage.detail", "appointment.attendee_email")
    expected += (
        "lead_memory.content",
        "workspace_memory.content",
        "follow_up_task.suggested_message",
        "action_signal.link",
        "suppression.value",
        "lead.current_replier_email",
    )
    assert {f"app.{name}" for name in expected} <= set(before)
    assert any(name.startswith("raw.webhook_body") for name in before)
    assert set().union(*before.values()) == set(TRACES)
    counted = counts(place)

    erased = await place.erase()

    assert traces(place.database, *TRACES) == {}
    assert erased.waiting == 0
    assert erased.rows["leads"] == 1
    assert counts(place) == counted
    assert place.rows.value("SELECT count(*) FROM app.message WHERE lead_id = %s", lead) == 0
    output = "".join(capfd.readouterr())
    assert not any(trace in output.lower() for trace in TRACES)


async def test_what_was_planned_is_stopped_and_what_may_be_out_is_a_humans(place: Place) -> None:
    await conversation(place)
    lead = place.lead
    await place.erase()
    states = place.rows.all(
        "SELECT kind, state, reason, recipient, content FROM app.send WHERE lead_id = %s ORDER BY natural_key", lead
    )
    assert [(row["kind"], row["state"], row["reason"], row["recipient"]) for row in states] == [
        ("draft", "blocked", "suppressed", ""),
        ("follow_up", "needs_human", "outcome_unknown", ""),
        ("follow_up", "sent", None, ""),
    ]
    assert [row["content"] for row in states] == [{}, {}, {}]
    instance = place.rows.one("SELECT status, next_step_due FROM app.follow_up_instance")
    assert instance == {"status": "cancelled", "next_step_due": None}
    execution = place.rows.one("SELECT outcome, reason FROM app.follow_up_step_execution")
    assert execution == {"outcome": "skipped", "reason": "person_erased"}
    assert place.rows.value("SELECT count(*) FROM ops.fact_dirty WHERE fact = 'step_execution'") == 1
    assert set(place.rows.column("SELECT state FROM app.job WHERE lead_id = %s", lead)) == {"discarded"}
    # A row that is planned for them in spite of all is stopped by the gates.
    send_id = send(place, "follow_up", "email", EMAIL, "{}", lead=lead)
    async with place.engine.begin() as conn:
        claimed = await ledger.claim(
            conn, worker_id=1, limit=10, now=NOW + timedelta(days=999), auto_send_disabled=False
        )
    assert [(row.id, row.reason) for row in claimed.blocked] == [(send_id, "lead_blacklisted")]


async def test_other_peoples_conversations_stay_readable(place: Place) -> None:
    await conversation(place)
    await place.erase()
    anna = place.rows.one("SELECT * FROM app.lead WHERE first_name = 'Anna'")
    assert (anna["email"], anna["last_name"], anna["status"]) == ("anna@brightloom.example", "Weaver", "new")
    assert (anna["current_replier_email"], anna["erased_at"]) == (None, None)
    message = place.rows.one("SELECT body, cc FROM app.message WHERE lead_id = %s", anna["id"])
    assert message["body"].startswith("Anna here. On Tue, [erased] <[erased]> wrote: call me at ")
    assert message["cc"] == ["bo@brightloom.example"]
    # A mail with them in copy, and a draft that speaks of them, do not go out with a hole in them.
    sends = place.rows.all("SELECT state, reason FROM app.send WHERE lead_id = %s", anna["id"])
    assert sends == [{"state": "blocked", "reason": "suppressed"}]
    draft = place.rows.one("SELECT status, reason, body FROM app.draft")
    assert draft == {"status": "rejected", "reason": "person_erased", "body": f"Hi Anna, is {MASK} in?"}


async def test_erasing_twice_changes_nothing(place: Place) -> None:
    await conversation(place)
    lead = place.lead
    await place.erase()
    before = row_versions(place.database)
    again = await place.erase(str(lead))
    assert (again.rows, again.waiting) == ({}, 0)
    assert row_versions(place.database) == before
    with pytest.raises(PersonErased):
        await place.erase(EMAIL)
    with pytest.raises(PersonError, match="knows nobody"):
        await place.erase("nobody@brightloom.example")
    entries = place.rows.all("SELECT actor, action, object, changes::text FROM ops.audit")
    assert [(row["actor"], row["action"], row["object"]) for row in entries] == [
        ("ada@example.com", "person.erase", f"lead {lead}")
    ]


async def test_two_leads_that_are_one_person_go_together_and_a_colleague_stays(place: Place) -> None:
    await conversation(place)
    w = place.workspace
    twin, colleague = new_id(), new_id()
    for lead_id, address in ((twin, "m.okafor@brightloom.example"), (colleague, "dee@brightloom.example")):
        place.rows.all(
            "INSERT INTO app.lead (id, workspace_id, email, phone) VALUES (%s, %s, %s, %s)", lead_id, w, address, PHONE
        )
    for other, kind in ((twin, "linkedin_url"), (colleague, "alternate_email"), (colleague, "phone")):
        low, high = sorted((place.lead, other))
        place.rows.all("INSERT INTO app.lead_merge_candidate VALUES (%s, %s, %s, %s)", w, low, high, kind)
    erased = await place.erase()
    assert erased.rows["leads"] == 2
    assert traces(place.database, EMAIL, "m.okafor@brightloom.example", "mara-okafor") == {}
    kept = place.rows.one("SELECT email, phone FROM app.lead WHERE id = %s", colleague)
    assert kept == {"email": "dee@brightloom.example", "phone": PHONE}  # the line is Dee's as well


async def test_a_colleague_is_not_mistaken_for_the_lead_of_a_thread(place: Place) -> None:
    await place.take_in(
        replied(place.workspace, 1, "Cc me", lead=person("anna", 1), sender="zoe@brightloom.example"),
    )
    with pytest.raises(PersonError, match="answered as a colleague in the conversation of lead"):
        await place.erase("zoe@brightloom.example")


async def test_work_that_is_under_way_refuses_the_erasure_and_changes_nothing(place: Place) -> None:
    await conversation(place)
    before = row_versions(place.database)
    send_id = send(place, "draft", "email", EMAIL, "{}", lead=place.lead)
    place.rows.all("UPDATE app.send SET state = 'sending', claimed_by = 7 WHERE id = %s", send_id)
    with pytest.raises(LeadBusy, match="being sent"):
        await place.erase()
    place.rows.all("UPDATE app.send SET state = 'planned', claimed_by = NULL WHERE id = %s", send_id)
    place.rows.all(
        "UPDATE app.job SET state = 'running', claimed_by = 7 WHERE id = (SELECT max(id::text)::uuid FROM app.job "
        "WHERE lead_id = %s)",
        place.lead,
    )
    with pytest.raises(LeadBusy, match="is running"):
        await place.erase()
    assert traces(place.database, *TRACES).keys() >= {"app.lead.email", "app.message.body"}
    untouched = {name: found for name, found in before if name not in ("app.send", "app.job")}
    assert untouched == {n: found for n, found in row_versions(place.database) if n not in ("app.send", "app.job")}


async def test_a_delivery_that_waits_is_left_to_intake_which_recognises_the_person(place: Place) -> None:
    await conversation(place)
    later = NOW + timedelta(minutes=30)
    anna = person("anna", 90400, last_name="Weaver")
    accept(
        place.database,
        [
            replied(place.workspace, 900, "Wait for me", lead=mara(), at=later),
            # An opt-out of somebody else that quotes the person must not be lost with them.
            replied(place.workspace, 901, f"stop\n\n> {EMAIL}", lead=anna, sender=anna["email"], at=later),
        ],
    )
    erased = await place.erase()
    assert erased.waiting == 2
    await drain(place.database, place.sealer)
    assert place.rows.value("SELECT status FROM app.lead WHERE first_name = 'Anna'") == "blacklisted"
    waiting = place.rows.all("SELECT state, reason FROM raw.webhook_event WHERE received_at = %s ORDER BY state", NOW)
    assert {"state": "ignored", "reason": "person_erased"} in waiting


async def test_the_export_holds_everything_and_the_deliveries_as_they_came(place: Place) -> None:
    await conversation(place)
    lead = place.lead
    async with place.engine.connect() as conn:
        found = await find_person(conn, place.workspace, EMAIL.upper())
        document = json.loads(json.dumps(await export_person(conn, found, now=NOW)))
    assert document["leads"] == [str(lead)]
    tables = document["tables"]
    for table in ("app.lead", "app.message", "app.draft", "app.send", "app.job", "app.decision", "app.appointment"):
        assert tables[table], table
    assert set(tables) >= {"app.lead_identity", "app.reply_stage", "app.review_card", "app.suppression"}
    assert {row["lead_id"] for row in tables["app.message"]} == {str(lead)}
    assert len([row for row in tables["app.send"] if row["kind"] == "review_card"]) == 1
    bodies = [each["body"] for each in document["deliveries"]]
    assert any("I am Mara Okafor, call 415 555 0132" in body for body in bodies)
    assert any("NEW_THING" in body for body in bodies)  # one that could not be read
    assert all(each["headers"] == {"content-type": "application/json"} for each in document["deliveries"])
    assert "delivery_key" not in document["deliveries"][0]
    await place.erase()
    async with place.engine.connect() as conn:
        after = await export_person(conn, await find_person(conn, place.workspace, str(lead)), now=NOW)
    assert not any(trace in json.dumps(after).lower() for trace in TRACES)


# What keeps the promise true when a later revision adds a column

KEPT_OF_LEADS = {"status", "sentiment_tag", "sentiment_source", "provenance"}  # the last one is emptied
# Columns of searched tables that hold codes, keys of ours and ids of vendors.
NO_OUTSIDERS_WORDS = {
    *("message_key", "channel", "direction", "source", "provider", "provider_message_id", "thread_handle", "status"),
    *("sent_at_quality", "opt_out_rule", "sentiment_tag", "sent_by", "action", "disposition", "natural_key", "kind"),
    *(
        "origin",
        "vendor",
        "sender_account",
        "state",
        "vendor_message_id",
        "correlation_id",
        "lane",
        "job_key",
        "serial_key",
        "type",
    ),
    *("stage", "outcome", "code", "prompt_key", "model", "created_by"),
}
CODES = {
    "app.action_signal.rule",
    "app.follow_up_task.name",
    "app.decision.subject",
    "app.send.reason",
    "app.follow_up_task.reason",
}
# Tables that no mention can be in: what members write about their own workspace, and rows of ids and codes.
NOT_SEARCHED = {
    *("workspace", "user", "member", "workspace_setting", "integration", "email_campaign", "sms_campaign"),
    *("ghl_campaign", "calendar", "follow_up_sequence", "follow_up_step", "ai_persona", "knowledge_asset"),
    *(
        "qualification_question",
        "prompt_revision",
        "kill_switch",
        "email_host",
        "digest",
        "ai_call",
        "job_attempt",
        "touch",
    ),
    "vendor_notice",
    *("sentiment_event", "follow_up_instance", "follow_up_step_execution", "review_card", "lead_merge_candidate"),
    # Erased by their own statements.
    *("lead", "lead_identity", "appointment", "suppression", "lead_merge", "lead_merge_row"),
    *("lead_enrichment", "linkedin_relation"),
    *("lead_assignment_event", "assignment_rotation", "draft_pipeline_run"),
}


@pytest.fixture
def columns(database: Database) -> dict[str, set[str]]:
    """Text and JSON columns by table, except generated ones."""
    found: dict[str, set[str]] = {}
    with psycopg.connect(database.dsn("bootstrap")) as connection:
        for table, column in connection.execute(
            """SELECT table_schema || '.' || table_name, column_name FROM information_schema.columns
               WHERE table_schema = 'app' AND is_generated = 'NEVER'
                 AND (data_type IN ('text', 'jsonb') OR udt_name = '_text')"""
        ):
            found.setdefault(table, set()).add(column)
    return found


def test_every_text_of_a_lead_is_erased_or_known_to_name_nobody(columns: dict[str, set[str]]) -> None:
    assert columns["app.lead"] - set(LEAD_ERASED) == KEPT_OF_LEADS


def test_every_text_that_outsiders_write_is_searched_for_mentions(columns: dict[str, set[str]]) -> None:
    searched: dict[str, set[str]] = {}
    for table, names in (*mentions.TEXTS.items(), *mentions.DOCUMENTS.items()):
        searched.setdefault(table, set()).update(names)
    for table, name in mentions.LISTS.items():
        searched[table].add(name)
    for table, names in searched.items():
        left = {f"{table}.{name}" for name in columns[table] - names - NO_OUTSIDERS_WORDS}
        assert left <= CODES, table
    assert set(columns) - set(searched) <= {f"app.{name}" for name in NOT_SEARCHED}
