"""The lexical index on tantivy: BM25 over terms that the analyzer has already made.

Questions are pruned by a budget: rarest terms first, as long as they have no more than `POSTINGS` postings
together. Below that many postings a search is exact; above, single characters that are everywhere drop out of
long questions, which costs no measurable quality and bounds the time of any question.

The terms of a field reach tantivy as one text joined by spaces (no term has one) with frequencies but no
positions. Nothing is stored: hits are passage ids from a columnar field. BM25 is tantivy's, k1 1.2 and b 0.75
(Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009), with lengths rounded to 8 bits.
"""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.backend import Candidates
from retrieval.errors import IndexDamagedError, IndexLockedError, IndexNotFoundError, StorageError
from retrieval.lexical.index import LexicalDocument
from retrieval.lexical.merging import SMALL, TOGETHER, WORTH_GATHERING
from retrieval.lexical.pruning import POSTINGS, affordable
from retrieval.lexical.query import LexicalQuery
from retrieval.lexical.shadow import ShadowFolder, needs_shadow
from retrieval.storage.filtering import day_range
from retrieval.types import Filters

FORMAT_VERSION = 1
"""Bumped with the schema: an index of another version is refused."""

_POSITION_FILE = "position"
_HEAP_BYTES = 250_000_000
"""What a commit may take in before it becomes more than one segment; only what is used of it is taken."""
_ANALYZED_FIELDS = ("body", "heading", "title")
_KEYWORD_FIELDS = ("article", "category", "author", "source", "language")


