"""What a workspace says about the model: which one for which purpose, and its own words for our prompts.

    ai = await load_ai(conn, workspace_id)
    model = ai.model(client, Purpose.DRAFTING)     # asks with the workspace's model, effort and words
    model.of(Purpose.VERIFICATION)                 # the same workspace, another purpose

`model` is a `StructuredModel` like the client itself, so whatever takes the one takes the other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.ai.models import ModelChoice, Purpose, columns_of_settings, resolve
from zrg_dagster.core.ai.overrides import NEWEST, active, override_of
from zrg_dagster.core.ai.prompts import Prompt, RenderedPrompt, fill
from zrg_dagster.core.ai.result import ModelResult, StructuredModel

T = TypeVar("T", bound=BaseModel)

# A row for each prompt that the workspace ever changed, its settings in every one; a single row without prompts.
_LOAD = text(f"""
    SELECT s.workspace_id IS NOT NULL AS has_settings, {", ".join(f"s.{name}" for name in columns_of_settings())}, p.*
    FROM (SELECT CAST(:workspace_id AS uuid) AS id) w
    LEFT JOIN app.workspace_setting s ON s.workspace_id = w.id
    LEFT JOIN LATERAL ({NEWEST}) p ON true""")


@dataclass(frozen=True, slots=True)
class WorkspaceAi:
    """`settings` are the model columns of `app.workspace_setting`, `overrides` its own prompts by key, those in force."""

    settings: Mapping[str, Any]
    overrides: Mapping[str, Prompt]

    def choice(self, purpose: Purpose, *, default_model: str | None = None) -> ModelChoice:
        return resolve(self.settings, purpose, default_model=default_model)

    def model(self, client: StructuredModel, purpose: Purpose) -> "WorkspaceModel":
        return WorkspaceModel(client, self, purpose)


class WorkspaceModel:
    """A `StructuredModel` that asks for one purpose, with one workspace's choice and words."""

    def __init__(self, client: StructuredModel, ai: WorkspaceAi, purpose: Purpose) -> None:
        self._client = client
        self._ai = ai
        self.choice = ai.choice(purpose, default_model=client.model)

    def of(self, purpose: Purpose) -> "WorkspaceModel":
        """The same workspace's model for another purpose."""
        return WorkspaceModel(self._client, self._ai, purpose)

    @property
    def model(self) -> str:
        return self.choice.model

    async def structured(
        self,
        prompt: RenderedPrompt,
        schema: type[T],
        *,
        max_output_tokens: int,
        timeout_s: float,
        deadline_s: float | None = None,
        choice: ModelChoice | None = None,
    ) -> ModelResult[T]:
        own = self._ai.overrides.get(prompt.key)
        return await self._client.structured(
            prompt if own is None else fill(own, prompt.values),
            schema,
            max_output_tokens=max_output_tokens,
            timeout_s=timeout_s,
            deadline_s=deadline_s,
            choice=choice or self.choice,
        )


async def load_ai(conn: AsyncConnection, workspace_id: UUID) -> WorkspaceAi:
    """Read at the beginning of a piece of work: one answer is made with one set of choices."""
    rows = (await conn.execute(_LOAD, {"workspace_id": workspace_id})).all()
    first = rows[0]
    settings = {name: getattr(first, name) for name in columns_of_settings()} if first.has_settings else {}
    return WorkspaceAi(settings, active(override_of(row) for row in rows if row.prompt_key is not None))
