"""Why was nothing sent? The story of a lead and of a draft, and the list of what needs somebody, over real rows."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import dagster as dg
import pytest
import yaml
from sqlalchemy import text

from tests.integration.replies_support import make_scene
from tests.integration.seeds import NOW
from tests.integration.test_drafts_command import (
    engine,  # noqa: F401 - fixtures
    sandbox,  # noqa: F401
    scene,
)
from tests.integration.test_sending_vendors import plan, row, sent_texts, work
from zrg_dagster.core.base.clock import utc_now
from zrg_dagster.core.db.engine import sync_connect
from zrg_dagster.core.replies import outbound
from zrg_dagster.core.replies.attention import attention
from zrg_dagster.core.replies.explain import ExplainError, explain_draft, explain_lead, markdown
from zrg_dagster.definitions import defs
from zrg_dagster.jobs import decisions
from zrg_dagster.resources.clock import Clock
from zrg_dagster.resources.database import Database as DatabaseResource
from zrg_dagster.sensors.attention import attention_observed

REVIEWER = "rev@x.example"
jobs = {job.name: job for job in defs.get_repository_def().get_all_jobs()}


async def test_a_reply_that_was_not_sent_has_its_whole_story(database):
    """Received, tagged, drafted, evaluated, planned, stopped by an operator: each with its code and its inputs."""
    async with make_scene(database) as made:
        await made.reply_comes("Sounds useful. Call me at mara@brightloom.example.")
        await made.replies()
        made.rows.all("INSERT INTO app.kill_switch (id, scope) VALUES (gen_random_uuid(), 'global')")
        await made.sends()
        made.rows.all(
            "UPDATE app.send SET planned_at = due_at"
        )  # the scene's time; the column's default is the machine's
        lead, draft = made.rows.value("SELECT id FROM app.lead"), made.rows.value("SELECT id FROM app.draft")
        from zrg_dagster.core.db.engine import make_engine

        engine = make_engine(database.dsn("worker"))
        async with engine.connect() as conn:
            story, about = await explain_lead(conn, lead), await explain_draft(conn, draft)
        await engine.dispose()
    assert story.verdict == (
        "the answer was blocked (kill_switch: an operator stopped automatic sends (`zrg autosend show`)); "
        "a person can still approve it"
    )
    said = [line.what for line in story.lines]
    order = ["inbound email message", "tag New → Interested", "email draft written", "decided about draft: send_immediate",
             "draft planned through emailbison", "decided about send: kill_switch", "draft send is blocked"]  # fmt: skip
    assert [what for what in said if what in order] == order
    assert any(what.startswith("stage evaluate") for what in said)
    assert any(what.startswith("model asked: reply_classification") for what in said)
    assert [line.at for line in story.lines] == sorted(line.at for line in story.lines)
    assert {line.what for line in about.lines} >= set(order[2:])
    shown = markdown(story)
    assert "mara@" not in shown
    assert "Sounds useful" not in shown
    blocked = next(line for line in story.lines if line.what == "draft send is blocked")
    assert (blocked.code, blocked.why.startswith("an operator stopped")) == ("kill_switch", True)


async def test_who_is_unknown_has_no_story(engine):  # noqa: F811
    from zrg_dagster.core.base.ids import new_id

    async with engine.connect() as conn:
        for ask in (explain_lead, explain_draft):
            with pytest.raises(ExplainError, match="has the id"):
                await ask(conn, new_id())


async def test_the_command_and_the_job_tell_the_same(engine, database, zrg, monkeypatch):  # noqa: F811
    _, draft = await scene(engine)
    code, said = zrg("explain", "draft", str(draft))
    assert code == 0
    assert said.splitlines()[0] == "the draft waits for a person (not decided yet)"
    metadata = await execute(database, monkeypatch, "explain", "tell_story", draft=str(draft))
    assert metadata["verdict"] == said.splitlines()[0]
    assert "email draft written" in metadata["story"]
    assert zrg("explain", "lead", str(draft))[0] == 1


async def execute(database, monkeypatch, name: str, op: str, **config: Any) -> dict[str, Any]:
    """What a job's run page shows."""
    return await asyncio.to_thread(_execute, database, monkeypatch, name, op, **config)


