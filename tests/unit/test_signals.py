"""What a reply asks for, decided from the router's answer or from words alone (SI rules), and what a draft is told of it."""

from uuid import UUID

import pytest

from tests.unit.drafting_world import BOOKING_LINK, context, model
from tests.unit.model_server import completed
from zrg_dagster.core.drafting.overseer import Contract, ResponseMode
from zrg_dagster.core.drafting.pack import LIMITS
from zrg_dagster.core.replies import signals
from zrg_dagster.core.replies.booking_attempt import (
    Booked,
    BookingQuestion,
    NotAttempted,
    NotBooked,
    answer_of,
    attempt,
    barred,
    detail_of,
    nobody_books,
)
from zrg_dagster.core.replies.classify import POSITIVE, Tag
from zrg_dagster.core.replies.route import ask_route
from zrg_dagster.core.replies.signals import Heard, HeardBy, Process, Route, Signal, SignalKind, Written

PAGE = "https://cal.com/mara/30min"
SILENT = Written("Sounds useful.")
CALL = Signal(SignalKind.CALL_REQUESTED, 0.9, "router")
CALENDAR = Signal(SignalKind.LEADS_CALENDAR, 0.7, "router", link=PAGE)


def kinds(heard: Heard) -> list[SignalKind]:
    return [signal.kind for signal in heard.signals]


# ── what stands there ────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "body, sent, in_message, in_signature",
    [
        ("Grab a slot: cal.com/mara/30min", "", [PAGE], []),
        (f"Grab a slot: {PAGE}", f"Grab a slot: {PAGE}\n-- \n{PAGE}?month=3", [PAGE], []),
        ("Sounds good.", f"Sounds good.\n-- \nMara\n{PAGE}", [], [PAGE]),
        (f"Sounds good.\n\nBest regards,\nMara\n{PAGE}", "", [], [PAGE]),
        (f"I saw {BOOKING_LINK}/?month=2026-03", f"-- \n{BOOKING_LINK.upper()}", [], []),  # SI-05
        ("See https://brightloom.example", "", [], []),
    ],
)
def test_pages_of_the_message_and_of_the_signature(body, sent, in_message, in_signature) -> None:
    found = signals.written(body, sent, BOOKING_LINK)
    assert (list(found.in_message), list(found.in_signature)) == (in_message, in_signature)


@pytest.mark.parametrize(
    "body, alone, with_page",
    [
        ("Feel free to book on my calendar", True, True),
        ("Use my scheduling link", True, True),
        ("Pick a time that suits you here", False, True),
        ("Put this link into your answer", False, False),
        ("Please don't book on my calendar", False, False),
        ("Let me check my calendar", False, False),
        ("Is it on your calendar?", False, False),
    ],
)
def test_an_explicit_instruction(body: str, alone: bool, with_page: bool) -> None:
    assert (signals.says_to_book(body, has_page=False), signals.says_to_book(body, has_page=True)) == (alone, with_page)


# ── the routes to an answer ──────────────────────────────────────────────────


@pytest.mark.parametrize(
    "process, kind", [(1, []), (2, []), (3, []), (4, [SignalKind.CALL_REQUESTED]), (5, [SignalKind.LEADS_CALENDAR])]
)
def test_the_router_decides_and_no_keyword_overrides_it(process: int, kind: list[SignalKind]) -> None:
    """SI-01, with words that say the opposite."""
    heard = signals.by_router(process, 0.9, Tag.INTERESTED, Written(f"Please call me. {PAGE}", (PAGE,)))
    assert heard.route == Route(Process(process), 0.9)
    assert kinds(heard) == kind
    assert heard.reason == HeardBy.ROUTER


@pytest.mark.parametrize("tag", [tag for tag in Tag if tag not in POSITIVE], ids=str)
def test_a_tag_without_interest_keeps_only_4_and_5(tag: Tag) -> None:
    """SI-03."""
    routes = {process: signals.by_router(process, 0.9, tag, SILENT) for process in range(1, 6)}
    assert {process: heard.route is not None for process, heard in routes.items()} == {
        1: False, 2: False, 3: False, 4: True, 5: True,
    }  # fmt: skip
    assert signals.without_router(tag, Written("Tuesday at 3pm works"), "") == Heard(HeardBy.ROUTER_FAILED)
    assert signals.by_keywords(tag, Written(f"call me {PAGE}", (PAGE,))) == Heard(HeardBy.KEYWORDS)


