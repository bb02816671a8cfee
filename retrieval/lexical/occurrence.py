"""Whether texts have any of many words in them."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from retrieval.lexical.normalisation import code_points

_CODE_POINTS = 0x110000
_WORD, _BEGINNING = 1, 2


class Occurrence:
    """Tells quickly which texts have any of many words in them, without cutting them into words."""

    def __init__(self, words: Iterable[str]) -> None:
        self._marks = np.zeros(_CODE_POINTS, dtype=np.uint8)
        self._marks[[ord(word) for word in words if len(word) == 1]] = _WORD
        beginnings: dict[int, list[str]] = {}
        for word in words:
            if len(word) > 1:
                beginnings.setdefault(_pair(ord(word[0]), ord(word[1])), []).append(word)
        self._pairs = np.array(sorted(beginnings), dtype=np.int64)
        self._words = [tuple(beginnings[pair]) for pair in sorted(beginnings)]
        self._marks[self._pairs // _CODE_POINTS] |= _BEGINNING

    def any_in(self, text: str) -> bool:
        """Whether one of the words occurs, be it across the borders of others."""
        return next(self._places(text), None) is not None

    def among(self, texts: Sequence[str]) -> list[int]:
        """The places of the texts in which one of the words occurs."""
        if not texts:
            return []
        ends = list(accumulate(len(text) + 1 for text in texts))
        return sorted({bisect_right(ends, place) for place in self._places("\n".join(texts))})

    def _places(self, text: str) -> Iterator[int]:
        """Where words begin."""
        codes = code_points(text)
        marks = self._marks.take(codes)
        if not marks.any():
            return
        yield from np.flatnonzero(marks & _WORD).tolist()
        first = np.flatnonzero(marks[:-1] & _BEGINNING)
        pairs = _pair(codes[first].astype(np.int64), codes[first + 1].astype(np.int64))
        numbers = np.minimum(np.searchsorted(self._pairs, pairs), len(self._pairs) - 1)
        found = np.flatnonzero(self._pairs[numbers] == pairs)
        for place, number in zip(first[found].tolist(), numbers[found].tolist(), strict=True):
            if text.startswith(self._words[number], place):
                yield place


def _pair(first: Any, second: Any) -> Any:
    """Two code points, or two arrays of them, as one number."""
    return first * _CODE_POINTS + second
