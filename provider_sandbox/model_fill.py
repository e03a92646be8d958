"""A valid instance for any strict schema, filled by property name and type from one request.

This is an imitation of a model's structured output: values come from words in the request (see `model_answers`);
where no word helps, the schema's own bounds decide.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from provider_sandbox import model_answers
from provider_sandbox.model_reading import Reading, links_in, times_in

MAX_DEPTH = 12
_PHONE = re.compile(r"\+?\(?\d[\d\s().-]{7,16}\d")
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_TAG_NAMES = frozenset(["tag", "sentiment", "classification", "category", "label", "intent", "status"])
_DRAFT_NAMES = re.compile(r"(?:^|_)(?:body|draft|reply|message|content|email|sms|answer)(?:_?text|_?body)?$|^text$")
_FORMATS = {
    "date": "2030-01-01",
    "date-time": "2030-01-01T00:00:00Z",
    "time": "09:00:00Z",
    "email": "nobody@sandbox.example",
    "uri": "https://sandbox.example/",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "hostname": "sandbox.example",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "duration": "PT1H",
}
_PATTERN_TRIES = ("0", "1", "a", "A1", "en", "en-US", "09:00", "9:00 AM", "2030-01-01", "+15550100000", "UTC", "none")


class CannotFill(ValueError):
    """The schema asks for something this imitation cannot produce (an unusual pattern, endless recursion)."""


class Filler:
    """Fills one schema for one request. `name` is the schema's name, which decides between draft and judgement."""

    def __init__(self, reading: Reading, name: str, schema: Mapping[str, Any]) -> None:
        self.reading = reading
        self.root = schema
        self.judging = "evaluat" in name or "verif" in name or _has_property(schema, "safe_to_send")
        self.inbound = model_answers.classify(reading.last_inbound)
        self.opinion = model_answers.evaluate(reading) if self.judging else self.inbound

    def fill(self, schema: Mapping[str, Any] | None = None, name: str = "", depth: int = 0) -> Any:
        schema = self._resolved(self.root if schema is None else schema)
        if depth > MAX_DEPTH:
            raise CannotFill(f"schema nested deeper than {MAX_DEPTH} at {name}")
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._enum(schema["enum"], name)
        branches = schema.get("anyOf") or schema.get("oneOf")
        if branches:
            return self._branch(branches, name, depth)
        kinds = schema.get("type", "object" if "properties" in schema else "string")
        if isinstance(kinds, list):
            return self._branch([{**schema, "type": kind} for kind in kinds], name, depth)
        return self._typed(kinds, schema, name, depth)

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        for _ in range(MAX_DEPTH):
            reference = schema.get("$ref")
            if reference is None:
                return schema
            target: Any = self.root
            for part in str(reference).removeprefix("#").strip("/").split("/"):
                target = target[part] if part else target
            schema = {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
        raise CannotFill("a $ref that leads to itself")

    def _branch(self, branches: list[Mapping[str, Any]], name: str, depth: int) -> Any:
        """A nullable value is null unless the request gives something for it; recursion ends in null, too."""
        nullable = any(branch.get("type") == "null" for branch in branches)
        others = [branch for branch in branches if branch.get("type") != "null"]
        if nullable and (not others or depth > 3):
            return None
        first = self._resolved(others[0])
        if nullable and self._known(name, first) is None:
            return None
        return self.fill(first, name, depth + 1)

    def _known(self, name: str, schema: Mapping[str, Any]) -> Any:
        """What the request says about this name, or None."""
        if "enum" in schema:
            return model_answers.nearest(self.inbound.tag, [str(value) for value in schema["enum"]])
        kind = schema.get("type")
        if kind == "string":
            return self._text(name) or None
        if kind == "array":
            return self._list(name) or None
        return 0 if kind in ("number", "boolean", "object") and "index" not in name else None

    def _typed(self, kind: str, schema: Mapping[str, Any], name: str, depth: int) -> Any:
        if kind == "object":
            properties = schema.get("properties") or {}
            return {key: self.fill(value, key.lower(), depth + 1) for key, value in properties.items()}
        if kind == "array":
            return self._array(schema, name, depth)
        if kind in ("number", "integer"):
            return self._number(schema, name, whole=kind == "integer")
        if kind == "boolean":
            return self._boolean(name)
        return None if kind == "null" else self._string(schema, name)

    # ── leaves ───────────────────────────────────────────────────────────────

    def _enum(self, values: list[Any], name: str) -> Any:
        texts = [str(value) for value in values if isinstance(value, str)]
        if not texts:
            return values[0]
        tag = model_answers.nearest(self.inbound.tag, texts)
        if tag is not None and (name in _TAG_NAMES or tag.lower() not in ("neutral", "other")):
            return tag
        said = set(re.findall(r"[a-z]+", self.reading.last_inbound.lower()))
        scored = [(len(said & set(re.findall(r"[a-z]+", value.lower()))), value) for value in texts]
        best = max(scored, key=lambda pair: pair[0])
        if best[0]:
            return best[1]
        quiet = [value for value in texts if value.lower() in ("none", "unknown", "neutral", "other", "no", "unclear")]
        return quiet[0] if quiet else texts[0]

    def _number(self, schema: Mapping[str, Any], name: str, *, whole: bool) -> float | int:
        low, high = schema.get("minimum"), schema.get("maximum")
        low = schema["exclusiveMinimum"] + (1 if whole else 1e-6) if "exclusiveMinimum" in schema else low
        high = schema["exclusiveMaximum"] - (1 if whole else 1e-6) if "exclusiveMaximum" in schema else high
        if re.search(r"confiden|score|probab|likel|certain|fit|overall", name):
            ceiling = high if high is not None else (100 if whole else 1)
            value: float = (low or 0) + self.opinion.confidence * (ceiling - (low or 0))
        else:
            value = len(self.reading.last_inbound.split()) if "count" in name or "words" in name else (low or 0)
        value = round(value) if whole else round(value, 2)
        value = max(value, low) if low is not None else value
        value = min(value, high) if high is not None else value
        step = schema.get("multipleOf")
        return (
            value if not step else type(step)(-(-(low or 0) // step) * step if value < step else value // step * step)
        )

    def _boolean(self, name: str) -> bool:
        tag = self.inbound.tag
        meeting = tag in ("Meeting Requested", "Call Requested", "Meeting Booked")
        rules: list[tuple[str, bool]] = [
            (r"safe|approve", self.opinion.tag == "safe" if self.judging else self.opinion.confidence >= 0.6),
            (r"review|human|escalat", self.opinion.confidence < 0.85),
            (r"changed|rewrit|violation", False),
            (r"opt_?out|unsubscrib|blacklist|stop", tag == "Blacklist"),
            (r"ooo|out_of_office|vacation", tag == "Out of Office"),
            (r"auto|newsletter|bulk", tag in ("Automated Reply", "Out of Office")),
            (r"call|phone", tag == "Call Requested"),
            (r"meeting|booking|book|schedul|times|offer", meeting or tag == "Interested"),
            (r"pric|cost|budget", re.search(r"pric|cost|how much", self.reading.last_inbound, re.I) is not None),
            (r"question|info", tag == "Information Requested" or "?" in self.reading.last_inbound),
            (r"not_interested|declin|negative", tag in ("Not Interested", "Objection")),
            (r"interest|positive|repl|respond", tag in ("Interested", "Information Requested") or meeting),
        ]
        return next((value for pattern, value in rules if re.search(pattern, name)), False)

    def _text(self, name: str) -> str:
        """The request's words for a property of this name; "" when it says nothing."""
        found = next((reader for pattern, reader in _TEXT_READERS if re.search(pattern, name)), None)
        if found is not None:
            return found(self)
        if name in _TAG_NAMES:
            return self.inbound.tag
        if not _DRAFT_NAMES.search(name):
            return ""
        return self.reading.draft if self.judging and self.reading.draft else model_answers.write_draft(self.reading)

    def matched(self, pattern: re.Pattern[str]) -> str:
        found = pattern.search(self.reading.last_inbound)
        return found.group(0).strip() if found else ""

    def subject(self) -> str:
        subject = self.reading.subject or " ".join(self.reading.last_inbound.split()[:6]) or "your message"
        return subject if subject.lower().startswith("re:") else f"Re: {subject}"

    def _string(self, schema: Mapping[str, Any], name: str) -> str:
        value = self._text(name)
        if "format" in schema:
            fallback = _FORMATS.get(schema["format"], "")
            value = value if value and schema["format"] in ("uri", "date") else fallback
        if "pattern" in schema and not re.search(schema["pattern"], value):
            tries = (value[:8], *_PATTERN_TRIES, *_FORMATS.values())
            value = next((text for text in tries if re.search(schema["pattern"], text)), "")
            if not re.search(schema["pattern"], value):
                raise CannotFill(f"no text for {name} with pattern {schema['pattern']}")
            return value
        value = value or ("" if schema.get("minLength", 0) == 0 and name else self.opinion.reason)
        limit = schema.get("maxLength")
        if limit is not None and len(value) > limit:
            value = model_answers.write_draft(self.reading, limit) if _DRAFT_NAMES.search(name) else value[:limit]
        return value.ljust(schema.get("minLength", 0), ".")

    def _list(self, name: str) -> list[str]:
        inbound = self.reading.last_inbound
        if re.search(r"offer|slots", name):
            return model_answers.pick_times(self.reading)
        if re.search(r"time|slot|date|day|window|avail", name):
            return times_in(inbound)
        if re.search(r"question", name):
            return [part.strip() + "?" for part in re.findall(r"([^.?!\n]+)\?", inbound)]
        if re.search(r"link|url", name):
            return links_in(inbound)
        if re.search(r"point|outline|fact|topic|step|highlight", name):
            return [part.strip() for part in re.split(r"[.!?\n]+", inbound) if part.strip()]
        return []

    def _array(self, schema: Mapping[str, Any], name: str, depth: int) -> list[Any]:
        items = self._resolved(schema.get("items") or {"type": "string"})
        low, high = schema.get("minItems", 0), schema.get("maxItems", 8)
        values: list[Any] = []
        if items.get("type") == "string" and not {"enum", "format", "pattern", "const"} & set(items):
            values = [text[: items.get("maxLength", len(text))] for text in self._list(name)]
        elif items.get("type") == "object" and self._list(name):
            # One object per thing the lead named, its text in the object's string properties.
            values = [self.fill(items, name, depth + 1) for _ in self._list(name)]
        while len(values) < low:
            values.append(self.fill(items, name, depth + 1))
        return values[:high]


# First match decides, so the narrower names stand first.
_TEXT_READERS: list[tuple[str, Callable[[Filler], str]]] = [
    (r"phone|mobile", lambda filler: filler.matched(_PHONE)),
    (r"link|url", lambda filler: next(iter(links_in(filler.reading.last_inbound)), "")),
    (r"reason|rationale|explan|summary|why|note|analysis", lambda filler: filler.opinion.reason),
    (r"subject", lambda filler: filler.subject()),
    (r"clean|quote|evidence|excerpt", lambda filler: filler.reading.last_inbound),
    (r"time|slot|window|when", lambda filler: next(iter(times_in(filler.reading.last_inbound)), "")),
    (r"date|until|return", lambda filler: filler.matched(_DATE)),
    (r"email_address", lambda filler: filler.matched(_EMAIL)),
    (r"first_name", lambda filler: filler.reading.first_name),
    (r"language", lambda filler: "en"),
]


def _has_property(schema: Any, wanted: str) -> bool:
    if isinstance(schema, dict):
        return wanted in (schema.get("properties") or {}) or any(
            _has_property(value, wanted) for value in schema.values()
        )
    return isinstance(schema, list) and any(_has_property(value, wanted) for value in schema)
