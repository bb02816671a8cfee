"""Changing an index on Milvus: rows are added, then the head is replaced, then what it retired is deleted."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from embeddings.encoder import Encoder, Vectors
from retrieval.indexing import Batch, Incoming, encoded_text
from retrieval.milvus import frequencies
from retrieval.milvus.client import Row, Server
from retrieval.milvus.head import Head, Numbers, Retired, condition, merged, read_head
from retrieval.milvus.lookups import WriterLibrary
from retrieval.milvus.rows import Card, article_rows, file_row, passage_rows, text_parts
from retrieval.milvus.schema import Collections
from retrieval.milvus.terms import MeanLengths, Sparse, document_vector, occurrences
from retrieval.preparation import Prepared, without_passages
from retrieval.storage.reading import FileState, KnownArticle
from retrieval.types import Article

MOST_BYTES = 8 * 1024 * 1024
"""Of one insert, roughly; servers take 64 MB."""

MOST_ROWS = 2_000
_FROZEN_FROM = 1_000
"""From so many passages on, the mean lengths stay as they are."""

_FOLD_FROM = 2_000_000
"""So many changed counts are folded in before a sync has ended."""

_RANGES_AT_ONCE = 200


@dataclass(slots=True)
class _Change:
    """What one commit adds and retires, as it is put together."""

    passages: list[Row] = field(default_factory=list)
    articles: list[Row] = field(default_factory=list)
    files: list[Row] = field(default_factory=list)
    retired_passages: list[tuple[int, int]] = field(default_factory=list)
    retired_articles: list[int] = field(default_factory=list)
    retired_files: list[int] = field(default_factory=list)
    publications: Counter[str] = field(default_factory=Counter)
    days_added: list[int] = field(default_factory=list)
    days_removed: list[int] = field(default_factory=list)
    sparse: list[Sparse] = field(default_factory=list)
    article_count: int = 0
    key: int = 0

    def retire(self, card: Card) -> None:
        """The article's rows and passages go."""
        self.retired_articles += range(card.row, card.row + card.parts)
        if card.known.first_passage is not None and card.known.last_passage is not None:
            self.retired_passages.append((card.known.first_passage, card.known.last_passage))
        self.publications.subtract(card.publications)
        self.days_removed.append(card.day)
        self.article_count -= 1

    def put(self, card: Card, rows: list[Row]) -> None:
        """The article's rows come."""
        self.articles += rows
        self.publications.update(card.publications)
        self.days_added.append(card.day)
        self.article_count += 1


