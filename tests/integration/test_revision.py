"""The revision loop over the database: improves, never worsens, ends within its bounds, and pays for nothing twice."""

import pytest

from tests.integration.replies_support import DRAFT, REFUSAL, make_scene
from zrg_dagster.core.replies import draft_rows, revise
from zrg_dagster.core.replies.revision import Revision

REVISE, JUDGE = "reply_revision", "reply_evaluation"
BETTER, BEST = "Better: which of your looms stands still most often?", "Best: shall I show you an example?"


@pytest.fixture
async def scene(database):
    async with make_scene(database) as made:
        made.rows.all(
            "INSERT INTO app.workspace_setting (workspace_id, auto_send_revision_enabled) VALUES (%s, true) "
            "ON CONFLICT (workspace_id) DO UPDATE SET auto_send_revision_enabled = true",
            made.workspace,
        )
        yield made


def judged(confidence, *, safe=True):
    return {"safe_to_send": safe, "requires_human_review": not safe, "confidence": confidence, "reason": "A fact."}


def artifacts(scene, stage):
    rows = scene.rows.all(
        "SELECT iteration, payload, text FROM app.draft_pipeline_artifact WHERE stage = %s ORDER BY iteration", stage
    )
    return {row["iteration"]: row for row in rows}


def loop(scene):
    return artifacts(scene, "auto_send_revision_loop")[0]["payload"]


def numbers(scene):
    draft = scene.draft
    return tuple(
        None if value is None else float(value)
        for value in (draft["original_confidence"], draft["revision_confidence"], draft["confidence"])
    )


async def test_an_unsure_draft_is_improved_until_it_may_leave(scene):
    scene.brain.evaluations = [judged(0.6), judged(0.8), judged(0.93)]
    scene.brain.revisions = [{"body": BETTER}, {"body": BEST}]
    await scene.reply_comes()
    await scene.replies()
    draft = scene.draft
    assert (draft["body"], draft["ai_body"], draft["action"]) == (BEST, BEST, "send_immediate")
    assert (draft["revision_applied"], draft["revision_iterations"], draft["version"]) == (True, 2, 3)
    assert numbers(scene) == (0.6, 0.93, 0.93)
    (send,) = scene.planned()
    assert send["content"]["text"] == BEST
    assert send["draft_version"] == 3
    assert (loop(scene)["stop"], loop(scene)["delta"]) == ("threshold_met", 0.33)
    assert {number: row["text"] for number, row in artifacts(scene, "auto_send_revision_reviser").items()} == {
        1: BETTER, 2: BEST,
    }  # fmt: skip
    assert set(artifacts(scene, "auto_send_revision_selector")) == {1, 2}
    assert set(artifacts(scene, "auto_send_evaluation")) == {0, 1, 2}
    await scene.sends()
    assert len(scene.vendors.answers_sent) == 1


async def test_an_unsafe_draft_is_revised_too(scene):
    scene.brain.evaluations = [judged(0.97, safe=False), judged(0.92)]
    scene.brain.revisions = [{"body": BETTER}]
    await scene.reply_comes()
    await scene.replies()
    assert (scene.draft["body"], scene.draft["action"]) == (BETTER, "send_immediate")
    assert numbers(scene) == (0.97, 0.92, 0.92), "the confidence is the best draft's own"


@pytest.mark.parametrize(
    "second", [judged(0.6), judged(0.5), judged(0.99, safe=False)], ids=["equal", "lower", "surer and unsafe"]
)
async def test_a_draft_never_gets_worse(scene, second):
    scene.brain.evaluations = [judged(0.6), second]
    scene.brain.revisions = [{"body": BETTER}]
    await scene.reply_comes()
    await scene.replies()
    draft = scene.draft
    assert (draft["body"], draft["reason"]) == (DRAFT, "confidence_below_threshold")
    assert (draft["revision_applied"], draft["revision_iterations"], draft["version"]) == (False, 1, 1)
    assert numbers(scene) == (0.6, 0.6, 0.6)
    assert loop(scene)["stop"] == "no_improvement"


