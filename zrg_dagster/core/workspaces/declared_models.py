"""The part of a workspace's settings that is about the model: which one for what, and what a day may cost."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, Field, model_validator

from zrg_dagster.core.ai.models import coerce_settings
from zrg_dagster.core.workspaces.declared_hours import FILE_PART


class ModelSettings(BaseModel):
    """Empty means the default of core/ai/models.py. What is not known is replaced by what will be used (PR-09)."""

    model_config = FILE_PART

    draft_generation_model: str | None = None
    draft_generation_reasoning_effort: str | None = None
    draft_verification_model: str | None = None
    draft_verification_reasoning_effort: str | None = None
    auto_send_evaluator_model: str | None = None
    auto_send_evaluator_reasoning_effort: str | None = None
    auto_send_revision_model: str | None = None
    auto_send_revision_reasoning_effort: str | None = None
    model_daily_budget_usd: Decimal = Field(default=Decimal(0), ge=0, le=1_000_000, decimal_places=2)

    @model_validator(mode="before")
    @classmethod
    def _known_models(cls, given: Any) -> Any:
        return coerce_settings(given)[0] if isinstance(given, dict) else given


def replaced(document: Mapping[str, Any]) -> dict[str, str]:
    """What a file says and what is used instead, a note for each column of its settings."""
    settings = document.get("settings")
    return coerce_settings(settings)[1] if isinstance(settings, dict) else {}
