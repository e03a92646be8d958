"""A pydantic model as the strict JSON schema that the Responses API accepts (vendor reference §13.3)."""

from functools import cache
from typing import Any

from pydantic import BaseModel

# Strict mode refuses these; pydantic still enforces what they say when the answer is read.
_UNSUPPORTED = frozenset({"default", "title", "minLength", "maxLength", "format", "examples"})


@cache
def strict_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Every object closed, every property required. Treat the result as read-only: it is shared."""
    return _strict(model.model_json_schema())


def _strict(node: Any) -> Any:
    if isinstance(node, list):
        return [_strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        # A reference stands alone in strict mode; a description beside it makes the whole schema invalid.
        return {"$ref": node["$ref"]}
    strict = {
        key: {name: _strict(item) for name, item in value.items()} if key in ("properties", "$defs") else _strict(value)
        for key, value in node.items()
        if key not in _UNSUPPORTED
    }
    if strict.get("type") == "object":
        strict["additionalProperties"] = False
        strict["required"] = list(strict.get("properties", {}))
    return strict
