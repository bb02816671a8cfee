"""The Backend of one search on Milvus: candidates of both sides, then the passages of both in one query."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from embeddings.encoder import Vectors
from retrieval.backend import Candidates, Ids, PassageRecord
from retrieval.index import Holdings
from retrieval.lexical.pruning import POSTINGS, affordable
from retrieval.lexical.query import LexicalQuery
from retrieval.links import LinkTemplate
from retrieval.local import relative_path
from retrieval.milvus.client import Row, Server
from retrieval.milvus.filters import both, expression, numbers
from retrieval.milvus.frequencies import Frequencies
from retrieval.milvus.head import Head, condition, inside
from retrieval.milvus.library import MOST_ROWS, MilvusLibrary
from retrieval.milvus.rows import PASSAGE, record_from
from retrieval.milvus.schema import SEARCHED, Collections
from retrieval.milvus.terms import BODY, dimension, query_dimensions, query_vector
from retrieval.types import Filters

_PUBLICATIONS = 500
_AT_ONCE = 1_000
_PAUSES = (0.02, 0.1)
"""Seconds to wait where words that are in the index were not found: a server that is just putting rows of a
commit into another segment may see none for a moment."""

_RANGES_SAID = 200
_NOTHING = Candidates(np.empty(0, np.int64), np.empty(0, np.float32))


class MilvusView:
    """Implements View for the state that one head counts.

    A search that runs across a commit may miss a passage that the commit replaces, for that once; it never
    finds what is not committed, nor two versions of one.
    """

    def __init__(
        self, server: Server, collections: Collections, head: Head, frequencies: Frequencies,
        *, template: LinkTemplate | None,
    ) -> None:  # fmt: skip
        self._server = server
        self._names = collections
        self._head = head
        self._frequencies = frequencies
        self._template = template
        self._rows: dict[int, Row] = {}

    def dense(self, vector: NDArray[np.float32], k: int, filters: Filters | None = None) -> Candidates:
        """See Backend."""
        if k < 1 or not self._head.passages:
            return _NOTHING
        parameters = {**SEARCHED, "ef": max(SEARCHED["ef"], k)}
        return self._search("dense", np.asarray(vector, dtype=np.float32), k, filters, parameters)

    def begin_dense(
        self, vector: Callable[[], NDArray[np.float32]], k: int, filters: Filters | None = None
    ) -> Callable[[], Candidates]:
        """See Backend. Nothing is done before the call."""
        return lambda: self.dense(vector(), k, filters)

    def lexical(self, query: LexicalQuery, k: int, filters: Filters | None = None) -> Candidates:
        """See Backend."""
        if k < 1 or not self._head.passages:
            return _NOTHING
        found = self.document_frequencies([term.text for term in query.terms])
        kept = affordable(found, POSTINGS)
        pruned = replace(query, terms=tuple(query.terms[place] for place in kept.tolist()))
        counts = self._frequencies.of(query_dimensions(pruned), folded=self._head.folded)
        vector = query_vector(pruned, counts, self._head.passages)
        if not vector:
            return _NOTHING
        for pause in _PAUSES if filters is None and found.any() else ():
            candidates = self._search("sparse", vector, k, filters, {})
            if len(candidates.ids):
                return candidates
            time.sleep(pause)
        return self._search("sparse", vector, k, filters, {})

    def holdings(self) -> Holdings:
        """See View."""
        library = MilvusLibrary(self._server, self._names, lambda: self._head)
        return Holdings(tuple(library.publications(_PUBLICATIONS)), library.period())

    def records(self, ids: Sequence[int] | Ids) -> list[PassageRecord]:
        """See Backend."""
        wanted = [int(number) for number in ids]
        rows = self._fetched(wanted)
        library = MilvusLibrary(self._server, self._names, lambda: self._head)
        cards = library.cards_by_digest(row["article"] for number in wanted if (row := rows.get(number)))
        records = [
            record_from(row, card)
            for number in wanted
            if (row := rows.get(number)) and (card := cards.get(row["article"]))
        ]
        template = self._template
        return records if template is None else [self._linked(record, template) for record in records]

    def vectors(self, ids: Sequence[int] | Ids) -> Vectors:
        """See Backend."""
        wanted = [int(number) for number in ids]
        rows = self._fetched(wanted)
        vectors = np.zeros((len(wanted), int(self._head.manifest["dimension"])), dtype=np.float32)
        for place, number in enumerate(wanted):
            if number in rows:
                vectors[place] = rows[number]["dense"]
        return vectors

    def document_frequencies(self, terms: Sequence[str]) -> NDArray[np.int64]:
        """See Backend; as of the last finished sync."""
        keys = [dimension(BODY, term) for term in terms]
        found = self._frequencies.of(keys, folded=self._head.folded)
        return np.fromiter((found.get(key, 0) for key in keys), dtype=np.int64, count=len(keys))

    @property
    def passage_count(self) -> int:
        """See Backend."""
        return self._head.passages

    def _search(
        self, field: str, vector: object, k: int, filters: Filters | None, parameters: dict[str, int]
    ) -> Candidates:
        where = both(expression(filters), self._uncommitted)
        wanted = min(k + self._unsaid, MOST_ROWS)
        found = self._server.search(self._names.passages, field, vector, wanted, where, parameters)
        ids = np.array([hit["id"] for hit in found], dtype=np.int64)
        scores = np.array([hit["distance"] for hit in found], dtype=np.float32)
        seen = self._seen(ids)
        ids, scores = ids[seen], scores[seen]
        order = np.lexsort((ids, -scores))[:k]
        return Candidates(ids[order], scores[order])

    @cached_property
    def _uncommitted(self) -> str:
        """What keeps rows out that are not committed or are retired, where there may be any."""
        head = self._head
        below = f"id < {head.next.passages}" if head.busy else ""
        said = head.retired.passages and not self._unsaid
        retired = f"not ({condition('id', head.retired.passages)})" if said else ""
        return both(below, retired)

    @cached_property
    def _unsaid(self) -> int:
        """How many retired passages may be found and dropped, where they are too many for an expression."""
        ranges = self._head.retired.passages
        return sum(last - first + 1 for first, last in ranges) if len(ranges) > _RANGES_SAID else 0

    def _seen(self, ids: Ids) -> NDArray[np.bool_]:
        """Which are committed in this state: rows may have come since the head was read."""
        return (ids < self._head.next.passages) & ~inside(ids, self._head.retired.passages)

    def _fetched(self, wanted: Sequence[int]) -> dict[int, Row]:
        """The rows of these passages with their vectors, remembered for this search."""
        missing = [number for number in dict.fromkeys(wanted) if number not in self._rows]
        for start in range(0, len(missing), _AT_ONCE):
            asked = missing[start : start + _AT_ONCE]
            rows = self._server.query(self._names.passages, f"id in {numbers(asked)}", (*PASSAGE, "dense"))
            seen = self._seen(np.array([row["id"] for row in rows], dtype=np.int64))
            self._rows |= {row["id"]: row for row, keep in zip(rows, seen.tolist(), strict=True) if keep}
        return self._rows

    def _linked(self, record: PassageRecord, template: LinkTemplate) -> PassageRecord:
        if record.url:
            return record
        path = relative_path(record.path, list(self._head.sources))
        url = template.fill(path=path, title=record.title, published_at=record.published_at)
        return record._replace(url=url)
