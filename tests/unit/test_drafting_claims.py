"""Prices and promises need a source (PX rules). Cases marked B.. were wrong in the system before this one."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.drafting_world import context
from zrg_dagster.core.drafting.claims import Sources, claims_in, prices_in
from zrg_dagster.core.drafting.guards import GuardCode, check, facts_of

OURS = Sources("Loom care from $650 monthly, or $6,500 per year. A 30-day warranty.", "The pilot costs €900.")


@pytest.mark.parametrize(
    "text, amount, currency, cadence",
    [
        ("$650 monthly", "650", "USD", "monthly"),  # B48
        ("$1,200/mo", "1200", "USD", "monthly"),
        ("it is $2.5k a month", "2500", "USD", "monthly"),  # B49
        ("€900 per quarter", "900", "EUR", "quarterly"),
        ("900 euros a year", "900", "EUR", "yearly"),
        ("650 dollars", "650", "USD", None),
        ("£49.50 per seat per month", "49.50", "GBP", "monthly"),
        ("1.200 € per month", "1200", "EUR", "monthly"),
        ("USD 99", "99", "USD", None),
    ],
)
def test_amounts_with_their_cadence(text: str, amount: str, currency: str, cadence: str | None) -> None:
    (price,) = prices_in(text)
    assert (price.amount, price.currency, price.cadence) == (Decimal(amount), currency, cadence)


@pytest.mark.parametrize(
    "text",
    [
        "Mills with $1M+ use it.",
        "You have $5 million in revenue.",
        "They raised $12M last year.",
        "Companies with $400k ARR or more.",
        "In 2025 we looked at 30 looms at 9:00 AM.",
        "A 15-minute call, 24/7.",
    ],
)
def test_what_is_no_price(text: str) -> None:
    assert prices_in(text) == []


@pytest.mark.parametrize(
    "draft, source, problem",
    [
        ("It is $650 a month.", "service_description", None),
        ("It is $650.", "service_description", None),
        ("It is $6,500 per year.", "service_description", None),
        ("It is $650 per year.", None, "cadence"),
        ("It is $600 a month.", None, "amount"),
        ("It is €650 a month.", None, "amount"),
        # The description says what we charge, so the knowledge is not asked (PX-02).
        ("The pilot costs €900.", None, "amount"),
    ],
)
def test_a_price_stands_in_the_description_with_its_cadence(
    draft: str, source: str | None, problem: str | None
) -> None:
    (claim,) = claims_in(draft, OURS)
    assert (claim.source, claim.problem) == (source, problem)


def test_the_knowledge_supports_a_price_where_the_description_names_none() -> None:
    (claim,) = claims_in("The pilot costs €900.", replace(OURS, service_description="We look after looms."))
    assert claim.source == "knowledge"
    (claim,) = claims_in("It costs €900 a month.", replace(OURS, service_description="We look after looms."))
    assert claim.problem == "cadence", "a source without cadence supports none"


@pytest.mark.parametrize(
    "draft, source",
    [
        ("There is a warranty of course.", "service_description"),
        ("We guarantee a 40 % gain.", "service_description"),
        ("You get your money back.", None),
        ("You get 20% off this week.", None),
        ("The first month is free: a free trial.", None),
        ("We are SOC 2 audited.", None),
        ("You will double your output, 3x more.", None),
    ],
)
def test_a_promise_stands_in_our_own_texts(draft: str, source: str | None) -> None:
    (claim, *_rest) = claims_in(draft, OURS)
    assert claim.source == source


def test_a_standard_is_that_very_one() -> None:
    ours = Sources("We are SOC 2 audited.")
    assert claims_in("We are SOC 2 audited.", ours)[0].source
    assert claims_in("We are HIPAA ready.", ours)[0].source is None


def test_a_claim_without_source_stops_a_draft_and_every_claim_is_traced() -> None:
    facts = replace(facts_of(context()), sources=OURS)
    good = check("It is $650 a month, with a warranty.", facts)
    assert good.passed
    assert [claim["source"] for claim in good.claims_document()] == ["service_description"] * 2
    bad = check("It is $1 a month, money-back.", facts)
    assert bad.codes == (GuardCode.PRICE_UNSUPPORTED, GuardCode.PROMISE_UNSUPPORTED)
    found = {line["guard"]: line["found"] for line in bad.trace()}
    assert list(found) == list(GuardCode)
    assert found["price_unsupported"] == ["$1 a month"]
    assert found["fabricated_link"] == []


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_text_has_claims_or_none(draft: str, ours: str) -> None:
    for claim in claims_in(draft, Sources(ours)):
        assert (claim.source is None) is (claim.problem is not None)


@given(st.integers(1, 9_999), st.sampled_from(["a month", "per year", "weekly"]))
def test_what_stands_word_for_word_in_the_description_is_supported(amount: int, cadence: str) -> None:
    (claim,) = claims_in(f"So ${amount} {cadence}.", Sources(f"We take ${amount} {cadence}."))
    assert claim.source == "service_description"
