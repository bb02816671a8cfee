"""Nearest passages with FAISS: mapped segments made from the store, and what came since in memory."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from embeddings.encoder import Vectors
from retrieval.backend import Candidates, Ids
from retrieval.shared_work import SharedWork
from retrieval.vector.approximate import Found, Scan, SegmentSearch, among
from retrieval.vector.exact import best
from retrieval.vector.half_precision import products, to_single
from retrieval.vector.segment import Catalogue, Segment

_BLOCK = 65_536
_RESCORED = 4096
"""Rows that are scored exactly in one go."""


@dataclass(frozen=True, slots=True)
class Part:
    """A segment, how it is searched, and which of its rows were removed: (n,) bool, None where none was."""

    segment: Segment
    search: SegmentSearch
    dead: NDArray[np.bool_] | None = None
    dead_count: int = 0

    @property
    def live(self) -> int:
        """How many of its vectors count."""
        return len(self.segment) - self.dead_count

    def live_rows(self, ids: Ids) -> NDArray[np.int64]:
        """The row of each id, -1 where it is not here or was removed."""
        rows = self.segment.rows(ids)
        return rows if self.dead is None else np.where((rows >= 0) & ~self.dead[rows], rows, -1)

    def without(self, ids: Ids) -> "Part":
        """The same with these ids removed."""
        rows = self.live_rows(ids)
        rows = np.unique(rows[rows >= 0])
        if not len(rows):
            return self
        dead = np.zeros(len(self.segment), dtype=np.bool_) if self.dead is None else self.dead.copy()
        dead[rows] = True
        return replace(self, dead=dead, dead_count=self.dead_count + len(rows))

    def blocks(self) -> Iterator[tuple[Ids, Vectors]]:
        """Its live ids, ascending, with their vectors."""
        for start in range(0, len(self.segment), _BLOCK):
            ids = np.asarray(self.segment.ids[start : start + _BLOCK])
            vectors = self.segment.block(start, start + _BLOCK)
            if self.dead is not None:
                keep = ~self.dead[start : start + _BLOCK]
                ids, vectors = ids[keep], vectors[keep]
            yield ids, vectors


@dataclass(frozen=True, slots=True)
class _State:
    """What one search sees. Never changed: an update puts another in its place.

    The tail has live vectors only, ids ascending. `removed` counts what was removed from the parts since they
    were opened.
    """

    parts: tuple[Part, ...]
    tail_ids: Ids
    tail: Vectors
    removed: int = 0


class FaissIndex:
    """The VectorIndex that serves: any number of threads search while one adds and removes."""

    def __init__(
        self, dimension: int, catalogue: Catalogue | None = None, *, before: "FaissIndex | None" = None
    ) -> None:
        """An index of what `catalogue` has; what `before` has loaded of the same segments is taken over."""
        self.dimension = dimension
        self._guard = threading.Lock()
        loaded = {part.segment.number: part.search for part in before.parts} if before is not None else {}
        parts: tuple[Part, ...] = ()
        if catalogue is not None:
            parts = tuple(
                Part(segment, loaded.get(segment.number) or SegmentSearch(segment)).without(
                    catalogue.dead_in(segment.number)
                )
                for segment in catalogue.segments
            )
        self._buffer = np.empty((0, dimension), dtype=np.float32)
        self._state = _State(parts, np.empty(0, np.int64), self._buffer)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The segments, as they are searched."""
        return self._state.parts

    @property
    def tail(self) -> tuple[Ids, Vectors]:
        """What was added since the segments were made: ids, ascending, and vectors."""
        return self._state.tail_ids, self._state.tail

    @property
    def unwritten(self) -> int:
        """How many vectors were added and removed since the segments were opened."""
        return len(self._state.tail_ids) + self._state.removed

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
        return self.begin(lambda: vector, k, allowed)()

    def begin(
        self,
        vector: Callable[[], NDArray[np.float32]],
        k: int,
        allowed: Ids | None = None,
        *,
        executor: Executor | None = None,
        helpers: int = 1,
    ) -> Callable[[], Candidates]:
        """The same of the present state, begun: a call gives what was found. Threads of `executor`, at most
        so many as `helpers`, make the vector and scan meanwhile."""
        search = _Search(self._state, vector, k, allowed)
        if executor is not None:
            search.work.begin(executor, helpers)
        return search.result

    def contains(self, ids: Ids) -> NDArray[np.bool_]:
        """Which ids are here and live: shape (n,)."""
        state = self._state
        found = among(ids, state.tail_ids)
        for part in state.parts:
            found |= part.live_rows(ids) >= 0
        return found

    def vectors(self, ids: Ids) -> Vectors:
        """Vectors by id, shape (n, dimension); zeros where an id is not here."""
        state = self._state
        result = np.zeros((len(ids), self.dimension), dtype=np.float32)
        for part in state.parts:
            rows = part.live_rows(ids)
            here = rows >= 0
            if here.any():
                result[here] = part.segment.take(rows[here])
        in_tail = among(ids, state.tail_ids)
        if in_tail.any():
            result[in_tail] = state.tail[np.searchsorted(state.tail_ids, ids[in_tail])]
        return result

    def __len__(self) -> int:
        state = self._state
        return sum(part.live for part in state.parts) + len(state.tail_ids)

    def _without(self, ids: Ids) -> tuple[_State, int]:
        """The state after removing `ids`, and how many of them there were."""
        state = self._state
        parts = tuple(part.without(ids) for part in state.parts)
        removed = sum(part.dead_count for part in parts) - sum(part.dead_count for part in state.parts)
        state = replace(state, parts=parts, removed=state.removed + removed)
        gone = among(state.tail_ids, np.sort(ids))
        if gone.any():
            self._buffer = state.tail[~gone]
            state = replace(state, tail_ids=state.tail_ids[~gone], tail=self._buffer)
            removed += int(gone.sum())
        return state, removed

    def _grown(self, tail: Vectors, more: int) -> Vectors:
        """The tail with `more` rows to write at its end; takes half as much again where there is no room."""
        size = len(tail) + more
        if size > len(self._buffer):
            buffer = np.empty((max(1024, size + size // 2), self.dimension), dtype=np.float32)
            buffer[: len(tail)] = tail
            self._buffer = buffer
        return self._buffer[:size]


class _Search:
    """One search of one state, whose `work` may be shared."""

    def __init__(
        self, state: _State, vector: Callable[[], NDArray[np.float32]], k: int, allowed: Ids | None
    ) -> None:
        self._state = state
        self._made = vector
        self._k = k
        self._allowed = allowed
        self._scans: Sequence[Sequence[Scan]] = ()
        self.work = SharedWork(self._pieces)

    def _pieces(self) -> Iterable[Scan]:
        self._vector = np.ascontiguousarray(self._made(), dtype=np.float32)
        self._scans = [
            part.search.scans(self._vector, self._k, part.dead, self._allowed) for part in self._state.parts
        ]
        return chain.from_iterable(self._scans)

    def result(self) -> Candidates:
        """What was found."""
        every = iter(self.work.results())
        found = [[next(every) for _ in of_part] for of_part in self._scans]
        parts, ids, tail = self._state.parts, self._state.tail_ids, self._state.tail
        if self._allowed is not None and len(ids):
            chosen = among(ids, self._allowed)
            ids, tail = ids[chosen], tail[chosen]
        wanted = _wanted(parts, self._k, self._allowed)
        nearest = list(_nearest(parts, found, self._vector, wanted))
        return best(
            np.concatenate([ids, *(ids for ids, _ in nearest)]),
            np.concatenate([products(tail, self._vector), *(scores for _, scores in nearest)]),
            self._k,
        )


def _nearest(
    parts: Sequence[Part], found: Sequence[Sequence[Found]], vector: NDArray[np.float32], wanted: int
) -> Iterator[tuple[Ids, NDArray[np.float32]]]:
    """Ids and exact scores from what was found in each part: `wanted` candidates are scored."""
    supposed = [item.scores for items in found for item in items if not item.exact]
    count, least = sum(map(len, supposed)), -np.inf
    if count > wanted:
        # Candidates of all parts compete: only the best, as many as one part of all would need, are scored.
        least = np.partition(np.concatenate(supposed), count - wanted)[count - wanted]
    ids, stored = [], []
    for part, items in zip(parts, found, strict=True):
        rows = [rows for item in items if not item.exact and len(rows := item.rows[item.scores >= least])]
        if rows:  # a part may have none that come near
            inspected = np.sort(np.concatenate(rows))  # in the order of the file
            ids.append(part.segment.ids[inspected])
            stored.append(part.segment.stored(inspected))
        for item in items:
            if item.exact:
                yield part.segment.ids[item.rows], item.scores
    if ids:
        numbers, vectors = np.concatenate(ids), np.concatenate(stored)
        for start in range(0, len(vectors), _RESCORED):
            block = slice(start, start + _RESCORED)
            yield numbers[block], products(to_single(vectors[block]), vector)


def _wanted(parts: Sequence[Part], k: int, allowed: Ids | None) -> int:
    """Candidates for the k nearest of all parts together. What one part needs was measured to grow no faster
    than the fourth root of its size: 500 where there are 24,000, 1,000 where there are 660,000."""
    whole = allowed is None and all(part.dead is None for part in parts)
    needed = [part.search.candidates(k, whole=whole) for part in parts]
    coded = [part for part, count in zip(parts, needed, strict=True) if count]
    if not coded:
        return 0
    largest = max(len(part.segment) for part in coded)
    share = sum(len(part.segment) for part in coded) / largest
    return int(max(needed) * share**0.25)
