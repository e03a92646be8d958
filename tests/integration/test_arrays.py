"""What our arrays say, Postgres reads: any text, id, time and truth value, beside the driver's own way of writing them."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.adapt import PyFormat
from psycopg.types.array import ListDumper

from tests.conftest import Database
from zrg_dagster.core.db.arrays import BatchListDumper, literal

TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=20)
AWKWARD = st.sampled_from(["", "NULL", "null", '"', "\\", '\\"', "{", "}", ",", " a ", "\n", "\u3000", "'", "a,b"])


@pytest.fixture
def connection(database: Database):
    with psycopg.connect(database.dsn("worker"), autocommit=True) as connection:
        connection.adapters.register_dumper(list, BatchListDumper)
        yield connection


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.none() | TEXTS | AWKWARD, max_size=30), ids=st.lists(st.none() | st.uuids(), max_size=30))
def test_texts_and_ids_come_back_as_they_were(connection, texts: list[str | None], ids: list[UUID | None]) -> None:
    row = connection.execute("SELECT %s::text[], %s::uuid[]", (texts, ids)).fetchone()
    assert row == (texts, ids)


ZONES = st.timezones() | st.sampled_from([UTC, timezone(timedelta(hours=-3, minutes=-30))])
# A time that clocks skip in spring equals no other, not even the instant that it is taken for.
TIMES = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=ZONES, allow_imaginary=False)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(times=st.lists(st.none() | TIMES, max_size=30), marks=st.lists(st.none() | st.booleans(), max_size=30))
def test_times_and_truth_values_come_back_too(
    connection, times: list[datetime | None], marks: list[bool | None]
) -> None:
    row = connection.execute("SELECT %s::timestamptz[], %s::boolean[]", (times, marks)).fetchone()
    # As instants: Python holds a time that clocks show twice unequal to the same instant in another zone.
    assert row == ([time and time.astimezone(UTC) for time in times], marks)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(TEXTS | AWKWARD, max_size=30))
def test_a_literal_is_read_as_the_array_that_it_names(connection, texts: list[str]) -> None:
    assert connection.execute("SELECT %s::text::text[]", (literal(texts),)).fetchone() == (texts,)


def test_a_text_with_nul_is_refused_as_before(connection) -> None:
    with pytest.raises(psycopg.DataError, match="NUL"):
        connection.execute("SELECT %s::text[]", (["a\x00b"],))


@pytest.mark.parametrize("values", [[1, 2], [[1], [2]], [True, None], [b"a"], [["x", "y"]], [None, None], []])
def test_other_lists_go_the_drivers_way(connection, values: list) -> None:
    ours = BatchListDumper(list, connection).dump(values)
    assert ours == ListDumper(list, connection).dump(values)


@pytest.mark.parametrize(
    "values",
    [
        ["a", None],
        [UUID(int=1)],
        [True, None],
        [datetime(2026, 3, 1, tzinfo=UTC)],
        [datetime(2026, 3, 1)],
        [None],
        [],
        [1],
    ],
)
def test_a_list_has_the_type_that_the_driver_gives_it(connection, values: list) -> None:
    ours, theirs = BatchListDumper(list, connection), ListDumper(list, connection)
    assert ours.get_key(values, PyFormat.AUTO) == theirs.get_key(values, PyFormat.AUTO)
    assert ours.upgrade(values, PyFormat.AUTO).oid == theirs.upgrade(values, PyFormat.AUTO).oid


def test_both_readings_of_an_hour_that_a_zone_repeats_are_told_apart(connection) -> None:
    """They are equal to Python, and an hour apart."""
    times = [datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=fold) for fold in (0, 1)]
    row = connection.execute("SELECT %s::timestamptz[]", (times,)).fetchone()
    assert row[0][1] - row[0][0] == timedelta(hours=1)
