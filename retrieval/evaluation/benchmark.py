"""How fast: building an index, keeping it up to date, answering; at a size that is asked for."""

import gc
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

import numpy as np

from retrieval.types import Article

if TYPE_CHECKING:
    from embeddings.encoder import Encoder
    from retrieval.retriever import Retriever

_SUBJECTS = [
    "港口",
    "铁路",
    "桥梁",
    "学校",
    "医院",
    "公园",
    "工厂",
    "仓库",
    "机场",
    "水库",
    "博物馆",
    "体育场",
]
_PLACES = ["黑河", "上海", "武汉", "成都", "昆明", "南京", "大连", "厦门", "兰州", "桂林", "苏州", "青岛"]
_ACTS = ["建成", "启用", "扩建", "维修", "关闭", "搬迁", "验收", "开工", "停工", "改造"]
_CLAUSES = [
    "投资额为{n}万元",
    "占地{n}亩",
    "每天接待{n}人次",
    "共有{n}名职工",
    "距市区{n}公里",
    "使用了{n}吨钢材",
]
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
    """What was measured, all times in seconds unless a name says otherwise."""

    articles: int
    passages: int
    build_seconds: float
    passages_per_second: float
    add_seconds: float
    remove_seconds: float
    open_seconds: float
    search_ms: Mapping[str, Latency]

    def to_json(self) -> str:
        """One JSON object."""
        return json.dumps(asdict(self), ensure_ascii=False)


def benchmark(
    passages: int,
    *,
    articles: Iterable[Article] | None = None,
    queries: Sequence[str] = (),
    repeat: int = 300,
    encoder: "str | Encoder | None" = None,
    folder: Path | None = None,
) -> Benchmark:
    """Build an index of at least so many passages and measure it.

    `articles` are made up where none are given, and repeated under new ids where they are too few; the same
    goes for `queries`. The index is made in `folder`, or in a temporary one that is removed afterwards.
    """
    from retrieval.retriever import Retriever

    with TemporaryDirectory(prefix="wenda-benchmark-") as temporary:
        place = (folder or Path(temporary)) / "index"
        supply = _endless(articles)
        with Retriever.open(place, encoder=encoder) as retriever:
            build_seconds = _fill(retriever, supply, passages)
            add_seconds, remove_seconds = _update(retriever, list(islice(supply, 100)))
            status = retriever.status()
        started = perf_counter()
        with Retriever.open(place, encoder=encoder) as retriever:
            questions = list(queries) or list(islice(_questions(), 100))
            retriever.search(questions[0])
            open_seconds = perf_counter() - started
            search = {
                "questions": _latency(retriever, list(islice(cycle(questions), repeat))),
                "adversarial": _latency(retriever, list(_ADVERSARIAL) * 3),
            }
    return Benchmark(
        articles=status.articles,
        passages=status.passages,
        build_seconds=build_seconds,
        passages_per_second=status.passages / build_seconds,
        add_seconds=add_seconds,
        remove_seconds=remove_seconds,
        open_seconds=open_seconds,
        search_ms=search,
    )


def table(result: Benchmark) -> str:
    """The figures as a Markdown table."""
    rows = [
        ("passages", f"{result.passages:,}"),
        ("articles", f"{result.articles:,}"),
        ("build", f"{result.build_seconds:.1f} s ({result.passages_per_second:,.0f} passages/s)"),
        ("add 100 articles until searchable", f"{result.add_seconds:.2f} s"),
        ("remove them", f"{result.remove_seconds:.2f} s"),
        ("open until first answer", f"{result.open_seconds:.2f} s"),
    ]
    rows += [
        (f"search, {kind}: p50 / p95 / slowest", f"{row.p50:.1f} / {row.p95:.1f} / {row.slowest:.1f} ms")
        for kind, row in result.search_ms.items()
    ]
    return "\n".join(
        ["| measure | value |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in rows)]
    )


def plot(results: Sequence[Benchmark], path: Path) -> None:
    """Search latency against size as a PNG. Raises ImportError where matplotlib is not installed."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    sizes = [result.passages for result in results]
    axes.plot(sizes, [result.search_ms["questions"].p50 for result in results], marker="o", label="p50")
    axes.plot(sizes, [result.search_ms["questions"].p95 for result in results], marker="o", label="p95")
    axes.set_xlabel("passages")
    axes.set_ylabel("ms per question")
    axes.set_ylim(bottom=0)
    axes.legend()
    figure.savefig(path, dpi=150)


def made_up_articles() -> Iterator[Article]:
    """Endlessly many articles of three paragraphs, alike in form and different in their figures."""
    for number in range(1_000_000_000):
        place, subject = _PLACES[number % 12], _SUBJECTS[number // 12 % 12]
        title = f"{place}第{number}号{subject}{_ACTS[number // 144 % 10]}"
        paragraphs = [
            f"{title}。"
            + "，".join(_clause(number * 18 + 6 * part + place_in) for place_in in range(6))
            + "。"
            for part in range(3)
        ]
        yield Article(id=f"made-up-{number}", title=title, text="\n".join(paragraphs))


def _clause(number: int) -> str:
    return _CLAUSES[number % 6].format(n=number * 7919 % 99_991)


def _questions() -> Iterator[str]:
    for number in range(1_000_000_000):
        yield f"{_PLACES[number * 5 % 12]}第{number * 37}号{_SUBJECTS[number * 7 % 12]}占地多少亩？"


def _endless(articles: Iterable[Article] | None) -> Iterator[Article]:
    if articles is None:
        yield from made_up_articles()
        return
    given = list(articles)
    if not given:
        yield from made_up_articles()
        return
    for round_number in range(1_000_000_000):
        for article in given:
            yield Article(id=f"{round_number}-{article.id}", title=article.title, text=article.text)


def _fill(retriever: "Retriever", supply: Iterator[Article], passages: int) -> float:
    started = perf_counter()
    while (missing := passages - retriever.status().passages) > 0:
        known = retriever.status()
        per_article = known.passages / known.articles if known.articles else 3.0
        retriever.add(list(islice(supply, min(20_000, max(1, int(missing / per_article + 1))))))
    return perf_counter() - started


def _update(retriever: "Retriever", articles: Sequence[Article]) -> tuple[float, float]:
    started = perf_counter()
    retriever.add(articles)
    retriever.search(articles[0].text[:20], top_k=1)
    added = perf_counter()
    retriever.remove([article.id for article in articles])
    retriever.search(articles[0].text[:20], top_k=1)
    return added - started, perf_counter() - added


def _latency(retriever: "Retriever", questions: Sequence[str]) -> Latency:
    wall, processor = [], []
    gc.collect()
    for question in questions:
        began, cpu = perf_counter(), process_time()
        retriever.search(question)
        wall.append((perf_counter() - began) * 1000)
        processor.append((process_time() - cpu) * 1000)
    return Latency(
        count=len(wall),
        p50=round(float(np.quantile(wall, 0.5)), 2),
        p95=round(float(np.quantile(wall, 0.95)), 2),
        slowest=round(max(wall), 2),
        processor_p50=round(float(np.quantile(processor, 0.5)), 2),
    )


def read_questions(path: Path) -> list[str]:
    """Questions for the benchmark: queries.jsonl of a data set, or one question a line."""
    if path.suffix == ".jsonl":
        from retrieval.evaluation.datasets import read_json_lines

        rows: list[dict[str, Any]] = [row for row, _ in read_json_lines(path)]
        return [str(row.get("text", "")) for row in rows]
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
