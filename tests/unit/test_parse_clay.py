"""Clay: what counts as found, whatever a table's author called the cells."""

import json
from typing import Any

import pytest

from tests.unit.test_parse_samples import RECEIVED, ZONE, parse
from zrg_dagster.core.providers.clay.parse import parse as parse_body
from zrg_dagster.core.providers.records import Parsed, ShapeError

PROFILE = "https://linkedin.com/in/mara-okafor-brightloom"
LEAD = "0190aaaa-0000-7000-8000-000000000001"


def read(enrichment: str = "phone", zone: str | None = ZONE, **cells: Any) -> Parsed:
    body = {"leadId": LEAD, "enrichmentType": enrichment, **cells}
    return parse_body(json.dumps(body).encode(), received_at=RECEIVED, workspace_timezone=zone, scope="ws")


@pytest.mark.parametrize(
    ("file", "kind", "status", "reason", "value"),
    [
        ("callback_phone__success", "phone", "success", None, "+14155550132"),
        ("callback_phone__alternate_keys", "phone", "success", None, "+14155550132"),
        ("callback_phone__does_not_overwrite", "phone", "success", None, "+14155559999"),
        ("callback_phone__not_found", "phone", "not_found", "no_value", None),
        ("callback_phone__success_but_empty", "phone", "not_found", "no_value", None),
        ("callback_linkedin__success", "linkedin", "success", None, PROFILE),
        ("callback_linkedin__no_status_infer_success", "linkedin", "success", None, PROFILE),
        ("callback_linkedin__no_status_infer_not_found", "linkedin", "not_found", "no_value", None),
        ("callback_linkedin__error", "linkedin", "failed", "vendor_error", None),
        ("callback_linkedin__success_false", "linkedin", "failed", "vendor_error", None),
        ("callback__company_page_not_person", "linkedin", "not_found", "company_page", None),
    ],
)
def test_samples(file: str, kind: str, status: str, reason: str | None, value: str | None) -> None:
    parsed = parse(f"clay/{file}.json")
    found, lead = parsed.enrichment, parsed.lead
    assert found is not None
    assert lead is not None
    assert (found.kind, found.status, found.reason, found.lead_id) == (kind, status, reason, "lead_01HZY7Q0M3")
    assert parsed.event_type == f"{kind}.{status}"
    assert (lead.phone if kind == "phone" else lead.linkedin_url) == value
    assert [each for _, each in lead.identities] == ([value] if value else [])
    assert found.at == RECEIVED


@pytest.mark.parametrize("word", ["success", "OK", "Succeeded", "ok"])
def test_success_in_other_words(word: str) -> None:
    assert read(outcome=word, mobile="+14155550132").event_type == "phone.success"


@pytest.mark.parametrize("word", ["not_found", "Not found", "NOTFOUND", "missing", "not-found"])
def test_not_found_in_other_words_even_beside_a_value(word: str) -> None:
    parsed = read(result=word, phone="+14155550132")
    assert parsed.event_type == "phone.not_found"
    assert parsed.lead is not None
    assert parsed.lead.phone is None


@pytest.mark.parametrize(
    ("cells", "status"),
    [
        ({"phone": "+14155550132"}, "success"),
        ({"error": "credits exhausted"}, "failed"),
        ({"error": "one source failed", "phone": "+14155550132"}, "success"),
        ({"ok": True, "phone": "+14155550132"}, "success"),
        ({"ok": True}, "not_found"),
        ({"success": False, "phone": "+14155550132"}, "failed"),
        ({"success": "maybe"}, "not_found"),
        ({"status": "", "phone": "+14155550132"}, "success"),
        ({"status": "{{Status}}", "phone": "{{Mobile Phone}}"}, "not_found"),
        ({}, "not_found"),
    ],
)
def test_without_a_status_the_cells_tell(cells: dict[str, Any], status: str) -> None:
    assert read(**cells).event_type == f"phone.{status}"


def test_a_national_number_needs_the_workspace_s_country() -> None:
    parsed = read(phone="0412 345 678", zone="Australia/Sydney")
    assert parsed.lead is not None
    assert parsed.lead.phone == "+61412345678"
    found = read(phone="0412 345 678", zone=None).enrichment
    assert found is not None
    assert (found.status, found.reason) == ("not_found", "unusable_number")


def test_a_member_id_counts_beside_a_profile_only() -> None:
    both = read("linkedin", linkedinUrl=PROFILE, linkedinId="ACoAADx91").lead
    assert both is not None
    assert both.identities == (("linkedin_member", "ACoAADx91"), ("linkedin_url", PROFILE))
    for odd in ("", "  ", "{{Member Id}}", "two words"):
        lead = read("linkedin", linkedinUrl=PROFILE, linkedinId=odd).lead
        assert lead is not None
        assert lead.identities == (("linkedin_url", PROFILE),)
    assert read("linkedin", linkedinId="ACoAADx91").event_type == "linkedin.not_found"


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"leadId": None}, "$.leadId", "shape_mismatch"),
        ({"leadId": {"id": 1}}, "$.leadId", "shape_mismatch"),
        ({"enrichmentType": "favorite_color"}, "$.enrichmentType", "unknown_event_type"),
        ({"enrichmentType": None}, "$.enrichmentType", "unknown_event_type"),
        ({"status": "in progress"}, "$.status", "shape_mismatch"),
    ],
)
def test_what_cannot_be_an_answer_is_put_aside(changes: dict[str, Any], path: str, code: str) -> None:
    with pytest.raises(ShapeError) as raised:
        read(**changes)
    assert (raised.value.path, raised.value.code) == (path, code)
