"""The gates of a due step in their order, and what the end of a send means."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zrg_dagster.core.followups.outcome import (
    DND_ATTEMPTS,
    DND_RETRY,
    LONGEST_RETRY,
    MAX_ATTEMPTS,
    EndCode,
    end_of,
)
from zrg_dagster.core.followups.rules import PauseReason
from zrg_dagster.core.followups.schedule import Step
from zrg_dagster.core.followups.step import (
    Action,
    Contact,
    DueStep,
    Execution,
    StepCode,
    decide_step,
    natural_key,
)
from zrg_dagster.core.sending.gates import BlockReason

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
EMAIL = Step(UUID(int=11), 1, 1, 0, "email", "About {company}", "Hi {firstName}")
SMS = Step(UUID(int=12), 2, 2, 0, "sms", None, "Text")
LINKEDIN = Step(UUID(int=13), 3, 3, 0, "linkedin", None, "Connect")
DUE = DueStep(
    instance_id=UUID(int=1),
    workspace_id=UUID(int=2),
    lead_id=UUID(int=3),
    sequence_id=UUID(int=4),
    trigger_on="manual",
    current_step=0,
    started_at=NOW - timedelta(days=1),
    step_attempts=0,
    steps=(EMAIL, SMS, LINKEDIN),
    executions={},
    last_inbound_at=None,
    last_outbound_at=NOW - timedelta(days=1),
    booked=False,
    zone=ZoneInfo("America/New_York"),
    contact=Contact("ava@example.org", "+12025550123", "c-1", "501", "77"),
    values={"first_name": "Ava", "company_name": "Acme"},
)


def test_an_open_way_is_planned_with_the_filled_message() -> None:
    decision = decide_step(DUE, NOW)
    assert (decision.action, decision.code, decision.attempt) == (Action.PLAN, StepCode.PLANNED, 1)
    assert (decision.subject, decision.body) == ("About Acme", "Hi Ava")


def test_the_gates_are_asked_in_order() -> None:
    broken = replace(
        DUE,
        last_inbound_at=NOW,
        booked=True,
        current_step=9,
        executions={EMAIL.id: Execution(1, "planned", NOW)},
        contact=Contact(None, None, None, None, None),
        last_planned={"email": NOW - timedelta(minutes=5)},
        values={},
    )
    seen = []
    for mend in (
        {},
        {"last_inbound_at": None},
        {"booked": False},
        {"current_step": 0},
        {"executions": {EMAIL.id: Execution(1, "sent", NOW)}},
        {"executions": {}},
        {"contact": replace(DUE.contact, reply_id=None)},
        {"contact": DUE.contact},
        {"last_planned": {}},
        {"values": DUE.values},
    ):
        broken = replace(broken, **mend)
        seen.append(decide_step(broken, NOW).code)
    assert seen == [
        StepCode.LEAD_REPLIED,
        StepCode.MEETING_BOOKED,
        StepCode.SEQUENCE_FINISHED,
        StepCode.IN_FLIGHT,
        StepCode.ALREADY_SENT,
        StepCode.MISSING_EMAIL,
        StepCode.NO_THREAD,
        StepCode.CHANNEL_USED_TODAY,
        StepCode.TEMPLATE_BLOCKED,
        StepCode.PLANNED,
    ]


@pytest.mark.parametrize(
    ("inbound", "outbound", "paused"),
    [(0, None, True), (0, 0, True), (0, 1, False), (1, 0, True), (None, None, False), (None, 0, False)],
)
def test_the_lead_has_the_word(inbound: int | None, outbound: int | None, paused: bool) -> None:
    """FU-34 as the lead's roll-up reads it: at the same instant the inbound counts as the later one."""

    def at(hours: int | None) -> datetime | None:
        return None if hours is None else NOW - timedelta(days=1) + timedelta(hours=hours)

    decision = decide_step(replace(DUE, last_inbound_at=at(inbound), last_outbound_at=at(outbound)), NOW)
    assert (decision.code == StepCode.LEAD_REPLIED) is paused


def test_a_post_booking_sequence_survives_the_booking() -> None:
    assert decide_step(replace(DUE, booked=True, trigger_on="meeting_selected"), NOW).action is Action.PLAN


def test_channels_that_cannot_reach_anybody_advance() -> None:
    no_phone = decide_step(replace(DUE, current_step=1, contact=replace(DUE.contact, phone=None)), NOW)
    assert (no_phone.action, no_phone.code, no_phone.needs_task) == (Action.ADVANCE, StepCode.MISSING_PHONE, True)
    no_contact = decide_step(replace(DUE, current_step=1, contact=replace(DUE.contact, ghl_contact_id=None)), NOW)
    assert no_contact.code == StepCode.MISSING_CONTACT
    assert decide_step(replace(DUE, current_step=2), NOW).code == StepCode.CHANNEL_NOT_CONNECTED


