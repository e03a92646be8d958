"""Who asks to be called, and whose booking page a link is: one line for each sentence and host that a rule names."""

import pytest

from zrg_dagster.core.text.call_wish import wants_call
from zrg_dagster.core.text.schedulers import same_page, scheduler_of


@pytest.mark.parametrize(
    "text, rule",
    [
        ("phone me tomorrow", "call_me"),  # B68
        ("ring me", "call_me"),
        ("please call", "please_call"),
        ("Here's my cell 415-555-2671", "own_number"),
        ("Here’s my cell: (415) 555-2671.", "own_number"),
        ("Interested, call me. Thanks", "call_me"),
        ("Hi Noor,\n\nPlease call.\n\nMara", "please_call"),
        ("Could you call tomorrow?", "please_call"),
        ("Can someone give me a call?", "call_me"),
        ("Please give our office a call", "call_me"),
        ("Please call my cell.", "please_call"),
        ("Call 415-555-2671", "call_number"),
        ("Just call our office", "call_number"),
        ("You can reach me at +44 20 7946 0018", "own_number"),
        ("I'd like a callback", "call_back"),
        ("Why don't you call me on Friday?", "call_me"),
        ("No problem, call me after 3", "call_me"),
        ("Don't email me, just call me tomorrow", "call_me"),
        ("Can't talk today, call me Monday", "call_me"),
    ],
)
def test_a_request_to_be_called(text: str, rule: str) -> None:
    assert wants_call(text) == rule


@pytest.mark.parametrize(
    "text",
    [
        "call me crazy but I like it",  # B67
        "Call me old-fashioned, but I prefer paper",
        "You can call me Mara",
        "please don't call me",  # follow-ups B18
        "Do not call me again",
        "never call us",
        "Please stop calling me",
        "I'd rather you didn't call me",
        "no calls please",
        "let's hop on a call next week",  # follow-ups B19: scheduling
        "Happy to jump on a call",
        "Did you call me yesterday?",
        "Someone tried to call me",
        "They call me every week",
        "The last vendor used to call me daily",
        "What would you call us?",
        "Please call off the meeting",
        "please call it a day",
        "I will call you tomorrow",
        "Order number 4155552671",
        "Please never call my mobile 415 555 2671",
        "Call me at mara@brightloom.example",
        "that was a close call",
        "",
    ],
)
def test_no_request_to_be_called(text: str) -> None:
    assert wants_call(text) is None


def test_a_long_mail_is_read_in_bounded_time() -> None:
    assert wants_call("please " * 30_000) is None


@pytest.mark.parametrize(
    "link, name",
    [
        ("https://cal.com/mara/30min", "cal.com"),  # B66
        ("https://acme.cal.com/mara", "cal.com"),
        ("https://savvycal.com/mara/chat", "savvycal"),
        ("https://tidycal.com/mara", "tidycal"),
        ("https://calendar.app.google/AbC123", "google"),
        ("https://outlook.office.com/bookwithme/user/abc@brightloom.example", "outlook"),
        ("https://outlook.office365.com/owa/calendar/Mill@brightloom.example/bookings/", "outlook"),
        ("calendly.com/me/30", "calendly"),
        ("https://www.Calendly.com/me/30?month=2026-03", "calendly"),
        ("https://meetings.hubspot.com/mara", "hubspot"),
        ("https://meetings-eu1.hubspot.com/mara", "hubspot"),
        ("https://share.hubspot.com/meetings/mara", "hubspot"),
        ("https://calendar.notion.so/meet/mara/30", "notion"),
        ("https://api.leadconnectorhq.com/widget/booking/x1", "leadconnector"),
        ("https://link.msgsndr.com/x1", "leadconnector"),
        ("https://book.brightloom.example/widget/bookings/intro", "leadconnector"),
        ("https://calendar.google.com/calendar/u/0/appointments/schedules/AbC", "google"),
        ("https://mara.youcanbook.me", "youcanbookme"),
    ],
)
def test_a_booking_page_is_known_by_host_and_path(link: str, name: str) -> None:
    assert scheduler_of(link) == name


@pytest.mark.parametrize(
    "link",
    [
        "https://cal.com",
        "https://calendly.com/",
        "https://notcalendly.com/me/30",
        "https://calendly.com/cancellations/6f1a9c20",
        "https://calendly.com/reschedulings/6f1a9c20",
        "https://cal.com/booking/6f1a9c20",
        "https://help.calendly.com/hc/en-us",
        "https://cal.com.evil.example/mara",
        "https://evil.example/calendly.com/me",
        "https://calendar.google.com/calendar/r/week",
        "https://www.hubspot.com/blog",
        "https://www.notion.so/page",
        "https://brightloom.example",
        "",
    ],
)
def test_other_links_are_nobodys_calendar(link: str) -> None:
    assert scheduler_of(link) is None


@pytest.mark.parametrize(
    "link, same",
    [
        ("https://calendly.com/noor-c/intro-30", True),  # SI-05
        ("calendly.com/noor-c/intro-30/", True),
        ("http://www.Calendly.com/Noor-C/intro-30/?month=2026-03#top", True),
        ("https://calendly.com/noor-c/intro-60", False),
        ("https://calendly.com/mara/intro-30", False),
    ],
)
def test_the_same_page_whatever_hangs_on_it(link: str, same: bool) -> None:
    assert same_page(link, "https://calendly.com/noor-c/intro-30") is same
    assert not same_page(link, None)
