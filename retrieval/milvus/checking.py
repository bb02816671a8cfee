"""What can be wrong with an index on Milvus, and counting its terms anew."""

from collections import Counter
from collections.abc import Iterator

import numpy as np

from retrieval.milvus import frequencies
from retrieval.milvus.client import Row, Server
from retrieval.milvus.head import Head, inside
from retrieval.milvus.rows import CARD, card_from
from retrieval.milvus.schema import Collections
from retrieval.milvus.terms import occurrences

_WINDOW = 1_000
_UNIT_ERROR = 1e-2


def problems(server: Server, names: Collections, head: Head) -> tuple[list[str], list[str]]:
    """What counting anew and clearing away mend, and what they cannot."""
    found = _Found(server, names, head)
    return found.mendable(), found.unsound


def count_anew(server: Server, names: Collections, head: Head) -> None:
    """Derive the document frequencies from the passages."""
    counts: Counter[int] = Counter()
    for rows in _passages(server, names, head):
        counts.update(occurrences(row["sparse"] for row in rows))
    frequencies.write_table(server, names.terms, counts, position=head.position)


class _Found:
    """Everything that one look over the whole index finds."""

    def __init__(self, server: Server, names: Collections, head: Head) -> None:
        self._head = head
        self.unsound: list[str] = []
        self._passages: set[int] = set()
        self._counts: Counter[int] = Counter()
        self._leftover = 0
        self._bad_vectors = 0
        self._look_at_passages(server, names)
        self._look_at_articles(server, names)
        self._table = frequencies.table(server, names.terms)

    def mendable(self) -> list[str]:
        """What is left over of a crash, and counts that are wrong."""
        told: list[str] = []
        if self._leftover or self._head.busy or self._head.retired:
            told.append(f"{self._leftover:,} rows of a write that did not end")
        if self._head.folded != self._head.position:
            told.append(
                f"document frequencies are at change {self._head.folded:,}, "
                f"the index at {self._head.position:,}"
            )
        elif self._table != dict(self._counts):
            told.append("document frequencies differ from the terms of the passages")
        return told

    def _look_at_passages(self, server: Server, names: Collections) -> None:
        for rows in _passages(server, names, self._head):
            self._passages.update(row["id"] for row in rows)
            self._counts.update(occurrences(row["sparse"] for row in rows))
            lengths = np.linalg.norm([row["dense"] for row in rows], axis=1)
            fine = np.isfinite(lengths) & ((np.abs(lengths - 1) < _UNIT_ERROR) | (lengths == 0))
            self._bad_vectors += int(np.sum(~fine))
        beyond = server.query(names.passages, f"id >= {self._head.next.passages}", ("count(*)",))
        self._leftover += int(beyond[0]["count(*)"])
        if self._bad_vectors:
            self.unsound.append(f"{self._bad_vectors:,} vectors that are neither of length 1 nor 0")
        if len(self._passages) != self._head.passages:
            self.unsound.append(f"{len(self._passages):,} passages, but {self._head.passages:,} are counted")

    def _look_at_articles(self, server: Server, names: Collections) -> None:
        articles, expected, parts, wanted = 0, 0, 0, 0
        seen: set[str] = set()
        for rows in _windows(server, names.articles, self._head.next.articles, (*CARD, "part")):
            ids = np.array([row["id"] for row in rows], dtype=np.int64)
            gone = inside(ids, self._head.retired.articles).tolist()
            rows = [row for row, retired in zip(rows, gone, strict=True) if not retired]
            parts += len(rows)
            for card in (card_from(row) for row in rows if row["part"] == 0):
                articles += 1
                wanted += card.parts
                seen.add(card.article.id)
                first, last = card.known.first_passage, card.known.last_passage
                if first is not None and last is not None:
                    expected += (
                        sum(number in self._passages for number in range(first, last + 1)) != card.passages
                    )
        if articles != self._head.articles or len(seen) != articles:
            self.unsound.append(f"{articles:,} articles, but {self._head.articles:,} are counted")
        if expected:
            self.unsound.append(f"{expected:,} articles whose passages are incomplete")
        if parts != wanted:
            self.unsound.append("articles whose text is incomplete")


def _passages(server: Server, names: Collections, head: Head) -> Iterator[list[Row]]:
    for rows in _windows(server, names.passages, head.next.passages, ("id", "dense", "sparse")):
        gone = inside(np.array([row["id"] for row in rows], dtype=np.int64), head.retired.passages).tolist()
        kept = [row for row, retired in zip(rows, gone, strict=True) if not retired]
        if kept:
            yield kept


def _windows(server: Server, collection: str, end: int, fields: tuple[str, ...]) -> Iterator[list[Row]]:
    for first in range(1, end, _WINDOW):
        last = min(first + _WINDOW, end)
        yield server.newest(collection, f"id >= {first} and id < {last}", fields)
