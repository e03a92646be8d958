"""Links in a text, and one spelling for each. Pure."""

import re

LINK = re.compile(
    r"""
    (?<![\w@.-])                                        # the host of a mail address is no link
    (?: [a-z][a-z0-9+.-]{1,20}://[^\s<>"']+
      | (?:[a-z0-9](?:[a-z0-9-]{0,62})\.)+[a-z]{2,24}(?::\d{1,5})?(?:[/?\#][^\s<>"']*)?
    )""",
    re.I | re.X,
)
# Without scheme or path, a dotted word is taken for a host only under a common ending: "Inc.We" is no link.
_ENDINGS = frozenset(
    {
        "com",
        "net",
        "org",
        "io",
        "co",
        "ai",
        "app",
        "dev",
        "me",
        "us",
        "uk",
        "de",
        "fr",
        "nl",
        "es",
        "it",
        "ca",
        "au",
        "eu",
    }
    | {"info", "biz", "ly", "gg", "link", "page", "site", "online", "xyz", "tech", "cloud", "example", "calendar"}
)
_TRAILING = ".,;:!?)]}*_"


def links_in(text: str) -> list[str]:
    """Everything that a mail program would turn into a link, normalised."""
    found = []
    for match in LINK.finditer(text):
        raw = match[0].rstrip(_TRAILING)
        host = raw.partition("/")[0].partition("?")[0]
        has_shape = "://" in raw or "/" in raw or raw.lower().startswith("www.")
        if has_shape or host.rpartition(".")[2].lower() in _ENDINGS:
            found.append(normal_link(raw))
    return found


def normal_link(raw: str) -> str:
    scheme, separator, rest = raw.partition("://")
    if not separator:
        scheme, rest = "https", raw
    if scheme.lower() == "http":
        scheme = "https"
    host_end = min((rest.find(mark) for mark in "/?#" if mark in rest), default=len(rest))
    host = rest[:host_end].lower().removeprefix("www.")
    return f"{scheme.lower()}://{host}{rest[host_end:].rstrip('/')}"
