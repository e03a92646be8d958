"""Send, send later, or ask a person: the decision and its reason."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zrg_dagster.core.replies.decide import Candidate, decide, send_time, wants_evaluation

NOW = datetime(2026, 3, 10, 17, 0, tzinfo=UTC)
SAFE = Candidate(
    response_mode="AI_AUTO_SEND",
    auto_send_disabled=False,
    is_replayed=False,
    tag="Interested",
    guard_failures=(),
    threshold=Decimal("0.9"),
    confidence=Decimal("0.9"),
    is_safe=True,
    delay_min_s=0,
    delay_max_s=0,
    trigger_id="m1",
    trigger_sent_at=NOW - timedelta(minutes=1),
)


def test_equal_to_the_threshold_passes():
    """EV-06."""
    verdict = decide(SAFE, NOW)
    assert (verdict.action, verdict.reason, verdict.due_at) == ("send_immediate", None, NOW)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"auto_send_disabled": True}, "globally_disabled_via_env"),
        ({"response_mode": "SETTER_MANAGED"}, "auto_send_disabled"),
        ({"is_replayed": True}, "delivery_replayed"),
        ({"response_mode": None}, "auto_send_disabled"),
        ({"tag": "Call Requested"}, "call_requested_sentiment"),
        ({"guard_failures": ("fabricated_link", "too_long")}, "guard_failed:fabricated_link,too_long"),
        ({"confidence": None}, "evaluator_failed"),
        ({"is_safe": None}, "evaluator_failed"),
        ({"is_safe": False}, "evaluator_not_safe"),
        ({"confidence": Decimal("0.899")}, "confidence_below_threshold"),
    ],
)
def test_everything_else_goes_to_a_person_with_its_reason(change, reason):
    verdict = decide(replace(SAFE, **change), NOW)
    assert (verdict.action, verdict.reason) == ("needs_review", reason)


def test_the_evaluator_is_asked_only_when_its_answer_can_matter():
    assert wants_evaluation(SAFE)
    assert not wants_evaluation(replace(SAFE, response_mode="SETTER_MANAGED"))
    assert not wants_evaluation(replace(SAFE, auto_send_disabled=True))
    assert not wants_evaluation(replace(SAFE, guard_failures=("empty_draft",)))


@given(st.text(min_size=1), st.integers(1, 600), st.integers(0, 600))
def test_the_delay_lies_between_its_bounds_and_is_the_same_on_every_retry(trigger, low, span):
    """SD-01, SD-02: counted from the inbound; what is already past leaves half a minute from now."""
    candidate = replace(
        SAFE, trigger_id=trigger, delay_min_s=low, delay_max_s=low + span, trigger_sent_at=NOW - timedelta(seconds=1)
    )
    due = send_time(candidate, NOW)
    assert due == send_time(candidate, NOW)
    if due != NOW + timedelta(seconds=30):
        assert low - 1 <= (due - NOW).total_seconds() <= low + span - 1
    late = send_time(replace(candidate, trigger_sent_at=NOW - timedelta(hours=1)), NOW)
    assert late == NOW + timedelta(seconds=30)
