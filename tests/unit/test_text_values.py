"""Phones, addresses, LinkedIn and web addresses, times: one normal form each."""

from datetime import UTC, datetime, timedelta

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zrg_dagster.core.text.address import Address, normalise_email, parse_address, parse_address_list, split_name
from zrg_dagster.core.text.linkedin import company_url, find_profile, parse_linkedin, profile_url
from zrg_dagster.core.text.phone import region_of_timezone, to_e164
from zrg_dagster.core.text.times import best_stamp, parse_local, parse_timestamp
from zrg_dagster.core.text.website import normalise_website

RECEIVED = datetime(2026, 3, 10, 16, 41, 33, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "region", "expected"),
    [
        ("+1 (415) 555-0132", None, "+14155550132"),
        ("+1 415 555 2671 ext 9", None, "+14155552671"),  # B31
        ("+14155552671x9", None, "+14155552671"),
        ("(415) 555-2671", "US", "+14155552671"),  # B32
        ("(415) 555-2671", None, None),
        ("1 415 555 2671", None, "+14155552671"),  # NP-04
        ("11987654321", None, None),
        ("11987654321", "US", None),
        ("0412 345 678", "AU", "+61412345678"),  # B34
        ("07911 123456", "GB", "+447911123456"),
        ("0044 20 7946 0958", "US", "+442079460958"),  # NP-02
        ("+44 20 7946 0958", None, "+442079460958"),
        ("+39 06 698 12345", None, "+390669812345"),
        ("+1 415 555 0132 (mobile)", None, "+14155550132"),
        ("555-0132", "US", None),
        ("12345", "US", None),
        ("", "US", None),
        ("-", None, None),
        ("+1" * 40, None, None),
        ("٠١٢٣٤٥٦٧٨٩", "EG", None),
        ("415-555-2671", "XX", None),
        ("+270000000", None, None),
        ("+4902997", None, None),
        ("06 698 12345", "IT", "+390669812345"),
    ],
)
def test_phone(value: str, region: str | None, expected: str | None) -> None:
    assert to_e164(value, region) == expected


@given(
    st.one_of(st.text(max_size=40), st.from_regex(r"\+?[0-9 ()-]{5,18}", fullmatch=True)),
    st.sampled_from([None, "US", "GB", "FR", "AU"]),
)
def test_phone_is_idempotent(value: str, region: str | None) -> None:
    number = to_e164(value, region)
    if number is not None:
        assert number.startswith("+")
        assert number[1:].isdigit()
        assert to_e164(number, None) == number
        assert to_e164(number, "DE") == number


@given(st.from_regex(r"\+1[2-9][0-9]{2}[2-9][0-9]{6}", fullmatch=True))
def test_a_north_american_number_is_what_the_library_makes_of_it(number: str) -> None:
    """It is not asked for these: half of all numbers, at a twentieth of the time."""
    assert to_e164(number) == phonenumbers.format_number(
        phonenumbers.parse(number, None), phonenumbers.PhoneNumberFormat.E164
    )


@pytest.mark.parametrize(
    ("zone", "region"),
    [
        ("America/Los_Angeles", "US"),
        ("Europe/Paris", "FR"),
        ("Australia/Sydney", "AU"),
        ("US/Eastern", "US"),
        ("UTC", None),
        (None, None),
    ],
)
def test_region_of_a_zone(zone: str | None, region: str | None) -> None:
    assert region_of_timezone(zone) == region


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (" Mara@Brightloom.Example ", "mara@brightloom.example"),
        ("<jane@acme.com>", "jane@acme.com"),
        ("mailto:jane@acme.com", "jane@acme.com"),
        ("a@b", None),
        ("a b@c.de", None),
        ("a@@c.de", None),
        ("", None),
        (None, None),
        (7, None),
        ("x" * 300 + "@a.de", None),
    ],
)
def test_email(value: object, expected: str | None) -> None:
    assert normalise_email(value) == expected


def test_display_form() -> None:
    assert parse_address('"Doe, Jane" <Jane@acme.com>') == Address("jane@acme.com", "Doe, Jane")  # B38
    assert parse_address(" <jane@acme.com> ") == Address("jane@acme.com")  # B39
    assert parse_address({"name": "'Jane'", "address": "jane@acme.com"}) == Address("jane@acme.com", "Jane")


@pytest.mark.parametrize(
    "value",
    [
        '"Doe, J" <a@x.io>, b@y.io; A@x.io',
        ["Doe, J <a@x.io>".replace("Doe, J", '"Doe, J"'), "b@y.io", "", None, 7],
        [{"name": "Doe, J", "address": "a@x.io"}, {"email": "b@y.io"}, {"address": "broken"}],
        [['"Doe, J" <a@x.io>'], '"Doe, J" <a@x.io>', {"address": "b@y.io"}],
    ],
)
def test_address_lists_in_every_shape(value: object) -> None:
    assert [address.email for address in parse_address_list(value)] == ["a@x.io", "b@y.io"]


