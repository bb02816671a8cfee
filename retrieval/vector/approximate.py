"""Searching a base: which of its rows are nearest to a vector, exactly or by way of codes."""

import threading

import numpy as np
from numpy.typing import NDArray

from embeddings.encoder import Vectors
from retrieval.backend import Ids
from retrieval.vector.quantization import Rows, Scanner
from retrieval.vector.segment import Segment

_BLOCK = 4096
_SMALL_SHARE = 24
_MANY = 100


class BaseSearch:
    """Rows of one base by inner product; what that takes is loaded when it is first needed."""

    def __init__(self, segment: Segment) -> None:
        self._segment = segment
        self._matrix: Vectors | None = None
        self._scanner: Scanner | None = None
        self._guard = threading.Lock()

    def nearest(
        self, vector: NDArray[np.float32], k: int, dead: NDArray[np.bool_] | None, allowed: Ids | None
    ) -> tuple[Rows, NDArray[np.float32]]:
        """About k nearest rows (live and allowed) or more, in no order, and their exact inner products.

        A base with codes is scanned for candidates, which are then scored exactly; where few rows are
        allowed,
        and in a base without codes, all are.
        """
        segment = self._segment
        if segment.codes is None:
            return self._all(vector, dead, allowed)
        if allowed is not None and len(allowed) * _SMALL_SHARE <= len(segment):
            rows = segment.rows(allowed)
            return self._scored(vector, _live(rows[rows >= 0], dead))
        return self._scored(vector, self._candidates(vector, k, dead, allowed))

    def _all(
        self, vector: NDArray[np.float32], dead: NDArray[np.bool_] | None, allowed: Ids | None
    ) -> tuple[Rows, NDArray[np.float32]]:
        scores = self._loaded_matrix() @ vector
        if allowed is not None:
            rows = self._segment.rows(allowed)
            rows = _live(rows[rows >= 0], dead)
        elif dead is not None:
            rows = np.flatnonzero(~dead)
        else:
            return np.arange(len(scores)), scores
        return rows, scores[rows]

    def _candidates(
        self, vector: NDArray[np.float32], k: int, dead: NDArray[np.bool_] | None, allowed: Ids | None
    ) -> Rows:
        """As many live, allowed candidates as recall needs; more are fetched as long as too few are of
        that kind."""
        segment, scanner = self._segment, self._loaded_scanner()
        wanted = int(segment.settings["candidates"] * max(1.0, k / _MANY))
        live = len(segment) - (0 if dead is None else int(np.count_nonzero(dead)))
        counting = live if allowed is None else min(live, len(allowed))
        fetched = wanted * len(segment) // max(counting, 1)
        if counting < len(segment):
            fetched += fetched // 8
        while True:
            rows = _live(scanner.nearest(vector, fetched), dead)
            if allowed is not None:
                rows = rows[among(segment.ids[rows], allowed)]
            if len(rows) >= wanted or fetched >= len(segment):
                return rows[:wanted]
            fetched *= 2 if len(rows) * 4 > wanted else 8

    def _scored(self, vector: NDArray[np.float32], rows: Rows) -> tuple[Rows, NDArray[np.float32]]:
        rows = np.sort(rows)  # in the order of the file
        parts = [
            self._segment.vectors[rows[start : start + _BLOCK]].astype(np.float32) @ vector
            for start in range(0, len(rows), _BLOCK)
        ]
        return rows, np.concatenate(parts) if parts else np.empty(0, dtype=np.float32)

    def _loaded_matrix(self) -> Vectors:
        with self._guard:
            if self._matrix is None:
                self._matrix = self._segment.vectors.astype(np.float32)
            return self._matrix

    def _loaded_scanner(self) -> Scanner:
        with self._guard:
            if self._scanner is None:
                assert self._segment.codes is not None
                self._scanner = self._segment.quantizer().scanner(self._segment.codes)
            return self._scanner


def among(ids: Ids, sorted_ids: Ids) -> NDArray[np.bool_]:
    """Which of `ids` occur in `sorted_ids`: shape (len(ids),)."""
    if not len(sorted_ids):
        return np.zeros(len(ids), dtype=np.bool_)
    found = np.searchsorted(sorted_ids, ids)
    found[found == len(sorted_ids)] = 0
    return np.asarray(sorted_ids[found] == ids)


def _live(rows: Rows, dead: NDArray[np.bool_] | None) -> Rows:
    return rows if dead is None else rows[~dead[rows]]
