"""Guards over what was given: links said to be missing, numbers to call, zones that are known, text messages in parts."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.drafting_world import context
from zrg_dagster.core.drafting.guards import check, facts_of
from zrg_dagster.core.drafting.sms import (
    MAX_PARTS,
    PART_CHARS,
    SmsError,
    SmsProblem,
    on_the_wire,
    parts_of,
    segments,
    stored,
)

FACTS = replace(facts_of(context(phone="+1 415 555 0132")), has_link=True)


@pytest.mark.parametrize(
    "draft",
    [
        "Your link didn't come through.",
        "It looks like the link did not come through on my side.",
        "The calendar link was missing from your mail.",
        "I couldn't find the link.",
        "I don’t see a calendar link below.",
        "The URL seems broken.",
        "Your booking page never arrived.",
    ],
)
def test_a_link_that_was_given_is_never_called_missing(draft: str) -> None:
    assert check(draft, FACTS).codes == ("link_denied",)
    assert check(draft, replace(FACTS, has_link=False)).passed, "nobody gave one, so it may be said"


@pytest.mark.parametrize(
    "draft", ["Thanks for the link.", "I will send a link. It did come as a surprise.", "See you!"]
)
def test_what_may_be_said_of_links(draft: str) -> None:
    assert check(draft, FACTS).passed


def test_a_link_in_the_signature_counts_as_given() -> None:
    known = context(raw_text="Sounds good.\n\n-- \nMara\nhttps://calendly.com/mara/15min")
    assert facts_of(known).has_link
    assert not facts_of(context()).has_link


@pytest.mark.parametrize(
    "draft, passed",
    [
        ("Call +1 (212) 555-0199.", False),
        ("Is (415) 555-0132 the best number?", True),
        ("We met on 2026-02-17 in room 12.", True),
        ("See https://harbourline.example/looms", True),
        ("Order 12345678 is on its way.", True),
    ],
)
def test_numbers_to_call_are_ours_or_the_leads(draft: str, passed: bool) -> None:
    assert check(draft, FACTS).passed is passed


def test_a_known_zone_is_not_asked_for() -> None:
    facts = replace(FACTS, knows_zone=True)
    assert check("Which time zone are you in?", facts).codes == ("timezone_asked",)
    assert check("Which time zone are you in?", replace(facts, knows_zone=False)).passed


# ── text messages ────────────────────────────────────────────────────────────

LONG = "words and " * 30  # 300 characters


@pytest.mark.parametrize(
    "text, parts",
    [
        ("Hi Mara", ("Hi Mara",)),
        ("one\n---\ntwo", ("one", "two")),
        ('["one", "two"]', ("one", "two")),
        ('{"parts": ["one", "two"]}', ("one", "two")),
        ("<sms_part>one</sms_part>\n<sms_part>two</sms_part>", ("one", "two")),
        ("[one] is no list", ("[one] is no list",)),
        ("x" * 160, ("x" * 160,)),
    ],
)
def test_parts_as_they_may_be_written(text: str, parts: tuple[str, ...]) -> None:
    assert parts_of(text) == parts


def test_a_long_text_is_split_between_words() -> None:
    parts = parts_of(LONG)
    assert len(parts) == 2
    assert " ".join(parts) == " ".join(LONG.split())
    assert stored(LONG) == "\n---\n".join(parts)
    assert on_the_wire(stored(LONG)) == " ".join(LONG.split())


@pytest.mark.parametrize(
    "text, problem",
    [
        (" ", SmsProblem.EMPTY),
        ("---", SmsProblem.EMPTY),
        ("a\n---\nb\n---\nc\n---\nd", SmsProblem.TOO_MANY_PARTS),
        ("words " * 90, SmsProblem.TOO_MANY_PARTS),
        ("a\n---\n" + "b" * 161, SmsProblem.PART_TOO_LONG),
        ("x" * 161, SmsProblem.CANNOT_SPLIT),
        ('{"parts": "one"}', SmsProblem.INVALID_FORMAT),
        ("[1, 2]", SmsProblem.INVALID_FORMAT),
    ],
)
def test_what_makes_no_message(text: str, problem: SmsProblem) -> None:
    with pytest.raises(SmsError) as raised:
        parts_of(text)
    assert raised.value.problem is problem
    assert stored(text) == text.strip()


@pytest.mark.parametrize(
    "text, expected",
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("", 1),
    ],
)
def test_segments_as_a_carrier_counts_them(text: str, expected: int) -> None:
    assert segments(text) == expected


@given(st.text(max_size=600))
def test_every_message_fits_and_loses_no_word(text: str) -> None:
    try:
        parts = parts_of(text)
    except SmsError:
        return
    assert 1 <= len(parts) <= MAX_PARTS
    assert all(0 < len(part) <= PART_CHARS for part in parts)
