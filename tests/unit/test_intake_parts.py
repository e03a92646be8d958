"""A batch written in parts: nothing is lost, and two parts never name the same person."""

from datetime import UTC, datetime, timedelta
from itertools import combinations, pairwise
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.intake.parts import _names, parts_of, portions_of
from zrg_dagster.core.intake.read import ClaimedEvent, ReadEvent
from zrg_dagster.core.providers.records import EnrichmentRecord, IdentityKind, LeadRecord, Parsed

NOW = datetime(2026, 3, 10, tzinfo=UTC)
WORKSPACE = new_id()
SIZE = 100


def event(lead: LeadRecord | None = None, answer_about: str | None = None) -> ReadEvent:
    claimed = ClaimedEvent(new_id(), "emailbison", "acme", WORKSPACE, "acme", None, NOW, 1, 5, "c", b"{}")
    enrichment = EnrichmentRecord("k", "phone", "success", answer_about, NOW) if answer_about else None
    return ReadEvent(claimed, Parsed("sent", lead=lead, enrichment=enrichment))


def mail(*numbers: int, alternate: int | None = None) -> ReadEvent:
    identities: tuple[tuple[IdentityKind, str], ...] = tuple(("email", f"p{each}@mill.example") for each in numbers)
    alternates = () if alternate is None else (f"p{alternate}@mill.example",)
    return event(LeadRecord(identities=identities, alternate_emails=alternates))


def test_strangers_are_halved() -> None:
    events = [mail(number) for number in range(500)]
    assert [len(part) for part in parts_of(events, SIZE)] == [250, 250]


def test_one_batch_stays_whole() -> None:
    events = [mail(number) for number in range(SIZE)]
    assert parts_of(events, SIZE) == [events]


def test_one_person_stays_whole() -> None:
    events = [mail(7) for _ in range(500)]
    assert parts_of(events, SIZE) == [events]


def test_people_who_are_named_together_later_stay_together() -> None:
    chain = [mail(number, number + 1) for number in range(0, 400, 2)]
    chain += [mail(number + 1, alternate=number + 2) for number in range(0, 398, 2)]
    assert [len(part) for part in parts_of(chain, SIZE)] == [399]


def test_answers_about_one_lead_stay_together_and_what_names_nobody_is_kept() -> None:
    events = [event(answer_about="lead-1") for _ in range(150)] + [event() for _ in range(150)]
    parts = parts_of(events, SIZE)
    assert [len(part) for part in parts] == [150, 150]
    assert all(len({id(each) for each in part} & {id(each) for each in events[:150]}) in (0, 150) for part in parts)


_PEOPLE = st.lists(st.integers(0, 400), min_size=1, max_size=3)


@given(st.lists(st.tuples(_PEOPLE, st.none() | st.integers(0, 400)), max_size=160))
def test_parts_share_nobody_and_lose_nothing(people: list[tuple[list[int], int | None]]) -> None:
    events = [mail(*numbers, alternate=alternate) for numbers, alternate in people]
    parts = parts_of(events, SIZE)
    assert sorted(id(each) for part in parts for each in part) == sorted(map(id, events))
    for one, other in combinations([{name for each in part for name in _names(each)} for part in parts], 2):
        assert not one & other


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 5)), max_size=60), st.integers(1, 50))
def test_portions_hold_every_row_in_its_order_and_no_more_bytes_than_they_may(rows: list, most: int) -> None:
    claimed = [
        SimpleNamespace(id=new_id(), received_at=NOW + timedelta(seconds=at), body_bytes=size) for size, at in rows
    ]
    portions = list(portions_of(claimed, most))  # type: ignore[arg-type]
    assert [row for portion in portions for row in portion] == sorted(
        claimed, key=lambda row: (row.received_at, row.id)
    )
    assert all(portion for portion in portions)
    assert all(len(each) == 1 or sum(row.body_bytes for row in each) <= most for each in portions)
    for one, two in pairwise(portions):
        assert sum(row.body_bytes for row in one) + two[0].body_bytes > most, "an earlier portion had room"
