"""Which of a question's n-grams each sentence has, for all sentences at once."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from retrieval.lexical.normalisation import code_points

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def presence(levels: Sequence[Sequence[str]], sentences: Sequence[str]) -> list[Floats]:
    """For each level, distinct n-grams of one length, 1 where a sentence has one, else 0: shape (sentences,
    n-grams).

    The sentences are read as one text, in which line breaks, that no n-gram has, keep them apart. Each symbol
    of the n-grams has a number from 1; an n-gram's key has these as its digits, and no other text has such a
    key.
    """
    found = [np.zeros((len(sentences), len(level))) for level in levels]
    alphabet = np.unique(code_points("".join(gram for level in levels for gram in level)))
    if not len(alphabet):
        return found
    symbols = _numbers("\n".join(sentences), alphabet)
    places = np.flatnonzero(symbols)
    symbols = np.append(symbols, np.zeros(max(len(level[0]) for level in levels if level), dtype=np.int64))
    owners = np.repeat(np.arange(len(sentences)), [len(sentence) + 1 for sentence in sentences])
    for level, present in zip(levels, found, strict=True):
        if not level:
            continue
        offsets = np.arange(len(level[0]))
        powers = (len(alphabet) + 1) ** offsets
        wanted = _numbers("".join(level), alphabet).reshape(len(level), -1) @ powers
        keys = symbols[places[:, None] + offsets] @ powers
        order = np.argsort(wanted)
        columns = order[np.minimum(np.searchsorted(wanted, keys, sorter=order), len(level) - 1)]
        here = np.flatnonzero(wanted[columns] == keys)
        present[owners[places[here]], columns[here]] = 1.0
    return found


def _numbers(text: str, alphabet: NDArray[np.uint32]) -> Ints:
    """The place of each code point in the sorted alphabet, from 1; 0 where it is not in it."""
    codes = code_points(text)
    places = np.minimum(np.searchsorted(alphabet, codes), len(alphabet) - 1)
    return np.where(alphabet[places] == codes, places + 1, 0)
