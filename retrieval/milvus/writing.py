"""Changing an index on Milvus: rows are added, then the head is replaced, then what it retired is deleted."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from embeddings.encoder import Encoder, Vectors
from retrieval.batching import Batch, Incoming
from retrieval.lexical.analyzer import Analyzer
from retrieval.locations import MilvusLocation
from retrieval.milvus import frequencies
from retrieval.milvus.clearing import RANGES_AT_ONCE, clear, recover
from retrieval.milvus.client import Row, Server
from retrieval.milvus.head import Head, Numbers, Retired, condition, merged, read_head
from retrieval.milvus.lookups import WriterLibrary
from retrieval.milvus.rows import Card, article_rows, file_row, passage_rows, text_parts
from retrieval.milvus.schema import Collections
from retrieval.milvus.sending import chunks, lengths_of, sparse_of
from retrieval.milvus.terms import MeanLengths, Sparse, occurrences
from retrieval.milvus.weighing import EXACT_UP_TO, weigh_anew
from retrieval.passage_vectors import vectors_by_article
from retrieval.preparation import without_passages
from retrieval.storage.reading import FileState, KnownArticle
from retrieval.types import Article
from retrieval.vector.half_precision import to_single

_FOLD_FROM = 2_000_000
"""So many changed counts are folded in before a sync has ended."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Rows that were sent by others, to be committed: how many, and what the head counts of them."""

    passages: int
    article_rows: int
    files: int
    articles: int
    key: int
    days: Sequence[int]
    publications: Counter[str]
    digests: Sequence[Row]
    terms: Counter[int]
    means: MeanLengths

    def after(self, start: Numbers) -> Numbers:
        """The first numbers after these rows."""
        return Numbers(
            passages=start.passages + self.passages,
            articles=start.articles + self.article_rows,
            files=start.files + self.files,
        )


