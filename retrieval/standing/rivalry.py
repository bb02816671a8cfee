"""A view of an index in which a question is not searched to the end if it is not about certain passages."""

from collections.abc import Callable, Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from embeddings.encoder import Vectors
from retrieval.backend import Candidates, Ids, PassageRecord
from retrieval.index import Holdings, View
from retrieval.lexical.query import LexicalQuery
from retrieval.types import Filters

FIRST, SHARE = 15, 0.45
"""A passage comes near the best one if it is among so many first by BM25, with such a share of the best
score. Of 745 questions that new articles answer, one has no passage of theirs that does; of 203 others that
pass the estimate, two thirds have none."""


class FarError(Exception):
    """The question has better passages than those in question."""


class Near:
    """A View whose `lexical` raises FarError where none of some passages comes near the best one."""

    def __init__(self, view: View, passages: Collection[int]) -> None:
        self._view = view
        self._frequencies: dict[str, int] = {}
        self._passages = np.array(sorted(passages), dtype=np.int64)

    def lexical(self, query: LexicalQuery, k: int, filters: Filters | None = None) -> Candidates:
        """See Backend."""
        found = self._view.lexical(query, k, filters)
        near = found.ids[:FIRST][found.scores[:FIRST] >= SHARE * found.scores.max(initial=0.0)]
        if not np.isin(near, self._passages).any():
            raise FarError
        return found

    def dense(self, vector: NDArray[np.float32], k: int, filters: Filters | None = None) -> Candidates:
        """See Backend."""
        return self._view.dense(vector, k, filters)

    def begin_dense(
        self, vector: Callable[[], NDArray[np.float32]], k: int, filters: Filters | None = None
    ) -> Callable[[], Candidates]:
        """See Backend. Nothing is done before the call: it is not worth while where all passages are far."""
        return lambda: self.dense(vector(), k, filters)

    def records(self, ids: Sequence[int] | Ids) -> list[PassageRecord]:
        """See Backend."""
        return self._view.records(ids)

    def vectors(self, ids: Sequence[int] | Ids) -> Vectors:
        """See Backend."""
        return self._view.vectors(ids)

    def document_frequencies(self, terms: Sequence[str]) -> NDArray[np.int64]:
        """See Backend. Many questions share terms: each is looked up once."""
        new = [term for term in dict.fromkeys(terms) if term not in self._frequencies]
        if new:
            self._frequencies |= zip(new, self._view.document_frequencies(new).tolist(), strict=True)
        return np.array([self._frequencies[term] for term in terms], dtype=np.int64)

    @property
    def passage_count(self) -> int:
        """See Backend."""
        return self._view.passage_count

    def holdings(self) -> Holdings:
        """See View."""
        return self._view.holdings()
