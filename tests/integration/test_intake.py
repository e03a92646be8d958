"""Deliveries to conversations on a real Postgres: what a batch writes, and how each delivery ends."""

import json
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from sqlalchemy import text

from tests.integration import intake_support as world
from tests.integration.intake_support import LATER, Delivery, Rows, accept, drain
from tests.integration.seeds import NOW
from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.intake import drain as intake_drain
from zrg_dagster.core.intake import messages as intake_messages
from zrg_dagster.core.intake import read as intake_read

MINUTE = timedelta(minutes=1)


@pytest.fixture
def rows(database):
    return Rows(database)


@pytest.fixture
def workspace(rows):
    return rows.workspace()


def click(draft_id, *, action="approve", workspace="clnt_harbourline", ts="1773162411.000100"):
    value = json.dumps({"draftId": str(draft_id), "version": 1, "clientId": workspace})
    payload = {
        "type": "block_actions",
        "user": {"id": "U1"},
        "channel": {"id": "D1"},
        "message": {"ts": "1773162400.1"},
        "actions": [{"action_id": action, "value": value, "action_ts": ts}],
    }
    form = {"content-type": "application/x-www-form-urlencoded"}
    return Delivery("slack", urlencode({"payload": json.dumps(payload)}).encode(), None, scope="T1", headers=form)


# ── a batch ──────────────────────────────────────────────────────────────────


async def test_a_mixed_batch_becomes_one_conversation(database, rows, workspace):
    accept(
        database,
        [
            world.sent_step(workspace, 1, at=NOW - timedelta(days=2)),
            world.replied(workspace, 4401, at=NOW - 2 * MINUTE),
            world.email(workspace, world.email_event("EMAIL_OPENED")),
            world.sms(workspace, "And by text: yes", fields={"email": "mara@brightloom.example"}),
            world.invitee(workspace, at=NOW - MINUTE),
        ],
    )
    report = await drain(database)
    assert report.claimed == 5
    assert dict(report.outcomes) == {"processed": 4, "ignored": 1}
    lead = rows.one("SELECT * FROM app.lead")
    assert (lead["email"], lead["phone"], lead["company_name"]) == (
        "mara@brightloom.example", "+14155550132", "Brightloom Textiles",
    )  # fmt: skip
    assert (lead["status"], lead["sentiment_tag"]) == ("meeting-booked", "Meeting Booked")
    assert lead["last_outbound_at"] == NOW - timedelta(days=2)
    assert lead["last_inbound_at"] == NOW
    found = rows.all("SELECT channel, direction, source FROM app.message ORDER BY sent_at")
    assert [tuple(row.values()) for row in found] == [
        ("email", "outbound", "campaign"), ("email", "inbound", "webhook"), ("sms", "inbound", "webhook"),
    ]  # fmt: skip
    campaign = rows.one("SELECT * FROM app.email_campaign")
    assert (campaign["external_id"], campaign["sent_count"], campaign["reply_count"]) == ("318", 1, 1)
    assert lead["email_campaign_id"] == campaign["id"]
    assert [tuple(row.values()) for row in rows.all("SELECT kind, is_human FROM app.touch")] == [("campaign", False)]
    jobs = rows.all("SELECT kind, serial_key, lead_id FROM app.job")
    assert [tuple(job.values()) for job in jobs] == [("reply", f"lead:{lead['id']}", lead["id"])] * 2
    appointment = rows.one("SELECT * FROM app.appointment")
    assert (appointment["lead_id"], appointment["status"], appointment["email_campaign_id"]) == (
        lead["id"], "confirmed", campaign["id"],
    )  # fmt: skip
    assert rows.column("SELECT fact FROM ops.fact_dirty") == ["booking"]
    kinds = {row["kind"] for row in rows.all("SELECT kind FROM app.lead_identity")}
    assert kinds == {"emailbison_lead", "email", "ghl_contact", "phone"}


async def test_what_an_event_was_about_is_readable_without_its_body(database, rows, workspace):
    accept(database, [world.replied(workspace, 4401)])
    await drain(database)
    event = rows.one("SELECT * FROM raw.webhook_event")
    assert (event["state"], event["event_type"], event["attempts"]) == ("processed", "LEAD_REPLIED", 1)
    assert (event["campaign_external_id"], event["sender_external_id"]) == ("318", "512")
    assert event["lead_id"] == rows.value("SELECT id FROM app.lead")
    assert event["message_id"] == rows.value("SELECT id FROM app.message")
    assert (event["claimed_by"], event["claimed_at"], event["finished_at"]) == (None, None, LATER)


