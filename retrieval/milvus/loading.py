"""Loading a large archive: worker processes read, encode and upload shards of files, this one commits them.

A shard's files are read and prepared by a worker, which tells how many rows they will have. The loader gives
it numbers for them; the worker uploads its rows under these, beyond what the head counts, while others upload
theirs. Shards are committed in the order of their numbers, each with one new head. Broken off at any moment,
what was committed is complete, the rest is cleared away by the next writer, and loading again goes on.
"""

import contextlib
import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import IO, Any

import numpy as np

from retrieval.errors import RetrievalError, StorageError
from retrieval.locations import MilvusLocation
from retrieval.milvus.frequencies import unpack
from retrieval.milvus.head import Numbers
from retrieval.milvus.schema import Collections
from retrieval.milvus.terms import MeanLengths
from retrieval.milvus.writing import Loaded, MilvusWriter
from retrieval.sources import FoundFile
from retrieval.types import Failure

_PROGRAM = "from retrieval.milvus.load_worker import serve; serve()"

Shard = Sequence[tuple[FoundFile, str]]
"""Files with the ids of their articles."""

Progress = Callable[[int, int], None]
"""Called with the files done and the passages that they have."""


@dataclass(slots=True)
class LoadReport:
    """What was loaded: ids of articles, files that could not be read, passages."""

    added: list[str] = field(default_factory=list)
    duplicates: dict[str, str] = field(default_factory=dict)
    failed: list[Failure] = field(default_factory=list)
    passages: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a worker needs to know before the first shard."""

    location: MilvusLocation
    collections: Collections
    encoder: str
    dictionary: str | None

    def to_line(self) -> dict[str, Any]:
        """As JSON takes it; over a pipe, where nobody else sees the token."""
        return {
            "location": asdict(self.location), "collections": asdict(self.collections),
            "encoder": self.encoder, "dictionary": self.dictionary,
        }  # fmt: skip


class Loader:
    """Gives out shards and numbers, and commits in order. One for one load."""

    def __init__(self, writer: MilvusWriter, setting: Setting, *, progress: Progress | None = None) -> None:
        self._writer = writer
        self._setting = setting
        self._progress = progress
        self._guard = threading.Condition()
        self._assigned = writer.numbers
        self._key = writer.key
        self._means: MeanLengths | None = writer.means
        self._turn = self._numbered = 0
        self._texts: dict[str, str] = {}
        self._done = 0
        self.report = LoadReport()

    def load(self, files: Sequence[tuple[FoundFile, str]], *, workers: int, shard: int) -> LoadReport:
        """Load files under the ids that their articles shall have."""
        shards = [files[start : start + shard] for start in range(0, len(files), shard)]
        if not shards:
            return self.report
        self._writer.begin_loading()
        supply = iter(enumerate(shards))
        with ThreadPoolExecutor(min(workers, len(shards)), thread_name_prefix="loading") as pool:
            running = [pool.submit(self._work, supply) for _ in range(min(workers, len(shards)))]
            for each in running:
                each.result()
        return self.report

    def _work(self, supply: Iterator[tuple[int, Shard]]) -> None:
        with contextlib.closing(_Worker(self._setting)) as worker:
            while (found := self._next(supply)) is not None:
                self._take(worker, *found)

    def _take(self, worker: "_Worker", turn: int, shard: Shard) -> None:
        """Have a shard loaded. Whatever happens to it, those after it get their turn."""
        told: Mapping[str, Any] = {"articles": [], "failed": [], "lengths": []}
        uploaded: Mapping[str, Any] | None = None
        given: Mapping[str, Any] | None = None
        try:
            told = worker.ask({"shard": [_task(found, article_id) for found, article_id in shard]})
            given = self._give_numbers(turn, told)
            uploaded = worker.ask(given)
        finally:
            given = given or self._give_numbers(turn, told)
            self._in_turn(turn, told, given, uploaded)

    def _next(self, supply: Iterator[tuple[int, Shard]]) -> tuple[int, Shard] | None:
        with self._guard:
            return next(supply, None)

    def _give_numbers(self, turn: int, told: Mapping[str, Any]) -> dict[str, Any]:
        """The numbers of a shard's rows, after those of the shards before it."""
        with self._guard:
            self._guard.wait_for(lambda: self._numbered == turn)
            if self._means is None:
                self._means = MeanLengths.of([tuple(each) for each in told["lengths"]])
            duplicates = self._duplicates(told["articles"])
            start, key = self._assigned, self._key
            kept = [row for row in told["articles"] if row["id"] not in duplicates]
            self._assigned = Numbers(
                passages=start.passages + sum(row["passages"] for row in kept),
                articles=start.articles + sum(row["parts"] for row in kept) + len(duplicates),
                files=start.files + len(told["articles"]),
            )
            self._key += len(told["articles"])
            self._numbered += 1
            self._guard.notify_all()
            means = asdict(self._means)
        return {"first": asdict(start), "key": key, "duplicates": duplicates, "means": means}

    def _duplicates(self, articles: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        """Articles whose text is stored already, or is under way → the one that has it."""
        found: dict[str, str] = {}
        for row in articles:
            if not row["passages"]:
                continue
            original = self._texts.get(row["text_digest"])
            if original is None:
                stored = self._writer.reader.with_text(bytes.fromhex(row["text_digest"]))
                original = stored.id if stored else None
            if original is None:
                self._texts[row["text_digest"]] = row["id"]
            else:
                found[row["id"]] = original
        return found

    def _in_turn(
        self,
        turn: int,
        told: Mapping[str, Any],
        given: Mapping[str, Any],
        uploaded: Mapping[str, Any] | None,
    ) -> None:
        """Commit a shard after those before it; one that was not uploaded leaves a gap, which is cleared."""
        with self._guard:
            self._guard.wait_for(lambda: self._turn == turn)
            try:
                self._commit(told, given, uploaded)
            finally:
                self._turn += 1
                self._guard.notify_all()

    def _commit(
        self, told: Mapping[str, Any], given: Mapping[str, Any], uploaded: Mapping[str, Any] | None
    ) -> None:
        articles, duplicates = told["articles"], given["duplicates"]
        kept = [row for row in articles if row["id"] not in duplicates]
        start = Numbers(**given["first"])
        passages = sum(row["passages"] for row in kept)
        loaded = Loaded(
            passages=passages,
            article_rows=sum(row["parts"] for row in kept) + len(duplicates),
            files=len(articles),
            articles=len(articles),
            key=given["key"] + len(articles),
            days=[row["day"] for row in articles],
            publications=Counter(name for row in articles for name in row["publications"]),
            digests=[row["digests"] for row in articles],
            terms=_counted(uploaded["terms"]) if uploaded is not None else Counter(),
            means=MeanLengths(**given["means"]),
        )
        if uploaded is None:
            self._writer.pass_over(start, loaded)
            return
        self._writer.commit_loaded(loaded)
        self._done += len(articles) + len(told["failed"])
        self.report.added += [row["id"] for row in articles]
        self.report.duplicates |= duplicates
        self.report.failed += [
            Failure(path=path, reason=reason, line=line) for path, reason, line in told["failed"]
        ]
        self.report.passages += passages
        if self._progress is not None:
            self._progress(self._done, self.report.passages)


class _Worker:
    """A child process that loads shards."""

    def __init__(self, setting: Setting) -> None:
        program = f"import sys; sys.path[:] = {sys.path!r}\n{_PROGRAM}"
        self._process = subprocess.Popen(  # noqa: S603 (our own interpreter and program)
            [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._send(setting.to_line())

    def ask(self, line: Mapping[str, Any]) -> dict[str, Any]:
        """Send a line, wait for the answer; raises RetrievalError with what went wrong there."""
        self._send(line)
        assert self._process.stdout is not None
        answer = self._process.stdout.readline()
        if not answer.endswith(b"\n"):
            raise StorageError(
                "a loading process ended: what was committed is kept; load again to do the rest"
            )
        values: dict[str, Any] = json.loads(answer)
        if "error" in values:
            raise RetrievalError(values["error"])
        return values

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self._process.wait()

    def _send(self, line: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # the answer that does not come tells
            send(line, self._process.stdin)


def send(values: Mapping[str, Any], pipe: IO[bytes]) -> None:
    """One JSON line."""
    pipe.write(json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode("utf-8") + b"\n")
    pipe.flush()


def _task(found: FoundFile, article_id: str) -> dict[str, Any]:
    return {
        "path": found.path, "relative": found.relative, "article_id": article_id, "size": found.size,
        "mtime_ns": found.mtime_ns, "checked_ns": found.checked_ns,
    }  # fmt: skip


def _counted(packed: Sequence[str]) -> Counter[int]:
    pairs = np.concatenate([unpack(text) for text in packed]) if packed else np.empty((0, 2), np.uint32)
    return Counter(dict(pairs.tolist()))
