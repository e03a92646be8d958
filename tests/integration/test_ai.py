"""The model layer on a real Postgres: what calls cost, whose words and models they use, circuits, the day's budget."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import dagster as dg
import pytest

from tests.integration import intake_support
from tests.integration.analytics_support import FixedClock
from tests.integration.command_support import Zrg
from tests.integration.replies_support import Scene, http_error, make_scene
from tests.integration.workspaces_world import FILE, apply, rows
from zrg_dagster.core.ai import prompts
from zrg_dagster.core.ai.breaker import FAILURES_TO_OPEN, Breakers
from zrg_dagster.core.ai.circuits import save_circuits
from zrg_dagster.core.ai.models import Purpose
from zrg_dagster.core.ai.overrides import newest
from zrg_dagster.core.ai.result import ModelOutcome
from zrg_dagster.core.ai.spend import Spending
from zrg_dagster.core.ai.telemetry import prune_calls
from zrg_dagster.core.ai.workspace import load_ai
from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.base.seal import Sealer, new_key
from zrg_dagster.core.base.settings import current_settings
from zrg_dagster.core.db.engine import make_engine
from zrg_dagster.core.replies.explain import explain_lead
from zrg_dagster.core.replies.why import why
from zrg_dagster.core.workspaces.changes import lines
from zrg_dagster.core.workspaces.declare import parse
from zrg_dagster.core.workspaces.export import describe, dump
from zrg_dagster.core.workspaces.sealing import Keys
from zrg_dagster.resources.database import Database as DatabaseResource
from zrg_dagster.sensors.attention import attention_observed

CLASSIFY, WRITE, JUDGE = "reply_classification", "reply_draft", "reply_evaluation"
EXTRACT, PLAN, VERIFY = "meeting_extract", "reply_strategy", "reply_verification"


@pytest.fixture
async def scene(database):
    async with make_scene(database) as made:
        made.model = None
        yield made


def settings(scene: Scene, **columns: Any) -> None:
    scene.rows.all(
        "INSERT INTO app.workspace_setting (workspace_id) VALUES (%s) ON CONFLICT DO NOTHING", scene.workspace
    )
    for name, value in columns.items():
        scene.rows.all(f"UPDATE app.workspace_setting SET {name} = %s", value)


def spend(scene: Scene, usd: str, **delta: float) -> None:
    """A call of today that cost so much."""
    scene.rows.all(
        "INSERT INTO app.ai_call (id, workspace_id, prompt_key, prompt_version, model, outcome, latency_ms, cost_usd, "
        "called_at) VALUES (%s, %s, 'p', '1', 'gpt-5.1', 'ok', 1, %s, %s)",
        new_id(), scene.workspace, Decimal(usd), scene.now + timedelta(**delta),
    )  # fmt: skip


async def told(scene: Scene) -> str:
    """Everything that `zrg explain` says of the lead, as codes with their sentences."""
    engine = make_engine(scene.database.dsn("worker"), pool_size=1)
    try:
        async with engine.connect() as conn:
            story = await explain_lead(conn, scene.lead["id"])
    finally:
        await engine.dispose()
    return "\n".join(f"{line.what} {line.code} {line.why}" for line in story.lines)


async def test_each_call_knows_what_it_cost_who_asked_and_its_trace(scene):
    await scene.reply_comes()
    await scene.replies()
    calls = {row["prompt_key"]: row for row in scene.rows.all("SELECT * FROM app.ai_call")}
    assert {key: (row["model"], row["effort"]) for key, row in calls.items()} == {
        CLASSIFY: ("gpt-5-mini", "low"),
        EXTRACT: ("gpt-5.2", "low"),
        PLAN: ("gpt-5.1", "medium"),
        WRITE: ("gpt-5.1", "medium"),
        VERIFY: ("gpt-5.2", "low"),
        JUDGE: ("gpt-5-mini", "low"),
    }
    # 100 tokens in, 20 out.
    assert (calls[CLASSIFY]["cost_usd"], calls[WRITE]["cost_usd"]) == (Decimal("0.000065"), Decimal("0.000325"))
    [trace] = scene.rows.column("SELECT DISTINCT correlation_id FROM app.job WHERE kind = 'reply'")
    assert {(row["source"], row["correlation_id"]) for row in calls.values()} == {("job/reply", trace)}


async def test_a_model_without_a_price_costs_null(scene):
    scene.model = "house-model"
    await scene.reply_comes()
    await scene.replies()
    assert set(scene.rows.column("SELECT cost_usd FROM app.ai_call")) == {None}
    assert scene.job()[0] == "done"


async def test_a_workspace_chooses_and_what_is_unknown_is_coerced(scene):
    settings(
        scene,
        draft_generation_model="gpt-5.2",
        draft_generation_reasoning_effort="xhigh",
        auto_send_evaluator_model="gpt-nine",
        auto_send_evaluator_reasoning_effort="high",
    )
    await scene.reply_comes()
    await scene.replies()
    asked = {
        each["text"]["format"]["name"]: (each["model"], each["reasoning"]["effort"]) for each in scene.brain.prompts
    }
    assert asked[WRITE] == ("gpt-5.2", "xhigh")
    assert asked[JUDGE] == ("gpt-5-mini", "high")


async def test_a_model_that_keeps_failing_is_left_alone_and_the_work_waits_unharmed(scene):
    await scene.reply_comes()
    await scene.replies()
    first = scene.lead
    scene.brain.failing[CLASSIFY] = http_error(503, **{"x-should-retry": "false"})
    number = FAILURES_TO_OPEN + 3
    people = [f"p{each}" for each in range(number)] + ["stop"]
    deliveries = [
        intake_support.replied(
            scene.workspace,
            5000 + each,
            "Please unsubscribe me." if name == "stop" else "Sounds useful.",
            lead={"id": 7000 + each, "email": f"{name}@brightloom.example", "first_name": "P", "last_name": "Q"},
            sender=f"{name}@brightloom.example",
        )
        for each, name in enumerate(people)
    ]
    await scene.receive(*deliveries)
    scene.brain.asked.clear()
    await scene.replies(concurrency=1)
    assert len(scene.brain.asked) == FAILURES_TO_OPEN
    states = scene.rows.all(
        "SELECT state, reason, count(*)::int AS n FROM app.job WHERE kind = 'reply' GROUP BY 1, 2 ORDER BY 1, 2"
    )
    found = {(row["state"], row["reason"]): row["n"] for row in states}
    assert found["parked", "model_circuit_open"] == number - FAILURES_TO_OPEN
    assert found["skipped", "opt_out"] == 1, "an opt-out needs no model"
    assert scene.rows.value("SELECT count(*) FROM app.ai_call WHERE outcome = 'circuit_open'") == 0
    circuit = scene.rows.one("SELECT * FROM ops.model_circuit")
    assert (circuit["model"], circuit["circuit"], circuit["last_outcome"]) == ("gpt-5-mini", "open", "unavailable")
    assert circuit["retry_at"] > scene.now
    tag = scene.rows.value("SELECT sentiment_tag FROM app.lead WHERE id = %s", first["id"])
    assert tag == first["sentiment_tag"] == "Interested", "nothing is overwritten"
    del scene.brain.failing[CLASSIFY]
    scene.tick(minutes=1)
    await scene.replies()
    assert scene.rows.column("SELECT DISTINCT state FROM app.job WHERE reason = 'model_circuit_open'") == []


async def test_a_circuit_that_closes_is_written_too(database):
    engine, breakers = make_engine(database.dsn("worker"), pool_size=1), Breakers()
    async with make_scene(database) as scene:
        try:
            for outcome in [ModelOutcome.QUOTA] * FAILURES_TO_OPEN + [ModelOutcome.OK]:
                breakers.report("m", outcome, 0.0)
                async with engine.begin() as conn:
                    await save_circuits(conn, breakers, scene.now)
        finally:
            await engine.dispose()
        row = scene.rows.one("SELECT circuit, failures, retry_at FROM ops.model_circuit")
        assert (row["circuit"], row["failures"], row["retry_at"]) == ("closed", 0, None)


async def test_calls_past_their_retention_go_and_no_other(scene):
    for days in (-31, -30, -1):
        spend(scene, "1", days=days)
    engine = make_engine(scene.database.dsn("worker"), pool_size=1)
    try:
        async with engine.begin() as conn:
            assert await prune_calls(conn, scene.now - timedelta(days=30)) == 1
            assert await prune_calls(conn, scene.now - timedelta(days=30)) == 0
    finally:
        await engine.dispose()
    assert scene.rows.value("SELECT count(*) FROM app.ai_call") == 2


# ── the day's budget ────────────────────────────────────────────────────────────


async def test_at_ninety_per_cent_a_person_decides_and_the_story_says_why(scene):
    settings(scene, model_daily_budget_usd=10)
    spend(scene, "9")
    await scene.reply_comes()
    await scene.replies()
    assert scene.brain.asked == [CLASSIFY, PLAN, WRITE]
    assert (scene.draft["action"], scene.draft["reason"]) == ("needs_review", "model_budget_no_checks")
    assert scene.decisions("reply") == ["model_budget_no_checks"], "said once, however many checks were given up"
    assert f"model_budget_no_checks {why('model_budget_no_checks')}" in await told(scene)


async def test_a_spent_budget_stops_drafts_until_the_day_is_over_and_nothing_else(scene):
    settings(scene, model_daily_budget_usd=10)
    spend(scene, "10")
    await scene.reply_comes()
    await scene.replies()
    assert scene.job() == ("parked", "model_budget_no_drafts")
    assert scene.lead["sentiment_tag"] == "Interested", "it was classified"
    assert scene.rows.value("SELECT count(*) FROM app.draft") == 0
    assert scene.decisions("reply") == ["model_budget_no_drafts"]
    assert f"model_budget_no_drafts {why('model_budget_no_drafts')}" in await told(scene)
    scene.tick(minutes=31)
    await scene.replies()
    assert scene.job() == ("parked", "model_budget_no_drafts")
    assert scene.decisions("reply") == ["model_budget_no_drafts"]
    scene.tick(days=1)
    await scene.replies()
    assert scene.job()[0] == "done"
    assert scene.brain.asked == [CLASSIFY, EXTRACT, PLAN, WRITE, VERIFY, JUDGE], "nothing was asked twice"


async def test_the_admins_are_told_once_a_day_at_eighty_and_at_a_hundred_per_cent(scene):
    settings(scene, model_daily_budget_usd=10)
    spend(scene, "8")
    titles = "SELECT content ->> 'text' FROM app.send WHERE kind = 'alert' ORDER BY planned_at, id"
    for number in (4401, 4402):
        await scene.reply_comes(number=number)
        await scene.replies()
        assert scene.rows.column(titles) == ["80% of the day's budget for the model is spent"]
    spend(scene, "2")
    await scene.reply_comes(number=4403)
    await scene.replies()
    assert scene.rows.column(titles)[1:] == ["100% of the day's budget for the model is spent"]
    assert set(scene.rows.column("SELECT recipient FROM app.send WHERE kind = 'alert'")) == {"U01ADMIN"}


async def test_a_budget_of_zero_is_the_process_one_and_is_asked_once_in_a_while(scene):
    settings(scene, model_daily_budget_usd=0)
    spend(scene, "4")
    spend(scene, "900", days=-1)
    engine, at = make_engine(scene.database.dsn("worker"), pool_size=1), [0.0]
    spending = Spending(Decimal(5), fresh_s=5, monotonic=lambda: at[0])
    try:
        async with engine.connect() as conn:

            async def reason(purpose: Purpose) -> str | None:
                return (await spending.allowed(conn, scene.workspace, purpose, scene.now)).reason

            assert await reason(Purpose.REVISION) == "model_budget_no_revision"
            assert await reason(Purpose.DRAFTING) is None
            spend(scene, "1")
            assert await reason(Purpose.DRAFTING) is None, "not older than it may be"
            at[0] = 5.0
            assert await reason(Purpose.DRAFTING) == "model_budget_no_drafts"
            scene.tick(days=1)
            assert await reason(Purpose.DRAFTING) is None, "a new day"
    finally:
        await engine.dispose()


# ── a workspace's own words ─────────────────────────────────────────────────────


async def prompted(zrg: Zrg, *arguments: str, code: int = 0, given: str | None = None) -> str:
    """In a thread: the scene's own loop goes on."""
    return await asyncio.to_thread(zrg.ends, "prompts", *arguments, code=code, given=given)


