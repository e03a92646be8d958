"""One DataFrame as table, picture and file: what customers typed stays text."""

import csv
from decimal import Decimal

import pandas as pd
import pytest

from zrg_dagster.assets import frames

NASTY = ["a | b", "<img src=x onerror=alert(1)>", "[x](http://x)", "$2 \\frac $3", "🚀 日本", "=HYPERLINK(1)", "a\nb"]


def named(names):
    return pd.DataFrame({"name": names, "bookings": [Decimal(2)] * len(names), "kept": [Decimal(1)] * len(names)})


def test_text_cannot_leave_its_cell():
    lines = frames.markdown_table(named(NASTY), 10).splitlines()
    assert len(lines) == 2 + len(NASTY)
    assert all(line.count("|") == 4 for line in lines)
    body = "".join(lines[2:])
    assert "<" not in body
    assert "](" not in body


def test_a_table_is_cut_and_an_unknown_value_reads_as_unknown():
    frame = pd.DataFrame({"share": [None, float("nan"), 0.5, 0.25]})
    assert frames.markdown_table(frame, 3).splitlines()[2:] == ["| – |", "| – |", "| 0.5 |"]


@pytest.mark.parametrize("names", [[], ["one"], NASTY, [f"sequence {number}" for number in range(40)]])
def test_a_picture_is_small_whatever_the_names_are(names):
    picture = frames.bar_picture(named(names), label="name", whole="bookings", part="kept", title="t $ $")
    assert picture.startswith("![t $ $](data:image/png;base64,iVBORw0KGgo")
    assert len(picture) < 40_000


def test_a_file_opens_safely_in_a_spreadsheet_and_replaces_the_old_one(tmp_path):
    path = tmp_path / "exports" / "a.csv"
    frames.write_csv(named(["old"]), path)
    frames.write_csv(named(NASTY), path)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == [*NASTY[:5], "'=HYPERLINK(1)", "a\nb"]
    assert [each.name for each in path.parent.iterdir()] == ["a.csv"]
