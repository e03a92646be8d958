"""Whatever a vendor sends, parsing answers with records or with `ShapeError`, and both are fit to be stored."""

import copy
import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.test_parse_samples import ENTRIES, RECEIVED, SCOPE, ZONE, wire_body
from zrg_dagster.core.providers.calendly.parse import parse as parse_calendly
from zrg_dagster.core.providers.clay.parse import parse as parse_clay
from zrg_dagster.core.providers.emailbison.parse import parse as parse_emailbison
from zrg_dagster.core.providers.ghl.parse import parse as parse_ghl
from zrg_dagster.core.providers.instantly.parse import parse as parse_instantly
from zrg_dagster.core.providers.payload import _load_tolerantly, load
from zrg_dagster.core.providers.records import IDENTITY_PRIORITY, Parsed, ShapeError
from zrg_dagster.core.providers.resend.parse import parse as parse_resend
from zrg_dagster.core.providers.slack.parse import parse as parse_slack
from zrg_dagster.core.providers.smartlead.parse import parse as parse_smartlead
from zrg_dagster.core.providers.unipile.parse import parse as parse_unipile

PARSERS = {
    "emailbison": parse_emailbison,
    "smartlead": parse_smartlead,
    "instantly": parse_instantly,
    "ghl": parse_ghl,
    "calendly": parse_calendly,
    "slack": parse_slack,
    "unipile": parse_unipile,
    "clay": parse_clay,
    "resend": parse_resend,
}

_SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12),
    st.sampled_from(["\x00", "\ud800", "2026-03-10T16:40:51Z", "a@b.co", "STOP", "<div>x", 10**400, 1e300,
                     "0001-01-01T00:00:00+14:00", "https://[", "9" * 400]),
)  # fmt: skip
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)),
    max_leaves=8,
)


def strings_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from strings_in(getattr(value, field.name))
    elif isinstance(value, tuple):
        for item in value:
            yield from strings_in(item)


def check(vendor: str, body: bytes) -> None:
    try:
        parsed: Parsed = PARSERS[vendor](body, received_at=RECEIVED, workspace_timezone=ZONE, scope=SCOPE)
    except ShapeError:
        return
    for text in strings_in(parsed):
        assert "\x00" not in text
        text.encode()
    if parsed.lead is not None:
        kinds = [IDENTITY_PRIORITY.index(kind) for kind, _ in parsed.lead.identities]
        assert kinds == sorted(kinds)
    if parsed.message is not None:
        assert parsed.message.key
        assert parsed.message.sent_at.tzinfo is not None


@pytest.mark.parametrize("vendor", PARSERS)
@given(st.binary(max_size=80))
def test_any_bytes(vendor: str, body: bytes) -> None:
    check(vendor, body)
    check(vendor, b"payload=" + body)


@pytest.mark.parametrize("vendor", PARSERS)
@given(_VALUES)
def test_any_json(vendor: str, value: Any) -> None:
    check(vendor, json.dumps(value).encode())


SAMPLES = [
    (entry["provider"], wire_body(entry["file"]))
    for entry in ENTRIES
    if entry["kind"] == "json-body" and entry["expect"]["outcome"] == "accept"
]


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in pairs:
        yield from _paths(child, (*path, key))


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=300, deadline=None)
@given(st.data())
def test_a_sample_with_one_value_replaced_or_missing(data: st.DataObject) -> None:
    vendor, body = data.draw(st.sampled_from(SAMPLES))
    document = copy.deepcopy(json.loads(body))
    path = data.draw(st.sampled_from(list(_paths(document))))
    holder = document
    for step in path[:-1]:
        holder = holder[step]
    if data.draw(st.booleans()):
        holder[path[-1]] = data.draw(_VALUES)
    else:
        del holder[path[-1]]
    check(vendor, json.dumps(document).encode())


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)
_ODD = [
    b'{"a":1,"a":2}',
    b"[1e400]",
    b"[12345678901234567890123]",
    b"[-0.0, 5e-324]",
    b'"\\ud83d\\ude00"',
    b'"\\u0000"',
    b"-0",
]


@given(_JSON.map(lambda value: json.dumps(value).encode()) | st.sampled_from(_ODD))
def test_both_decoders_read_the_same(body: bytes) -> None:
    assert repr(load(body)) == repr(_load_tolerantly(body))


@pytest.mark.parametrize("vendor", PARSERS)
@pytest.mark.parametrize(
    "body", [b"[" * 200_000, b'{"a":' * 100_000, b'{"event":' + b"9" * 10_000 + b"}", b"", b"\xff\xfe", b"null"]
)
def test_bodies_that_break_decoders(vendor: str, body: bytes) -> None:
    with pytest.raises(ShapeError):
        PARSERS[vendor](body, received_at=RECEIVED, workspace_timezone=ZONE, scope=SCOPE)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("unit", ["a", "<div>", "On 1, x wrote\n", "\x00", "please stop ", "a@b.co\n", "<", "é"])
@pytest.mark.parametrize("field", ["text_body", "html_body"])
def test_five_mebibyte_reply(unit: str, field: str) -> None:
    document = json.loads(wire_body("emailbison/LEAD_REPLIED__basic.json"))
    document["data"]["reply"] |= {"text_body": None, "html_body": None}
    document["data"]["reply"][field] = unit * (5 * 2**20 // len(unit))
    check("emailbison", json.dumps(document).encode())


@pytest.mark.timeout(60)
@pytest.mark.parametrize("unit", ["a", "<div>", "On 1, x wrote\n"])
@pytest.mark.parametrize(
    ("file", "fields"),
    [
        ("smartlead/EMAIL_REPLY__missing_stats_id", ("reply_message", "reply_body", "preview_text", "to_name")),
        ("instantly/reply_received__missing_email_id", ("reply_text", "reply_html", "firstName", "lead_email")),
    ],
)
def test_five_mebibyte_fields_of_mail_without_an_id(unit: str, file: str, fields: tuple[str, ...]) -> None:
    document = json.loads(wire_body(f"{file}.json"))
    for field in fields:
        check(file.partition("/")[0], json.dumps({**document, field: unit * (5 * 2**20 // len(unit))}).encode())