def _execute(database, monkeypatch, name: str, op: str, **config: Any) -> dict[str, Any]:
    monkeypatch.setenv("ZRG_DB_WORKER_URL", database.dsn("worker"))
    with dg.DagsterInstance.ephemeral() as instance:
        needed = {"database": DatabaseResource(role="worker"), "clock": Clock()}
        keys = next(node for node in jobs[name].all_node_defs).required_resource_keys  # type: ignore[union-attr]
        result = getattr(decisions, {"explain": "explain_job"}.get(name, name)).execute_in_process(
            resources={key: needed[key] for key in keys},
            instance=instance,
            run_config={"ops": {op: {"config": config}}},
        )
        assert result.success
        (output,) = [event for event in result.all_events if event.event_type_value == "STEP_OUTPUT"]
        return {key: value.value for key, value in output.step_output_data.metadata.items()}


async def test_many_drafts_are_decided_at_once_but_not_by_default(engine, database, monkeypatch):  # noqa: F811
    _, draft = await scene(engine)
    run = lambda **config: execute(database, monkeypatch, "decide_drafts", "decide_pending_drafts", **config)  # noqa: E731
    dry = await run(workspace="harbourline")
    assert (dry["matching"], dry["decided"], "would reject" in dry["drafts"]) == (1, 0, True)
    assert (await run(workspace="elsewhere"))["matching"] == 0
    stranger = await run(dry_run=False, by="nobody@x.example")
    assert (stranger["decided"], "not_a_member" in stranger["drafts"]) == (0, True)
    done = await run(dry_run=False, by=REVIEWER, action="approve", channel="email")
    assert (done["decided"], "approved" in done["drafts"]) == (1, True)
    assert (await row(engine, draft)).origin == "setter"
    with pytest.raises(dg.Failure, match="name the member"):
        await run(dry_run=False)


async def test_what_a_person_found_at_the_vendor_settles_a_send(engine, database, sandbox, monkeypatch):  # noqa: F811
    """Arrived: it counts as sent. Not arrived: its draft can be approved again, and then leaves once."""
    _, draft = await scene(engine)
    match = {"match": {"method": "POST"}, "times": 1}
    await sandbox.control("POST", "faults", {"provider": "emailbison", "mode": "status", "status": 500, **match})
    async with engine.begin() as conn:
        await plan(conn, draft, outbound.Origin("setter"))
    await work(engine, database, sandbox)
    await work(engine, database, sandbox, later=timedelta(minutes=5))
    assert (await row(engine, draft)).state == "needs_human"
    run = lambda **config: execute(database, monkeypatch, "settle_sends", "settle_unconfirmed_sends", **config)  # noqa: E731
    send = str((await row(engine, draft)).id)
    listed = await run()
    assert (listed["waiting"], listed["settled"]) == (1, 0)
    assert (await run(ids=[send], arrived=False, dry_run=False))["settled"] == 1
    assert ((await row(engine, draft)).state, (await row(engine, draft)).reason) == ("blocked", "not_arrived")
    done = await execute(
        database, monkeypatch, "decide_drafts", "decide_pending_drafts", dry_run=False, by=REVIEWER, action="approve"
    )
    assert done["decided"] == 1
    again = await row(engine, draft)
    assert again.max_attempts - again.attempts == 6, "the attempts of before do not count against this approval"
    await work(engine, database, sandbox, later=utc_now() - NOW)
    assert (await row(engine, draft)).state == "sent"
    assert await sent_texts(sandbox, "emailbison") == ["Happy to help."]


