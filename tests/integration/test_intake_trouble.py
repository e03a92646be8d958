"""What cannot be processed: isolated, kept with a reason, and without what people wrote."""

import io
from datetime import timedelta

import pytest
import structlog
from sqlalchemy import text

from tests.integration import intake_support as world
from tests.integration.intake_support import LATER, Delivery, Rows, accept, drain
from zrg_dagster.core.base.log import configure_logging
from zrg_dagster.core.intake import drain as intake_drain
from zrg_dagster.core.intake import messages as intake_messages
from zrg_dagster.core.intake import read as intake_read

MINUTE = timedelta(minutes=1)


@pytest.fixture
def log():
    """What is logged while a test runs."""
    stream = io.StringIO()
    configure_logging(json=True, stream=stream)
    yield stream
    structlog.reset_defaults()


@pytest.fixture
def rows(database):
    return Rows(database)


@pytest.fixture
def workspace(rows):
    return rows.workspace()


async def test_a_poison_delivery_dies_alone(database, rows, workspace, monkeypatch):
    """Halved until it stands alone, tried again up to its last attempt, and no neighbour is held up by it."""
    deliveries = [
        world.replied(workspace, n, lead=world.person(f"p{n}", n), sender=f"p{n}@brightloom.example") for n in range(9)
    ]
    accept(database, deliveries)
    poison = rows.value(
        "SELECT e.id FROM raw.webhook_event e JOIN raw.webhook_body b ON b.event_id = e.id "
        "WHERE position('\"id\": 4,'::bytea IN b.body) > 0"
    )
    original = intake_drain.apply

    async def apply(conn, events, now, **options):
        if any(each.event.id == poison for each in events):
            raise RuntimeError("poison for someone@example.org")
        return await original(conn, events, now, **options)

    monkeypatch.setattr(intake_drain, "apply", apply)
    report = await drain(database)
    assert dict(report.outcomes) == {"processed": 8, "retried": 1}
    assert rows.value("SELECT count(*) FROM app.message") == 8
    now = LATER
    for _ in range(7):
        event = rows.one("SELECT state, reason, attempts, run_at FROM raw.webhook_event WHERE id = %s", poison)
        assert (event["state"], event["reason"]) == ("pending", "handler_error")
        assert event["run_at"] > now
        now = event["run_at"]
        report = await drain(database, now=now)
    event = rows.one("SELECT state, reason, attempts, error FROM raw.webhook_event WHERE id = %s", poison)
    assert (event["state"], event["reason"], event["attempts"]) == ("dead", "handler_error", 8)
    assert event["error"] == "RuntimeError: poison for [email]", "the error is kept, the person is not"
    assert report.outcomes["dead"] == 1


async def test_a_defect_of_a_parser_costs_its_own_delivery_only(database, rows, workspace, monkeypatch):
    accept(database, [world.replied(workspace, 1), world.invitee(workspace)])

    def broken(*_args, **_options):
        raise KeyError("a defect")

    monkeypatch.setitem(intake_read.PARSERS, "calendly", broken)
    report = await drain(database)
    assert dict(report.outcomes) == {"processed": 1, "retried": 1}
    event = rows.one("SELECT state, reason, error FROM raw.webhook_event WHERE provider = 'calendly'")
    assert tuple(event.values()) == ("pending", "handler_error", "KeyError: 'a defect'")


