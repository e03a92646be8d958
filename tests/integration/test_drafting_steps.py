"""The steps of a draft over the database: each on record before the next, none paid for twice, and what holds a draft."""

import psycopg
import pytest

from tests.integration import intake_support as world
from tests.integration.replies_support import DRAFT, DRAFTING, REFUSAL, http_error, make_scene
from tests.unit.model_server import completed
from zrg_dagster.core.replies.why import why

CLASSIFY, WRITE, JUDGE = "reply_classification", "reply_draft", "reply_evaluation"
EXTRACT, PLAN, VERIFY, GATE, SIGN, LINK = (
    "meeting_extract", "reply_strategy", "reply_verification", "meeting_gate", "signature_context", "scheduler_link",
)  # fmt: skip
SIGNED = "Sounds useful, tell me more.\n\n-- \nMara Okafor\n+1 415 555 0132\nhttps://calendly.com/mara/15min"


@pytest.fixture
async def scene(database):
    async with make_scene(database) as made:
        yield made


def settings(scene, **values):
    scene.rows.all(
        "INSERT INTO app.workspace_setting (workspace_id) VALUES (%s) ON CONFLICT DO NOTHING", scene.workspace
    )
    for name, value in values.items():
        scene.rows.all(f"UPDATE app.workspace_setting SET {name} = %s", value)


def artifact(scene, stage, iteration=0):
    return scene.rows.one(
        "SELECT * FROM app.draft_pipeline_artifact WHERE stage = %s AND iteration = %s", stage, iteration
    )


def stages(scene):
    return scene.rows.column("SELECT stage FROM app.draft_pipeline_artifact ORDER BY stage")


def told(scene, prompt):
    """What the model was told when it was last asked this."""
    return [each for each in scene.brain.prompts if each["text"]["format"]["name"] == prompt][-1]["input"][0]["content"]


# ── a retry goes on ──────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "failing, again",
    [(PLAN, [PLAN, WRITE, VERIFY, JUDGE]), (WRITE, [WRITE, VERIFY, JUDGE])],
    ids=["at the plan", "at the text"],
)
async def test_a_retry_pays_only_for_what_is_not_on_record(scene, failing, again):
    scene.brain.failing[failing] = http_error(500)
    await scene.reply_comes(SIGNED)
    await scene.replies()
    assert scene.job() == ("pending", "model_unavailable")
    scene.brain.failing.clear()
    before = len(scene.brain.asked)
    scene.tick(minutes=1)
    await scene.replies()
    assert scene.brain.asked[before:] == again
    assert scene.draft["action"] == "send_immediate"


async def test_a_crash_after_the_verification_does_not_verify_again(scene):
    """The gate's call comes after it: what was paid for before is on record."""
    scene.brain.meeting = {"is_scheduling_related": True}
    scene.brain.failing[GATE] = http_error(500)
    await scene.reply_comes()
    await scene.replies()
    assert scene.draft["reason"] == "overseer_failed:model_unavailable"
    assert scene.brain.asked.count(VERIFY) == 1
    assert artifact(scene, "draft_verifier_step3")["text"] == DRAFT


async def test_what_a_later_stage_is_told_survives_a_retry(scene):
    """The evaluator judges by the same pack, also when the draft was made in an earlier try."""
    scene.brain.signature = {"scheduling_links": ["https://calendly.com/mara/15min"]}
    await scene.reply_comes(SIGNED)
    await scene.replies()
    first = told(scene, JUDGE)
    assert "Scheduling links: https://calendly.com/mara/15min" in first
    scene.rows.all("DELETE FROM app.reply_stage WHERE stage IN ('evaluate', 'decide')")
    scene.rows.all("UPDATE app.job SET state = 'pending', finished_at = NULL WHERE kind = 'reply'")
    asked = len(scene.brain.asked)
    await scene.replies()
    assert scene.brain.asked[asked:] == [JUDGE]
    assert told(scene, JUDGE) == first


# ── what holds a draft ───────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "answer, reason",
    [
        (REFUSAL, "verification_failed:model_refused"),
        (http_error(503), "verification_failed:model_unavailable"),
        (completed("no json"), "verification_failed:model_invalid"),
        (
            completed({"final_draft": "x" * 3000, "changed": True, "violations_detected": ["a"], "changes": []}),
            "verification_failed:rewrite",
        ),
        (
            completed({"final_draft": "Other.", "changed": False, "violations_detected": [], "changes": []}),
            "verification_failed:contradiction",
        ),
    ],
    ids=["refused", "away", "no json", "rewrite", "contradiction"],
)
async def test_a_failed_verification_keeps_the_text_and_never_sends(scene, answer, reason):
    scene.brain.failing[VERIFY] = answer
    await scene.reply_comes()
    await scene.replies()
    draft = scene.draft
    assert (draft["body"], draft["action"], draft["reason"]) == (DRAFT, "needs_review", reason)
    assert scene.planned() == []
    assert JUDGE not in scene.brain.asked, "no evaluation outweighs it"
    assert len(scene.planned("review_card")) == 2
    assert scene.rows.value("SELECT status FROM app.draft_pipeline_run") == "COMPLETED"


