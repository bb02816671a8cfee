"""Reading article files: in this process, or many at once in worker processes.

The workers are plain child processes that speak JSON lines over their pipes. They are not multiprocessing's:
its children import the caller's main module again, which a script without a guard does not survive.
"""

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
from retrieval.preparation import Prepared, from_plain, prepare, to_plain
from retrieval.types import Failure

_PROGRAM = "from retrieval.file_reading import serve; serve()"
_CHUNK = 16
_AHEAD = 128
"""Chunks that may be under way or waiting to be taken: as much as the workers do while a batch is
committed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTask:
    """A file to read: absolute path, path within its source, and the id its article shall have."""

    path: str
    relative: str
    article_id: str


@dataclass(frozen=True, slots=True)
class ReadFile:
    """What came of a file: its content's digest and the article, or why there is none."""

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


def read_file(task: FileTask, analyzer: Analyzer) -> ReadFile:
    """Read, parse and prepare one file; whatever is wrong with it becomes its failure."""
    from retrieval.parsing import parse_file

    try:
        data = read_bytes(task.path)
        article = parse_file(data, path=task.relative, article_id=task.article_id)
        prepared = prepare(replace(article, path=task.path), analyzer)
    except ArticleError as error:
        return ReadFile(b"", None, Failure(path=task.path, reason=error.reason, line=error.line))
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        # A fault of the parser must not keep the other articles out.
        reason = f"it cannot be parsed ({type(error).__name__}: {error})"
        return ReadFile(b"", None, Failure(path=task.path, reason=reason))
    return ReadFile(content_digest(data), prepared, None)


def read_files(
    tasks: Iterable[FileTask], analyzer: Analyzer, *, workers: int, user_dictionary: Path | None
) -> Generator[ReadFile, None, None]:
    """Read files in their order; with `workers` more than 0, in so many other processes, some way ahead."""
    if workers < 1:
        for task in tasks:
            yield read_file(task, analyzer)
        return
    chunks = _chunked(tasks)
    with ThreadPoolExecutor(workers, thread_name_prefix="reading") as pool:
        local = _Workers(user_dictionary)
        waiting: deque[Future[list[ReadFile]]] = deque()
        try:
            for chunk in chunks:
                waiting.append(pool.submit(local.read, chunk))
                if len(waiting) >= _AHEAD:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
            local.close()


class _Workers:
    """One worker process for each thread that asks, all ended by close()."""

    def __init__(self, user_dictionary: Path | None) -> None:
        self._dictionary = str(user_dictionary) if user_dictionary else ""
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
            return [ReadFile(b"", None, Failure(path=tasks[0].path, reason=reason))]
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
                worker = _Worker(self._dictionary)
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

    def __init__(self, dictionary: str) -> None:
        program = f"import sys; sys.path[:] = {sys.path!r}\n{_PROGRAM}"
        self._process = subprocess.Popen(  # noqa: S603 (our own interpreter and program)
            [sys.executable, "-c", program, dictionary], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def read(self, tasks: list[FileTask]) -> list[ReadFile]:
        """Send the tasks, wait for the results."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            _send([(task.path, task.relative, task.article_id) for task in tasks], self._process.stdin)
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
    for line in source:
        tasks = [
            FileTask(path=path, relative=relative, article_id=article_id)
            for path, relative, article_id in json.loads(line)
        ]
        _send([_plain(read_file(task, analyzer)) for task in tasks], sink)


def _send(values: list[Any], pipe: IO[bytes]) -> None:
    pipe.write(json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode("utf-8") + b"\n")
    pipe.flush()


def _plain(result: ReadFile) -> tuple[Any, ...]:
    failure = (result.failure.path, result.failure.reason, result.failure.line) if result.failure else None
    return result.digest.hex(), to_plain(result.prepared) if result.prepared else None, failure


def _result(values: tuple[Any, ...]) -> ReadFile:
    digest, prepared, failure = values
    failed = Failure(path=failure[0], reason=failure[1], line=failure[2]) if failure else None
    return ReadFile(bytes.fromhex(digest), from_plain(prepared) if prepared else None, failed)


def _chunked(tasks: Iterable[FileTask]) -> Iterator[list[FileTask]]:
    chunk: list[FileTask] = []
    for task in tasks:
        chunk.append(task)
        if len(chunk) == _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
