"""Reading articles, from files or from items of collections: in this process, or many at once in workers.

The workers are plain child processes that speak JSON lines over their pipes. They are not multiprocessing's:
its children import the caller's main module again, which a script without a guard does not survive.
"""

import base64
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from retrieval.errors import ArticleError, StorageError
from retrieval.lexical.analyzer import Analyzer
from retrieval.preparation import Prepared, digest_as_stored, from_plain, prepare, to_plain
from retrieval.types import Article, Failure

_PROGRAM = "from retrieval.file_reading import serve; serve()"
_CHUNK = 16
_AHEAD = 128
"""Chunks that may be under way or waiting to be taken: as much as the workers do while a batch is
committed."""

_CHUNK_BYTES, _AHEAD_BYTES = 500_000, 30_000_000
"""Bytes of items that one chunk, and all chunks that are under way, may have before no more are taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTask:
    """An article to read: absolute path, path within its source, and the id it shall have.

    Without `data` it is the whole file; with it, an item of a collection: a file's content or, where there is
    a `line`, a record's; or a finished `article`. `address` is where it was got from, `known` the digest of
    the article as it is stored: where it is still the same, nothing more is worked out.
    """

    path: str
    relative: str
    article_id: str
    data: bytes | None = None
    line: int | None = None
    address: str = ""
    known: bytes = b""
    article: Article | None = None


@dataclass(frozen=True, slots=True)
class ReadFile:
    """What came of a file: its content's digest and the article, or why there is none; neither where the
    article is the one that is known."""

    digest: bytes
    prepared: Prepared | None
    failure: Failure | None


def content_digest(data: bytes) -> bytes:
    """16 bytes that change with the contents of a file."""
    return hashlib.blake2b(data, digest_size=16).digest()


def read_bytes(path: str) -> bytes:
    """The contents of a file; raises ArticleError where it cannot be read or is too large for an article."""
    from retrieval.parsing import MAX_BYTES

    try:
        with open(path, "rb") as file:  # noqa: PTH123 (once for every file)
            # Room for all that may be read is made first: for the most that an article may have, that takes
            # as long as the reading.
            size = os.fstat(file.fileno()).st_size or MAX_BYTES
            data = file.read(min(size, MAX_BYTES) + 1)
    except OSError as error:
        raise ArticleError(f"the file cannot be read: {error.strerror or error}", path=path) from error
    if len(data) > MAX_BYTES:
        raise ArticleError(f"the file has more than the {MAX_BYTES:,} bytes an article may have", path=path)
    return data


def digest_of(path: str) -> bytes:
    """The content digest of a file of any size; raises ArticleError where it cannot be read."""
    digest = hashlib.blake2b(digest_size=16)
    try:
        with open(path, "rb") as file:  # noqa: PTH123 (as above)
            while piece := file.read(1 << 20):
                digest.update(piece)
    except OSError as error:
        raise ArticleError(f"the file cannot be read: {error.strerror or error}", path=path) from error
    return digest.digest()


def read_file(task: FileTask, analyzer: Analyzer, recurring: frozenset[int] = frozenset()) -> ReadFile:
    """Read, parse and prepare one article, without its `recurring` lines; whatever is wrong with it becomes
    its failure."""
    try:
        data = task.data if task.data is not None or task.article is not None else read_bytes(task.path)
        article = read_article(task, data, recurring)
        if task.known and digest_as_stored(article) == task.known:
            return ReadFile(b"", None, None)
        prepared = prepare(article, analyzer)
    except ArticleError as error:
        return ReadFile(b"", None, Failure(path=task.path, reason=error.reason, line=error.line))
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        # A fault of the parser must not keep the other articles out.
        reason = f"it cannot be parsed ({type(error).__name__}: {error})"
        return ReadFile(b"", None, Failure(path=task.path, reason=reason, line=task.line))
    return ReadFile(content_digest(data) if data is not None else b"", prepared, None)


def read_article(task: FileTask, data: bytes | None, recurring: frozenset[int] = frozenset()) -> Article:
    """The article of a task, parsed and without its recurring lines; raises ArticleError."""
    from retrieval.parsing import parse_file
    from retrieval.parsing.boilerplate import without_lines
    from retrieval.parsing.jsonl import parse_line

    if task.article is not None:
        article = replace(task.article, id=task.article_id)
    elif task.line is not None:
        return replace(parse_line(data or b"", path=task.path, line=task.line), id=task.article_id)
    else:
        name, content = task.relative, data or b""
        if name.lower().endswith(".gz"):
            from retrieval.parsing.archive import unpack_gzip

            name, content = name[: -len(".gz")], unpack_gzip(content, path=task.path)
        article = parse_file(content, path=name, article_id=task.article_id)
    article = replace(article, path=task.path, url=article.url or task.address or None)
    return without_lines(article, recurring)


def read_files(
    tasks: Iterable[FileTask],
    analyzer: Analyzer,
    *,
    workers: int,
    user_dictionary: Path | None,
    recurring: frozenset[int] = frozenset(),
) -> Generator[ReadFile, None, None]:
    """Read articles in their order; with `workers` more than 0, in so many other processes, some way ahead.

    Finished articles are not for the workers.
    """
    if workers < 1:
        for task in tasks:
            yield read_file(task, analyzer, recurring)
        return
    with ThreadPoolExecutor(workers, thread_name_prefix="reading") as pool:
        local = _Workers(user_dictionary, recurring)
        waiting: deque[tuple[Future[list[ReadFile]], int]] = deque()
        size = 0
        try:
            for chunk in _chunked(tasks):
                waiting.append((pool.submit(local.read, chunk), _size(chunk)))
                size += waiting[-1][1]
                while len(waiting) >= _AHEAD or size > _AHEAD_BYTES:
                    future, done = waiting.popleft()
                    size -= done
                    yield from future.result()
            while waiting:
                yield from waiting.popleft()[0].result()
        finally:
            for future, _ in waiting:
                future.cancel()
            local.close()


class _Workers:
    """One worker process for each thread that asks, all ended by close()."""

    def __init__(self, user_dictionary: Path | None, recurring: frozenset[int]) -> None:
        self._dictionary = str(user_dictionary) if user_dictionary else ""
        self._recurring = sorted(recurring)
        self._own = threading.local()
        self._all: list[_Worker] = []
        self._guard = threading.Lock()
        self._closed = False

    def read(self, tasks: list[FileTask]) -> list[ReadFile]:
        """Have the worker of this thread read files; a file that kills its worker is reported as failed."""
        try:
            return self._worker().read(tasks)
        except _WorkerDiedError:
            self._discard()
        if len(tasks) == 1:
            reason = "it cannot be parsed (the parser died of it)"
            return [ReadFile(b"", None, Failure(path=tasks[0].path, reason=reason, line=tasks[0].line))]
        return [result for task in tasks for result in self.read([task])]

    def close(self) -> None:
        """End all workers."""
        with self._guard:
            self._closed = True
            for worker in self._all:
                worker.close()

    def _worker(self) -> "_Worker":
        worker: _Worker | None = getattr(self._own, "worker", None)
        if worker is None:
            with self._guard:
                if self._closed:
                    raise StorageError("the sync was broken off")
                worker = _Worker(self._dictionary, self._recurring)
                self._all.append(worker)
            self._own.worker = worker
        return worker

    def _discard(self) -> None:
        self._own.worker.close()
        self._own.worker = None


class _WorkerDiedError(Exception):
    """A worker process ended without an answer."""


class _Worker:
    """A child process that reads files."""

    def __init__(self, dictionary: str, recurring: list[int]) -> None:
        program = f"import sys; sys.path[:] = {sys.path!r}\n{_PROGRAM}"
        self._process = subprocess.Popen(  # noqa: S603 (our own interpreter and program)
            [sys.executable, "-c", program, dictionary], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._recurring: list[int] | None = recurring

    def read(self, tasks: list[FileTask]) -> list[ReadFile]:
        """Send the tasks, wait for the results."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            if self._recurring is not None:
                _send(self._recurring, self._process.stdin)
                self._recurring = None
            _send([_plain_task(task) for task in tasks], self._process.stdin)
            line = self._process.stdout.readline()
        except (OSError, ValueError) as error:
            raise _WorkerDiedError from error
        if not line.endswith(b"\n"):
            raise _WorkerDiedError
        results = json.loads(line)
        return [_result(values) for values in results]

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    continue
        self._process.wait()


