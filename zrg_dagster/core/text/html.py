"""HTML mail to text. Input is hostile and up to the door's body limit, so every pass is linear and size is capped.

The complete HTML is stored beside the text (CL-04); the cap only bounds what is read for the writer's own words, which
stand at the top of a mail.
"""

import html as entities
import re
from itertools import islice

import lxml.etree as etree
from inscriptis.css_profiles import STRICT_CSS_PROFILE
from inscriptis.html_engine import Inscriptis
from inscriptis.html_properties import Display
from inscriptis.model.config import ParserConfig
from inscriptis.model.html_element import HtmlElement as Style
from lxml.html import HtmlElement, HTMLParser, document_fromstring

from zrg_dagster.core.text.chars import storable

MAX_HTML_CHARS = 400_000
_SNIFF_CHARS = 5_000
# Deeper nesting is generated, and rendering recurses once per level.
_MAX_DEPTH = 200

# Cut markers that clean_text understands, put where a mail program marks the start of the quoted thread.
QUOTE_MARKER = "-----Original Message-----"

_TAG = re.compile(
    r"<(?:!doctype|html|head|body|div|p|br|span|table|tr|td|ul|ol|li|b|i|u|strong|em|font|blockquote|h[1-6]|style"
    r"|img|a(?=\s))(?=[\s/>])"  # the whole name: `<pablo@example.com>` is an address and no paragraph
    r"[^<>]{0,2000}>",
    re.I,
)
_ANY_TAG = re.compile(r"<[^<>]*>")
_LINE_END_TAG = re.compile(r"<(?:br\b[^<>]*|/p|/div|/tr|/li|/h[1-6]|/blockquote)\s?/?>", re.I)
_INLINE_DATA = re.compile(r"\bsrc=([\"'])data:[^\"'<>]*\1", re.I)
_XML_DECLARATION = re.compile(r"^\s*<\?xml[^<>]{0,500}>", re.I)
_BLOCKS = tuple(
    (re.compile(opening, re.I), re.compile(closing, re.I))
    for opening, closing in (
        (r"<!--", r"-->"),
        (r"<style\b", r"</style\s?>"),
        (r"<script\b", r"</script\s?>"),
    )
)
_BLOCK_STARTS = ("<s", "<S", "<\u017f")  # a long s is an s where case is ignored
_BLANKS = re.compile(r"[ \t\u00a0]+")

_DROPPED_TAGS = {"blockquote", "head", "title", "noscript", "template", "object", "iframe", "svg"}
_DROPPED_CLASSES = ("gmail_attr", "moz-cite-prefix", "protonmail_quote")
_QUOTE_IDS = {
    "appendonsend",
    "divrplyfwdmsg",
    "x_divrplyfwdmsg",
    "olk_src_body_section",
    "mail-editor-reference-message-container",
}
_QUOTE_CLASSES = ("yahoo_quoted", "zmail_extra")
# Layout is dropped on purpose: aligning table columns is quadratic in nested tables and tells the reader nothing.
_FLATTENED = {
    "table": "div", "tbody": "div", "thead": "div", "tfoot": "div", "tr": "div", "td": "span", "th": "span",
}  # fmt: skip
_HIDDEN = re.compile(r"display\s{0,3}:\s{0,3}none|mso-hide\s{0,3}:\s{0,3}all", re.I)

_CSS = {name: style for name, style in STRICT_CSS_PROFILE.items() if name not in ("p", "ul", "ol")} | {
    # Mail programs write one <p> or <div> per line; a browser's paragraph margin would double every line break.
    "p": Style(display=Display.block),
    "ul": Style(display=Display.block),
    "ol": Style(display=Display.block),
}
_CONFIG = ParserConfig(css=_CSS)


def looks_like_html(text: str) -> bool:
    """Whether a text body is in truth HTML: vendors put either into the same field."""
    return "<" in text and _TAG.search(text, 0, _SNIFF_CHARS) is not None


def html_to_text(html: str) -> str:
    """The readable text: quotes, styles and scripts removed, one line per block, link targets in brackets after them."""
    html = _without_blocks(_capped(html))
    if not html.strip():
        return ""
    try:
        tree = document_fromstring(html, parser=HTMLParser(huge_tree=False, remove_comments=True, remove_pis=True))
        if _prune(tree) > _MAX_DEPTH:
            return strip_tags(html)
        return _tidy(Inscriptis(tree, _CONFIG).get_text())
    except (etree.LxmlError, ValueError, RecursionError):
        return strip_tags(html)


