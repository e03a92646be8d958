"""How long a mail may be, where it is cut when it is longer, and what is written when no model gives a text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.drafting_world import BOOKING_LINK, SLOTS, context
from zrg_dagster.core.drafting import length
from zrg_dagster.core.drafting.fallback import template
from zrg_dagster.core.drafting.generate import STRATEGIES
from zrg_dagster.core.drafting.guards import check, facts_of
from zrg_dagster.core.drafting.length import MAX_CHARS, MIN_CHARS, LengthProblem, clamp, counted, is_closer, problem
from zrg_dagster.core.drafting.links import links_in

SIGNED = "Noor Castellan\nharbourline.example"
SENTENCE = "The loom stands still no longer than it must. "
LONG_LINK = "https://harbourline.example/" + "a" * 300


@pytest.mark.parametrize(
    "chars, tag, expected",
    [
        (MIN_CHARS, "Interested", None),
        (MAX_CHARS, "Interested", None),
        (MIN_CHARS - 1, "Interested", LengthProblem.TOO_SHORT),
        (MIN_CHARS - 1, "Meeting Booked", None),
        (MAX_CHARS + 1, "Meeting Booked", LengthProblem.TOO_LONG),
    ],
)
def test_the_bounds_are_within(chars: int, tag: str, expected: LengthProblem | None) -> None:
    assert problem("x" * chars, SIGNED, tag=tag) is expected
    assert problem("x" * chars + f"\n\n{SIGNED}", SIGNED, tag=tag) is expected, "the signature does not count"


@pytest.mark.parametrize(
    "body, kept",
    [
        (SENTENCE * 30, (SENTENCE * 26).strip()),
        ("word " * 300, "word " * 239 + "…"),
        (SENTENCE * 24 + LONG_LINK + " End.", (SENTENCE * 24).strip()),
        ("word " * 220 + LONG_LINK, "word " * 219 + "word …"),
        (LONG_LINK + "b" * 1_000, LONG_LINK + "b" * 1_000),
        (
            SENTENCE * 30 + "\n\nNoor  Castellan\nharbourline.example\n\nP.S. One more.",
            (SENTENCE * 25).strip() + "\n\nNoor  Castellan\nharbourline.example\n\nP.S. One more.",
        ),
    ],
    ids=["sentence", "word", "link", "link and words", "only a link", "P.S. below the signature"],
)
def test_a_cut_leaves_links_and_the_signature_whole(body: str, kept: str) -> None:
    assert clamp(body, SIGNED) == kept


@given(
    st.lists(st.sampled_from([SENTENCE, "word ", LONG_LINK + " ", f"See {BOOKING_LINK}. ", "\n\n"]), max_size=80),
    st.sampled_from(["", f"\n\n{SIGNED}", f"\n\n{SIGNED}\n\nP.S. {SENTENCE * 9}"]),
)
def test_every_cut_is_within_the_bounds_and_makes_no_new_link(parts: list[str], end: str) -> None:
    body = "".join(parts) + end
    cut = clamp(body, SIGNED)
    assert counted(cut, SIGNED) <= MAX_CHARS
    assert set(links_in(cut)) <= set(links_in(body))
    assert (SIGNED in cut) == (SIGNED in body)
    assert clamp(cut, SIGNED) == cut


def test_only_a_text_nearer_to_the_bounds_is_taken() -> None:
    assert is_closer("x" * 230, "x" * 100, "")
    assert is_closer("x" * 120, "x" * 100, "")
    assert not is_closer("x" * 90, "x" * 100, "")
    assert not is_closer(" ", "x" * 1_300, "")
    assert "1300 characters. Say the same in fewer words" in length.rewrite_rule("x" * 1_300, "")
    assert "100 characters. Say the same more fully" in length.rewrite_rule("x" * 100, "")


@pytest.mark.parametrize("channel", ["email", "sms", "linkedin"])
@pytest.mark.parametrize("tag", STRATEGIES)
@pytest.mark.parametrize("slots", [SLOTS, ()], ids=["times", "none"])
def test_the_template_says_nothing_that_a_guard_stops(channel: str, tag: str, slots: tuple) -> None:
    known = context(channel=channel, tag=tag, slots=slots)
    made = template(known, tag)
    assert made == template(known, tag)
    assert check(made, facts_of(known)).codes == ()
    assert made.count("?") <= 1
    if channel == "email" and tag == "Interested":
        assert (SLOTS[0].label in made) == bool(slots)
        assert (BOOKING_LINK in made) != bool(slots)
