"""The corpus of hostile texts: where each stands in a mail, what it wants to have quoted, and its words."""

from dataclasses import dataclass
from pathlib import Path

_FILE = Path(__file__).parent / "data" / "injection_corpus.tsv"


@dataclass(frozen=True)
class Hostile:
    """`kind` is reply, signature or title; `bait` a link or an address that must not leave in a mail of ours, or ""."""

    kind: str
    bait: str
    text: str


def corpus() -> list[Hostile]:
    lines = _FILE.read_text(encoding="utf-8").splitlines()[1:]
    found = []
    for line in lines:
        kind, bait, text = line.split("\t")
        found.append(Hostile(kind, bait, text.replace("\\n", "\n").replace("\\t", "\t").replace("\\\\", "\\")))
    return found