@pytest.mark.parametrize("together", [True, False], ids=["one batch", "two batches"])
async def test_a_message_told_twice_is_one_message_one_job_and_one_count(database, rows, workspace, together):
    first = world.replied(workspace, 4401)
    again = world.replied(workspace, 4401, kind="LEAD_INTERESTED")
    if together:
        assert accept(database, [first, again, first]).count(True) == 2
        await drain(database)
    else:
        accept(database, [first])
        await drain(database)
        assert accept(database, [first]) == [False]
        accept(database, [again])
        await drain(database)
    assert rows.value("SELECT count(*) FROM app.message") == 1
    assert rows.value("SELECT provider_interested FROM app.message") is True
    assert rows.value("SELECT reply_count FROM app.email_campaign") == 1
    message = rows.value("SELECT id FROM app.message")
    # The vendor's mark may change a tag that is given already, so a reply it comes late for is looked at once more.
    keys = rows.column("SELECT job_key FROM app.job ORDER BY job_key")
    assert keys == [f"reply:{message}", *([] if together else [f"reply:{message}:interested"])]
    reasons = [reason for ends in rows.events().values() for _, reason in ends]
    assert sorted(reasons, key=str) == [None, "duplicate_message"]


async def test_a_reply_counts_for_the_campaign_that_it_names(database, rows, workspace):
    """Not for the one that another delivery of the same lead and batch names."""
    accept(
        database,
        [
            world.sent_step(workspace, 1, at=NOW - timedelta(days=9), campaign=100),
            world.sent_step(workspace, 2, at=NOW - timedelta(days=1), campaign=200),
            world.replied(workspace, 4401, campaign=200),
            world.replied(workspace, 4402, campaign=None),
        ],
    )
    await drain(database)
    counts = rows.all("SELECT external_id, sent_count, reply_count FROM app.email_campaign ORDER BY external_id")
    assert [tuple(row.values()) for row in counts] == [("100", 1, 0), ("200", 1, 1)]
    first = rows.value("SELECT id FROM app.email_campaign WHERE external_id = '100'")
    assert rows.value("SELECT email_campaign_id FROM app.lead") == first


async def test_an_empty_body_and_a_body_past_its_retention_are_told_apart(database, rows, workspace):
    accept(database, [world.replied(workspace, 1), world.replied(workspace, 2, text="")])
    one = rows.value("SELECT id FROM raw.webhook_event LIMIT 1")
    rows.all("DELETE FROM raw.webhook_body WHERE event_id = %s", one)
    await drain(database)
    states = {row["id"]: row for row in rows.all("SELECT id, state, error FROM raw.webhook_event")}
    gone = states.pop(one)
    assert (gone["state"], "retention" in gone["error"]) == ("quarantined", True)
    assert [row["state"] for row in states.values()] == ["processed"]


# ── stops ────────────────────────────────────────────────────────────────────


async def scene_with_draft(database, rows, workspace):
    """A lead who wrote by mail and SMS, with a pending draft."""
    accept(
        database,
        [world.replied(workspace, 4401), world.sms(workspace, "hi", fields={"email": "mara@brightloom.example"})],
    )
    await drain(database)
    message = rows.one("SELECT id, lead_id FROM app.message WHERE channel = 'email'")
    draft = new_id()
    rows.all(
        "INSERT INTO app.draft (id, workspace_id, lead_id, trigger_message_id, channel, body, ai_body) "
        "VALUES (%s, %s, %s, %s, 'email', 'x', 'x')", draft, workspace, message["lead_id"], message["id"],
    )  # fmt: skip
    return message["lead_id"]


STOPS = {
    "opt-out by mail": lambda ws: world.replied(ws, 5001, "Please remove me from your list.", at=NOW + MINUTE),
    "STOP by SMS": lambda ws: world.sms(ws, "STOP", time="9:50 AM"),
    "unsubscribe link": lambda ws: world.email(ws, world.email_event("LEAD_UNSUBSCRIBED")),
    "hard bounce": lambda ws: world.email(ws, world.email_event("EMAIL_BOUNCED", scheduled_email={"id": 9})),
}


