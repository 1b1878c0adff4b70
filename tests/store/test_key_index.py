"""The key index against a plain dictionary."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
from hypothesis import given

from watchkeeper.store.duckdb.index import KeyIndex, hash_key

_ENTRIES = st.lists(st.lists(st.tuples(st.integers(0, 30), st.integers(-5, 5)), max_size=20), max_size=12)


def _index(batches: list[list[tuple[int, int]]]) -> KeyIndex:
    index = KeyIndex()
    for batch in batches:
        index.add(
            np.array([key for key, _ in batch], dtype=np.uint64), np.array([at for _, at in batch], dtype=np.int64)
        )
    return index


def test_an_empty_index_finds_nothing() -> None:
    """Nothing is found in an empty index, and asking for nothing is fine."""
    index = KeyIndex()
    assert index.find(np.array([1, 2**64 - 1], dtype=np.uint64))[0].tolist() == [False, False]
    assert index.find(np.array([], dtype=np.uint64))[0].tolist() == []


@given(_ENTRIES)
def test_finds_what_a_dictionary_would(batches: list[list[tuple[int, int]]]) -> None:
    """Whatever the order and the batches, a key is found exactly when it was added, with its range of times."""
    expected: dict[int, list[int]] = {}
    for key, at in (entry for batch in batches for entry in batch):
        expected.setdefault(key, []).append(at)
    keys = list(range(32))
    found, low, high = _index(batches).find(np.array(keys, dtype=np.uint64))
    assert found.tolist() == [key in expected for key in keys]
    for key, times in expected.items():
        assert (low[key], high[key]) == (min(times), max(times))


@given(st.lists(st.integers(1, 400), max_size=60))
def test_tiers_stay_few(sizes: list[int]) -> None:
    """However batches come, the tiers shrink by a factor, so there are few to look through."""
    index = KeyIndex()
    for number, size in enumerate(sizes):
        index.add(np.arange(size, dtype=np.uint64) + np.uint64(number * 1_000), np.zeros(size, dtype=np.int64))
    assert len(index) == sum(sizes)
    assert len(index._tiers) <= 10


def test_hashes_are_stored_and_must_not_change() -> None:
    """The hash of a key is part of the stored format."""
    assert hash_key("default", "a" * 32, "b" * 16) == 0xDB2ADA9B87F45B7F
    assert hash_key("a", "bc") != hash_key("ab", "c")
