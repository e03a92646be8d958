"""The opt-out floor on a labelled corpus whose author had not seen the rules, scored per family and language."""

import dataclasses
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from zrg_dagster.core.text.chars import folded
from zrg_dagster.core.text.email_body import clean_reply
from zrg_dagster.core.text.optout import RULES, Channel, _worth_asking, canonical_sentences, is_opt_out

_DATA = Path(__file__).parent.parent / "data"
_CORPUS = "optout_corpus.tsv"
# Written after the rules, by another author, and never used to change them: what it shows holds for text to come.
_HELD_OUT = "optout_corpus_held_out.tsv"


@dataclasses.dataclass(frozen=True)
class Row:
    id: str
    channel: Channel
    language: str
    family: str
    asks_to_stop: bool
    text: str

    @property
    def found(self) -> bool:
        """E-mail is cleaned first, as intake does: a quoted footer is not the writer's own."""
        text = clean_reply(self.text, None) if self.channel == "email" else self.text
        return is_opt_out(text, channel=self.channel)


def _rows(name: str) -> Iterator[Row]:
    lines = (_DATA / name).read_text(encoding="utf-8").removesuffix("\n").split("\n")
    for line in lines[1:]:
        row_id, channel, language, family, label, text = line.split("\t")
        assert label in {"optout", "keep"}, row_id
        yield Row(row_id, cast("Channel", channel), language, family, label == "optout", text.replace("\\n", "\n"))


ROWS = tuple(_rows(_CORPUS))
WRONG = tuple(row for row in ROWS if row.found != row.asks_to_stop)


def _recall(family: str, language: str | None = None) -> float:
    def chosen(row: Row) -> bool:
        return row.family == family and row.asks_to_stop and language in {None, row.language}

    return 1 - sum(map(chosen, WRONG)) / sum(map(chosen, ROWS))


def test_what_is_worth_asking_is_found_in_one_walk() -> None:
    assert all(len(need) >= 3 for rule in RULES for need in rule.needs)
    for row in ROWS:
        sentences = list(canonical_sentences(folded(row.text)))
        wanted = [rule for rule in RULES if any(rule.wants.search(sentence) for sentence in sentences)]
        assert _worth_asking(sentences) == wanted


def test_the_table_of_families_and_languages(capsys: pytest.CaptureFixture[str]) -> None:
    rows = Counter((row.family, row.language) for row in ROWS)
    wrong = Counter((row.family, row.language) for row in WRONG)
    with capsys.disabled():
        print()
        for family, language in sorted(rows):
            count, missed = rows[family, language], wrong[family, language]
            print(f"{family:20} {language}  {count - missed:4}/{count:<4} {1 - missed / count:.3f}")
        for row in WRONG:
            print(row.id, row.channel, row.language, row.family, "asks" if row.asks_to_stop else "keep", row.text[:100])
    assert sum(rows.values()) > 800


def test_every_exact_word_is_found() -> None:
    assert _recall("exact") == 1


@pytest.mark.parametrize("language", ["en", "es", "fr"])
def test_phrases_are_found(language: str) -> None:
    assert _recall("phrase", language) >= 0.99


def test_an_own_request_above_quoted_text_is_found() -> None:
    assert _recall("quoted_real") == 1


def test_false_alarms_are_rare() -> None:
    harmless = [row for row in ROWS if not row.asks_to_stop]
    alarms = [row for row in WRONG if not row.asks_to_stop]
    assert len(alarms) <= 0.01 * len(harmless), [row.id for row in alarms]


def test_text_that_the_rules_were_not_written_for(capsys: pytest.CaptureFixture[str]) -> None:
    """97 of 100 phrases and 1 false alarm in 80 when it was written; the floor may only get better."""
    rows = tuple(_rows(_HELD_OUT))
    wrong = {row.id for row in rows if row.found != row.asks_to_stop}
    phrases = [row for row in rows if row.family == "phrase"]
    harmless = [row for row in rows if not row.asks_to_stop]
    missed = sum(row.id in wrong for row in phrases)
    alarms = sum(row.id in wrong for row in harmless)
    with capsys.disabled():
        print(
            f"\nheld out: {missed} of {len(phrases)} phrases missed, {alarms} of {len(harmless)} harmless texts stopped"
        )
    assert not [row.id for row in rows if row.family == "exact" and row.id in wrong]
    assert missed <= 4
    assert alarms <= 2


def test_no_request_is_lost_by_the_substrings_that_spare_work() -> None:
    """A rule looks only at sentences that hold one of its `needs`; a sentence it would read as a request must hold one
    that some rule needs."""
    for row in ROWS:
        if not row.asks_to_stop:
            continue
        for sentence in canonical_sentences(folded(row.text)):
            found = [rule.name for rule in RULES if dataclasses.replace(rule, needs=("",)).finds(sentence)]
            assert not found or any(rule.finds(sentence) for rule in RULES), (row.id, sentence, found)
