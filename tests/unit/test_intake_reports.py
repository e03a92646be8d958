"""Which reports of an SMS are one message, whatever order they come in."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.integration.seeds import NOW
from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.intake.reports import Report, Row, Told, arrange, from_json, messages_of


def named(number: int, seconds: float) -> Report:
    return Report(f"ghl:{number}", f"Gk{number}", "provider", NOW + timedelta(seconds=seconds), "OK", "OK", None)


def nameless(number: int, seconds: float, near: tuple[str, ...] = ()) -> Report:
    return Report(f"ghl_sms:{number}", None, "receipt", NOW + timedelta(seconds=seconds), "ok", "ok", None, near)


def bucketed(seconds: int) -> Report:
    """A report without a time of the vendor: its key names a ten-minute bucket, its near keys the neighbours."""
    bucket = seconds // 600
    return replace(
        nameless(0, seconds), key=f"ghl_sms:b{bucket}", near=(f"ghl_sms:b{bucket - 1}", f"ghl_sms:b{bucket + 1}")
    )


def keys(messages: list[Told]) -> list[list[str]]:
    return [[each.key for each in told.reports] for told in messages]


def test_each_message_has_one_report_of_each_feed() -> None:
    """Two of the workflow's and one with an id, all near: the id speaks of one of them only."""
    assert keys(messages_of([nameless(1, 0), nameless(2, 5), named(1, 3)])) == [["ghl_sms:1", "ghl:1"], ["ghl_sms:2"]]
    pairs = messages_of([named(2, 64), nameless(2, 65), nameless(1, 1), named(1, 0)])
    assert keys(pairs) == [["ghl:1", "ghl_sms:1"], ["ghl:2", "ghl_sms:2"]]


def test_reports_more_than_ten_minutes_apart_are_two_messages() -> None:
    assert len(messages_of([nameless(1, 0), named(1, 600)])) == 1
    assert len(messages_of([nameless(1, 0), named(1, 601)])) == 2


def test_a_retry_in_the_next_bucket_is_the_same_message_and_in_the_one_after_it_is_not() -> None:
    assert len(messages_of([bucketed(598), bucketed(603)])) == 1
    assert len(messages_of([bucketed(598), bucketed(1203)])) == 2


def test_the_feed_with_ids_has_the_last_word_and_a_stop_in_either_stays() -> None:
    told = messages_of([replace(nameless(1, 0), opt_out_rule="stop"), named(1, 9)])[0]
    assert (told.head.key, told.head.vendor_id, told.head.body, told.head.opt_out_rule) == (
        "ghl:1",
        "Gk1",
        "OK",
        "stop",
    )


def test_of_two_reports_under_one_key_the_vendors_time_wins_then_the_earlier() -> None:
    late, early = nameless(1, 9), replace(nameless(1, 3), body="OK ")
    vendors = replace(late, quality="provider")
    assert late.folded(early) == early.folded(late) == early
    assert vendors.folded(early) == early.folded(vendors) == vendors


def test_a_report_survives_the_database() -> None:
    assert [from_json(each) for each in Told((bucketed(5), named(1, 7))).as_json()] == [bucketed(5), named(1, 7)]


def test_a_stored_message_is_never_taken_back() -> None:
    """A retry that came eleven minutes later was worked first, and taken for a message of its own; somebody may have
    answered it by now. The original joins the message with the id."""
    rows = [Row(new_id(), Told((named(1, 0),))), Row(new_id(), Told((nameless(1, 660),)))]
    plan = arrange(rows, [nameless(1, 1)])
    assert plan.made == []
    assert keys(list(plan.rows.values())) == [["ghl:1", "ghl_sms:1"]]
    assert plan.rows.keys() == {rows[0].id}


SECONDS = st.integers(0, 2400)


@st.composite
def reports(draw: st.DrawFn) -> list[Report]:
    """What both feeds say of a few equal texts. What is told again under its own key is told at once."""
    times = draw(st.lists(SECONDS, min_size=1, max_size=9))
    buckets: dict[int, int] = {}
    found = []
    for number, seconds in enumerate(times):
        make = draw(st.sampled_from(["named", "nameless", "bucketed"]))
        if make == "bucketed":
            seconds = buckets.setdefault(seconds // 600, seconds)
        one = bucketed(seconds) if make == "bucketed" else (named if make == "named" else nameless)(number, seconds)
        found += [one] * draw(st.integers(1, 2))
    return found


@settings(max_examples=300)
@given(told=reports(), data=st.data())
def test_any_order_in_any_portions_ends_in_the_same_messages(told: list[Report], data: st.DataObject) -> None:
    """Rows are given as the database gives them back; none is ever left over, and each new one has a new report."""
    order = data.draw(st.permutations(told))
    rows: dict[UUID, Told] = {}
    while order:
        size = data.draw(st.integers(1, len(order)))
        portion, order = order[:size], order[size:]
        plan = arrange([Row(row, each) for row, each in rows.items()], portion)
        assert plan.rows.keys() == rows.keys()
        assert all(each.keys & {new.key for new in portion} for each in plan.made)
        rows = plan.rows | {new_id(): each for each in plan.made}
    expected = messages_of(told)
    assert sorted(keys(list(rows.values()))) == sorted(keys(expected))
    assert {each.head for each in rows.values()} == {each.head for each in expected}
