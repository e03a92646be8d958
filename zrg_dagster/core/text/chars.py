"""Characters: what Postgres can store, and one folded form for matching words in any spelling."""

import re
import unicodedata

_QUOTES = str.maketrans(
    {
        "‘": "'", "’": "'", "‛": "'", "´": "'", "`": "'", "ʼ": "'", "′": "'",
        "“": '"', "”": '"', "„": '"', "«": '"', "»": '"',
        "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "−": "-",
        "\u00a0": " ", "\u202f": " ", "\u2007": " ", "\u3000": " ",
        "\u200b": None, "\u200c": None, "\u200d": None, "\u2060": None, "\ufeff": None, "\u00ad": None,
    }
)  # fmt: skip
_BLANKS = re.compile(r"[ \t\f\v]+")


def storable(text: str) -> str:
    """`text` without NUL and with lone surrogates replaced: Postgres refuses the first, UTF-8 the second."""
    if "\x00" in text:
        text = text.replace("\x00", "")
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def folded(text: str) -> str:
    """Lower case, no accents, plain quotes and dashes, single blanks; line breaks are kept.

    "Désabonnez‑moi" and "desabonnez-moi" fold to the same text, so each phrase is written once.
    """
    text = text.translate(_QUOTES)
    if not text.isascii():
        text = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return _BLANKS.sub(" ", text.lower())


def trimmed(text: str) -> str:
    """`text` with one kind of line break and nothing around it."""
    return text.replace("\r\n", "\n").strip()
