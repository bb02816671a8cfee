"""Keeping a vector index in line with the store's change log, for readers and for the writer."""

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from retrieval.errors import IndexDamagedError
from retrieval.storage.connection import translated
from retrieval.storage.reading import Reader
from retrieval.vector import segment
from retrieval.vector.faiss_index import FaissIndex
from retrieval.vector.half_precision import Stored, to_single

_ATTEMPTS = 5
_BLOCK = 16384
"""Passages whose vectors are read from the store at a time."""


class VectorFollower:
    """The vector index of one generation: the newest catalogue in its folder, and what came after it."""

    def __init__(self, folder: Path, dimension: int) -> None:
        self._folder = folder
        self._dimension = dimension
        self._guard = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Forget the index: it was made anew on the disk."""
        self._index: FaissIndex | None = None
        self._stamp: tuple[int, int] | None = None
        self._position = -1

    def at(self, reader: Reader, position: int) -> FaissIndex:
        """The index, having followed the change log at least to `position`."""
        with self._guard:
            if self._index is None or self._position < position:
                return self._follow(reader, position)
            return self._index

    def take(
        self, before: int, position: int, removed: Sequence[int], added: Sequence[tuple[int, Stored]]
    ) -> None:
        """What a commit changed between two positions, from the one who made it: it need not be read again.

        `added` has runs of consecutive ids: the first one, and their vectors.
        """
        with self._guard:
            if self._index is None or self._position != before:
                return  # then it is read from the store, when it is asked for
            if len(removed):
                self._index.remove(removed)
            if added:
                ids = [np.arange(first, first + len(vectors), dtype=np.int64) for first, vectors in added]
                stored = to_single(np.concatenate([vectors for _, vectors in added]))
                self._index.add(np.concatenate(ids), stored)
            self._position = position

    def write_down(self, reader: Reader, position: int, *, least: int) -> None:
        """Make what came since the last catalogue part of the next one, if it is `least` vectors or more."""
        # A long log is followed in steps: an index that is derived anew need not be in memory as a whole.
        steps = self._steps(reader, position, least)
        for step in steps:
            index = self.at(reader, step)
            if index.unwritten < max(least, 1):
                continue
            from retrieval.vector.merging import write_down

            with translated(self._folder):
                write_down(self._folder, index, position=step)
            with self._guard:
                self._follow(reader, step)

    def _steps(self, reader: Reader, position: int, least: int) -> list[int]:
        with self._guard:
            if self._index is None:
                self._open()
            reached = self._position
        steps, count = [], 0
        for change in reader.changes_since(reached):
            if change.position > position:
                break
            count += change.last - change.first + 1
            if count >= least:
                steps.append(change.position)
                count = 0
        return [*steps, position]

    def _follow(self, reader: Reader, position: int) -> FaissIndex:
        self._open()
        assert self._index is not None
        for change in reader.changes_since(self._position):
            if change.position > position:
                break
            if change.removed:
                self._index.remove(np.arange(change.first, change.last + 1, dtype=np.int64))
                continue
            for first in range(change.first, change.last + 1, _BLOCK):
                last = min(first + _BLOCK - 1, change.last)
                self._index.add(*reader.vectors_between(first, last, self._dimension))
        self._position = max(self._position, position)
        return self._index

    def _open(self) -> None:
        """Change over to a newer catalogue, if there is one."""
        for attempt in range(_ATTEMPTS):
            newest = segment.stamp(self._folder)
            if newest is None or newest == self._stamp:
                if self._index is None:
                    self._index, self._position = FaissIndex(self._dimension), 0
                return
            known = [part.segment for part in self._index.parts] if self._index is not None else []
            try:
                catalogue = segment.load_catalogue(self._folder, known)
            except (OSError, ValueError, KeyError, TypeError) as error:
                # The writer may just have put another one in its place.
                if attempt == _ATTEMPTS - 1 or segment.stamp(self._folder) == newest:
                    raise self._damaged(error) from error
                continue
            self._index = FaissIndex(self._dimension, catalogue, before=self._index)
            self._stamp, self._position = newest, catalogue.position
            return

    def _damaged(self, error: Exception) -> IndexDamagedError:
        return IndexDamagedError(
            f"the vector index in {self._folder} cannot be read ({error}): "
            f"`python -m retrieval check --repair --index {self._folder.parent.parent}` makes it anew"
        )