async def test_a_mended_slip_replaces_the_text(scene):
    scene.brain.verification = {"final_draft": DRAFT.replace("mill", "shed"), "changed": True}
    await scene.reply_comes()
    await scene.replies()
    assert scene.draft["body"] == DRAFT.replace("mill", "shed")
    assert artifact(scene, "draft_generation_step2")["text"] == DRAFT, "what was written first stays on record"
    assert scene.draft["action"] == "send_immediate"


async def test_a_failed_reading_of_the_calendar_is_for_a_person(scene):
    scene.brain.failing[EXTRACT] = REFUSAL
    await scene.reply_comes()
    await scene.replies()
    assert scene.draft["reason"] == "overseer_failed:model_refused"
    assert artifact(scene, "meeting_overseer_extract")["payload"] == {"failed": "model_refused"}
    assert GATE not in scene.brain.asked


async def test_the_gate_sees_drafts_that_speak_of_the_calendar_and_may_replace_them(scene):
    scene.brain.meeting = {"is_scheduling_related": True, "intent_to_book": True}
    scene.brain.gate = {"decision": "revise", "final_draft": "Shall I send you times?", "issues": ["too long"]}
    await scene.reply_comes()
    await scene.replies()
    assert scene.draft["body"] == "Shall I send you times?"
    gate = artifact(scene, "meeting_overseer_gate")
    assert (gate["payload"]["replaced"], gate["text"]) == (True, "Shall I send you times?")
    assert "answer first, then offer to talk" in told(scene, WRITE)


async def test_a_gate_that_sees_a_problem_and_mends_nothing_holds_the_draft(scene):
    scene.brain.meeting = {"is_scheduling_related": True}
    scene.brain.gate = {"decision": "revise", "final_draft": " "}
    await scene.reply_comes()
    await scene.replies()
    assert scene.draft["reason"] == "overseer_failed:no_text"


async def test_without_a_plan_the_single_prompt_writes(scene):
    scene.brain.failing[PLAN] = REFUSAL
    await scene.reply_comes()
    await scene.replies()
    assert scene.draft["action"] == "send_immediate"
    assert artifact(scene, "draft_strategy_step1")["payload"] == {"failed": "model_refused"}
    assert artifact(scene, "draft_generation_step2")["payload"] == {"mode": "single_prompt", "archetype": None}


async def test_switches_take_steps_out(scene):
    settings(scene, draft_verification_enabled=False, meeting_overseer_enabled=False)
    await scene.reply_comes()
    await scene.replies()
    assert scene.brain.asked == [CLASSIFY, PLAN, WRITE, JUDGE]
    assert scene.draft["action"] == "send_immediate"
    assert "draft_verifier_step3" not in stages(scene)


async def test_a_text_message_is_written_in_one_step_and_kept_in_parts(scene):
    words = "Happy to show you how it works at a mill like yours. " * 5
    scene.brain.draft = words
    await scene.receive(world.sms(scene.workspace, "Yes, tell me more"))
    await scene.replies()
    assert scene.brain.asked == [CLASSIFY, EXTRACT, WRITE]
    parts = scene.draft["body"].split("\n---\n")
    assert [len(part) <= 160 for part in parts] == [True, True]
    await scene.click("approve")
    (send,) = scene.planned()
    assert send["content"]["text"] == words.strip()


# ── the signature ────────────────────────────────────────────────────────────


async def test_a_draft_knows_the_signature_of_the_mail_it_answers(scene):
    scene.brain.signature = {
        "name": "Mara Okafor",
        "scheduling_links": ["https://calendly.com/mara/15min", "https://evil.example/book"],
        "confidence": "high",
    }
    await scene.reply_comes(SIGNED)
    await scene.replies()
    assert sorted(scene.brain.asked[1:4]) == [EXTRACT, LINK, SIGN], "at the same time"
    assert "Scheduling links: https://calendly.com/mara/15min" in told(scene, PLAN)
    assert "evil.example" not in told(scene, WRITE)
    kept = artifact(scene, "signature_context")["payload"]
    assert (kept["reason"], kept["context"]["scheduling_links"]) == ("read", ["https://calendly.com/mara/15min"])
    snapshot = scene.rows.value("SELECT snapshot FROM app.draft_pipeline_run")
    sizes = {section["name"]: section["chars"] for section in snapshot["sections"]}
    assert sizes["signature_context"] > 0


@pytest.mark.parametrize("answer", [REFUSAL, http_error(500), completed("{")], ids=["refused", "away", "cut"])
async def test_no_draft_fails_because_of_a_signature(scene, answer):
    scene.brain.failing[SIGN] = answer
    await scene.reply_comes(SIGNED)
    await scene.replies()
    assert scene.draft["action"] == "send_immediate"
    assert artifact(scene, "signature_context")["payload"]["reason"].startswith("model_failed:model_")


async def test_a_draft_never_says_that_a_given_link_did_not_arrive(scene):
    scene.brain.draft = "Thank you! Your calendar link did not come through, could you send it again?"
    await scene.reply_comes(SIGNED)
    await scene.replies()
    assert scene.draft["reason"] == "guard_failed:link_denied"


