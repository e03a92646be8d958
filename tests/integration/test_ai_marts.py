"""marts/ai_calls and marts/ai_funnel through Dagster and a real Postgres: numbers, checks, when they are counted anew."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import dagster as dg
import pandas as pd
import pytest

from tests.integration.analytics_support import DAY, HOUR, NOW, World
from zrg_dagster.assets import ai
from zrg_dagster.core.analytics import ai_marts as marts
from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.replies.classify import POSITIVE

ASSETS: list[Any] = [ai.ai_calls, ai.ai_funnel, ai.ai_checks]


class AiWorld(World):
    """Replies and calls of the workspace `acme`."""

    def call(self, outcome: str = "ok", at: datetime = NOW - HOUR, message: UUID | None = None, **more: Any) -> None:
        values = {
            "id": new_id(), "workspace_id": self.workspace, "message_id": message, "prompt_key": "reply_draft",
            "prompt_version": "2", "model": "gpt-5.1", "outcome": outcome, "latency_ms": 100, "called_at": at,
            "source": "job/reply", "input_tokens": 10, "output_tokens": 5, "cost_usd": Decimal("0.01"), **more,
        }  # fmt: skip
        self.insert("app.ai_call", values)

    def insert(self, table: str, values: dict[str, Any]) -> None:
        names = ", ".join(values)
        marks = ", ".join(["%s"] * len(values))
        self.worker.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})".encode(), list(values.values()))

    def reply(
        self,
        tag: str | None,
        at: datetime = NOW - HOUR,
        *,
        job: str = "done",
        draft: str | None = None,
        decision: str | None = None,
        sent: bool = False,
    ) -> UUID:
        """A reply with its job, and what became of it."""
        lead, message = self.add_lead(), new_id()
        base = {"workspace_id": self.workspace, "lead_id": lead}
        self.insert("app.message", {
            **base, "id": message, "message_key": str(message), "channel": "email", "direction": "inbound",
            "source": "webhook", "provider": "emailbison", "sent_at": at, "sentiment_tag": tag,
        })  # fmt: skip
        claimed = 1 if job == "running" else None
        self.insert("app.job", {
            **base, "id": new_id(), "message_id": message, "lane": "replies", "kind": "reply", "job_key": str(message),
            "serial_key": str(lead), "correlation_id": "c", "state": job, "run_at": at, "claimed_by": claimed,
        })  # fmt: skip
        if decision:
            self.insert("app.decision", {
                **base, "subject": "reply", "subject_id": message, "code": decision, "decided_at": at,
            })  # fmt: skip
        if draft:
            made = new_id()
            self.insert("app.draft", {
                **base, "id": made, "trigger_message_id": message, "channel": "email", "body": "b", "ai_body": "b",
                "action": draft,
            })  # fmt: skip
            if sent:
                self.insert("app.send", {
                    **base, "id": new_id(), "natural_key": str(made), "kind": "draft", "origin": "ai", "channel": "email",
                    "vendor": "emailbison", "draft_id": made, "recipient": "r", "content": "{}", "state": "sent",
                    "due_at": at, "sent_at": at, "correlation_id": "c",
                })  # fmt: skip
        return message

    def built(self, instance: dg.DagsterInstance, **options: Any) -> dg.ExecuteInProcessResult:
        instance.add_dynamic_partitions("workspace", ["acme"])
        return self.materialize(ASSETS, instance=instance, partition_key="acme", **options)

    def stale(self, now: datetime = NOW) -> list[str]:
        with self.build.transaction():
            return marts.stale_workspaces(self.build, now)


@pytest.fixture
def world(database: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[AiWorld]:
    made = AiWorld(database, monkeypatch, tmp_path)
    yield made
    made.close()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def metadata_of(result: dg.ExecuteInProcessResult, asset: dg.AssetsDefinition) -> dict[str, Any]:
    [event] = result.asset_materializations_for_node(asset.node_def.name)
    return {name: value.value for name, value in event.metadata.items()}


def checks_of(result: dg.ExecuteInProcessResult) -> dict[str, bool]:
    return {each.check_name: each.passed for each in result.get_asset_check_evaluations()}


def test_positive_means_here_what_it_means_where_replies_are_sorted() -> None:
    assert set(marts.POSITIVE) == {tag.value for tag in POSITIVE}


def test_calls_are_counted_by_day_and_by_what_made_the_answer(world: AiWorld, instance, tmp_path) -> None:
    for latency in (100, 200, 900):
        world.call(latency_ms=latency)
    world.call("timeout", input_tokens=None, output_tokens=None, cost_usd=None)
    world.call("refused", cost_usd=None)
    world.call("no_key", input_tokens=None, output_tokens=None, cost_usd=None)
    world.call(prompt_version="ws.r1.abc", at=NOW - 3 * DAY)
    result = world.built(instance)
    frame = result.output_for_node("marts__ai_calls")
    assert isinstance(frame, pd.DataFrame)
    first = frame.iloc[0].to_dict()
    assert (first["workspace"], first["source"], first["prompt_version"]) == ("acme", "job/reply", "2")
    assert (first["calls"], first["failed"], first["provider_failed"], first["unpriced"]) == (5, 2, 1, 1)
    assert (first["input_tokens"], first["cost_usd"]) == (40, Decimal("0.03"))
    assert (first["p50_ms"], first["p95_ms"]) == (100, 900)
    assert list(frame["prompt_version"]) == ["2", "ws.r1.abc"]
    found = metadata_of(result, ai.ai_calls)
    assert (found["calls_7d"], found["failed_7d"], found["dagster/row_count"]) == (6, 2, 2)
    assert found["cost_usd_7d"] == pytest.approx(0.04)
    assert (found["p50_ms_7d"], found["p95_ms_7d"]) == (100, 900)
    assert Path(found["csv"]) == tmp_path / "exports" / "ai_calls" / "acme.csv"
    assert checks_of(result) == {"error_share": True, "positive_replies_covered": True, "steps_agree": True}


def test_what_was_counted_stays_when_its_calls_are_past_their_retention(world: AiWorld, instance) -> None:
    world.call(at=NOW - 20 * DAY)
    world.built(instance)
    world.superuser("UPDATE marts.ai_calls SET utc_day = utc_day - 40")
    world.superuser("DELETE FROM app.ai_call")
    world.call()
    frame = world.built(instance).output_for_node("marts__ai_calls")
    assert len(frame) == 2
    assert world.built(instance).output_for_node("marts__ai_calls")["calls"].sum() == 2, "twice is once"


def test_the_funnel_counts_each_positive_reply_once(world: AiWorld, instance) -> None:
    drafted = world.reply("Interested", draft="needs_review")
    world.call(message=drafted)
    world.reply("Meeting Requested", draft="send_immediate", sent=True)
    world.reply("Interested", decision="newer_inbound_exists")
    world.reply("Interested", job="parked", decision="model_budget_no_drafts")
    world.reply("Call Requested", job="pending")
    world.reply("Not Interested", decision="no_draft_for_tag")
    world.reply(None, job="parked")
    world.reply("Follow Up", draft="needs_review", at=NOW - 2 * DAY)
    result = world.built(instance)
    frame = result.output_for_node("marts__ai_funnel")
    today = frame[frame["utc_day"] == (NOW - HOUR).date()].iloc[0]
    names = ("replies", "classified", "positive", "drafted", "reasoned", "waiting", "unexplained", "needs_review")
    assert [int(today[name]) for name in names] == [7, 6, 5, 2, 2, 1, 0, 1]
    assert (int(today["auto_planned"]), int(today["sent"]), today["cost_usd"]) == (1, 1, Decimal("0.01"))
    assert len(frame) == 2
    assert checks_of(result)["positive_replies_covered"]


def test_a_positive_reply_that_fell_through_is_found(world: AiWorld, instance) -> None:
    world.reply("Interested")
    result = world.built(instance, raise_on_error=False)
    assert not checks_of(result)["positive_replies_covered"]
    assert int(result.output_for_node("marts__ai_funnel")["unexplained"].sum()) == 1


def test_a_day_of_errors_is_a_warning_from_twenty_calls_on(world: AiWorld, instance) -> None:
    for number in range(19):
        world.call("invalid" if number < 3 else "ok")
    assert checks_of(world.built(instance))["error_share"]
    world.call("timeout")
    result = world.built(instance)
    assert result.success
    [found] = [each for each in result.get_asset_check_evaluations() if each.check_name == "error_share"]
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.WARN)


def test_a_workspace_is_counted_when_it_asked_and_once_a_day(world: AiWorld, instance) -> None:
    assert world.stale() == []
    world.call()
    assert world.stale() == ["acme"]
    world.built(instance)
    assert world.stale(NOW) == []
    assert world.stale(NOW + DAY) == ["acme"]
    world.call(at=NOW)
    assert world.stale(NOW + timedelta(seconds=1)) == ["acme"]
