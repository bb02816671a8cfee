"""From articles to something searchable: passages, terms and vectors, committed in batches to one
generation."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from embeddings.encoder import Encoder
from retrieval.batching import Batch, EvenBatches, Incoming
from retrieval.errors import IndexDamagedError
from retrieval.lexical.analyzer import Analyzer
from retrieval.lexical.index import LexicalDocument
from retrieval.lexical.merging import FINALLY, WORTH_GATHERING
from retrieval.lexical.tantivy_index import TantivyIndex
from retrieval.local import LocalIndex
from retrieval.passage_vectors import passage_vectors
from retrieval.preparation import Prepared, bodies_of, without_passages
from retrieval.storage.rows import FilterFields, filter_fields
from retrieval.storage.writing import Applied, PreparedArticle, Writer
from retrieval.vector.half_precision import Stored

_TAIL = 2_000
_BULK_TAIL = 16_000
"""From so many vectors on that are not in its files, the vector index is written down: at the end of a sync,
and in the midst of it."""

_REPLAYED = 4_000
_GATHERED, _REPEATED = 20_000, 8
"""So many passages leave small segments in the lexical index; so many are repeated, if need be, to merge
them."""
_ARTICLES_AT_ONCE = 64


class Indexer:
    """Writes to one generation; whoever has it holds the writer's lock."""

    def __init__(self, index: LocalIndex, *, encoder: Encoder, analyzer: Analyzer) -> None:
        self._index = index
        self._encoder = encoder
        self._analyzer = analyzer
        self._writer = Writer(index.generation.store)
        self.reader = self._writer.reader
        self._added = 0
        self._sizes = EvenBatches()
        try:
            self._lexical = TantivyIndex.open(index.generation.lexical, read_only=False)
            self._catch_up()
        except BaseException:
            self._writer.close()
            raise

    def close(self) -> None:
        """Release the store and the lexical index."""
        self._lexical.close()
        self._writer.close()

    def commit(self, batch: Batch) -> int:
        """Store the batch durably and make it searchable; how many passages were added."""
        items = [
            Incoming(without_passages(item.prepared), item.file, item.duplicate_of)
            if item.duplicate_of
            else item
            for item in batch.articles.values()
        ]
        try:
            before, applied, vectors = self._store(batch, items)
        except BaseException:
            self._lexical.discard()
            raise
        if applied.removed or applied.added:
            self._lexical.commit(applied.position)
        added = [(applied.added[0][1], vectors)] if applied.added else []
        self._index.following.take(before, applied.position, applied.removed, added)
        self._index.following.write_down(self.reader, applied.position, least=_BULK_TAIL)
        self._added += len(vectors)
        return len(vectors)

    def _store(self, batch: Batch, items: Sequence[Incoming]) -> tuple[int, Applied, Stored]:
        """Store the batch; the position of the change log before, what was done, and the new passages'
        vectors. Terms are on their way to the lexical index while these are worked out."""
        with self._writer.transaction() as transaction:
            applied, before = transaction.applied, transaction.applied.position
            for article_id in batch.removed:
                transaction.remove(article_id)
            for path in batch.forgotten:
                transaction.forget_file(path)
            for old, new in batch.moved:
                transaction.move_file(old, new)
            for state in batch.files:
                transaction.put_file(state)
            for item in items:
                transaction.put(_stored(item))
            firsts = {item.article.id: first for item, first in applied.added}
            if applied.removed or firsts:
                numbered = [(each.prepared, firsts.get(each.article.id)) for each in items]
                documents = _documents([(each, first) for each, first in numbered if first is not None])
                self._lexical.begin(applied.removed, documents)
            vectors = passage_vectors([item.prepared for item in items], self._encoder)
            transaction.put_vectors(vectors)
        return before, applied, vectors

    def following(self, batch: Batch, expected: int | None) -> Batch:
        """See IndexWriter: of such a size that the lexical index ends with few segments."""
        return self._sizes.following(batch, expected, self._lexical.segment_sizes)

    def put_source(self, location: str, kind: str) -> None:
        """Remember a source that was synced."""
        with self._writer.transaction() as transaction:
            transaction.put_source(location, kind)

    def put_manifest(self, values: Mapping[str, Any]) -> None:
        """Set values of the manifest."""
        with self._writer.transaction() as transaction:
            transaction.put_manifest(values)

    def near_end(self) -> None:
        """After many passages, have the lexical index tidied up while the last ones come."""
        if self._added >= _GATHERED:
            self._gather(WORTH_GATHERING)

    def _gather(self, worth: int) -> None:
        newest = self.reader.last_passage()
        self._lexical.gather(list(self._stored_documents(newest - _REPEATED + 1, newest)), worth)

    def finish(self) -> None:
        """Write down what came to the vector index, where it is enough to slow searches down; after many
        passages have the lexical one tidied up meanwhile."""
        if self._added >= _GATHERED:
            self._lexical.settle()
            self._gather(FINALLY)
        self._added = 0
        self._index.following.write_down(self.reader, self.reader.state().position, least=_TAIL)

    def _catch_up(self) -> None:
        """Give the lexical index what was committed to the store before a crash, and not to it."""
        position, reached = self.reader.state().position, self._lexical.position
        if reached == position:
            return
        if reached > position:
            generation = self._index.generation
            raise IndexDamagedError(
                f"the lexical index in {generation.lexical} is ahead of the store: derive it anew with "
                f"`python -m retrieval check --repair --index {generation.folder.parent}`"
            )
        changes = self.reader.changes_since(reached)
        for change in changes:
            if not change.removed:
                self._added += change.last - change.first + 1
                for first in range(change.first, change.last + 1, _REPLAYED):
                    last = min(first + _REPLAYED - 1, change.last)
                    self._lexical.apply([], self._stored_documents(first, last), position=reached)
        removed = (number for c in changes if c.removed for number in range(c.first, c.last + 1))
        self._lexical.apply(removed, [], position=position)

    def _stored_documents(self, first: int, last: int) -> Iterator[LexicalDocument]:
        for article, passages in self.reader.passages_between(first, last):
            title = " ".join(self._analyzer.terms(article.title))
            fields = filter_fields(article)
            for passage in passages:
                body = " ".join(self._analyzer.terms(passage.text))
                heading = " ".join(self._analyzer.terms(passage.heading))
                yield _document(article.id, fields, passage.id, body, heading, title)


