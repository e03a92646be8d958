"""Automatic answers leave inside the workspace's hours: decided once, asked again when they are due."""

from datetime import UTC, datetime

import pytest

from tests.integration.replies_support import REVIEWERS, make_scene
from tests.integration.test_replies_after_tag import settings

# The scene works on Tuesday at 14:00 in New York.
NEXT_MORNING = datetime(2026, 3, 11, 13, 0, tzinfo=UTC)


@pytest.fixture
async def scene(database):
    async with make_scene(database) as made:
        yield made


def open_until_noon(scene):
    settings(scene, auto_send_schedule_mode="BUSINESS_HOURS", work_end_time="12:00")


async def test_an_answer_after_hours_waits_for_the_morning(scene):
    open_until_noon(scene)
    await scene.reply_comes()
    await scene.replies()
    (send,) = scene.planned()
    assert (scene.draft["action"], send["due_at"]) == ("send_delayed", NEXT_MORNING)
    detail = scene.rows.value("SELECT detail FROM app.decision WHERE subject = 'draft'")
    assert detail["schedule"] == "outside_window"
    await scene.sends()
    assert scene.vendors.answers_sent == []
    scene.now = NEXT_MORNING
    await scene.sends()
    assert len(scene.vendors.answers_sent) == 1


async def test_hours_that_changed_meanwhile_hold_and_a_person_does_not_wait(scene):
    await scene.reply_comes()
    await scene.replies()
    open_until_noon(scene)
    await scene.sends()
    (send,) = scene.planned()
    assert (send["state"], send["due_at"]) == ("planned", NEXT_MORNING)
    assert scene.decisions("send") == ["postponed_to_hours"]
    assert scene.rows.value("SELECT count(*) FROM ops.vendor_budget") == 0, "what is kept back spends no budget"
    assert scene.vendors.answers_sent == []
    assert await scene.click("approve") == "review_approved"
    await scene.sends()
    assert len(scene.vendors.answers_sent) == 1


async def test_a_schedule_that_is_missing_is_for_a_person(scene):
    settings(scene, auto_send_schedule_mode="CUSTOM")
    await scene.reply_comes()
    await scene.replies()
    assert (scene.draft["action"], scene.draft["reason"]) == (
        "needs_review",
        "no_send_window:schedule_missing_fallback",
    )
    assert len(scene.planned("review_card")) == len(REVIEWERS)


async def test_a_schedule_that_went_missing_blocks_and_asks(scene):
    await scene.reply_comes()
    await scene.replies()
    scene.rows.all("UPDATE app.email_campaign SET auto_send_schedule_mode = 'CUSTOM'")
    await scene.sends()
    (send,) = scene.planned()
    assert (send["state"], send["reason"]) == ("blocked", "no_send_window")
    assert (scene.draft["action"], scene.draft["reason"]) == ("skip", "no_send_window")
    assert len(scene.planned("review_card")) == len(REVIEWERS)
    assert scene.decisions("send") == ["no_send_window"]


async def test_the_campaigns_mode_comes_first(scene):
    open_until_noon(scene)
    scene.rows.all("UPDATE app.email_campaign SET auto_send_schedule_mode = 'ALWAYS'")
    await scene.reply_comes()
    await scene.replies()
    assert scene.draft["action"] == "send_immediate"