@pytest.mark.parametrize("stop", STOPS.values(), ids=STOPS)
async def test_a_stop_closes_every_channel_in_the_transaction_that_stores_it(database, rows, workspace, stop):
    lead_id = await scene_with_draft(database, rows, workspace)
    accept(database, [stop(workspace)])
    await drain(database)
    lead = rows.one("SELECT status, sentiment_tag, sentiment_source FROM app.lead")
    assert tuple(lead.values()) == ("blacklisted", "Blacklist", "floor")
    assert tuple(rows.one("SELECT status, reason FROM app.draft").values()) == ("rejected", "lead_blacklisted")
    suppressed = rows.all("SELECT kind, value, channel FROM app.suppression ORDER BY kind")
    assert [tuple(row.values()) for row in suppressed] == [
        ("email", "mara@brightloom.example", "all"),
        ("lead", str(lead_id), "all"),
        ("phone", "+14155550132", "all"),
    ]
    (decision,) = rows.all("SELECT code FROM app.decision WHERE subject = 'suppression'")
    assert decision["code"]
    assert rows.value("SELECT count(*) FROM app.sentiment_event") == 1


async def test_a_soft_bounce_stops_nobody(database, rows, workspace):
    notice = world.reply(
        5002, "Delivery delayed: 452 4.2.2 mailbox full, will retry", sender="mailer-daemon@mx.example", type="Bounced",
        folder="Bounced",
    )  # fmt: skip
    accept(
        database, [world.email(workspace, world.email_event("EMAIL_BOUNCED", scheduled_email={"id": 9}, reply=notice))]
    )
    await drain(database)
    assert rows.value("SELECT status FROM app.lead") == "new"
    assert rows.value("SELECT count(*) FROM app.suppression") == 0
    assert rows.value("SELECT count(*) FROM app.job") == 0
    assert rows.value("SELECT reply_count FROM app.email_campaign") == 0, "a mail system is no reply"
    assert rows.value("SELECT last_inbound_at FROM app.lead") is None


@pytest.mark.parametrize("kind", ["unsubscribe link", "hard bounce"])
async def test_a_stop_before_the_first_mail_is_not_lost(database, rows, workspace, kind):
    accept(database, [STOPS[kind](workspace)])
    await drain(database)
    assert rows.value("SELECT status FROM app.lead") == "blacklisted"
    # Known by the mail address alone so far; the phone number that turns up later is as stopped.
    accept(database, [world.sms(workspace, "who is this", fields={"email": "mara@brightloom.example"})])
    await drain(database)
    assert rows.value("SELECT count(*) FROM app.lead") == 1
    values = rows.column("SELECT value FROM app.suppression WHERE kind <> 'lead' ORDER BY value")
    assert values == ["+14155550132", "mara@brightloom.example"]


async def test_the_effects_of_a_stop_and_its_settlement_are_one_transaction(database, rows, workspace, monkeypatch):
    """When the settlement fails, nothing of the stop stands; the retry makes it whole."""
    accept(database, [STOPS["opt-out by mail"](workspace)])
    original, calls = intake_drain.queue.settle, []

    async def settle(conn, queue, settlements, **fence):
        if settlements and settlements[0].state == "processed" and not calls:
            calls.append(1)
            raise RuntimeError("the power went")
        await original(conn, queue, settlements, **fence)

    monkeypatch.setattr(intake_drain.queue, "settle", settle)
    await drain(database)
    assert calls
    assert rows.value("SELECT count(*) FROM app.lead") == 0
    assert rows.value("SELECT count(*) FROM app.suppression") == 0
    await drain(database, now=LATER + MINUTE)
    assert rows.value("SELECT status FROM app.lead") == "blacklisted"
    assert rows.value("SELECT attempts FROM raw.webhook_event") == 2


async def test_of_several_stops_the_earliest_is_the_reason_whatever_comes_first(database, rows, workspace):
    late = world.email(
        workspace, world.email_event("LEAD_UNSUBSCRIBED", campaign_event={"id": 1, "created_at": world.stamp(NOW)})
    )
    early = world.replied(workspace, 5003, "Please remove me from your list.", at=NOW - MINUTE)
    accept(database, [late])
    await drain(database)
    assert set(rows.column("SELECT reason FROM app.suppression")) == {"vendor_unsubscribe"}
    accept(database, [early])
    await drain(database)
    (reason,) = set(rows.column("SELECT reason FROM app.suppression"))
    assert reason != "vendor_unsubscribe"
    assert set(rows.column("SELECT suppressed_at FROM app.suppression")) == {NOW - MINUTE}
    assert rows.value("SELECT count(*) FROM app.decision WHERE subject = 'suppression'") == 2


