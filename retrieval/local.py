"""The local back end: one generation of an index, SQLite with FAISS and tantivy following its change log."""

import contextlib
import os
import shutil
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import cache, cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from embeddings.encoder import Vectors
from retrieval.backend import Candidates, Ids, PassageRecord
from retrieval.index import Holdings
from retrieval.lexical.index import LexicalIndex
from retrieval.lexical.query import LexicalQuery
from retrieval.links import LinkTemplate
from retrieval.manifest import Manifest
from retrieval.storage.folder import Generation
from retrieval.storage.reading import Reader, State, Store
from retrieval.types import Filters
from retrieval.vector.faiss_index import FaissIndex
from retrieval.vector_following import VectorFollower
from retrieval.warming import read_ahead

if TYPE_CHECKING:
    from embeddings.encoder import Encoder
    from retrieval.indexing import Indexer
    from retrieval.lexical.analyzer import Analyzer

_MOST_HELPERS = 3
_CACHED_FILTERS = 32
_PUBLICATIONS = 500
_HOLDINGS_SECONDS = 10.0


class LocalIndex:
    """One open generation. Its indexes are opened when first asked for; any number of threads may search."""

    def __init__(self, generation: Generation, *, template: LinkTemplate | None = None) -> None:
        self.template = template
        self.generation = generation
        self.store = Store(generation.store)
        try:
            stored = self.store.reader().manifest()
            self.manifest = Manifest.from_mapping(stored, location=str(generation.folder.parent))
        except BaseException:
            self.store.close()
            raise
        self.dimension = self.manifest.dimension
        self._guard = threading.Lock()
        self.following = VectorFollower(generation.vectors, self.dimension)
        self._lexical: LexicalIndex | None = None
        self._holdings: tuple[int, float, Holdings] | None = None
        self._allowed: OrderedDict[tuple[str, int], Ids] = OrderedDict()

    @contextlib.contextmanager
    def view(self) -> Iterator["LocalBackend"]:
        """The newest committed state, unmoving inside the block."""
        reader = self.store.reader()
        with reader.snapshot():
            state = reader.state()
            vectors = self.vectors(reader, state.position)
            yield LocalBackend(self, reader, state, vectors, self.lexical(state.position))

    @cached_property
    def helpers(self) -> Executor | None:
        """Threads that scan vectors while the one that asks looks terms up; none where there is one
        processor."""
        helpers = spare_processors()
        return ThreadPoolExecutor(helpers, "wenda-scan") if helpers else None

    def reader(self) -> Reader:
        """This thread's reader of the store."""
        return self.store.reader()

    def writer(self, *, encoder: "Encoder", analyzer: "Analyzer") -> "Indexer":
        """See Index."""
        from retrieval.indexing import Indexer

        return Indexer(self, encoder=encoder, analyzer=analyzer)

    def read_ahead(self) -> None:
        """See Index."""
        read_ahead(self.generation.folder)

    def at_rest(self) -> bool:
        """Whether the lexical index has followed the store."""
        position = self.store.reader().state().position
        return self.lexical(position).position == position

    def problems(self) -> tuple[list[str], list[str]]:
        """See Index."""
        from retrieval.local_checking import problems

        return problems(self)

    def derive_anew(self, *, encoder: "Encoder", analyzer: "Analyzer") -> None:
        """Make the vector and the lexical index anew from the store."""
        self.reset()
        discard_derived(self.generation)
        writer = self.writer(encoder=encoder, analyzer=analyzer)
        try:
            writer.finish()
        finally:
            writer.close()

    def vectors(self, reader: Reader, position: int) -> FaissIndex:
        """The vector index, having followed the change log at least to `position`."""
        return self.following.at(reader, position)

    def lexical(self, position: int) -> LexicalIndex:
        """The lexical index, refreshed where its last commit was before `position`."""
        with self._guard:
            if self._lexical is None:
                from retrieval.lexical.tantivy_index import TantivyIndex

                self._lexical = TantivyIndex.open(self.generation.lexical, read_only=True)
                self._lexical_position = self._lexical.position
            if self._lexical_position < position:
                # The position is read first: a commit between the two is then looked for again, not missed.
                self._lexical_position = self._lexical.position
                self._lexical.refresh()
            return self._lexical

    def reset(self) -> None:
        """Forget the indexes: they were made anew on the disk."""
        with self._guard:
            self._lexical = None
            self.following.reset()

    def close(self) -> None:
        """Release files and connections."""
        with self._guard:
            if self._lexical is not None:
                self._lexical.close()
            self._lexical = None
            self.following.reset()
        if "helpers" in self.__dict__ and self.helpers is not None:
            self.helpers.shutdown(wait=False)
        self.store.close()

    def allowed(self, reader: Reader, filters: Filters, position: int) -> Ids:
        """Sorted ids of the passages that satisfy `filters`, remembered until the index changes."""
        key = (repr(filters), position)  # lists in the place of tuples have no hash
        with self._guard:
            if key in self._allowed:
                self._allowed.move_to_end(key)
                return self._allowed[key]
        found = reader.allowed(filters)
        with self._guard:
            self._allowed[key] = found
            while len(self._allowed) > _CACHED_FILTERS:
                self._allowed.popitem(last=False)
        return found

    def holdings(self, reader: Reader, position: int) -> Holdings:
        """What there is to filter by; may be some seconds old while articles are being added."""
        found = self._holdings
        now = time.monotonic()
        if found is None or (found[0] != position and now - found[1] > _HOLDINGS_SECONDS):
            found = (position, now, Holdings(tuple(reader.publications(_PUBLICATIONS)), reader.period()))
            self._holdings = found
        return found[2]


