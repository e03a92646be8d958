"""Guards over drafts: placeholders, links, times, length. Cases marked B.. were wrong in the system before this one."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.drafting_world import BOOKING_LINK, SLOTS, context
from zrg_dagster.core.drafting.clock_times import mentions
from zrg_dagster.core.drafting.guards import GuardCode, check, facts_of, links_in, placeholders_left

FACTS = facts_of(context())


def codes(draft: str, reply: str | None = None) -> tuple[str, ...]:
    return check(draft, FACTS if reply is None else replace(FACTS, latest_reply=reply)).codes


@pytest.mark.parametrize("draft", ["", "  \n "])
def test_empty(draft: str) -> None:
    report = check(draft, FACTS)
    assert report.codes == ("empty_draft",)
    assert not report.passed
    assert report.reason == "post_ai_invariant_failed:empty_draft"


def test_a_plain_draft_passes() -> None:
    report = check(
        "Hi Mara,\n\nGlad to hear that. What matters most to you?\n\nNoor Castellan\nharbourline.example", FACTS
    )
    assert report.passed
    assert report.reason == ""


@pytest.mark.parametrize(
    "piece",
    [
        "{firstName}",  # B63
        "{{booking_link}}",
        "{% if x %}",
        "{booking link",
        "[calendly link]",
        "[Your Name]",
        "${PRICE}",
        "$X",
        "$XX",
        "<first name>",
        '<data name="draft">',
        "</data>",
        "<b>bold</b>",
        "XXX",
        "TBD",
        "INSERT LINK",
        "lorem ipsum",
    ],
)
def test_placeholders(piece: str) -> None:
    assert "placeholder_left" in codes(f"Hi Mara, here it is: {piece} thanks")


@pytest.mark.parametrize(
    "text", ["It starts at $500 per month.", "We grew 30% [1] in 2025", "a < b and c > d", "XX-ray"]
)
def test_what_is_no_placeholder(text: str) -> None:
    assert placeholders_left(text) == []


@pytest.mark.parametrize(
    "draft",
    [
        f"Book here: {BOOKING_LINK}.",
        "Book here: calendly.com/noor-c/intro-30/",
        "Book here: http://www.calendly.com/noor-c/intro-30",
        "Read https://harbourline.example/looms)",
        "Write to noor@harbourline.example",
        "Visit harbourline.example",
        "We met Acme Inc.We liked it, e.g.the looms",
    ],
)
def test_links_of_ours(draft: str) -> None:
    assert "fabricated_link" not in codes(draft)


@pytest.mark.parametrize(
    "draft",
    [
        "https://calendly.com/noor-c/intro-60",
        "https://calendly.com.evil.example/noor-c/intro-30",
        "https://evil.example/?next=https://calendly.com/noor-c/intro-30",
        f"{BOOKING_LINK}?utm=1",
        "https://noor@evil.example/looms",
        "www.evil.example",
        "evil.co",
        "cal.com/jane",  # B66
        "https://zoom.us/j/12345678901",
        "javascript://harbourline.example/%0aalert(1)",
        "http://169.254.169.254/latest",
        "http://[::1]/x",
    ],
)
def test_foreign_links(draft: str) -> None:
    assert "fabricated_link" in codes(f"Look at {draft} please")


def test_a_link_from_the_conversation_is_foreign() -> None:
    reply = "Use https://cal.example/mara instead"
    assert "fabricated_link" in codes("Sure, I will use https://cal.example/mara", reply)


def test_links_are_normalised() -> None:
    assert links_in("HTTP://WWW.Acme.com/A/, acme.com/A") == ["https://acme.com/A", "https://acme.com/A"]


@pytest.mark.parametrize(
    "draft",
    [
        "I can do 9:00 AM EST on Tue, Feb 17 or 10:30 AM EST on Wed, Feb 18.",
        "Does 9am work?",
        "How about Tuesday at 2:00 PM EST?",
        "Tuesday at 9 or Tuesday at 2 pm both work.",
        "Tuesday, Feb 17 at 14:00 suits.",
        "Feb 18 at 10:30 a.m. ET is free.",
        "A 15-minute call, 24/7 support, 3 options.",
        "We have worked with looms since 1998.",
    ],
)
def test_offered_times(draft: str) -> None:
    assert codes(draft) == ()


@pytest.mark.parametrize(
    "draft, code",
    [
        ("See you at 3 PM.", GuardCode.TIME_NOT_OFFERED),
        ("See you at 11:00.", GuardCode.TIME_NOT_OFFERED),
        ("See you at noon.", GuardCode.TIME_NOT_OFFERED),
        ("See you at 4.", GuardCode.TIME_NOT_OFFERED),
        ("9:00 AM PST on Tue, Feb 17 works.", GuardCode.TIME_NOT_OFFERED),
        ("9:00 PM EST works.", GuardCode.TIME_NOT_OFFERED),
        ("Friday at 9:00 AM EST works.", GuardCode.DATE_NOT_OFFERED),
        ("9:00 AM EST on Wed, Feb 18 works.", GuardCode.DATE_NOT_OFFERED),
        ("9:00 AM EST on Tue, Feb 24 works.", GuardCode.DATE_NOT_OFFERED),
        ("10:30 AM EST on Wed, Feb 18 or 9:00 AM EST on Wed, Feb 18.", GuardCode.DATE_NOT_OFFERED),
    ],
)
def test_invented_times(draft: str, code: GuardCode) -> None:
    assert codes(draft) == (code.value,)


def test_without_availability_no_time_may_be_named() -> None:
    facts = replace(FACTS, available=())
    assert check(f"I can do {SLOTS[0].label}.", facts).codes == ("slot_mismatch",)


def test_a_time_the_lead_named_may_be_asked_about_and_not_confirmed() -> None:
    reply = "Could you do Friday 3pm?"
    assert codes("Would 3 PM still work for you if a place frees up?", reply) == ()
    assert codes("Friday at 3 PM works.", reply) == ("slot_mismatch",)
    assert codes("Would 4 PM work?", reply) == ("slot_mismatch",)


@pytest.mark.parametrize("channel, limit", [("email", 5000), ("sms", 480), ("linkedin", 1800)])
def test_length(channel: str, limit: int) -> None:
    facts = replace(FACTS, channel=channel)
    text = ("a word " * 1_000)[:limit].rstrip().ljust(limit, "d")
    assert check(text, facts).passed
    assert "too_long" in check(text + "!", facts).codes


def test_findings_come_in_guard_order_each_code_once() -> None:
    draft = "x" * 5001 + " at 3 PM, evil.co, other.co and {firstName}"
    assert codes(draft) == ("placeholder_left", "fabricated_link", "slot_mismatch", "too_long")


@given(st.text(max_size=300))
def test_guards_accept_any_text(draft: str) -> None:
    report = check(draft, FACTS)
    assert report.passed is (report.codes == ())


@given(st.integers(0, 23), st.integers(0, 59))
def test_a_24_hour_time_is_read_as_itself(hour: int, minute: int) -> None:
    [mention] = mentions(f"then {hour:02d}:{minute:02d} fits")
    assert mention.clock == (hour, minute)