async def test_at_most_so_many_iterations_as_the_workspace_wants(scene):
    scene.rows.all("UPDATE app.workspace_setting SET auto_send_revision_max_iterations = 2")
    scene.brain.evaluations = [judged(0.5), judged(0.6), judged(0.7), judged(0.95)]
    scene.brain.revisions = [{"body": BETTER}, {"body": BEST}]
    await scene.reply_comes()
    await scene.replies()
    assert scene.brain.asked.count(REVISE) == 2
    assert (loop(scene)["stop"], scene.draft["body"], scene.draft["reason"]) == (
        "exhausted", BEST, "confidence_below_threshold",
    )  # fmt: skip


async def test_a_text_that_breaks_a_hard_constraint_is_not_even_judged(scene):
    scene.brain.evaluations = [judged(0.5), judged(0.99)]
    scene.brain.revisions = [
        {"body": "See https://evil.example and [Your Name]"},
        {"body": BETTER, "unresolved": ["the price"]},
        {"body": "For only $5 a month."},
    ]
    await scene.reply_comes()
    await scene.replies()
    assert scene.brain.asked.count(JUDGE) == 1
    rejected = {number: row["payload"] for number, row in artifacts(scene, "auto_send_evaluation").items() if number}
    assert rejected == {
        1: {"rejected": ["placeholder_left", "fabricated_link"]},
        2: {"rejected": ["unresolved"]},
        3: {"rejected": ["price_unsupported"]},
    }
    assert scene.draft["body"] == DRAFT
    asked = [each for each in scene.brain.prompts if each["text"]["format"]["name"] == REVISE]
    assert "fabricated link" in asked[1]["input"][0]["content"], "the next turn is told why"


async def test_an_error_ends_the_loop_and_not_the_decision(scene):
    scene.brain.confidence = 0.5
    scene.brain.failing[REVISE] = REFUSAL
    await scene.reply_comes()
    await scene.replies()
    assert (scene.draft["body"], scene.draft["reason"]) == (DRAFT, "confidence_below_threshold")
    assert (loop(scene)["stop"], loop(scene)["iterations"]) == ("error", 0)
    assert numbers(scene) == (0.5, None, 0.5), "no iteration ran, so there is no confidence of one"
    assert artifacts(scene, "loop_error")[1]["payload"] == {"reason": "model_refused"}


@pytest.mark.parametrize("name, value, stop", [("LOOP_S", 4.0, "timeout"), ("LOOP_TOKENS", 100, "token_budget")])
async def test_time_and_tokens_bound_a_loop(scene, monkeypatch, name, value, stop):
    monkeypatch.setattr(f"zrg_dagster.core.replies.revision.{name}", value)
    scene.brain.evaluations = [judged(0.5), judged(0.6)]
    scene.brain.revisions = [{"body": BETTER}]
    await scene.reply_comes()
    await scene.replies()
    # One call costs 120 tokens here, so the second is one too many; four seconds are fewer than a turn needs.
    assert scene.brain.asked.count(REVISE) == (0 if stop == "timeout" else 1)
    assert loop(scene)["stop"] == stop
    assert scene.draft["action"] == "needs_review"


async def test_a_stop_of_automatic_answers_is_heard_before_each_call(scene):
    scene.brain.evaluations = [judged(0.5), judged(0.99)]
    scene.brain.revisions = [{"body": BETTER}]
    calm = scene.brain.answer

    def stopping(request):
        if request["json"]["text"]["format"]["name"] == REVISE:
            scene.rows.all(
                "INSERT INTO app.kill_switch (id, scope, channel) VALUES (gen_random_uuid(), 'channel', 'email')"
            )
        return calm(request)

    scene._script.answers[:] = [stopping]
    await scene.reply_comes()
    await scene.replies()
    assert loop(scene)["stop"] == "kill_switch"
    assert scene.brain.asked[-2:] == [JUDGE, REVISE], "the text that came is not evaluated any more"
    assert scene.draft["body"] == DRAFT


