"""What an analyst receives from one DataFrame: a table to read, a picture, and a file. Loads pandas when called."""

import base64
import io
import os
import warnings
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

# The picture is stored with the materialization in Dagster's event log, so it stays small.
PICTURE_DPI = 90
PICTURE_ROWS = 8
MAX_LABEL = 28
# A spreadsheet runs a cell that begins with one of these as a formula.
_FORMULA_START = ("=", "+", "-", "@", "\t", "\r")


def markdown_table(frame: "pd.DataFrame", limit: int) -> str:
    """The first rows as a Markdown table. Text from outside cannot break out of its cell."""
    lines = ["| " + " | ".join(map(str, frame.columns)) + " |", "|" + " --- |" * len(frame.columns)]
    for values in frame.head(limit).itertuples(index=False):
        lines.append("| " + " | ".join(_markdown_cell(value) for value in values) + " |")
    return "\n".join(lines)


def _markdown_cell(value: object) -> str:
    if value is None or value != value:
        return "–"
    text = f"{value:.4g}" if isinstance(value, float) else " ".join(str(value).split())
    for special in "\\|<>`*_[]&":
        text = text.replace(special, f"&#{ord(special)};")
    return text


def bar_picture(frame: "pd.DataFrame", *, label: str, whole: str, part: str, title: str) -> str:
    """Horizontal bars of `whole` with `part` in front, one per row, as Markdown with the PNG inside."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    top = frame.head(PICTURE_ROWS).iloc[::-1]
    figure = Figure(figsize=(7.0, 1.2 + 0.36 * max(len(top), 1)), dpi=PICTURE_DPI, layout="tight")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    places = range(len(top))
    axes.barh(places, top[whole].astype(float), color="#b9c7d8", label=whole)
    axes.barh(places, top[part].astype(float), color="#2f6db5", height=0.5, label=part)
    axes.set_yticks(list(places), labels=["" for _ in places])
    for place, name in zip(places, top[label], strict=True):
        # parse_math off: a name with two dollar signs is a name, not a formula.
        axes.text(
            -0.01, place, _short(str(name)), ha="right", va="center", transform=axes.get_yaxis_transform(),
            parse_math=False, fontsize=9,
        )  # fmt: skip
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_locator(MaxNLocator(nbins="auto", integer=True))
    figure.suptitle(title, x=0.02, ha="left", fontsize=10, parse_math=False)
    axes.legend(fontsize=8, frameon=False, loc="lower right")
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlim(left=0, right=max([1.0, *(float(value) * 1.05 for value in top[whole])]))
    picture = io.BytesIO()
    with warnings.catch_warnings():
        # Names may hold characters that the built-in font lacks; an empty box in a label is no reason to fail a build.
        warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)
        canvas.print_png(picture)
    return f"![{title}](data:image/png;base64,{base64.b64encode(picture.getvalue()).decode()})"


def _short(name: str) -> str:
    name = " ".join(name.split())
    return name if len(name) <= MAX_LABEL else name[: MAX_LABEL - 1] + "…"


def plain_numbers(frame: "pd.DataFrame") -> "pd.DataFrame":
    """The same values, written as people write them: 1 and 0.25 instead of 1.00000000 and 0.25000000 (or 0E-8)."""
    return frame.map(_plain)


def _plain(value: object) -> object:
    if not isinstance(value, Decimal) or not value.is_finite():
        return value
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value.normalize()


def write_csv(frame: "pd.DataFrame", path: Path) -> None:
    """Write the whole frame, safe to open in a spreadsheet. A reader sees the old file or the new one, never a part."""
    safe = frame.copy()
    for name in safe.columns:
        safe[name] = safe[name].map(_formula_safe)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    safe.to_csv(draft, index=False)
    draft.replace(path)


def _formula_safe(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_START) else value