@pytest.mark.parametrize("given, kept", [(1.7, 1.0), (-1.0, 0.0), (float("nan"), 0.0), (0.8, 0.8)])
def test_a_confidence_is_clamped_and_high_from_eight_tenths(given: float, kept: float) -> None:
    """SI-06."""
    [signal] = signals.by_router(4, given, Tag.INTERESTED, SILENT).signals
    assert signal.confidence == kept
    assert signal.is_high is (kept >= 0.8)


OFFER = "Would 9:00 AM EST on Tue, Feb 17 or 2:00 PM EST on Tue, Feb 17 work?"


@pytest.mark.parametrize(
    "body, ours, process",
    [
        ("Could we do Thursday at 3pm?", "", 3),
        ("Some time next week would be good", "", 3),
        ("Tuesday works", "", 3),
        ("2pm on Tuesday please", OFFER, 2),
        ("The second one works for me", OFFER, 2),
        ("None of those, sorry", OFFER, 2),
        ("How about 4:30 PM instead?", OFFER, 3),
        ("That may work, tell me more", "", 1),  # follow-ups B10
        ("The ratio is 3/4 and we sat down with the team", OFFER, 1),
        ("Sounds useful", "", 1),
    ],
)
def test_what_words_suggest_when_the_router_fails(body: str, ours: str, process: int) -> None:
    """SI-02: uncertain, without confidence, never a signal."""
    heard = signals.without_router(Tag.INTERESTED, Written(body), ours)
    assert heard == Heard(HeardBy.ROUTER_FAILED, Route(Process(process), 0.0, is_uncertain=True))


def test_a_failed_router_is_no_signal_whatever_the_words_say() -> None:
    heard = signals.without_router(Tag.CALL_REQUESTED, Written(f"Please call me, or {PAGE}", (PAGE,)), "")
    assert heard.signals == ()


@pytest.mark.parametrize(
    "text, found, explicit, asks",
    [
        (Written("phone me tomorrow"), [SignalKind.CALL_REQUESTED], [True], False),
        (Written("call me crazy but I like it"), [], [], False),
        (Written(f"My page is {PAGE}", (PAGE,)), [SignalKind.LEADS_CALENDAR], [False], False),
        (Written(f"Pick a time here: {PAGE}", (PAGE,), (PAGE,)), [SignalKind.LEADS_CALENDAR], [True], False),
        (Written("Book on my calendar."), [SignalKind.LEADS_CALENDAR], [True], False),
        (Written("Sounds useful", (), (PAGE,)), [], [], True),
        (Written("Find a time on my calendar", (), (PAGE,)), [], [], True),
        (SILENT, [], [], False),
    ],
)  # fmt: skip
def test_without_a_router_words_of_positive_replies_decide(text, found, explicit, asks) -> None:
    """SI-04: of a page that stands only in the signature nobody but the model says what it is for."""
    heard = signals.by_keywords(Tag.INTERESTED, text)
    assert (kinds(heard), [signal.is_explicit for signal in heard.signals]) == (found, explicit)
    assert heard.route is None
    assert signals.in_question(heard, Tag.INTERESTED, text) is asks
    assert not signals.in_question(heard, Tag.NOT_INTERESTED, text)
    if asks:
        [signal] = signals.with_signature_link(heard, text, 0.85).signals
        assert (signal.kind, signal.link, signal.rule) == (SignalKind.LEADS_CALENDAR, PAGE, "link_in_signature")


async def test_an_answer_that_is_no_process_is_a_failure() -> None:
    """BK-63: an unknown id is rejected."""
    async with model(completed({"process": 6, "confidence": 1.0})) as (client, _):
        call = await ask_route(client, context(), SILENT, tag="Interested")
    assert (call.value, call.reason) == (None, "model_invalid")


# ── what is kept, and what a draft is told ───────────────────────────────────


