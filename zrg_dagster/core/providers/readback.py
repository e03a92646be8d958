"""Pure pieces that read-backs share: comparable text and the window in which our message must lie."""

import re
from datetime import datetime, timedelta

from zrg_dagster.core.text.times import parse_timestamp

PREFIX_CHARS = 160
# Vendors stamp with their own clock and sometimes send from a queue (vendor reference §4.6, §5.6).
BEFORE = timedelta(seconds=120)
AFTER = timedelta(minutes=10)

_REPLY_PREFIX = re.compile(r"^(?:(?:re|aw|sv|antw|fwd?)\s*(?:\[\d+\])?\s*:\s*)+", re.I)


def comparable(text: str | None) -> str:
    """White space folded, ends trimmed, case kept: what a vendor's re-rendering leaves of a text."""
    return " ".join((text or "").replace("\u00a0", " ").split())


def comparable_subject(subject: str | None) -> str:
    """A subject without reply prefixes, lower case."""
    return _REPLY_PREFIX.sub("", comparable(subject)).lower()


def same_beginning(ours: str, theirs: str) -> bool:
    """Equal in their first 160 comparable characters, and not both empty."""
    mine = comparable(ours)[:PREFIX_CHARS]
    return bool(mine) and mine == comparable(theirs)[:PREFIX_CHARS]


def in_window(value: object, since: datetime) -> bool:
    """Whether `value` lies between two minutes before and ten minutes after the attempt that started at `since`."""
    instant = parse_timestamp(value)
    return instant is not None and since - BEFORE <= instant <= since + AFTER