class TantivyIndex:
    """Implements LexicalIndex. Any number of processes may read; a write locks the folder meanwhile."""

    def __init__(
        self, index: Any, folder: Path, *, read_only: bool, shadow: ShadowFolder | None = None
    ) -> None:
        self._index = index
        self._schema = index.schema
        self._folder = folder
        self._read_only = read_only
        self._shadow = shadow
        self._writer: Any = None
        self._use(index.searcher())

    @classmethod
    def open(cls, folder: Path, *, read_only: bool) -> "TantivyIndex":
        """Open the index in `folder`, making an empty one where there is none and it may be written.

        Raises IndexNotFoundError where it may not, IndexDamagedError where what is there cannot be read.
        """
        import tantivy

        with _translated(folder):
            shadow = ShadowFolder(folder) if read_only and needs_shadow(folder) else None
            if tantivy.Index.exists(str(folder)) if folder.is_dir() else False:
                index = tantivy.Index.open(str(shadow.path if shadow is not None else folder))
            elif read_only:
                raise IndexNotFoundError(f"There is no lexical index in {folder}: index the articles first.")
            else:
                folder.mkdir(parents=True, exist_ok=True)
                index = tantivy.Index(_schema(), path=str(folder))
            index.config_reader(reload_policy="manual")
            index.reload()
            return cls(index, folder, read_only=read_only, shadow=shadow)

    def apply(self, remove: Iterable[int], add: Iterable[LexicalDocument], *, position: int) -> None:
        """Remove and add passages and commit durably, remembering `position` of the change log. One that is
        added again takes its own place."""
        documents = list(add)
        self.begin([*remove, *(document.passage_id for document in documents)], documents)
        self.commit(position)

    def begin(self, remove: Iterable[int], add: Iterable[LexicalDocument]) -> None:
        """Take in what `commit` shall commit; a thread of tantivy's works on it from now on. What is added
        is new, or removed as well."""
        if self._read_only:
            raise StorageError(f"The lexical index in {self._folder} was opened for reading only.")
        with _translated(self._folder):
            self.refresh()
            # One writer serves all commits: what it merges meanwhile would be lost, and begun again, with it.
            self._writer = writer = self._writer or self._index.writer(heap_size=_HEAP_BYTES, num_threads=1)
            try:
                self._delete(writer, list(remove))
                for document in add:
                    writer.add_document(_tantivy_document(document))
            except BaseException:
                self.discard()
                raise

    def commit(self, position: int) -> None:
        """Commit what was begun durably, remembering `position` of the change log."""
        with _translated(self._folder):
            try:
                self._writer.commit()
                self._write_position(position)
                self.refresh()
            except BaseException:
                self.discard()
                raise

    def discard(self) -> None:
        """Forget what was begun and not committed."""
        self._writer = None  # with which it goes

    def gather(self, documents: Sequence[LexicalDocument], worth: int = WORTH_GATHERING) -> None:
        """Have the small segments that many commits left merged into one, if there are so many as are `worth`
        it: a search looks into each of them.

        tantivy merges eight segments of about one size, or all below 10,000 documents, and has no call for
        it: where some are missing to eight, as many of `documents`, which are in the index, are added once
        more.
        """
        small = sum(size < SMALL for size in self.segment_sizes())
        if small >= worth:
            for document in documents[: max(0, TOGETHER - small)]:
                self.apply([], [document], position=self.position)

    def settle(self) -> None:
        """Await the merging of segments that is under way."""
        if self._writer is not None:
            writer, self._writer = self._writer, None
            with _translated(self._folder):
                writer.wait_merging_threads()

    def segment_sizes(self) -> list[int]:
        """How many documents each segment has by the newest commit."""
        with _translated(self._folder):
            note = json.loads((self._folder / "meta.json").read_text(encoding="utf-8"))
            return [int(segment["max_doc"]) for segment in note["segments"]]

    @property
    def position(self) -> int:
        """The change-log position of the last commit; 0 where nothing has been committed."""
        try:
            return int((self._folder / _POSITION_FILE).read_text(encoding="ascii"))
        except FileNotFoundError:
            return 0
        except (OSError, ValueError) as error:
            raise _damaged(self._folder, error) from error

    def refresh(self) -> None:
        """Make the newest commit, by whichever process, the one that searches see."""
        with _translated(self._folder):
            if self._shadow is not None:
                self._shadow.follow()
            self._index.reload()
            self._use(self._index.searcher())

    def search(self, query: LexicalQuery, k: int, filters: Filters | None = None) -> Candidates:
        """The k best passages that have any of the query's terms, best first."""
        from tantivy import Occur, Query

        searcher = self._searcher
        scoring = [(Occur.Should, clause) for clause in self._clauses(self._pruned(query))]
        if not scoring or k < 1:
            return Candidates(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32))
        wanted = Query.boolean_query(scoring)
        conditions = self._conditions(filters) if filters is not None else []
        if conditions:
            unscored = [(Occur.Must, Query.const_score_query(condition, 0.0)) for condition in conditions]
            wanted = Query.boolean_query([(Occur.Must, wanted), *unscored])
        hits = searcher.search(wanted, limit=k, count=False).hits
        ids = searcher.fast_field_values("id", [address for _, address in hits])
        scores = np.array([score for score, _ in hits], dtype=np.float32)
        return Candidates(np.array(ids, dtype=np.int64), scores)

    def document_frequencies(self, terms: Sequence[str]) -> NDArray[np.int64]:
        """In how many passages' bodies each term occurs: shape (len(terms),)."""
        frequency = self._frequency
        return np.fromiter((frequency("body", term) for term in terms), dtype=np.int64, count=len(terms))

    @property
    def count(self) -> int:
        """Number of live passages."""
        return int(self._searcher.num_docs)

    def close(self) -> None:
        """Release files; the index answers no more. The merging of segments that have piled up is awaited."""
        if self._searcher.num_segments >= TOGETHER:
            self.settle()
        self._writer = None
        if self._shadow is not None:
            self._shadow.close()
        del self._searcher, self._frequency, self._index

    def _use(self, searcher: Any) -> None:
        self._searcher = searcher
        self._frequency = lru_cache(maxsize=65_536)(lambda field, term: int(searcher.doc_freq(field, term)))

    def _pruned(self, query: LexicalQuery) -> LexicalQuery:
        frequencies = self.document_frequencies([term.text for term in query.terms])
        kept = affordable(frequencies, POSTINGS)
        if len(kept) == len(query.terms):
            return query
        return replace(query, terms=tuple(query.terms[i] for i in kept))

    def _clauses(self, query: LexicalQuery) -> Iterator[Any]:
        """One clause for each term and field that weigh something."""
        from tantivy import Query

        fields = zip(
            _ANALYZED_FIELDS, (query.body_weight, query.heading_weight, query.title_weight), strict=True
        )
        for field, field_weight in fields:
            if field_weight <= 0:
                continue
            for term in query.terms:
                weight = term.weight * field_weight
                if weight > 0 and self._frequency(field, term.text):
                    clause = Query.term_query(self._schema, field, term.text, "freq")
                    yield clause if weight == 1.0 else Query.boost_query(clause, weight)

    def _conditions(self, filters: Filters) -> list[Any]:
        """One query for each field that is filtered; a passage must satisfy all."""
        from tantivy import FieldType, Query

        values = {
            "article": filters.article_ids,
            "category": filters.categories,
            "author": filters.authors,
            "source": filters.sources,
            "language": filters.languages,
        }
        conditions = [
            Query.term_set_query(self._schema, field, list(wanted))
            for field, wanted in values.items()
            if wanted
        ]
        days = day_range(filters)
        if days is not None:
            conditions.append(Query.range_query(self._schema, "day", FieldType.Unsigned, *days))
        return conditions

    def _delete(self, writer: Any, passage_ids: Sequence[int]) -> None:
        from tantivy import Query

        # By query: delete_documents_by_term makes a signed term of the number, which no unsigned field has.
        if passage_ids and self.count:
            writer.delete_documents_by_query(Query.term_set_query(self._schema, "id", list(passage_ids)))

    def _write_position(self, position: int) -> None:
        temporary = self._folder / f"{_POSITION_FILE}.new"
        with temporary.open("w", encoding="ascii") as file:
            file.write(str(position))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._folder / _POSITION_FILE)


