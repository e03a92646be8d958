"""What a tag sets in motion: pure parts."""

from datetime import UTC, date, datetime

import pytest

from zrg_dagster.core.replies.after_tag import TagCode, is_uncertain, snooze_until
from zrg_dagster.core.replies.classify import SettledTag, Tag, TagRule

NOW = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("confidence, flagged", [(0.0, True), (0.59, True), (0.6, False), (1.0, False)])
def test_a_guess_is_flagged_when_the_workspace_wants_it(confidence, flagged):
    tag = SettledTag(Tag.INTERESTED, confidence, "", TagRule.MODEL)
    assert is_uncertain(tag, flag=True) is flagged
    assert not is_uncertain(tag, flag=False)


@pytest.mark.parametrize(
    "zones, wanted",
    [
        (("America/New_York", None), datetime(2026, 3, 9, 13, 0, tzinfo=UTC)),  # summer time began the day before
        (("Europe/London", "America/New_York"), datetime(2026, 3, 9, 9, 0, tzinfo=UTC)),
        ((None, "America/New_York"), datetime(2026, 3, 9, 13, 0, tzinfo=UTC)),
        (("Mars/Olympus", "America/New_York"), datetime(2026, 3, 9, 13, 0, tzinfo=UTC)),
    ],
)
def test_a_snooze_ends_at_nine_on_the_leads_clock(zones, wanted):
    assert snooze_until(date(2026, 3, 9), zones, NOW, is_on=True) == wanted


@pytest.mark.parametrize(
    "returns_on, zones, is_on, code",
    [
        (date(2026, 3, 9), ("Europe/London",), False, TagCode.OOO_NOT_PAUSED),
        (None, ("Europe/London",), True, TagCode.NO_RETURN_DATE),
        (date(2026, 3, 5), ("Europe/London",), True, TagCode.NO_RETURN_DATE),
        (date(2026, 3, 9), (None, "nowhere"), True, TagCode.NO_TIME_ZONE),
    ],
)
def test_no_snooze_has_its_reason(returns_on, zones, is_on, code):
    assert snooze_until(returns_on, zones, NOW, is_on=is_on) == code
