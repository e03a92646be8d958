"""LinkedIn addresses: a person's profile or a company page, in one normal form (NL-01, NL-02)."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal
from urllib.parse import quote, unquote, urlsplit

from zrg_dagster.core.text.chars import storable

_MAX_URL_CHARS = 500
_KINDS: dict[str, Literal["person", "company"]] = {"in": "person", "company": "company"}
_IN_TEXT = re.compile(r"(?:https?://|linkedin://)?(?:[a-z0-9-]{1,20}\.){0,3}linkedin\.com/[^\s\"'<>)\]]{1,300}", re.I)
_BLANK = re.compile(r"\s")
_DEEP_LINK = "linkedin://"


@dataclass(frozen=True, slots=True)
class LinkedInUrl:
    kind: Literal["person", "company"]
    url: str


def parse_linkedin(value: object) -> LinkedInUrl | None:
    """`https://linkedin.com/in/{slug}` or `.../company/{slug}`; any country host, query and trailing parts dropped.

    The host must be linkedin.com or below it (B37). `/pub/`, `/school/` and `/feed/` name nobody.
    """
    if not isinstance(value, str) or len(value) > _MAX_URL_CHARS:
        return None
    return _parse(value)


@lru_cache(maxsize=16_384)
def _parse(value: str) -> LinkedInUrl | None:
    text = storable(value).strip()
    if not text or "\\" in text or _BLANK.search(text):
        return None
    if text.lower().startswith(_DEEP_LINK):
        path = text[len(_DEEP_LINK) :].partition("?")[0].partition("#")[0]
    else:
        path = _path_on_linkedin(text)
    kind, _, rest = path.strip("/").partition("/")
    slug = unquote(rest.partition("/")[0]).strip().lower()
    name = _KINDS.get(kind.lower())
    if name is None or not slug or "/" in slug or not slug.isprintable():
        return None
    return LinkedInUrl(name, f"https://linkedin.com/{kind.lower()}/{quote(storable(slug), safe='-_.~')}")


def profile_url(value: object) -> str | None:
    """The person's profile, or None for anything else."""
    found = parse_linkedin(value)
    return found.url if found and found.kind == "person" else None


def company_url(value: object) -> str | None:
    """The company page, or None for anything else."""
    found = parse_linkedin(value)
    return found.url if found and found.kind == "company" else None


def find_profile(text: str) -> str | None:
    """The first profile address inside a text."""
    if "linkedin" not in text.lower():
        return None
    for match in _IN_TEXT.finditer(text[:20_000]):
        before = text[match.start() - 1 : match.start()]
        if before and (before.isalnum() or before in ".-@/"):
            continue  # the tail of another host, such as evil-linkedin.com
        if url := profile_url(match[0].rstrip(".,;:!?")):
            return url
    return None


def _path_on_linkedin(text: str) -> str:
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not (host == "linkedin.com" or host.endswith(".linkedin.com")):
        return ""
    return parts.path