# ── who answers ──────────────────────────────────────────────────────────────


async def test_a_colleague_becomes_the_replier_and_the_lead_takes_over_again(database, rows, workspace):
    """CC-01 to CC-04: set by a colleague's answer, `since` its first mail in a row, cleared when the lead writes."""
    jo = {"sender": "jo@brightloom.example", "from_name": "Jo Hale"}
    accept(database, [world.replied(workspace, 1, at=NOW - 9 * MINUTE)])
    await drain(database)
    assert rows.value("SELECT current_replier_email FROM app.lead") is None
    # The newer of two mails in a row arrives first.
    accept(database, [world.replied(workspace, 3, at=NOW - 7 * MINUTE, **jo)])
    await drain(database)
    accept(database, [world.replied(workspace, 2, at=NOW - 8 * MINUTE, **jo)])
    await drain(database)
    lead = rows.one(
        "SELECT current_replier_email AS e, current_replier_name AS n, current_replier_since AS s FROM app.lead"
    )
    assert tuple(lead.values()) == ("jo@brightloom.example", "Jo Hale", NOW - 8 * MINUTE)
    assert rows.value("SELECT lead_id FROM app.lead_identity WHERE kind = 'alternate_email'")
    accept(database, [world.replied(workspace, 4, at=NOW - 6 * MINUTE, automated_reply=True, **jo)])
    accept(database, [world.replied(workspace, 5, at=NOW - 6 * MINUTE)])
    await drain(database)
    lead = rows.one(
        "SELECT current_replier_email AS e, current_replier_name AS n, current_replier_since AS s FROM app.lead"
    )
    assert tuple(lead.values()) == (None, None, None)
    assert rows.value("SELECT count(*) FROM app.lead") == 1


async def test_an_absence_notice_of_a_colleague_redirects_nobody(database, rows, workspace):
    away = "I am out of the office until Monday."
    accept(database, [world.replied(workspace, 1, at=NOW - MINUTE)])
    accept(database, [world.replied(workspace, 2, away, sender="jo@brightloom.example", automated_reply=True)])
    await drain(database)
    assert rows.value("SELECT current_replier_email FROM app.lead") is None


# ── two feeds of one SMS ─────────────────────────────────────────────────────

TEXT = "Yes, mornings work. Can you do Thursday?"


@pytest.mark.parametrize("order", ["workflow first", "app first", "together"])
async def test_an_sms_from_both_feeds_is_one_message_and_one_job(database, rows, workspace, order):
    told = [
        world.sms(workspace, TEXT, received_at=NOW + timedelta(seconds=11)),
        world.app_sms(workspace, "yes, mornings work.  Can you do Thursday?", "GkA", at=NOW),
    ]
    for part in (
        [told] if order == "together" else [[each] for each in (told if order == "workflow first" else told[::-1])]
    ):
        accept(database, part)
        await drain(database)
    accept(database, [world.sms(workspace, TEXT, fields={"extra": 1})])  # the workflow's retry, with other bytes
    await drain(database)
    message = rows.one("SELECT message_key, provider_message_id, sent_at, sent_at_quality FROM app.message")
    assert tuple(message.values()) == (f"ghl:{world.LOCATION}:GkA", "GkA", NOW, "provider")
    assert rows.value("SELECT count(*) FROM app.job") == 1
    assert rows.value("SELECT count(*) FROM app.lead") == 1


async def test_the_same_word_twice_stays_two_messages(database, rows, workspace):
    for number, at in enumerate((NOW, NOW + MINUTE)):
        accept(database, [world.sms(workspace, "OK", time=f"9:4{number} AM", received_at=at + timedelta(seconds=5))])
        accept(database, [world.app_sms(workspace, "OK", f"Gk{number}", at=at)])
    await drain(database, batch_size=1)
    assert rows.column("SELECT provider_message_id FROM app.message ORDER BY sent_at") == ["Gk0", "Gk1"]
    assert rows.value("SELECT count(*) FROM app.job") == 2


