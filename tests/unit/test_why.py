"""Every reason has its sentence, and a draft's state is said in one."""

from datetime import UTC, datetime

import pytest

from zrg_dagster.core.ai.result import ModelOutcome
from zrg_dagster.core.ai.spend import SpendReason
from zrg_dagster.core.leads.assignment import AssignmentCode
from zrg_dagster.core.replies.after_tag import TagCode
from zrg_dagster.core.replies.attention import launch
from zrg_dagster.core.replies.booking_attempt import NotBooked
from zrg_dagster.core.replies.decide import ReviewReason
from zrg_dagster.core.replies.explain import stands
from zrg_dagster.core.replies.signal_record import TASK_OF
from zrg_dagster.core.replies.signals import HeardBy, SignalKind
from zrg_dagster.core.replies.why import WHY, why
from zrg_dagster.core.sending.gates import BlockReason, WaitReason

AT = datetime(2026, 3, 10, 17, 0, tzinfo=UTC)


HEARD = [*HeardBy, *SignalKind, *(f"{name}_task" for name in TASK_OF.values()), *NotBooked]
MODEL = [f"model_{outcome}" for outcome in ModelOutcome if outcome is not ModelOutcome.OK]


@pytest.mark.parametrize(
    "code", [*BlockReason, *WaitReason, *ReviewReason, *TagCode, *AssignmentCode, *SpendReason, *MODEL, *HEARD], ids=str
)
def test_every_reason_is_explained(code: str) -> None:
    assert why(code)
    assert "\n" not in WHY[code]


def test_a_composed_code_is_explained_by_its_first_part() -> None:
    assert why("guard_failed:links,prices") == WHY["guard_failed"]
    assert why(None) == why("nobody_knows_this") == ""


@pytest.mark.parametrize(
    "facts, says",
    [
        (("approved", None, None, "sent", None, AT), "the answer was sent"),
        (("pending", "send_delayed", None, "planned", None, AT), "leaves at 2026-03-10 17:00:00Z"),
        (("pending", None, None, "planned", "quiet_hours", AT), "(quiet_hours: it is night"),
        (("pending", None, None, "unknown", "timeout", AT), "is being looked for (timeout)"),
        (("pending", None, None, "needs_human", "outcome_unknown", AT), "launch `settle_sends`"),
        (("pending", "skip", "kill_switch", "blocked", "kill_switch", AT), "a person can still approve it"),
        (("rejected", None, "rejected: no", None, None, None), "the draft was rejected (rejected: no)"),
        (("pending", "needs_review", "evaluator_not_safe", None, None, None), "did not find it safe"),
        (("pending", None, None, None, None, None), "waits for a person (not decided yet)"),
    ],
)
def test_how_things_stand(facts: tuple, says: str) -> None:
    assert says in stands(*facts)


def test_a_config_for_the_launchpad_is_yaml() -> None:
    import yaml

    config = launch("op", reason="it's: {odd}", ids=["a", "b"], arrived=False, nothing=None)
    assert yaml.safe_load(config) == {
        "ops": {"op": {"config": {"reason": "it's: {odd}", "ids": ["a", "b"], "arrived": False}}}
    }