class TestPrompts:
    async def test_from_set_to_an_answer_and_back(self, scene, zrg, tmp_path):
        key = scene.rows.value("SELECT key FROM app.workspace")
        admin, manager = "u01admin@harbourline.example", "u02setter@harbourline.example"

        own = await prompted(zrg, "show", key, WRITE)
        (tmp_path / "own.md").write_text(own.replace("You write the", "You write, as a Rotterdamer would, the"))
        assert "an admin may" in await prompted(
            zrg, "set", key, WRITE, "--file", str(tmp_path / "own.md"), "--by", manager, code=1
        )
        made = await prompted(zrg, "set", key, WRITE, "--file", str(tmp_path / "own.md"), "--by", admin)
        assert "version ws.r1." in made
        assert "no change" in await prompted(
            zrg, "set", key, WRITE, "--file", "-", given=(tmp_path / "own.md").read_text()
        )
        assert f"{WRITE}: override, version ws.r1." in await prompted(zrg, "list", key)
        assert "lacks {{transcript}}" in await prompted(
            zrg, "set", key, WRITE, "--file", "-", code=1, given="a\n--- input ---\nb\n"
        )

        await scene.reply_comes()
        await scene.replies()
        [asked] = [each for each in scene.brain.prompts if each["text"]["format"]["name"] == WRITE]
        assert "Rotterdamer" in asked["instructions"]
        assert "Sounds useful, tell me more." in asked["input"][0]["content"]
        [version] = scene.rows.column("SELECT prompt_version FROM app.ai_call WHERE prompt_key = %s", WRITE)
        revision = scene.rows.one("SELECT * FROM app.prompt_revision")
        assert version == f"ws.r1.{revision['content_hash']}"
        assert (revision["changed_by"], revision["base_hash"]) == (admin, prompts.load(WRITE).content_hash)

        assert "ours from now on" in await prompted(zrg, "reset", key, WRITE)
        assert "ours already" in await prompted(zrg, "reset", key, WRITE)
        history = (await prompted(zrg, "history", key, WRITE)).splitlines()
        assert ["reset to ours" in line for line in history] == [True, False]
        assert await prompted(zrg, "history", key, WRITE, "--revision", "1") == (tmp_path / "own.md").read_text()
        audit = scene.rows.all("SELECT action, object, changes FROM ops.audit ORDER BY id")
        assert [(each["action"], each["object"]) for each in audit] == [
            ("prompt.set", f"prompt {WRITE}"),
            ("prompt.reset", f"prompt {WRITE}"),
        ]
        assert "Rotterdamer" not in str(audit)

    async def test_words_rest_once_ours_change(self, scene, zrg):
        key = scene.rows.value("SELECT key FROM app.workspace")
        scene.rows.all(
            "INSERT INTO app.prompt_revision VALUES (%s, %s, 1, 'older', %s, 'h', 'ada@harbourline.example', %s)",
            scene.workspace, WRITE, "Shout.\n\n--- input ---\n\n{{transcript}}\n", scene.now,
        )  # fmt: skip
        await scene.reply_comes()
        await scene.replies()
        assert "Shout" not in str(scene.brain.prompts)
        assert scene.rows.column("SELECT prompt_version FROM app.ai_call WHERE prompt_key = %s", WRITE) == [
            prompts.load(WRITE).version
        ]
        assert f"{WRITE}: needs rebase" in await prompted(zrg, "list", key)