@pytest.mark.parametrize(
    "before, after, says",
    [
        ("SELECT id,", "SELECT 3,", "DatatypeMismatch: 42804"),
        ("CAST(:thread_handle AS text[])", "CAST(:thread_handle AS integer[])", "InvalidTextRepresentation: 22P02"),
        ("CAST(:channel AS text[])", "CAST(:channel AS date[])", "InvalidDatetimeFormat: 22007"),
        (
            "SELECT id, workspace_id, lead_id, event_id, message_key, channel",
            "SELECT id, workspace_id, lead_id, event_id, message_key, 'fax'",
            "CheckViolation: 23514: message.message_channel_check",
        ),
    ],
)
async def test_an_error_of_the_database_is_kept_without_what_people_wrote(
    database, rows, workspace, monkeypatch, before, after, says, log
):
    """Statements, parameters and offending rows stay out of the row and out of the log."""
    assert before in intake_messages._INSERT.text
    broken = intake_messages._INSERT.text.replace(before, after)
    monkeypatch.setattr(intake_messages, "_INSERT", text(broken))
    accept(database, [world.replied(workspace, 1, "Words between us, sincerely Mara", id="mara-1")])
    await drain(database)
    error = rows.value("SELECT error FROM raw.webhook_event")
    assert error.startswith(says), error
    written = error + log.getvalue()
    assert "event_failed" in written
    assert not [word for word in ("Words between us", "sincerely", "mara-1", "INSERT INTO") if word in written]


async def test_a_lost_claim_does_not_strand_its_neighbours(database, rows, workspace, monkeypatch):
    """Another worker took one row over (its lease ran out): the rest of the batch is still ours to finish."""
    accept(database, [world.replied(workspace, n, lead=world.person(f"p{n}", n)) for n in range(4)])
    original = intake_drain.load_bodies

    async def load_bodies(conn, claimed):
        stolen = rows.value("SELECT id FROM raw.webhook_event WHERE state = 'running' LIMIT 1")
        rows.all("UPDATE raw.webhook_event SET claimed_by = 999999, attempts = attempts + 1 WHERE id = %s", stolen)
        return await original(conn, claimed)

    monkeypatch.setattr(intake_drain, "load_bodies", load_bodies)
    report = await drain(database)
    assert (report.outcomes["processed"], report.outcomes["claim_lost"]) == (3, 1)
    assert rows.column("SELECT claimed_by FROM raw.webhook_event WHERE state = 'running'") == [999999]


async def test_what_nobody_can_read_is_kept_with_its_reason(database, rows, workspace):
    accept(
        database,
        [
            world.email(workspace, {"event": {"type": "LEAD_TELEPORTED"}, "data": {}}),
            world.email(workspace, world.email_event("LEAD_REPLIED", reply={"from_email_address": "a@b.example"})),
            Delivery("ghl", b'{"message": "half', workspace),
            Delivery("emailbison", world.replied(workspace, 1).body, None),
            Delivery("carrier-pigeon", b"{}", workspace),
        ],
    )
    await drain(database)
    ends = rows.all("SELECT state, reason FROM raw.webhook_event ORDER BY reason")
    assert [tuple(row.values()) for row in ends] == [
        ("quarantined", "no_workspace"),
        ("quarantined", "shape_mismatch"),
        ("quarantined", "shape_mismatch"),
        ("quarantined", "shape_mismatch"),
        ("quarantined", "unknown_event_type"),
    ]
    assert rows.value("SELECT count(*) FROM app.lead") == 0
    assert all("a@b.example" not in (error or "") for error in rows.column("SELECT error FROM raw.webhook_event"))


async def test_a_claim_of_large_bodies_is_worked_in_portions(database, rows, workspace, monkeypatch):
    """What a claim holds in memory is bounded in bytes, not only in deliveries."""
    monkeypatch.setattr(intake_drain, "PORTION_BYTES", 1)
    loaded = []
    original = intake_drain.load_bodies

    async def load_bodies(conn, claimed):
        loaded.append(len(claimed))
        return await original(conn, claimed)

    monkeypatch.setattr(intake_drain, "load_bodies", load_bodies)
    accept(
        database,
        [world.replied(workspace, n, lead=world.person("one", 1), sender="one@brightloom.example") for n in range(5)],
    )
    report = await drain(database)
    assert dict(report.outcomes) == {"processed": 5}
    assert loaded == [1] * 5
    assert rows.value("SELECT count(*) FROM app.message") == 5
