"""Hostile texts stay data: no prompt lets one out of its block."""

import pytest

from tests.injection import corpus
from zrg_dagster.core.ai.prompts import FOLDER, Own, as_data, load, placeholders, render

CORPUS = corpus()
OWN = {"channel", "tag", "strategy", "length_rule", "automated", "phone_on_file", "shape", "shapes"}


def rendered(key, text):
    return render(key, {name: Own("email") if name in OWN else text for name in placeholders(load(key))})


def test_the_corpus_is_large_and_of_every_kind():
    assert len({(each.kind, each.text) for each in CORPUS}) >= 60
    assert {each.kind for each in CORPUS} == {"reply", "signature", "title"}
    assert sum(bool(each.bait) for each in CORPUS) >= 20


@pytest.mark.parametrize("key", sorted(path.stem for path in FOLDER.glob("*.md")))
def test_no_text_leaves_its_block_or_reaches_the_instructions(key):
    calm = rendered(key, "Tell me more.")
    for hostile in CORPUS:
        prompt = rendered(key, hostile.text)
        assert prompt.instructions == calm.instructions, hostile.text
        for mark in ('<data name="', "</data>"):
            assert prompt.input.count(mark) == calm.input.count(mark), hostile.text
        blocks = prompt.input.count("</data>")
        inside = as_data("x", hostile.text).removeprefix('<data name="x">\n').removesuffix("\n</data>")
        assert prompt.input.count(inside) >= blocks, "and nothing of it is lost or filled in"
