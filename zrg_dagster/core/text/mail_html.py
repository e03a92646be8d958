"""Plain text as the HTML of a mail that we send. Everything is escaped: no markup of a draft reaches a reader."""

import html
import re

from zrg_dagster.core.text.chars import trimmed


def text_to_html(text: str) -> str:
    """Paragraphs and line breaks."""
    paragraphs = re.split(r"\n[ \t]*\n+", trimmed(text))
    return "".join(
        f"<p>{html.escape(part.strip(), quote=False).replace(chr(10), '<br>')}</p>" for part in paragraphs if part
    )


def text_to_lines(text: str) -> str:
    """One block with XHTML breaks, for vendors that drop line ends and other markup (providers §7.4)."""
    escaped = html.escape(trimmed(text), quote=False)
    return f"<div>{escaped.replace(chr(10), '<br/>')}</div>"
