"""How fast: building an index from files, keeping it up to date, answering; at a size that is asked for."""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from embeddings.encoder import Vectors
from retrieval.errors import RetrievalError
from retrieval.evaluation.made_up import made_up_articles, made_up_questions, varied, write_files
from retrieval.evaluation.memory import MemoryMeter
from retrieval.types import Article

if TYPE_CHECKING:
    from retrieval.retriever import Retriever
    from retrieval.storage.reading import Reader

_UPDATES = 7
_BATCH = 100
_RECALL_QUESTIONS = 50
_WARMING = 200
_NEAREST = 100
_BLOCK = 16_384
_ADVERSARIAL = (
    "的" * 4000,
    "黑河" * 2000,
    " ".join("abcdefghij"[: 1 + number % 10] + str(number) for number in range(700)),
    "(((((" * 800,
    "？" * 4000,
    "".join(chr(0x4E00 + number * 7 % 20000) for number in range(4000)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Milliseconds of wall time, and of processor time, for one kind of question."""

    count: int
    p50: float
    p95: float
    slowest: float
    processor_p50: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """What was measured, all times in seconds unless a name says otherwise, memory in megabytes.

    `build` is the first `index` of a folder, `again` the second one, in which nothing has changed. An article
    is added, changed and removed by one process until another one that has the index open finds it; a hundred
    are added until their own process finds them. `recall` is that of the dense side: of the 100 passages that
    are nearest to a question.
    """

    articles: int
    passages: int
    build_seconds: float
    passages_per_second: float
    build_megabytes: float
    again_seconds: float
    add_seconds: float
    change_seconds: float
    remove_seconds: float
    add_hundred_seconds: float
    cold_start_seconds: float
    status_ms: float
    serving_megabytes: float
    recall: float
    questions: Latency
    adversarial: Latency

    def to_json(self) -> str:
        """One JSON object."""
        return json.dumps(asdict(self), ensure_ascii=False)


def benchmark(
    passages: int,
    *,
    articles: Iterable[Article] | None = None,
    queries: Sequence[str] = (),
    repeat: int = 300,
    encoder: str | None = None,
    folder: Path | None = None,
) -> Benchmark:
    """Build an index of at least so many passages and measure it.

    `articles` are made up where none are given, and varied where they are too few; so are `queries`. Articles
    and index are written below `folder`, or where temporary files go, and removed afterwards.
    Raises RetrievalError where a child process fails.
    """
    from retrieval.retriever import Retriever

    with TemporaryDirectory(prefix="wenda-benchmark-", dir=folder) as temporary:
        files, index = Path(temporary) / "articles", Path(temporary) / "index"
        supply = varied(articles) if articles is not None else made_up_articles()
        write_files(supply, files, passages=passages)
        command = ["index", str(files), "--index", str(index), *(["--encoder", encoder] if encoder else [])]
        build_seconds, build_megabytes = _run("retrieval", *command)
        again_seconds, _ = _run("retrieval", *command)
        asking = cycle(queries or list(islice(made_up_questions(), 100)))
        questions, warming = list(islice(asking, repeat)), list(islice(asking, _WARMING))
        asked, slow = _answers(index, warming, questions), _answers(index, warming, list(_ADVERSARIAL))
        with Retriever.open(index) as retriever:
            status = retriever.status()
            recall = _recall(retriever, questions[:_RECALL_QUESTIONS])
            updates = _updates(retriever, index)
            add_hundred = _add_hundred(retriever)
    return Benchmark(
        articles=status.articles,
        passages=status.passages,
        build_seconds=build_seconds,
        passages_per_second=status.passages / build_seconds,
        build_megabytes=build_megabytes,
        again_seconds=again_seconds,
        add_seconds=updates["add"],
        change_seconds=updates["change"],
        remove_seconds=updates["remove"],
        add_hundred_seconds=add_hundred,
        cold_start_seconds=asked["cold_start"],
        status_ms=asked["status_ms"],
        serving_megabytes=asked["megabytes"],
        recall=recall,
        questions=Latency(**asked["latency"]),
        adversarial=Latency(**slow["latency"]),
    )


def read_questions(path: Path) -> list[str]:
    """Questions for the benchmark: queries.jsonl of a data set, or one question a line."""
    if path.suffix == ".jsonl":
        from retrieval.evaluation.datasets import read_json_lines

        rows: list[dict[str, Any]] = [row for row, _ in read_json_lines(path)]
        return [str(row.get("text", "")) for row in rows]
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _run(module: str, *arguments: str) -> tuple[float, float]:
    """Seconds of a child process, and the memory that it and its workers took at most."""
    started = time.perf_counter()
    with subprocess.Popen(  # noqa: S603 (our own program)
        [sys.executable, "-m", module, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        with MemoryMeter(child.pid) as meter:
            _, errors = child.communicate()
        if child.returncode:
            raise RetrievalError(f"measuring failed: {errors.strip()}")
    return time.perf_counter() - started, meter.peak


def _answers(index: Path, warming: list[str], questions: list[str]) -> dict[str, Any]:
    """What a process that has just been started measures; see retrieval.evaluation.serving."""
    started = time.time()
    child = subprocess.run(  # noqa: S603 (our own program)
        [sys.executable, "-m", "retrieval.evaluation.serving", "answer", str(index)],
        input=json.dumps([warming, questions]) + "\n", capture_output=True, text=True, check=False,
    )  # fmt: skip
    if child.returncode:
        raise RetrievalError(f"measuring failed: {child.stderr.strip()}")
    result: dict[str, Any] = json.loads(child.stdout)
    return result | {"cold_start": result["first"] - started}


def _recall(retriever: "Retriever", questions: Sequence[str]) -> float:
    """The share of the passages nearest to each question, by exact search, that the vector index finds."""
    from retrieval.local import LocalIndex

    vectors = retriever.encoder.encode_queries(list(dict.fromkeys(questions)))
    vectors = vectors[np.linalg.norm(vectors, axis=1) > 0]
    with retriever.reading() as index, index.view() as backend:
        assert isinstance(index, LocalIndex)
        nearest = _exact(index.reader(), vectors)
        found = [backend.dense(vector, _NEAREST).ids for vector in vectors]
    hits = [len(np.intersect1d(a, b)) / len(b) for a, b in zip(found, nearest, strict=True)]
    return float(np.mean(hits))


def _exact(reader: "Reader", queries: Vectors) -> NDArray[np.int64]:
    """The passages whose stored vectors are nearest to each query: (len(queries), _NEAREST or fewer)."""
    ((first, last),) = reader.rows("SELECT min(passage), max(passage) FROM vectors")
    ids = np.empty((len(queries), 0), dtype=np.int64)
    scores = np.empty((len(queries), 0), dtype=np.float32)
    for start in range(first, last + 1, _BLOCK):
        numbers, vectors = reader.vectors_between(start, start + _BLOCK - 1, queries.shape[1])
        scores = np.concatenate([scores, queries @ vectors.T], axis=1)
        ids = np.concatenate([ids, np.broadcast_to(numbers, (len(queries), len(numbers)))], axis=1)
        if ids.shape[1] > _NEAREST:
            best = np.argpartition(scores, -_NEAREST, axis=1)[:, -_NEAREST:]
            ids, scores = np.take_along_axis(ids, best, 1), np.take_along_axis(scores, best, 1)
    return ids


def _updates(retriever: "Retriever", index: Path) -> dict[str, float]:
    """Seconds until another process finds an article that was added, changed, removed: the medians."""
    command = [sys.executable, "-m", "retrieval.evaluation.serving", "watch", str(index)]
    times: dict[str, list[float]] = {"add": [], "change": [], "remove": []}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:  # noqa: S603
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdout.readline()
        for number in range(_UPDATES):
            first, second = f"Xq{number}w", f"Yq{number}w"
            steps = (("add", first, True), ("change", second, True), ("remove", second, False))
            for kind, word, wanted in steps:
                child.stdin.write(json.dumps([word, wanted]) + "\n")
                child.stdin.flush()
                started = time.time()
                if wanted:
                    retriever.add([_lighthouse("measured", word)])
                else:
                    retriever.remove(["measured"])
                times[kind].append(json.loads(child.stdout.readline()) - started)
    return {kind: statistics.median(seconds) for kind, seconds in times.items()}


def _add_hundred(retriever: "Retriever") -> float:
    """Seconds until a hundred new passages are found by the process that adds them: the median."""
    seconds = []
    for turn in range(_UPDATES):
        articles = [_lighthouse(f"measured-{number}", f"Zq{turn}{number}w") for number in range(_BATCH)]
        started = time.perf_counter()
        retriever.add(articles)
        retriever.search(f"Zq{turn}42w", top_k=1)
        seconds.append(time.perf_counter() - started)
        retriever.remove([article.id for article in articles])
    return statistics.median(seconds)


def _lighthouse(article_id: str, name: str) -> Article:
    text = f"{name}是一座新建的灯塔，位于东海之滨，高三十六米，每晚照射二十海里。"
    return Article(id=article_id, title=f"{name}灯塔", text=text)
