"""The same deliveries in any order, any number of times, on one lane, two or four, end in the same state.

Times of processing and generated ids are left out, and leads joined by a merge candidate count as one person.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count, permutations
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import Cluster, Database, _clone
from tests.integration.intake_support import Delivery, Rows, accept, drain
from zrg_dagster.core.db.engine import sync_connect
from zrg_dagster.core.intake.read import PARSERS
from zrg_dagster.core.providers.records import ShapeError

PAYLOADS = Path(__file__).parents[1] / "data" / "payloads"
RECEIVED = datetime(2026, 3, 10, 16, 41, 33, tzinfo=UTC)
# Variants of another sample's reply that no vendor would send of one mail: other words, or a thread unknown again.
CONTRADICT = {
    "instantly/reply_received__legacy_orig_shape.json",
    "smartlead/EMAIL_REPLY__missing_stats_id.json",
}
FILES = sorted(
    str(path.relative_to(PAYLOADS))
    for vendor in ("emailbison", "smartlead", "instantly", "ghl", "calendly")
    for path in (PAYLOADS / vendor).glob("*.json")
    if f"{vendor}/{path.name}" not in CONTRADICT
)
LINKEDIN = sorted(str(path.relative_to(PAYLOADS)) for path in (PAYLOADS / "unipile").glob("*.json"))
NUMBERS = count(1)
LATER = RECEIVED + timedelta(hours=2)


def delivery(file: str, workspace: UUID, *, again: bool = False) -> Delivery:
    """The sample as received at a time of its own; `again` is the same words under another delivery id."""
    data = (PAYLOADS / file).read_bytes()
    document = json.loads(data)
    if isinstance(document, dict) and "_encoding" in document:
        data = document["raw"].encode()
    received_at = RECEIVED + timedelta(seconds=[*FILES, *LINKEDIN].index(file))
    key = f"{workspace} {file} {'again' if again else ''}"
    return Delivery(file.partition("/")[0], data, workspace, received_at, key=key)


def tells(file: str) -> bool:
    """Whether the sample has an effect at all; what is ignored or unreadable cannot disturb any order."""
    sample = delivery(file, UUID(int=0))
    try:
        parsed = PARSERS[sample.provider](sample.body, received_at=sample.received_at, scope=sample.scope)
    except ShapeError:
        return False
    return parsed.outcome == "accept"


TELLING = [file for file in (*FILES, *LINKEDIN) if tells(file)]


# ── the state, without ids and processing times ──────────────────────────────

LEAD = """email, phone, first_name, last_name, company_name, job_title, linkedin_url, timezone, sender_account_id, status,
    sentiment_tag, sentiment_source, current_replier_email, current_replier_name, current_replier_since, last_inbound_at,
    last_outbound_at, provenance"""
MESSAGE = """channel, direction, source, provider, provider_message_id, thread_handle, subject, body, raw_text, raw_html,
    from_email, from_name, to_email, cc, sent_at, sent_at_quality, is_auto_reply, is_out_of_office, returns_on, is_bounce,
    opt_out_rule, provider_interested"""
APPOINTMENT = """secondary_id, status, start_at, end_at, timezone, attendee_email, calendar_key, booked_at, canceled_at,
    canceled_by, superseded_by, vendor_updated_at"""


class State:
    """What a workspace holds, in natural keys. A person is the set of all identities of leads that are joined."""

    def __init__(self, connection: psycopg.Connection[dict[str, Any]], workspace: UUID) -> None:
        self._connection = connection
        self._workspace = workspace
        person_of = self._people()
        leads: dict[frozenset[Any], list[UUID]] = defaultdict(list)
        for lead_id, person in person_of.items():
            leads[person].append(lead_id)
        stopped = {row["id"] for row in self._all("SELECT id FROM app.lead WHERE {mine} AND status = 'blacklisted'")}
        self.shared: dict[str, Any] = {
            "people": frozenset(leads),
            "stopped": {person for person, group in leads.items() if stopped & set(group)},
            "messages": self._by_key(
                f"SELECT message_key, lead_id, {MESSAGE} FROM app.message WHERE {{mine}}", person_of
            ),
            "appointments": self._by_key(
                f"SELECT external_id, lead_id, {APPOINTMENT} FROM app.appointment WHERE {{mine}}", person_of
            ),
            "touches": self._list(
                "SELECT m.message_key, t.channel, t.kind, t.is_human, t.sent_at FROM app.touch t "
                "JOIN app.message m ON m.id = t.message_id WHERE t.{mine}"
            ),
            "campaigns": self._list(
                "SELECT provider, external_id, sent_count, reply_count FROM app.email_campaign WHERE {mine}"
            ),
            "jobs": self._list(
                "SELECT j.kind, m.message_key FROM app.job j JOIN app.message m ON m.id = j.message_id "
                "WHERE j.{mine} AND j.job_key NOT LIKE '%%:interested'"
            ),
            "stops": self._list(
                "SELECT d.code, m.message_key FROM app.decision d LEFT JOIN app.message m ON m.id = d.subject_id "
                "WHERE d.{mine} AND d.subject = 'suppression'"
            ),
            "events": self._list(
                "SELECT DISTINCT provider, event_type, body_bytes, state FROM raw.webhook_event WHERE {mine}"
            ),
        }
        # What several leads that wait to be merged say of one person is compared only where it is shared.
        self.alone = {person: self._person(group[0]) for person, group in leads.items() if len(group) == 1}

    def _all(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        mine = f"workspace_id = '{self._workspace}'"
        return self._connection.execute(statement.format(mine=mine).encode(), values or None).fetchall()

    def _list(self, statement: str, *values: Any) -> list[str]:
        return sorted(repr(tuple(row.values())) for row in self._all(statement, *values))

    def _by_key(self, statement: str, person_of: dict[UUID, frozenset[Any]]) -> dict[str, Any]:
        found = {}
        for row in self._all(statement):
            key, lead_id, *_ = row.values()
            found[key] = (person_of.get(lead_id), list(row.items())[2:])
        return found

    def _people(self) -> dict[UUID, frozenset[Any]]:
        identities: dict[UUID, set[Any]] = {
            row["id"]: set() for row in self._all("SELECT id FROM app.lead WHERE {mine}")
        }
        for row in self._all("SELECT lead_id, kind, value FROM app.lead_identity WHERE {mine}"):
            identities[row["lead_id"]].add((row["kind"], row["value"]))
        group = {lead: lead for lead in identities}

        def root(lead: UUID) -> UUID:
            while group[lead] != lead:
                lead = group[lead]
            return lead

        for row in self._all("SELECT lead_id, other_lead_id FROM app.lead_merge_candidate WHERE {mine}"):
            group[root(row["lead_id"])] = root(row["other_lead_id"])
        together: dict[UUID, set[Any]] = defaultdict(set)
        for lead, own in identities.items():
            # An own address and an alternate one are one identity of the joined person.
            together[root(lead)] |= {("email" if kind == "alternate_email" else kind, value) for kind, value in own}
        return {lead: frozenset(together[root(lead)]) for lead in identities}

    def _person(self, lead: UUID) -> dict[str, Any]:
        return {
            "fields": self._all(f"SELECT {LEAD} FROM app.lead WHERE id = %s", lead),
            "identities": self._list("SELECT kind, value FROM app.lead_identity WHERE lead_id = %s", lead),
            "campaign": self._list(
                "SELECT c.external_id FROM app.lead l JOIN app.email_campaign c ON c.id = l.email_campaign_id WHERE l.id = %s",
                lead,
            ),
            "campaigns of bookings": self._list(
                "SELECT a.external_id, c.external_id AS campaign FROM app.appointment a "
                "LEFT JOIN app.email_campaign c ON c.id = a.email_campaign_id WHERE a.lead_id = %s",
                lead,
            ),
            "suppressions": self._list(
                "SELECT x.kind, CASE x.kind WHEN 'lead' THEN '' ELSE x.value END AS value, x.channel, x.reason, x.source, "
                "x.suppressed_at FROM app.suppression x WHERE x.{mine} AND (x.value = %s OR x.value IN "
                "(SELECT value FROM app.lead_identity WHERE lead_id = %s))",
                str(lead),
                lead,
            ),
            "changes": self._list("SELECT tag FROM app.sentiment_event WHERE lead_id = %s", lead),
        }


def differences(one: State, other: State) -> dict[str, Any]:
    found: dict[str, Any] = {
        part: (one.shared[part], other.shared[part]) for part in one.shared if one.shared[part] != other.shared[part]
    }
    for person in one.alone.keys() & other.alone.keys():
        left, right = one.alone[person], other.alone[person]
        found |= {f"{part} of a person": (left[part], right[part]) for part in left if left[part] != right[part]}
    return found


Chunks = list[list[tuple[str, bool]]]


async def run(database: Database, chunks: Chunks, *, workers: int, batch_size: int) -> State:
    """Process portion after portion in a workspace of its own."""
    workspace = Rows(database).workspace(f"w{next(NUMBERS)}")
    for chunk in chunks:
        accept(database, [delivery(file, workspace, again=again) for file, again in chunk])
        await drain(database, workers=workers, batch_size=batch_size, now=LATER)
    with sync_connect(database.dsn("worker")) as connection:
        state = State(connection, workspace)
    assert not [
        each for each in state.shared["events"] if not each.endswith(("'processed')", "'ignored')", "'quarantined')"))
    ]
    return state


@st.composite
def streams(draw: st.DrawFn) -> tuple[list[str], Chunks]:
    """Some samples, and one way in which they may come: shuffled, repeated, in a few portions."""
    files = draw(st.lists(st.sampled_from(TELLING), min_size=2, max_size=7, unique=True))
    repeated = draw(st.lists(st.tuples(st.sampled_from(files), st.booleans()), max_size=3))
    order = draw(st.permutations([(file, False) for file in files] + repeated))
    cuts = sorted(draw(st.sets(st.integers(1, len(order)), max_size=4)))
    return files, [order[start:end] for start, end in zip([0, *cuts], [*cuts, len(order)], strict=True) if start < end]


def check(database: Database, files: list[str], chunks: Chunks, workers: int, batch_size: int) -> None:
    async def both() -> dict[str, Any]:
        reference = await run(database, [[(file, False) for file in files]], workers=1, batch_size=1)
        return differences(reference, await run(database, chunks, workers=workers, batch_size=batch_size))

    assert asyncio.run(both()) == {}


@pytest.fixture(scope="module")
def shared(cluster: Cluster) -> Iterator[Database]:
    """One database for all examples; each run has a workspace of its own."""
    yield from _clone(cluster, cluster.template)


any_stream = given(stream=streams(), workers=st.sampled_from([1, 2, 4]), batch_size=st.sampled_from([1, 3, 500]))
slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]


@any_stream
@settings(max_examples=25, suppress_health_check=slow)
def test_order_repetition_and_lanes_do_not_matter(shared: Database, stream: Any, workers: int, batch_size: int) -> None:
    check(shared, *stream, workers, batch_size)


def test_a_phone_that_a_later_stop_brings_along_is_stopped_since_the_first(shared: Database) -> None:
    """The unsubscribe names the address alone, the bounce the phone too."""
    files = ["emailbison/LEAD_UNSUBSCRIBED__new_lead.json", "instantly/email_bounced__basic.json"]
    apart = [[(file, False)] for file in files]
    check(shared, files, apart, 1, 500)
    check(shared, files, [[(file, False) for file in reversed(files)]], 1, 500)


@pytest.mark.parametrize("workers", [1, 2])
def test_the_whole_corpus_backwards(shared: Database, workers: int) -> None:
    """All samples at once: the most crowded conversation that they can make."""
    backwards = [(file, False) for file in reversed(FILES)]
    check(shared, FILES, [backwards[:40], backwards[40:], [(file, True) for file in FILES[::5]]], workers, 7)


@pytest.mark.parametrize("workers", [1, 2])
def test_linkedin_backwards_beside_mail(shared: Database, workers: int) -> None:
    """Relations, changed wordings and older forms, around a mail of the person they are about."""
    files = [*LINKEDIN, "emailbison/LEAD_REPLIED__basic.json"]
    backwards = [(file, False) for file in reversed(files)]
    check(shared, files, [backwards[:9], backwards[9:], [(file, True) for file in LINKEDIN[::3]]], workers, 4)


def test_equal_texts_of_both_feeds_in_any_order(shared: Database) -> None:
    """Three of the workflow's reports, with a time or without, and one with an id: it speaks of one of the three, which
    one does not depend on which of them were stored when it came."""
    words = [
        "ghl/sms_inbound__basic.json",
        "ghl/sms_inbound__duplicate_retry.json",
        "ghl/sms_inbound__same_text_later.json",
        "ghl/marketplace_InboundMessage__sms.json",
    ]
    orders = list(permutations(words))[::3]
    portions = [[[(file, False)] for file in order] for order in orders[::2]]
    portions += [[[(file, False) for file in part] for part in (order[:2], order[2:])] for order in orders[1::2]]

    async def states() -> list[State]:
        return [await run(shared, each, workers=1, batch_size=500) for each in portions]

    one, *others = asyncio.run(states())
    assert [differences(one, other) for other in others] == [{}] * len(others)
    assert len(one.shared["messages"]) == len(one.shared["jobs"]) == 2


@pytest.mark.proof
@pytest.mark.timeout(3600)
@any_stream
@settings(max_examples=600, print_blob=True, suppress_health_check=slow)
def test_many_orders(shared: Database, stream: Any, workers: int, batch_size: int) -> None:
    check(shared, *stream, workers, batch_size)


@pytest.fixture(scope="module")
def in_order(shared: Database) -> State:
    """What the whole corpus, one delivery after the other, ends in."""
    return asyncio.run(run(shared, [[(file, False) for file in TELLING]], workers=1, batch_size=1))


@st.composite
def whole_streams(draw: st.DrawFn) -> Chunks:
    """All samples, shuffled, some of them repeated, in portions."""
    repeated = draw(st.lists(st.tuples(st.sampled_from(TELLING), st.booleans()), max_size=15))
    order = [(file, False) for file in TELLING] + repeated
    draw(st.randoms(use_true_random=False)).shuffle(order)
    cuts = sorted(draw(st.sets(st.integers(1, len(order)), max_size=5)))
    return [order[start:end] for start, end in zip([0, *cuts], [*cuts, len(order)], strict=True) if start < end]


whole_corpus = given(
    chunks=whole_streams(), workers=st.sampled_from([1, 2, 4]), batch_size=st.sampled_from([1, 3, 7, 40, 500])
)


def check_whole(database: Database, in_order: State, chunks: Chunks, workers: int, batch_size: int) -> None:
    assert differences(in_order, asyncio.run(run(database, chunks, workers=workers, batch_size=batch_size))) == {}


@whole_corpus
@settings(max_examples=3, suppress_health_check=slow)
def test_the_whole_corpus_in_any_order(
    shared: Database, in_order: State, chunks: Chunks, workers: int, batch_size: int
) -> None:
    check_whole(shared, in_order, chunks, workers, batch_size)


@pytest.mark.proof
@pytest.mark.timeout(3600)
@whole_corpus
@settings(max_examples=250, print_blob=True, suppress_health_check=slow)
def test_the_whole_corpus_in_many_orders(
    shared: Database, in_order: State, chunks: Chunks, workers: int, batch_size: int
) -> None:
    check_whole(shared, in_order, chunks, workers, batch_size)


@pytest.mark.parametrize("batch_size", [1, 500])
def test_the_wording_of_a_message_is_that_of_its_first_report(shared: Database, batch_size: int) -> None:
    """A retry that lost white space and case on its way, before and after the message itself."""
    files = ["ghl/sms_inbound__basic.json", "ghl/sms_inbound__duplicate_retry.json"]
    for chunks in ([[(files[1], False)], [(files[0], False)]], [[(file, False) for file in reversed(files)]]):
        check(shared, files, chunks, 1, batch_size)