def test_address_list_is_bounded() -> None:
    assert len(parse_address_list(", ".join(f"a{number}@x.io" for number in range(500)))) == 20
    assert parse_address_list(None) == ()


def test_names() -> None:
    assert split_name("Doe, Jane") == ("Jane", "Doe")  # B40
    assert split_name("Ines Brandt") == ("Ines", "Brandt")
    assert split_name("Cher") == ("Cher", None)
    assert split_name("jane@acme.com") == (None, None)
    assert split_name(None) == (None, None)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("https://www.linkedin.com/in/Mara-Okafor/?trk=x", "https://linkedin.com/in/mara-okafor"),
        ("de.linkedin.com/in/mara-okafor/details", "https://linkedin.com/in/mara-okafor"),
        ("linkedin://in/mara-okafor", "https://linkedin.com/in/mara-okafor"),
        ("https://linkedin.com/company/acme", None),
        ("https://linkedin.com/pub/mara", None),
        ("https://linkedin.com/feed/", None),
        ("https://linkedin.com.attacker.io/in/jane", None),  # B37
        ("https://evil-linkedin.com/in/jane", None),  # B37
        ("https://linkedin.com@evil.example/in/jane", None),
        ("https://evil.example/linkedin.com/in/jane", None),
        ("javascript:linkedin.com/in/jane", None),
        ({"a": 1}, None),
    ],
)
def test_linkedin_profile(value: object, expected: str | None) -> None:
    assert profile_url(value) == expected


def test_linkedin_company_and_text() -> None:
    assert company_url("https://www.linkedin.com/company/Acme/about") == "https://linkedin.com/company/acme"
    assert find_profile("I am at linkedin.com/in/jane-doe, see you") == "https://linkedin.com/in/jane-doe"
    assert find_profile("https://evil-linkedin.com/in/jane") is None
    assert find_profile("https://evil.example/linkedin.com/in/jane") is None


@given(st.text(max_size=60).map(lambda slug: f"https://linkedin.com/in/{slug}"))
def test_linkedin_is_idempotent(url: str) -> None:
    found = parse_linkedin(url)
    if found is not None:
        assert parse_linkedin(found.url) == found


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("brightloom.example", "https://brightloom.example"),
        ("See HTTPS://Acme.com/ now", "https://acme.com"),
        ("http://acme.com/a?b=c", "http://acme.com/a?b=c"),
        ("ftp://x.com", None),  # B44
        ("jane@acme.com", None),
        ("none", None),
        (None, None),
    ],
)
def test_website(value: object, expected: str | None) -> None:
    assert normalise_website(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-03-10T16:40:51.000000Z", datetime(2026, 3, 10, 16, 40, 51, tzinfo=UTC)),
        ("2026-03-12T10:00:00-07:00", datetime(2026, 3, 12, 17, tzinfo=UTC)),
        (1773162411, datetime(2026, 3, 10, 17, 6, 51, tzinfo=UTC)),
        (1773162411000, datetime(2026, 3, 10, 17, 6, 51, tzinfo=UTC)),
        ("1773162411.5", datetime(2026, 3, 10, 17, 6, 51, 500_000, tzinfo=UTC)),
        ("2026-03-10 09:41:05", None),
        ("2026-03-10", None),
        (5, None),
        (True, None),
        (float("nan"), None),
        (10**400, None),
        ("0001-01-01T00:00:00+14:00", None),
        ({}, None),
    ],
)
def test_timestamp(value: object, expected: datetime | None) -> None:
    assert parse_timestamp(value) == expected


def test_local_time_needs_a_zone() -> None:
    assert parse_local("2026-03-10 09:41:05", "America/Los_Angeles", near=RECEIVED) == datetime(
        2026, 3, 10, 16, 41, 5, tzinfo=UTC
    )
    assert parse_local("2026-03-10 09:41:05", None, near=RECEIVED) is None
    assert parse_local("2026-03-10 09:41:05", "Mars/Olympus", near=RECEIVED) is None


def test_local_time_in_the_overlap_is_the_reading_next_to_receipt() -> None:
    for hour in (8, 9):
        near = datetime(2026, 11, 1, hour, 31, tzinfo=UTC)
        assert parse_local("2026-11-01 01:30:00", "America/Los_Angeles", near=near) == near - timedelta(minutes=1)


def test_stamp_falls_back_to_receipt() -> None:
    assert best_stamp((None, "x", "2026-03-10T16:40:51Z"), RECEIVED).quality == "provider"
    assert best_stamp(("2027-01-01T00:00:00Z",), RECEIVED) == best_stamp((), RECEIVED)
    assert best_stamp(("2026-02-18T16:03:11Z",), RECEIVED, within=timedelta(minutes=20)).quality == "receipt"


@given(st.one_of(st.text(max_size=40), st.integers(), st.floats(), st.booleans(), st.none()))
def test_any_value_is_an_aware_instant_or_nothing(value: object) -> None:
    at = parse_timestamp(value)
    assert at is None or at.tzinfo is UTC