class MilvusWriter:
    """Implements IndexWriter. `confirm` is called before each commit: it raises where the lease was lost."""

    def __init__(
        self, server: Server, collections: Collections, *, encoder: Encoder, confirm: Callable[[], None]
    ) -> None:
        self._server = server
        self._names = collections
        self._encoder = encoder
        self._confirm = confirm
        self._head = read_head(server, collections.head)
        self._pairs = 0
        self._library = WriterLibrary(server, collections, lambda: self._head)
        recover(server, collections, self._head)

    @property
    def reader(self) -> WriterLibrary:
        """See IndexWriter."""
        return self._library

    def close(self) -> None:
        """See IndexWriter: the connection is the index's."""

    def commit(self, batch: Batch) -> int:
        """See IndexWriter."""
        items = [
            Incoming(without_passages(item.prepared), item.file, item.duplicate_of)
            if item.duplicate_of
            else item
            for item in batch.articles.values()
        ]
        if not (items or batch.removed or batch.forgotten or batch.moved or batch.files):
            return 0
        vectors = self._vectors(items)
        self._confirm()
        means = self._means(items)
        change = self._put_together(batch, items, vectors, means)
        if not self._head.busy:
            self._write(replace(self._head, busy=True))
        self._send(change)
        self._flip(change, means)
        return len(change.passages)

    def put_source(self, location: str, kind: str) -> None:
        """See IndexWriter."""
        self._write(replace(self._head, sources={**self._head.sources, location: kind}))

    def put_manifest(self, values: Mapping[str, Any]) -> None:
        """See IndexWriter."""
        head = self._head
        self._write(replace(head, manifest={**head.manifest, **values}, revision=head.revision + 1))

    def finish(self) -> None:
        """Fold the document frequencies in, and tell readers that nothing is under way."""
        head = self._head
        if head.folded < head.position:
            frequencies.fold(self._server, self._names.terms, since=head.folded, until=head.position)
        if head.busy or head.retired or head.folded < head.position:
            self._write(
                replace(head, folded=head.position, busy=False, commit=head.commit + 1, retired=Retired())
            )
            frequencies.clear_log(self._server, self._names.terms, until=head.position)
        self._pairs = 0

    def _put_together(
        self, batch: Batch, items: Sequence[Incoming], vectors: Sequence[Vectors], means: MeanLengths
    ) -> _Change:
        change = _Change(key=self._head.key)
        before = self._library.cards([*batch.removed, *(item.article.id for item in items)])
        for card in before.values():
            change.retire(card)
        self._file_changes(change, batch)
        self._moves(change, batch, set(before))
        for item, encoded in zip(items, vectors, strict=True):
            replaced = before.get(item.article.id)
            key = replaced.key if replaced else change.key
            change.key += replaced is None
            self._put(change, item, encoded, means, key)
        return change

    def _put(self, change: _Change, item: Incoming, vectors: Vectors, means: MeanLengths, key: int) -> None:
        prepared, count = item.prepared, len(item.prepared.passages)
        first = self._head.next.passages + len(change.passages)
        known = KnownArticle(
            id=item.article.id, digest=prepared.digest, file=item.file, duplicate_of=item.duplicate_of,
            first_passage=first if count else None, last_passage=first + count - 1 if count else None,
        )  # fmt: skip
        self._put_card(change, item.article, prepared.text_digest, prepared.signature, known, key)
        sparse = list(_sparse(prepared, means))
        change.sparse += sparse
        change.passages += passage_rows(
            item.article, prepared.passages, prepared.normalised, vectors, sparse, first
        )

    def _put_card(
        self, change: _Change, article: Article, text_digest: bytes, signature: int | None,
        known: KnownArticle, key: int,
    ) -> None:  # fmt: skip
        parts = text_parts(article, stored=known.duplicate_of is None)
        card = Card(
            row=self._head.next.articles + len(change.articles), key=key, parts=len(parts), article=article,
            known=known, text_digest=text_digest, signature=signature,
        )  # fmt: skip
        change.put(card, article_rows(card, parts))

    def _file_changes(self, change: _Change, batch: Batch) -> None:
        states: dict[str, FileState | None] = dict.fromkeys(batch.forgotten)
        for old, new in batch.moved:
            states |= {old: None, new.path: new}
        states |= {state.path: state for state in batch.files}
        change.retired_files += [row["id"] for row in self._library.file_rows(list(states))]
        for state in states.values():
            if state is not None:
                change.files.append(file_row(self._head.next.files + len(change.files), state))

    def _moves(self, change: _Change, batch: Batch, replaced: set[str]) -> None:
        """Articles of renamed files keep their passages; their cards get the new path."""
        for old, new in batch.moved:
            for card in self._library.cards_of(old):
                if card.article.id in replaced:
                    continue
                (article,) = self._library.with_texts([card])
                known = replace(card.known, file=new.path)
                change.retire(replace(card, known=replace(card.known, first_passage=None)))
                inside = (article.path or "")[len(old) :]  # the place within an archive
                moved = replace(article, path=f"{new.path}{inside}")
                self._put_card(change, moved, card.text_digest, card.signature, known, card.key)

    def _send(self, change: _Change) -> None:
        """Everything that is new, beyond what the head counts, where nobody looks yet."""
        minus = self._lost(change.retired_passages)
        for collection, rows in (
            (self._names.passages, change.passages), (self._names.articles, change.articles),
            (self._names.files, change.files),
        ):  # fmt: skip
            for chunk in chunks(rows):
                self._server.insert(collection, chunk)
        self._pairs += frequencies.log(
            self._server,
            self._names.terms,
            occurrences(change.sparse),
            minus,
            position=self._head.position + 1,
        )

    def _lost(self, ranges: Iterable[tuple[int, int]]) -> Counter[int]:
        """The terms of the passages that go."""
        found: Counter[int] = Counter()
        for rows in _ranged(self._server, self._names.passages, merged(_expanded(ranges)), ("sparse",)):
            found.update(occurrences(row["sparse"] for row in rows))
        return found

    def _flip(self, change: _Change, means: MeanLengths) -> None:
        head, numbers = self._head, self._head.next
        retired = Retired(
            passages=merged(_expanded(change.retired_passages)),
            articles=merged(change.retired_articles),
            files=merged(change.retired_files),
        )
        days = [day for day in (head.earliest, head.latest, *change.days_added) if day]
        gone = sum(last - first + 1 for first, last in retired.passages)
        frozen = head.mean_lengths is not None and head.passages >= _FROZEN_FROM
        self._write(
            replace(
                head.with_publications(change.publications),
                commit=head.commit + 1,
                position=head.position + bool(change.articles or change.retired_articles),
                busy=True,
                articles=head.articles + change.article_count,
                passages=head.passages + len(change.passages) - gone,
                key=change.key,
                earliest=min(days, default=0),
                latest=max(days, default=0),
                mean_lengths=head.mean_lengths if frozen else (means.body, means.heading, means.title),
                next=Numbers(
                    passages=numbers.passages + len(change.passages),
                    articles=numbers.articles + len(change.articles),
                    files=numbers.files + len(change.files),
                ),
                retired=retired,
                updated_at=_now(),
            )
        )
        self._library.learn(change.articles)
        clear(self._server, self._names, retired)
        if {head.earliest, head.latest} & set(change.days_removed) - {0}:
            earliest, latest = self._library.extreme_days()
            self._write(replace(self._head, earliest=earliest, latest=latest))
        if self._pairs >= _FOLD_FROM:
            self._fold_early()

    def _fold_early(self) -> None:
        head = self._head
        frequencies.fold(self._server, self._names.terms, since=head.folded, until=head.position)
        self._write(replace(head, folded=head.position))
        frequencies.clear_log(self._server, self._names.terms, until=head.position)
        self._pairs = 0

    def _write(self, head: Head) -> None:
        self._confirm()
        if head.commit > self._head.commit:
            self._server.upsert(self._names.head, head.retired_rows())
        self._server.upsert(self._names.head, [head.row()])
        self._head = head

    def _means(self, items: Sequence[Incoming]) -> MeanLengths:
        stored = self._head.mean_lengths
        if stored is not None and self._head.passages >= _FROZEN_FROM:
            return MeanLengths(*stored)
        lengths = [
            (body.count(" ") + 1, len(heading.split()), len(item.prepared.title.split()))
            for item in items
            for body, heading in zip(item.prepared.bodies, item.prepared.headings, strict=True)
        ]
        fresh = MeanLengths.of(lengths)
        if stored is None or not self._head.passages:
            return fresh
        old, new = self._head.passages, len(lengths)
        pairs = zip(stored, (fresh.body, fresh.heading, fresh.title), strict=True)
        return MeanLengths(*((old * before + new * now) / (old + new) for before, now in pairs))

    def _vectors(self, items: Sequence[Incoming]) -> list[Vectors]:
        """The vectors of each article's passages, all encoded in one call."""
        texts = [
            encoded_text(item.article.title, passage.heading, passage.text)
            for item in items
            for passage in item.prepared.passages
        ]
        empty = np.empty((0, self._encoder.dimension), np.float32)
        encoded = self._encoder.encode_passages(texts) if texts else empty
        ends = np.cumsum([len(item.prepared.passages) for item in items], dtype=np.int64)
        return np.split(encoded, ends[:-1]) if items else []


