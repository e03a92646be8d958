"""A company's website in one normal form."""

import re
from functools import lru_cache
from urllib.parse import urlsplit

from zrg_dagster.core.text.chars import storable

_CANDIDATE = re.compile(r"[^\s<>\"']{4,300}")
_HOST = re.compile(r"[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,5}")


def normalise_website(value: object) -> str | None:
    """`https://` added when missing, host lower-case, no bare trailing slash, the first address inside a sentence.

    Other schemes give None (B44: `ftp://x.com` must not become `https://ftp//x.com`).
    """
    return _normalise(value[:2000]) if isinstance(value, str) else None


@lru_cache(maxsize=16_384)
def _normalise(value: str) -> str | None:
    for match in _CANDIDATE.finditer(storable(value)):
        word = match[0].strip(".,;:()[]")
        if "@" in word:
            continue
        try:
            parts = urlsplit(word if "://" in word else f"https://{word}")
            host, port = (parts.hostname or "").rstrip("."), parts.port
        except ValueError:
            continue
        if parts.scheme.lower() not in ("http", "https") or not _HOST.fullmatch(host) or not host[-1].isalpha():
            continue
        path = "" if parts.path == "/" else parts.path
        query = f"?{parts.query}" if parts.query else ""
        return f"{parts.scheme.lower()}://{host}{f':{port}' if port else ''}{path}{query}"
    return None
