"""Symbols, and where a question's n-grams occur."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.ranking.matching import Grams, Matches, Occurrences
from retrieval.ranking.symbols import Alphabet, chain, split


def counts(matches: Matches, found: Occurrences, width: int) -> list[list[int]]:
    """How often each of `width` n-grams occurs in each text."""
    table = np.zeros((matches.count, width), dtype=np.int64)
    np.add.at(table, (found.texts, found.grams), 1)
    return table.tolist()


def test_a_word_is_one_symbol_and_an_ideograph_is_one() -> None:
    assert split("在黑河用gpt-4 写，6.42%") == (*"在黑河用", "gpt", "-", "4", "写", "，", "6", ".", "42", "%")


def test_levels_do_not_cross_segments() -> None:
    grams = Grams(["黑河市", "海外仓"], ["黑河", "海外仓", "河海"])
    assert grams.levels[1] == [("黑", "河"), ("河", "市"), ("海", "外"), ("外", "仓")]
    assert grams.levels[2] == [("黑", "河", "市"), ("海", "外", "仓")]
    assert grams.words == [("黑", "河"), ("海", "外", "仓")]


def test_counts_and_sentences() -> None:
    grams = Grams(["黑河市"])
    matches = Matches(grams, ["黑河。黑河市在北方。", "", "河市"])
    assert counts(matches, matches.at_level(1), 3) == [[2, 2, 1], [0, 0, 0], [0, 1, 1]]
    assert counts(matches, matches.at_level(2), 2) == [[2, 1], [0, 0], [0, 1]]
    assert matches.chain.lengths.tolist() == [10, 0, 2]
    pairs = matches.at_level(2)
    assert list(zip(pairs.sentences.tolist(), pairs.grams.tolist(), strict=True)) == [
        *[(0, 0), (1, 0), (1, 1)],
        (matches.chain.first_sentence[2], 1),
    ]


def test_names_match_as_wholes_and_english_in_any_number() -> None:
    grams = Grams(["gpt-4", "city"])
    matches = Matches(grams, ["gpt-40 gpt-4", "two cities.", "velocity"])
    unigrams = counts(matches, matches.at_level(1), 4)
    assert unigrams == [[2, 2, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]]
    assert counts(matches, matches.at_level(3), 1) == [[1], [0], [0]]


def test_words_are_found_by_their_own_length() -> None:
    grams = Grams(["海外仓共多少", "gpt"], ["海外仓", "多少", "gpt"])
    matches = Matches(grams, ["gpt 的海外仓", "海外有多少"])
    assert counts(matches, matches.of_words(), 3) == [[1, 0, 1], [0, 1, 0]]


def test_symbols_beyond_the_basic_plane_do_not_collide_with_the_question() -> None:
    matches = Matches(Grams(["𫚭鱼"]), ["𠮷鱼"])
    assert counts(matches, matches.at_level(1), 2) == [[0, 1]]


def test_long_questions_are_bounded() -> None:
    grams = Grams(["黑河" * 500, "市"])
    assert sum(map(len, grams.segments)) == 96
    assert Grams([]).levels == []


TEXTS = st.text(alphabet="黑河市海ab1 。.\n-", max_size=30)


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="黑河市海ab1", min_size=1, max_size=8), st.lists(TEXTS, min_size=1, max_size=4))
def test_agrees_with_a_naive_search(question: str, texts: list[str]) -> None:
    grams = Grams([question])
    matches = Matches(grams, texts)
    for level, wanted in enumerate(grams.levels, 1):
        expected = [
            [sum(symbols[start : start + level] == gram for start in range(len(symbols))) for gram in wanted]
            for symbols in map(_ascii_whole, texts)
        ]
        if any(symbol.isascii() and symbol.isalpha() for gram in wanted for symbol in gram):
            continue  # English words match in other forms as well
        assert counts(matches, matches.at_level(level), len(wanted)) == expected


def _ascii_whole(text: str) -> tuple[str, ...]:
    symbols: list[str] = []
    for line in text.split("\n"):
        symbols += [*split(line), "\n"]
    return tuple(symbols)


def test_chain_of_nothing_known() -> None:
    empty = chain(Alphabet([]), ["黑河", "ab"])
    assert not empty.numbers.any()
    assert empty.lengths.tolist() == [2, 1]


@pytest.mark.parametrize("text", ["a" * 200, "1" * 60 + "市"])
def test_very_long_words(text: str) -> None:
    assert np.all(chain(Alphabet(["市"]), [text]).lengths >= 1)
