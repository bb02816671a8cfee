"""Whether texts have any of many words in them."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from retrieval.lexical.normalisation import code_points

_CODE_POINTS = 0x110000


class Occurrence:
    """Tells quickly which texts have any of many words in them, without cutting them into words."""

    def __init__(self, words: Iterable[str]) -> None:
        self._single = frozenset(word for word in words if len(word) == 1)
        beginnings: dict[int, list[str]] = {}
        for word in words:
            if len(word) > 1:
                beginnings.setdefault(_pair(ord(word[0]), ord(word[1])), []).append(word)
        self._pairs = np.array(sorted(beginnings), dtype=np.int64)
        self._words = [tuple(beginnings[pair]) for pair in sorted(beginnings)]
        self._begins = np.zeros(_CODE_POINTS, dtype=np.bool_)
        self._begins[self._pairs // _CODE_POINTS] = True

    def any_in(self, text: str) -> bool:
        """Whether one of the words occurs, be it across the borders of others."""
        return not self._single.isdisjoint(text) or next(self._places(text), None) is not None

    def among(self, texts: Sequence[str]) -> list[int]:
        """The places of the texts in which one of the words occurs."""
        if not texts:
            return []
        found = {place for place, text in enumerate(texts) if not self._single.isdisjoint(text)}
        ends = list(accumulate(len(text) + 1 for text in texts))
        found.update(bisect_right(ends, place) for place in self._places("\n".join(texts)))
        return sorted(found)

    def _places(self, text: str) -> Iterator[int]:
        """Where words of two characters or more begin."""
        codes = code_points(text)
        first = np.flatnonzero(self._begins[codes[:-1]])
        pairs = _pair(codes[first].astype(np.int64), codes[first + 1].astype(np.int64))
        numbers = np.minimum(np.searchsorted(self._pairs, pairs), len(self._pairs) - 1)
        found = np.flatnonzero(self._pairs[numbers] == pairs)
        for place, number in zip(first[found].tolist(), numbers[found].tolist(), strict=True):
            if text.startswith(self._words[number], place):
                yield place


def _pair(first: Any, second: Any) -> Any:
    """Two code points, or two arrays of them, as one number."""
    return first * _CODE_POINTS + second
