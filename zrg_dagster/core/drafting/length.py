"""How long a mail may be (DR-25): one attempt to have it written anew, then a cut that leaves every link and the signature
whole. Pure; lengths are characters of the mail without its signature."""

import re
from enum import StrEnum

from zrg_dagster.core.drafting.links import LINK

MIN_CHARS, MAX_CHARS = 220, 1_200
# Of what stands below the signature: a P.S. (DR-27).
POSTSCRIPT_CHARS = 300
# Replies that ask for a sentence or two.
BRIEF_TAGS = frozenset({"Meeting Booked"})
RULE = f"Write between {MIN_CHARS} and {MAX_CHARS} characters, in short paragraphs."
CUT = " …"

_SENTENCE_END = re.compile(r"[.!?][\"')\]]?(?=\s|$)|\n(?=\s*\n)")


class LengthProblem(StrEnum):
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"


def problem(body: str, signature: str, *, tag: str) -> LengthProblem | None:
    """What is wrong with the length of a mail, None when nothing is."""
    chars = counted(body, signature)
    if chars > MAX_CHARS:
        return LengthProblem.TOO_LONG
    return LengthProblem.TOO_SHORT if chars < MIN_CHARS and tag not in BRIEF_TAGS else None


def counted(body: str, signature: str) -> int:
    """The characters of `body`, a signature that the model wrote in spite of its rule left out."""
    span = _signature_span(body, signature)
    return len(body.strip()) if span is None else len(body[: span[0]].strip()) + len(body[span[1] :].strip())


def rewrite_rule(body: str, signature: str) -> str:
    """What the model is told in place of the plain rule when it writes the same mail anew."""
    wish = (
        "Say the same in fewer words"
        if counted(body, signature) > MAX_CHARS
        else "Say the same more fully, add no fact"
    )
    return f"{RULE} The previous draft has {counted(body, signature)} characters. {wish}."


def is_closer(new: str, old: str, signature: str) -> bool:
    """Whether `new` is nearer to the bounds than `old`; an empty text never is."""
    return bool(new.strip()) and _distance(new, signature) < _distance(old, signature)


def _distance(body: str, signature: str) -> int:
    chars = counted(body, signature)
    return max(MIN_CHARS - chars, chars - MAX_CHARS, 0)


def clamp(body: str, signature: str) -> str:
    """`body` within the most characters: cut behind a sentence where one ends in the second half, else between two words.

    Never inside a link or the signature; what stands below the signature stays below it. A text that is one link is left.
    """
    if counted(body, signature) <= MAX_CHARS:
        return body
    span = _signature_span(body, signature)
    if span is None:
        return _cut(body, MAX_CHARS)
    before, signed, after = body[: span[0]].strip(), body[span[0] : span[1]], body[span[1] :]
    after = _cut(after.rstrip(), POSTSCRIPT_CHARS)
    before = _cut(before, MAX_CHARS - len(after))
    return (f"{before}\n\n" if before else "") + signed + after


def _cut(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    links = [match.span() for match in LINK.finditer(text)]

    def is_free(place: int) -> bool:
        return 0 < place <= most and not any(first < place < last for first, last in links)

    ends = [match.end() for match in _SENTENCE_END.finditer(text) if is_free(match.end())]
    if ends and ends[-1] >= most // 2:
        return text[: ends[-1]].rstrip()
    words = [match.start() for match in re.finditer(r"\s+", text[: most - len(CUT)]) if is_free(match.start())]
    if words:
        # Apart from the last word, which may be a link: the mark must not become a part of it.
        return text[: words[-1]].rstrip() + CUT
    return text if any(first == 0 for first, _ in links) else text[:most]


def _signature_span(body: str, signature: str) -> tuple[int, int] | None:
    """Where the signature stands, whatever its white space is: the model may have written it, and not as the last thing."""
    words = signature.split()
    if not words:
        return None
    found = re.search(r"\s+".join(re.escape(word) for word in words), body)
    return found.span() if found else None