@pytest.mark.parametrize(
    "heard",
    [
        Heard(HeardBy.EMPTY),
        Heard(HeardBy.ROUTER, Route(Process.CALL, 0.85), (CALL,)),
        Heard(HeardBy.ROUTER_FAILED, Route(Process.LEAD_PROPOSES, 0.0, is_uncertain=True)),
        Heard("model_budget_no_drafts", signals=(CALL,)),
    ],
)
def test_a_record_reads_as_it_was_written(heard: Heard) -> None:
    assert signals.again(heard.detail()) == heard


def test_a_record_holds_no_link() -> None:
    assert PAGE not in str(Heard(HeardBy.ROUTER, signals=(CALENDAR,)).detail())


@pytest.mark.parametrize(
    "heard, told",
    [
        (Heard(HeardBy.KEYWORDS), {}),
        (Heard(HeardBy.EMPTY), {}),
        (Heard(HeardBy.ROUTER, Route(Process.LEAD_PROPOSES, 0.9)), {"booking_hints": "They name a time"}),
        (Heard(HeardBy.KEYWORDS, signals=(CALL,)), {"booking_hints": "telephoned", "action_signals": "called (sure)"}),
        (
            Heard(HeardBy.ROUTER, Route(Process.LEADS_SCHEDULER, 0.7), (CALENDAR,)),
            {
                "booking_hints": "their own calendar", "action_signals": "not quite sure",
                "booking_link": "", "available_times": "",
            },
        ),
    ],
)  # fmt: skip
def test_the_pack_is_told_what_was_heard_and_nothing_else(heard: Heard, told: dict[str, str]) -> None:
    """SI-06, BK-67: with the lead's own calendar neither our link nor our times reach the model."""
    texts = signals.sections(heard, has_phone=True)
    assert texts.keys() == told.keys()
    assert all(part in texts[name] for name, part in told.items())
    assert set(texts) <= set(LIMITS)


def test_without_a_number_the_draft_asks_for_one() -> None:
    heard = Heard(HeardBy.ROUTER, Route(Process.CALL, 0.9), (CALL,))
    assert "ask for the best one" in signals.sections(heard, has_phone=False)["booking_hints"]
    assert "best one" not in signals.sections(heard, has_phone=True)["booking_hints"]


# ── the seam of a booking ────────────────────────────────────────────────────


def contract(book_now: str) -> Contract:
    return Contract("yes", "yes", book_now, None, (), "no", "no", ResponseMode.BOOKING_ONLY, (), "yes")  # type: ignore[arg-type]


def asked(**changes) -> BookingQuestion:
    calm = {
        "workspace_id": UUID(int=1), "lead_id": UUID(int=2), "message_id": UUID(int=3), "channel": "email",
        "tag": Tag.MEETING_REQUESTED, "contract": contract("yes"), "heard": signals.NOTHING, "zone": "America/New_York",
        "is_replayed": False, "has_booking": False,
    }  # fmt: skip
    return BookingQuestion(**(calm | changes))


@pytest.mark.parametrize(
    "changes, reason",
    [
        ({}, None),
        ({"is_replayed": True}, NotBooked.REPLAYED),
        ({"has_booking": True}, NotBooked.ALREADY_BOOKED),
        ({"tag": Tag.FOLLOW_UP}, NotBooked.NOT_POSITIVE),
        ({"heard": Heard(HeardBy.ROUTER, signals=(CALL,))}, NotBooked.CALL_REQUESTED),
        ({"heard": Heard(HeardBy.ROUTER, signals=(CALENDAR,))}, NotBooked.LEADS_CALENDAR),
        ({"contract": None}, NotBooked.NOT_READ),
        ({"contract": contract("no")}, NotBooked.SHOULD_NOT),
    ],
)
async def test_who_is_asked_to_book(changes, reason) -> None:
    at = context().trigger.sent_at
    assert barred(asked(**changes)) == reason
    assert await attempt(nobody_books, asked(**changes), at) == NotAttempted(reason or NotBooked.NOBODY_BOOKS)


def test_an_answer_of_the_seam_reads_as_it_was_written() -> None:
    booked = Booked(UUID(int=4), context().trigger.sent_at, "9:00 AM EST on Tue, Feb 17")
    for answer in (booked, NotAttempted(NotBooked.SHOULD_NOT)):
        assert answer_of(detail_of(answer, signals.NOTHING)) == answer
