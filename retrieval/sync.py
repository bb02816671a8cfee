"""Carrying out what was decided: files are read, prepared and committed in batches, and it is told what
came of it."""

import contextlib
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from retrieval.batching import Batch, Incoming
from retrieval.claims import Claims
from retrieval.collecting import CollectionTasks
from retrieval.errors import ArticleError
from retrieval.file_reading import FileTask, ReadFile, read_files
from retrieval.index import IndexWriter
from retrieval.learning import known_paths, learn
from retrieval.lexical.analyzer import Analyzer
from retrieval.memory import Memory
from retrieval.parsing.boilerplate import without_lines
from retrieval.parsing.forms import Form
from retrieval.planning import Plan, digest_of_file, state_of, unread
from retrieval.preparation import TOGETHER, prepare, prepare_all
from retrieval.reading_pool import FILES_FOR_WORKERS, ReadingPool
from retrieval.reading_workers import Workers, chunked
from retrieval.sources import FoundFile, Scan
from retrieval.storage.reading import KnownArticle
from retrieval.types import Article, Failure, SyncReport

_TOLD = 500
"""After so many articles it is told how far the sync has come, if no batch was committed."""

_BYTES_FOR_WORKERS = 1_000_000
"""From so many bytes of a collection on, other processes read it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a sync has come: files done, of how many, and passages made searchable so far."""

    done: int
    total: int
    passages: int


ProgressCallback = Callable[[Progress], None]


