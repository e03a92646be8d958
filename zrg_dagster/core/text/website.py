"""A company's website in one normal form."""

import re
from urllib.parse import urlsplit

from zrg_dagster.core.text.chars import storable

_CANDIDATE = re.compile(r"[^\s<>\"']{4,300}")
_HOST = re.compile(r"[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,5}")


def normalise_website(value: object) -> str | None:
    """`https://` added when missing, host lower-case, no bare trailing slash, the first address inside a sentence.

    Other schemes give None (B44: `ftp://x.com` must not become `https://ftp//x.com`).
    """
    if not isinstance(value, str):
        return None
    for match in _CANDIDATE.finditer(storable(value[:2000])):
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
