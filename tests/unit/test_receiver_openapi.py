"""The receiver's OpenAPI document says what the code does: the same paths, media types and words of refusal."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Route

import webhook_receiver
from tests.openapi import UNLISTED, Answered, document, mismatch, resolved, undocumented
from webhook_receiver.app import WEBHOOKS, create_app
from webhook_receiver.metrics import Metrics
from webhook_receiver.routes import RouteTable
from webhook_receiver.store import DeliveryStore
from zrg_dagster.core.base.seal import Sealer, new_key
from zrg_dagster.core.base.settings import load_settings
from zrg_dagster.core.providers import door as shared_door

REFUSAL = re.compile(r'Refused\((\d{3}), ((?:"\w+"(?: if .*? else )?)+)\)')
UNAVAILABLE = re.compile(r'StoreUnavailable\(((?:"\w+"(?: if .*? else )?)+)\)|_fail_all\("(\w+)"\)')
WORD = re.compile(r'"(\w+)"')
POSTS = [path for path, item in document()["paths"].items() if "post" in item]


def app_paths() -> set[str]:
    metrics = Metrics()
    store = DeliveryStore("postgresql://nowhere", metrics, batch_size=1, queue_size=1, timeout_s=1)
    routes = RouteTable("postgresql://nowhere", Sealer(new_key()), metrics, ttl_s=1)
    app = create_app(load_settings(), store=store, routes=routes, metrics=metrics)
    return {route.path for route in app.routes if isinstance(route, Route)}


def test_every_route_is_described_and_every_described_path_is_a_route() -> None:
    assert set(document()["paths"]) == app_paths()
    assert set(POSTS) == set(WEBHOOKS)
    for path, item in document()["paths"].items():
        methods = set(item) - {"parameters"}
        assert methods == ({"get", "head", "post", UNLISTED} if path in WEBHOOKS else {"get"}), path


@pytest.mark.parametrize("path", POSTS)
def test_the_request_media_types_are_the_doors(path: str) -> None:
    operation = document()["paths"][path]["post"]
    # No content type and the unregistered name of JSON are taken as JSON; the document names the right one.
    assert set(operation["requestBody"]["content"]) == set(WEBHOOKS[path].content_types) - {"", "text/json"}
    assert ("404" in operation["responses"]) == (WEBHOOKS[path].route_keys is not None)


@pytest.mark.parametrize("path", POSTS)
def test_every_header_or_query_field_that_a_door_reads_is_described(path: str) -> None:
    item = document()["paths"][path]
    named = {resolved(each)["name"] for each in (*item.get("parameters", ()), *item["post"].get("parameters", ()))}
    source = inspect.getsource(inspect.getmodule(WEBHOOKS[path].verify))  # pyright: ignore[reportArgumentType]
    read = set(re.findall(r'(?:headers|query)\.get\("([^"]+)"', source))
    if path.startswith("/api/webhooks/ghl/"):  # two doors in one module
        read &= named | (
            {"locationId", "key", "x-zrg-key"} if path.endswith("sms") else {"x-ghl-signature", "x-wh-signature"}
        )
    assert read <= named


def sources() -> Iterator[str]:
    yield inspect.getsource(shared_door)
    for folder in (Path(webhook_receiver.__path__[0]), Path(shared_door.__file__).parent):
        for file in (*folder.glob("*.py"), *folder.glob("*/door.py")):
            yield file.read_text()


def described(status: int) -> set[str]:
    """Every word that the document knows for a status, over all paths."""
    words: set[str] = set()
    items: list[Any] = [*document()["paths"].values()]
    of_posts = [item["post"]["responses"] for item in items if "post" in item]
    responses = [resolved(each[str(status)]) for each in of_posts if str(status) in each]
    if status == 405:
        responses = [resolved(item[UNLISTED]) for item in items if UNLISTED in item]
    for response in responses:
        error = response["content"]["application/json"]["schema"]["properties"]["error"]
        words |= set(error.get("enum", [error.get("const")]))
    return words


def test_the_words_of_refusal_are_those_of_the_code() -> None:
    said: dict[int, set[str]] = {}
    for text in sources():
        for status, words in REFUSAL.findall(text):
            said.setdefault(int(status), set()).update(WORD.findall(words))
        for words, word in UNAVAILABLE.findall(text):
            said.setdefault(503, set()).update([*WORD.findall(words), *([word] if word else [])])
    assert len(said) == 8
    assert {status: described(status) for status in said} == said


def test_the_guide_explains_every_word_and_names_every_path() -> None:
    guide = (Path(webhook_receiver.__path__[0]).parent / "docs" / "webhooks.md").read_text()
    for status in (400, 401, 404, 405, 413, 415, 500, 503):
        assert not [word for word in described(status) if f"`{word}`" not in guide]
    assert not [path for path in POSTS if path.replace("{workspace}", "KEY") not in guide]


@pytest.mark.parametrize(
    "answer, why",
    [
        (Answered(418, {}, b""), "status 418"),
        (Answered(200, {"content-type": "application/json"}, b"{}"), "header x-correlation-id missing"),
        (Answered(200, {"x-correlation-id": "1", "content-type": "application/json"}, b"{}"), "does not match"),
        (Answered(200, {"x-correlation-id": "0" * 32, "content-type": "text/html"}, b""), "media type"),
        (Answered(200, {"x-correlation-id": "0" * 32, "content-type": "application/json"}, b"{}"), "missing"),
        (
            Answered(
                200,
                {"x-correlation-id": "0" * 32, "content-type": "application/json"},
                b'{"success": 1, "duplicate": true}',
            ),
            "1 is not True",
        ),
    ],
)  # fmt: skip
def test_an_answer_that_the_document_does_not_describe_is_found(answer: Answered, why: str) -> None:
    assert why in (undocumented("/api/webhooks/email", "POST", answer) or "")


def test_a_schema_word_that_the_reader_does_not_know_is_no_silent_yes() -> None:
    with pytest.raises(AssertionError, match="minLength"):
        mismatch({"minLength": 3}, "ab")