def strip_tags(html: str) -> str:
    """Text without tags: cheap, for mail of our own whose layout we know (campaign steps come by the thousand)."""
    if "<" not in html:
        return _tidy(entities.unescape(html[:MAX_HTML_CHARS])) if "&" in html else _tidy(html[:MAX_HTML_CHARS])
    text = _LINE_END_TAG.sub("\n", _without_blocks(_capped(html)))
    return _tidy(entities.unescape(_ANY_TAG.sub("", text)))


def _capped(html: str) -> str:
    html = storable(html)
    if "<?" in html:
        html = _XML_DECLARATION.sub("", html, count=1)
    if len(html) > 20_000:
        html = _INLINE_DATA.sub("", html)
    return html[:MAX_HTML_CHARS]


def _without_blocks(html: str) -> str:
    """Remove comments, styles and scripts with their content; an unclosed one swallows the rest, as in a browser."""
    if "<!--" not in html and not any(start in html for start in _BLOCK_STARTS):
        return html
    folded = html.casefold()
    if "<!--" not in html and "<style" not in folded and "<script" not in folded:
        return html  # in a third of the time of the patterns, which ignore case
    for opening, closing in _BLOCKS:
        start = opening.search(html)
        if start is None:
            continue
        kept, position = [], 0
        while start is not None:
            kept.append(html[position : start.start()])
            end = closing.search(html, start.end())
            if end is None:
                position = len(html)
                break
            position = end.end()
            start = opening.search(html, position)
        kept.append(html[position:])
        html = "".join(kept)
    return html


def _prune(tree: HtmlElement) -> int:
    """Drop what the writer did not write, mark quoted threads, keep link targets; returns the tree's depth.

    All attributes go: the renderer would obey `padding: 99999em` and fill memory with blanks.
    """
    doomed: list[HtmlElement] = []
    depth = deepest = 0
    for event, element in etree.iterwalk(tree, events=("start", "end")):
        if event == "end":
            depth -= 1
            continue
        depth += 1
        deepest = max(deepest, depth)
        if not isinstance(element.tag, str):
            continue
        classes, identity, style = (element.get(name, "")[:500] for name in ("class", "id", "style"))
        if element.tag in _DROPPED_TAGS or _has(classes, _DROPPED_CLASSES) or (style and _HIDDEN.search(style)):
            if element is not tree:
                doomed.append(element)
            continue
        if identity.lower() in _QUOTE_IDS or _has(classes, _QUOTE_CLASSES):
            element.text = f"\n{QUOTE_MARKER}\n{element.text or ''}"
            element.tag = "pre"
        _keep_target(element)
        if element.tag in ("td", "th"):
            element.tail = f" {element.tail or ''}"
        element.tag = _FLATTENED.get(element.tag, element.tag)
        element.attrib.clear()
    for element in doomed:
        if element.getparent() is not None:
            element.drop_tree()
    return deepest


def _has(classes: str, wanted: tuple[str, ...]) -> bool:
    return bool(classes) and any(name in classes for name in wanted)


def _keep_target(element: HtmlElement) -> None:
    """`<a href=URL>text</a>` becomes `text (URL)` unless the text shows the address already."""
    if element.tag != "a":
        return
    target = (element.get("href") or "").strip()
    if target[:7].lower() == "mailto:":
        target = target[7:].partition("?")[0]
    elif not target[:8].lower().startswith(("https://", "http://")):
        return
    shown = "".join(text for text in islice(element.itertext(), 50) if isinstance(text, str))[:2_000].strip()
    bare = target.removeprefix("https://").removeprefix("http://").rstrip("/")
    if not target or len(target) > 500 or (bare and bare.lower() in shown.lower()):
        return
    element.tail = f" ({target}){element.tail or ''}" if shown else element.tail


def _tidy(text: str) -> str:
    """Single blanks, no blanks at line ends, at most one empty line in a row."""
    lines: list[str] = []
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "  " in text or "\t" in text or "\u00a0" in text:
        text = _BLANKS.sub(" ", text)
    for line in text.split("\n"):
        line = line.strip()
        if line or (lines and lines[-1]):
            lines.append(line)
    return storable("\n".join(lines).strip())
