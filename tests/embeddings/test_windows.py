"""Windows hold the whole text, fit the limit, and join to means."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from embeddings.windows import Offsets, join_windows, split_into_windows, unit


def characters(texts: list[str]) -> list[Offsets]:
    return [[(i, i + 1) for i in range(len(text))] for text in texts]


def test_short_texts_stay_whole() -> None:
    windows = split_into_windows(["abc", "", "de"], 10, characters)
    assert windows.pieces == ["abc", "", "de"]
    assert windows.owners == [0, 1, 2]


def test_long_text_is_cut_into_even_windows() -> None:
    windows = split_into_windows(["ab", "0123456789"], 4, characters)
    assert windows.pieces == ["ab", "012", "345", "6789"]
    assert windows.owners == [0, 1, 1, 1]
    assert windows.weights == [1.0, 3.0, 3.0, 4.0]


def test_no_limit_no_windows() -> None:
    assert split_into_windows(["a" * 1000], None, characters).pieces == ["a" * 1000]


@given(st.lists(st.text("ab ", max_size=40), max_size=8), st.integers(1, 12))
def test_nothing_is_lost_and_nothing_too_long(texts: list[str], limit: int) -> None:
    windows = split_into_windows(texts, limit, characters)
    for i, text in enumerate(texts):
        mine = [piece for piece, owner in zip(windows.pieces, windows.owners, strict=True) if owner == i]
        assert "".join(mine) == text
        assert all(len(piece) <= limit for piece in mine)


def test_join_weighs_windows_by_length() -> None:
    windows = split_into_windows(["0123", "012345"], 5, characters)
    vectors = np.array([[1, 0], [1, 0], [0, 1]], dtype=np.float32)
    joined = join_windows(vectors, windows, 2)
    np.testing.assert_allclose(joined, [[1, 0], [np.sqrt(0.5), np.sqrt(0.5)]], rtol=1e-6)


def test_unit_turns_what_is_no_number_into_zeros() -> None:
    rows = np.array([[3, 4], [np.nan, 1], [np.inf, 0], [0, 0]], dtype=np.float32)
    np.testing.assert_allclose(unit(rows), [[0.6, 0.8], [0, 0], [0, 0], [0, 0]])
