"""Identifiers made in Python, never in SQL: time-ordered UUIDs for business rows."""

import secrets
import time
from uuid import UUID


def new_id(unix_ms: int | None = None) -> UUID:
    """A UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, then 74 random bits.

    Time order keeps B-tree inserts at the right edge; the random part makes ids unguessable.
    """
    milliseconds = time.time_ns() // 1_000_000 if unix_ms is None else unix_ms
    value = (milliseconds & (2**48 - 1)) << 80
    value |= 0x7 << 76
    value |= secrets.randbits(12) << 64
    value |= 0b10 << 62
    value |= secrets.randbits(62)
    return UUID(int=value)
