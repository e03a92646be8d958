"""Which model and effort a purpose gets, and what a call costs."""

from decimal import Decimal
from unittest.mock import Mock

import pytest

from zrg_dagster.core.ai import prices
from zrg_dagster.core.ai.models import Effort, Purpose, coerce_settings, fit_effort, resolve, setting_columns
from zrg_dagster.core.ai.prices import PRICES, _warn_unpriced, cost_usd, parse_prices

DEFAULTS = {
    Purpose.CLASSIFICATION: ("gpt-5-mini", Effort.LOW),
    Purpose.ROUTING: ("gpt-5-mini", Effort.MINIMAL),
    Purpose.SIGNATURE: ("gpt-5-nano", Effort.MINIMAL),
    Purpose.STRATEGY: ("gpt-5.1", Effort.MEDIUM),
    Purpose.DRAFTING: ("gpt-5.1", Effort.MEDIUM),
    Purpose.VERIFICATION: ("gpt-5.2", Effort.LOW),
    Purpose.OVERSEER: ("gpt-5.2", Effort.LOW),
    Purpose.EVALUATION: ("gpt-5-mini", Effort.LOW),
    Purpose.REVISION: ("gpt-5.2", Effort.HIGH),
}


@pytest.mark.parametrize("purpose", Purpose)
def test_a_workspace_that_says_nothing_gets_the_defaults(purpose):
    for said in (None, {}, dict.fromkeys(setting_columns(purpose) or ())):
        choice = resolve(said, purpose)
        assert ((choice.model, choice.effort), choice.notes) == (DEFAULTS[purpose], ())
        assert choice.model in PRICES


def test_what_an_operator_set_stands_between_default_and_workspace():
    assert resolve({}, Purpose.DRAFTING, default_model="house-model").model == "house-model"
    said = {"draft_generation_model": "gpt-5.2"}
    assert resolve(said, Purpose.DRAFTING, default_model="house-model").model == "gpt-5.2"


@pytest.mark.parametrize(
    ("purpose", "model", "effort", "used", "notes"),
    [
        (Purpose.DRAFTING, "gpt-5-mini", None, ("gpt-5.1", Effort.MEDIUM), 1),  # too small for what a prospect reads
        (Purpose.DRAFTING, "gpt-5.2", "xhigh", ("gpt-5.2", Effort.XHIGH), 0),
        (Purpose.REVISION, "gpt-9", "extreme", ("gpt-5.2", Effort.HIGH), 2),
        (Purpose.REVISION, "gpt-5.1", "xhigh", ("gpt-5.1", Effort.HIGH), 1),
        (Purpose.REVISION, "gpt-5-mini", "high", ("gpt-5-mini", Effort.HIGH), 0),
        (Purpose.VERIFICATION, "GPT-5.1", "none", ("gpt-5.2", Effort.LOW), 2),
        (Purpose.EVALUATION, "gpt-5.1", "medium", ("gpt-5.1", Effort.MEDIUM), 0),
    ],
)
def test_what_is_not_known_is_coerced_and_told(purpose, model, effort, used, notes):
    columns = setting_columns(purpose)
    assert columns is not None
    choice = resolve(dict(zip(columns, (model, effort), strict=True)), purpose)
    assert (choice.model, choice.effort) == used
    assert len(choice.notes) == notes


@pytest.mark.parametrize(
    ("model", "effort", "taken"),
    [
        ("gpt-5-mini", Effort.NONE, Effort.MINIMAL),  # a 400 otherwise (TL-03)
        ("gpt-5.1", Effort.NONE, Effort.NONE),
        ("gpt-5.1", Effort.MINIMAL, Effort.NONE),
        ("gpt-5.1", Effort.XHIGH, Effort.HIGH),
        ("gpt-5.2", Effort.XHIGH, Effort.XHIGH),
        ("gpt-5.2-2025-12-11", Effort.XHIGH, Effort.XHIGH),
        ("gpt-5.4-mini", Effort.NONE, Effort.LOW),
        ("gpt-5.4-mini", Effort.XHIGH, Effort.HIGH),
        ("o3", Effort.MINIMAL, Effort.LOW),
        ("gpt-4.1", Effort.LOW, None),
    ],
)
def test_effort_is_what_the_model_takes(model, effort, taken):
    assert fit_effort(model, effort) is taken


def test_coercing_settings_touches_only_what_is_given_and_is_stable():
    given = {
        "tone": "dry",
        "auto_send_revision_model": "gpt-4",
        "auto_send_revision_reasoning_effort": "extra-high",
        "draft_generation_model": None,
        "auto_send_evaluator_model": 5,
    }
    kept, notes = coerce_settings(given)
    assert kept == {
        **given,
        "auto_send_revision_model": "gpt-5.2",
        "auto_send_revision_reasoning_effort": "xhigh",
    }
    assert set(notes) == {"auto_send_revision_model", "auto_send_revision_reasoning_effort"}
    assert coerce_settings(kept) == (kept, {})


def test_a_call_costs_what_the_list_says_to_a_millionth():
    assert cost_usd(PRICES, "gpt-5.1", 1000, 200) == Decimal("0.003250")
    assert cost_usd(PRICES, "gpt-5-nano", 1, 0) == Decimal("0.000000")
    assert cost_usd(PRICES, "gpt-5-mini-2025-08-07", 4, None) == Decimal("0.000001")


def test_an_unknown_price_is_null_and_named(monkeypatch):
    said = Mock()
    monkeypatch.setattr(prices, "log", said)
    _warn_unpriced.cache_clear()  # named once for a process, whoever asked first
    assert cost_usd(PRICES, "house-model", 1000, 200) is None
    assert "house-model" in str(said.warning.call_args)
    assert cost_usd(PRICES, "gpt-5.1", None, None) is None, "nobody counted"


def test_prices_are_added_and_replaced():
    prices = parse_prices('{"house-model": {"input": 0.1, "output": 3}, "gpt-5.1": {"input": 2, "output": 20}}')
    assert cost_usd(prices, "house-model", 10, 10) == Decimal("0.000031")
    assert cost_usd(prices, "gpt-5.1", 1, 1) == Decimal("0.000022")
    assert parse_prices(None) == parse_prices("  ") == PRICES


@pytest.mark.parametrize("wrong", ["[1]", "{", '{"m": 1}', '{"m": {"input": "1", "output": 2}}',
                                   '{"m": {"input": -1, "output": 2}}', '{"a b": {"input": 1, "output": 2}}'])  # fmt: skip
def test_a_price_list_that_is_none_is_refused(wrong):
    with pytest.raises(ValueError, match=r"JSON object|USD"):
        parse_prices(wrong)
