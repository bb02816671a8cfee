"""Folding characters to symbols."""

import numpy as np
import pytest

from embeddings.alphabet import Alphabet, build_alphabet, left_classes, right_classes


@pytest.fixture(scope="module")
def alphabet() -> Alphabet:
    return build_alphabet(list("国际机场黑河零它あ"))


def folded(alphabet: Alphabet, text: str) -> list[int]:
    symbols, starts = alphabet.symbols([text])
    assert starts.tolist() == [0, len(text) + 1]
    assert symbols[-1] == 0
    return symbols[:-1].tolist()


@pytest.mark.parametrize(
    ("one", "other"),
    [("國際機場", "国际机场"), ("ＡbＣ１", "abc1"), ("Éü", "eu"), ("〇牠", "零它"), ("①", "1"), ("Ж", "ж")],
)
def test_folding(alphabet: Alphabet, one: str, other: str) -> None:
    assert folded(alphabet, one) == folded(alphabet, other)
    assert 0 not in folded(alphabet, other)


@pytest.mark.parametrize("text", [" ", "\n", "，", "。", "😀", "\ud800", "\x00", "½", "-"])
def test_separators(alphabet: Alphabet, text: str) -> None:
    assert folded(alphabet, text) == [0] * len(text)


def test_letters_without_a_row_share_one(alphabet: Alphabet) -> None:
    symbols = folded(alphabet, "龘한ท")
    assert all(symbol >= alphabet.first_character for symbol in symbols)


def test_texts_lie_one_after_another(alphabet: Alphabet) -> None:
    symbols, starts = alphabet.symbols(["国a", "", "河"])
    assert starts.tolist() == [0, 3, 4, 6]
    first = alphabet.first_character
    assert symbols.tolist() == [first, 1, 0, 0, first + 5, 0]


def test_classes_are_spread_evenly() -> None:
    characters = "".join(map(chr, range(0x4E00, 0x4E00 + 4096)))
    for classes in (left_classes(characters, 64), right_classes(characters, 64)):
        counts = np.bincount(classes, minlength=64)
        assert counts.min() > 30
        assert counts.max() < 110
    assert (left_classes(characters, 64) != right_classes(characters, 64)).mean() > 0.9
