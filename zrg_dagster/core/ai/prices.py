"""What a call costs. The one price list: USD for a million tokens, in and out (TL-08). Pure.

`AI_MODEL_PRICING_JSON` adds models and replaces prices: `{"gpt-5.1": {"input": 1.25, "output": 10}}`. A model without a
price costs null, never 0 and never a guess: who adds costs up can count what is missing.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

from zrg_dagster.core.base.log import get_logger

log = get_logger(__name__)

MILLION = Decimal(1_000_000)
_SMALLEST = Decimal("0.000001")
# Releases of one model are priced alike: gpt-5-mini-2025-08-07.
_RELEASE = re.compile(r"-\d{4}-\d{2}-\d{2}\Z")
_MODEL = re.compile(r"[\w.:-]{1,80}\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Price:
    """USD for a million tokens; output counts reasoning too."""

    input: Decimal
    output: Decimal


PRICES: Mapping[str, Price] = {
    "gpt-5": Price(Decimal("1.25"), Decimal(10)),
    "gpt-5.1": Price(Decimal("1.25"), Decimal(10)),
    "gpt-5.2": Price(Decimal("1.75"), Decimal(14)),
    "gpt-5-mini": Price(Decimal("0.25"), Decimal(2)),
    "gpt-5-nano": Price(Decimal("0.05"), Decimal("0.4")),
}


def parse_prices(text: str | None) -> dict[str, Price]:
    """The price list with what AI_MODEL_PRICING_JSON says. `ValueError` names the model that is wrong."""
    prices = dict(PRICES)
    if not text or not text.strip():
        return prices
    try:
        given = dict(json.loads(text, parse_float=Decimal))
    except (ValueError, TypeError):
        raise ValueError("is no JSON object") from None
    for model, price in given.items():
        if not _MODEL.match(model) or not isinstance(price, dict) or set(price) != {"input", "output"}:
            raise ValueError(f'{model[:80]!r} needs {{"input": USD, "output": USD}}')
        prices[model] = Price(_usd(model, price["input"]), _usd(model, price["output"]))
    return prices


def _usd(model: str, value: Any) -> Decimal:
    try:
        usd = Decimal(str(value)) if isinstance(value, int | Decimal) and not isinstance(value, bool) else None
    except InvalidOperation:
        usd = None
    if usd is None or not usd.is_finite() or not 0 <= usd <= 10_000:
        raise ValueError(f"{model!r}: a price is a number of USD from 0 to 10000")
    return usd


def cost_usd(
    prices: Mapping[str, Price], model: str, input_tokens: int | None, output_tokens: int | None
) -> Decimal | None:
    """The cost of one call to a millionth of a dollar. None: no known price, or the vendor counted nothing."""
    if input_tokens is None and output_tokens is None:
        return None
    price = prices.get(model) or prices.get(_RELEASE.sub("", model))
    if price is None:
        _warn_unpriced(model)
        return None
    cost = (price.input * (input_tokens or 0) + price.output * (output_tokens or 0)) / MILLION
    return cost.quantize(_SMALLEST)


@cache
def _warn_unpriced(model: str) -> None:
    """Once for a process and model; ops/attention goes on naming it."""
    log.warning("model_without_price", model=model, setting="AI_MODEL_PRICING_JSON")
