"""Identifiers made in Python, never in SQL: time-ordered UUIDs for business rows."""

import os
import secrets
import threading
import time
from uuid import UUID

_lock = threading.Lock()
_last = 0


def _forget_last() -> None:
    """A forked child must not count on from its parent's last id: its siblings would make the same ones."""
    global _last, _lock
    _lock = threading.Lock()
    _last = 0


os.register_at_fork(after_in_child=_forget_last)


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, then 74 random bits; ascending within a process.

    Time order keeps B-tree inserts at the right edge and breaks ties in the order of creation; the random part makes
    ids unguessable.
    """
    global _last
    milliseconds = time.time_ns() // 1_000_000 & (2**48 - 1)
    ordered = milliseconds << 74 | secrets.randbits(74)
    with _lock:
        if ordered <= _last:
            ordered = _last + 1
        _last = ordered
    return UUID(
        int=(ordered >> 62) >> 12 << 80
        | 0x7 << 76
        | ((ordered >> 62) & 0xFFF) << 64
        | 0b10 << 62
        | ordered & (2**62 - 1)
    )
