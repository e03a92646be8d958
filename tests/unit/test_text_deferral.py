"""Wishes to be written to later (SN-02 to SN-08), and what only looks like one."""

from datetime import date

import pytest

from zrg_dagster.core.text.deferral import find_deferral

TODAY = date(2026, 1, 5)


@pytest.mark.parametrize(
    "text, day",
    [
        ("Reach out after January 20.", date(2026, 1, 20)),
        ("Please reach out after Jan 20th, we are swamped.", date(2026, 1, 20)),
        ("Not before then. Try us from 3 March", date(2026, 3, 3)),
        ("Let's wait until the 15th of March", date(2026, 3, 15)),
        ("Away until February the 2nd, 2027.", date(2027, 2, 2)),
        ("we're heads down till Dec. 1", date(2026, 12, 1)),
        ("Circle back in Q2", date(2026, 4, 1)),
        ("Circle back in Q1 2027 please", date(2027, 1, 1)),
        ("after Q1 is better", date(2026, 4, 1)),
        ("after Q4 26 is better", date(2027, 1, 1)),
        ("Budget comes from Q3 FY27", date(2027, 7, 1)),
        ("until Q3 '26", date(2026, 7, 1)),
        ("Écrivez-moi après le 20 janvier.", date(2026, 1, 20)),
        ("Mejor después del 3 de marzo.", date(2026, 3, 3)),
        ("Thanks. We had a look.\nReach out after January 20", date(2026, 1, 20)),
    ],
)
def test_a_named_day_is_a_wish(text, day):
    found = find_deferral(text, TODAY)
    assert found is not None
    assert found.day == day


@pytest.mark.parametrize(
    "text",
    [
        "Jan is our CEO, talk to him.",
        "We were on that until 2019.",
        "We used another tool from March 15 until May 5.",
        "After January 20 people left the team.",
        "After Feb 30 please.",
        "I am available until January 20.",
        "Our offer is valid until March 3.",
        "in Q5",
        "in Q1",  # it runs
        "from March 3 to March 9 I travel",
        "after lunch",
        "Room 20 in January",
        "since January 20",
        "from January 2",  # passed three days ago
        "",
    ],
)
def test_what_names_no_certain_day_to_come_is_none(text):
    assert find_deferral(text, TODAY) is None


@pytest.mark.parametrize(
    "today, text, day",
    [
        (date(2026, 12, 5), "after Jan 20", date(2027, 1, 20)),  # passed ten months ago: the next one (SN-04)
        (date(2026, 2, 10), "after Jan 20", None),  # passed lately: ask, do not roll (B27)
        (date(2026, 1, 20), "after Jan 20", None),
        (date(2026, 11, 21), "in Q1", date(2027, 1, 1)),
        (date(2026, 11, 21), "in Q3", date(2027, 7, 1)),
        (date(2026, 11, 21), "after Q4", date(2027, 1, 1)),
        (date(2024, 1, 5), "after Feb 29", date(2024, 2, 29)),
        (date(2027, 1, 5), "after Feb 29", None),
        (date(2026, 1, 5), "until 3 March 2025", None),
    ],
)
def test_the_year_that_is_not_said(today, text, day):
    found = find_deferral(text, today)
    assert (found and found.day) == day


def test_a_quarter_is_a_little_less_sure_and_the_words_are_kept():
    quarter = find_deferral("Let's talk after Q2.", TODAY)
    assert quarter is not None
    assert (quarter.confidence, quarter.words) == (0.97, "after q2")
    day = find_deferral("Reach out after January 20, thanks", TODAY)
    assert day is not None
    assert (day.confidence, day.words) == (0.99, "after january 20")
