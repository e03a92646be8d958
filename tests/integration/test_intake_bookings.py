"""Bookings in any order: which version stands, what it does to its lead, and strangers who become known later."""

import asyncio
from datetime import timedelta

import pytest

from tests.integration import intake_support as world
from tests.integration.intake_support import Rows, accept, drain
from tests.integration.seeds import NOW
from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.db.engine import make_engine
from zrg_dagster.core.intake.appointments import NewAppointment, link_appointments, named_meanwhile, store_appointments
from zrg_dagster.core.intake.identity import Resolution
from zrg_dagster.core.intake.leads import write_resolution
from zrg_dagster.core.providers.records import AppointmentRecord

MINUTE = timedelta(minutes=1)


@pytest.fixture
def rows(database):
    return Rows(database)


@pytest.fixture
def workspace(rows):
    return rows.workspace()


def canceled(workspace, *, at=NOW + MINUTE, **payload):
    return world.invitee(
        workspace, "invitee.canceled", at=at, status="canceled", cancellation={"canceler_type": "invitee"}, **payload
    )


async def test_a_booking_and_its_cancellation(database, rows, workspace):
    """BK-72: booked is meeting-booked; a booking that is gone leaves a qualified lead who wanted a meeting."""
    accept(database, [world.replied(workspace, 1, at=NOW - MINUTE), world.invitee(workspace)])
    await drain(database)
    assert tuple(rows.one("SELECT status, sentiment_tag FROM app.lead").values()) == (
        "meeting-booked",
        "Meeting Booked",
    )
    accept(database, [canceled(workspace)])
    await drain(database)
    appointment = rows.one("SELECT status, canceled_by, canceled_at, booked_at FROM app.appointment")
    assert tuple(appointment.values()) == ("canceled", "invitee", NOW + MINUTE, NOW)
    assert tuple(rows.one("SELECT status, sentiment_tag FROM app.lead").values()) == ("qualified", "Meeting Requested")


@pytest.mark.parametrize("batch_size", [1, 10])
async def test_a_cancellation_before_its_booking_is_not_undone(database, rows, workspace, batch_size):
    accept(database, [world.replied(workspace, 1, at=NOW - MINUTE)])
    await drain(database)
    accept(database, [canceled(workspace)])
    await drain(database)
    accept(database, [world.invitee(workspace), world.invitee(workspace, "invitee_no_show.deleted")])
    await drain(database, batch_size=batch_size)
    assert tuple(rows.one("SELECT status, booked_at FROM app.appointment").values()) == ("canceled", NOW)
    assert tuple(rows.one("SELECT status, sentiment_tag FROM app.lead").values()) == ("qualified", "Meeting Requested")


async def test_a_delivery_told_again_does_not_undo_what_happened_since(database, rows, workspace):
    accept(database, [world.replied(workspace, 1), world.invitee(workspace)])
    await drain(database)
    rows.all("UPDATE app.lead SET status = 'not-interested', sentiment_tag = 'Not Interested'")
    accept(database, [world.invitee(workspace, tracking={})])
    await drain(database)
    assert rows.value("SELECT status FROM app.lead") == "not-interested"


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 2, 0), (2, 1, 0), (1, 0, 2)])
async def test_a_reschedule_in_any_order_leaves_the_new_meeting(database, rows, workspace, order):
    new = "https://api.calendly.com/scheduled_events/E2/invitees/I2"
    told = [
        world.invitee(workspace),
        canceled(workspace, rescheduled=True, new_invitee=new),
        world.invitee(workspace, uri=new, at=NOW + MINUTE, old_invitee=world.INVITEE),
    ]
    accept(database, [world.replied(workspace, 1, at=NOW - MINUTE)])
    await drain(database)
    for number in order:
        accept(database, [told[number]])
        await drain(database)
    found = rows.all("SELECT external_id, status, superseded_by FROM app.appointment ORDER BY external_id")
    assert [tuple(row.values()) for row in found] == [(world.INVITEE, "rescheduled", new), (new, "confirmed", None)]
    assert rows.value("SELECT status FROM app.lead") == "meeting-booked"


@pytest.mark.parametrize("kind, status", [("created", "meeting-booked"), ("canceled", "qualified")])
async def test_a_strangers_booking_told_again_beside_the_first_mail_counts_once(
    database, rows, workspace, kind, status
):
    """The delivery that links a booking may be the booking's own repetition, in the batch that makes the lead."""
    told = world.invitee if kind == "created" else canceled
    accept(database, [told(workspace)])
    await drain(database)
    accept(database, [told(workspace, tracking={}), world.replied(workspace, 1, at=NOW - MINUTE)])
    await drain(database)
    assert rows.value("SELECT status FROM app.lead") == status
    assert rows.value("SELECT count(*) FROM app.appointment WHERE lead_id IS NOT NULL") == 1


async def test_a_booking_by_a_stranger_finds_its_lead_later(database, rows, workspace):
    accept(database, [world.invitee(workspace)])
    await drain(database)
    assert rows.value("SELECT count(*) FROM app.lead") == 0
    assert rows.events()["calendly/invitee.created"] == [("processed", "lead_not_identified")]
    rows.all("DELETE FROM ops.fact_dirty")
    accept(database, [world.replied(workspace, 1)])
    await drain(database)
    lead = rows.one("SELECT id, status FROM app.lead")
    assert lead["status"] == "meeting-booked"
    assert rows.value("SELECT lead_id FROM app.appointment") == lead["id"]
    assert rows.column("SELECT fact FROM ops.fact_dirty") == ["booking"], "its day is built again, now with a lead"


@pytest.mark.parametrize(
    "provider, kind, name", [("GHL", "ghl_contact", "c1"), ("CALENDLY", "alternate_email", "a@b.example")]
)
@pytest.mark.parametrize("is_first", [True, False])
async def test_a_booking_and_its_person_find_each_other_when_two_workers_store_them_at_once(
    database, rows, workspace, provider, kind, name, is_first
):
    lead = new_id()
    record = AppointmentRecord(
        "k", provider, "b1", "CONFIRMED", NOW, attendee_email=name if provider == "CALENDLY" else None
    )
    booking = NewAppointment(workspace, None, record, name if provider == "GHL" else None, new_id())
    person = Resolution(new_leads={lead: workspace}, new_identities={(workspace, kind, name): lead})

    async def book(conn):
        await store_appointments(conn, [booking])
        await link_appointments(conn, await named_meanwhile(conn, [booking]))

    async def appear(conn):
        await write_resolution(conn, person)
        await link_appointments(conn, person.new_identities)

    first, second = (book, appear) if is_first else (appear, book)
    engine = make_engine(database.dsn("worker"))
    try:
        async with engine.connect() as one, engine.connect() as two:
            await first(one)
            late = asyncio.create_task(second(two))
            await asyncio.wait([late], timeout=0.3)
            assert not late.done(), "it waits for the end of the other"
            await one.commit()
            await late
            await two.commit()
    finally:
        await engine.dispose()
    assert rows.value("SELECT lead_id FROM app.appointment") == lead
