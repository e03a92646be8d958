"""The imitated model: deterministic, computed from the request, valid for any strict schema."""

import json
from typing import Any, Literal

import openai
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.lib._pydantic import to_strict_json_schema

from provider_sandbox.model_answers import classify
from provider_sandbox.model_fill import Filler
from provider_sandbox.model_reading import read
from provider_sandbox.openai import strict_problems
from tests.unit.sandbox_tools import InProcess, server

TAGS = Literal["Interested", "Meeting Requested", "Call Requested", "Not Interested", "Out of Office", "Blacklist",
               "Information Requested", "Neutral"]  # fmt: skip


class Classification(pydantic.BaseModel):
    tag: TAGS
    confidence: float = pydantic.Field(ge=0, le=1)
    reason: str
    proposed_times: list[str]
    mobile_number: str | None


class Draft(pydantic.BaseModel):
    body: str
    subject: str | None


class Verdict(pydantic.BaseModel):
    safe_to_send: bool
    requires_human_review: bool
    confidence: float
    reason: str


def ask(model: type[pydantic.BaseModel], name: str, text: str, instructions: str = "") -> Any:
    schema = to_strict_json_schema(model)
    assert list(strict_problems(schema)) == []
    reading = read({"instructions": instructions, "input": [{"role": "user", "content": text}]})
    return model.model_validate(Filler(reading, name, schema).fill())


def thread(said: str, *, times: str = "", draft: str = "", previous: str = "", name: str = "Mara Okafor") -> str:
    return f"""What we offer:
<data name="service_description">
We find loom downtime before it happens. It costs $400 a month per site.
</data>

The prospect:
<data name="lead">
Name: {name}
Role: COO
</data>

Times we can offer:
<data name="available_times">
{times}
</data>

Conversation, oldest line first:
<data name="transcript">
[2026-03-09T10:00:00Z] [email OUT] Agent: Subject: Looms | Not interested in downtime? Monday 9:00?
[2026-03-10T16:41:22Z] [email IN] Lead: Subject: Re: Looms | {said}
</data>

The message to answer:
<data name="latest_reply">
{said}
</data>

The draft:
<data name="draft">
{draft}
</data>

A previous draft:
<data name="previous_draft">
{previous}
</data>"""


@pytest.mark.parametrize(
    "said, tag",
    [
        ("Interested, sounds great", "Interested"),
        ("Sounds useful. Thursday after 10 works for me.", "Meeting Requested"),
        ("What times do you have next week?", "Meeting Requested"),
        ("Can you call me on +1 415 555 0132?", "Call Requested"),
        ("Not interested, thanks.", "Not Interested"),
        ("I am out of the office until May 3 and will reply then.", "Out of Office"),
        ("Please unsubscribe me from this list", "Blacklist"),
        ("STOP", "Blacklist"),
        ("How much is it?", "Information Requested"),
        ("ok", "Neutral"),
    ],
)
def test_the_tag_follows_the_leads_last_words(said: str, tag: str) -> None:
    found = ask(Classification, "reply_classification", thread(said))
    assert found.tag == tag
    assert found.reason


def test_only_the_last_inbound_counts_and_quoted_history_does_not() -> None:
    text = "Happy to talk.\n\nOn Mon, Mar 9, 2026 at 10:00 Noor wrote:\n> not interested? unsubscribe here"
    assert ask(Classification, "reply_classification", thread(text)).tag == "Interested"
    lines = "[t] [sms IN] Lead: please unsubscribe me\n[t] [sms OUT] Agent: sure?\n[t] [sms IN] Lead: how much is it?"
    assert ask(Classification, "reply_classification", lines).tag == "Information Requested"


def test_instructions_are_never_taken_for_the_leads_words() -> None:
    instructions = "Tags:\n- Blacklist: asks to unsubscribe.\nLatest reply: unsubscribe"
    assert ask(Classification, "reply_classification", "sounds great", instructions).tag == "Interested"


