"""Nearest passages with FAISS: a mapped base made from the store, and a tail of what came since in memory."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.encoder import Vectors
from retrieval.backend import Candidates, Ids
from retrieval.vector.approximate import BaseSearch, among
from retrieval.vector.exact import best
from retrieval.vector.segment import Segment, empty


@dataclass(frozen=True, slots=True)
class _State:
    """What one search sees. Never changed: an update puts another in its place.

    `dead` marks rows of the base that were removed, (n,) bool, or is None; the tail has live vectors only,
    ids ascending.
    """

    base: Segment
    search: BaseSearch
    dead: NDArray[np.bool_] | None
    dead_count: int
    tail_ids: Ids
    tail: Vectors


class FaissIndex:
    """The VectorIndex that serves: any number of threads search while one adds and removes."""

    def __init__(self, dimension: int, base: Segment | None = None) -> None:
        self.dimension = dimension
        self._guard = threading.Lock()
        segment = base if base is not None else empty(dimension)
        self._state = _State(
            segment, BaseSearch(segment), None, 0, np.empty(0, np.int64), _no_vectors(dimension)
        )
        self._buffer = _no_vectors(dimension)

    @property
    def base(self) -> Segment:
        """The base in use."""
        return self._state.base

    @property
    def dead(self) -> NDArray[np.bool_] | None:
        """Which rows of the base were removed since it was made: shape (n,); None where none was."""
        return self._state.dead

    @property
    def tail_count(self) -> int:
        """How much a new base would take up: vectors added since the last one, and removed from it."""
        state = self._state
        return len(state.tail_ids) + state.dead_count

    def add(self, ids: Ids, vectors: Vectors) -> None:
        """See VectorIndex. Costs what the vectors weigh, as long as ids ascend."""
        ids = np.asarray(ids, dtype=np.int64)
        if not len(ids):
            return
        with self._guard:
            state = self._without(ids)[0]
            old = len(state.tail_ids)
            if (old and ids[0] <= state.tail_ids[-1]) or np.any(ids[1:] <= ids[:-1]):
                merged = np.concatenate([state.tail_ids, ids])
                order = np.argsort(merged, kind="stable")
                self._buffer = np.concatenate([state.tail, vectors])[order]
                self._state = replace(state, tail_ids=merged[order], tail=self._buffer)
                return
            # Searches under way hold views of the first `old` rows; what comes after those is free to be
            # written.
            tail = self._grown(state.tail, len(ids))
            tail[old:] = vectors
            self._state = replace(state, tail_ids=np.concatenate([state.tail_ids, ids]), tail=tail)

    def remove(self, ids: Sequence[int] | Ids) -> int:
        """See VectorIndex."""
        with self._guard:
            self._state, removed = self._without(np.asarray(ids, dtype=np.int64))
        return removed

    def search(self, vector: NDArray[np.float32], k: int, allowed: Ids | None = None) -> Candidates:
        """See VectorIndex."""
        state = self._state
        rows, scores = state.search.nearest(vector, k, state.dead, allowed)
        ids, tail = state.tail_ids, state.tail
        if allowed is not None and len(ids):
            chosen = among(ids, allowed)
            ids, tail = ids[chosen], tail[chosen]
        if not len(ids):
            return best(state.base.ids[rows], scores, k)
        return best(
            np.concatenate([state.base.ids[rows], ids]),
            np.concatenate([scores, tail @ vector]).astype(np.float32),
            k,
        )

    def contains(self, ids: Ids) -> NDArray[np.bool_]:
        """Which ids are here and live: shape (n,)."""
        state = self._state
        rows = state.base.rows(ids)
        found = rows >= 0
        if state.dead is not None:
            found &= ~state.dead[rows]
        return found | among(ids, state.tail_ids)

    def vectors(self, ids: Ids) -> Vectors:
        """Vectors by id, shape (n, dimension); zeros where an id is not here."""
        state = self._state
        result = np.zeros((len(ids), self.dimension), dtype=np.float32)
        rows = state.base.rows(ids)
        found = rows >= 0
        if state.dead is not None:
            found &= ~state.dead[rows]
        result[found] = state.base.vectors[rows[found]]
        in_tail = among(ids, state.tail_ids)
        if in_tail.any():
            result[in_tail] = state.tail[np.searchsorted(state.tail_ids, ids[in_tail])]
        return result

    def live(self) -> list[tuple[Ids, Vectors | NDArray[np.float16]]]:
        """All live ids, ascending, with their vectors, in blocks: what a new base is made of."""
        state = self._state
        blocks: list[tuple[Ids, Any]] = []
        for start in range(0, len(state.base), 65536):
            ids, vectors = state.base.ids[start : start + 65536], state.base.vectors[start : start + 65536]
            if state.dead is not None:
                keep = ~state.dead[start : start + 65536]
                ids, vectors = ids[keep], vectors[keep]
            blocks.append((ids, vectors))
        if not len(state.tail_ids):
            return blocks
        blocks.append((state.tail_ids, state.tail))
        if not len(state.base) or state.tail_ids[0] > state.base.ids[-1]:
            return blocks
        # An old id came again. The store never gives one twice, so this is not made to be quick.
        ids = np.concatenate([ids for ids, _ in blocks])
        vectors = np.concatenate([vectors for _, vectors in blocks])
        order = np.argsort(ids)
        return [(ids[order], vectors[order])]

    def __len__(self) -> int:
        state = self._state
        return len(state.base) - state.dead_count + len(state.tail_ids)

    def _without(self, ids: Ids) -> tuple[_State, int]:
        """The state after removing `ids`, and how many of them there were."""
        state = self._state
        removed = 0
        rows = state.base.rows(ids)
        rows = np.unique(rows[rows >= 0])
        if state.dead is not None:
            rows = rows[~state.dead[rows]]
        if len(rows):
            dead = np.zeros(len(state.base), dtype=np.bool_) if state.dead is None else state.dead.copy()
            dead[rows] = True
            state = replace(state, dead=dead, dead_count=state.dead_count + len(rows))
            removed += len(rows)
        gone = among(state.tail_ids, np.sort(ids))
        if gone.any():
            self._buffer = state.tail[~gone]
            state = replace(state, tail_ids=state.tail_ids[~gone], tail=self._buffer)
            removed += int(gone.sum())
        return state, removed

    def _grown(self, tail: Vectors, more: int) -> Vectors:
        """The tail with `more` rows to write at its end; doubles its memory where there is no room."""
        size = len(tail) + more
        if size > len(self._buffer):
            buffer = np.empty((max(1024, 2 * size), self.dimension), dtype=np.float32)
            buffer[: len(tail)] = tail
            self._buffer = buffer
        return self._buffer[:size]


def _no_vectors(dimension: int) -> Vectors:
    return np.empty((0, dimension), dtype=np.float32)
