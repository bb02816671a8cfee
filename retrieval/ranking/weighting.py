"""How much each n-gram of a question says: inverse document frequency, of this index and of prose at
large."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from retrieval.lexical.entities import find_entities
from retrieval.lexical.ideographs import BIGRAM_KIND, CHARACTER_KIND
from retrieval.ranking.background import FLOOR, Background
from retrieval.ranking.matching import Gram, Grams
from retrieval.ranking.symbols import is_word

Frequencies = Callable[[Sequence[str]], NDArray[np.int64]]
"""Analyzer terms → in how many passages each occurs."""

Floats = NDArray[np.float64]

PRIOR_PASSAGES = 2000
"""The background counts as much as this many passages."""

_OTHERS_SHARE = 0.25
_SHORT_WORD_RATE = 0.02
"""The rate of a single letter or a number below 100."""


@dataclass(frozen=True, slots=True, eq=False)
class GramWeights:
    """Inverse document frequencies of a question's n-grams: `levels[n - 1]` is shape (grams of level n,).

    From 3 symbols on, an n-gram weighs as its rarest pair plus a quarter of the others. `mass[n - 1]` is
    the sum of the weights of an n-gram's symbols, `total` that of the whole question.
    """

    levels: tuple[Floats, ...]
    mass: tuple[Floats, ...]
    total: float
    words: Floats


def weigh(grams: Grams, frequencies: Frequencies, passages: int, background: Background) -> GramWeights:
    """Weigh the n-grams of a question for an index of so many passages."""
    short = [gram for level in grams.levels[:2] for gram in level]
    terms = {gram: term for gram in short if (term := _term(gram))}
    found = dict(zip(terms, frequencies(list(terms.values())).tolist(), strict=True))
    weights: dict[Gram, float] = {}
    for gram in short:
        if gram in found:
            weights[gram] = _weight(found[gram], passages, _rate(gram, background))
        else:
            parts = [weights[symbol,] for symbol in gram]
            weights[gram] = _sum(max(parts), sum(parts))
    levels = [np.array([weights[gram] for gram in level]) for level in grams.levels[:2]]
    levels += _longer(grams.levels[1:], weights)
    mass = _masses(grams.levels, weights)
    total = sum(sum(weights[symbol,] for symbol in segment) for segment in grams.segments)
    words = np.array([weights.get(word) or _of_pairs(word, weights) for word in grams.words])
    return GramWeights(tuple(levels), tuple(mass), total, words)


def _term(gram: Gram) -> str | None:
    """The analyzer's term for a symbol or a pair of ideographs; None where the index has no such term."""
    if not any(map(is_word, gram)):
        return (CHARACTER_KIND if len(gram) == 1 else BIGRAM_KIND) + "".join(gram)
    if len(gram) > 1:
        return None
    entity = next(find_entities(gram[0]), None)
    return entity.terms[0] if entity else None


def _rate(gram: Gram, background: Background) -> float:
    text = "".join(gram)
    if not is_word(gram[0]):
        return background.rate(text)
    return _SHORT_WORD_RATE if len(text) == 1 or (text.isdigit() and len(text) < 3) else FLOOR


def _weight(count: int, passages: int, rate: float) -> float:
    blended = (count + PRIOR_PASSAGES * rate) / (passages + PRIOR_PASSAGES)
    return -log(min(blended, 1.0))


def _sum(rarest: float, total: float) -> float:
    return rarest + _OTHERS_SHARE * (total - rarest)


def _longer(levels: Sequence[Sequence[Gram]], weights: Mapping[Gram, float]) -> list[Floats]:
    """The weights of the n-grams of 3 symbols and more, each from what its beginning has; `levels` are from
    2."""
    pairs = {gram: (weights[gram], weights[gram]) for level in levels[:1] for gram in level}
    found = []
    for level in levels[1:]:
        pairs = {gram: _followed(pairs[gram[:-1]], weights[gram[-2:]]) for gram in level}
        found.append(np.array([_sum(*of_gram) for of_gram in pairs.values()]))
    return found


def _masses(levels: Sequence[Sequence[Gram]], weights: Mapping[Gram, float]) -> list[Floats]:
    """The summed weights of the symbols of each n-gram, level by level."""
    masses = {gram: weights[gram] for level in levels[:1] for gram in level}
    found = [np.array(list(masses.values()))] if levels else []
    for level in levels[1:]:
        masses = {gram: masses[gram[:-1]] + weights[gram[-1:]] for gram in level}
        found.append(np.array(list(masses.values())))
    return found


def _followed(pairs: tuple[float, float], weight: float) -> tuple[float, float]:
    """The greatest and the sum of some pairs' weights, with another pair."""
    rarest, total = pairs
    return (weight if weight > rarest else rarest), total + weight


def _of_pairs(gram: Gram, weights: Mapping[Gram, float]) -> float:
    """The weight of an n-gram of 3 symbols or more."""
    found = [weights[gram[place : place + 2]] for place in range(len(gram) - 1)]
    return _sum(max(found), sum(found))