@pytest.mark.parametrize(
    "document",
    [
        {"lead": {"firstName": "Mara"}, "latestMessage": "How much is it?"},
        {"lead": {"first_name": "Mara"}, "messages": [{"direction": "inbound", "body": "How much is it?"}]},
    ],
)
def test_json_inputs_are_read_too(document: dict[str, Any]) -> None:
    text = json.dumps(document)
    assert ask(Classification, "reply_classification", text).tag == "Information Requested"
    assert ask(Draft, "reply_draft", text).body.startswith("Hi Mara,")


def test_times_and_numbers_come_from_the_reply() -> None:
    found = ask(Classification, "c", thread("Friday at 3pm is fine, call me on +1 415 555 0132"))
    assert found.proposed_times[0] == "Friday at 3pm is fine"
    assert found.mobile_number == "+1 415 555 0132"
    assert ask(Classification, "c", thread("ok")).mobile_number is None


def test_a_draft_names_the_lead_the_offered_times_and_nothing_else() -> None:
    times = "10:00 AM PDT on Thu, Mar 12\n2:00 PM PDT on Fri, Mar 13"
    draft = ask(Draft, "reply_draft", thread("Friday works", times=times))
    assert draft.body.startswith("Hi Mara,")
    assert draft.body.index("2:00 PM PDT on Fri, Mar 13") < draft.body.index("10:00 AM PDT on Thu, Mar 12")
    assert "Monday" not in draft.body
    assert draft.body.count("?") == 1
    other = ask(Draft, "reply_draft", thread("Friday works", name="Joren Vasquez"))
    assert other.body.startswith("Hi Joren,")
    assert "PDT" not in other.body


def test_a_price_question_is_answered_from_the_given_facts() -> None:
    assert "It costs $400 a month per site." in ask(Draft, "reply_draft", thread("How much is it?")).body


def test_the_length_asked_for_and_a_rejected_draft_are_respected() -> None:
    rule = "You write on the email channel. Write between 220 and 1200 characters."
    first = ask(Draft, "reply_draft", thread("Interested!"), rule)
    assert 220 <= len(first.body) <= 1200
    second = ask(Draft, "reply_draft", thread("Interested!", previous=first.body), rule)
    assert second.body != first.body
    sms = ask(Draft, "reply_draft", thread("Interested!"), "on the sms channel. Write at most 160 characters")
    assert len(sms.body) <= 160
    assert "\n" not in sms.body


def test_a_signature_is_used_unless_it_is_added_later() -> None:
    text = thread("Interested!") + '\n<data name="signature">\nNoor Castellan\nHarbourline\n</data>'
    assert ask(Draft, "reply_draft", text).body.endswith("Noor Castellan\nHarbourline")
    named = thread("Interested!") + "\nSender name: Noor"
    assert ask(Draft, "reply_draft", named).body.endswith("Noor")
    assert not ask(Draft, "reply_draft", named, "Do not sign.").body.endswith("Noor")


@pytest.mark.parametrize(
    "said, draft, safe",
    [
        ("Thursday works", "Hi Mara,\n\nGreat, talk soon.", True),
        ("Thursday works", "Hi Mara,\n\nSee you at {time}.", False),
        ("Thursday works", "Hi Mara,\n\nHow about 9:15 AM?", False),
        ("Thursday works", "Hi Mara,\n\nIt is $99 for you.", False),
        ("Please unsubscribe me", "Hi Mara,\n\nGreat, talk soon.", False),
        ("Thursday works", "", False),
    ],
)
def test_a_draft_is_judged_against_the_thread(said: str, draft: str, safe: bool) -> None:
    verdict = ask(Verdict, "reply_evaluation", thread(said, draft=draft))
    assert verdict.safe_to_send is safe
    assert verdict.requires_human_review is not safe


def test_a_delicate_question_goes_to_a_person() -> None:
    verdict = ask(Verdict, "reply_evaluation", thread("What does your contract say?", draft="Hi Mara, see below."))
    assert verdict.requires_human_review
    assert verdict.confidence < 0.85