# ── a workspace's file ──────────────────────────────────────────────────────────

MODELS = """\
  draft_generation_model: gpt-5.2
  draft_generation_reasoning_effort: extra-high
  auto_send_evaluator_model: gpt-nine
  model_daily_budget_usd: 12.50
"""


async def test_models_are_coerced_told_stored_exported_and_come_back_unchanged(database):
    engine, keys = make_engine(database.dsn("worker"), pool_size=2), Keys(Sealer(new_key()), Sealer(new_key()))
    source = FILE.replace("settings:\n", "settings:\n" + MODELS, 1)
    try:
        await apply(engine, keys, source)
        [row] = await rows(engine, "SELECT * FROM app.workspace_setting")
        assert (row.draft_generation_model, row.draft_generation_reasoning_effort) == ("gpt-5.2", "xhigh")
        assert (row.auto_send_evaluator_model, row.auto_send_revision_model) == ("gpt-5-mini", None)
        assert row.model_daily_budget_usd == Decimal("12.50")
        notes = parse(source, "w.yaml").notes()
        assert [note.partition(": ")[2] for note in notes] == [
            "settings.draft_generation_reasoning_effort: effort 'extra-high' is not known here; xhigh is used",
            "settings.auto_send_evaluator_model: model 'gpt-nine' is not known here; gpt-5-mini is used",
        ]
        async with engine.connect() as conn:
            exported = dump(await describe(conn, "harbourline", keys))
        assert "auto_send_evaluator_model: gpt-5-mini" in exported
        assert parse(exported).notes() == []
        assert (await apply(engine, keys, exported)).changes == ()
        assert (await apply(engine, keys, source)).changes == ()
    finally:
        await engine.dispose()


