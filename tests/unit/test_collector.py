"""Rare collections: for as long as a block is open, whatever ends first."""

import gc
from contextlib import ExitStack

import pytest

from zrg_dagster.core.base.collector import rare_collections


def test_thresholds_are_raised_inside_and_as_before_afterwards():
    usual = gc.get_threshold()
    with rare_collections():
        assert gc.get_threshold()[0] > usual[0]
    assert gc.get_threshold() == usual


def test_a_block_that_fails_leaves_them_as_they_were():
    usual = gc.get_threshold()
    with pytest.raises(ValueError, match="broken"), rare_collections():
        raise ValueError("broken")
    assert gc.get_threshold() == usual


def test_the_first_block_may_end_first():
    """Two lanes in one process: what the second found was not the usual."""
    usual = gc.get_threshold()
    first, second = ExitStack(), ExitStack()
    first.enter_context(rare_collections())
    second.enter_context(rare_collections())
    first.close()
    assert gc.get_threshold() != usual
    second.close()
    assert gc.get_threshold() == usual
