"""The circuit breaker: when it opens, who probes, and that a client with an open circuit asks nobody."""

import asyncio

import dagster as dg
import pytest
from pydantic import BaseModel

from tests.unit.model_server import completed, serve
from zrg_dagster.core.ai.breaker import (
    FAILURES_TO_OPEN,
    MAX_OPEN_S,
    OPEN_S,
    PROBE_S,
    PROBE_WAIT_S,
    PROVIDER_FAILURES,
    Breaker,
    Breakers,
    Circuit,
)
from zrg_dagster.core.ai.client import ModelClient
from zrg_dagster.core.ai.models import Purpose, resolve
from zrg_dagster.core.ai.prices import PRICES
from zrg_dagster.core.ai.prompts import RenderedPrompt
from zrg_dagster.core.ai.result import ModelOutcome, ModelResult
from zrg_dagster.core.ai.shared import shared
from zrg_dagster.core.db.lane import LaneReport
from zrg_dagster.jobs.drain import metadata_of

PROMPT = RenderedPrompt("reply_classification", "7", "0" * 16, "Sort.", "Text")


class Reply(BaseModel):
    tag: str


def opened(at: float = 0.0) -> Breaker:
    breaker = Breaker("m")
    for _ in range(FAILURES_TO_OPEN):
        breaker.report(ModelOutcome.TIMEOUT, at)
    return breaker


def test_it_opens_after_a_run_of_provider_failures_and_not_before():
    breaker = Breaker("m")
    for _ in range(FAILURES_TO_OPEN - 1):
        assert not breaker.report(ModelOutcome.UNAVAILABLE, 0)
        assert breaker.wait_s(0) is None
    assert breaker.report(ModelOutcome.RATE_LIMITED, 0)
    assert (breaker.circuit, breaker.last, breaker.wait_s(10)) == (
        Circuit.OPEN,
        ModelOutcome.RATE_LIMITED,
        OPEN_S - 10,
    )


@pytest.mark.parametrize("outcome", sorted(set(ModelOutcome) - PROVIDER_FAILURES - {ModelOutcome.CIRCUIT_OPEN}))
def test_whatever_shows_that_somebody_answered_begins_the_count_anew(outcome):
    breaker = Breaker("m")
    for _ in range(FAILURES_TO_OPEN - 1):
        breaker.report(ModelOutcome.TIMEOUT, 0)
    breaker.report(outcome, 0)
    assert not breaker.report(ModelOutcome.TIMEOUT, 0)
    assert breaker.circuit is Circuit.CLOSED


def test_one_probe_after_the_open_time_decides():
    breaker = opened()
    assert breaker.wait_s(OPEN_S) is None, "the probe"
    assert breaker.wait_s(OPEN_S + 1) == PROBE_WAIT_S, "everybody else waits for it"
    assert breaker.circuit is Circuit.HALF_OPEN
    assert breaker.report(ModelOutcome.OK, OPEN_S + 2)
    assert (breaker.circuit, breaker.failures, breaker.wait_s(OPEN_S + 2)) == (Circuit.CLOSED, 0, None)


def test_a_failed_probe_opens_it_for_longer_up_to_a_limit():
    breaker, at, waits = opened(), 0.0, []
    for _ in range(6):
        wait = breaker.wait_s(at)
        assert wait is not None
        at += wait
        assert breaker.wait_s(at) is None
        assert breaker.report(ModelOutcome.TIMEOUT, at)
        waits.append(breaker.wait_s(at))
    assert waits == [60.0, 120.0, 240.0, MAX_OPEN_S, MAX_OPEN_S, MAX_OPEN_S]


def test_a_probe_that_never_reports_back_is_followed_by_another():
    breaker = opened()
    assert breaker.wait_s(OPEN_S) is None
    assert breaker.wait_s(OPEN_S + PROBE_S) is None


def test_changes_are_taken_once():
    breakers = Breakers()
    for _ in range(FAILURES_TO_OPEN):
        breakers.report("m", ModelOutcome.QUOTA, 0)
    breakers.report("other", ModelOutcome.OK, 0)
    assert [each.model for each in breakers.take_changed()] == ["m"]
    assert breakers.take_changed() == []


async def ask(client: ModelClient, purpose: Purpose = Purpose.CLASSIFICATION) -> ModelResult[Reply]:
    choice = resolve(None, purpose)
    return await client.structured(PROMPT, Reply, max_output_tokens=10, timeout_s=5, choice=choice)


async def test_an_open_circuit_asks_nobody_and_another_model_goes_on():
    answers = {"gpt-5-mini": (503, {"x-should-retry": "false"}, "away"), "gpt-5.1": completed({"tag": "x"})}
    async with serve(lambda request: answers[request["json"]["model"]]) as script:
        client = ModelClient(
            api_key="sk-test", base_url=script.url, model=None, gate=asyncio.Semaphore(4),
        )  # fmt: skip
        try:
            for _ in range(FAILURES_TO_OPEN):
                assert (await ask(client)).outcome is ModelOutcome.UNAVAILABLE
            asked = len(script.requests)
            held = await ask(client)
            assert (held.outcome, held.reason, held.attempts) == (
                ModelOutcome.CIRCUIT_OPEN,
                "model_circuit_open",
                0,
            )
            assert held.parks
            assert not held.was_asked
            assert held.retry_after_s is not None
            assert 0 < held.retry_after_s <= OPEN_S
            assert held.detail == "after_unavailable"
            assert len(script.requests) == asked
            assert (await ask(client, Purpose.DRAFTING)).is_ok
        finally:
            await client.aclose()
    said = client.tally.summary(PRICES)
    assert said["model_outcomes"] == {"circuit_open": 1, "ok": 1, "unavailable": FAILURES_TO_OPEN}
    assert (said["model_calls"], said["model_failed"], said["model_unpriced"]) == (7, 6, [])
    assert said["model_cost_usd"] == pytest.approx((100 * 1.25 + 20 * 10) / 1e6)
    assert said["model_p50_ms"] <= said["model_p95_ms"]
    shown = dg.AssetMaterialization("run", metadata=metadata_of(LaneReport(more=said))).metadata
    assert shown["model_outcomes"].value == said["model_outcomes"], "Dagster takes all of it"


async def test_the_choice_is_what_is_sent_and_thoughts_get_room_of_their_own():
    async with serve(completed({"tag": "x"}, usage={
        "input_tokens": 5, "output_tokens": 9, "output_tokens_details": {"reasoning_tokens": 7},
    })) as script:  # fmt: skip
        client = ModelClient(api_key="sk-test", base_url=script.url, model=None, gate=asyncio.Semaphore(4))
        try:
            result = await ask(client, Purpose.REVISION)
        finally:
            await client.aclose()
    body = script.requests[0]["json"]
    assert (body["model"], body["reasoning"], body["max_output_tokens"]) == ("gpt-5.2", {"effort": "high"}, 6010)
    assert (result.model, result.effort, result.reasoning_tokens) == ("gpt-5.2", "high", 7)


async def test_clients_of_one_loop_share_the_limit_and_the_circuits():
    one, two = shared(3), shared(9)
    assert one is two
    assert one.gate._value == 3


def test_another_loop_has_its_own():
    async def get():
        return shared(3)

    assert asyncio.run(get()) is not asyncio.run(get())
