"""Searching one segment: which of its rows are nearest to a vector, exactly or by way of codes."""

import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embeddings.encoder import Vectors
from retrieval.backend import Ids
from retrieval.vector.half_precision import products
from retrieval.vector.quantization import Rows, Scanner
from retrieval.vector.segment import Segment

_BLOCK = 4096
_SMALL_SHARE = 24
_MANY, _FEW = 100, 60
"""What candidates are needed was measured for so many nearest. As many times fewer do for fewer nearest, down
to these: of 155,000 passages, 0.6 of the candidates hold 0.998 of the 50 nearest. That goes for whole
segments; where rows are removed or filtered out, what is left may lie in any way."""


@dataclass(frozen=True, slots=True)
class Found:
    """Rows, in no order, with their inner products: exact ones, or what their codes let suppose."""

    rows: Rows
    scores: NDArray[np.float32]
    exact: bool


class SegmentSearch:
    """Rows of one segment by inner product; what that takes is loaded when it is first needed."""

    def __init__(self, segment: Segment) -> None:
        self._segment = segment
        self._matrix: Vectors | None = None
        self._scanner: Scanner | None = None
        self._guard = threading.Lock()

    def candidates(self, k: int, *, whole: bool) -> int:
        """How many candidates recall needs for the k nearest of the `whole` segment or of a part of it; 0
        where it is searched exactly."""
        needed = self._segment.settings.get("candidates", 0)
        return int(needed * max(_FEW if whole else _MANY, k) / _MANY)

    def nearest(
        self, vector: NDArray[np.float32], k: int, dead: NDArray[np.bool_] | None, allowed: Ids | None
    ) -> Found:
        """All live and allowed rows, or candidates among which the k nearest are.

        A segment with codes is scanned for candidates; where few rows are allowed, and in a segment without
        codes, all are scored exactly.
        """
        segment = self._segment
        if segment.codes is None:
            return self._all(vector, dead, allowed)
        if allowed is not None and len(allowed) * _SMALL_SHARE <= len(segment):
            rows = segment.rows(allowed)
            return self.scored(vector, _live(rows[rows >= 0], dead))
        return self._candidates(
            vector, self.candidates(k, whole=dead is None and allowed is None), dead, allowed
        )

    def scored(self, vector: NDArray[np.float32], rows: Rows) -> Found:
        """These rows with their exact inner products."""
        rows = np.sort(rows)  # in the order of the file
        parts = [
            products(self._segment.take(rows[start : start + _BLOCK]), vector)
            for start in range(0, len(rows), _BLOCK)
        ]
        return Found(rows, np.concatenate(parts) if parts else np.empty(0, dtype=np.float32), True)

    def _all(self, vector: NDArray[np.float32], dead: NDArray[np.bool_] | None, allowed: Ids | None) -> Found:
        scores = products(self._loaded_matrix(), vector)
        if allowed is not None:
            rows = self._segment.rows(allowed)
            rows = _live(rows[rows >= 0], dead)
        elif dead is not None:
            rows = np.flatnonzero(~dead)
        else:
            return Found(np.arange(len(scores)), scores, True)
        return Found(rows, scores[rows], True)

    def _candidates(
        self, vector: NDArray[np.float32], wanted: int, dead: NDArray[np.bool_] | None, allowed: Ids | None
    ) -> Found:
        """As many live, allowed candidates as are wanted; more are fetched as long as too few are of that
        kind."""
        segment, scanner = self._segment, self._loaded_scanner()
        live = len(segment) - (0 if dead is None else int(np.count_nonzero(dead)))
        counting = live if allowed is None else min(live, len(allowed))
        fetched = wanted * len(segment) // max(counting, 1)
        if counting < len(segment):
            fetched += fetched // 8
        while True:
            rows, scores = scanner.nearest(vector, fetched)
            if dead is not None or allowed is not None:
                kept = np.ones(len(rows), dtype=np.bool_) if dead is None else ~dead[rows]
                if allowed is not None:
                    kept &= among(segment.ids[rows], allowed)
                rows, scores = rows[kept], scores[kept]
            if len(rows) >= wanted or fetched >= len(segment):
                return Found(rows[:wanted], scores[:wanted], False)
            fetched *= 2 if len(rows) * 4 > wanted else 8

    def _loaded_matrix(self) -> Vectors:
        with self._guard:
            if self._matrix is None:
                self._matrix = self._segment.block(0, len(self._segment))
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