def declared(key: str, base_hash: str, words: str) -> str:
    block = "".join(f"      {line}\n" if line else "\n" for line in words.splitlines())
    return f"  - key: {key}\n    base_hash: {base_hash}\n    text: |\n{block}"


async def test_prompts_of_a_file_are_revisions_rest_when_ours_changed_and_come_back_unchanged(database):
    engine, keys = make_engine(database.dsn("worker"), pool_size=2), Keys(Sealer(new_key()), Sealer(new_key()))
    ours = prompts.load(WRITE)
    own = prompts.body(ours).replace("You write the", "You write, as a Rotterdamer would, the")
    old = "Shout.\n\n--- input ---\n\n{{what_was}}\n"
    source = FILE + "prompts:\n" + declared(WRITE, ours.content_hash, own) + declared(JUDGE, "0123456789abcdef", old)
    try:
        await apply(engine, keys, source)
        workspace = (await rows(engine, "SELECT id FROM app.workspace"))[0].id
        async with engine.connect() as conn:
            stored = await newest(conn, workspace)
            exported = dump(await describe(conn, "harbourline", keys))
            ai = await load_ai(conn, workspace)
        assert {key: each.state for key, each in stored.items()} == {WRITE: "override", JUDGE: "needs rebase"}
        assert {each.changed_by for each in stored.values()} == {"operator@zrg.example"}
        assert set(ai.overrides) == {WRITE}
        assert "Rotterdamer" in ai.overrides[WRITE].instructions
        [note] = parse(source, "w.yaml").notes()
        assert ": prompts[2]: needs rebase: ours is " in note
        assert "  text: |\n    Shout." in exported
        for unchanged in (source, exported, FILE):
            assert (await apply(engine, keys, unchanged)).changes == ()

        fewer = FILE + "prompts:\n" + declared(WRITE, ours.content_hash, own.replace("Rotterdamer", "Hamburger"))
        changes = (await apply(engine, keys, fewer)).changes
        told = lines(changes)
        assert told[1] == f"- prompt {JUDGE}"
        assert told[0].startswith(f"~ prompt {WRITE} content: {len(own)} characters (")
        async with engine.connect() as conn:
            stored = await newest(conn, workspace)
            audited = str(await rows(engine, "SELECT changes FROM ops.audit"))
        assert {key: (each.state, each.revision) for key, each in stored.items()} == {
            WRITE: ("override", 2),
            JUDGE: ("default", 2),
        }
        assert "Rotterdamer" not in audited + str(told)
        assert "Hamburger" not in audited + str(told)
    finally:
        await engine.dispose()


