"""How much each n-gram of a question says: inverse document frequency, of this index and of prose at
large."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
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
            weights[gram] = _sum([weights[gram[place : place + 1]] for place in range(len(gram))])
    levels = [np.array([weights[gram] for gram in level]) for level in grams.levels[:2]]
    levels += [np.array([_sum(_pairs(gram, weights)) for gram in level]) for level in grams.levels[2:]]
    mass = [np.array([_mass(gram, weights) for gram in level]) for level in grams.levels]
    total = sum(_mass(segment, weights) for segment in grams.segments)
    words = np.array([weights.get(word) or _sum(_pairs(word, weights)) for word in grams.words])
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
    return float(-np.log(min(blended, 1.0)))


def _sum(weights: Sequence[float]) -> float:
    rarest = max(weights)
    return rarest + _OTHERS_SHARE * (sum(weights) - rarest)


def _pairs(gram: Gram, weights: Mapping[Gram, float]) -> list[float]:
    return [weights[gram[place : place + 2]] for place in range(len(gram) - 1)]


def _mass(gram: Gram, weights: Mapping[Gram, float]) -> float:
    return sum(weights[symbol,] for symbol in gram)
