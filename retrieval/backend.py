"""What ranking needs of an index, local or distributed: candidates from both sides, records, vectors.

One protocol, so that the ranking stages know neither SQLite nor FAISS nor tantivy nor Milvus.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from embeddings.encoder import Vectors
from retrieval.lexical.query import LexicalQuery
from retrieval.types import Filters

Ids = NDArray[np.int64]
Scores = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Candidates:
    """Passage ids with one side's raw scores, best first: both of shape (n,), n ≤ the k asked for."""

    ids: Ids
    scores: Scores


class PassageRecord(NamedTuple):
    """A passage with what ranking, grouping and display need of its article; the article's text is not in it.

    `signature` is the article's 64-bit SimHash (near-duplicates differ in few bits), None where unknown.
    `normalised` is the analyzer's normal form of `text`, None where it is `text` itself or was not stored.
    A tuple, since a question makes many of them.
    """

    id: int
    article_id: str
    ordinal: int
    text: str
    heading: str
    title: str
    passages_in_article: int
    url: str | None
    author: str | None
    source: str | None
    published_at: datetime | None
    categories: tuple[str, ...]
    tags: tuple[str, ...]
    image: str | None
    language: str | None
    path: str | None
    signature: int | None
    normalised: str | None = None


class Backend(Protocol):
    """A committed state of an index. Filters are applied inside each search, never after it."""

    def dense(self, vector: NDArray[np.float32], k: int, filters: Filters | None = None) -> Candidates:
        """The k passages nearest to `vector` (shape (dimension,), length 1) by cosine."""

    def begin_dense(
        self, vector: Callable[[], NDArray[np.float32]], k: int, filters: Filters | None = None
    ) -> Callable[[], Candidates]:
        """`dense` for the vector that `vector` makes, begun: a call gives what was found. It may be worked on
        until then, in another thread, or only then."""

    def lexical(self, query: LexicalQuery, k: int, filters: Filters | None = None) -> Candidates:
        """The k best passages by BM25 over the query's weighted terms."""

    def records(self, ids: Sequence[int] | Ids) -> list[PassageRecord]:
        """Records in the order of `ids`; ids that no longer exist are left out."""

    def vectors(self, ids: Sequence[int] | Ids) -> Vectors:
        """Stored passage vectors, shape (len(ids), dimension); zeros where an id is gone."""

    def document_frequencies(self, terms: Sequence[str]) -> NDArray[np.int64]:
        """In how many passages' bodies each analyzer term occurs: shape (len(terms),)."""

    @property
    def passage_count(self) -> int:
        """Number of passages in this state."""
