"""Which builds start, from the flags alone."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from zrg_dagster.core.analytics.flags import Flag, digest
from zrg_dagster.core.analytics.refresh import (
    ASK_AGAIN_AFTER_S,
    MAX_GAP_DAYS,
    MAX_MARTS_PER_LOOK,
    plan,
)

NOW = datetime(2026, 3, 10, 13, 0, tzinfo=UTC)
TODAY = NOW.date()
W1, W2 = UUID(int=1), UUID(int=2)


def flag(day: date = TODAY, workspace: UUID = W1, version: int = 1, fact: str = "booking") -> Flag:
    return Flag(fact, day, workspace, version)


def planned(seen, now=NOW, busy_facts=(), busy_workspaces=(), partitions=None):
    names = {W1: "acme", W2: "globex"} if partitions is None else partitions
    return plan(seen, now, busy_facts=busy_facts, busy_workspaces=busy_workspaces, partitions=names)


def test_nothing_flagged_starts_nothing():
    assert planned([]) == planned([])
    assert (planned([]).facts, planned([]).marts) == ((), ())


def test_one_run_per_fact_spans_its_flagged_days():
    yesterday = TODAY - timedelta(days=3)
    found = planned([flag(), flag(yesterday, W2, 2), flag(fact="step_execution", version=3)])
    assert [(each.fact, each.first, each.last) for each in found.facts] == [
        ("booking", yesterday, TODAY),
        ("step_execution", TODAY, TODAY),
    ]


def test_a_wide_gap_is_left_for_the_next_look():
    old = TODAY - timedelta(days=2 * MAX_GAP_DAYS)
    found = planned([flag(), flag(old, version=2)])
    assert [(each.first, each.last) for each in found.facts] == [(old, old)]


def test_a_fact_that_is_being_built_waits():
    found = planned([flag(), flag(fact="step_execution")], busy_facts={"booking"})
    assert [each.fact for each in found.facts] == ["step_execution"]
    assert found.reasons == ("facts/booking is being built",)


def test_days_outside_the_partitions_are_reported_and_not_requested():
    found = planned([flag(date(2024, 12, 31)), flag(TODAY + timedelta(days=1), version=2)])
    assert found.facts == ()
    assert found.reasons == ("2 booking flags lie outside the daily partitions",)


def test_the_run_key_names_the_flags_seen_in_any_order():
    seen = [flag(version=1), flag(workspace=W2, version=2)]
    key = planned(seen).facts[0].run_key
    assert planned(list(reversed(seen))).facts[0].run_key == key
    assert planned([flag(version=3), seen[1]]).facts[0].run_key != key
    # A lower version that commits late is another set, too.
    assert planned([flag(version=2), flag(workspace=W2, version=1)]).facts[0].run_key != key


def test_the_same_flags_ask_again_later_because_their_run_may_have_failed():
    key = planned([flag()]).facts[0].run_key
    assert planned([flag()], now=NOW + timedelta(seconds=ASK_AGAIN_AFTER_S)).facts[0].run_key != key
    assert planned([flag()], now=NOW + timedelta(seconds=1)).facts[0].run_key == key


def test_marts_are_requested_per_workspace_with_a_partition():
    seen = [flag(workspace=W1, fact="workflow_attribution"), flag(workspace=W2, version=2, fact="workflow_attribution")]
    assert [each.workspace_key for each in planned(seen).marts] == ["acme", "globex"]
    assert [each.workspace_key for each in planned(seen, busy_workspaces={"acme"}).marts] == ["globex"]
    found = planned(seen, partitions={W1: "acme"})
    assert [each.workspace_key for each in found.marts] == ["acme"]
    assert found.reasons == ("a workspace has no partition yet",)


def test_marts_of_one_look_are_bounded():
    ids = [UUID(int=number) for number in range(1, MAX_MARTS_PER_LOOK + 5)]
    seen = [flag(workspace=each, version=each.int, fact="workflow_attribution") for each in ids]
    assert len(planned(seen, partitions={each: f"w{each.int}" for each in ids}).marts) == MAX_MARTS_PER_LOOK


def test_a_digest_fits_a_run_tag():
    assert len(digest([flag(version=number) for number in range(5000)])) == 32
