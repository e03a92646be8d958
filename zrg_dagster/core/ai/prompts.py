"""The prompt registry: `prompts/<key>.md`, each with a version, instructions and an input part.

Substitution is one pass and strict: a placeholder without value and a value without placeholder are errors, and what
was inserted is never scanned again. Text that others wrote goes in as delimited data: the tag that ends a block cannot
occur inside it, so a reply cannot close its own block and speak as instructions.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path

FOLDER = Path(__file__).parent / "prompts"
INPUT_LINE = "--- input ---"

_FRONT_MATTER = re.compile(r"\A---\nversion: (?P<version>[\w.-]+)\n---\n(?P<body>.*)\Z", re.S)
_PLACEHOLDER = re.compile(r"\{\{([a-z_]+)\}\}")
_DATA_TAG = re.compile(r"<(?=\s*/?\s*data\b)", re.I)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


class PromptError(ValueError):
    """A prompt file or the values for it are wrong. The message names the prompt and the placeholder."""


@dataclass(frozen=True, slots=True)
class Own:
    """Text of our own making (an enum value, a label): inserted as it is, also into instructions."""

    text: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt as written. `content_hash` is the first 16 hex digits of sha256 of the file (PG-03)."""

    key: str
    version: str
    content_hash: str
    instructions: str
    input: str


@dataclass(frozen=True, slots=True)
class RenderedPrompt:
    """What goes to the model: our instructions, and the input with everything that others wrote. `values` are what was
    filled in, so that a workspace's own words can be filled with the same."""

    key: str
    version: str
    content_hash: str
    instructions: str
    input: str
    values: Mapping[str, str | Own] = field(default_factory=dict, repr=False)


def as_data(name: str, text: str) -> str:
    """`text` as a named data block. Control and direction-changing characters go; a data tag inside is defused."""
    clean = _DATA_TAG.sub("&lt;", _CONTROL.sub("", text))
    return f'<data name="{name}">\n{clean}\n</data>'


@cache
def load(key: str) -> Prompt:
    """The prompt of this key. `PromptError` when the file is missing or malformed."""
    try:
        content = (FOLDER / f"{key}.md").read_text(encoding="utf-8")
    except OSError:
        raise PromptError(f"prompt {key}: no file {key}.md") from None
    return parse(key, content)


def parse(key: str, content: str) -> Prompt:
    """The prompt in `content`: front matter with `version:`, instructions, a line `--- input ---`, the input part."""
    match = _FRONT_MATTER.match(content)
    if match is None:
        raise PromptError(f"prompt {key}: must begin with front matter that holds `version:` alone")
    body = parse_body(key, match["body"])
    digest = sha256(content.encode()).hexdigest()[:16]
    return Prompt(key, match["version"], digest, body.instructions, body.input)


def parse_body(key: str, content: str) -> Prompt:
    """The prompt in `content` without front matter, and so without a version and a hash."""
    instructions, line, rest = content.partition(f"\n{INPUT_LINE}\n")
    if not line or not instructions.strip() or not rest.strip():
        raise PromptError(f"prompt {key}: needs instructions, the line `{INPUT_LINE}`, and an input part")
    return Prompt(key, "", "", instructions.strip(), rest.strip())


def body(prompt: Prompt) -> str:
    """A prompt as `parse_body` reads it."""
    return f"{prompt.instructions}\n\n{INPUT_LINE}\n\n{prompt.input}\n"


def placeholders(prompt: Prompt) -> frozenset[str]:
    return in_instructions(prompt) | frozenset(_PLACEHOLDER.findall(prompt.input))


def in_instructions(prompt: Prompt) -> frozenset[str]:
    return frozenset(_PLACEHOLDER.findall(prompt.instructions))


def render(key: str, values: Mapping[str, str | Own]) -> RenderedPrompt:
    """The prompt with its values. A plain `str` becomes a data block and is refused inside instructions."""
    return fill(load(key), values)


def fill(prompt: Prompt, values: Mapping[str, str | Own]) -> RenderedPrompt:
    """`render` for a prompt in hand."""
    wanted = placeholders(prompt)
    if missing := wanted - values.keys():
        raise PromptError(f"prompt {prompt.key}: no value for {', '.join(sorted(missing))}")
    if unknown := values.keys() - wanted:
        raise PromptError(f"prompt {prompt.key}: no placeholder for {', '.join(sorted(unknown))}")

    def own(match: re.Match[str]) -> str:
        value = values[match[1]]
        if not isinstance(value, Own):
            raise PromptError(f"prompt {prompt.key}: {match[1]} is data and cannot stand in instructions")
        return value.text

    def any_value(match: re.Match[str]) -> str:
        value = values[match[1]]
        return value.text if isinstance(value, Own) else as_data(match[1], value)

    return RenderedPrompt(
        prompt.key,
        prompt.version,
        prompt.content_hash,
        _PLACEHOLDER.sub(own, prompt.instructions),
        _PLACEHOLDER.sub(any_value, prompt.input),
        values,
    )
