"""What replies ask for, over the database: heard once, kept once, told once, and what becomes of it (SI rules)."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.integration.replies_support import DRAFTING, REVIEWERS, http_error, make_scene
from tests.integration.test_drafting_steps import settings, told
from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.db.engine import make_engine
from zrg_dagster.core.drafting.overseer import Contract
from zrg_dagster.core.replies import drain
from zrg_dagster.core.replies.booking_attempt import Booked, BookingQuestion, NotBooked
from zrg_dagster.core.replies.explain import explain_lead

CLASSIFY, ROUTE, LINK, WRITE, JUDGE = (
    "reply_classification", "action_route", "scheduler_link", "reply_draft", "reply_evaluation",
)  # fmt: skip
PAGE = "https://cal.com/mara/30min"


@pytest.fixture
async def scene(database):
    async with make_scene(database) as made:
        settings(made, ai_route_booking_process_enabled=True)
        yield made


def signals(scene) -> list[tuple[Any, ...]]:
    rows = scene.rows.all("SELECT kind, confidence, rule, is_explicit, link FROM app.action_signal ORDER BY kind")
    return [(row["kind"], float(row["confidence"]), row["rule"], row["is_explicit"], row["link"]) for row in rows]


def tasks(scene) -> list[tuple[Any, ...]]:
    rows = scene.rows.all("SELECT type, name, status, suggested_message FROM app.follow_up_task ORDER BY name")
    return [tuple(row.values()) for row in rows]


def stage(scene, name: str) -> dict[str, Any]:
    return scene.rows.value("SELECT detail FROM app.reply_stage WHERE stage = %s", name)


async def test_a_call_is_heard_once_whatever_is_tried_again(scene):
    """SI-01, SI-06, SI-07, AM-05: one call of the model, one row, one task, one note for each person, and no automatic
    answer. The router said so against no word at all."""
    scene.brain.route = {"process": 4, "confidence": 0.85}
    scene.brain.failing[WRITE] = http_error(500)
    await scene.reply_comes("Sounds useful, tell me more.")
    await scene.replies()
    assert scene.job() == ("pending", "model_unavailable")
    scene.brain.failing.clear()
    scene.tick(minutes=10)
    await scene.replies()
    assert scene.brain.asked.count(ROUTE) == 1
    assert signals(scene) == [("call_requested", 0.85, "router", True, None)]
    assert tasks(scene) == [("call", "call_requested", "pending", None)]
    assert scene.rows.column("SELECT outcome FROM app.ai_call WHERE prompt_key = %s", ROUTE) == ["ok"]
    alerts = scene.planned("alert")
    assert [alert["recipient"] for alert in alerts] == list(REVIEWERS)
    assert len({alert["natural_key"] for alert in alerts}) == 2
    assert "asks to be called" in str(alerts[0]["content"])
    assert "No number" in str(alerts[0]["content"])
    assert (scene.draft["action"], scene.draft["reason"]) == ("needs_review", "call_requested_phone_missing")
    assert JUDGE not in scene.brain.asked
    assert stage(scene, "booking") == {"reason": NotBooked.CALL_REQUESTED, "route": 4}
    # The stages of a draft were told, and a second message adds no second task.
    assert "They ask to be called (sure)" in told(scene, WRITE)
    assert "ask for the best one" in told(scene, WRITE)
    scene.tick(hours=1)
    await scene.reply_comes("Well?", 4402, at=scene.now)
    await scene.replies()
    assert len(signals(scene)) == 2
    assert len(tasks(scene)) == 1
    engine = make_engine(scene.database.dsn("worker"), pool_size=1)
    async with engine.connect() as conn:
        story = await explain_lead(conn, scene.lead["id"])
    await engine.dispose()
    said = {line.what: line for line in story.lines}
    assert said["stage signals: call_requested"].inputs["route"] == 4
    assert said["stage booking: not_attempted"].why
    assert "decided about signal: call_requested" in said
    assert "decided about task: call_requested_task" in said


async def test_the_leads_own_calendar_is_a_task_and_takes_ours_out_of_the_draft(scene):
    """SI-07, BK-66, BK-67, AM-06, with a page that has no scheme."""
    settings(scene, booking_link="https://calendly.com/harbourline/intro")
    scene.brain.route = {"process": 5, "confidence": 0.7}
    await scene.reply_comes("Happy to. Grab a slot: cal.com/mara/30min")
    await scene.replies()
    assert signals(scene) == [("book_on_external_calendar", 0.7, "router", True, PAGE)]
    assert tasks(scene) == [("email", "lead_scheduler_link", "pending", PAGE)]
    assert (scene.draft["action"], scene.draft["reason"]) == ("needs_review", "external_scheduler_link_manual_only")
    assert "calendly.com/harbourline" not in told(scene, WRITE)
    assert "not quite sure" in told(scene, WRITE)
    assert f"`{PAGE}`" in str(scene.planned("alert")[0]["content"])
    await scene.click("regenerate")
    assert "their own calendar" in told(scene, WRITE)
    assert "calendly.com/harbourline" not in told(scene, WRITE), "nor when a person asks for another one"
    assert "https" not in str(stage(scene, "signals")), "the record of a stage holds no text of anybody"


async def test_a_tag_without_interest_is_heard_only_for_what_somebody_must_do(scene):
    """SI-01: no keyword overrides the router. SI-03: of a lead that declines only 4 and 5 count."""
    scene.brain.tag, scene.brain.route = "Not Interested", {"process": 3}
    await scene.reply_comes("Please call me, or do not.")
    await scene.replies()
    assert (stage(scene, "signals")["route"], stage(scene, "signals")["reason"]) == (None, "routed")
    assert signals(scene) == []
    scene.brain.route = {"process": 4}
    await scene.reply_comes("No. But do.", 4402, at=scene.tick(hours=1))
    await scene.replies()
    assert [kind for kind, *_ in signals(scene)] == ["call_requested"]
    assert scene.brain.asked.count(ROUTE) == 2
    assert scene.rows.value("SELECT count(*) FROM app.draft") == 0


async def test_a_router_that_fails_never_makes_a_signal_and_is_not_asked_again(scene):
    """SI-02; the draft goes on without it."""
    scene.brain.failing = {ROUTE: http_error(500), "reply_strategy": http_error(500)}
    await scene.reply_comes("Please call me on Thursday.")
    await scene.replies()
    scene.brain.failing.clear()
    asked = scene.brain.asked.count(ROUTE)
    scene.tick(minutes=10)
    await scene.replies()
    assert scene.brain.asked.count(ROUTE) == asked
    assert (signals(scene), tasks(scene), scene.planned("alert")) == ([], [], [])
    assert stage(scene, "signals") == {
        "reason": "router_failed", "route": 3, "route_confidence": 0.0, "route_uncertain": True, "signals": [],
    }  # fmt: skip
    assert scene.draft["action"] == "send_immediate"


@pytest.mark.parametrize(
    "text, asked, found",
    [
        ("Sounds useful, tell me more.", [], []),
        ("Sounds useful, phone me tomorrow.", [], ["call_requested"]),
        (f"Sounds useful.\n\n-- \nMara Okafor\n+1 415 555 0132\n{PAGE}", [LINK], ["book_on_external_calendar"]),
    ],
    ids=["nothing", "words", "signature"],
)
async def test_without_the_router_words_decide_and_a_signature_is_asked_about(scene, text, asked, found):
    """SI-04. The prompts of a reply that asks for nothing are those of a workspace that never heard of signals (SI-06)."""
    settings(scene, ai_route_booking_process_enabled=False)
    scene.brain.link = {"asks_to_book_there": True}
    await scene.reply_comes(text)
    scene.rows.all("UPDATE app.lead SET phone = '+14155550132'")
    await scene.replies()
    assert [prompt for prompt in scene.brain.asked if prompt in (ROUTE, LINK)] == asked
    assert [kind for kind, *_ in signals(scene)] == found
    assert ("They ask" in told(scene, WRITE)) is bool(found)
    reasons = {"call_requested": "call_requested_phone_on_file"}  # AM-05, AM-06
    expected = [reasons.get(kind, "external_scheduler_link_manual_only") for kind in found] or [None]
    assert [scene.draft["reason"]] == expected
    if not found:
        assert scene.brain.asked == [CLASSIFY, *DRAFTING, JUDGE]
        assert stage(scene, "signals")["reason"] == "router_off"
        assert stage(scene, "booking")["reason"] == NotBooked.SHOULD_NOT


async def test_whoever_books_is_asked_once_and_the_draft_confirms(scene, monkeypatch):
    """The seam: a reply that accepts a time is handed over with its contract; what came of it is on record before the
    draft, so a draft that fails does not book again."""
    asked: list[BookingQuestion] = []

    async def book(question: BookingQuestion, now: datetime) -> Booked:
        asked.append(question)
        return Booked(new_id(), now + timedelta(days=1), "9:00 AM EST on Wed, Mar 11")

    made = drain.ReplyPipeline
    monkeypatch.setattr(drain, "ReplyPipeline", lambda world, trace: made(replace(world, book=book), trace))
    scene.brain.route = {"process": 2}
    scene.brain.meeting = {"is_scheduling_related": True, "intent_to_book": True, "qualification_status": "qualified"}
    scene.brain.failing[WRITE] = http_error(500)
    await scene.reply_comes("Yes, let us do that.")
    await scene.replies()
    scene.brain.failing.clear()
    scene.tick(minutes=10)
    await scene.replies()
    [question] = asked
    assert isinstance(question.contract, Contract)
    assert question.heard.route is not None
    assert (question.contract.should_book_now, int(question.heard.route.process)) == ("yes", 2)
    assert "A meeting is booked for 9:00 AM EST" in told(scene, WRITE)
    assert scene.rows.value("SELECT outcome FROM app.reply_stage WHERE stage = 'booking'") == "booked"


async def test_an_absence_notice_and_a_message_without_words_ask_nobody(scene):
    """OV-04, B69."""
    scene.brain.tag = "Out of Office"
    await scene.reply_comes("I am away until Monday.")
    await scene.replies()
    scene.brain.tag = "Interested"
    await scene.reply_comes("   ", 4402, at=scene.tick(hours=1))
    await scene.replies()
    assert ROUTE not in scene.brain.asked
    assert signals(scene) == []


async def test_the_router_and_the_reading_are_asked_at_the_same_time(scene):
    """Hearing adds a call to a reply and no time: it does not wait for the reading, nor the reading for it."""
    scene._script.delay_s = 0.05
    await scene.reply_comes("Sounds useful, tell me more.")
    await scene.replies()
    assert sorted(scene.brain.asked[1:3]) == [ROUTE, "meeting_extract"]
    assert scene._script.most_in_flight == 2
