"""The receiver's OpenAPI document, and whether an answer is one that it describes."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

DOCUMENT = Path(__file__).parents[1] / "docs" / "webhooks.openapi.yaml"
UNLISTED = "x-other-methods"
_TYPES = {"object": dict, "string": str, "boolean": bool, "array": list, "integer": int}


@cache
def document() -> dict[str, Any]:
    return yaml.safe_load(DOCUMENT.read_text())


def resolved(node: Any) -> Any:
    """`node`, or what its `$ref` points to."""
    while isinstance(node, dict) and "$ref" in node:
        target: Any = document()
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def mismatch(schema: Any, value: Any) -> str | None:
    """Why `value` is not what `schema` describes, or None. Knows the words that this document uses, and no others."""
    schema = resolved(schema)
    if unknown := set(schema) - _KEYWORDS:
        raise AssertionError(f"this reader knows no {unknown}")
    if "oneOf" in schema:
        fitting = [each for each in schema["oneOf"] if mismatch(each, value) is None]
        return None if len(fitting) == 1 else f"{value!r} fits {len(fitting)} of {len(schema['oneOf'])} schemas"
    if "const" in schema and not _same(value, schema["const"]):
        return f"{value!r} is not {schema['const']!r}"
    if "enum" in schema and not any(_same(value, each) for each in schema["enum"]):
        return f"{value!r} is none of {schema['enum']}"
    if "type" in schema and not isinstance(value, _TYPES[schema["type"]]):
        return f"{value!r} is no {schema['type']}"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        return f"{value!r} does not match {schema['pattern']}"
    return _fields_mismatch(schema, value) if isinstance(value, dict) else None


_KEYWORDS = {
    *("type", "const", "enum", "pattern", "oneOf", "properties", "required", "additionalProperties", "description"),
}


def _same(value: Any, wanted: Any) -> bool:
    return type(value) is type(wanted) and value == wanted


def _fields_mismatch(schema: Mapping[str, Any], value: Mapping[str, Any]) -> str | None:
    properties = schema.get("properties", {})
    if missing := set(schema.get("required", ())) - set(value):
        return f"{sorted(missing)} missing"
    if schema.get("additionalProperties") is False and (more := set(value) - set(properties)):
        return f"{sorted(more)} too many"
    found = (mismatch(properties[name], each) for name, each in value.items() if name in properties)
    return next((each for each in found if each), None)


@dataclass(frozen=True)
class Answered:
    """An HTTP answer, header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def undocumented(path: str, method: str, answer: Answered) -> str | None:
    """Why the document does not describe `answer` to `method` on its `path`, or None when it does."""
    item = document()["paths"][path]
    responses = item[method.lower()]["responses"] if method.lower() in item else {"405": item[UNLISTED]}
    if str(answer.status) not in responses:
        return f"status {answer.status} is not among {sorted(responses)}"
    response = resolved(responses[str(answer.status)])
    for name, header in response.get("headers", {}).items():
        if name.lower() not in answer.headers:
            return f"header {name} missing"
        if wrong := mismatch(resolved(header)["schema"], answer.headers[name.lower()]):
            return f"header {name}: {wrong}"
    content = response.get("content")
    if content is None:
        return f"a body of {len(answer.body)} bytes" if answer.body else None
    media_type = answer.headers.get("content-type", "").partition(";")[0]
    if media_type not in content:
        return f"media type {media_type!r} is not among {sorted(content)}"
    value = json.loads(answer.body) if media_type == "application/json" else answer.body.decode()
    return mismatch(content[media_type]["schema"], value)
