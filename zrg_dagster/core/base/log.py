"""Structured logs: JSON in production, readable lines in development, secrets and persons removed in both.

Every line carries `correlation_id` while one is bound: the receiver makes it, the event and job rows keep it,
and the send that results from a webhook still logs under it.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_SECRET_KEYS = re.compile(r"(authorization|token|secret|password|api[_-]?key|signature|credential|cookie|dsn)", re.I)
_PERSON_KEYS = frozenset(
    {"email", "phone", "from_email", "to_email", "name", "first_name", "last_name", "body", "text", "subject", "html"}
)
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(r"(?<![\w-])\+\d[\d ().-]{7,}\d(?![\w-])")
_URL_PASSWORD = re.compile(r"(\w+://[^:/\s@]*):[^@\s/]+@")
_BEARER = re.compile(r"\b(Bearer\s+|xox[abp]-|sk-)[\w.~+/=-]+", re.I)


def redact_text(text: str) -> str:
    """`text` without e-mail addresses, phone numbers, bearer tokens and passwords inside URLs."""
    text = _URL_PASSWORD.sub(r"\1:[secret]@", text)
    text = _BEARER.sub(r"\1[secret]", text)
    text = _EMAIL.sub("[email]", text)
    return _PHONE.sub("[phone]", text)


def _redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if _SECRET_KEYS.search(key):
            event[key] = "[secret]"
        elif key in _PERSON_KEYS:
            event[key] = "[person]"
        elif isinstance(value, str):
            event[key] = redact_text(value)
        elif isinstance(value, BaseException):
            event[key] = redact_text(f"{type(value).__name__}: {value}")
    return event


class _Stdout:
    """Whatever standard output is when a line is written: Dagster and tests replace it, and close what they put there."""

    def write(self, text: str) -> int:
        return sys.stdout.write(text)

    def flush(self) -> None:
        sys.stdout.flush()


def configure_logging(*, json: bool, level: str = "INFO", stream: Any = None) -> None:
    """Set up structlog for this process. Call once, first thing in a main function."""
    renderer: Any = structlog.processors.JSONRenderer() if json else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _redact,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.WriteLoggerFactory(file=stream or _Stdout()),  # pyright: ignore[reportArgumentType]
        cache_logger_on_first_use=False,
    )


def bind_correlation(correlation_id: str) -> None:
    """Put the id of the webhook that caused this work on every following line of the current task."""
    structlog.contextvars.bind_contextvars(correlation_id=correlation_id)


def get_logger(name: str) -> Any:
    """A logger that writes events as `snake_case` names with fields: `log.info("batch_stored", rows=12)`."""
    return structlog.get_logger(source=name)
