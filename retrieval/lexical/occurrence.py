"""Whether texts have any of many words in them."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from retrieval.lexical.normalisation import code_points
from retrieval.types import Span

_CODE_POINTS = 0x110000
_WORD, _BEGINNING = 1, 2
_MARKS = "\n,。!?;:、"
"""Folded marks that are part of no word, and that no cutting of words looks beyond."""


class ShortTextWords:
    """Tells which of many words of two characters or more occur in a short text: by their beginnings, which
    are looked up at each place of it."""

    def __init__(self, words: Iterable[str]) -> None:
        self._beginnings: dict[str, list[str]] = {}
        for word in words:
            if len(word) > 1:
                self._beginnings.setdefault(word[:2], []).append(word)

    def within(self, text: str) -> set[str]:
        """The words that occur, be it across the borders of others."""
        return {
            word
            for at in range(len(text) - 1)
            for word in self._beginnings.get(text[at : at + 2], ())
            if text.startswith(word, at)
        }


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

    def among(self, texts: Sequence[str]) -> list[int]:
        """The places of the texts in which one of the words occurs, be it across the borders of others."""
        if not texts:
            return []
        ends = list(accumulate(len(text) + 1 for text in texts))
        return sorted({bisect_right(ends, place) for place in self._places("\n".join(texts))})

    def stretches(self, text: str) -> Iterator[Span]:
        """The stretches between punctuation marks in which words occur, in order."""
        done = 0
        for place in sorted(self._places(text)):
            if place >= done:
                start = max(done, *(1 + text.rfind(mark, done, place) for mark in _MARKS))
                ends = (text.find(mark, place) for mark in _MARKS)
                done = min((end for end in ends if end >= 0), default=len(text))
                yield start, done

    def _places(self, text: str) -> Iterator[int]:
        """Where words begin, in no order."""
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