@pytest.mark.parametrize("batch_size", [1, 10])
async def test_a_retry_across_a_time_bucket_is_the_same_sms(database, rows, workspace, batch_size):
    """Without a time of the vendor the key holds receipt in ten-minute buckets; the neighbour counts as known."""
    at = NOW.replace(minute=9, second=58)
    accept(database, [world.sms(workspace, "OK", time=None, received_at=at)])
    accept(database, [world.sms(workspace, "OK", time=None, received_at=at + timedelta(seconds=5), key="later")])
    await drain(database, batch_size=batch_size)
    assert rows.value("SELECT count(*) FROM app.message") == 1
    assert rows.value("SELECT count(*) FROM app.job") == 1
    assert rows.value("SELECT sent_at FROM app.message") == at


async def test_a_number_without_country_is_read_in_the_workspaces_zone(database, rows, workspace):
    rows.all("UPDATE app.workspace SET timezone = 'Europe/Berlin'")
    accept(database, [world.sms(workspace, "Hallo", fields={"phone": "030 901820"})])
    await drain(database)
    assert rows.value("SELECT phone FROM app.lead") == "+4930901820"


# ── bookings ─────────────────────────────────────────────────────────────────


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


# ── our own sends, reported back ─────────────────────────────────────────────


def manual(workspace, number, text, *, at=NOW):
    out = {
        "id": number,
        "text_body": text,
        "date_received": world.stamp(at),
        "from_email_address": world.OURS["email"],
        "primary_to_email_address": "mara@brightloom.example",
        "parent_id": 4401,
    }
    return world.email(workspace, world.email_event("MANUAL_EMAIL_SENT", reply=out))


SENDING = {"state": "sending", "claimed_by": 1, "claimed_at": NOW}
SENT = {"state": "sent", "claimed_at": NOW, "sent_at": NOW, "vendor_message_id": "991"}


@pytest.mark.parametrize("stage", [SENDING, SENT], ids=["while sending", "after it was sent"])
async def test_the_report_of_our_own_send_adds_nothing(database, rows, workspace, stage):
    accept(database, [world.replied(workspace, 4401, at=NOW - MINUTE)])
    await drain(database)
    lead = rows.value("SELECT id FROM app.lead")
    columns = {
        "id": new_id(), "workspace_id": workspace, "natural_key": "draft:1", "kind": "draft", "origin": "ai",
        "channel": "email", "vendor": "emailbison", "lead_id": lead, "recipient": "mara@brightloom.example",
        "content": json.dumps({"text": "Happy to help.\n\nNoor"}), "due_at": NOW, "correlation_id": "c", **stage,
    }  # fmt: skip
    rows.all(
        f"INSERT INTO app.send ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))})", *columns.values()
    )
    accept(database, [manual(workspace, 991, "Happy to help.\r\n\r\nNoor", at=NOW + timedelta(seconds=4))])
    await drain(database)
    assert rows.events()["emailbison/MANUAL_EMAIL_SENT"] == [("processed", "own_send_confirmed")]
    assert rows.value("SELECT count(*) FROM app.message WHERE direction = 'outbound'") == 0
    assert rows.value("SELECT count(*) FROM app.touch") == 0


async def test_what_a_person_wrote_in_the_vendors_inbox_is_a_human_touch(database, rows, workspace):
    accept(database, [world.replied(workspace, 4401, at=NOW - MINUTE), manual(workspace, 991, "Calling you at ten.")])
    await drain(database)
    message = rows.one("SELECT id, source FROM app.message WHERE direction = 'outbound'")
    assert message["source"] == "human"
    touch = rows.one("SELECT kind, is_human, message_id FROM app.touch")
    assert tuple(touch.values()) == ("human", True, message["id"])
    assert rows.value("SELECT last_message_direction FROM app.lead") == "outbound"


# ── what cannot be processed ─────────────────────────────────────────────────


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
        ("sent_at timestamptz", "sent_at integer", "DatatypeMismatch: 42804"),
        ("thread_handle text", "thread_handle integer", "InvalidTextRepresentation: 22P02"),
        ("channel text", "channel date", "InvalidDatetimeFormat: 22007"),
        (
            "SELECT id, workspace_id, lead_id, message_key, channel",
            "SELECT id, workspace_id, lead_id, message_key, 'fax'",
            "CheckViolation: 23514: message.message_channel_check",
        ),
    ],
)
async def test_an_error_of_the_database_is_kept_without_what_people_wrote(
    database, rows, workspace, monkeypatch, before, after, says, capsys
):
    """Statements, parameters and offending rows stay out of the row and out of the log."""
    assert before in intake_messages._INSERT.text
    broken = intake_messages._INSERT.text.replace(before, after)
    monkeypatch.setattr(intake_messages, "_INSERT", text(broken))
    accept(database, [world.replied(workspace, 1, "Words between us, sincerely Mara", id="mara-1")])
    await drain(database)
    error = rows.value("SELECT error FROM raw.webhook_event")
    assert error.startswith(says), error
    written = error + capsys.readouterr().out
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


