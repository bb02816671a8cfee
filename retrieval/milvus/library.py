"""The articles of an index on Milvus, as syncs and readers ask for them."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np

from retrieval.milvus.client import Row, Server
from retrieval.milvus.filters import article_digest, numbers
from retrieval.milvus.head import Head, inside
from retrieval.milvus.rows import (
    CARD,
    PASSAGE,
    TEXT,
    Card,
    article_text,
    card_from,
    file_from,
    passage_from,
    path_digest,
    text_number,
)
from retrieval.milvus.schema import Collections
from retrieval.storage.reading import FileState, KnownArticle, State
from retrieval.types import Article, Passage

MOST_ROWS = 16_384
"""The most rows that Milvus gives at once; also how many numbers one window of a scan spans."""

_ARTICLES_AT_ONCE = 100
_LOOKED_UP_AT_ONCE = 500


class MilvusLibrary:
    """Implements Library for one committed state, or, for the writer, for the state as it goes along."""

    writing = False
    """Whether this is a writer's: it has to see what it wrote, and waits longer for a server that is away."""

    def __init__(self, server: Server, collections: Collections, head: Callable[[], Head]) -> None:
        self._server = server
        self._names = collections
        self._head = head

    def snapshot(self) -> AbstractContextManager[None]:
        """See Library: a reader's head does not move."""
        return contextlib.nullcontext()

    def state(self) -> State:
        """See Library."""
        head = self._head()
        return State(head.position, head.articles, head.passages, head.updated_at)

    def manifest(self) -> dict[str, Any]:
        """See Library."""
        return dict(self._head().manifest)

    def sources(self) -> list[tuple[str, str]]:
        """See Library."""
        return sorted(self._head().sources.items())

    def files_under(self, prefix: str) -> dict[str, FileState]:
        """See Library."""
        if prefix.endswith(("/", "\\")):
            condition = f"ARRAY_CONTAINS(folders, {path_digest(prefix)})"
            found = self._scan(self._names.files, "files", condition, ("id", "value"))
        else:
            found = self.file_rows([prefix])
        states = map(file_from, found)
        return {state.path: state for state in states if state.path.startswith(prefix)}

    def file_rows(self, paths: Sequence[str]) -> list[Row]:
        """The rows of these files."""
        return self._look_up(
            self._names.files, "files", "path_digest", map(path_digest, paths), ("id", "value")
        )

    def articles_of(self, file_path: str) -> list[KnownArticle]:
        """See Library."""
        return [card.known for card in self.cards_of(file_path)]

    def count_of(self, file_path: str) -> int:
        """See Library."""
        return len(self.cards_of(file_path))

    def cards_of(self, file_path: str) -> list[Card]:
        """The articles that came from one file."""
        return [
            card for card in self._cards("file", [path_digest(file_path)]) if card.known.file == file_path
        ]

    def known(self, article_ids: Sequence[str]) -> dict[str, KnownArticle]:
        """See Library."""
        return {key: card.known for key, card in self.cards(article_ids).items()}

    def cards(self, article_ids: Sequence[str]) -> dict[str, Card]:
        """The cards of the articles of these ids."""
        wanted = set(article_ids)
        found = self._cards("article", map(article_digest, wanted))
        return {card.article.id: card for card in found if card.article.id in wanted}

    def duplicates_of(self, article_id: str) -> list[KnownArticle]:
        """See Library."""
        found = self._cards("original", [article_digest(article_id)])
        return [card.known for card in found if card.known.duplicate_of == article_id]

    def with_text(self, digest: bytes) -> KnownArticle | None:
        """See Library."""
        found = self._cards("text_digest", [text_number(digest)])
        return next(
            (card.known for card in found if card.text_digest == digest and card.known.duplicate_of is None),
            None,
        )

    def article(self, article_id: str) -> Article | None:
        """See Library."""
        card = self.cards([article_id]).get(article_id)
        if card is None:
            return None
        return self._with_texts([card])[0]

    def articles(self, limit: int | None = None) -> Iterator[Article]:
        """See Library."""
        head = self._head()
        left = head.articles if limit is None else limit
        for first in range(1, head.key, _ARTICLES_AT_ONCE):
            if left <= 0:
                return
            condition = f"part == 0 and key >= {first} and key < {first + _ARTICLES_AT_ONCE}"
            rows = self._visible("articles", self._query(self._names.articles, condition, CARD))
            found = sorted(map(card_from, rows), key=lambda card: card.key)[:left]
            left -= len(found)
            yield from self._with_texts(found)

    def newest(self, limit: int | None = None) -> Iterator[Article]:
        """See Library."""
        head = self._head()
        wanted = head.articles if limit is None else min(limit, head.articles)
        floor = self._day_reached_by(wanted)
        condition = f"part == 0 and day >= {floor}"
        places = (
            self._scan(self._names.articles, "articles", condition, ("id", "key", "day"))
            if wanted == head.articles
            else self._visible("articles", self._query(
                self._names.articles, condition, ("id", "key", "day"), limit=MOST_ROWS))
        )  # fmt: skip
        best = sorted(places, key=lambda row: (-row["day"], -row["key"]))[:wanted]
        for start in range(0, len(best), _ARTICLES_AT_ONCE):
            rows = [row["id"] for row in best[start : start + _ARTICLES_AT_ONCE]]
            found = {card.row: card for card in self._cards("id", rows)}
            yield from self._with_texts([found[row] for row in rows if row in found])

    def passages(self, article_id: str) -> list[Passage]:
        """See Library."""
        card = self.cards([article_id]).get(article_id)
        if card is None or card.known.first_passage is None:
            return []
        condition = f"id >= {card.known.first_passage} and id <= {card.known.last_passage}"
        rows = self._query(self._names.passages, condition, PASSAGE)
        return sorted((passage_from(row, article_id) for row in rows), key=lambda passage: passage.ordinal)

    def passage(self, passage_id: int) -> Passage | None:
        """See Library."""
        rows = self._visible("passages", self._query(self._names.passages, f"id == {passage_id}", PASSAGE))
        if not rows:
            return None
        cards = self._cards("article", [rows[0]["article"]])
        return passage_from(rows[0], cards[0].article.id) if cards else None

    def arrived_since(self, mark: str) -> tuple[str, list[str]]:
        """See Library: the keys of articles grow."""
        head = self._head()
        generation = f"{self._names.name}_{self._names.number}"
        before, _, first = mark.rpartition("/")
        now = f"{generation}/{head.key}"
        if before != generation:
            return now, []
        cards: list[Card] = []
        for start in range(int(first), head.key, _ARTICLES_AT_ONCE):
            end = min(start + _ARTICLES_AT_ONCE, head.key)
            condition = f"part == 0 and key >= {start} and key < {end}"
            rows = self._visible("articles", self._query(self._names.articles, condition, CARD))
            cards += map(card_from, rows)
        return now, [card.article.id for card in sorted(cards, key=lambda card: card.key)]

    def publications(self, limit: int) -> list[str]:
        """See Library; of those that are kept, which are the most frequent thousand."""
        return list(self._head().publications)[:limit]

    def period(self) -> tuple[date, date] | None:
        """See Library."""
        head = self._head()
        if not head.earliest:
            return None
        return date.fromordinal(head.earliest), date.fromordinal(head.latest)

    def extreme_days(self) -> tuple[int, int]:
        """The first and the last day of any article, looked for in the articles; 0 where none has one."""
        dated = self._count("day > 0")
        if not dated:
            return 0, 0
        return self._first_day(lambda day: self._count(f"day > 0 and day <= {day}") > 0), self._first_day(
            lambda day: self._count(f"day > {day}") == 0
        )

    def cards_by_digest(self, digests: Iterable[int]) -> dict[int, Card]:
        """Article digest → card."""
        return {article_digest(card.article.id): card for card in self._cards("article", digests)}

    def _day_reached_by(self, wanted: int) -> int:
        """The latest day from which on there are so many articles."""
        if wanted >= self._head().articles:
            return 0
        return max(0, self._first_day(lambda day: self._count(f"day >= {day + 1}") < wanted))

    @staticmethod
    def _first_day(reached: Callable[[int], bool]) -> int:
        """The first day from which on `reached` is so."""
        low, high = 0, date.max.toordinal()
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if reached(middle) else (middle + 1, high)
        return low

    def _query(
        self, collection: str, condition: str, fields: Sequence[str], limit: int | None = None
    ) -> list[Row]:
        return self._server.query(
            collection, condition, fields, limit=limit, patient=self.writing,
            consistency="Strong" if self.writing else None,
        )  # fmt: skip

    def _count(self, condition: str) -> int:
        head = self._head()
        (row,) = self._query(
            self._names.articles, f"part == 0 and id < {head.next.articles} and {condition}", ("count(*)",)
        )
        return int(row["count(*)"])

    def _cards(self, field: str, values: Iterable[int]) -> list[Card]:
        """Cards in the order in which their articles came."""
        rows = self._look_up(self._names.articles, "articles", field, values, CARD, more="part == 0 and ")
        return sorted(map(card_from, rows), key=lambda card: card.key)

    def _look_up(
        self,
        collection: str,
        kind: str,
        field: str,
        values: Iterable[int],
        fields: Sequence[str],
        more: str = "",
    ) -> list[Row]:
        wanted = list(dict.fromkeys(values))
        found: list[Row] = []
        for start in range(0, len(wanted), _LOOKED_UP_AT_ONCE):
            chunk = wanted[start : start + _LOOKED_UP_AT_ONCE]
            condition = f"{more}{field} in {numbers(chunk)}"
            found += self._query(collection, condition, fields, limit=MOST_ROWS)
        return self._visible(kind, found)

    def _scan(self, collection: str, kind: str, condition: str, fields: Sequence[str]) -> list[Row]:
        """All rows that satisfy a condition, window by window of their numbers: none is missed or twice."""
        end = getattr(self._head().next, kind)
        found: list[Row] = []
        for first in range(1, end, MOST_ROWS):
            window = f"id >= {first} and id < {first + MOST_ROWS} and {condition}"
            found += self._query(collection, window, fields, limit=MOST_ROWS)
        return self._visible(kind, found)

    def _visible(self, kind: str, rows: list[Row]) -> list[Row]:
        """Those of the rows that are committed and not retired."""
        head = self._head()
        ids = np.array([row["id"] for row in rows], dtype=np.int64)
        seen = (ids < getattr(head.next, kind)) & ~inside(ids, getattr(head.retired, kind))
        return [row for row, visible in zip(rows, seen.tolist(), strict=True) if visible]

    def _with_texts(self, cards: list[Card]) -> list[Article]:
        """The articles whole; a duplicate gets the text of its original."""
        originals = self.cards([card.known.duplicate_of for card in cards if card.known.duplicate_of])
        holders = [originals.get(card.known.duplicate_of or "", card) for card in cards]
        parts: dict[int, list[Row]] = {holder.row: [] for holder in holders}
        rows = [row for holder in holders for row in range(holder.row, holder.row + holder.parts)]
        by_row = {row["id"]: row for row in self._look_up(self._names.articles, "articles", "id", rows, TEXT)}
        for holder in {holder.row: holder for holder in holders}.values():
            parts[holder.row] = [
                by_row[row] for row in range(holder.row, holder.row + holder.parts) if row in by_row
            ]
        whole: list[Article] = []
        for card, holder in zip(cards, holders, strict=True):
            if len(parts[holder.row]) == holder.parts:  # else it was replaced in the meantime
                text, headings = article_text(parts[holder.row])
                whole.append(replace(card.article, text=text, headings=headings))
        return whole
