"""Reading many articles at once, in worker processes.

The workers are plain child processes that are spoken to over their pipes. They are not multiprocessing's:
its children import the caller's main module again, which a script without a guard does not survive.
"""

import os
import queue
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import IO, Self, TextIO

from embeddings.encoder import Encoder
from retrieval.errors import StorageError
from retrieval.file_reading import FileTask, ReadFile, read_files
from retrieval.lexical.analyzer import Analyzer
from retrieval.passage_vectors import load_again, loadable_elsewhere
from retrieval.preparation import TOGETHER
from retrieval.types import Failure
from retrieval.worker_messages import Errand, errand, pack, receive, results

_PROGRAM = "from retrieval.reading_workers import serve; serve()"
_AHEAD = 256
"""Chunks that may be under way or waiting to be taken: as much as the workers do while a batch is
committed."""

_CHUNK_BYTES, _AHEAD_BYTES = 500_000, 30_000_000
"""Bytes of items that one chunk, and all chunks that are under way, may have before no more are taken."""

_ANSWER_BYTES = 1 << 18
"""Of an answer, roughly: taken in fewer steps, between each two of which its reader may have to wait."""

_MOST_WORKERS = 4

_NICENESS = 10
"""Workers give way to the process that stores what they read, so that little is left to store when they are
done, and to all that answer questions meanwhile."""


class Workers:
    """Processes that read articles. They start with this object, all by themselves: whoever makes it can do
    something else meanwhile. Ended by close(), or at the end of a `with`."""

    def __init__(
        self, user_dictionary: Path | None, count: int | None = None, encoder: Encoder | None = None
    ) -> None:
        """So many workers; as many as there are processors, up to four, where it is not said. Passages have
        vectors, if the encoder is one that each worker can load for itself."""
        self._count = count or min(os.cpu_count() or 1, _MOST_WORKERS)
        dictionary = str(user_dictionary) if user_dictionary else ""
        self._arguments = [dictionary, *((encoder and loadable_elsewhere(encoder)) or ())]
        self._idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        self._all: list[_Worker] = []
        self._closed = False
        for _ in range(self._count):
            self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def processes(self) -> list[int]:
        """The numbers of the processes that were started."""
        return [worker.process_id for worker in self._all]

    def close(self) -> None:
        """End all workers."""
        self._closed = True
        for worker in self._all:
            worker.close()

    def read(
        self, tasks: Iterable[FileTask], recurring: frozenset[int] = frozenset()
    ) -> Generator[ReadFile, None, None]:
        """Read articles in their order, without their `recurring` lines, some way ahead of whoever takes
        them. Finished articles are not for the workers."""
        lines = sorted(recurring)
        waiting: deque[tuple[Future[list[ReadFile]], int]] = deque()
        with ThreadPoolExecutor(self._count, thread_name_prefix="reading") as pool:
            size = 0
            try:
                for chunk in chunked(tasks):
                    waiting.append((pool.submit(self._read, chunk, lines), _size(chunk)))
                    size += waiting[-1][1]
                    while len(waiting) >= _AHEAD or size > _AHEAD_BYTES:
                        future, done = waiting.popleft()
                        size -= done
                        yield from future.result()
                while waiting:
                    yield from waiting.popleft()[0].result()
            finally:
                if waiting:  # broken off
                    for future, _ in waiting:
                        future.cancel()
                    self.close()

    def _read(self, tasks: list[FileTask], recurring: list[int]) -> list[ReadFile]:
        """Have the next free worker read files; a file that kills its worker is reported as failed."""
        if self._closed:
            raise StorageError("the sync was broken off")
        worker = self._idle.get()  # one for each thread, as long as they are not ended
        try:
            read = worker.read(tasks, recurring)
        except _WorkerDiedError:
            worker.close()
            self._start()
        else:
            self._idle.put(worker)
            return read
        if len(tasks) == 1:
            reason = "it cannot be parsed (the parser died of it)"
            return [ReadFile(b"", None, Failure(path=tasks[0].path, reason=reason, line=tasks[0].line))]
        return [result for task in tasks for result in self._read([task], recurring)]

    def _start(self) -> None:
        if self._closed:
            raise StorageError("the sync was broken off")
        worker = _Worker(self._arguments)
        self._all.append(worker)
        self._idle.put(worker)


class _WorkerDiedError(Exception):
    """A worker process ended without an answer."""


class _Worker:
    """A child process that reads files."""

    def __init__(self, arguments: list[str]) -> None:
        program = f"import sys; sys.path[:] = {sys.path!r}\n{_PROGRAM}"
        self._process = subprocess.Popen(  # noqa: S603 (our own interpreter and program)
            [sys.executable, "-c", program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            bufsize=_ANSWER_BYTES,
        )  # fmt: skip
        self._recurring: list[int] = []

    def read(self, tasks: list[FileTask], recurring: list[int]) -> list[ReadFile]:
        """Send the tasks, wait for the results."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        told = recurring if recurring != self._recurring else None
        try:
            _send(pack(Errand(told, tasks)), self._process.stdin)
            answer = receive(self._process.stdout)
        except (OSError, ValueError) as error:
            raise _WorkerDiedError from error
        if answer is None:
            raise _WorkerDiedError
        self._recurring = recurring
        return results(answer)

    @property
    def process_id(self) -> int:
        """The number of the process."""
        return self._process.pid

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
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    source, sink = sys.stdin.buffer, whole_writes(sys.stdout)
    sys.stdout = sys.stderr  # what a parser prints must not get between the answers
    analyzer = Analyzer(Path(sys.argv[1]) if sys.argv[1] else None)
    encoder = load_again(*sys.argv[2:4]) if len(sys.argv) > 2 else None
    _warm_up(analyzer)
    recurring: frozenset[int] = frozenset()
    while (message := receive(source)) is not None:
        asked = errand(message)
        if asked.recurring is not None:
            recurring = frozenset(asked.recurring)
        _send(pack(read_files(asked.tasks, analyzer, recurring, encoder)), sink)


def whole_writes(output: TextIO) -> IO[bytes]:
    """The bytes of a standard stream, written as a whole whatever happens.

    Where PYTHONUNBUFFERED is set, as it often is in containers, the stream itself takes only part of what it
    is given when the process is stopped and continued meanwhile.
    """
    return os.fdopen(output.fileno(), "wb", closefd=False)


def _warm_up(analyzer: Analyzer) -> None:
    """Load what the first article needs, before it comes."""
    import retrieval.parsing
    import retrieval.parsing.jsonl  # noqa: F401

    analyzer.terms("准备")


def _send(message: bytes, pipe: IO[bytes]) -> None:
    pipe.write(message)
    pipe.flush()


def _size(chunk: list[FileTask]) -> int:
    return sum(len(task.data) for task in chunk if task.data is not None)


def chunked(tasks: Iterable[FileTask]) -> Iterator[list[FileTask]]:
    """Tasks that are read together: not too many, nor too much."""
    chunk: list[FileTask] = []
    for task in tasks:
        chunk.append(task)
        if len(chunk) == TOGETHER or _size(chunk) > _CHUNK_BYTES:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