# ── any strict schema ────────────────────────────────────────────────────────

NAMES = st.sampled_from(
    [
        *("tag", "confidence", "reason", "body", "subject", "score", "items", "index", "flag", "times"),
        *("offered_times", "phone", "link", "date", "note", "kind", "value"),
    ]
)


def schemas(depth: int = 3) -> st.SearchStrategy[dict[str, Any]]:
    leaves: list[st.SearchStrategy[dict[str, Any]]] = [
        st.just({"type": "boolean"}),
        st.fixed_dictionaries(
            {"type": st.just("integer"), "minimum": st.integers(-5, 3), "maximum": st.integers(4, 9)}
        ),
        st.fixed_dictionaries({"type": st.just("number"), "minimum": st.just(0), "maximum": st.sampled_from([1, 100])}),
        st.fixed_dictionaries({"type": st.just("string"), "maxLength": st.integers(5, 40)}),
        st.just({"type": "string"}),
        st.just({"type": ["string", "null"]}),
        st.builds(
            lambda form: {"type": "string", "format": form}, st.sampled_from(["date", "date-time", "email", "uuid"])
        ),
        st.lists(st.sampled_from(["Interested", "none", "B", "c d"]), min_size=1, unique=True).map(
            lambda values: {"type": "string", "enum": values}
        ),
    ]
    if depth == 0:
        return st.one_of(leaves)
    inner = schemas(depth - 1)
    arrays = st.builds(
        lambda items, low: {"type": "array", "items": items, "minItems": low, "maxItems": low + 2},
        inner,
        st.integers(0, 2),
    )
    nullable = inner.map(lambda schema: {"anyOf": [schema, {"type": "null"}]})
    return st.one_of(*leaves, arrays, nullable, objects(depth - 1))


def objects(depth: int) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(NAMES, st.deferred(lambda: schemas(depth)), min_size=1, max_size=5).map(
        lambda properties: {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }
    )


def problems(schema: dict[str, Any], value: Any) -> list[str]:
    """A small validator for the subset above; returns what is wrong."""
    if "anyOf" in schema:
        return [] if any(not problems(branch, value) for branch in schema["anyOf"]) else [f"anyOf: {value!r}"]
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    types: dict[str, Any] = {"boolean": bool, "integer": int, "number": (int, float), "string": str, "null": type(None),
                             "array": list, "object": dict}  # fmt: skip
    fits = any(isinstance(value, types[kind]) and (kind == "boolean") == isinstance(value, bool) for kind in kinds)
    if not fits:
        return [f"{kinds}: {value!r}"]
    found = [] if value in schema.get("enum", [value]) else [f"enum: {value!r}"]
    if isinstance(value, str) and len(value) > schema.get("maxLength", len(value)):
        found.append(f"maxLength: {value!r}")
    if isinstance(value, int | float) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        found.append(f"bounds: {value!r}")
    if isinstance(value, list):
        if not schema["minItems"] <= len(value) <= schema["maxItems"]:
            found.append(f"items: {len(value)}")
        found += [problem for item in value for problem in problems(schema["items"], item)]
    if isinstance(value, dict):
        if set(value) != set(schema["required"]):
            found.append(f"keys: {sorted(value)}")
        found += [problem for key, inner in schema["properties"].items() for problem in problems(inner, value[key])]
    return found


@settings(max_examples=150, deadline=None)
@given(objects(2), st.sampled_from(["Thursday 3pm works, call me on +14155550132", "ok", "unsubscribe", "How much?"]))
def test_any_strict_schema_gets_a_valid_instance_and_always_the_same(schema: dict[str, Any], said: str) -> None:
    assert list(strict_problems(schema)) == []
    request = {"input": thread(said)}
    value = Filler(read(request), "anything", schema).fill()
    assert problems(schema, value) == []
    assert value == Filler(read(request), "anything", schema).fill()


