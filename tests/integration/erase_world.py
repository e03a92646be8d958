"""A conversation about one person in every table, and a search of every table for what names them."""

import asyncio
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote_plus
from uuid import UUID

import psycopg
from psycopg import sql
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.conftest import Database
from tests.integration.intake_support import LATER, Delivery, Rows, accept, invitee, person, replied, sms
from tests.integration.seeds import NOW
from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.base.seal import Sealer, new_key
from zrg_dagster.core.db.engine import make_engine
from zrg_dagster.core.db.lane import LaneLimits, LaneReport, drain_lane
from zrg_dagster.core.db.lanes import INBOUND
from zrg_dagster.core.intake.drain import InboundLane
from zrg_dagster.core.leads.erase import Erased, erase_person
from zrg_dagster.core.leads.person import find_person

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
        pipeline_run = new_id()
        run(
            """INSERT INTO app.draft_pipeline_run (id, workspace_id, lead_id, trigger_message_id, draft_id, channel, status,
                   created_at, updated_at) VALUES (%s, %s, %s, %s, %s, 'email', 'COMPLETED', now(), now())""",
            *(pipeline_run, w, lead_id, trigger, draft),
        )
        run(
            """INSERT INTO app.draft_pipeline_artifact (id, workspace_id, run_id, stage, payload, text, created_at)
               VALUES (%s, %s, %s, 'final_draft', %s, %s, now())""",
            *(new_id(), w, pipeline_run, json.dumps({"issues": [body]}), body),
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
        "INSERT INTO app.action_signal VALUES (%s, 'book_on_external_calendar', %s, 0.9, 'router', true, %s, now())",
        *(message, w, f"https://cal.com/{EMAIL}"),
    )
    run(
        """INSERT INTO app.follow_up_task (id, workspace_id, lead_id, type, reason, subject, suggested_message, due_at)
           VALUES (%s, %s, %s, 'call', 'r', 'Mara', 'Call Mara Okafor', now())""",
        *(new_id(), w, lead),
    )
    sequence(place, lead)
    # The first two become the same words, and the last one grows, when the name is masked.
    for about, said in (
        (lead, "Mara Okafor prefers mornings"),
        (anna, "Reports to Mara Okafor"),
        (anna, f"Reports to {EMAIL}"),
        (None, "Mara Okafor is our reference"),
        (None, "Mara Okafor " * 40),
    ):
        table, column, ids = ("workspace", "", ()) if about is None else ("lead", "lead_id, ", (about,))
        run(
            f"""INSERT INTO app.{table}_memory (id, workspace_id, {column}category, content, source, status, created_by,
                   created_at, updated_at, expires_at)
               VALUES (%s, %s, {"%s, " if ids else ""}'Note', %s, 'MANUAL', 'APPROVED', 'ada', now(), now(), now())""",
            *(new_id(), w, *ids, said),
        )
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


def counts(place: Place) -> dict[str, int]:
    """The tables that account for what happened: no row of them may go."""
    tables = ("app.lead", "app.send", "app.touch", "app.appointment", "app.decision", "app.follow_up_step_execution")
    tables += ("app.follow_up_instance", "app.job", "raw.webhook_event", "raw.webhook_body", "app.sentiment_event")
    found = {table: place.rows.value(f"SELECT count(*) FROM {table}") for table in tables}
    found["app.decision"] -= place.rows.value("SELECT count(*) FROM app.decision WHERE code = 'person_erased'")
    return found


_VERSIONS = "SELECT array_agg(xmin::text || ctid::text ORDER BY ctid) FROM {}"


def row_versions(database: Database) -> list[Any]:
    with psycopg.connect(database.dsn("bootstrap")) as connection:
        names = connection.execute(
            """SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE c.relkind = 'r' AND n.nspname IN ('app', 'raw', 'ops', 'secret') ORDER BY 1"""
        ).fetchall()
        return [(name, connection.execute(_VERSIONS.format(name).encode()).fetchone()) for (name,) in names]
