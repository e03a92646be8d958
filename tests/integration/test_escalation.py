"""A draft that nobody decides is brought before more people, after the workspace's minutes of work."""

from datetime import UTC, datetime

import pytest

from tests.integration.replies_support import REVIEWERS, make_scene
from tests.integration.test_replies_after_tag import settings
from zrg_dagster.core.replies.escalation import KIND, Escalation

# The scene works on Tuesday at 14:00 in New York, where its workspace is; work ends at 17:00 and begins at 09:00.
NEXT_MORNING = datetime(2026, 3, 11, 14, 0, tzinfo=UTC)


@pytest.fixture
async def scene(database):
    async with make_scene(database) as made:
        made.more = lambda engine: {KIND: Escalation(engine, lambda: made.now)}
        yield made


async def waiting(scene, **columns):
    """A draft that waits for a person, and the time at which its job is due (None: there is no job)."""
    settings(scene, **columns)
    scene.brain.safe = False
    await scene.reply_comes()
    await scene.replies()
    jobs = scene.rows.column("SELECT run_at FROM app.job WHERE kind = %s AND state = 'pending'", KIND)
    return jobs[0] if jobs else None


async def test_minutes_of_work_run_over_the_night(scene):
    assert await waiting(scene, review_escalation_minutes=240) == NEXT_MORNING


async def test_more_people_are_told_once(scene):
    scene.add_user("U07OWNER", "ADMIN")
    scene.add_user("U08SETTER", "SETTER")
    scene.now = await waiting(scene) or pytest.fail("no job")
    await scene.replies()
    assert scene.job(KIND) == ("done", "review_escalated")
    told = [alert["recipient"] for alert in scene.planned("alert")]
    assert told == [*REVIEWERS, "U07OWNER"], "the reviewers again, and who may give the lead to somebody else"
    assert "review_escalated" in scene.decisions("review")
    await scene.sends()
    assert "waited 60 working minutes" in str(scene.vendors.said("chat.postMessage")[-1])


async def test_what_was_decided_or_replaced_meanwhile_is_left_alone(scene):
    due = await waiting(scene)
    scene.tick(minutes=30)
    await scene.click("regenerate")
    assert scene.draft["version"] == 2
    scene.now = due
    await scene.replies()
    states = scene.rows.column("SELECT reason FROM app.job WHERE kind = %s ORDER BY id", KIND)
    assert states[0] == "draft_already_handled", "the older text is on no card any more"
    assert await scene.click("approve", version=2) == "review_approved"
    scene.tick(hours=3)
    await scene.replies()
    assert scene.job(KIND) == ("skipped", "draft_already_handled")
    assert scene.planned("alert") == []


async def test_a_workspace_may_want_none_of_it(scene):
    assert await waiting(scene, review_escalation_minutes=0) is None
    assert scene.planned("review_card") != []


async def test_switched_off_meanwhile_is_off(scene):
    scene.now = await waiting(scene) or pytest.fail("no job")
    settings(scene, review_escalation_minutes=0)
    await scene.replies()
    assert scene.job(KIND) == ("skipped", "review_escalation_off")
