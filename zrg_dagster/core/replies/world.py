"""What the work on replies is done with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from zrg_dagster.core.ai.result import StructuredModel


@dataclass(frozen=True, slots=True)
class ReplyWorld:
    """What the pipeline works with."""

    engine: AsyncEngine
    model: StructuredModel
    has_model_key: bool
    auto_send_disabled: bool
    clock: Callable[[], datetime]
    super_admins: frozenset[str] = frozenset()
    revision_disabled: bool = False
