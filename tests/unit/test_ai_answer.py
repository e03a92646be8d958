"""Reading Responses documents: the recorded exchanges, each to its documented class."""

import json
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from zrg_dagster.core.ai.answer import outcome_of_status, read_document
from zrg_dagster.core.ai.result import NEEDS_OPERATOR, TRANSIENT, ModelOutcome
from zrg_dagster.core.ai.strict_schema import strict_schema

EXCHANGES = json.loads((Path(__file__).parents[1] / "data/api/openai.json").read_text())
RESPONSES = [item for item in EXCHANGES if item["request"]["path"] == "/v1/responses"]


class Sentiment(BaseModel):
    sentiment: Literal["Interested", "Not Interested", "Neutral"]
    confidence: float


def outcome_of(exchange: dict[str, Any]) -> ModelOutcome:
    response = exchange["response"]
    if response["status"] == 200:
        return read_document(response["body"], Sentiment).outcome
    body = response["body"]
    code = body["error"]["code"] if isinstance(body, dict) else None
    return outcome_of_status(response["status"], code)


@pytest.mark.parametrize("exchange", RESPONSES, ids=[item["name"] for item in RESPONSES])
def test_each_exchange_has_its_documented_class(exchange: dict[str, Any]) -> None:
    outcome = outcome_of(exchange)
    match exchange["client_class"]:
        case "ok":
            assert outcome is ModelOutcome.OK
        case "retryable":
            assert outcome in TRANSIENT | {ModelOutcome.INCOMPLETE}
        case "permanent":
            assert outcome in NEEDS_OPERATOR | {ModelOutcome.REFUSED}


def test_commentary_is_not_the_answer() -> None:
    exchange = next(item for item in RESPONSES if item["name"] == "ok_with_commentary_phase")
    reading = read_document(exchange["response"]["body"], Sentiment)
    assert reading.value is not None
    assert reading.input_tokens is not None


@pytest.mark.parametrize("name, code", [("error_429_quota", ModelOutcome.QUOTA), ("error_401", ModelOutcome.AUTH)])
def test_causes_are_told_apart(name: str, code: ModelOutcome) -> None:
    assert outcome_of(next(item for item in RESPONSES if item["name"] == name)) is code


def test_an_invalid_answer_is_named_without_quoting_it() -> None:
    text = json.dumps({"sentiment": "Ecstatic about jane@acme.example", "confidence": 1})
    output = [{"type": "message", "content": [{"type": "output_text", "text": text}]}]
    reading = read_document({"status": "completed", "output": output, "usage": None}, Sentiment)
    assert reading.outcome is ModelOutcome.INVALID
    assert reading.detail == "sentiment:literal_error"


@pytest.mark.parametrize("document", [None, [], "<html>", {"id": "x"}, {"status": "queued"}])
def test_unreadable_documents_are_unavailable(document: Any) -> None:
    assert read_document(document, Sentiment).outcome is ModelOutcome.UNAVAILABLE


class Inner(BaseModel):
    note: str | None = Field(default=None, max_length=5)


class Outer(BaseModel):
    """A title and a default, which strict mode refuses."""

    inner: Inner = Field(description="nested")
    title: str = "property named like a keyword"
    many: list[Inner] = []


def test_the_schema_is_strict_everywhere() -> None:
    schema = strict_schema(Outer)
    assert schema["required"] == ["inner", "title", "many"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["title"] == {"type": "string"}
    inner = schema["$defs"]["Inner"]
    assert inner["required"] == ["note"]
    assert inner["additionalProperties"] is False
    assert "maxLength" not in json.dumps(schema)
    assert '"default"' not in json.dumps(schema)
    assert schema["properties"]["inner"] == {"$ref": "#/$defs/Inner"}