async def test_a_send_that_arrived_is_a_message_and_a_touch(engine, database, sandbox, monkeypatch):  # noqa: F811
    _, draft = await scene(engine)
    await sandbox.control("POST", "options", {"provider": "emailbison", "never_visible": 1})
    await sandbox.control(
        "POST", "faults", {"provider": "emailbison", "mode": "accept_then_500", "match": {"method": "POST"}}
    )
    async with engine.begin() as conn:
        await plan(conn, draft, outbound.Origin("setter"))
    await work(engine, database, sandbox)
    await work(engine, database, sandbox, later=timedelta(minutes=5))
    send = await row(engine, draft)
    await execute(
        database,
        monkeypatch,
        "settle_sends",
        "settle_unconfirmed_sends",
        ids=[str(send.id)],
        arrived=True,
        dry_run=False,
    )
    async with engine.connect() as conn:
        counts = (await conn.execute(text("""
            SELECT (SELECT count(*) FROM app.touch), (SELECT count(*) FROM app.message WHERE send_id IS NOT NULL),
                   (SELECT status FROM app.draft), (SELECT action FROM ops.audit)"""))).one()  # fmt: skip
    assert tuple(counts) == (1, 1, "approved", "send.settle")


TROUBLES = {
    "webhook_replay": """INSERT INTO raw.webhook_event (id, provider, scope, workspace_id, event_type, delivery_key,
            correlation_id, received_at, run_at, body_bytes, state, reason, finished_at)
        SELECT gen_random_uuid(), 'ghl', 'harbourline', id, 't', 'k', 'c', now(), now(), 1, 'quarantined', 'shape_mismatch',
            now() FROM app.workspace""",
    "redo_jobs": """INSERT INTO app.job (id, workspace_id, lane, kind, job_key, serial_key, correlation_id, run_at, state)
        SELECT gen_random_uuid(), id, 'replies', 'reply', 'k', 's', 'c', now(), 'dead' FROM app.workspace""",
    "settle_sends": "UPDATE app.send SET state = 'needs_human', reason = 'outcome_unknown', claimed_at = now()",
    "process_sends": "UPDATE app.send SET due_at = now() - interval '1 hour'",
    "decide_drafts": "UPDATE app.send SET state = 'blocked', reason = 'kill_switch'",
    "autosend_switch": "INSERT INTO app.kill_switch (id, scope) VALUES (gen_random_uuid(), 'global')",
}


@pytest.mark.parametrize("job", TROUBLES)
async def test_each_trouble_names_a_job_and_a_config_that_the_job_takes(engine, database, job):  # noqa: F811
    _, draft = await scene(engine)
    async with engine.begin() as conn:
        await plan(conn, draft, outbound.Origin("setter"))
        await conn.execute(text("UPDATE app.send SET due_at = now() + interval '1 hour'"))
        await conn.execute(text("UPDATE app.draft SET created_at = now() - interval '5 hours'"))
    with sync_connect(database.dsn("worker")) as conn:
        assert attention(conn, utc_now()) == []
    async with engine.begin() as conn:
        await conn.execute(text(TROUBLES[job]))
    with sync_connect(database.dsn("worker")) as conn:
        items = attention(conn, utc_now())
    assert [item.job for item in items] == [job]
    [item] = items
    assert (item.number, bool(item.code)) == (1, True)
    if item.config is not None:
        config = yaml.safe_load(item.config)
        assert dg.validate_run_config(jobs[job], config)
        assert "'dry_run': True" in str(config), "a fix that is pasted does nothing by itself"


async def test_the_list_is_reported_on_change_and_without_a_run(engine, database, monkeypatch):  # noqa: F811
    monkeypatch.setenv("ZRG_DB_WORKER_URL", database.dsn("worker"))
    resources = {"database": DatabaseResource(role="worker"), "clock": Clock()}

    def tick(cursor: str | None) -> Any:
        with (
            dg.DagsterInstance.ephemeral() as instance,
            dg.build_sensor_context(instance=instance, cursor=cursor) as context,
        ):
            return attention_observed(context, **resources)

    first = tick(None)
    assert first.run_requests in (None, [])
    assert first.asset_events[0].metadata["listed"].value == "Nothing needs anybody."
    assert isinstance(tick(first.cursor), dg.SkipReason)
    async with engine.begin() as conn:
        await conn.execute(text(TROUBLES["autosend_switch"]))
    changed = tick(first.cursor)
    assert changed.asset_events[0].metadata["things"].value == 1
    assert "autosend_switch" in changed.asset_events[0].metadata["listed"].value
    assert json.loads(changed.cursor)["said"][0][1] == "kill_switch"
