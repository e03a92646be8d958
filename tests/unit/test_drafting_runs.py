"""What a stage's payload becomes (PR-05)."""

import json

import pytest

from zrg_dagster.core.drafting.runs import MAX_PAYLOAD_BYTES, capped


def test_a_payload_is_kept_as_it_is_and_none_stays_none():
    assert capped(None) is None
    assert json.loads(capped({"a": [1, "ü", None]}) or "") == {"a": [1, "ü", None]}
    assert json.loads(capped({"a": "x\x00y"}) or "") == {"a": "xy"}


@pytest.mark.parametrize("letter", ["a", "ü", "語"])
def test_the_limit_is_in_bytes(letter):
    fits = (MAX_PAYLOAD_BYTES - 2) // len(letter.encode())
    assert json.loads(capped(letter * fits) or "") == letter * fits
    over = json.loads(capped(letter * (fits + 1)) or "")
    assert over == {
        "error": "payload_too_large", "bytes": 2 + (fits + 1) * len(letter.encode()), "maxBytes": MAX_PAYLOAD_BYTES,
    }  # fmt: skip


def test_what_is_no_json_says_so():
    assert json.loads(capped({"a": object()}) or "") == {"error": "payload_not_serializable"}
    circle: list = []
    circle.append(circle)
    assert json.loads(capped(circle) or "") == {"error": "payload_not_serializable"}
