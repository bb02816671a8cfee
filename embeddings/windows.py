"""Long texts → windows that fit a model, and the windows' vectors → one vector a text."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from embeddings.encoder import Vectors

Offsets = Sequence[tuple[int, int]]
Tokens = Callable[[Sequence[str]], Sequence[Offsets]]
"""Texts → each text's tokens as (start, end) in characters."""

_FEWEST_CHARACTERS_A_TOKEN = 3
"""Byte-level tokenizers give a rare character up to this many tokens (and a Chinese one one or two)."""


@dataclass(frozen=True)
class Windows:
    """Pieces of texts: `pieces`, the text each belongs to (`owners`) and its share of it (`weights`)."""

    pieces: list[str]
    owners: list[int]
    weights: list[float]


def split_into_windows(texts: Sequence[str], limit: int | None, tokens: Tokens) -> Windows:
    """Cut every text of more than `limit` tokens into windows of at most that many, about equally long.

    `limit` None means that the model has none. Windows are cut at token boundaries and together hold the
    whole text; a window's weight is its number of tokens.
    """
    windows = Windows([], [], [])
    long = [text for text in texts if limit and len(text) * _FEWEST_CHARACTERS_A_TOKEN > limit]
    offsets = iter(tokens(long)) if long else iter(())
    for owner, text in enumerate(texts):
        spans: Offsets = ()
        if limit and len(text) * _FEWEST_CHARACTERS_A_TOKEN > limit:
            spans = next(offsets)
        if not limit or len(spans) <= limit:
            _append(windows, text, owner, 1.0)
            continue
        count = -(-len(spans) // limit)
        edges = [len(spans) * i // count for i in range(count + 1)]
        for first, last in itertools.pairwise(edges):
            start = spans[first][0] if first else 0
            end = spans[last][0] if last < len(spans) else len(text)
            _append(windows, text[start:end], owner, float(last - first))
    return windows


def join_windows(vectors: Vectors, windows: Windows, count: int) -> Vectors:
    """Weighted means of each text's window vectors, brought to length 1: shape (count, dimension)."""
    if len(windows.pieces) == count:
        return vectors
    sums = np.zeros((count, vectors.shape[1]), dtype=np.float32)
    weights = np.asarray(windows.weights, dtype=np.float32)[:, None]
    np.add.at(sums, np.asarray(windows.owners), vectors * weights)
    return unit(sums)


def unit(vectors: Vectors) -> Vectors:
    """Rows brought to length 1; rows of zeros, or with values that are no numbers, become zeros."""
    clean = np.where(np.isfinite(vectors).all(axis=1, keepdims=True), vectors, 0).astype(np.float32)
    lengths = np.linalg.norm(clean, axis=1, keepdims=True)
    result: Vectors = np.divide(clean, lengths, out=np.zeros_like(clean), where=lengths > 0)
    return result


def _append(windows: Windows, piece: str, owner: int, weight: float) -> None:
    windows.pieces.append(piece)
    windows.owners.append(owner)
    windows.weights.append(weight)
