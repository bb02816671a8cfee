"""How common characters and bigrams are in Chinese prose at large, to steady the statistics of a small index.

In an index of thirty articles every word looks rare; blending in the rates of a large collection keeps
words that are common everywhere from counting as names. The table (background.npz) holds document rates
over passages of 250 characters of news of 2023, made by `python -m retrieval.ranking.background`.
"""

from collections import Counter
from collections.abc import Iterable
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_PASSAGE = 250
_KEPT_RATE = 5e-4
_STEPS = 8.0
"""Rates are stored as -log2(rate) in eighths, in one byte."""

FLOOR = 2e-4
"""The rate of a character or bigram that the table does not have."""


class Background:
    """Document rates (0 to 1) of normalised characters and bigrams."""

    def __init__(self, grams: NDArray[np.str_], levels: NDArray[np.uint8]) -> None:
        rates = np.exp2(-levels.astype(np.float64) / _STEPS)
        self._rates: dict[str, float] = dict(zip(grams.tolist(), rates.tolist(), strict=True))

    def rate(self, gram: str) -> float:
        """In which share of passages this character or bigram occurs."""
        return self._rates.get(gram, FLOOR)


@cache
def load_background() -> Background:
    """The table that ships with this package."""
    with (
        resources.files(__package__).joinpath("background.npz").open("rb") as file,
        np.load(file, allow_pickle=False) as data,
    ):
        text, levels = str(data["grams"]), data["levels"]
    return Background(np.array(text.split("\n")), levels)


def count_rates(texts: Iterable[str]) -> dict[str, float]:
    """Document rates of the characters and bigrams of normalised texts, cut into passages."""
    counts: Counter[str] = Counter()
    passages = 0
    for text in texts:
        for start in range(0, len(text), _PASSAGE):
            passage = text[start : start + _PASSAGE].replace("\n", " ")
            if len(passage) >= _PASSAGE // 3:
                passages += 1
                counts.update(set(passage))
                counts.update({passage[place : place + 2] for place in range(len(passage) - 1)})
    return {gram: count / passages for gram, count in counts.items() if count >= _KEPT_RATE * passages}


def write_background(path: Path, rates: dict[str, float]) -> None:
    """Write a table for load_background; grams with white space are left out."""
    kept = sorted(gram for gram in rates if not any(character.isspace() for character in gram))
    levels = np.round(-np.log2([rates[gram] for gram in kept]) * _STEPS)
    np.savez_compressed(path, grams="\n".join(kept), levels=np.clip(levels, 0, 255).astype(np.uint8))