def _stored(item: Incoming) -> PreparedArticle:
    prepared = item.prepared
    return PreparedArticle(
        article=prepared.article, digest=prepared.digest, text_digest=prepared.text_digest,
        signature=prepared.signature, passages=prepared.passages, normalised=prepared.normalised,
        file=item.file, duplicate_of=item.duplicate_of,
    )  # fmt: skip


def _documents(added: Sequence[tuple[Prepared, int]]) -> Iterator[LexicalDocument]:
    """The passages of articles, each with the number of its first one."""
    for start in range(0, len(added), _ARTICLES_AT_ONCE):
        some = added[start : start + _ARTICLES_AT_ONCE]
        for (prepared, first), bodies in zip(some, bodies_of([each for each, _ in some]), strict=True):
            fields, article_id = filter_fields(prepared.article), prepared.article.id
            for number, (body, heading) in enumerate(zip(bodies, prepared.headings, strict=True), first):
                yield _document(article_id, fields, number, body, heading, prepared.title)


def _document(
    article_id: str, fields: FilterFields, number: int, body: str, heading: str, title: str
) -> LexicalDocument:
    return LexicalDocument(
        passage_id=number,
        body=(body,),
        heading=(heading,) if heading else (),
        title=(title,) if title else (),
        article_id=article_id,
        day=fields.day,
        categories=fields.categories,
        authors=fields.authors,
        sources=fields.sources,
        language=fields.language,
    )
