"""Deliveries to conversations on a real Postgres: what a batch writes, and how each delivery ends."""

import json
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from tests.integration import intake_support as world
from tests.integration.intake_support import LATER, Delivery, Rows, accept, drain
from tests.integration.seeds import NOW
from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.intake import drain as intake_drain

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


# ── a batch ─────────────────────────────────────────────────────────────────────


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
    jobs = rows.all("SELECT kind, serial_key, lead_id FROM app.job WHERE kind = 'reply'")
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


@pytest.mark.parametrize("first", ["100", "200"])
async def test_of_two_first_touches_at_one_instant_the_order_of_arrival_does_not_choose(
    database, rows, workspace, first
):
    """Our own campaign ids grow with arrival, so they must not break the tie."""
    for external_id in (first, {"100": "200", "200": "100"}[first]):
        accept(database, [world.sent_step(workspace, int(external_id), at=NOW, campaign=int(external_id))])
        await drain(database)
    assert (
        rows.value("SELECT c.external_id FROM app.lead l JOIN app.email_campaign c ON c.id = l.email_campaign_id")
        == "100"
    )


async def test_an_empty_body_and_a_body_past_its_retention_are_told_apart(database, rows, workspace):
    accept(database, [world.replied(workspace, 1), world.replied(workspace, 2, text="")])
    one = rows.value("SELECT id FROM raw.webhook_event LIMIT 1")
    rows.all("DELETE FROM raw.webhook_body WHERE event_id = %s", one)
    await drain(database)
    states = {row["id"]: row for row in rows.all("SELECT id, state, error FROM raw.webhook_event")}
    gone = states.pop(one)
    assert (gone["state"], "retention" in gone["error"]) == ("quarantined", True)
    assert [row["state"] for row in states.values()] == ["processed"]


# ── stops ───────────────────────────────────────────────────────────────────────


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


# ── our own sends, reported back ────────────────────────────────────────────────


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


# ── clicks ──────────────────────────────────────────────────────────────────────


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
