"""Which n-grams sentences have, against a plain search."""

from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from retrieval.answering.presence import Characters, GramFinder

TEXT = st.text(alphabet="黑河市海a1 。𠮷", max_size=12)


def presence(levels: Sequence[Sequence[str]], sentences: Sequence[str]) -> list[NDArray[np.float64]]:
    return GramFinder(levels).presence(Characters.of(sentences))


def grams(question: str, size: int) -> list[str]:
    return list(dict.fromkeys(question[start : start + size] for start in range(len(question) - size + 1)))


def test_each_level_has_its_own_columns() -> None:
    one, two, none = presence([["黑", "河"], ["黑河", "河市"], []], ["黑河", "", "河市黑"])
    assert one.tolist() == [[1, 1], [0, 0], [1, 1]]
    assert two.tolist() == [[1, 0], [0, 0], [0, 1]]
    assert none.shape == (3, 0)


def test_no_n_gram_reaches_into_the_next_sentence() -> None:
    assert presence([["河市"]], ["黑河", "市"])[0].tolist() == [[0], [0]]


def test_without_n_grams_nothing_is_present() -> None:
    assert [found.shape for found in presence([[], [], []], ["黑河"])] == [(1, 0)] * 3


@settings(max_examples=200, deadline=None)
@given(TEXT, st.lists(TEXT, min_size=1, max_size=5))
def test_agrees_with_a_plain_search(question: str, sentences: list[str]) -> None:
    levels = [grams(question, size) for size in (1, 2, 3)]
    for level, found in zip(levels, presence(levels, sentences), strict=True):
        assert found.tolist() == [[float(gram in sentence) for gram in level] for sentence in sentences]
    assert Characters.of(sentences).distinct().tolist() == [len(set(sentence)) for sentence in sentences]
