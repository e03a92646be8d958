"""What a vendor call came to. A client returns one of these; it raises for programming errors only.

The four failure classes decide what may happen next (vendor reference §1.6): permanent is shown to a person, blocked
waits for a state to change, retryable was certainly not executed, ambiguous may have been executed and is read back
before anything else. No field here carries a credential; `detail` holds the vendor's own words, shortened and redacted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from zrg_dagster.core.base.log import redact_text

DETAIL_CHARS = 300


class CallClass(StrEnum):
    OK = "ok"
    PERMANENT = "permanent"
    BLOCKED = "blocked"
    RETRYABLE = "retryable"
    AMBIGUOUS = "ambiguous"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The vendor took it. `vendor_message_id` is None when the vendor accepted without naming the message."""

    vendor_message_id: str | None
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def call_class(self) -> CallClass:
        return CallClass.OK


@dataclass(frozen=True, slots=True)
class Refused:
    """Certainly not executed. `permanent` never helps to repeat; otherwise try again after `retry_after_s` or a backoff."""

    reason: str
    permanent: bool
    retry_after_s: float | None = None
    detail: str = ""

    @property
    def call_class(self) -> CallClass:
        return CallClass.PERMANENT if self.permanent else CallClass.RETRYABLE


@dataclass(frozen=True, slots=True)
class Blocked:
    """Not executed until something about the account or the recipient changes (do-not-disturb, quota, mailbox)."""

    reason: str
    detail: str = ""

    @property
    def call_class(self) -> CallClass:
        return CallClass.BLOCKED


@dataclass(frozen=True, slots=True)
class Unknown:
    """The request may have been executed. Never sent again before a read-back says so."""

    reason: str
    detail: str = ""

    @property
    def call_class(self) -> CallClass:
        return CallClass.AMBIGUOUS


@dataclass(frozen=True, slots=True)
class Waiting:
    """Not asked: the message has no way yet, and will have one when somebody else has acted. Looked at again after
    `recheck_s`; not counted as an attempt that failed."""

    reason: str
    recheck_s: float

    @property
    def call_class(self) -> CallClass:
        return CallClass.BLOCKED


CallFailure = Refused | Blocked | Unknown
CallOutcome = Accepted | CallFailure | Waiting


@dataclass(frozen=True, slots=True)
class Found:
    """Read-back: exactly one message at the vendor is ours."""

    vendor_message_id: str


@dataclass(frozen=True, slots=True)
class NotFound:
    """Read-back: the vendor answered and holds no such message now. It may still appear until the settle time passes."""


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Read-back: several messages fit; a person decides."""

    vendor_message_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReadFailed:
    """A read did not succeed; nothing was learned. `permanent` needs a person (credentials, wrong id)."""

    reason: str
    permanent: bool
    retry_after_s: float | None = None
    detail: str = ""

    @property
    def call_class(self) -> CallClass:
        return CallClass.PERMANENT if self.permanent else CallClass.RETRYABLE


ReadBack = Found | NotFound | Ambiguous | ReadFailed


def settle_candidates(
    vendor_ids: Sequence[str], *, proven: bool = True, spoken_for: int = 0
) -> Found | NotFound | Ambiguous:
    """The verdict over the messages that fit.

    `spoken_for` of them are equal messages that the vendor accepted without naming them: one more than those is ours.
    Without `proven` they fit as far as can be seen, and a person looks.
    """
    rest = tuple(vendor_ids[spoken_for:])
    if not rest:
        return NotFound()
    return Found(rest[0]) if len(rest) == 1 and proven else Ambiguous(rest)


def vendor_words(document: Any) -> str:
    """What an error body says, from the usual places, redacted and at most 300 characters."""
    return redact_text(" ".join(_messages(document)))[:DETAIL_CHARS]


def _messages(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [text for item in value[:5] for text in _messages(item)]
    if isinstance(value, dict):
        names = ("title", "message", "error", "data", "errors", "details")
        return [text for name in names if name in value for text in _messages(value[name])]
    return []
