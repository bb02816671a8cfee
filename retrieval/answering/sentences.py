"""Which sentence of a passage answers: a conditional logit over its sentences, and when to mark two."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from retrieval.answering.features import FEATURES, Features
from retrieval.types import Span

MAX_SHARE = 0.8
"""Two sentences are marked only where they are no more of the passage than this, or short anyway."""

CERTAIN = 0.97
"""A sentence that is at least so likely is marked alone."""

_SHORT = 60
_HEADING = 5.0
_ASKS, _LABEL, _AFTER, _ALIKE = map(FEATURES.index, ("asks", "label", "after_question", "bigrams_before"))


@dataclass(frozen=True, slots=True)
class SentenceModel:
    """Weights of the features, shape (len(FEATURES),); how likely a second sentence must be to be marked."""

    weights: NDArray[np.float64]
    second: float

    def probabilities(self, features: Features) -> NDArray[np.float64]:
        """How likely each sentence is the one that answers, given that one does: shape (sentences,)."""
        return chances(self.scores(features))

    def scores(self, features: Features) -> NDArray[np.float64]:
        """Whose exponentials are the sentences' odds against each other: shape (sentences,)."""
        scores: NDArray[np.float64] = features @ self.weights + headings(features)
        return scores


def chances(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """How likely each sentence is the one that answers, by the scores of all that might."""
    odds = np.exp(scores - scores.max())
    likely: NDArray[np.float64] = odds / odds.sum()
    return likely


def chances_in_each(
    scores: NDArray[np.float64], firsts: NDArray[np.int64], owners: NDArray[np.int64]
) -> NDArray[np.float64]:
    """`chances` of several articles' sentences, each by its own article's scores: `firsts` are the rows of
    their first sentences, `owners` the article of each row."""
    odds = np.exp(scores - np.maximum.reduceat(scores, firsts)[owners])
    likely: NDArray[np.float64] = odds / np.add.reduceat(odds, firsts)[owners]
    return likely


def headings(features: Features) -> NDArray[np.float64]:
    """Questions and labels in a text do not answer, but what follows a question like the one asked does.

    The data that the weights were fitted to has hardly any, so this is set by hand.
    """
    alike = features[:, _ALIKE] > 0.5
    return _HEADING * (features[:, _AFTER] * alike - features[:, _ASKS] - features[:, _LABEL])


@cache
def load_model() -> SentenceModel:
    """The model that ships with this package (model.json, made by training.py)."""
    data = json.loads(resources.files(__package__).joinpath("model.json").read_text(encoding="utf-8"))
    weights: dict[str, float] = data["weights"]
    return SentenceModel(np.array([weights.get(name, 0.0) for name in FEATURES]), float(data["second"]))


def choose(
    likely: Sequence[float], spans: Sequence[Span], length: int, second: float
) -> tuple[Span, float]:
    """The span to mark in a passage of `length` characters, and how likely it has the answer.

    The likeliest sentence, and the better of its neighbours with it where that is likely enough too.
    """
    best = max(range(len(likely)), key=likely.__getitem__)
    start, end = spans[best]
    chance = likely[best]
    neighbours = [place for place in (best - 1, best + 1) if 0 <= place < len(spans)]
    if not neighbours:
        return (start, end), chance
    other = max(neighbours, key=lambda place: likely[place])
    both = min(start, spans[other][0]), max(end, spans[other][1])
    fits = both[1] - both[0] <= max(_SHORT, MAX_SHARE * length)
    if chance < CERTAIN and likely[other] >= second and fits:
        return both, chance + likely[other]
    return (start, end), chance
