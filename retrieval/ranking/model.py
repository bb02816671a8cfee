"""The learned second stage: a linear model over features, as they are and standardised within the list.

Trained as a conditional logit (softmax over each question's candidates), see training.py. The weights live in
model.json beside this file.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from retrieval.ranking.features import Features

Floats = NDArray[np.float64]

_WITHIN_LIST = "list:"
_ALIKE = 1e-9
"""Values that spread less than this within the list are all alike."""


@dataclass(frozen=True, slots=True)
class LinearModel:
    """`columns` name features ("list:" before one that is standardised within the list), each with its
    weight."""

    columns: tuple[str, ...]
    weights: Floats

    def scores(self, features: Features) -> Floats:
        """One score a candidate, higher is better, comparable within one question: shape (candidates,)."""
        return matrix(features, self.columns) @ self.weights

    def parts(self, features: Features) -> dict[str, Floats]:
        """What each column adds to the scores."""
        return dict(zip(self.columns, (matrix(features, self.columns) * self.weights).T, strict=True))


def matrix(features: Features, columns: Sequence[str]) -> Floats:
    """The columns as one array of shape (candidates, columns)."""
    names, relative = _read(tuple(columns))
    values = np.stack([features[name] for name in names], axis=1)
    centred = values[:, relative] - values[:, relative].mean(axis=0)
    spread = np.sqrt((centred**2).mean(axis=0))
    values[:, relative] = np.where(spread > _ALIKE, centred / np.maximum(spread, _ALIKE), 0.0)
    return values


@lru_cache(maxsize=16)
def _read(columns: tuple[str, ...]) -> tuple[list[str], NDArray[np.bool_]]:
    """The features that columns name, and which of them are standardised within the list."""
    names = [name.removeprefix(_WITHIN_LIST) for name in columns]
    return names, np.array([name.startswith(_WITHIN_LIST) for name in columns])


@cache
def load_model() -> LinearModel:
    """The weights that ship with this package."""
    data: Mapping[str, Mapping[str, float]] = json.loads(
        resources.files(__package__).joinpath("model.json").read_text(encoding="utf-8")
    )
    weights = data["ranking"]
    return LinearModel(tuple(weights), np.array(list(weights.values()), dtype=np.float64))