# ── what an operator sees ───────────────────────────────────────────────────────


def observed(database: Any, monkeypatch: pytest.MonkeyPatch, now: Any) -> dict[str, Any]:
    """One look of the sensor: the metadata of the observation, and of the check."""
    monkeypatch.setenv("ZRG_DB_WORKER_URL", database.dsn("worker"))
    current_settings.cache_clear()
    resources = {"database": DatabaseResource(role="worker"), "clock": FixedClock(at=now.isoformat())}
    with dg.DagsterInstance.ephemeral() as instance, dg.build_sensor_context(instance=instance) as context:
        result: Any = attention_observed(context, **resources)
    seen, check = result.asset_events
    assert not result.run_requests
    return {"listed": seen.metadata["listed"].value, "passed": check.passed, "models": check.metadata["models"].value}


async def test_a_provider_that_fails_is_seen_within_a_minute_and_so_is_its_return(scene, database, monkeypatch):
    scene.rows.all("DELETE FROM app.slack_recipient")
    scene.brain.failing[CLASSIFY] = http_error(503, **{"x-should-retry": "false"})
    for number in range(3):
        await scene.reply_comes("Sounds useful.", 4400 + number)
    await scene.replies()
    scene.tick(seconds=59)
    seen = observed(database, monkeypatch, scene.now)
    assert not seen["passed"]
    assert "model gpt-5-mini fails" in seen["listed"]
    assert "model_unavailable" in seen["listed"]
    assert "| gpt-5-mini | 3 | 3 | closed | unavailable |" in seen["models"]
    scene.brain.failing.clear()
    scene.tick(minutes=6)
    await scene.replies()
    assert scene.job()[0] == "done"
    seen = observed(database, monkeypatch, scene.now)
    assert (seen["passed"], "fails" in seen["listed"]) == (True, False)


