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
from retrieval.lexical.analyzer import BIGRAM_KIND, CHARACTER_KIND
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
        lengths = np.array([max(1, len(question.terms)) for question in questions])
        self._starts = np.concatenate(([0], np.cumsum(lengths)[:-1]))
        # A question without terms has one that no passage has.
        numbers = [
            [vocabulary[term] for term in question.terms] or [len(vocabulary)] for question in questions
        ]
        self._numbers = np.fromiter(chain.from_iterable(numbers), np.int64, int(lengths.sum()))
        self._characters = np.array([term[0] == CHARACTER_KIND for term in self.terms] + [False])
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
        weights = np.append(-np.log(np.minimum(blended, 1.0)), 1.0).astype(np.float32)
        by_character = np.where(self._characters, weights, 0.0)[self._numbers]
        by_term = np.where(self._characters, 0.0, weights)[self._numbers]
        totals = [np.add.reduceat(part, self._starts) for part in (by_character, by_term)]
        shares = [*(np.maximum(total, 1e-9) for total in totals), np.maximum(totals[0] + totals[1], 1e-9)]
        evidence = np.empty((len(self._starts), len(passages)))
        cosines = self._vectors @ np.stack([passage.vector for passage in passages]).T
        for place, passage in enumerate(passages):
            present = np.zeros(len(weights), dtype=np.float32)
            present[[self._vocabulary[term] for term in passage.terms if term in self._vocabulary]] = 1.0
            occurs = present[self._numbers]
            characters = np.add.reduceat(by_character * occurs, self._starts)
            longer = np.add.reduceat(by_term * occurs, self._starts)
            parts = (characters, longer, characters + longer)
            evidence[:, place] = INTERCEPT + COEFFICIENTS[3] * np.maximum(cosines[:, place], 0.0)
            for coefficient, part, share in zip(COEFFICIENTS[:3], parts, shares, strict=True):
                evidence[:, place] += coefficient * part / share
        return evidence


def cut_for(passages: int) -> float:
    """The cut for an index of so many passages."""
    return CUT_WHILE_SMALL if passages < SMALL_PASSAGES else CUT