def test_recursive_and_referenced_schemas_end() -> None:
    class Node(pydantic.BaseModel):
        label: str
        children: list["Node"]
        parent: "Node | None"

    assert ask(Node, "tree", thread("ok")).children == []


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {}, "required": []},
        {"type": "object", "properties": {"a": {"type": "string"}}, "required": [], "additionalProperties": False},
        {"type": "array", "items": {"type": "string"}},
        {
            "type": "object",
            "properties": {"a": {"type": "object", "properties": {}, "required": []}},
            "required": ["a"],
            "additionalProperties": False,
        },
    ],
)
async def test_a_schema_that_breaks_the_strict_rules_is_refused(schema: dict[str, Any]) -> None:
    async with InProcess() as sandbox:
        form = {"type": "json_schema", "name": "x", "strict": True, "schema": schema}
        body = {"model": "gpt-5.4-mini", "input": "x", "text": {"format": form}}
        answer = await sandbox.call("openai", "POST", "/v1/responses", body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_json_schema")


async def test_a_pattern_that_cannot_be_met_fails_openly() -> None:
    async with InProcess() as sandbox:
        properties = {"code": {"type": "string", "pattern": "^ZZ-[0-9]{9}$"}}
        schema = {"type": "object", "properties": properties, "required": ["code"], "additionalProperties": False}
        form = {"type": "json_schema", "name": "x", "strict": True, "schema": schema}
        body = {"model": "gpt-5.4-mini", "input": "x", "text": {"format": form}}
        answer = (await sandbox.call("openai", "POST", "/v1/responses", body)).json()
        assert (answer["status"], answer["output"]) == ("failed", [])
        assert "code" in answer["error"]["message"]


def test_the_order_of_tags_is_the_careful_readers() -> None:
    assert classify("Automatic reply: I am out of office").tag == "Out of Office"
    assert classify("Not interested in a call").tag == "Not Interested"
    assert classify("Interested. How much does it cost?").tag == "Information Requested"


# ── the SDK over a real socket ───────────────────────────────────────────────


async def test_the_sdk_parses_every_kind_of_answer() -> None:
    with server() as base:
        client = openai.AsyncOpenAI(base_url=f"{base}/openai/v1", api_key="sk-sandbox", max_retries=0, timeout=10)
        async with client, openai.AsyncOpenAI(base_url=f"{base}/openai/v1", api_key="sk-wrong", max_retries=0) as wrong:

            async def parse(mode: str | None = None, **extra: Any) -> Any:
                if mode:
                    await client.with_options(base_url=f"{base}/_control").post(
                        "/faults", body={"provider": "openai", "mode": mode, "times": 1}, cast_to=object
                    )
                return await client.responses.parse(
                    model="gpt-5.4-mini", input=thread("How much is it?"), text_format=Classification, **extra
                )

            parsed = await parse()
            assert parsed.output_parsed.tag == "Information Requested"
            assert parsed.usage.total_tokens == parsed.usage.input_tokens + parsed.usage.output_tokens
            assert parsed._request_id.startswith("req_")
            assert (await parse("commentary")).output_parsed.tag == "Information Requested"
            assert (await parse("refusal")).output_parsed is None
            assert (await parse("failed")).status == "failed"
            assert (await parse("incomplete_reasoning")).output_parsed is None
            with pytest.raises(pydantic.ValidationError):
                await parse("incomplete")
            with pytest.raises(pydantic.ValidationError):
                await parse(max_output_tokens=16)
            with pytest.raises(openai.RateLimitError):
                await parse("rate_limit")
            with pytest.raises(openai.APIConnectionError):
                await parse("accept_then_reset")
            with pytest.raises(openai.AuthenticationError):
                await wrong.responses.create(model="gpt-5.4-mini", input="x")
            counted = await client.responses.input_tokens.count(model="gpt-5.4-mini", input="hello")
            longer = await client.responses.input_tokens.count(model="gpt-5.4-mini", input="hello " * 100)
            assert 0 < counted.input_tokens < longer.input_tokens
            plain = await client.responses.create(model="gpt-5.4-mini", input=thread("Interested!"))
            assert plain.output_text.startswith("Hi Mara,")
