"""Texts to rows."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings.alphabet import WORD_CHARACTERS, build_alphabet, left_classes, right_classes
from embeddings.tokenization import LONGEST_WORD, IntegerMap, Tokenizer, Vocabulary

CHARACTERS = "黑河口岸边境仓"
WORDS = [*WORD_CHARACTERS, "gpt", "2023", "ab", "bc"]


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return Vocabulary(build_alphabet(list(CHARACTERS)), ["黑河", "口岸"], WORDS, classes=8)


def rows_of(vocabulary: Vocabulary, text: str) -> dict[int, int]:
    return dict(Counter(Tokenizer(vocabulary).tokenize([text]).rows.tolist()))


def bucket(vocabulary: Vocabulary, pair: str) -> int:
    left, right = left_classes(pair[0], 8)[0], right_classes(pair[1], 8)[0]
    return int(vocabulary.first_bucket + left * 8 + right)


def test_known_pairs_have_their_own_row(vocabulary: Vocabulary) -> None:
    # The outer halves of 黑 and 河 are what the pair's row does not hold.
    assert rows_of(vocabulary, "黑河") == {0: 1, 1: 1, vocabulary.first_pair: 1}


def test_unknown_pairs_fall_into_buckets(vocabulary: Vocabulary) -> None:
    assert rows_of(vocabulary, "河口") == {1: 2, 2: 2, bucket(vocabulary, "河口"): 1}
    first = vocabulary.first_pair
    expected = {0: 1, 1: 1, 2: 1, 3: 1, first: 1, first + 1: 1, bucket(vocabulary, "河口"): 1}
    assert rows_of(vocabulary, "黑河口岸") == expected


def test_separators_part_pairs(vocabulary: Vocabulary) -> None:
    assert rows_of(vocabulary, "黑 河，") == {0: 2, 1: 2}


def test_words_whole_or_in_longest_pieces(vocabulary: Vocabulary) -> None:
    word = vocabulary.first_word
    gpt, year = word + WORDS.index("gpt"), word + WORDS.index("2023")
    assert rows_of(vocabulary, "GPT 2023河") == {gpt: 1, year: 1, 1: 2}
    assert rows_of(vocabulary, "gptabc") == {gpt: 1, word + WORDS.index("ab"): 1, word + WORDS.index("c"): 1}
    assert rows_of(vocabulary, "x" * (LONGEST_WORD + 1)) == {}
    assert rows_of(vocabulary, "x" * LONGEST_WORD) == {word + WORDS.index("x"): LONGEST_WORD}


def test_a_batch_is_its_texts_one_by_one(vocabulary: Vocabulary) -> None:
    texts = ["黑河口岸 gpt", "", "abc", "岸岸岸", "😀", "仓x"]
    batch = Tokenizer(vocabulary).tokenize(texts)
    assert len(batch.starts) == len(texts) + 1
    for text, start, end in zip(texts, batch.starts, batch.starts[1:], strict=False):
        alone = Tokenizer(vocabulary).tokenize([text])
        np.testing.assert_array_equal(batch.rows[start:end], alone.rows)


@given(
    st.lists(st.integers(0, 10**12), unique=True, max_size=300), st.lists(st.integers(0, 10**12), max_size=50)
)
def test_integer_map_is_a_dictionary(keys: list[int], others: list[int]) -> None:
    table = IntegerMap(np.array(keys, dtype=np.int64))
    asked = keys + others
    expected = [keys.index(key) if key in keys else -1 for key in asked]
    assert table.find(np.array(asked, dtype=np.int64)).tolist() == expected


def test_integer_map_with_keys_in_one_slot() -> None:
    keys = np.arange(0, 64 * 1000, 64, dtype=np.int64)
    assert IntegerMap(keys).find(keys).tolist() == list(range(1000))
    assert (IntegerMap(keys).find(keys + 1) == -1).all()
