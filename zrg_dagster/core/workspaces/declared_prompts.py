"""A workspace's own words for our prompts, as its file says them."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, model_validator

from zrg_dagster.core.ai import overrides
from zrg_dagster.core.workspaces.declared_hours import FILE_PART

# A hash of digits alone is read as a number.
BaseHash = Annotated[
    str,
    BeforeValidator(lambda value: str(value) if isinstance(value, int) and not isinstance(value, bool) else value),
    Field(pattern=r"^[0-9a-f]{16}$"),
]


class PromptPart(BaseModel):
    """`base_hash` is the text of ours that the words were written against (PG-02). Once ours is another one the words rest,
    and the apply says so; whoever has looked at them writes the new hash."""

    model_config = FILE_PART

    key: str = Field(min_length=1, max_length=100)
    base_hash: BaseHash
    text: str = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _usable(cls, given: Any) -> Any:
        """What cannot be used is refused, and the rest brought to the form that is stored."""
        if not isinstance(given, dict) or not all(isinstance(given.get(name), str) for name in ("key", "text")):
            return given
        return {**given, "text": overrides.declared(given["key"], str(given.get("base_hash")), given["text"])}

    @property
    def row(self) -> dict[str, Any]:
        return {"key": self.key, "base_hash": self.base_hash, "content": self.text}

    @property
    def note(self) -> str | None:
        """What is said of words that rest; None of those in use."""
        ours = overrides.base_of(self.key)
        if ours == self.base_hash:
            return None
        return f"needs rebase: ours is {ours} by now and is used until these words were looked at and say so"
