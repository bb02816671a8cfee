"""Which of many questions may be answered by which of some new passages: an estimate, for all pairs at once.

It may err on the side of too many: whatever it lets through is asked properly. A logistic estimate of how
much of a question's weight (inverse document frequencies) the passage covers, by characters and by the longer
terms, and of how similar the vectors are. The coefficients were fitted on tuning sets of questions; the
cuts are where of 516 questions that the search itself answers one is lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from embeddings.encoder import Vectors
from retrieval.lexical.ideographs import BIGRAM_KIND, CHARACTER_KIND
from retrieval.ranking.background import FLOOR, load_background
from retrieval.ranking.weighting import PRIOR_PASSAGES

Floats = NDArray[np.float64]

COEFFICIENTS = (2.1, 0.3, 14.7, 8.8)
INTERCEPT = -11.1
"""For coverage by characters, by longer terms, by all; for the cosine."""

CUT, CUT_WHILE_SMALL, SMALL_PASSAGES = -1.0, -4.5, 1000
"""Below the cut a pair is not looked at again. Small indexes need a lower one: there a question may be
answered on the strength of few of its words."""


@dataclass(frozen=True, slots=True)
class Analysed:
    """A question or a passage: its distinct terms, and its vector."""

    terms: tuple[str, ...]
    vector: NDArray[np.float32]


class QuestionTable:
    """Questions laid out for estimating all of them against one passage at a time."""

    def __init__(self, questions: Sequence[Analysed]) -> None:
        """`questions` is not empty."""
        vocabulary: dict[str, int] = {}
        for term in chain.from_iterable(question.terms for question in questions):
            vocabulary.setdefault(term, len(vocabulary))
        self.terms = list(vocabulary)
        self._vocabulary = vocabulary
        numbers = [vocabulary[term] for term in chain.from_iterable(question.terms for question in questions)]
        lengths = [len(question.terms) for question in questions]
        # Each question has a place for what is found of its characters, and one for its longer terms.
        longer = np.array([term[0] != CHARACTER_KIND for term in self.terms], dtype=np.int64)
        terms = np.array(numbers, dtype=np.int64)
        places = 2 * np.repeat(np.arange(len(lengths)), lengths) + longer[terms]
        order = np.argsort(terms, kind="stable")
        self._size = 2 * len(lengths)
        self._terms, self._places = terms[order], places[order]
        self._ends = np.cumsum(np.bincount(terms, minlength=len(self.terms)))
        background = load_background()
        grams = (CHARACTER_KIND, BIGRAM_KIND)
        rates = [background.rate(term[1:]) if term[0] in grams else FLOOR for term in self.terms]
        self._rates = np.array(rates, dtype=np.float64)
        self._vectors: Vectors = np.stack([question.vector for question in questions])

    def estimate(self, passages: Sequence[Analysed], frequencies: NDArray[np.int64], count: int) -> Floats:
        """The evidence for every pair: shape (questions, passages).

        `frequencies` tells in how many of the index's `count` passages each of `terms` occurs.
        """
        blended = (frequencies + PRIOR_PASSAGES * self._rates) / (count + PRIOR_PASSAGES)
        weights = -np.log(np.minimum(blended, 1.0))
        totals = self._sums(self._places, weights[self._terms])
        shares = np.maximum([totals[0::2], totals[1::2], totals[0::2] + totals[1::2]], 1e-9)
        cosines = self._vectors @ np.stack([passage.vector for passage in passages]).T
        evidence = np.empty((self._size // 2, len(passages)))
        for place, passage in enumerate(passages):
            present = sorted({self._vocabulary[term] for term in passage.terms if term in self._vocabulary})
            found = self._found(present, weights)
            parts = (found[0::2], found[1::2], found[0::2] + found[1::2])
            evidence[:, place] = INTERCEPT + COEFFICIENTS[3] * np.maximum(cosines[:, place], 0.0)
            for coefficient, part, share in zip(COEFFICIENTS[:3], parts, shares, strict=True):
                evidence[:, place] += coefficient * part / share
        return evidence

    def _found(self, present: Sequence[int], weights: Floats) -> Floats:
        """For each place the weight of the terms that are present: shape (2 * questions,)."""
        if not present:
            return np.zeros(self._size)
        ends = self._ends[present].tolist()
        starts = [int(self._ends[number - 1]) if number else 0 for number in present]
        places = [self._places[start:end] for start, end in zip(starts, ends, strict=True)]
        return self._sums(np.concatenate(places), np.repeat(weights[present], list(map(len, places))))

    def _sums(self, places: NDArray[np.int64], weights: Floats) -> Floats:
        sums: Floats = np.bincount(places, weights, minlength=self._size).astype(np.float64, copy=False)
        return sums


def cut_for(passages: int) -> float:
    """The cut for an index of so many passages."""
    return CUT_WHILE_SMALL if passages < SMALL_PASSAGES else CUT
