"""Where a question's n-grams occur in a batch of passages, found by NumPy for all passages at once.

The question is a chain of symbols (see symbols.py); each of its distinct n-grams has a number on its level n.
Level by level an automaton extends the matches of length n - 1 by the symbol that follows, so the work
shrinks with n, and words, names and figures of the question are only n-grams of their own length.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from retrieval.ranking.symbols import Alphabet, SymbolChain, chain, split

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Gram = tuple[str, ...]

MAX_LEVEL = 10
"""Longer common substrings than this count as this long."""


class Grams:
    """The distinct n-grams of a question for n = 1 … MAX_LEVEL, and the automaton that finds them.

    `segments` are the parts of the question's normal form that may match as a whole, at most `limit`
    symbols in all: no n-gram crosses from one into the next. `levels[n - 1]` lists the n-grams in order of
    first occurrence.
    """

    def __init__(self, segments: Sequence[str], words: Sequence[str] = (), limit: int = 96) -> None:
        self.segments = _bounded(segments, limit)
        self.levels: list[list[Gram]] = []
        for length in range(1, MAX_LEVEL + 1):
            grams = dict.fromkeys(
                segment[start : start + length]
                for segment in self.segments
                for start in range(len(segment) - length + 1)
            )
            if not grams:
                break
            self.levels.append(list(grams))
        symbols = [split(word)[:MAX_LEVEL] for word in words]
        known = [set(level) for level in self.levels]
        self.words = list(dict.fromkeys(word for word in symbols if word and word in known[len(word) - 1]))

    def prepare(self) -> None:
        """Make what finding them takes, which is otherwise made when it is needed."""
        _ = self.alphabet, self.transitions

    @cached_property
    def alphabet(self) -> Alphabet:
        """The symbols of the question, numbered as the 1-grams are."""
        return Alphabet([gram[0] for gram in self.levels[0]] if self.levels else [])

    @cached_property
    def transitions(self) -> list[Ints]:
        """For each level n ≥ 2: (number of the (n-1)-gram, number of the next symbol) → number of the n-gram,
        all from 1, 0 for none."""
        numbers = [{gram: number for number, gram in enumerate(level, 1)} for level in self.levels]
        tables = []
        for level in range(1, len(self.levels)):
            table = np.zeros((len(numbers[level - 1]) + 1, len(numbers[0]) + 1), dtype=np.int64)
            for gram, number in numbers[level].items():
                table[numbers[level - 1][gram[:-1]], numbers[0][gram[-1:]]] = number
            tables.append(table)
        return tables


@dataclass(frozen=True, slots=True)
class Occurrences:
    """All places of the n-grams of one level: where they end in the chain, in which texts and sentences, and
    their numbers from 0."""

    positions: Ints
    texts: Ints
    sentences: Ints
    grams: Ints

    def only(self, kept: Ints, grams: Ints) -> "Occurrences":
        """Some of them, under other numbers."""
        return Occurrences(self.positions[kept], self.texts[kept], self.sentences[kept], grams)


class Matches:
    """The occurrences of a question's n-grams in a batch of texts, level by level."""

    def __init__(self, grams: Grams, texts: Sequence[str]) -> None:
        self.grams = grams
        self.count = len(texts)
        self.chain: SymbolChain = chain(grams.alphabet, texts)
        self.levels = list(self._find(self.chain.numbers))

    def _find(self, symbols: NDArray[np.int16]) -> list[Occurrences]:
        found: list[Occurrences] = []
        if not self.grams.levels:
            return found
        positions = (symbols != 0).nonzero()[0]
        numbers = symbols[positions].astype(np.int64)
        # No n-gram crosses from one text or sentence into the next: separators are in no question.
        texts, sentences = self.chain.texts_at(positions), self.chain.sentences_at(positions)
        found.append(Occurrences(positions, texts, sentences, numbers - 1))
        for transitions in self.grams.transitions:
            last = found[-1]
            if not len(last.positions):  # nor is there anything longer
                found.append(last)
                continue
            positions = last.positions + 1
            numbers = transitions[last.grams + 1, symbols[positions]]
            kept = (numbers != 0).nonzero()[0]
            found.append(
                Occurrences(positions[kept], last.texts[kept], last.sentences[kept], numbers[kept] - 1)
            )
        return found

    def at_level(self, level: int) -> Occurrences:
        """The occurrences of the n-grams of a level, from 1."""
        return self.levels[level - 1]

    def of_words(self) -> Occurrences:
        """The occurrences of the question's words, by their numbers in `grams.words`."""
        found: list[Occurrences] = []
        for length, (level, occurrences) in enumerate(zip(self.grams.levels, self.levels, strict=True), 1):
            numbers = {word: number for number, word in enumerate(self.grams.words) if len(word) == length}
            if numbers:
                of_gram = np.array([numbers.get(gram, -1) for gram in level])[occurrences.grams]
                kept = np.flatnonzero(of_gram >= 0)
                found.append(occurrences.only(kept, of_gram[kept]))
        if not found:
            none = np.zeros(0, dtype=np.int64)
            return Occurrences(none, none, none, none)
        return Occurrences(
            *(
                np.concatenate([getattr(part, name) for part in found])
                for name in ("positions", "texts", "sentences", "grams")
            )
        )


def _bounded(segments: Sequence[str], limit: int) -> tuple[Gram, ...]:
    """The segments as symbols, only the first `limit` in all: a bound on the time of everything that
    follows."""
    kept: list[Gram] = []
    for segment in segments:
        symbols = split(segment)[: limit - sum(map(len, kept))]
        if symbols:
            kept.append(symbols)
    return tuple(kept)
