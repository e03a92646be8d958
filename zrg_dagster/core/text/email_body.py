"""What the writer of a mail wrote: quoted threads, signatures and contact footers cut off (providers §1.4, CL-01..CL-06).

`clean_text` is idempotent and its work is bounded by the first `MAX_TEXT_CHARS` characters; patterns see one line (at
most `_LINE_CHARS` of it) or a joined window of three, never the whole mail. The raw text and HTML are kept by the
caller. Opt-out and bounce rules read only the result: our own quoted footer says "unsubscribe".
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from mailparser_reply.parser import EmailMessage

from zrg_dagster.core.text.chars import folded, storable
from zrg_dagster.core.text.html import html_to_text, looks_like_html

MAX_TEXT_CHARS = 200_000
_LINE_CHARS = 300
_ATTRIBUTION_LINES = 3
# The library's patterns backtrack, so it sees a small window and only mail in languages our own rules do not read.
_LIBRARY_CHARS, _LIBRARY_LINE_CHARS = 2_500, 200
_LIBRARY_LANGUAGES = {
    "ha scritto": "it", "schreef": "nl", "skrev": "sv", "napisa": "pl", "napsal": "cs", "年": "ja", "작성": "ko",
}  # fmt: skip
_MAX_ROUNDS = 8

_NEWLINES = re.compile(r"\r\n?|[\u2028\u2029\x0b\x0c\x85]")
_BLANKS = re.compile(r"[ \t\u00a0\u200b\ufeff]+")

_SEPARATOR = re.compile(
    r"-{2,20} ?(?:original (?:message|appointment)|mensaje original|message (?:d'origine|original)"
    r"|urspru?ngliche nachricht|forwarded message|mensaje reenviado|message transfere"
    r"|weitergeleitete nachricht) ?-{0,20}"
    r"|(?:begin forwarded message|debut du message (?:reexpedie|transfere)|inicio del mensaje reenviado"
    r"|anfang der weitergeleiteten nachricht|forwarded message) ?:?"
)
_HEADER = re.compile(
    r"\*?(from|sent|date|to|cc|subject|von|gesendet|datum|an|betreff|de|enviado(?: el)?|fecha|para|asunto"
    r"|envoye|a|objet) ?:\*?(?: |$)"
)
_HEADER_FROM = {"from", "von", "de"}
_WROTE = re.compile(
    r"(?:\bwrote|\becrit|\bescribio|\bschrieb(?: am .{0,60})?|\bschrieb .{0,120}|\bescreveu"
    r"|<[^<>\s]{3,100}@[^<>\s]{3,100}>) ?:$"
)
_ATTRIBUTION_START = re.compile(r"(?:on|am|le|el|em|il|op|den) |\d|.{0,80}<[^<>\s]{1,100}@")
_EVIDENCE = re.compile(r"\d|@")
_MOBILE = re.compile(
    r"(?:sent|enviado|envoye|gesendet) (?:from|via|with|desde|de|depuis|mit|von) (?:my|mi|mon|meinem|outlook|proton"
    r"|yahoo"
    r"|gmail|mail|superhuman|spark|iphone|ipad|android|samsung|mobile|the)\b.{0,60}"
    r"|(?:get|obtenir|obtener|holen sie sich) outlook (?:for|pour|para|fur) .{0,60}"
    r"|von meinem .{2,30} gesendet|envoye de mon .{2,30}"
)
_RULE_LINE = re.compile(r"[_=*-]{5,}")
_SIGNATURE = {"--", "—", "-- "}

_CONTACT = re.compile(
    r"[^\s@<>()]{1,64}@[^\s@<>()]{3,200}|(?:https?://|www\.)\S{3,300}|\b[a-z0-9-]{2,63}\.(?:com|io|net|org|co|de|fr"
    r"|es|ai|app)\b"
    r"|(?:\+|\(|\b)\d[\d ().\-/]{6,20}\d\b"
)
_LABEL = re.compile(
    r"\b(?:e-?mail|mail|tel|telephone|telefono|phone|ph|mobile|mob|movil|cell|office|direct|fax|web|website|site"
    r"|address"
    r"|linkedin|whatsapp|skype|twitter|x|t|m|p|o|d|f|e|w|c)\b ?[:|.]?"
)
_SENTENCE_WORD = re.compile(r"\b(?:me|my|call|reach|use|try|text|please|is|are|at|or|and|us|i|we|you|can|will)\b")
_WORD = re.compile(r"[^\W\d_]{2,}")
_FOOTER_LINES = 12
_FOOTER_OTHER_CHARS = 80


def clean_reply(text: str | None, html: str | None) -> str:
    """The writer's own words from a mail's text or HTML part; the text part wins. Empty string when there are none."""
    if text and text.strip():
        return clean_text(html_to_text(text) if looks_like_html(text) else text)
    return clean_text(html_to_text(html)) if html else ""


def clean_text(text: str) -> str:
    """Plain text without quoted thread, quote lines, signature and contact footer; one empty line at most in a row."""
    lines = _lines(text)
    for _ in range(_MAX_ROUNDS):
        shorter = _tidy(_strip_footers(_strip_signature(_own_lines(lines))))
        if shorter == lines:
            break
        lines = shorter
    return "\n".join(lines)


def own_part(text: str) -> str:
    """What the writer sent, signature and footer included, without the quoted thread."""
    return "\n".join(_tidy(_own_lines(_lines(text))))


def _lines(text: str) -> list[str]:
    text = _NEWLINES.sub("\n", storable(text[:MAX_TEXT_CHARS]))
    return _tidy([_BLANKS.sub(" ", line).strip() for line in text.split("\n")])


def _tidy(lines: Sequence[str]) -> list[str]:
    kept: list[str] = []
    for line in lines:
        if line or (kept and kept[-1]):
            kept.append(line)
    while kept and (not kept[-1] or _RULE_LINE.fullmatch(kept[-1][:_LINE_CHARS])):
        kept.pop()
    return kept


def _own_lines(lines: list[str]) -> list[str]:
    """Lines above the quoted thread without `>` lines; for an answer below the quote, the lines after it."""
    unquoted = [(number, line) for number, line in enumerate(lines) if not line.startswith(">")]
    plain = [line for _, line in unquoted]
    cut = _thread_start(plain)
    if cut is None:
        return _library_cut(plain)
    head = plain[:cut]
    if any(head):
        return _library_cut(head)
    last_quote = max((number for number, line in enumerate(lines) if line.startswith(">")), default=None)
    if last_quote is None:
        return []
    return [line for number, line in unquoted if number > last_quote]


# Lines of at most `_LINE_CHARS`. Each is read for the thread, the signature and the footer, and again in the round that
# finds nothing more to cut.
_key = lru_cache(maxsize=2_048)(folded)


def _thread_start(lines: list[str]) -> int | None:
    """Index of the first line of the quoted thread (CL-01, CL-02)."""
    keys = [_key(line[:_LINE_CHARS]) for line in lines]
    for index, key in enumerate(keys):
        if not key:
            continue
        if key[0] in "-bdiaf" and _SEPARATOR.fullmatch(key):
            return index
        if ":" in key and (_is_header_block(keys, index) or _is_attribution(keys, index)):
            return index
        # A header that the mail program wrapped has its colon on one of the next lines.
        if ":" not in key and _ATTRIBUTION_START.match(key) and _is_attribution(keys, index):
            return index
    return None


def _is_header_block(keys: list[str], index: int) -> bool:
    """At least two consecutive header lines, one of them From; a single `To:` is the lead's own sentence (B45)."""
    names: set[str] = set()
    for key in keys[index : index + 8]:
        match = _HEADER.match(key.lstrip("> "))
        if match is None:
            break
        names.add(match[1])
    return len(names) >= 3 or (len(names) == 2 and not names.isdisjoint(_HEADER_FROM))