# ── clicks ───────────────────────────────────────────────────────────────────


async def test_a_click_becomes_a_job_of_the_workspace_that_its_button_names(database, rows, workspace):
    draft = new_id()
    assert accept(database, [click(draft), click(draft), click(draft, ts="1773162411.000200")]).count(True) == 2
    await drain(database)
    jobs = rows.all("SELECT kind, workspace_id, serial_key, payload FROM app.job")
    assert [(job["kind"], job["workspace_id"], job["serial_key"]) for job in jobs] == [
        ("review_action", workspace, f"draft:{draft}")
    ] * 2
    payload = jobs[0]["payload"]
    assert (payload["action"], payload["draft_id"], payload["version"]) == ("approve", str(draft), 1)
    assert (payload["slack_user"], payload["slack_channel"], payload["slack_ts"]) == ("U1", "D1", "1773162400.1")
    assert rows.column("SELECT DISTINCT workspace_id FROM raw.webhook_event") == [workspace]


@pytest.mark.parametrize(
    "clicked, reason",
    [
        (click(new_id(), workspace="nobody"), "unknown_workspace"),
        (click("draft_01HZYA7K3M"), "unreadable_click"),
    ],
)
async def test_a_click_that_names_nothing_of_ours_is_kept_aside(database, rows, workspace, clicked, reason):
    accept(database, [clicked])
    await drain(database)
    assert rows.column("SELECT reason FROM raw.webhook_event WHERE state = 'quarantined'") == [reason]
    assert rows.value("SELECT count(*) FROM app.job") == 0


# ── many at once ─────────────────────────────────────────────────────────────


async def test_fifty_first_deliveries_of_one_person_on_four_lanes_make_one_lead(database, rows, workspace):
    """LM-08: whoever is slower finds the winner's lead, through the one key that both insert."""
    accept(database, [world.replied(workspace, n, at=NOW + timedelta(seconds=n)) for n in range(50)])
    report = await drain(database, workers=4, batch_size=3)
    assert report.outcomes["processed"] == 50
    assert rows.value("SELECT count(*) FROM app.lead") == 1
    assert rows.value("SELECT count(*) FROM app.lead_merge_candidate") == 0
    assert rows.value("SELECT count(*) FROM app.message") == 50
    assert rows.value("SELECT reply_count FROM app.email_campaign") == 50
    assert rows.value("SELECT count(*) FROM app.job") == 50
    assert rows.value("SELECT last_inbound_at FROM app.lead") == NOW + timedelta(seconds=49)


async def test_an_address_is_never_given_to_two_leads_at_once(database, rows, workspace):
    """One lane reads it as a colleague's address in a thread, the other as a stranger's own."""
    together = []
    for n in range(20):
        mate = f"mate{n}@brightloom.example"
        together.append(world.replied(workspace, n, lead=world.person(f"p{n}", n), sender=mate))
        together.append(world.replied(workspace, 100 + n, lead={}, kind="UNTRACKED_REPLY_RECEIVED", sender=mate))
    accept(database, together)
    await drain(database, workers=4, batch_size=1)
    doubled = rows.all(
        "SELECT value FROM app.lead_identity WHERE kind IN ('email', 'alternate_email') "
        "GROUP BY value HAVING count(DISTINCT lead_id) > 1"
    )
    assert doubled == []
    assert rows.value("SELECT count(*) FROM app.lead") == 20


async def test_workspaces_keep_to_themselves(database, rows, workspace):
    other = rows.workspace("other")
    accept(database, [world.replied(workspace, 1), world.replied(other, 1, received_at=NOW + MINUTE, cc=None)])
    await drain(database)
    assert rows.value("SELECT count(DISTINCT workspace_id) FROM app.lead") == 2
    assert rows.value("SELECT count(*) FROM app.message") == 2
