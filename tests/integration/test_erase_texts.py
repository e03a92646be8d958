"""What names a person in free text and in raw deliveries: the same for Python and for Postgres."""

import json
from urllib.parse import quote_plus

import psycopg
import pytest

from tests.conftest import Database
from tests.integration.erase_world import EMAIL, PHONE, PROFILE
from zrg_dagster.core.leads.identifiers import MASK, Identifiers


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("write to MARA@brightloom.example.", f"write to {MASK}."),
        ("tamara@brightloom.example", "tamara@brightloom.example"),
        ("mara@brightloom.example-mail.com", "mara@brightloom.example-mail.com"),
        ("+1 415 555 0132", MASK),
        ("(415) 555-0132", f"({MASK}"),
        ("415.555.0132", MASK),
        ("order 94155550132", "order 94155550132"),
        ("see https://www.linkedin.com/in/Mara-Okafor-Looms?x=1", f"see https://www.{MASK}?x=1"),
        ("linkedin.com/in/mara-okafor-looms-2", "linkedin.com/in/mara-okafor-looms-2"),
        ("Mara\n Okafor and Tamara Okaforsson", f"{MASK} and Tamara Okaforsson"),
        ("Mara called", "Mara called"),
    ],
)
def test_what_names_a_person_in_free_text(database: Database, said: str, expected: str) -> None:
    """The same pattern means the same to Python and to Postgres."""
    who = Identifiers(frozenset({EMAIL}), frozenset({PHONE}), frozenset({PROFILE}), frozenset({"Mara Okafor"}))
    assert who.masked({"a": [said, 3]}) == {"a": [expected, 3]}
    with psycopg.connect(database.dsn("worker")) as connection:
        row = connection.execute("SELECT regexp_replace(%s, %s, %s, 'gi')", (said, who.pattern, MASK)).fetchone()
    assert row == (expected,)


@pytest.mark.parametrize(
    "body",
    [
        b'{"email": "Mara@BrightLoom.example"}',
        b"payload=%7B%22email%22%3A%22mara%40brightloom.example%22%7D",
        b"text=by+Mara+Okafor",
        json.dumps({"name": "Søren Åberg"}).encode(),
        json.dumps({"name": "Søren Åberg"}, ensure_ascii=False).encode(),
        b"payload=" + quote_plus(json.dumps({"name": "Søren Åberg"})).encode(),
        b"\x00\xff mara@brightloom.example",
    ],
)
def test_a_delivery_is_found_in_whatever_encoding_it_came(database: Database, body: bytes) -> None:
    who = Identifiers(frozenset({EMAIL}), names=frozenset({"Mara Okafor", "Søren Åberg"}))
    assert who.in_body(body)
    with psycopg.connect(database.dsn("worker")) as connection:
        row = connection.execute("SELECT lower(encode(%s::bytea, 'escape'))", (body,)).fetchone()
    assert row is not None
    assert any(needle in row[0] for needle in who.needles())


def test_nobody_known_is_mentioned_nowhere() -> None:
    nobody = Identifiers()
    assert (nobody.pattern, nobody.needles(), nobody.masked("anything"), nobody.in_body(b"x")) == (
        "",
        [],
        "anything",
        False,
    )