def recover(server: Server, collections: Collections, head: Head) -> None:
    """Clear away what a writer that died had added and not committed, or retired and not deleted."""
    if head.busy:
        for collection, first in (
            (collections.passages, head.next.passages), (collections.articles, head.next.articles),
            (collections.files, head.next.files),
        ):  # fmt: skip
            server.delete(collection, f"id >= {first}")
        frequencies.forget(server, collections.terms, after=head.position)
    clear(server, collections, head.retired)


def clear(server: Server, collections: Collections, retired: Retired) -> None:
    """Delete retired rows; those that are gone already do not matter."""
    for collection, ranges in (
        (collections.passages, retired.passages), (collections.articles, retired.articles),
        (collections.files, retired.files),
    ):  # fmt: skip
        for start in range(0, len(ranges), _RANGES_AT_ONCE):
            server.delete(collection, condition("id", ranges[start : start + _RANGES_AT_ONCE]))


def chunks(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Rows in pieces that a server takes at once."""
    piece: list[Row] = []
    size = 0
    for row in rows:
        weight = _bytes(row)
        if piece and (size + weight > MOST_BYTES or len(piece) >= MOST_ROWS):
            yield piece
            piece, size = [], 0
        piece.append(row)
        size += weight
    if piece:
        yield piece


def _bytes(row: Row) -> int:
    """About what a row weighs on the way."""
    weight = 64
    for value in row.values():
        if isinstance(value, str):
            weight += 3 * len(value)
        elif isinstance(value, dict):
            weight += 8 * len(value)
        elif isinstance(value, np.ndarray):
            weight += value.nbytes
    return weight


def _ranged(
    server: Server, collection: str, ranges: Sequence[tuple[int, int]], fields: Sequence[str]
) -> Iterator[list[Row]]:
    for start in range(0, len(ranges), _RANGES_AT_ONCE):
        chunk = ranges[start : start + _RANGES_AT_ONCE]
        yield server.query(collection, condition("id", tuple(chunk)), fields, consistency="Strong")


def _expanded(ranges: Iterable[tuple[int, int]]) -> list[int]:
    return [number for first, last in ranges for number in range(first, last + 1)]


def _sparse(prepared: Prepared, means: MeanLengths) -> Iterator[Sparse]:
    title = prepared.title.split()
    for body, heading in zip(prepared.bodies, prepared.headings, strict=True):
        yield document_vector(body.split(), heading.split(), title, means)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
