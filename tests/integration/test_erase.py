"""Erasing and exporting a person: nothing anywhere names them afterwards, and no list brings them back."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote_plus
from uuid import UUID

import psycopg
import pytest
from cryptography.fernet import Fernet
from psycopg import sql
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.conftest import Database
from tests.integration.intake_support import LATER, Delivery, Rows, accept, invitee, person, replied, sms
from tests.integration.seeds import NOW
from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.base.seal import Sealer, SealError, new_key
from zrg_dagster.core.db.engine import make_engine
from zrg_dagster.core.db.lane import LaneLimits, LaneReport, drain_lane
from zrg_dagster.core.db.lanes import INBOUND
from zrg_dagster.core.intake.drain import InboundLane
from zrg_dagster.core.leads import mentions
from zrg_dagster.core.leads.erase import LEAD_ERASED, Erased, ErasureBusy, erase_person
from zrg_dagster.core.leads.erased import erased_among, exclude_intake, hash_of, share_workspaces
from zrg_dagster.core.leads.export import export_person
from zrg_dagster.core.leads.identifiers import MASK, Identifiers
from zrg_dagster.core.leads.person import PersonErased, PersonError, find_person
from zrg_dagster.core.sending import ledger

EMAIL = "mara@brightloom.example"
PHONE = "+14155550132"
PROFILE = "https://linkedin.com/in/mara-okafor-looms"
# What must not be found anywhere: address, number in two forms, name, profile.
TRACES = (EMAIL, "4155550132", "415) 555-0132", "okafor", "mara-okafor-looms")
KEY = new_key()
DAY = timedelta(days=1)


async def drain(database: Database, sealer: Sealer) -> None:
    """Work the inbound lane until it is empty, with the keys that erased people are recognised with."""
    engine, report = make_engine(database.dsn("worker"), pool_size=4), LaneReport()
    try:
        lane = InboundLane(engine, batch_size=500, lease_s=600, clock=lambda: LATER + DAY, report=report, sealer=sealer)
        await drain_lane(
            engine,
            database.dsn("worker"),
            INBOUND,
            lane.work(),
            limits=LaneLimits(concurrency=1, budget_s=60, idle_s=0, lease_s=600),
            stop=asyncio.Event(),
            clock=lambda: LATER + DAY,
            report=report,
        )
    finally:
        await engine.dispose()


@dataclass
class Place:
    """A workspace with a full conversation about one person, and what is known of its rows."""

    database: Database
    engine: AsyncEngine
    rows: Rows
    workspace: UUID
    sealer: Sealer

    @property
    def lead(self) -> UUID:
        return self.rows.value("SELECT lead_id FROM app.lead_identity WHERE kind = 'email' AND value = %s", EMAIL)

    async def erase(self, who: str = EMAIL) -> Erased:
        async with self.engine.begin() as conn:
            found = await find_person(conn, self.workspace, who, sealer=self.sealer)
            return await erase_person(conn, found, sealer=self.sealer, actor="ada@example.com", now=NOW)

    async def take_in(self, *deliveries: Delivery) -> None:
        accept(self.database, deliveries)
        await drain(self.database, self.sealer)


@pytest.fixture
async def place(database: Database) -> AsyncIterator[Place]:
    rows = Rows(database)
    engine = make_engine(database.dsn("worker"), pool_size=5)
    yield Place(database, engine, rows, rows.workspace(), Sealer(KEY))
    await engine.dispose()


def mara(**fields: Any) -> dict[str, Any]:
    variables = [{"name": "Phone", "value": "(415) 555-0132"}, {"name": "LinkedIn URL", "value": PROFILE}]
    return person(custom_variables=variables, timezone="America/New_York", **fields)


async def conversation(place: Place) -> None:
    """Deliveries of every kind, and by hand what the rooms above intake write about a lead."""
    w = place.workspace
    quoting = "Anna here. On Tue, Mara Okafor <mara@brightloom.example> wrote: call me at +1 (415) 555-0132"
    await place.take_in(
        replied(w, 501, "I am Mara Okafor, call 415 555 0132", lead=mara(), subject="Re: Mara"),
        replied(w, 502, "Still there?", lead=mara(), at=NOW + timedelta(minutes=5)),
        replied(
            w,
            601,
            quoting,
            lead=person("anna", 90400, last_name="Weaver"),
            sender="anna@brightloom.example",
            cc=[{"name": "Mara", "address": EMAIL}, {"name": "Bo", "address": "bo@brightloom.example"}],
        ),
        sms(w, "Mara Okafor by text", fields={"email": EMAIL}),
        invitee(w),
        Delivery("emailbison", json.dumps({"event": {"type": "NEW_THING"}, "data": {"who": EMAIL}}).encode(), w),
    )
    lead = place.lead
    message = place.rows.value("SELECT id FROM app.message WHERE lead_id = %s AND channel = 'email' LIMIT 1", lead)
    anna = place.rows.value("SELECT lead_id FROM app.lead_identity WHERE value = 'anna@brightloom.example'")
    annas = place.rows.value("SELECT id FROM app.message WHERE lead_id = %s", anna)
    run = place.rows.all
    for number, (lead_id, trigger, body) in enumerate(
        ((lead, message, "Dear Mara Okafor"), (anna, annas, "Hi Anna, is Mara Okafor in?"))
    ):
        draft = new_id()
        run(
            """INSERT INTO app.draft (id, workspace_id, lead_id, trigger_message_id, channel, body, ai_body)
               VALUES (%s, %s, %s, %s, 'email', %s, %s)""",
            *(draft, w, lead_id, trigger, body, body),
        )
        run(
            """INSERT INTO app.review_card (workspace_id, draft_id, draft_version, recipient, slack_channel, slack_ts,
                                            posted_at) VALUES (%s, %s, 1, 'U1', 'D1', '1.2', now())""",
            *(w, draft),
        )
        card = json.dumps({"text": "A reply", "blocks": [{"text": f"Lead: Mara Okafor {number}"}]})
        send(place, "review_card", "slack", "U1", card, state="sent", draft=draft)
        click(place, draft)
    cc = {"to": ["anna@brightloom.example"], "cc": [EMAIL], "text": "Hello both"}
    send(place, "draft", "email", EMAIL, json.dumps({"to": [EMAIL], "text": "Dear Mara"}), lead=lead)
    send(place, "follow_up", "sms", PHONE, '{"text": "Hi Mara"}', lead=lead, state="unknown")
    send(
        place, "follow_up", "email", EMAIL, '{"text": "Hi"}', lead=lead, state="sent", vendor=json.dumps({"to": EMAIL})
    )
    send(place, "draft", "email", "anna@brightloom.example", json.dumps(cc), lead=anna)
    run(
        """INSERT INTO app.decision (workspace_id, lead_id, subject, subject_id, code, detail, decided_at)
           VALUES (%s, %s, 'reply', %s, 'x', %s, now()), (%s, NULL, 'reply', %s, 'y', %s, now())""",
        *(w, lead, message, json.dumps({"to": EMAIL}), w, message, '{"said": "Mara Okafor"}'),
    )
    run(
        "INSERT INTO app.reply_stage VALUES (%s, 'classify', %s, 'done', %s, now())",
        *(message, w, '{"why": "Mara Okafor asks"}'),
    )
    run(
        """INSERT INTO app.follow_up_task (id, workspace_id, lead_id, type, reason, subject, suggested_message, due_at)
           VALUES (%s, %s, %s, 'call', 'r', 'Mara', 'Call Mara Okafor', now())""",
        *(new_id(), w, lead),
    )
    sequence(place, lead)
    run(
        """INSERT INTO app.suppression VALUES (%s, 'email', %s, 'all', 'stop', 'ghl', now()),
                                              (%s, 'phone', %s, 'sms', 'stop', 'ghl', now())""",
        *(w, EMAIL, w, PHONE),
    )
    run(
        """UPDATE app.lead SET current_replier_email = %s, current_replier_name = 'Mara Okafor',
               current_replier_since = now() WHERE id = %s""",
        *(EMAIL, anna),
    )


def send(
    place: Place,
    kind: str,
    channel: str,
    recipient: str,
    content: str,
    *,
    lead: UUID | None = None,
    draft: UUID | None = None,
    state: str = "planned",
    vendor: str = "{}",
) -> UUID:
    send_id = new_id()
    at = NOW if state == "sent" else None
    place.rows.all(
        """INSERT INTO app.send (id, workspace_id, natural_key, kind, origin, channel, vendor, lead_id, draft_id,
               recipient, content, state, due_at, sent_at, finished_at, vendor_detail, correlation_id)
           VALUES (%s, %s, %s, %s, 'system', %s, %s, %s, %s, %s, %s, %s, now(), %s, %s, %s, 'c')""",
        *(send_id, place.workspace, str(send_id), kind, channel, "slack" if channel == "slack" else "ghl", lead, draft),
        *(recipient, content, state, at, at, vendor),
    )
    return send_id


def click(place: Place, draft: UUID) -> None:
    """A Slack click: its delivery holds the whole card, and names no lead."""
    card = {"message": {"blocks": [{"text": "Lead: Mara Okafor"}]}, "draft": str(draft)}
    accept(
        place.database,
        [Delivery("slack", b"payload=" + quote_plus(json.dumps(card)).encode(), None, key=str(draft))],
    )
    event = place.rows.value("SELECT max(id::text) FROM raw.webhook_event WHERE provider = 'slack'")
    place.rows.all("UPDATE raw.webhook_event SET state = 'processed' WHERE id = %s", event)
    place.rows.all(
        """INSERT INTO app.job (id, workspace_id, lane, kind, job_key, serial_key, payload, correlation_id, state, run_at)
           VALUES (%s, %s, 'replies', 'review_action', %s, 's', %s, 'c', 'done', now())""",
        *(new_id(), place.workspace, f"review_action:{event}"),
        json.dumps({"draft_id": str(draft), "edited_text": "Dear Mara Okafor"}),
    )


def sequence(place: Place, lead: UUID) -> None:
    w, sequence_id, step, instance = place.workspace, new_id(), new_id(), new_id()
    run = place.rows.all
    run("INSERT INTO app.follow_up_sequence (id, workspace_id, name) VALUES (%s, %s, 'S')", sequence_id, w)
    run(
        """INSERT INTO app.follow_up_step (id, workspace_id, sequence_id, step_order, channel, message_template)
           VALUES (%s, %s, %s, 1, 'email', 'Hi {firstName}')""",
        *(step, w, sequence_id),
    )
    run(
        """INSERT INTO app.follow_up_instance (id, workspace_id, lead_id, sequence_id, started_at, next_step_due)
           VALUES (%s, %s, %s, %s, now(), now())""",
        *(instance, w, lead, sequence_id),
    )
    run(
        """INSERT INTO app.follow_up_step_execution (id, workspace_id, lead_id, instance_id, step_id, attempt, channel,
               outcome, planned_at) VALUES (%s, %s, %s, %s, %s, 1, 'email', 'planned', now())""",
        *(new_id(), w, lead, instance, step),
    )


def traces(database: Database, *needles: str) -> dict[str, set[str]]:
    """Which columns of which tables hold which needle: every column of every table, as the superuser sees them."""
    found: dict[str, set[str]] = {}
    with psycopg.connect(database.dsn("bootstrap")) as connection:
        columns = connection.execute(
            """SELECT n.nspname, c.relname, a.attname, format_type(a.atttypid, NULL) = 'bytea'
               FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE c.relkind IN ('r', 'm') AND a.attnum > 0 AND NOT a.attisdropped
                 AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%'
               ORDER BY 1, 2, 3"""
        ).fetchall()
        assert len(columns) > 300
        for schema, table, column, is_bytes in columns:
            shown = "encode({}, 'escape')" if is_bytes else "{}::text"
            query = sql.SQL(
                "SELECT DISTINCT n FROM {}.{} t, unnest(%s::text[]) AS n "
                f"WHERE strpos(lower(replace({shown}, '%%40', '@')), n) > 0"
            ).format(sql.Identifier(schema), sql.Identifier(table), sql.Identifier(column))
            for (needle,) in connection.execute(query, [[each.lower() for each in needles]]):
                found.setdefault(f"{schema}.{table}.{column}", set()).add(needle)
    return found


async def test_after_an_erasure_nothing_anywhere_names_the_person(
    place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    await conversation(place)
    lead = place.lead
    before = traces(place.database, *TRACES)
    expected = ("lead.email", "lead_identity.value", "message.body", "message.cc", "draft.body", "send.content")
    expected += ("send.recipient", "job.payload", "decision.detail", "reply_stage.detail", "appointment.attendee_email")
    expected += ("follow_up_task.suggested_message", "suppression.value", "lead.current_replier_email")
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


def counts(place: Place) -> dict[str, int]:
    """The tables that account for what happened: no row of them may go."""
    tables = ("app.lead", "app.send", "app.touch", "app.appointment", "app.decision", "app.follow_up_step_execution")
    tables += ("app.follow_up_instance", "app.job", "raw.webhook_event", "raw.webhook_body", "app.sentiment_event")
    found = {table: place.rows.value(f"SELECT count(*) FROM {table}") for table in tables}
    found["app.decision"] -= place.rows.value("SELECT count(*) FROM app.decision WHERE code = 'person_erased'")
    return found


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
    assert place.rows.column("SELECT state FROM app.job WHERE lead_id = %s", lead) == ["discarded"] * 3
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


_VERSIONS = "SELECT array_agg(xmin::text || ctid::text ORDER BY ctid) FROM {}"


def row_versions(database: Database) -> list[Any]:
    with psycopg.connect(database.dsn("bootstrap")) as connection:
        names = connection.execute(
            """SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE c.relkind = 'r' AND n.nspname IN ('app', 'raw', 'ops', 'secret') ORDER BY 1"""
        ).fetchall()
        return [
            (
                name,
                connection.execute(f"SELECT array_agg(xmin::text || ctid::text ORDER BY ctid) FROM {name}").fetchone(),
            )
            for (name,) in names
        ]


async def test_no_list_and_no_thread_brings_the_person_back(place: Place) -> None:
    await conversation(place)
    await place.erase()
    leads = place.rows.value("SELECT count(*) FROM app.lead")
    w, at = place.workspace, NOW + timedelta(hours=2)
    await place.take_in(
        replied(w, 700, "It is me again", lead=mara(), at=at),
        # A new vendor record of the same address, and the same vendor record under a new address.
        replied(w, 701, "Hello", lead=person(number=99999), at=at),
        replied(w, 702, "Hello", lead=mara() | {"email": "new@brightloom.example"}, sender="new@brightloom.example"),
        # The person answers in somebody else's thread.
        replied(w, 703, "Mara here", lead=person("anna", 90400), sender=EMAIL, at=at),
        sms(w, "By text", time="11:00 AM", contact="another-contact"),
        invitee(w, uri="https://api.calendly.com/scheduled_events/E2/invitees/I2", at=at),
    )
    events = place.rows.all(
        "SELECT e.state, e.reason, octet_length(b.body) + octet_length(b.headers) AS size FROM raw.webhook_event e "
        "JOIN raw.webhook_body b ON b.event_id = e.id ORDER BY e.id DESC LIMIT 6"
    )
    assert events == [{"state": "ignored", "reason": "person_erased", "size": 0}] * 6
    assert place.rows.value("SELECT count(*) FROM app.lead") == leads
    assert traces(place.database, *TRACES) == {}
    assert traces(place.database, "new@brightloom.example") == {}


async def test_somebody_elses_mail_is_taken_in_without_the_erased_copy(place: Place) -> None:
    await conversation(place)
    await place.erase()
    copies = [{"name": "M", "address": EMAIL}, {"name": "Bo", "address": "bo@brightloom.example"}]
    # Cy shares the office line: Cy's mail counts, the number is not kept; a text from that number is Mara's.
    office = person("cy", 90500, last_name="Lind", custom_variables=[{"name": "Phone", "value": PHONE}])
    await place.take_in(
        replied(place.workspace, 801, "Me too", lead=office, sender="cy@brightloom.example", cc=copies),
    )
    lead = place.rows.one("SELECT * FROM app.lead WHERE first_name = 'Cy'")
    assert (lead["email"], lead["phone"]) == ("cy@brightloom.example", None)
    assert place.rows.column("SELECT cc FROM app.message WHERE lead_id = %s", lead["id"]) == [["bo@brightloom.example"]]
    kinds = place.rows.column("SELECT kind FROM app.lead_identity WHERE lead_id = %s ORDER BY kind", lead["id"])
    assert kinds == ["email", "emailbison_lead"]


async def test_another_workspace_keeps_the_person(place: Place) -> None:
    other = place.rows.workspace("clnt_other")
    await conversation(place)
    accept(place.database, [replied(other, 501, "I am Mara Okafor", lead=mara())])
    await drain(place.database, place.sealer)
    await place.erase()
    assert place.rows.value("SELECT email FROM app.lead WHERE workspace_id = %s", other) == EMAIL
    accept(place.database, [replied(other, 502, "Again", lead=mara(), at=NOW + timedelta(hours=1))])
    await drain(place.database, place.sealer)
    assert place.rows.value("SELECT count(*) FROM app.message WHERE workspace_id = %s", other) == 2


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
    with pytest.raises(ErasureBusy, match="being sent"):
        await place.erase()
    place.rows.all("UPDATE app.send SET state = 'planned', claimed_by = NULL WHERE id = %s", send_id)
    place.rows.all(
        "UPDATE app.job SET state = 'running', claimed_by = 7 WHERE id = (SELECT max(id::text)::uuid FROM app.job "
        "WHERE lead_id = %s)",
        place.lead,
    )
    with pytest.raises(ErasureBusy, match="is running"):
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


async def test_intake_in_flight_and_an_erasure_wait_for_each_other(place: Place) -> None:
    """Intake that compared before the erasure commits before it; intake that comes after sees the hashes."""
    await conversation(place)
    async with place.engine.connect() as intake, place.engine.connect() as erasure:
        await share_workspaces(intake, [place.workspace])
        waiting = asyncio.create_task(exclude_intake(erasure, place.workspace))
        _, pending = await asyncio.wait([waiting], timeout=0.3)
        assert pending
        await intake.rollback()
        await waiting
        other = place.rows.workspace("clnt_other")
        await share_workspaces(intake, [other])  # another workspace is not held up
        again = asyncio.create_task(share_workspaces(intake, [place.workspace]))
        _, pending = await asyncio.wait([again], timeout=0.3)
        assert pending
        await erasure.rollback()
        await again


async def test_hashes_outlive_a_rotation_of_the_keys_and_nothing_else_opens_them(place: Place) -> None:
    await conversation(place)
    await place.erase()
    fresh = new_key()
    both = Sealer(f"{fresh},{KEY}")
    sealed = place.rows.value("SELECT sealed FROM secret.pepper")
    place.rows.all("UPDATE secret.pepper SET sealed = %s", both.rotated(sealed))
    identity = (place.workspace, "email", EMAIL)
    stranger = (place.workspace, "email", "stranger@brightloom.example")
    elsewhere = (place.rows.workspace("clnt_other"), "email", EMAIL)
    async with place.engine.connect() as conn:
        assert await erased_among(conn, [identity, stranger, elsewhere], Sealer(fresh)) == {identity}
        alternate = (place.workspace, "alternate_email", EMAIL)
        assert await erased_among(conn, [alternate], Sealer(fresh)) == {alternate}
        with pytest.raises(SealError):
            await erased_among(conn, [identity], Sealer(KEY))
        with pytest.raises(SealError, match="ZRG_SECRET_KEYS"):
            await erased_among(conn, [identity], None)
        assert await erased_among(conn, [elsewhere], None) == frozenset()
    values = place.rows.column("SELECT value FROM app.suppression WHERE kind = 'erased'")
    pepper = Sealer(fresh).open(
        place.rows.value("SELECT sealed FROM secret.pepper"), scope=f"{place.workspace}:pepper:erasure"
    )
    assert hash_of(pepper, "email", EMAIL) in values
    assert hash_of("another pepper", "email", EMAIL) not in values


async def test_without_the_keys_a_workspace_that_erased_somebody_takes_nothing_in(place: Place) -> None:
    await conversation(place)
    await place.erase()
    leads = place.rows.value("SELECT count(*) FROM app.lead")
    accept(place.database, [replied(place.workspace, 990, "Hello", lead=person("new", 4242), at=NOW)])
    lane = InboundLane(
        place.engine, batch_size=10, lease_s=600, clock=lambda: NOW + timedelta(days=1), report=LaneReport()
    )
    worker = place.rows.value(
        "INSERT INTO ops.worker (lane, host, pid, started_at) VALUES ('inbound', 'h', 1, now()) RETURNING id"
    )
    work = lane.work()
    for batch in await work.claim(worker, 1, NOW + timedelta(days=1)):
        await work.work(worker, batch)
    event = place.rows.one("SELECT state, reason, error FROM raw.webhook_event ORDER BY id DESC LIMIT 1")
    assert (event["state"], event["reason"]) == ("pending", "handler_error")
    assert "ZRG_SECRET_KEYS is not set" in event["error"]
    assert place.rows.value("SELECT count(*) FROM app.lead") == leads


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
    *("origin", "vendor", "state", "vendor_message_id", "correlation_id", "lane", "job_key", "serial_key", "type"),
    *("stage", "outcome", "code"),
}
CODES = {"app.decision.subject", "app.send.reason", "app.follow_up_task.reason"}
# Tables that no mention can be in: what members write about their own workspace, and rows of ids and codes.
NOT_SEARCHED = {
    *("workspace", "user", "member", "workspace_setting", "integration", "email_campaign", "sms_campaign"),
    *("ghl_campaign", "calendar", "follow_up_sequence", "follow_up_step", "ai_persona", "knowledge_asset"),
    *("qualification_question", "kill_switch", "email_host", "digest", "ai_call", "job_attempt", "touch"),
    *("sentiment_event", "follow_up_instance", "follow_up_step_execution", "review_card", "lead_merge_candidate"),
    # Erased by their own statements.
    *("lead", "lead_identity", "appointment", "suppression"),
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


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("write to MARA@brightloom.example.", f"write to {MASK}."),
        ("tamara@brightloom.example", "tamara@brightloom.example"),
        ("mara@brightloom.example-mail.com", "mara@brightloom.example-mail.com"),
        ("+1 415 555 0132", MASK),
        ("(415) 555-0132", f"({MASK}"),
        ("415.555.0132", MASK),
        ("order 94155550132", "order 94155550132"),
        ("see https://www.linkedin.com/in/Mara-Okafor-Looms?x=1", f"see https://www.{MASK}?x=1"),
        ("linkedin.com/in/mara-okafor-looms-2", "linkedin.com/in/mara-okafor-looms-2"),
        ("Mara\n Okafor and Tamara Okaforsson", f"{MASK} and Tamara Okaforsson"),
        ("Mara called", "Mara called"),
    ],
)
def test_what_names_a_person_in_free_text(database: Database, said: str, expected: str) -> None:
    """The same pattern means the same to Python and to Postgres."""
    who = Identifiers(frozenset({EMAIL}), frozenset({PHONE}), frozenset({PROFILE}), frozenset({"Mara Okafor"}))
    assert who.masked({"a": [said, 3]}) == {"a": [expected, 3]}
    with psycopg.connect(database.dsn("worker")) as connection:
        row = connection.execute("SELECT regexp_replace(%s, %s, %s, 'gi')", (said, who.pattern, MASK)).fetchone()
    assert row == (expected,)


@pytest.mark.parametrize(
    "body",
    [
        b'{"email": "Mara@BrightLoom.example"}',
        b"payload=%7B%22email%22%3A%22mara%40brightloom.example%22%7D",
        b"text=by+Mara+Okafor",
        json.dumps({"name": "Søren Åberg"}).encode(),
        json.dumps({"name": "Søren Åberg"}, ensure_ascii=False).encode(),
        b"payload=" + quote_plus(json.dumps({"name": "Søren Åberg"})).encode(),
        b"\x00\xff mara@brightloom.example",
    ],
)
def test_a_delivery_is_found_in_whatever_encoding_it_came(database: Database, body: bytes) -> None:
    who = Identifiers(frozenset({EMAIL}), names=frozenset({"Mara Okafor", "Søren Åberg"}))
    assert who.in_body(body)
    with psycopg.connect(database.dsn("worker")) as connection:
        row = connection.execute("SELECT lower(encode(%s::bytea, 'escape'))", (body,)).fetchone()
    assert row is not None
    assert any(needle in row[0] for needle in who.needles())


def test_nobody_known_is_mentioned_nowhere() -> None:
    nobody = Identifiers()
    assert (nobody.pattern, nobody.needles(), nobody.masked("anything"), nobody.in_body(b"x")) == (
        "",
        [],
        "anything",
        False,
    )


def test_a_key_is_not_what_hashes_are_made_with() -> None:
    """A hash under the sealing key itself would die with the key at the next rotation."""
    assert hash_of(Fernet.generate_key().decode(), "email", EMAIL) != hash_of(KEY, "email", EMAIL)