class Synchronizer:
    """Carries plans out, in batches, through one indexer; and reports."""

    def __init__(
        self,
        indexer: IndexWriter,
        analyzer: Analyzer,
        *,
        pool: ReadingPool | None = None,
        progress: ProgressCallback | None = None,
    ) -> None:
        """Where there is much to read, the workers of `pool` do."""
        self._indexer = indexer
        self._analyzer = analyzer
        self._pool = pool
        self._reader = indexer.reader
        self._progress = progress
        self._batch = Batch()
        self._pending_texts: dict[bytes, str] = {}
        self._leaving: set[str] = set()
        self._earlier: dict[str, KnownArticle | None] = {}
        self._taken_ids: dict[str, str] = {}
        self._recurring: frozenset[int] = frozenset()
        self._begun = False
        self._started = time.perf_counter()
        self._done = self._total = self._passages = 0
        self._added: list[str] = []
        self._changed: list[str] = []
        self._moved: list[str] = []
        self._removed: list[str] = []
        self._empty: list[str] = []
        self._failed: list[Failure] = []
        self._duplicates: dict[str, str] = {}
        self._unchanged = 0

    def sync(self, scan: Scan, plan: Plan, memory: Memory) -> None:
        """Apply what was decided about one source; `memory` learns which of its lines recur."""
        self._failed += scan.failed
        self._unchanged += plan.unchanged
        self._total += plan.work
        self._leaving = {article.id for path in plan.removed for article in self._reader.articles_of(path)}
        self._batch.files += plan.touched
        for old, new in plan.moved:
            self._batch.moved.append((old, new))
            self._moved += [article.id for article in self._reader.articles_of(old)]
        changed = {file.path for file in plan.changed}
        files = sorted([*plan.added, *plan.changed], key=lambda file: file.relative)
        articles = [file for file in files if file.form is Form.ARTICLE]
        workers = self._workers(many=len(articles) >= FILES_FOR_WORKERS)
        if learn(memory, scan, files, self._reader):
            self._indexer.put_manifest(memory.to_manifest())
            self._clean(scan, changed, memory.recurring(scan.location))
        self._recurring = memory.recurring(scan.location)
        self._take_files(articles, changed, workers)
        for file in files:
            if file.form is not Form.ARTICLE:
                self._take_collection(file, scan, changed=file.path in changed)
        self._remove_files(plan.removed)
        self._commit()
        if scan.reached:
            self._indexer.put_source(scan.location, scan.kind)

    def add(self, articles: Iterable[Article]) -> None:
        """Take in articles that come from no file."""
        coming = iter(articles)
        while some := list(islice(coming, TOGETHER)):
            self._total += len(some)
            for prepared in prepare_all(some, self._analyzer):
                before = self._reader.known([prepared.article.id]).get(prepared.article.id)
                self._take(Incoming(prepared), before, duplicates=False)
                self._step()
        self._commit()

    def remove(self, article_ids: Iterable[str]) -> None:
        """Remove articles by id; ids that are not there are passed over."""
        known = self._reader.known(list(dict.fromkeys(article_ids)))
        self._leaving = set(known)
        self._remove(list(known.values()))
        self._commit()

    def report(self) -> SyncReport:
        """What was done so far."""
        return SyncReport(
            added=tuple(self._added),
            changed=tuple(self._changed),
            moved=tuple(self._moved),
            removed=tuple(self._removed),
            unchanged=self._unchanged,
            empty=tuple(self._empty),
            duplicates=self._duplicates,
            failed=tuple(self._failed),
            passages=self._passages,
            seconds=time.perf_counter() - self._started,
        )

    def _workers(self, *, many: bool) -> Workers | None:
        """Processes that read, where there is much to read; they start while other things are done."""
        return self._pool.workers() if many and self._pool is not None else None

    def _read(self, tasks: Iterable[FileTask], workers: Workers | None) -> Generator[ReadFile, None, None]:
        if workers is not None:
            yield from workers.read(tasks, self._recurring)
            return
        for some in chunked(tasks):
            yield from read_files(some, self._analyzer, self._recurring)

    def _take_files(self, files: list[FoundFile], changed: set[str], workers: Workers | None) -> None:
        with contextlib.closing(self._read(self._tasks(files, changed), workers)) as results:
            left = len(files)
            for file, result in zip(files, results, strict=True):
                self._take_file(file, result)
                left -= 1
                self._step(left)

    def _tasks(self, files: list[FoundFile], changed: set[str]) -> Iterator[FileTask]:
        for file in files:
            before = self._reader.articles_of(file.path) if file.path in changed else []
            self._earlier[file.path] = before[0] if before else None
            article_id = before[0].id if before else self._free_id(file)
            self._taken_ids[article_id] = file.path
            yield FileTask(
                path=file.path, relative=file.relative, article_id=article_id, data=file.content,
                address=file.address,
            )  # fmt: skip

    def _take_file(self, file: FoundFile, result: ReadFile) -> None:
        before = self._earlier.pop(file.path)
        if result.prepared is None:
            if result.failure is not None:
                self._failed.append(result.failure)
            return
        self._batch.files.append(state_of(file, result.digest))
        self._take(Incoming(result.prepared, file.path), before, duplicates=True)

    def _take_collection(self, file: FoundFile, scan: Scan, *, changed: bool) -> None:
        """Take in the articles of a file that holds many; those it no longer has go, unless it is a feed.

        Until all is read the file is remembered as unread: after a crash it is read again.
        """
        claims = Claims(
            self._reader.articles_of(file.path) if changed else [], lambda wanted: self._is_free(wanted, file)
        )
        tasks = CollectionTasks(file, scan, claims)
        self._begun = False
        many = file.size >= _BYTES_FOR_WORKERS and file.form is not Form.FEED
        with contextlib.closing(self._read(tasks, self._workers(many=many))) as results:
            for result in results:
                self._take_item(file, result, *tasks.next_known())
                self._step()
        self._failed += tasks.failed
        if tasks.broken:
            return
        if file.form is not Form.FEED and not tasks.unclear:
            self._remove(claims.unclaimed)
        with contextlib.suppress(ArticleError):
            self._batch.files.append(state_of(file, digest_of_file(file)))

    def _take_item(
        self, file: FoundFile, result: ReadFile, article_id: str, before: KnownArticle | None
    ) -> None:
        self._total += 1
        if result.failure is not None:
            self._failed.append(result.failure)
        elif result.prepared is None:
            self._unchanged += 1
        else:
            if not self._begun:
                self._batch.files.append(unread(file))
                self._begun = True
            self._taken_ids[article_id] = file.path
            self._take(Incoming(result.prepared, file.path), before, duplicates=True)

    def _clean(self, scan: Scan, changed: set[str], recurring: frozenset[int]) -> None:
        """Take lines that are found to recur only now out of the articles that came before."""
        for path in known_paths(scan, self._reader):
            if path in changed:
                continue
            for known in self._reader.articles_of(path):
                article = self._reader.article(known.id) if known.duplicate_of is None else None
                cleaned = without_lines(article, recurring) if article is not None else None
                if cleaned is not None and cleaned is not article:
                    item = Incoming(prepare(cleaned, self._analyzer), path)
                    self._take(item, known, duplicates=False)
                    self._step()

    def _take(self, item: Incoming, before: KnownArticle | None, *, duplicates: bool) -> None:
        article_id = item.article.id
        if before is not None and before.digest == item.prepared.digest and before.file == item.file:
            self._unchanged += 1
            return
        if duplicates and item.article.text:
            original = self._original(item)
            if original is not None:
                item = replace(item, duplicate_of=original)
                self._duplicates[article_id] = original
        if before is not None:
            self._release_duplicates(before)
        told = self._added if before is None else self._changed
        if article_id not in self._batch.articles:
            told.append(article_id)
        if not item.article.text.strip():
            self._empty.append(article_id)
        elif item.duplicate_of is None:
            self._pending_texts.setdefault(item.prepared.text_digest, article_id)
        self._batch.add(item)

    def _original(self, item: Incoming) -> str | None:
        """The id of the article that has this text already, if it stays."""
        pending = self._pending_texts.get(item.prepared.text_digest)
        if pending is not None:
            return None if pending == item.article.id else pending
        found = self._reader.with_text(item.prepared.text_digest)
        if (
            found is None
            or found.id == item.article.id
            or found.id in self._leaving
            or found.id in self._batch.articles
        ):
            return None
        return found.id

    def _release_duplicates(self, original: KnownArticle) -> None:
        """An article is about to go or change: the first that has its old text takes its place."""
        heirs = [item for item in self._reader.duplicates_of(original.id) if item.id not in self._leaving]
        first: str | None = None
        for heir in heirs:
            article = self._reader.article(heir.id)
            if article is None or heir.id in self._batch.articles:
                continue
            self._batch.add(Incoming(prepare(article, self._analyzer), heir.file, first))
            first = first or heir.id

    def _remove_files(self, paths: list[str]) -> None:
        for path in paths:
            self._batch.forgotten.append(path)
            self._remove(self._reader.articles_of(path))
            if self._batch.full:
                self._commit()

    def _remove(self, articles: list[KnownArticle]) -> None:
        for article in articles:
            self._release_duplicates(article)
            self._batch.removed.append(article.id)
            self._removed.append(article.id)

    def _free_id(self, file: FoundFile) -> str:
        """The file's path within its source; where another article has that id, with a number."""
        asked = file.path if file.address else file.relative
        number, wanted = 1, asked
        while not self._is_free(wanted, file):
            number += 1
            wanted = f"{asked}~{number}"
        return wanted

    def _is_free(self, wanted: str, file: FoundFile) -> bool:
        return self._taken_ids.get(wanted, file.path) == file.path and not self._reader.known([wanted])

    def _step(self, left: int | None = None) -> None:
        """Another article is done, of `left` of which it is known that they are to come."""
        self._done += 1
        if self._batch.due(left):
            near_end = not self._batch.full
            self._commit(left)
            if near_end:
                self._indexer.near_end()
        elif self._done % _TOLD == 0:
            self._tell()

    def _commit(self, left: int | None = None) -> None:
        self._passages += self._indexer.commit(self._batch)
        expected = None if left is None else left * self._passages // self._done
        self._batch = self._indexer.following(self._batch, expected)
        self._pending_texts.clear()
        self._tell()

    def _tell(self) -> None:
        if self._progress is not None:
            self._progress(Progress(done=self._done, total=self._total, passages=self._passages))
