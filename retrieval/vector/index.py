"""The VectorIndex protocol: nearest passages by cosine, following the store's change log."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from embeddings.encoder import Vectors
from retrieval.backend import Candidates, Ids


class VectorIndex(Protocol):
    """Unit vectors under int64 ids, by inner product (= cosine), best first."""

    def add(self, ids: Ids, vectors: Vectors) -> None:
        """Add vectors, shape (n, dimension); an id that is there already is replaced."""

    def remove(self, ids: Sequence[int] | Ids) -> int:
        """Remove ids; how many were there."""

    def search(self, vector: NDArray[np.float32], k: int, allowed: Ids | None = None) -> Candidates:
        """The k nearest to one vector, shape (dimension,); only among `allowed` (sorted ids) where given."""

    def __len__(self) -> int:
        """Number of live vectors."""