def _schema() -> Any:
    from tantivy import SchemaBuilder

    builder = SchemaBuilder()
    builder.add_unsigned_field("id", indexed=True, fast=True)
    builder.add_unsigned_field("day", fast=True)
    for field in _ANALYZED_FIELDS:
        builder.add_text_field(field, tokenizer_name="whitespace", index_option="freq")
    for field in _KEYWORD_FIELDS:
        builder.add_text_field(field, tokenizer_name="raw", index_option="basic")
    return builder.build()


def _tantivy_document(document: LexicalDocument) -> Any:
    from tantivy import Document

    made = Document()
    made.add_unsigned("id", document.passage_id)
    made.add_unsigned("day", document.day)
    made.add_text("body", " ".join(document.body))
    if document.heading:
        made.add_text("heading", " ".join(document.heading))
    if document.title:
        made.add_text("title", " ".join(document.title))
    keywords = {"category": document.categories, "author": document.authors, "source": document.sources}
    for field, values in keywords.items():
        for value in values:
            made.add_text(field, value)
    made.add_text("article", document.article_id)
    # A language is found by what it is a kind of as well: zh-Hans by zh.
    for tag in accumulate(document.language.split("-"), "{}-{}".format):
        made.add_text("language", tag)
    return made


def _damaged(folder: Path, reason: object) -> IndexDamagedError:
    return IndexDamagedError(
        f"The lexical index in {folder} cannot be read ({reason}): "
        "it is derived from the store, `python -m retrieval check --repair` makes it anew."
    )


@contextmanager
def _translated(folder: Path) -> Iterator[None]:
    """tantivy's errors as ours."""
    try:
        yield
    except (OSError, ValueError, RuntimeError) as error:
        message = str(error)
        if "LockBusy" in message or "lock" in message.lower():
            raise IndexLockedError(f"Another process is writing to the lexical index in {folder}.") from error
        if isinstance(error, OSError) or "No space" in message or "ermission" in message:
            raise StorageError(f"The lexical index in {folder} cannot be used: {error}.") from error
        raise _damaged(folder, error) from error
