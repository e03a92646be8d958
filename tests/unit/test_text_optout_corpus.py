"""The opt-out floor on labelled corpora, scored per family and language.

All corpora are in-sample: the rules were changed after their misses were read. They say that nothing found once is lost
again, not how the floor does on text to come; what it found of each when nobody had tuned it for that text stands beside
their names.
"""

import dataclasses
import functools
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from zrg_dagster.core.text.chars import folded
from zrg_dagster.core.text.email_body import clean_reply
from zrg_dagster.core.text.optout import RULES, Channel, _worth_asking, canonical_sentences, is_opt_out

_DATA = Path(__file__).parent.parent / "data"
# The development corpus, and six that were held out until their misses became development data too. What the floor finds of
# text that nobody tuned it for is what it found of them at first sight: of `held_out` 97.3 % of the phrases with 1.2 % false
# alarms, of `unseen` 91.5 % with 3.4 %, of `judge` 98.1 % with 3.3 %, of `second_judge` 98.6 % of requests and refusals and
# 75.7 % of what is only meant between the lines, with 3.2 %, of `third_judge` 97.4 % of the requests with 0.9 %, and of
# `fourth_judge` 97.4 % of the requests with 1.5 %. So of new text it misses one request in forty.
CORPORA = (
    "optout_corpus.tsv",
    "optout_corpus_held_out.tsv",
    "optout_corpus_unseen.tsv",
    "optout_corpus_judge.tsv",
    "optout_corpus_second_judge.tsv",
    "optout_corpus_third_judge.tsv",
    "optout_corpus_fourth_judge.tsv",
)
# Requests that `second_judge` puts between the lines ("congratulations, most annoying sender of the quarter") are the model's
# to read. The floor finds this share of them; a change of the rules may better it and not worsen it.
BETWEEN_THE_LINES, FOUND_BETWEEN_THE_LINES = "indirect", 0.9


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


ROWS = {name: tuple(_rows(name)) for name in CORPORA}


@functools.cache
def _wrong(corpus: str) -> tuple[Row, ...]:
    return tuple(row for row in ROWS[corpus] if row.found != row.asks_to_stop)


def _recall(corpus: str, *families: str, language: str | None = None) -> float:
    """The share of requests that are found, of these families. `AssertionError` when there are none."""
    asked = [
        row for row in ROWS[corpus] if row.asks_to_stop and row.family in families and language in {None, row.language}
    ]
    assert asked, (corpus, families, language)
    return sum(row.found for row in asked) / len(asked)


def _phrases(corpus: str) -> set[str]:
    """The families of requests in words of one's own."""
    return {row.family for row in ROWS[corpus] if row.asks_to_stop} - {"exact", "quoted_real", BETWEEN_THE_LINES}


def _alarms(corpus: str) -> tuple[list[str], int]:
    harmless = [row for row in ROWS[corpus] if not row.asks_to_stop]
    return [row.id for row in harmless if row.found], len(harmless)


def test_what_is_worth_asking_is_found_in_one_walk() -> None:
    assert all(len(need) >= 2 for rule in RULES for need in rule.needs)
    for row in ROWS[CORPORA[0]]:
        sentences = list(canonical_sentences(folded(row.text)))
        wanted = [rule for rule in RULES if any(rule.wants.search(sentence) for sentence in sentences)]
        assert _worth_asking(sentences) == wanted


@pytest.mark.parametrize("corpus", CORPORA)
def test_the_table_of_families_and_languages(corpus: str, capsys: pytest.CaptureFixture[str]) -> None:
    rows = Counter((row.family, row.language) for row in ROWS[corpus])
    wrong = Counter((row.family, row.language) for row in _wrong(corpus))
    with capsys.disabled():
        print(f"\n{corpus}")
        for family, language in sorted(rows):
            count, missed = rows[family, language], wrong[family, language]
            print(f"{family:20} {language}  {count - missed:4}/{count:<4} {1 - missed / count:.3f}")
        for row in _wrong(corpus):
            print(row.id, row.channel, row.language, row.family, "asks" if row.asks_to_stop else "keep", row.text[:100])
    assert {language for _, language in rows} == {"en", "es", "fr"}
    assert sum(rows.values()) > 300


@pytest.mark.parametrize("corpus", CORPORA)
def test_every_exact_word_is_found(corpus: str) -> None:
    assert _recall(corpus, "exact") == 1


@pytest.mark.parametrize("corpus", CORPORA)
@pytest.mark.parametrize("language", ["en", "es", "fr"])
def test_phrases_are_found(corpus: str, language: str) -> None:
    assert _recall(corpus, *_phrases(corpus), language=language) == 1


def test_an_own_request_above_quoted_text_is_found() -> None:
    assert _recall(CORPORA[0], "quoted_real") == 1


@pytest.mark.parametrize("corpus", CORPORA)
def test_there_are_no_false_alarms(corpus: str) -> None:
    alarms, harmless = _alarms(corpus)
    assert harmless > 100
    assert not alarms


def test_what_is_meant_between_the_lines_is_found_as_often_as_before() -> None:
    assert _recall("optout_corpus_second_judge.tsv", BETWEEN_THE_LINES) >= FOUND_BETWEEN_THE_LINES


def test_no_request_is_lost_by_the_substrings_that_spare_work() -> None:
    """A rule looks only at text that holds one of its `needs`; what it would read as a request must hold one that some
    rule needs."""
    without_needs = tuple(dataclasses.replace(rule, needs=("",), also=None) for rule in RULES)
    for row in (row for rows in ROWS.values() for row in rows if row.asks_to_stop):
        sentences = list(canonical_sentences(folded(row.text)))
        for parts, whole in ((sentences, False), ([" . ".join(sentences)], True)):
            for part in parts:
                found = [rule.name for rule in without_needs if rule.whole is whole and rule.finds(part)]
                some_rule = any(rule.finds(text) for rule in RULES for text in (parts if rule.whole else sentences))
                assert not found or some_rule, (row.id, part, found)
