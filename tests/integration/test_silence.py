"""Who fell silent: the rule over made-up weeks, and the question over the counters of the door."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import dagster as dg
import psycopg
import pytest

from tests.conftest import Database
from tests.integration.intake_support import Rows
from tests.integration.lanes_support import Stopped
from zrg_dagster.assets.deliveries import no_source_is_silent
from zrg_dagster.core.base.settings import current_settings
from zrg_dagster.core.db.engine import sync_connect
from zrg_dagster.core.intake.silence import ENDED_AFTER, GRACE, Source, is_silent, silent_sources
from zrg_dagster.resources.database import Database as DatabaseResource

MONDAY = datetime(2026, 3, 9, tzinfo=UTC)
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
NOW = MONDAY + 14 * HOUR


def source(*weeks: int, last: datetime = NOW - 3 * HOUR, first: datetime = NOW - 30 * DAY) -> Source:
    return Source("emailbison", "w", first, last, weeks)


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        (source(40, 30, 50, 20), True),
        (source(5, 5, 5, 5), True),
        (source(40, 30, 4, 20), False),  # a quiet Monday of its own, three weeks ago
        (source(0, 0, 0, 0), False),  # the night
        (source(40, 30, 50, 0, first=NOW - 23 * DAY), True),  # the fourth week was before its time
        (source(40, 30, 0, 0, first=NOW - 20 * DAY), False),  # too young
        (source(40, 30, 50, 20, last=NOW - GRACE + timedelta(minutes=1)), False),
        (source(40, 30, 50, 20, last=NOW - ENDED_AFTER), False),
    ],
)
def test_silence_is_judged_by_the_same_stretch_of_the_weeks_before(heard: Source, expected: bool) -> None:
    assert is_silent(heard, NOW) == expected


class Door:
    """Writes the counters as the door would have."""

    def __init__(self, database: Database) -> None:
        self._admin = database.dsn("bootstrap")
        self._worker = database.dsn("worker")

    def count(self, workspace: UUID, provider: str, times: list[datetime], number: int = 1) -> None:
        with psycopg.connect(self._admin) as conn, conn.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO ops.intake_count (minute, provider, fair_key, stored) VALUES (%s, %s, %s, %s)",
                [(at, provider, workspace, number) for at in times],
            )

    def silent(self, now: datetime) -> list[tuple[str, str, timedelta]]:
        with sync_connect(self._worker) as conn:
            return [(each.provider, each.workspace, now - each.last) for each in silent_sources(conn, now)]


@pytest.fixture
def door(database: Database) -> Door:
    return Door(database)


@pytest.fixture
def workspace(database: Database) -> UUID:
    return Rows(database).workspace("harbourline")


def office_hours(until: datetime, *, every: timedelta = timedelta(minutes=10)) -> list[datetime]:
    """Deliveries on weekdays from 8 to 18 UTC, over five weeks."""
    found, at = [], until - 5 * WEEK
    while at < until:
        if at.weekday() < 5 and 8 <= at.hour < 18:
            found.append(at)
        at += every
    return found


def test_nights_and_weekends_cry_no_wolf_and_a_silent_monday_does(door: Door, workspace: UUID) -> None:
    """The feed stops on a Friday evening, as always; on Monday it does not come back."""
    friday = MONDAY - 3 * DAY
    door.count(workspace, "emailbison", office_hours(friday + 18 * HOUR))
    looked = [friday + 18 * HOUR + at * HOUR for at in range(1, 62)]  # until Monday 7:00
    assert [door.silent(at) for at in looked] == [[]] * len(looked)
    assert door.silent(MONDAY + 9 * HOUR) == []  # an hour of grace
    [(provider, key, silent_for)] = door.silent(MONDAY + 10 * HOUR)
    assert (provider, key) == ("emailbison", "harbourline")
    assert silent_for == timedelta(days=2, hours=16, minutes=10)


def test_a_busy_source_is_missed_within_two_hours(door: Door, workspace: UUID) -> None:
    noon = MONDAY + DAY + 12 * HOUR
    door.count(workspace, "ghl", office_hours(noon, every=timedelta(minutes=1)))
    assert door.silent(noon + HOUR) == []
    assert [each[0] for each in door.silent(noon + HOUR + timedelta(minutes=7))] == ["ghl"]
    door.count(workspace, "ghl", [noon + HOUR + timedelta(minutes=8)])
    assert door.silent(noon + 2 * HOUR) == []


def test_who_delivers_little_or_since_yesterday_is_never_silent(door: Door, workspace: UUID) -> None:
    noon = MONDAY + DAY + 12 * HOUR
    door.count(workspace, "calendly", [noon - back * DAY for back in range(1, 35)])
    door.count(workspace, "instantly", [at for at in office_hours(noon) if at > noon - 10 * DAY])
    door.count(workspace, "slack", office_hours(noon))
    assert door.silent(noon + 6 * HOUR) == []


def test_a_workspace_that_was_archived_and_a_source_that_has_ended_are_left_alone(
    database: Database, door: Door, workspace: UUID
) -> None:
    noon = MONDAY + DAY + 12 * HOUR
    door.count(workspace, "emailbison", office_hours(noon))
    assert len(door.silent(noon + 5 * HOUR)) == 1
    assert len(door.silent(noon + 6 * DAY)) == 1
    assert door.silent(noon + 8 * DAY) == []
    Rows(database).all("UPDATE app.workspace SET is_active = false")
    assert door.silent(noon + 5 * HOUR) == []


@pytest.fixture
def settings(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ZRG_DB_WORKER_URL", database.dsn("worker"))
    current_settings.cache_clear()
    yield
    current_settings.cache_clear()


def test_the_check_names_who_is_silent_and_since_when(door: Door, workspace: UUID, settings: None) -> None:
    noon = MONDAY + DAY + 12 * HOUR
    door.count(workspace, "emailbison", office_hours(noon))

    def checked(at: datetime) -> dg.AssetCheckResult:
        result = no_source_is_silent(DatabaseResource(role="worker"), Stopped(at=at.isoformat()))
        assert isinstance(result, dg.AssetCheckResult)
        return result

    assert checked(noon + HOUR).passed
    alarm = checked(noon + 4 * HOUR)
    assert (alarm.passed, alarm.severity, alarm.metadata["silent"].value) == (False, dg.AssetCheckSeverity.ERROR, 1)
    told = str(alarm.metadata["sources"].value)
    assert "| emailbison | harbourline | Tue 2026-03-10 11:50Z | 4.2 h | 18, 18, 18, 18 |" in told
