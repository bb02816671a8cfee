"""Searching one segment: which of its rows are nearest to a vector, exactly or by way of codes."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from embeddings.encoder import Vectors
from retrieval.backend import Ids
from retrieval.vector.half_precision import products
from retrieval.vector.mapped import release
from retrieval.vector.quantization import Rows, Scanner
from retrieval.vector.segment import Segment

SCANNED = 262_144
"""Rows that are scanned in one go at most: about as many as take two milliseconds. Each go has a price of its
own: a quarter of it made a question among a million passages a millisecond slower."""

_SHARED, _WORTH_SHARING = 3, 32_768
"""A segment of several times as many rows as the latter is scanned in up to so many goes: threads that share
the work then end at about the same time."""

_BLOCK = 4096
_SMALL_SHARE = 24
_MANY, _FEW = 100, 50
"""What candidates are needed was measured for so many nearest. As many times fewer do for fewer nearest, down
to these: of 155,000 passages, 0.5 of the candidates hold 0.996 of the 50 nearest. That goes for whole
segments; where rows are removed or filtered out, what is left may lie in any way."""


@dataclass(frozen=True, slots=True)
class Found:
    """Rows, in no order, with their inner products: exact ones, or what their codes let suppose."""

    rows: Rows
    scores: NDArray[np.float32]
    exact: bool


Scan = Callable[[], Found]
"""A part of a search that may run in any thread."""


class SegmentSearch:
    """Rows of one segment by inner product; what that takes is loaded when it is first needed."""

    def __init__(self, segment: Segment) -> None:
        self._segment = segment
        self._matrix: Vectors | None = None
        self._scanners: list[Scanner] | None = None
        self._guard = threading.Lock()

    def candidates(self, k: int, *, whole: bool) -> int:
        """How many candidates recall needs for the k nearest of the `whole` segment or of a part of it; 0
        where it is searched exactly."""
        needed = self._segment.settings.get("candidates", 0)
        return int(needed * max(_FEW if whole else _MANY, k) / _MANY)

    def scans(
        self, vector: NDArray[np.float32], k: int, dead: NDArray[np.bool_] | None, allowed: Ids | None
    ) -> list[Scan]:
        """What finds all live and allowed rows, or candidates among which the k nearest are.

        A segment with codes is scanned for candidates piece by piece; where few rows are allowed, and in a
        segment without codes, all are scored exactly.
        """
        segment = self._segment
        if segment.codes is None:
            return [lambda: self._all(vector, dead, allowed)]
        if allowed is not None and len(allowed) * _SMALL_SHARE <= len(segment):
            rows = segment.rows(allowed)
            return [lambda: self.scored(vector, _live(rows[rows >= 0], dead))]
        wanted = self.candidates(k, whole=dead is None and allowed is None)
        return [
            partial(self._candidates, vector, wanted, place, dead, allowed)
            for place in range(len(self._pieces()))
        ]

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
        self,
        vector: NDArray[np.float32],
        wanted: int,
        place: int,
        dead: NDArray[np.bool_] | None,
        allowed: Ids | None,
    ) -> Found:
        """As many live, allowed candidates as are wanted of one piece; more are fetched as long as too few of
        them count."""
        scanner, piece = self._loaded_scanners()[place], self._pieces()[place]
        ids = self._segment.ids[piece]
        size = len(ids)
        gone = None if dead is None else dead[piece]
        counting = size - (0 if gone is None else int(np.count_nonzero(gone)))
        if allowed is not None:
            allowed = allowed[np.searchsorted(allowed, ids[0]) : np.searchsorted(allowed, ids[-1], "right")]
            counting = min(counting, len(allowed))
        if not counting:
            return Found(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32), False)
        fetched = wanted * size // counting
        if counting < size:
            fetched += fetched // 8
        while True:
            rows, scores = scanner.nearest(vector, fetched)
            if gone is not None or allowed is not None:
                kept = np.ones(len(rows), dtype=np.bool_) if gone is None else ~gone[rows]
                if allowed is not None:
                    kept &= among(ids[rows], allowed)
                rows, scores = rows[kept], scores[kept]
            if len(rows) >= min(wanted, counting) or fetched >= size:
                return Found(rows[:wanted] + piece.start, scores[:wanted], False)
            fetched *= 2 if len(rows) * 4 > wanted else 8

    def _pieces(self) -> list[slice]:
        """The rows that are scanned in one go each."""
        size = len(self._segment)
        count = max(-(-size // SCANNED), min(_SHARED, size // _WORTH_SHARING), 1)
        return [slice(size * n // count, size * (n + 1) // count) for n in range(count)]

    def _loaded_matrix(self) -> Vectors:
        with self._guard:
            if self._matrix is None:
                self._matrix = self._segment.block(0, len(self._segment))
            return self._matrix

    def _loaded_scanners(self) -> list[Scanner]:
        with self._guard:
            if self._scanners is None:
                codes, quantizer = self._segment.codes, self._segment.quantizer()
                assert codes is not None
                self._scanners = [quantizer.scanner(codes[piece]) for piece in self._pieces()]
                release(codes)  # each scanner has its own copy
                threading.Thread(target=_settle, args=(self._scanners,), daemon=True).start()
            return self._scanners


def _settle(scanners: Sequence[Scanner]) -> None:
    for scanner in scanners:
        scanner.settle()


def among(ids: Ids, sorted_ids: Ids) -> NDArray[np.bool_]:
    """Which of `ids` occur in `sorted_ids`: shape (len(ids),)."""
    if not len(sorted_ids):
        return np.zeros(len(ids), dtype=np.bool_)
    found = np.searchsorted(sorted_ids, ids)
    found[found == len(sorted_ids)] = 0
    return np.asarray(sorted_ids[found] == ids)


def _live(rows: Rows, dead: NDArray[np.bool_] | None) -> Rows:
    return rows if dead is None else rows[~dead[rows]]