def serve() -> None:
    """What a worker process does: read tasks from standard input until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # what a parser prints must not get between the answers
    analyzer = Analyzer(Path(sys.argv[1]) if sys.argv[1] else None)
    recurring = frozenset(json.loads(source.readline() or b"[]"))
    for line in source:
        tasks = [_task(values) for values in json.loads(line)]
        _send([_plain(read_file(task, analyzer, recurring)) for task in tasks], sink)


def _send(values: list[Any], pipe: IO[bytes]) -> None:
    pipe.write(json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode("utf-8") + b"\n")
    pipe.flush()


def _plain_task(task: FileTask) -> tuple[Any, ...]:
    data = None if task.data is None else base64.b64encode(task.data).decode("ascii")
    return task.path, task.relative, task.article_id, data, task.line, task.address, task.known.hex()


def _task(values: list[Any]) -> FileTask:
    path, relative, article_id, data, line, address, known = values
    return FileTask(
        path=path, relative=relative, article_id=article_id, line=line, address=address,
        data=None if data is None else base64.b64decode(data), known=bytes.fromhex(known),
    )  # fmt: skip


def _plain(result: ReadFile) -> tuple[Any, ...]:
    failure = (result.failure.path, result.failure.reason, result.failure.line) if result.failure else None
    return result.digest.hex(), to_plain(result.prepared) if result.prepared else None, failure


def _result(values: tuple[Any, ...]) -> ReadFile:
    digest, prepared, failure = values
    failed = Failure(path=failure[0], reason=failure[1], line=failure[2]) if failure else None
    return ReadFile(bytes.fromhex(digest), from_plain(prepared) if prepared else None, failed)


def _size(chunk: list[FileTask]) -> int:
    return sum(len(task.data) for task in chunk if task.data is not None)


def _chunked(tasks: Iterable[FileTask]) -> Iterator[list[FileTask]]:
    chunk: list[FileTask] = []
    for task in tasks:
        chunk.append(task)
        if len(chunk) == _CHUNK or _size(chunk) > _CHUNK_BYTES:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