class LocalBackend:
    """The Backend of one search: a committed state of one generation."""

    def __init__(
        self, index: LocalIndex, reader: Reader, state: State, vectors: FaissIndex, lexical: LexicalIndex
    ) -> None:
        self._index = index
        self._reader = reader
        self._state = state
        self._vectors = vectors
        self._lexical = lexical

    def dense(self, vector: NDArray[np.float32], k: int, filters: Filters | None = None) -> Candidates:
        """See Backend."""
        return self.begin_dense(lambda: vector, k, filters)()

    def begin_dense(
        self, vector: Callable[[], NDArray[np.float32]], k: int, filters: Filters | None = None
    ) -> Callable[[], Candidates]:
        """See Backend. Other threads make the vector and look meanwhile."""
        allowed = self._allowed(filters)
        if k < 1 or (allowed is not None and not len(allowed)):
            return partial(Candidates, np.empty(0, np.int64), np.empty(0, np.float32))
        helpers = self._index.helpers
        return self._vectors.begin(vector, k, allowed, executor=helpers, helpers=spare_processors())

    def lexical(self, query: LexicalQuery, k: int, filters: Filters | None = None) -> Candidates:
        """See Backend. What the lexical index still has of removed passages is left out."""
        found = self._lexical.search(query, k, filters)
        live = self._vectors.contains(found.ids)
        return found if live.all() else Candidates(found.ids[live], found.scores[live])

    def holdings(self) -> Holdings:
        """What there is to filter by."""
        return self._index.holdings(self._reader, self._state.position)

    def records(self, ids: Sequence[int] | Ids) -> list[PassageRecord]:
        """See Backend."""
        records = self._reader.records(ids)
        template = self._index.template
        return records if template is None else [self._linked(record, template) for record in records]

    def vectors(self, ids: Sequence[int] | Ids) -> Vectors:
        """See Backend."""
        return self._vectors.vectors(np.asarray(ids, dtype=np.int64))

    def document_frequencies(self, terms: Sequence[str]) -> NDArray[np.int64]:
        """See Backend."""
        return self._lexical.document_frequencies(terms)

    @property
    def passage_count(self) -> int:
        """See Backend."""
        return self._state.passages

    def _linked(self, record: PassageRecord, template: LinkTemplate) -> PassageRecord:
        if record.url:
            return record
        path = relative_path(record.path, self._sources)
        url = template.fill(path=path, title=record.title, published_at=record.published_at)
        return record._replace(url=url)

    @cached_property
    def _sources(self) -> list[str]:
        return [location for location, _ in self._reader.sources()]

    def _allowed(self, filters: Filters | None) -> Ids | None:
        if filters is None or filters == Filters():
            return None
        return self._index.allowed(self._reader, filters, self._state.position)


@cache
def spare_processors() -> int:
    """How many processors there are beside the one that a thread runs on, at most _MOST_HELPERS."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(usable - 1, _MOST_HELPERS)


def relative_path(path: str | None, sources: Sequence[str]) -> str | None:
    """A file's path within the innermost of the folders that were synced; its name where it is in none."""
    if path is None:
        return None
    inside = [location for location in sources if path.startswith(location.rstrip(os.sep) + os.sep)]
    return os.path.relpath(path, max(inside, key=len)) if inside else Path(path).name


def discard_derived(generation: Generation) -> None:
    """Delete what is derived from the store, to be made anew; the caller holds the writer's lock."""
    for folder in (generation.lexical, generation.vectors):
        shutil.rmtree(folder, ignore_errors=True)
        Path(folder).mkdir(parents=True, exist_ok=True)
