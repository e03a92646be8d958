"""Runs of the draft pipeline: one a reply, artifacts of its stages, and an end that always comes and stays."""

from datetime import timedelta

import psycopg
import pytest

from tests.integration import intake_support as world
from tests.integration.replies_support import DRAFT, http_error, make_scene
from zrg_dagster.core.db.engine import make_engine
from zrg_dagster.core.drafting import runs
from zrg_dagster.core.drafting.guards import GuardCode

WRITE, JUDGE = "reply_draft", "reply_evaluation"


@pytest.fixture
async def scene(database):
    async with make_scene(database) as made:
        yield made


def run_of(scene):
    return scene.rows.one("SELECT * FROM app.draft_pipeline_run")


def artifacts(scene):
    return scene.rows.all("SELECT * FROM app.draft_pipeline_artifact ORDER BY stage, iteration")


async def prune(scene, before):
    engine = make_engine(scene.database.dsn("worker"), pool_size=1)
    try:
        async with engine.begin() as conn:
            return await runs.sweep_runs(conn, scene.now), await runs.prune_runs(conn, before)
    finally:
        await engine.dispose()


async def test_a_run_completes_with_what_its_stages_said(scene):
    await scene.reply_comes()
    await scene.replies()
    run = run_of(scene)
    assert (run["status"], run["draft_id"], run["channel"]) == ("COMPLETED", scene.draft["id"], "email")
    found = {row["stage"]: row for row in artifacts(scene)}
    assert sorted(found) == [
        "auto_send_evaluation",
        "draft_generation_step2",
        "draft_strategy_step1",
        "draft_verifier_step3",
        "final_draft",
        "meeting_overseer_extract",
        "meeting_overseer_gate",
        "signature_context",
    ]
    assert found["final_draft"]["text"] == found["draft_generation_step2"]["text"] == DRAFT
    final = found["final_draft"]["payload"]
    assert (final["action"], final["reason"], final["claims"]) == ("send_immediate", None, [])
    assert [each["guard"] for each in final["guards"]] == list(GuardCode)
    assert {tuple(each["found"]) for each in final["guards"]} == {()}
    assert found["auto_send_evaluation"]["payload"]["confidence"] == 0.95
    assert (found["draft_generation_step2"]["prompt_key"], found["draft_generation_step2"]["model"]) == (
        WRITE, "gpt-5.4-mini",
    )  # fmt: skip


async def test_a_reply_that_gets_no_draft_has_no_run(scene):
    scene.brain.tag = "Objection"
    await scene.reply_comes()
    await scene.replies()
    assert scene.rows.value("SELECT count(*) FROM app.draft_pipeline_run") == 0


async def test_a_retry_goes_on_with_its_run(scene):
    scene.brain.failing[WRITE] = http_error(500)
    await scene.reply_comes()
    await scene.replies()
    assert run_of(scene)["status"] == "RUNNING", "the job will be tried again"
    (error,) = (row for row in artifacts(scene) if row["stage"] == "loop_error")
    assert error["payload"] == {"reason": "model_unavailable"}
    del scene.brain.failing[WRITE]
    scene.tick(hours=1)
    await scene.replies()
    assert run_of(scene)["status"] == "COMPLETED"


async def test_a_dead_job_fails_its_run(scene):
    with psycopg.connect(scene.database.dsn("bootstrap")) as conn:
        conn.execute("ALTER TABLE app.draft ADD CHECK (false) NOT VALID")  # a fault that no retry mends
    await scene.reply_comes()
    for _ in range(12):
        await scene.replies()
        scene.tick(hours=2)
    assert scene.job()[0] == "dead"
    run = run_of(scene)
    assert (run["status"], run["reason"]) == ("FAILED", scene.job()[1])


async def test_a_newer_reply_aborts_the_run_of_one_that_waits(scene):
    scene.brain.failing[WRITE] = http_error(500)
    await scene.reply_comes()
    await scene.replies()
    del scene.brain.failing[WRITE]
    await scene.reply_comes("And the price?", number=4402, at=world.LATER, received_at=world.LATER)
    scene.tick(hours=1)
    await scene.replies()
    ended = scene.rows.all("SELECT status, reason FROM app.draft_pipeline_run ORDER BY created_at")
    assert [tuple(row.values()) for row in ended] == [("ABORTED", "newer_inbound_exists"), ("COMPLETED", None)]


async def test_what_a_crash_left_is_swept(scene):
    await scene.reply_comes()
    await scene.replies()
    statements = {
        "COMPLETED": "SELECT 1",
        "FAILED": "DELETE FROM app.reply_stage WHERE stage = 'decide'",
        "ABORTED": "UPDATE app.draft SET status = 'rejected'",
    }
    for status, statement in statements.items():
        with psycopg.connect(scene.database.dsn("bootstrap"), autocommit=True) as conn:
            conn.execute("ALTER TABLE app.draft_pipeline_run DISABLE TRIGGER forward_only")
            conn.execute("UPDATE app.draft_pipeline_run SET status = 'RUNNING', updated_at = %s", (scene.now,))
            conn.execute("ALTER TABLE app.draft_pipeline_run ENABLE TRIGGER forward_only")
            conn.execute(statement)
        assert (await prune(scene, scene.now))[0] == 0, "not while its job may be about to be claimed"
        scene.tick(minutes=16)
        assert (await prune(scene, scene.now - timedelta(days=30)))[0] == 1
        assert (run_of(scene)["status"], run_of(scene)["reason"]) == (status, "swept_without_end")


async def test_an_end_is_kept_by_the_database(scene):
    await scene.reply_comes()
    await scene.replies()
    for status in ("RUNNING", "FAILED", "ABORTED"):
        with (
            psycopg.connect(scene.database.dsn("worker"), autocommit=True) as conn,
            pytest.raises(psycopg.errors.CheckViolation, match="has ended COMPLETED"),
        ):
            conn.execute("UPDATE app.draft_pipeline_run SET status = %s", (status,))
    with psycopg.connect(scene.database.dsn("worker"), autocommit=True) as conn:
        conn.execute("UPDATE app.draft_pipeline_run SET status = 'COMPLETED', reason = 'again'")


async def test_old_runs_go_with_their_artifacts_and_running_ones_stay(scene):
    await scene.reply_comes()
    await scene.replies()
    assert (await prune(scene, scene.now - timedelta(days=30)))[1] == 0
    assert (await prune(scene, scene.now + timedelta(days=31)))[1] == 1
    assert artifacts(scene) == []
    scene.brain.failing[WRITE] = http_error(500)
    await scene.reply_comes(number=4402, at=world.LATER, received_at=world.LATER)
    await scene.replies()
    assert (await prune(scene, scene.now + timedelta(days=31)))[1] == 0


async def test_a_record_that_cannot_be_written_stops_no_draft(scene):
    with psycopg.connect(scene.database.dsn("bootstrap"), autocommit=True) as conn:
        conn.execute("ALTER TABLE app.draft_pipeline_artifact ADD CHECK (stage = 'never')")
    await scene.reply_comes()
    await scene.replies()
    assert scene.draft["action"] == "send_immediate"
    assert artifacts(scene) == []
    assert run_of(scene)["status"] == "COMPLETED"
    calls = scene.rows.value("SELECT count(*) FROM app.ai_call")
    assert calls == len(scene.brain.asked), "what was paid for is known all the same"
    stages = scene.rows.column("SELECT stage FROM app.reply_stage ORDER BY stage")
    assert stages == ["booking", "classify", "decide", "draft", "evaluate", "signals"], "so is what is done"
