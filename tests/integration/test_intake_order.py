"""The same deliveries in any order, any number of times, on one lane or two, end in the same state.

Times of processing and generated ids are left out, and leads joined by a merge candidate count as one person.
"""

import asyncio
import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.conftest import Cluster, Database, _clone
from tests.integration.intake_support import Delivery, Rows, accept, drain

PAYLOADS = Path(__file__).parents[1] / "data" / "payloads"
RECEIVED = datetime(2026, 3, 10, 16, 41, 33, tzinfo=UTC)
FILES = sorted(
    str(path.relative_to(PAYLOADS))
    for vendor in ("emailbison", "ghl", "calendly")
    for path in (PAYLOADS / vendor).glob("*.json")
)
LATER = RECEIVED + timedelta(hours=2)


def delivery(file: str, workspace: UUID, *, again: bool = False) -> Delivery:
    """The sample as received at a time of its own; `again` is the same words under another delivery id."""
    data = (PAYLOADS / file).read_bytes()
    document = json.loads(data)
    if isinstance(document, dict) and "_encoding" in document:
        data = document["raw"].encode()
    received_at = RECEIVED + timedelta(seconds=FILES.index(file))
    return Delivery(file.partition("/")[0], data, workspace, received_at, key=f"{file} again" if again else file)


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
    """What a database holds, in natural keys. A person is the set of all identities of leads that are joined."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self.person_of = self._people()
        self.members: dict[frozenset[Any], list[UUID]] = defaultdict(list)
        for lead_id, person in self.person_of.items():
            self.members[person].append(lead_id)
        self.shared = {
            "people": frozenset(self.members),
            "stopped": {person for person, leads in self.members.items() if self._stopped(leads)},
            "messages": self._messages(),
            "touches": self._list(
                "SELECT m.message_key, t.channel, t.kind, t.is_human, t.sent_at FROM app.touch t "
                "JOIN app.message m ON m.id = t.message_id"
            ),
            "campaigns": self._list("SELECT provider, external_id, sent_count, reply_count FROM app.email_campaign"),
            "jobs": self._list(
                "SELECT j.kind, m.message_key FROM app.job j JOIN app.message m ON m.id = j.message_id "
                "WHERE j.job_key NOT LIKE '%%:interested'"
            ),
            "appointments": self._appointments(),
            "stops": self._list(
                "SELECT d.code, m.message_key FROM app.decision d LEFT JOIN app.message m ON m.id = d.subject_id "
                "WHERE d.subject = 'suppression'"
            ),
            "events": sorted(
                {tuple(row.values()) for row in rows.all("SELECT provider, event_type, body_bytes, state FROM raw.webhook_event")}
            ),
        }

    def _people(self) -> dict[UUID, frozenset[Any]]:
        identities: dict[UUID, set[Any]] = {lead: set() for lead in self._rows.column("SELECT id FROM app.lead")}
        for row in self._rows.all("SELECT lead_id, kind, value FROM app.lead_identity"):
            identities[row["lead_id"]].add((row["kind"], row["value"]))
        group = {lead: lead for lead in identities}

        def root(lead: UUID) -> UUID:
            while group[lead] != lead:
                lead = group[lead]
            return lead

        for row in self._rows.all("SELECT lead_id, other_lead_id FROM app.lead_merge_candidate"):
            group[root(row["lead_id"])] = root(row["other_lead_id"])
        together: dict[UUID, set[Any]] = defaultdict(set)
        for lead, own in identities.items():
            # An own address and an alternate one are one identity of the joined person.
            together[root(lead)] |= {("email" if kind == "alternate_email" else kind, value) for kind, value in own}
        return {lead: frozenset(together[root(lead)]) for lead in identities}

    def _stopped(self, leads: list[UUID]) -> bool:
        return any(
            self._rows.column("SELECT status = 'blacklisted' FROM app.lead WHERE id = ANY(%s)", leads),
        )

    def _list(self, statement: str) -> list[str]:
        return sorted(repr(tuple(row.values())) for row in self._rows.all(statement))

    def _messages(self) -> dict[str, Any]:
        rows = self._rows.all(f"SELECT message_key, lead_id, {MESSAGE} FROM app.message")
        return {row.pop("message_key"): (self.person_of[row.pop("lead_id")], row) for row in rows}

    def _appointments(self) -> dict[str, Any]:
        rows = self._rows.all(
            f"SELECT a.external_id, a.lead_id, {', '.join(f'a.{name.strip()}' for name in APPOINTMENT.split(','))} "
            "FROM app.appointment a"
        )
        return {row.pop("external_id"): (self.person_of.get(row.pop("lead_id")), row) for row in rows}

    def alone(self, person: frozenset[Any]) -> dict[str, Any] | None:
        """Everything about a person who is one lead; None while several leads wait to be merged."""
        if len(leads := self.members[person]) > 1:
            return None
        (lead,) = leads
        rows = self._rows
        return {
            "lead": rows.one(f"SELECT {LEAD} FROM app.lead WHERE id = %s", lead),
            "identities": sorted(
                tuple(row.values()) for row in rows.all("SELECT kind, value FROM app.lead_identity WHERE lead_id = %s", lead)
            ),
            "campaign": rows.column(
                "SELECT external_id FROM app.email_campaign c JOIN app.lead l ON l.email_campaign_id = c.id WHERE l.id = %s", lead
            ),
            "booked campaigns": sorted(
                repr(tuple(row.values()))
                for row in rows.all(
                    "SELECT a.external_id, c.external_id AS campaign FROM app.appointment a "
                    "LEFT JOIN app.email_campaign c ON c.id = a.email_campaign_id WHERE a.lead_id = %s", lead
                )
            ),
            "suppressed": sorted(
                repr(tuple(row.values()))
                for row in rows.all(
                    "SELECT DISTINCT CASE x.kind WHEN 'lead' THEN '' ELSE x.value END AS value, x.kind, x.channel, x.reason, "
                    "x.source, x.suppressed_at FROM app.suppression x LEFT JOIN app.lead_identity i ON i.lead_id = %s "
                    "AND i.value = x.value WHERE x.value = %s OR i.value IS NOT NULL", lead, str(lead)
                )
            ),
            "changes": rows.column("SELECT tag FROM app.sentiment_event WHERE lead_id = %s", lead),
        }  # fmt: skip


def differences(one: State, other: State) -> dict[str, Any]:
    found: dict[str, Any] = {
        part: (one.shared[part], other.shared[part]) for part in one.shared if one.shared[part] != other.shared[part]
    }
    for person in one.shared["people"] & other.shared["people"]:
        left, right = one.alone(person), other.alone(person)
        if left is not None and right is not None:
            found |= {f"{part} of a person": (left[part], right[part]) for part in left if left[part] != right[part]}
    return found


def run(cluster: Cluster, chunks: list[list[tuple[str, bool]]], *, workers: int, batch_size: int) -> tuple[State, Any]:
    """Process chunk after chunk in a database of its own; its state, and what drops the database."""
    made = _clone(cluster, cluster.template)
    database: Database = next(made)
    rows = Rows(database)
    workspace = rows.workspace()
    for chunk in chunks:
        accept(database, [delivery(file, workspace, again=again) for file, again in chunk])
        asyncio.run(drain(database, workers=workers, batch_size=batch_size, now=LATER))
    open_events = rows.column("SELECT state FROM raw.webhook_event WHERE state IN ('pending', 'running', 'dead')")
    assert open_events == []
    return State(rows), made


@st.composite
def streams(draw: st.DrawFn) -> tuple[list[str], list[list[tuple[str, bool]]]]:
    """Some samples, and one way in which they may come: shuffled, repeated, in a few portions."""
    files = draw(st.lists(st.sampled_from(FILES), min_size=2, max_size=7, unique=True))
    repeated = draw(st.lists(st.tuples(st.sampled_from(files), st.booleans()), max_size=3))
    order = draw(st.permutations([(file, False) for file in files] + repeated))
    cuts = sorted(draw(st.sets(st.integers(1, len(order)), max_size=len(order))))
    chunks = [order[start:end] for start, end in zip([0, *cuts], [*cuts, len(order)], strict=True) if start < end]
    return files, chunks


def check(cluster: Cluster, files: list[str], chunks: Any, workers: int, batch_size: int) -> None:
    reference, first = run(cluster, [[(file, False)] for file in sorted(files)], workers=1, batch_size=500)
    shuffled, second = run(cluster, chunks, workers=workers, batch_size=batch_size)
    try:
        assert differences(reference, shuffled) == {}
    finally:
        for database in (first, second):
            next(database, None)


@given(streams(), st.sampled_from([1, 2]), st.sampled_from([1, 3, 500]))
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_order_repetition_and_lanes_do_not_matter(cluster: Cluster, stream: Any, workers: int, batch_size: int) -> None:
    check(cluster, *stream, workers, batch_size)


@pytest.mark.parametrize("workers", [1, 2])
def test_the_whole_corpus_backwards(cluster: Cluster, workers: int) -> None:
    """All samples at once: the most crowded conversation that they can make."""
    backwards = [(file, False) for file in reversed(sorted(FILES))]
    check(cluster, FILES, [backwards[:40], backwards[40:], [(file, True) for file in FILES[::5]]], workers, 7)


@pytest.mark.proof
@given(streams(), st.sampled_from([1, 2]), st.sampled_from([1, 3, 500]))
@settings(max_examples=600, print_blob=True, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_many_orders(cluster: Cluster, stream: Any, workers: int, batch_size: int) -> None:
    check(cluster, *stream, workers, batch_size)
