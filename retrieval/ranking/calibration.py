"""From features to a score between 0 and 1 that means the same for every question and every index.

The first passage's score is a logistic function (Platt 1999) of evidence that does not depend on the other
candidates: how much of the question's weight the passage covers, how closely together, how similar its
vector is. The others' scores fall from there as far as the ranking puts them behind the first. The default
coefficients (calibration.json) were fitted on questions put to the right and to foreign collections;
`calibrate` fits a threshold on the user's own index.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.errors import IndexDamagedError
from retrieval.ranking.features import Features

Floats = NDArray[np.float64]

FALL = 0.5
"""A candidate that the ranking gives odds of 1 : x against the first has the first's score / x^FALL."""

_FARTHEST = 30.0
_NEAREST = 10

RIVALRY = ("lead", "rivals")
"""The evidence that is about the other candidates."""


def rivalry(ranking: Floats) -> dict[str, Floats]:
    """How far each candidate is before the field, the candidates after the first ten, and whether there is a
    field: both of shape (candidates,).

    The first ten do not count: copies of one report, or all that a small archive has on the matter, may share
    the lead.
    """
    field = np.sort(ranking)[::-1][_NEAREST:]
    if not len(field):
        return {"lead": np.zeros(len(ranking)), "rivals": np.zeros(len(ranking))}
    return {"lead": ranking - field.mean(), "rivals": np.ones(len(ranking))}


@dataclass(frozen=True, slots=True)
class Calibration:
    """Coefficients by feature, an intercept, and the score from which on a question counts as answered."""

    coefficients: Mapping[str, float]
    intercept: float
    threshold: float

    def probability(self, features: Features, candidate: int) -> float:
        """How likely it is that this candidate, ranked first, answers the question."""
        total = self.intercept
        total += sum(weight * float(features[name][candidate]) for name, weight in self.coefficients.items())
        return float(1.0 / (1.0 + np.exp(-np.clip(total, -30.0, 30.0))))

    def scores(self, features: Features, ranking: Floats) -> Floats:
        """Scores from 0 to 1 in the order of the ranking's scores: both of shape (candidates,).

        A candidate that the ranking gives odds of 1 : x against the first has the first's score / x^0.5.
        """
        behind = float(ranking.max()) - ranking
        first = self.probability({**features, **rivalry(ranking)}, int(np.argmin(behind)))
        return first * np.exp(-behind * FALL)

    def with_threshold(self, threshold: float) -> "Calibration":
        """The same scores with another threshold."""
        return replace(self, threshold=threshold)

    def to_mapping(self) -> dict[str, Any]:
        """Plain values for the manifest."""
        return {
            "coefficients": dict(self.coefficients),
            "intercept": self.intercept,
            "threshold": self.threshold,
        }

    @classmethod
    def from_mapping(cls, data: Mapping[str, Any]) -> "Calibration":
        """The inverse of to_mapping. Raises IndexDamagedError where the values are no calibration."""
        try:
            coefficients = {str(name): float(value) for name, value in data["coefficients"].items()}
            return cls(coefficients, float(data["intercept"]), float(data["threshold"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise IndexDamagedError(
                f"the calibration stored with the index is unreadable ({error}); "
                "run `python -m retrieval calibrate` again."
            ) from error


def behind(score: float, first: float) -> float:
    """How far the ranking puts a candidate behind the first, by their scores: log odds, bounded."""
    return min(_FARTHEST, max(0.0, log(first / score) / FALL)) if score > 0 else _FARTHEST


@cache
def default_calibration() -> Calibration:
    """The calibration that ships with this package."""
    text = resources.files(__package__).joinpath("calibration.json").read_text(encoding="utf-8")
    return Calibration.from_mapping(json.loads(text))
