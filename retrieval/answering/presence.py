"""Which of a question's n-grams each sentence has, for all sentences at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.lexical.normalisation import code_points

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_PLANE = 0x10000
_CODE_BITS = 21


@dataclass(frozen=True, slots=True)
class Characters:
    """Sentences, none of which has a line break, as one text in which line breaks end them: the code points
    and the sentence of each, and each sentence's length without the line break."""

    codes: NDArray[np.uint32]
    owners: Ints
    lengths: Ints

    @classmethod
    def of(cls, sentences: Sequence[str]) -> "Characters":
        """The characters of the sentences."""
        lengths = np.array([len(sentence) for sentence in sentences], dtype=np.int64)
        codes = code_points("\n".join([*sentences, ""]))
        return cls(codes, np.arange(len(lengths)).repeat(lengths + 1), lengths)

    def distinct(self) -> Ints:
        """How many different characters each sentence has: shape (sentences,)."""
        keys = np.sort(self.owners << _CODE_BITS | self.codes)
        first = np.ones(len(keys), dtype=np.bool_)
        np.not_equal(keys[1:], keys[:-1], out=first[1:])
        return np.bincount(keys[first] >> _CODE_BITS, minlength=len(self.lengths)) - 1  # the line break


class GramFinder:
    """Finds n-grams in sentences. Each symbol of the n-grams has a number from 1; an n-gram's key has these
    as its digits, and no other text has such a key."""

    def __init__(self, levels: Sequence[Sequence[str]]) -> None:
        """`levels` are distinct n-grams of one length each, the lengths ascending."""
        self._widths = [len(level) for level in levels]
        symbols = "".join(dict.fromkeys("".join(gram for level in levels for gram in level)))
        codes = code_points(symbols)
        # What is beyond the table is read in its last place, which is no symbol's.
        self._numbers = np.zeros(max(_PLANE, int(codes.max(initial=0)) + 2), dtype=np.uint16)
        self._numbers[codes] = np.arange(1, len(symbols) + 1)
        self._base = len(symbols) + 1
        self._sought = [self._keys(level) for level in levels]

    def _keys(self, level: Sequence[str]) -> tuple[int, Ints, Ints]:
        """The length of a level's n-grams, their keys in ascending order, and whose each one is."""
        if not level:
            return 0, np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        digits = self._numbers.take(code_points("".join(level))).astype(np.int64).reshape(len(level), -1)
        keys = digits @ self._base ** np.arange(digits.shape[1])
        order = np.argsort(keys)
        return digits.shape[1], keys[order], order

    def presence(self, text: Characters) -> list[Floats]:
        """For each level 1 where a sentence has an n-gram, else 0: shape (sentences, n-grams)."""
        found = [np.zeros((len(text.lengths), width)) for width in self._widths]
        symbols = self._numbers.take(text.codes, mode="clip").astype(np.int64)
        places = (symbols != 0).nonzero()[0]
        owners, keys = text.owners.take(places), symbols.take(places)
        length, power = 1, 1
        for (size, sought, order), present in zip(self._sought, found, strict=True):
            while length < size:
                # What would lie beyond the end is the line break there, which is no symbol.
                power *= self._base
                keys = keys + power * symbols.take(places + length, mode="clip")
                length += 1
            if size:
                columns = np.minimum(np.searchsorted(sought, keys), len(sought) - 1)
                here = (sought.take(columns) == keys).nonzero()[0]
                present[owners.take(here), order.take(columns.take(here))] = 1.0
        return found
