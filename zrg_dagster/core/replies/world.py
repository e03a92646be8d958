"""What the work on replies is done with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from zrg_dagster.core.ai.breaker import Breakers
from zrg_dagster.core.ai.result import StructuredModel
from zrg_dagster.core.ai.spend import Spending
from zrg_dagster.core.replies.booking_attempt import BookingAttempt, nobody_books


@dataclass(frozen=True, slots=True)
class ReplyWorld:
    """What the pipeline works with. `breakers` are the model's own, so that a change of one can be shown to others;
    `book` is whoever takes a time for a reply that accepts one."""

    engine: AsyncEngine
    model: StructuredModel
    has_model_key: bool
    auto_send_disabled: bool
    clock: Callable[[], datetime]
    super_admins: frozenset[str] = frozenset()
    revision_disabled: bool = False
    memory_disabled: bool = False
    spending: Spending = field(default_factory=Spending)
    breakers: Breakers = field(default_factory=Breakers)
    book: BookingAttempt = nobody_books
