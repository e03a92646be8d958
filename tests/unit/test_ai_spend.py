"""The day's budget: what is given up at which share, and in which order."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from zrg_dagster.core.ai.models import Purpose
from zrg_dagster.core.ai.spend import SpendReason, day_start, judge

BUDGET = Decimal(50)


@pytest.mark.parametrize(
    ("spent", "refused"),
    [
        ("39.99", {}),
        ("40", {Purpose.REVISION: SpendReason.NO_REVISION}),
        (
            "45",
            {
                Purpose.REVISION: SpendReason.NO_REVISION,
                **dict.fromkeys((Purpose.VERIFICATION, Purpose.OVERSEER, Purpose.EVALUATION), SpendReason.NO_CHECKS),
            },
        ),
        (
            "50",
            {
                Purpose.REVISION: SpendReason.NO_REVISION,
                **dict.fromkeys((Purpose.VERIFICATION, Purpose.OVERSEER, Purpose.EVALUATION), SpendReason.NO_CHECKS),
                **dict.fromkeys(
                    (Purpose.ROUTING, Purpose.SIGNATURE, Purpose.STRATEGY, Purpose.DRAFTING), SpendReason.NO_DRAFTS
                ),
            },
        ),
    ],
)
def test_what_is_given_up_at_which_share(spent, refused):
    found = {purpose: judge(purpose, Decimal(spent), BUDGET) for purpose in Purpose}
    assert {purpose: each.reason for purpose, each in found.items() if not each.is_allowed} == refused
    assert found[Purpose.CLASSIFICATION].is_allowed


def test_classification_never_stops():
    assert judge(Purpose.CLASSIFICATION, Decimal(10_000), Decimal("0.01")).is_allowed


def test_the_day_is_the_vendors():
    east = timezone(timedelta(hours=9))
    assert day_start(datetime(2026, 3, 11, 8, 30, tzinfo=east)) == datetime(2026, 3, 10, tzinfo=UTC)
