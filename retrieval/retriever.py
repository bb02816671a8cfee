"""The front door: open an index, keep it in line with its articles, ask it questions."""

import contextlib
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

from embeddings.encoder import Encoder
from retrieval.errors import IndexMismatchError, IndexNotFoundError, RetrievalError
from retrieval.homes import home_of
from retrieval.index import Home, Index, View
from retrieval.locations import Location
from retrieval.manifest import Manifest
from retrieval.status import Status, read_status
from retrieval.types import Article, Filters, Passage, SearchResponse, SyncReport

if TYPE_CHECKING:
    from retrieval.checking import CheckReport
    from retrieval.index import IndexWriter
    from retrieval.lexical.analyzer import Analyzer
    from retrieval.links import LinkTemplate
    from retrieval.question import Known
    from retrieval.ranking.calibration import Calibration
    from retrieval.ranking.pipeline import CrossEncoder
    from retrieval.reading_pool import ReadingPool
    from retrieval.reading_workers import Workers
    from retrieval.searching import Searcher
    from retrieval.sync import ProgressCallback, Synchronizer

Source = str | Path
T = TypeVar("T")
LOCK_SECONDS = 10.0


class Retriever:
    """An open index. Any number of threads may search one; any number of retrievers may be open on one
    index."""

    def __init__(
        self,
        home: Home,
        *,
        encoder: Encoder | None,
        user_dictionary: Path | None,
        template: "LinkTemplate | None",
        lock_seconds: float,
        cross_encoder: "str | CrossEncoder | None" = None,
    ) -> None:
        """Use Retriever.open."""
        self._home = home
        self._given_encoder = encoder
        self._user_dictionary = user_dictionary
        self._template = template
        self._lock_seconds = lock_seconds
        self._cross_encoder = cross_encoder
        self._guard = threading.RLock()
        self._stamp: object = None
        self._index: Index | None = None
        self._encoder: Encoder | None = None
        self._analyzer: Analyzer | None = None
        self._searcher: Searcher | None = None
        self._closed = False

    @classmethod
    def open(
        cls,
        path: Location,
        *,
        encoder: str | Encoder | None = None,
        create: bool = True,
        user_dictionary: str | Path | None = None,
        link_template: str | None = None,
        lock_seconds: float = LOCK_SECONDS,
        cross_encoder: "str | CrossEncoder | None" = None,
    ) -> Self:
        """Open the index at a location (see retrieval.locations; a folder, as a rule), making an empty one
        where there is none and `create` allows.

        `encoder` is a name for load_encoder or an Encoder; left out, it is the one the index was made
        with, or "bundled". `cross_encoder`, a hub name, a folder or an object that scores, has the last word
        on the first hits; it is loaded at the first question. `user_dictionary` has words in jieba's format,
        `link_template` makes addresses for articles without one (see retrieval.links), `lock_seconds` is how
        long a write waits for another writer.
        Raises IndexNotFoundError, IndexMismatchError, IndexDamagedError, StorageError, SettingsError, and
        EncoderError where the encoder cannot be loaded.
        """
        template = None
        if link_template:
            from retrieval.links import LinkTemplate

            template = LinkTemplate(link_template)
        home = home_of(path)
        dictionary = Path(user_dictionary).expanduser() if user_dictionary is not None else None
        try:
            if not home.exists():
                if not create:
                    home.open().close()  # raises what is to be said
                _make(home, encoder, dictionary, lock_seconds)
            retriever = cls(
                home,
                encoder=None,
                user_dictionary=dictionary,
                template=template,
                lock_seconds=lock_seconds,
                cross_encoder=cross_encoder,
            )
            retriever._adopt(encoder)
        except BaseException:
            home.close()
            raise
        return retriever

    def sync(
        self,
        sources: Source | Sequence[Source],
        *,
        include: Sequence[str] | None = None,
        exclude: Sequence[str] | None = None,
        dry_run: bool = False,
        prune: bool = False,
        allow_private: bool = False,
        progress: "ProgressCallback | None" = None,
    ) -> SyncReport:
        """Bring the index in line with sources: folders of articles, article files, JSONL files, feeds and
        archives, by path or by address, and web pages by address.

        What is new or changed is stored in batches, each searchable at once by every process; what is gone
        is removed, unless that is more than a third of a source's files (or of a collection's articles) and
        `prune` does not allow it; what left a feed stays. An article that cannot be read is reported, its
        earlier version stays. With `dry_run` nothing is changed.

        `include` and `exclude` are patterns for folders in the syntax of .gitignore, kept with the source;
        without them, those of the last time. `allow_private` lets addresses lead into private networks.
        Raises SourceError, RemovalGuardError, IndexLockedError, StorageError.
        """
        from retrieval.patterns import Patterns
        from retrieval.syncing import Access, SyncOptions, sync_sources

        given = include is not None or exclude is not None
        options = SyncOptions(
            dry_run=dry_run,
            prune=prune,
            patterns=Patterns(tuple(include or ()), tuple(exclude or ())) if given else None,
            allow_private=allow_private,
        )
        access = Access(
            opened=self._opened,
            locked=self._locked,
            writer=self._indexer,
            workers=self._workers,
            synchronizer=lambda writer, pool: self._synchronizer(writer, progress, pool),
        )
        named = [sources] if isinstance(sources, (str, Path)) else list(sources)
        return sync_sources(named, access, options)

    def load(
        self,
        sources: Source | Sequence[Source],
        *,
        workers: int,
        shard: int = 200,
        progress: "ProgressCallback | None" = None,
    ) -> SyncReport:
        """Take the new files of sources in with so many processes, `shard` files at a time each, then sync.

        For large archives on Milvus; may be broken off and repeated. The encoder has to be one that its name
        loads again. Raises SettingsError for a local index, and what `sync` raises.
        """
        from retrieval.milvus.bulk import load, together

        named = [sources] if isinstance(sources, (str, Path)) else list(sources)
        with self._writing() as writer:
            dictionary = self._user_dictionary or _dictionary(self._opened().manifest)
            loaded = load(
                writer, named, encoder=self.encoder.name, dictionary=dictionary, workers=workers,
                shard=shard, progress=progress,
            )  # fmt: skip
            writer.finish()
        return together(loaded, self.sync(named, progress=progress))

    def add(self, articles: Iterable[Article], *, progress: "ProgressCallback | None" = None) -> SyncReport:
        """Add articles, replacing those with the same ids. Raises IndexLockedError, StorageError."""
        with self._writing() as indexer:
            synchronizer = self._synchronizer(indexer, progress)
            synchronizer.add(articles)
            indexer.finish()
        return synchronizer.report()

    def remove(self, article_ids: Iterable[str]) -> SyncReport:
        """Remove articles; ids that are not there are passed over. Raises IndexLockedError, StorageError."""
        with self._writing() as indexer:
            synchronizer = self._synchronizer(indexer, None)
            synchronizer.remove([article_ids] if isinstance(article_ids, str) else article_ids)
            indexer.finish()
        return synchronizer.report()

    def search(
        self, query: str, *, top_k: int = 5, offset: int = 0, filters: Filters | None = None, **options: Any
    ) -> SearchResponse:
        """Answer a question; see retrieval.searching.Searcher.search for the other options:
        `score_threshold`, `group`, `explain`, `mode`, `recency_days`, `understand`, `fold_duplicates`.

        Raises QueryError where an argument is not valid.
        """

        def ask(index: Index) -> SearchResponse:
            with index.view() as view:
                return self.search_in(view, query, top_k=top_k, offset=offset, filters=filters, **options)

        return self._ask(ask)

    def search_in(self, view: View, query: str, **options: Any) -> SearchResponse:
        """The same in one state of the index: for many questions to one state."""
        return self._searching().search(view, query, **{"known": _known(view)} | options)

    def articles(
        self, *, order: Literal["added", "newest"] = "added", limit: int | None = None
    ) -> Iterator[Article]:
        """All articles: in the order they came, or by day of publication, the newest first."""
        reader = self._ask(lambda index: index.reader())
        yield from reader.newest(limit) if order == "newest" else reader.articles(limit)

    def article(self, article_id: str, *, keywords: bool = True) -> Article | None:
        """One article; None where there is none of this id. Where it names no tags, they are its keywords, if
        `keywords` (working them out takes a second at the first call)."""
        found = self._ask(lambda index: index.reader().article(article_id))
        if found is None or found.tags or not found.text or not keywords:
            return found
        from dataclasses import replace

        from retrieval.keywords import keywords as best_words

        return replace(found, tags=best_words(found.text, found.title))

    def passages(self, article_id: str) -> list[Passage]:
        """The passages of an article in order; none where there is no such article."""
        return self._ask(lambda index: index.reader().passages(article_id))

    def passage(self, passage_id: int) -> Passage | None:
        """One passage; None where it is gone."""
        return self._ask(lambda index: index.reader().passage(passage_id))

    def arrived_since(self, mark: str = "") -> tuple[str, list[str]]:
        """The ids of the articles that came, or changed, since this gave `mark`; and the mark for the next
        call.

        It sees what any process wrote. Nothing is known to be new at the first call (""), nor when the index
        was rebuilt since.
        """
        return self._ask(lambda index: index.reader().arrived_since(mark))

    @property
    def location(self) -> str:
        """Where the index is, as a person names it."""
        return self._home.location

    def status(self) -> Status:
        """What the index holds; takes the same short time at any size."""
        return self._ask(lambda index: read_status(self._home.location, index.reader()))

    def check(self, *, repair: bool = False) -> "CheckReport":
        """Verify that the store is whole and both indexes follow it; with `repair`, derive them anew if
        not."""
        from retrieval.checking import check

        return check(self, repair=repair)

    def store_calibration(self, calibration: "Calibration") -> None:
        """Keep how scores of this index are to be read; all who have it open follow at their next call."""
        with self._locked():
            with self._indexer(self._opened()) as indexer:
                indexer.put_manifest({"calibration": calibration.to_mapping()})
            self._home.announce(self._opened())

    def derive_anew(self) -> None:
        """Make anew what is derived from the rest of the index; see `check`."""
        with self._locked():
            self._opened().derive_anew(encoder=self.encoder, analyzer=self.analyzer)

    def close(self) -> None:
        """Release files; the retriever cannot be used afterwards."""
        with self._guard:
            if self._index is not None:
                self._index.close()
            self._index = self._searcher = None
            if not self._closed:
                self._home.close()
            self._closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def encoder(self) -> Encoder:
        """The encoder in use, loaded when first asked for; raises IndexMismatchError if it is not the
        index's."""
        with self._guard:
            if self._encoder is None:
                manifest = self._opened().manifest
                if self._given_encoder is not None:
                    loaded = self._given_encoder
                else:
                    from embeddings import load_encoder

                    loaded = load_encoder(manifest.encoder)
                manifest.check_encoder(loaded, location=self._home.location)
                self._encoder = loaded
            return self._encoder

    @property
    def analyzer(self) -> "Analyzer":
        """The analyzer in use; raises IndexMismatchError if it is not the index's."""
        with self._guard:
            if self._analyzer is None:
                from retrieval.analyzers import analyzer_with

                manifest = self._opened().manifest
                analyzer = analyzer_with(self._user_dictionary or _dictionary(manifest))
                manifest.check_analyzer(analyzer.fingerprint, location=self._home.location)
                self._analyzer = analyzer
            return self._analyzer

    def _adopt(self, encoder: str | Encoder | None) -> None:
        """Take the encoder that was asked for, if the index was made with it."""
        manifest = self._opened().manifest
        if encoder is None or encoder == manifest.encoder:
            return
        if isinstance(encoder, str):
            from embeddings import load_encoder

            encoder = load_encoder(encoder)
        manifest.check_encoder(encoder, location=self._home.location)
        self._given_encoder = self._encoder = encoder

    def _opened(self) -> Index:
        """The current generation; another than at the last call where it was swapped meanwhile."""
        return self._current()[0]

    def _current(self) -> tuple[Index, object]:
        """The current generation and the stamp it was opened at."""
        with self._guard:
            if self._closed:
                raise RetrievalError("this retriever was closed: open another one")
            stamp = self._home.stamp()
            while self._index is None or stamp != self._stamp:
                try:
                    self._index = self._home.open(template=self._template)
                except RetrievalError:  # it may be gone again already
                    before, stamp = stamp, self._home.stamp()
                    if stamp == before:
                        raise
                    continue
                self._encoder = self._analyzer = self._searcher = None
                self._stamp = stamp
            return self._index, stamp

    @contextlib.contextmanager
    def reading(self) -> Iterator[Index]:
        """The open generation, for those who look behind the front door (checking, measuring)."""
        yield self._opened()

    def _ask(self, question: Callable[[Index], T]) -> T:
        """What the current generation answers; asked again where another took its place meanwhile."""
        while True:
            index, stamp = self._current()
            try:
                return question(index)
            except RetrievalError:
                if self._home.stamp() == stamp:
                    raise

    def _locked(self) -> contextlib.AbstractContextManager[None]:
        return self._home.writing(seconds=self._lock_seconds)

    @contextlib.contextmanager
    def _writing(self) -> "Iterator[IndexWriter]":
        with self._locked(), self._indexer(self._opened()) as indexer:
            yield indexer

    def _indexer(self, index: Index) -> "contextlib.AbstractContextManager[IndexWriter]":
        return contextlib.closing(index.writer(encoder=self.encoder, analyzer=self.analyzer))

    def _workers(self) -> "Workers | None":
        from retrieval.reading_workers import Workers

        dictionary = self._user_dictionary or _dictionary(self._opened().manifest)
        return Workers(dictionary, encoder=self.encoder) if sys.executable else None

    def _synchronizer(
        self, indexer: "IndexWriter", progress: "ProgressCallback | None", pool: "ReadingPool | None" = None
    ) -> "Synchronizer":
        from retrieval.sync import Synchronizer

        return Synchronizer(indexer, self.analyzer, pool=pool, progress=progress)

    def _searching(self) -> "Searcher":
        with self._guard:
            if self._searcher is None:
                from retrieval.ranking.calibration import Calibration
                from retrieval.searching import Searcher

                stored = self._opened().manifest.calibration
                calibration = Calibration.from_mapping(stored) if stored else None
                self._searcher = Searcher(
                    self.analyzer, self.encoder, calibration=calibration, cross_encoder=self._reranker()
                )
            return self._searcher

    def _reranker(self) -> "CrossEncoder | None":
        if isinstance(self._cross_encoder, str):
            from embeddings.cross_encoder import CrossEncoderReranker

            self._cross_encoder = CrossEncoderReranker.called(self._cross_encoder)
        return self._cross_encoder


def _make(home: Home, encoder: str | Encoder | None, dictionary: Path | None, lock_seconds: float) -> None:
    """An empty index; nothing is left behind where the encoder cannot be loaded."""
    from embeddings import load_encoder
    from retrieval.analyzers import analyzer_with

    loaded = load_encoder(encoder or "bundled") if encoder is None or isinstance(encoder, str) else encoder
    analyzer = analyzer_with(dictionary)
    home.prepare()
    with home.writing(seconds=lock_seconds):
        if not home.exists():
            home.switch(home.beside(encoder=loaded, analyzer=analyzer, user_dictionary=dictionary))


def _known(backend: View) -> "Known":
    """What phrases of a question may name."""
    from retrieval.question import Known

    holdings = backend.holdings()
    earliest, latest = holdings.period or (None, None)
    return Known(holdings.publications, earliest, latest)


def _dictionary(manifest: Manifest) -> Path | None:
    return Path(manifest.user_dictionary) if manifest.user_dictionary else None


__all__ = ["IndexMismatchError", "IndexNotFoundError", "Retriever", "Status"]