async def test_a_price_without_a_source_is_for_a_person_and_stands_in_the_trace(scene):
    settings(scene, service_description="Loom care from $650 monthly.")
    scene.brain.draft = "It is $650 a month, or $99 to start."
    await scene.reply_comes()
    await scene.replies()
    assert scene.draft["reason"] == "guard_failed:price_unsupported"
    final = artifact(scene, "final_draft")["payload"]
    assert [(claim["excerpt"], claim["source"]) for claim in final["claims"]] == [
        ("$650 a month", "service_description"),
        ("$99", None),
    ]
    found = {line["guard"]: line["found"] for line in final["guards"]}
    assert found["price_unsupported"] == ["$99"]


# ── bounds ───────────────────────────────────────────────────────────────────


async def test_a_stop_of_automatic_answers_saves_the_evaluation(scene):
    scene.rows.all("INSERT INTO app.kill_switch (id, scope) VALUES (gen_random_uuid(), 'global')")
    await scene.reply_comes()
    await scene.replies()
    assert scene.brain.asked == [CLASSIFY, *DRAFTING]
    assert (scene.draft["action"], scene.draft["reason"]) == ("needs_review", "kill_switch")


async def test_no_transaction_is_open_while_the_model_thinks(scene):
    """Each call sees no backend of the worker inside a transaction."""
    open_ones = []
    calm = scene.brain.answer

    def looking(request):
        with psycopg.connect(scene.database.dsn("bootstrap"), autocommit=True) as conn:
            open_ones.extend(
                conn.execute(
                    "SELECT query FROM pg_stat_activity WHERE usename = 'zrg_worker' AND datname = current_database() "
                    "AND xact_start IS NOT NULL"
                ).fetchall()
            )
        return calm(request)

    scene._script.answers[:] = [looking]
    scene.brain.meeting = {"is_scheduling_related": True}
    await scene.reply_comes(SIGNED)
    await scene.replies()
    assert sorted(set(scene.brain.asked)) == sorted({CLASSIFY, *DRAFTING, SIGN, LINK, GATE, JUDGE})
    assert open_ones == []


async def test_a_payload_that_is_too_large_says_so(scene):
    scene.brain.strategy = {"intent_summary": "x" * 600, "outline": ["y" * 300] * 5}
    await scene.reply_comes()
    await scene.replies()
    payload = artifact(scene, "draft_strategy_step1")["payload"]
    assert len(payload["intent_summary"]) == 600
    assert len(str(payload)) < 32_768, "every field is bounded before the cap is met"


# ── when no text can be used ─────────────────────────────────────────────────


@pytest.mark.parametrize(
    "answer, because",
    [(REFUSAL, "model_refused"), (completed("{"), "model_invalid"), (completed({"body": " \n"}), "empty_text")],
    ids=["refused", "unreadable", "empty"],
)
async def test_without_a_usable_text_a_template_waits_for_a_person(scene, answer, because):
    """By plan, then by the single prompt, then no model at all; and whatever the evaluator would say, it is not asked."""
    scene.brain.failing[WRITE] = answer
    await scene.reply_comes()
    await scene.replies()
    assert scene.job()[0] == "done"
    plans = [
        "empty" if '<data name="plan">\n\n</data>' in each["input"][0]["content"] else "plan"
        for each in scene.brain.prompts
        if each["text"]["format"]["name"] == WRITE
    ]
    assert list(dict.fromkeys(plans)) == ["plan", "empty"]
    draft = scene.draft
    assert (draft["action"], draft["reason"]) == ("needs_review", f"deterministic_template:{because}")
    assert draft["body"].endswith("Thank you for your message.\n\nWhich day and time would suit you for a short call?")
    assert not {VERIFY, JUDGE} & set(scene.brain.asked)
    payload = artifact(scene, "draft_generation_step2")["payload"]
    assert payload == {"mode": "template", "archetype": None, "template_because": because}
    assert "template" in why(draft["reason"])


async def test_a_mail_of_a_wrong_length_is_written_anew_once_and_then_cut(scene):
    scene.brain.draft = "The loom stands still no longer than it must. " * 40
    await scene.reply_comes()
    await scene.replies()
    assert scene.brain.asked.count(WRITE) == 2
    again = [each for each in scene.brain.prompts if each["text"]["format"]["name"] == WRITE][-1]
    assert "The previous draft has 1839 characters. Say the same in fewer words." in again["instructions"]
    assert scene.brain.draft.strip() in again["input"][0]["content"]
    assert artifact(scene, "draft_generation_step2")["payload"] == {
        "mode": "two_step",
        "archetype": "A6",
        "length": "too_long",
        "chars": 1839,
        "rewrite": "no_better",
        "clamped": True,
    }
    assert scene.draft["body"] == ("The loom stands still no longer than it must. " * 26).strip()
    assert scene.draft["action"] == "send_immediate"
    assert scene.rows.value("SELECT count(*) FROM app.ai_call WHERE prompt_key = %s", WRITE) == 2