async def test_a_retry_replays_what_was_paid_for(scene, monkeypatch):
    scene.brain.evaluations = [judged(0.6), judged(0.8), judged(0.95)]
    scene.brain.revisions = [{"body": BETTER}, {"body": BEST}]
    finish = Revision._finish

    async def crash(*_args):
        raise RuntimeError("the process died here")

    monkeypatch.setattr(Revision, "_finish", crash)
    await scene.reply_comes()
    await scene.replies()
    assert scene.job() == ("pending", "handler_error")
    monkeypatch.setattr(Revision, "_finish", finish)
    asked = len(scene.brain.asked)
    scene.tick(minutes=1)
    await scene.replies()
    assert scene.brain.asked[asked:] == []
    assert (scene.draft["body"], scene.draft["action"], scene.draft["revision_iterations"]) == (
        BEST,
        "send_immediate",
        2,
    )
    assert loop(scene)["replayed"] == 4
    assert scene.draft["version"] == 3, "nothing was written over"
    assert len(scene.planned()) == 1


async def test_what_a_person_wrote_between_two_tries_stays(scene, monkeypatch):
    scene.brain.evaluations = [judged(0.6), judged(0.8)]
    scene.brain.revisions = [{"body": BETTER}]
    finish = Revision._finish

    async def crash(*_args):
        raise RuntimeError("the process died here")

    monkeypatch.setattr(Revision, "_finish", crash)
    await scene.reply_comes()
    await scene.replies()
    assert scene.draft["body"] == BETTER
    scene.rows.all("UPDATE app.draft SET body = 'Mine.', version = version + 1")
    monkeypatch.setattr(Revision, "_finish", finish)
    asked = len(scene.brain.asked)
    scene.tick(minutes=1)
    await scene.replies()
    assert (scene.draft["body"], scene.draft["action"]) == ("Mine.", "needs_review")
    assert scene.brain.asked[asked:] == []


async def test_a_draft_that_was_claimed_before_costs_no_call(scene, monkeypatch):
    """RV-08: whoever died between the claim and the first call does not begin again."""
    scene.brain.confidence = 0.5
    claim = draft_rows.claim_revision

    async def dies(*args):
        await claim(*args)
        raise RuntimeError("the process died here")

    monkeypatch.setattr(draft_rows, "claim_revision", dies)
    await scene.reply_comes()
    await scene.replies()
    scene.rows.all("UPDATE app.draft SET revision_attempted_at = now(), original_confidence = 0.5")
    monkeypatch.setattr(draft_rows, "claim_revision", claim)
    scene.tick(minutes=1)
    await scene.replies()
    assert REVISE not in scene.brain.asked
    assert loop(scene)["stop"] == "claimed_before"
    assert scene.draft["action"] == "needs_review"


async def test_a_draft_that_a_person_changed_meanwhile_stays_theirs(scene):
    scene.brain.evaluations = [judged(0.5), judged(0.99)]
    scene.brain.revisions = [{"body": BETTER}]
    calm = scene.brain.answer

    def editing(request):
        if request["json"]["text"]["format"]["name"] == REVISE:
            scene.rows.all("UPDATE app.draft SET body = 'Mine.', version = version + 1")
        return calm(request)

    scene._script.answers[:] = [editing]
    await scene.reply_comes()
    await scene.replies()
    assert scene.draft["body"] == "Mine."
    assert loop(scene)["stop"] == "draft_changed"


async def test_a_switched_off_loop_is_never_entered(scene):
    scene.brain.confidence = 0.5
    scene.rows.all("UPDATE app.workspace_setting SET auto_send_revision_enabled = false")
    await scene.reply_comes()
    await scene.replies()
    assert REVISE not in scene.brain.asked
    assert artifacts(scene, "auto_send_revision_loop") == {}
    assert scene.draft["original_confidence"] is None


async def test_what_is_good_enough_is_left_alone(scene):
    await scene.reply_comes()
    await scene.replies()
    assert REVISE not in scene.brain.asked
    assert numbers(scene) == (None, None, 0.95)


def test_the_bounds_are_the_rules() -> None:
    assert (revise.LOOP_S, revise.RESERVE_S, revise.REVISER_S, revise.EVALUATOR_S) == (60, 5, 12, 20)