def test_the_day_of_the_rate_rule_is_the_workspaces() -> None:
    """FU-53: 23:30 and 00:30 in New York are different days although both are the same day in UTC."""
    late = datetime(2026, 5, 5, 3, 30, tzinfo=UTC)
    after_midnight = datetime(2026, 5, 5, 4, 30, tzinfo=UTC)
    assert decide_step(replace(DUE, last_planned={"email": late}), after_midnight).action is Action.PLAN
    waiting = decide_step(replace(DUE, last_planned={"email": late - timedelta(hours=5)}), late)
    assert (waiting.action, waiting.due) == (Action.WAIT, datetime(2026, 5, 5, 13, 0, tzinfo=UTC))
    assert decide_step(replace(DUE, last_planned={"sms": late}), late).action is Action.PLAN


def test_attempts_count_up_and_the_first_key_is_the_plain_one() -> None:
    failed = {EMAIL.id: Execution(2, "failed", NOW - timedelta(hours=1))}
    assert decide_step(replace(DUE, executions=failed), NOW).attempt == 3
    assert natural_key(DUE.instance_id, EMAIL.id, 1) == f"follow_up:{DUE.instance_id}:{EMAIL.id}"
    assert natural_key(DUE.instance_id, EMAIL.id, 3) == f"follow_up:{DUE.instance_id}:{EMAIL.id}:3"


def test_a_step_sent_in_an_earlier_run_is_sent_again_after_a_restart() -> None:
    before = {EMAIL.id: Execution(1, "sent", DUE.started_at - timedelta(days=9))}
    decision = decide_step(replace(DUE, executions=before), NOW)
    assert (decision.action, decision.attempt) == (Action.PLAN, 2)


@given(st.sampled_from(["planned", "sending"]), st.text(max_size=5))
def test_a_send_under_way_has_no_consequence(state: str, reason: str) -> None:
    assert end_of(state, reason, "email", 0) is None


@pytest.mark.parametrize("channel", ["email", "sms"])
@pytest.mark.parametrize("state", ["unknown", "needs_human"])
def test_uncertainty_pauses_and_keeps_the_execution_open(state: str, channel: str) -> None:
    end = end_of(state, None, channel, 0)
    assert end is not None
    assert (end.code, end.outcome) == (EndCode.UNCERTAIN, None)


@given(st.sampled_from(list(BlockReason)), st.integers(0, 500))
def test_every_gate_has_a_consequence_that_never_sends_at_once(reason: BlockReason, attempts: int) -> None:
    end = end_of("blocked", reason, "email", attempts)
    assert end is not None
    assert end.outcome in ("skipped", "failed")
    assert end.retry_in is None or timedelta(minutes=1) <= end.retry_in <= LONGEST_RETRY


def test_an_operators_switch_has_no_ceiling_but_a_fault_has() -> None:
    switch = end_of("blocked", BlockReason.KILL_SWITCH, "email", 400)
    fault = end_of("blocked", BlockReason.RECIPIENT_CHANGED, "email", MAX_ATTEMPTS - 1)
    assert switch is not None
    assert fault is not None
    assert (switch.code, fault.code, fault.pause) == (EndCode.RETRY, EndCode.GAVE_UP, PauseReason.STEP_ERROR)


def test_do_not_disturb_is_retried_hourly_and_then_skipped() -> None:
    waiting = end_of("blocked", "sms_dnd", "sms", DND_ATTEMPTS - 2)
    over = end_of("blocked", "sms_dnd", "sms", DND_ATTEMPTS - 1)
    assert waiting is not None
    assert over is not None
    assert (waiting.code, waiting.retry_in) == (EndCode.RETRY, DND_RETRY)
    assert (over.code, over.needs_task) == (EndCode.SKIPPED, True)


@pytest.mark.parametrize(
    ("channel", "reason", "code", "pause"),
    [
        ("email", "rejected", EndCode.SKIPPED, None),
        ("email", "vendor_not_connected", EndCode.PAUSED, PauseReason.STEP_ERROR),
        ("email", "attempts_used_up", EndCode.RETRY, None),
        ("sms", "missing_phone", EndCode.SKIPPED, None),
        ("sms", "invalid_country_code", EndCode.SKIPPED, None),
        ("sms", "credentials_rejected", EndCode.PAUSED, PauseReason.BLOCKED_SMS_CONFIG),
        ("sms", "rejected", EndCode.PAUSED, PauseReason.BLOCKED_SMS_ERROR),
    ],
)
def test_what_a_refusal_means(channel: str, reason: str, code: EndCode, pause: PauseReason | None) -> None:
    end = end_of("refused", reason, channel, 0)
    assert end is not None
    assert (end.code, end.pause) == (code, pause)