async def test_an_open_circuit_a_spent_budget_and_a_model_without_price_are_listed(scene, database, monkeypatch):
    settings(scene, model_daily_budget_usd=10)
    spend(scene, "8.5")
    scene.rows.all("UPDATE app.ai_call SET called_at = called_at - interval '10 minutes'")
    scene.rows.all(
        "INSERT INTO app.ai_call (id, workspace_id, prompt_key, prompt_version, model, outcome, latency_ms, input_tokens, "
        "called_at) VALUES (%s, %s, 'p', '1', 'house-model', 'ok', 1, 5, %s)",
        new_id(), scene.workspace, scene.now,
    )  # fmt: skip
    scene.rows.all(
        "INSERT INTO ops.model_circuit VALUES ('gpt-5.2', 'open', 5, 'quota', %s, %s)",
        scene.now + timedelta(seconds=30), scene.now,
    )  # fmt: skip
    seen = observed(database, monkeypatch, scene.now)
    assert "model gpt-5.2 fails, circuit open" in seen["listed"]
    assert "model_quota" in seen["listed"]
    assert "the day's budget for the model: 85 % of 10.00 USD" in seen["listed"]
    assert "model without a price: house-model" in seen["listed"]
    assert not seen["passed"]
    scene.tick(days=1)
    seen = observed(database, monkeypatch, scene.now)
    assert (seen["listed"], seen["passed"]) == ("Nothing needs anybody.", True)