def _is_attribution(keys: list[str], index: int) -> bool:
    """ "On <date>, <name> wrote:" in one to three lines, with a digit or an address as evidence."""
    if not _ATTRIBUTION_START.match(keys[index]):
        return False
    window = ""
    for key in keys[index : index + _ATTRIBUTION_LINES]:
        if not key:
            return False
        window = f"{window} {key}".strip()[: _LINE_CHARS * 2]
        if window.endswith(":"):
            tail = window[-200:]
            wrote = tail.endswith(" wrote:") or _WROTE.search(tail) is not None  # the usual one without a search
            return wrote and _EVIDENCE.search(window) is not None
    return False


def _library_cut(lines: list[str]) -> list[str]:
    """Headers in further languages, by mail-parser-reply's patterns on a bounded window."""
    text = "\n".join(lines)[:_LIBRARY_CHARS].lower()
    languages = [language for word, language in _LIBRARY_LANGUAGES.items() if word in text]
    if not languages:
        return lines
    window = "\n".join(line[:_LIBRARY_LINE_CHARS] for line in lines)[:_LIBRARY_CHARS]
    found = EmailMessage(text="", languages=languages).HEADER_REGEX.search(window)
    return lines if found is None else lines[: window.count("\n", 0, found.start())]


def _strip_signature(lines: list[str]) -> list[str]:
    """Cut at a `--` line; drop the lines mobile programs add."""
    kept: list[str] = []
    for line in lines:
        if line in _SIGNATURE:
            break
        if len(line) <= 120 and line and _MOBILE.fullmatch(_key(line)):
            continue
        kept.append(line)
    return kept


def _strip_footers(lines: list[str]) -> list[str]:
    """Drop trailing blocks of contact data, but never the contact data that the writer announces (CL-03, B46)."""
    lines = _tidy(lines)
    for gap in range(len(lines) - 1, 0, -1):
        if lines[gap]:
            continue
        above = lines[gap - 1]
        if not above or above.endswith(":") or not _is_footer(lines[gap + 1 :]):
            break
        del lines[gap:]
    return lines


def _is_footer(block: list[str]) -> bool:
    if not 2 <= len(block) <= _FOOTER_LINES:
        return False
    contacts = 0
    for line in block:
        if len(line) > _LINE_CHARS:
            return False
        if _is_contact(_key(line)):
            contacts += 1
        elif len(line) > _FOOTER_OTHER_CHARS or line.endswith(("?", "!", ".")):
            return False
    return contacts >= 2


def _is_contact(key: str) -> bool:
    """Mostly an address, URL, phone number or label: what else stands in the line is no sentence."""
    rest, found = _CONTACT.subn(" ", key)
    if not found:
        return False
    rest = _LABEL.sub(" ", rest)
    return _SENTENCE_WORD.search(rest) is None and len(_WORD.findall(rest)) <= 4
