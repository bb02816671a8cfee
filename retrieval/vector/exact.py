"""Exact search over a matrix in memory: what every other vector index is compared with."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from embeddings.encoder import Vectors
from retrieval.backend import Candidates, Ids


class ExactIndex:
    """All vectors as one float32 matrix, ids sorted; for tests, measurements and small collections."""

    def __init__(self, dimension: int) -> None:
        self._ids = np.empty(0, dtype=np.int64)
        self._matrix = np.empty((0, dimension), dtype=np.float32)

    def add(self, ids: Ids, vectors: Vectors) -> None:
        """See VectorIndex."""
        self.remove(ids)
        merged = np.concatenate([self._ids, ids])
        order = np.argsort(merged, kind="stable")
        self._ids = merged[order]
        self._matrix = np.concatenate([self._matrix, vectors.astype(np.float32, copy=False)])[order]

    def remove(self, ids: Sequence[int] | Ids) -> int:
        """See VectorIndex."""
        keep = ~np.isin(self._ids, np.asarray(ids, dtype=np.int64))
        removed = len(keep) - int(keep.sum())
        self._ids, self._matrix = self._ids[keep], self._matrix[keep]
        return removed

    def search(self, vector: NDArray[np.float32], k: int, allowed: Ids | None = None) -> Candidates:
        """See VectorIndex."""
        ids, matrix = self._ids, self._matrix
        if allowed is not None:
            chosen = np.isin(ids, allowed)
            ids, matrix = ids[chosen], matrix[chosen]
        return best(ids, matrix @ vector, k)

    def __len__(self) -> int:
        return len(self._ids)


def best(ids: Ids, scores: NDArray[np.float32], k: int) -> Candidates:
    """The k highest scores, highest first; of equal ones the lower id first."""
    if len(ids) > k:
        threshold = np.partition(scores, len(scores) - k)[len(scores) - k]
        kept = np.flatnonzero(scores >= threshold)
        ids, scores = ids[kept], scores[kept]
    order = np.lexsort((ids, -scores))[:k]
    return Candidates(ids[order], scores[order].astype(np.float32, copy=False))