class MilvusWriter:
    """Implements IndexWriter. `confirm` is called before each commit: it raises where the lease was lost."""

    def __init__(
        self,
        server: Server,
        collections: Collections,
        *,
        encoder: Encoder,
        analyzer: Analyzer,
        confirm: Callable[[], None],
    ) -> None:
        self._server = server
        self._names = collections
        self._encoder = encoder
        self._analyzer = analyzer
        self._confirm = confirm
        self._head = read_head(server, collections.head, patient=True)
        self._pairs = 0
        self._library = WriterLibrary(server, collections, lambda: self._head)
        recover(server, collections, self._head)

    @property
    def reader(self) -> WriterLibrary:
        """See IndexWriter."""
        return self._library

    @property
    def location(self) -> MilvusLocation:
        """Where the index is."""
        return self._server.location

    @property
    def collections(self) -> Collections:
        """The generation that is written."""
        return self._names

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

    def following(self, batch: Batch, expected: int | None) -> Batch:
        """See IndexWriter: size is all the same to the server."""
        return batch.next()

    def put_source(self, location: str, kind: str) -> None:
        """See IndexWriter."""
        self._write(replace(self._head, sources={**self._head.sources, location: kind}))

    def put_manifest(self, values: Mapping[str, Any]) -> None:
        """See IndexWriter."""
        head = self._head
        self._write(replace(head, manifest={**head.manifest, **values}, revision=head.revision + 1))

    def near_end(self) -> None:
        """Nothing can be begun before the last commit."""

    def finish(self) -> None:
        """Fold the document frequencies in, and tell readers that nothing is under way."""
        head = self._head
        if head.folded < head.position:
            frequencies.fold(self._server, self._names.terms, since=head.folded, until=head.position)
        if head.busy or head.retired or head.folded < head.position:
            if head.folded < head.position and 0 < head.passages <= EXACT_UP_TO:
                means = weigh_anew(self._server, self._names, head, self._analyzer)
                if means is not None:
                    head = replace(head, mean_lengths=(means.body, means.heading, means.title))
            self._write(
                replace(head, folded=head.position, busy=False, commit=head.commit + 1, retired=Retired())
            )
            frequencies.clear_log(self._server, self._names.terms, until=head.position)
            if self._server.lite:
                # What is not flushed Milvus Lite searches row by row, at every question anew.
                for collection in self._names.all():
                    self._server.call("flush", collection)
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
        sparse = list(sparse_of(prepared, means))
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
        retired = Retired(
            passages=merged(_expanded(change.retired_passages)),
            articles=merged(change.retired_articles),
            files=merged(change.retired_files),
        )
        self._advance(
            Loaded(
                passages=len(change.passages), article_rows=len(change.articles), files=len(change.files),
                articles=change.article_count, key=change.key, days=change.days_added,
                publications=change.publications, digests=change.articles, terms=Counter(), means=means,
            ),
            retired,
        )  # fmt: skip
        self._clear(retired, change.days_removed)

    def _advance(self, added: Loaded, retired: Retired) -> None:
        """Replace the head: what was added and retired counts from now on."""
        head = self._head
        days = [day for day in (head.earliest, head.latest, *added.days) if day]
        gone = sum(last - first + 1 for first, last in retired.passages)
        means = added.means
        self._write(
            replace(
                head.with_publications(added.publications),
                commit=head.commit + 1,
                position=head.position + bool(added.article_rows or retired.articles),
                busy=True,
                articles=head.articles + added.articles,
                passages=head.passages + added.passages - gone,
                key=added.key,
                earliest=min(days, default=0),
                latest=max(days, default=0),
                mean_lengths=(means.body, means.heading, means.title),
                next=added.after(head.next),
                retired=retired,
                updated_at=_now(),
            )
        )
        self._library.learn(added.digests)
        if self._pairs >= _FOLD_FROM:
            self._fold_early()

    def _clear(self, retired: Retired, days_removed: Sequence[int]) -> None:
        """Delete what was retired."""
        head = self._head
        clear(self._server, self._names, retired)
        if {head.earliest, head.latest} & set(days_removed) - {0}:
            earliest, latest = self._library.extreme_days()
            self._write(replace(self._head, earliest=earliest, latest=latest))

    @property
    def numbers(self) -> Numbers:
        """The first numbers that are free."""
        return self._head.next

    @property
    def key(self) -> int:
        """The next article's place in the order in which articles came."""
        return self._head.key

    @property
    def means(self) -> MeanLengths | None:
        """What passages are weighed with; None where there are none yet."""
        stored = self._head.mean_lengths
        return MeanLengths(*stored) if stored is not None and self._head.passages else None

    def begin_loading(self) -> None:
        """Say that rows may come beyond what the head counts."""
        if not self._head.busy:
            self._write(replace(self._head, busy=True))

    def commit_loaded(self, loaded: Loaded) -> None:
        """Commit rows that were sent under the first numbers that were free."""
        self._confirm()
        self._pairs += frequencies.log(
            self._server, self._names.terms, loaded.terms, Counter(), position=self._head.position + 1
        )
        self._advance(loaded, Retired())

    def pass_over(self, start: Numbers, lost: Loaded) -> None:
        """Give up rows that were not all sent, and go on after their numbers."""
        end = lost.after(start)
        for collection, first, last in (
            (self._names.passages, start.passages, end.passages),
            (self._names.articles, start.articles, end.articles),
            (self._names.files, start.files, end.files),
        ):
            self._server.delete(collection, f"id >= {first} and id < {last}")
        self._write(replace(self._head, next=end, key=lost.key))

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
        """The mean lengths that all passages are weighed with: those of the first commit."""
        stored = self._head.mean_lengths
        if stored is not None and self._head.passages:
            return MeanLengths(*stored)
        return MeanLengths.of(lengths_of([item.prepared for item in items]))

    def _vectors(self, items: Sequence[Incoming]) -> list[Vectors]:
        """The vectors of each article's passages."""
        return list(map(to_single, vectors_by_article([item.prepared for item in items], self._encoder)))


def _ranged(
    server: Server, collection: str, ranges: Sequence[tuple[int, int]], fields: Sequence[str]
) -> Iterator[list[Row]]:
    for start in range(0, len(ranges), RANGES_AT_ONCE):
        chunk = ranges[start : start + RANGES_AT_ONCE]
        yield server.newest(collection, condition("id", tuple(chunk)), fields)


def _expanded(ranges: Iterable[tuple[int, int]]) -> list[int]:
    return [number for first, last in ranges for number in range(first, last + 1)]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
