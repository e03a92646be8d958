"""After an erasure no list and no thread brings the person back, and only the workspace's key can tell."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from tests.conftest import Database
from tests.integration.erase_world import EMAIL, KEY, PHONE, TRACES, Place, conversation, drain, mara, traces
from tests.integration.intake_support import Rows, accept, invitee, person, replied, sms
from tests.integration.seeds import NOW
from zrg_dagster.core.base.seal import Sealer, SealError, new_key
from zrg_dagster.core.db.engine import make_engine
from zrg_dagster.core.db.lane import LaneReport
from zrg_dagster.core.intake.drain import InboundLane
from zrg_dagster.core.leads.erased import erased_among, exclude_intake, hash_of, share_workspaces


@pytest.fixture
async def place(database: Database) -> AsyncIterator[Place]:
    rows = Rows(database)
    engine = make_engine(database.dsn("worker"), pool_size=5)
    yield Place(database, engine, rows, rows.workspace(), Sealer(KEY))
    await engine.dispose()


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
