"""The library of a writer: it asks the server only about what may be there.

A sync asks about every article, by id, file and text, and most of the answers are no. After some questions
the writer fetches the digests of all articles (8 bytes each) and answers no by itself; nobody else adds
any meanwhile.
"""

from collections.abc import Callable, Iterable, Sequence

from retrieval.milvus.client import Row, Server
from retrieval.milvus.head import Head
from retrieval.milvus.library import MilvusLibrary
from retrieval.milvus.rows import Card
from retrieval.milvus.schema import Collections
from retrieval.types import Article

ASKED_BEFORE_FETCHING = 64
_DIGESTS = ("article", "file", "original", "text_digest")


class WriterLibrary(MilvusLibrary):
    """Implements Library for the writer: whoever has it holds the lease."""

    writing = True

    def __init__(self, server: Server, collections: Collections, head: Callable[[], Head]) -> None:
        super().__init__(server, collections, head)
        self._asked = 0
        self._there: dict[str, set[int]] | None = None
        if not head().articles:
            self._there = {name: set() for name in _DIGESTS}

    def learn(self, rows: Iterable[Row]) -> None:
        """Articles were added."""
        if self._there is None:
            return
        for row in rows:
            for name, digests in self._there.items():
                digests.add(row[name])

    def with_texts(self, cards: list[Card]) -> list[Article]:
        """The articles whole."""
        return self._with_texts(cards)

    def _cards(self, field: str, values: Iterable[int]) -> list[Card]:
        if field not in _DIGESTS:
            return super()._cards(field, values)
        wanted: Sequence[int] = list(values)
        if self._there is None:
            self._asked += 1
            if self._asked > ASKED_BEFORE_FETCHING:
                self._fetch()
        if self._there is not None:
            wanted = [value for value in wanted if value in self._there[field]]
        return super()._cards(field, wanted) if wanted else []

    def _fetch(self) -> None:
        rows = self._scan(self._names.articles, "articles", "part == 0", ("id", *_DIGESTS))
        self._there = {name: {row[name] for row in rows} for name in _DIGESTS}
