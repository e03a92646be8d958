"""What the product is judged by: whole stories from the vendor's request to what left (domain-inbound-ai §11)."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from tests.integration import intake_support as mail
from tests.integration.replies_support import REVIEWERS
from tests.integration.scenario_world import NEW_YORK_OFFICE, telling
from tests.integration.test_replies_after_tag import settings
from zrg_dagster.core.db import lanes, queue
from zrg_dagster.core.db.engine import make_engine
from zrg_dagster.core.replies.review import ReviewOutcome
from zrg_dagster.core.sending import switches
from zrg_dagster.core.sending.switches import Switch
from zrg_dagster.core.workspaces import personas

# Tuesday, 16:58 in New York: with any delay the answer would leave after work.
EVENING = datetime(2026, 3, 10, 20, 58, tzinfo=UTC)
NEXT_MORNING = datetime(2026, 3, 11, 13, 0, tzinfo=UTC)
NOON = datetime(2026, 3, 10, 16, 0, tzinfo=UTC)
ADMIN = f"{REVIEWERS[0].lower()}@harbourline.example"


@pytest.fixture
async def story(database, monkeypatch):
    async with telling(database, monkeypatch, NOON) as made:
        yield made


def judged(confidence):
    return {"safe_to_send": True, "requires_human_review": False, "confidence": confidence, "reason": "A fact."}


def delayed(story, seconds=(180, 420)):
    story.rows.all("UPDATE app.email_campaign SET delay_min_s = %s, delay_max_s = %s", *seconds)


async def test_01_a_hot_lead_is_answered_safely_at_the_right_local_time(story):
    """Without slots: which times are offered is decided elsewhere."""
    settings(story, **NEW_YORK_OFFICE)
    delayed(story)
    story.brain.tag = "Meeting Requested"
    await story.at(EVENING)
    await story.mail_comes("Sounds great, can you do Tuesday?")
    assert story.rows.value("SELECT count(*) FROM app.lead") == 1
    assert story.rows.value("SELECT count(*) FROM app.job WHERE kind = 'reply'") == 1
    assert story.lead["sentiment_tag"] == "Meeting Requested"
    (send,) = story.planned()
    assert (story.draft["action"], send["due_at"]) == ("send_delayed", NEXT_MORNING)
    assert await story.left() == []
    await story.at(NEXT_MORNING)
    await story.work()
    assert len(await story.left()) == 1
    assert (story.draft["status"], story.draft["disposition"]) == ("approved", "AUTO_SENT")
    assert story.rows.value("SELECT count(*) FROM app.touch") == 1


async def test_02_a_changed_mind_stops_what_was_planned_and_the_vendor_is_told(story):
    delayed(story)
    await story.mail_comes("Sounds great, can you do Tuesday?")
    await story.at(NOON + timedelta(minutes=2))
    await story.mail_comes("please stop emailing me", 4402)
    await story.at(NOON + timedelta(hours=1))
    await story.work()
    assert await story.left() == []
    assert (story.lead["status"], story.draft["status"]) == ("blacklisted", "rejected")
    [lead] = (await story.sandbox.state("emailbison"))["leads"]
    assert lead["status"] == "unsubscribed"
    assert "vendor_told_to_stop" in story.decisions("suppression")
    assert story.rows.column("SELECT tag FROM app.sentiment_event ORDER BY changed_at") == ["Interested", "Blacklist"]


async def test_03_a_person_who_writes_first_beats_the_robot(story):
    delayed(story)
    await story.mail_comes("Sounds great, can you do Tuesday?")
    await story.at(NOON + timedelta(minutes=1))
    by_hand = mail.reply(4500, "Tuesday at two?", at=story.now, sender=mail.OURS["email"], type="Outgoing Email",
                         folder="Sent", primary_to_email_address="mara@brightloom.example")  # fmt: skip
    await story.delivered(mail.email_event("MANUAL_EMAIL_SENT", reply=by_hand))
    await story.at(NOON + timedelta(minutes=10))
    await story.work()
    (send,) = story.planned()
    assert (send["state"], send["reason"], story.draft["reason"]) == (
        "blocked", "outbound_after_trigger", "outbound_after_trigger",
    )  # fmt: skip
    assert [item["id"] for item in await story.left()] == [4500]


async def test_04_an_unsure_draft_is_improved_shown_and_sent_once_by_whoever_pressed(story):
    settings(story, auto_send_revision_enabled=True)
    story.brain.evaluations = [judged(0.6), judged(0.7), judged(0.7)]
    story.brain.revisions = [{"body": "Better: which of your looms stands still most often?"}]
    await story.mail_comes("Tell me more.")
    draft = story.draft
    assert (draft["action"], draft["reason"], float(draft["confidence"])) == (
        "needs_review", "confidence_below_threshold", 0.7,
    )  # fmt: skip
    cards = story.planned("review_card")
    assert [card["recipient"] for card in cards] == list(REVIEWERS)
    assert all("Better: which of your looms" in str(card["content"]) for card in cards)
    assert await story.left() == []
    assert await story.presses("approve", user=REVIEWERS[1]) == "review_approved"
    assert await story.presses("approve", user=REVIEWERS[0]) == "review_already_handled"
    [left] = await story.left()
    assert left["text_body"].startswith("Better: ")
    assert story.rows.value("SELECT decided_by_user_id FROM app.draft") == story.people[REVIEWERS[1]]
    touch = story.rows.one("SELECT member_user_id, is_human FROM app.touch")
    assert (touch["member_user_id"], touch["is_human"]) == (story.people[REVIEWERS[1]], True)


async def test_05_a_price_that_no_source_has_does_not_leave(story):
    settings(story, service_description="We mend looms overnight. It costs $500 per quarter.")
    story.brain.draft = "Happy to help. It is $650 monthly, all in."
    await story.mail_comes("What does it cost?")
    assert (story.draft["action"], story.draft["reason"]) == ("needs_review", "guard_failed:price_unsupported")
    assert await story.left() == []
    story.brain.draft = "Happy to help. It is $500 per quarter, all in."
    await story.at(NOON + timedelta(hours=1))
    await story.mail_comes("And what is the price?", 4402)
    assert len(await story.left()) == 1


async def test_06_whoever_answers_in_copy_is_answered_until_the_lead_writes_again(story):
    await story.mail_comes("I keep her calendar, what is this about?", sender="jo@brightloom.example",
                           from_name="Jo Hale", cc=[{"address": "mara@brightloom.example"}])  # fmt: skip
    [left] = await story.left()
    assert [to["address"] for to in left["to"]] == ["jo@brightloom.example"]
    assert [cc["address"] for cc in left["cc"]] == ["mara@brightloom.example"]
    assert "Jo" in str(story.brain.prompts[-2:])
    assert story.lead["current_replier_email"] == "jo@brightloom.example"
    await story.at(NOON + timedelta(hours=1))
    await story.mail_comes("Mara here, go on.", 4402)
    assert story.lead["current_replier_email"] is None
    assert [to["address"] for to in (await story.left())[-1]["to"]] == ["mara@brightloom.example"]


async def test_07_stop_by_sms_closes_every_channel_for_people_too(story):
    story.rows.all("UPDATE app.email_campaign SET response_mode = 'SETTER_MANAGED'")
    phone = [{"name": "phone", "value": "+1 (415) 555-0132"}]
    await story.mail_comes("Tell me more.", lead=mail.person(custom_variables=phone))
    assert story.lead["sentiment_tag"] == "Interested"
    await story.sms_comes("STOP")
    assert story.rows.column("SELECT DISTINCT status FROM app.lead") == ["blacklisted"], "one person on both channels"
    assert story.draft["status"] == "rejected"
    assert (await story.decides("approve", ADMIN)).outcome is ReviewOutcome.ALREADY_HANDLED
    # Even a send that somebody planned before is stopped at its gate, with the reason.
    story.rows.all("UPDATE app.draft SET status = 'pending'")
    assert (await story.decides("approve", ADMIN)).outcome is ReviewOutcome.APPROVED
    await story.work()
    (send,) = story.planned()
    assert (send["state"], send["reason"]) == ("blocked", "lead_blacklisted")
    assert (await story.left(), await story.texts_left()) == ([], [])


async def test_08_one_delivery_twenty_times_at_once_is_one_of_everything(story):
    body = mail.email_event("LEAD_REPLIED", reply=mail.reply(4401, at=story.now))
    answers = await asyncio.gather(*(story.delivered(body) for _ in range(20)))
    assert sum(not answer.get("duplicate") for [answer] in answers) == 1
    await story.work()
    counts = {
        table: story.rows.value(f"SELECT count(*) FROM app.{table}")
        for table in ("lead", "draft", "touch")
    }  # fmt: skip
    assert counts == {"lead": 1, "draft": 1, "touch": 1}
    assert story.rows.value("SELECT count(*) FROM app.message WHERE direction = 'inbound'") == 1
    assert len(await story.left()) == 1


async def test_09_what_the_vendor_took_before_it_fell_silent_is_found_and_not_sent_again(story):
    rule = {"provider": "emailbison", "mode": "accept_then_reset", "times": 1, "match": {"method": "POST"}}
    await story.sandbox.control("POST", "faults", rule)
    await story.mail_comes("Sounds useful, tell me more.")
    (send,) = story.planned()
    assert (send["state"], story.draft["status"]) == ("unknown", "pending")
    for minutes in (1, 3, 6, 10):
        await story.at(NOON + timedelta(minutes=minutes))
        await story.work()
    (send,) = story.planned()
    assert (send["state"], send["vendor_detail"]["found_by"], send["attempts"]) == ("sent", "read_back", 1)
    assert len(await story.left()) == 1


async def test_10_a_stop_while_forty_wait_stops_all_forty_and_a_start_sends_none_blindly(story):
    delayed(story)
    settings(story, draft_verification_enabled=False, meeting_overseer_enabled=False)
    for number in range(40):
        person = mail.person(f"lead{number}", 91000 + number)
        reply = mail.reply(5000 + number, at=story.now, sender=person["email"])
        await story.delivered(mail.email_event("LEAD_REPLIED", lead=person, reply=reply))
    await story.work()
    assert len(story.planned()) == 40
    engine = make_engine(story.database.dsn("worker"), pool_size=1)
    try:
        async with engine.begin() as conn:
            await switches.stop(conn, Switch(), reason="incident", actor="ops", now=story.now)
        await story.at(NOON + timedelta(hours=1))
        await story.work()
        async with engine.begin() as conn:
            assert await switches.start(conn, Switch(), actor="ops", now=story.now)
    finally:
        await engine.dispose()
    await story.at(NOON + timedelta(hours=2))
    await story.work()
    assert {(send["state"], send["reason"]) for send in story.planned()} == {("blocked", "kill_switch")}
    assert {row["reason"] for row in story.rows.all("SELECT reason FROM app.draft")} == {"kill_switch"}
    assert await story.left() == []
    # Each goes to people, who decide anew.
    assert len(story.planned("review_card")) == 40 * len(REVIEWERS)
    first = story.rows.value("SELECT id FROM app.draft ORDER BY created_at LIMIT 1")
    assert (await story.decides("approve", ADMIN, draft_id=first)).outcome is ReviewOutcome.APPROVED
    await story.work()
    assert len(await story.left()) == 1


async def test_11_a_setter_decides_on_own_leads_only_and_the_portal_on_none(story):
    story.rows.all("UPDATE app.email_campaign SET response_mode = 'SETTER_MANAGED'")
    ann, _ben = (story.add_user(slack, "SETTER", recipient=True) for slack in ("U11ANN", "U12BEN"))
    story.add_user("U13PORTAL", "CLIENT_PORTAL")
    await story.mail_comes("Tell me more.")
    story.rows.all("UPDATE app.lead SET assigned_to_user_id = %s", ann)
    outcomes = [
        (await story.decides("approve", f"{who}@harbourline.example")).outcome for who in ("u12ben", "u13portal")
    ]
    assert outcomes == [ReviewOutcome.NOT_ASSIGNED, ReviewOutcome.NOT_A_MEMBER]
    assert await story.presses("approve", user="U12BEN") == "review_not_assigned"
    await story.work()
    assert await story.left() == []
    assert await story.presses("approve", user="U11ANN") == "review_approved"
    assert len(await story.left()) == 1
    assert story.rows.value("SELECT decided_by_user_id FROM app.draft") == ann


async def test_12_two_admins_choose_a_default_at_once_and_drafts_speak_as_the_one_that_is(story):
    voices = {"Ada": "Ada Lund", "Bo": "Bo Lind"}
    engine = make_engine(story.database.dsn("worker"), pool_size=2)

    async def choose(persona):
        async with engine.begin() as conn:
            await personas.set_default(conn, story.workspace, persona, story.now)

    try:
        async with engine.begin() as conn:
            made = [
                await personas.create_persona(
                    conn,
                    story.workspace,
                    personas.PersonaInput(name=name, persona_name=voice, signature=voice),
                    story.now,
                )
                for name, voice in voices.items()
            ]
        await asyncio.gather(*(choose(persona) for persona in made))
    finally:
        await engine.dispose()
    (default,) = story.rows.column("SELECT persona_name FROM app.ai_persona WHERE is_default")
    assert story.rows.value("SELECT sender_name FROM app.workspace_setting") == default
    await story.mail_comes("Sounds useful, tell me more.")
    [left] = await story.left()
    assert left["text_body"].endswith(default)


async def test_13_five_thousand_jobs_of_one_tenant_do_not_hold_up_another(story):
    quiet = story.rows.workspace("quiet")
    jobs = """INSERT INTO app.job (id, workspace_id, lane, kind, job_key, serial_key, correlation_id, run_at)
              SELECT gen_random_uuid(), w, 'replies', 'card_update', n || 'k', 'lead:' || w || n, 'c', %s
              FROM generate_series(1, %s) n, CAST(%s AS uuid) w"""
    story.rows.all(jobs, NOON - timedelta(hours=1), 5000, story.workspace)
    story.rows.all(jobs, NOON, 1, quiet)
    engine = make_engine(story.database.dsn("worker"), pool_size=1)
    try:
        async with engine.begin() as conn:
            claimed = await queue.claim(conn, lanes.REPLIES, worker_id=1, limit=32, now=story.now)
    finally:
        await engine.dispose()
    assert quiet in {job.workspace_id for job in claimed}


async def test_14_without_a_model_everything_arrives_opt_outs_work_and_nothing_is_overwritten(story):
    async def work():
        await story.at(story.now + timedelta(seconds=5))
        await mail.drain(story.database, now=story.now)
        await story.replies(has_key=False)
        await story.sends()

    await story.mail_comes("Sounds useful, tell me more.")
    await story.at(NOON + timedelta(hours=1))
    await story.delivered(mail.email_event("LEAD_REPLIED", reply=mail.reply(4402, "And the price?", at=story.now)))
    other = mail.person("ivo", 90599)
    stop = mail.reply(4403, "unsubscribe me", at=story.now, sender=other["email"])
    await story.delivered(mail.email_event("LEAD_REPLIED", lead=other, reply=stop))
    await work()
    assert story.rows.column("SELECT sentiment_tag FROM app.lead ORDER BY email DESC") == ["Interested", "Blacklist"]
    parked = story.rows.all("SELECT state, reason FROM app.job WHERE state = 'parked'")
    assert [(job["state"], job["reason"]) for job in parked] == [("parked", "model_no_key")]
    assert len(await story.left()) == 1, "the answer from before"


async def test_15_a_wish_to_wait_hides_the_lead_until_its_morning_and_a_word_brings_it_back(story):
    story.brain.tag = "Follow Up"
    await story.mail_comes("Reach out after April 20")
    assert story.lead["snoozed_until"] == datetime(2026, 4, 20, 13, 0, tzinfo=UTC)
    await story.at(NOON + timedelta(days=1))
    await story.mail_comes("Actually, let's talk now", 4402)
    assert story.lead["snoozed_until"] is None
