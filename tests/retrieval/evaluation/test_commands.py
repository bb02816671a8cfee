"""The commands of evaluation, run on a data set of six documents with the bundled encoder."""

import json
import sys
from dataclasses import asdict, fields
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import pytest
from click.testing import CliRunner

from retrieval import Article, Retriever
from retrieval.cli import cli
from retrieval.evaluation.benchmark import Benchmark, Latency
from retrieval.evaluation.benchmark_report import plot, table
from retrieval.ranking.calibration import default_calibration

DOCUMENTS = {
    "port": "黑河口岸建成边境仓五个，海外仓十二个，分布在俄罗斯远东地区。",
    "cars": "利源达的越野车型拿到了欧亚经济联盟的认证，首批车辆发往布拉戈维申斯克。",
    "wheat": "尼罗河每年七月泛滥，带来淤泥，埃及人靠它种小麦。",
    "rhine": "莱茵河发源于瑞士阿尔卑斯山，流经六国，注入北海。",
    "loire": "卢瓦尔河沿岸有三百多座城堡，其中香波堡最大，有四百四十个房间。",
    "amur": "黑龙江全长四千四百四十公里，是中俄界河。",
}
QUESTIONS = {
    "q1": ("黑河建成了多少个海外仓？", "port", "十二个"),
    "q2": ("利源达的车型拿到了什么认证？", "cars", "欧亚经济联盟"),
    "q3": ("尼罗河什么时候泛滥？", "wheat", "七月"),
    "q4": ("莱茵河发源于哪里？", "rhine", "阿尔卑斯山"),
}


def lines(rows: list[dict[str, object]]) -> str:
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n"


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    folder = tmp_path / "rivers"
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text(
        lines([{"_id": key, "text": text} for key, text in DOCUMENTS.items()])
    )
    (folder / "queries.jsonl").write_text(
        lines([{"_id": key, "text": row[0]} for key, row in QUESTIONS.items()])
    )
    (folder / "answers.jsonl").write_text(
        lines([{"_id": key, "answers": [row[2]]} for key, row in QUESTIONS.items()])
    )
    judged = "".join(f"{key}\t{row[1]}\t1\n" for key, row in QUESTIONS.items())
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n" + judged)
    return folder


@pytest.fixture
def foreign(tmp_path: Path, dataset: Path) -> Path:
    folder = tmp_path / "foreign"
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text(lines([{"_id": "dog", "text": "训练小狗坐下要有耐心。"}]))
    (folder / "queries.jsonl").write_text(lines([{"_id": "f1", "text": "怎样训练小狗坐下？"}]))
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nf1\tdog\t1\n")
    return folder


def run(*arguments: str | Path) -> str:
    result = CliRunner().invoke(cli, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_evaluate(dataset: Path, foreign: Path, tmp_path: Path) -> None:
    written, each = tmp_path / "a.run", tmp_path / "each.jsonl"
    output = run("evaluate", dataset, "--unanswerable", foreign, "--run", written, "--per-query", each)
    summary = json.loads(output)
    assert {name: summary[name] for name in ("ndcg_at_10", "recall_at_1", "recall_at_10", "mrr_at_10")} == {
        "ndcg_at_10": 1.0,
        "recall_at_1": 1.0,
        "recall_at_10": 1.0,
        "mrr_at_10": 1.0,
    }
    assert summary["answer_at_1"] == 1.0
    assert (summary["queries"], summary["documents"]) == (4, 6)
    assert summary["answered_rate"] == 1.0
    assert summary["false_answer_rate"] == 0.0
    assert summary["latency_ms"]["p50"] <= summary["latency_ms"]["p95"]
    assert summary["confidence_95"]["ndcg_at_10"] == [1.0, 1.0]
    assert written.read_text().startswith("q1 Q0 port 1 ")
    assert [json.loads(line)["_id"] for line in each.read_text().splitlines()] == list(QUESTIONS)


@pytest.mark.parametrize("mode", ["dense", "lexical"])
def test_one_side_alone(dataset: Path, mode: str) -> None:
    assert json.loads(run("evaluate", dataset, "--mode", mode))["recall_at_10"] == 1.0


def test_distractors_are_mixed_in(dataset: Path, tmp_path: Path) -> None:
    more = tmp_path / "more.jsonl"
    more.write_text(lines([{"id": f"n{number}", "text": f"新闻{number}：今天有雨。"} for number in range(5)]))
    output = run(
        "evaluate", dataset, "--distractors", more, "--max-distractors", "3", "--without", "reranking"
    )
    assert json.loads(output)["documents"] == 9


def test_compare(dataset: Path, tmp_path: Path) -> None:
    before, after = tmp_path / "before.run", tmp_path / "after.run"
    before.write_text("q1 Q0 amur 1 0.9 x\nq1 Q0 port 2 0.8 x\nq2 Q0 cars 1 0.9 x\n")
    after.write_text("q1 Q0 port 1 0.9 x\nq2 Q0 amur 1 0.9 x\n")
    text = run("compare", dataset, before, after, "--metric", "mrr_at_10")
    assert "mrr_at_10: 0.3750 → 0.2500" in text
    assert "better  0.500 → 1.000  rank 2 → 1  黑河建成了多少个海外仓？" in text
    assert "worse  1.000 → 0.000  rank 1 → –" in text
    assert json.loads(run("compare", dataset, before, after, "--json"))["unchanged"] == 2


def test_a_missing_data_set_is_one_sentence(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["evaluate", str(tmp_path / "none")])
    assert result.exit_code == 1
    assert "does not exist" in result.stderr


def test_calibrate(tmp_path: Path) -> None:
    index = tmp_path / "index"
    with Retriever.open(index) as retriever:
        retriever.add(Article(id=key, text=text) for key, text in DOCUMENTS.items())
    report = json.loads(run("calibrate", index, "--json"))
    assert report["own_questions"] == len(DOCUMENTS)
    assert report["foreign_answered"] <= 0.05
    with Retriever.open(index) as retriever:
        threshold = retriever.search("黑河").threshold
    assert threshold == pytest.approx(report["calibration"]["threshold"])


def test_calibrating_an_empty_index_changes_nothing(tmp_path: Path) -> None:
    index = tmp_path / "index"
    Retriever.open(index).close()
    assert "no sentences" in run("calibrate", index)
    with Retriever.open(index) as retriever:
        assert retriever.search("黑河").threshold == default_calibration().threshold


def test_benchmark(tmp_path: Path) -> None:
    questions = tmp_path / "questions.txt"
    questions.write_text("黑河第1号港口占地多少亩？\n")
    options = ["--queries", questions, "--repeat", "2", "--folder", tmp_path, "--json"]
    small, large = run("benchmark", "--passages", "12", "30", *options).splitlines()
    result = json.loads(small)
    assert 12 <= result["passages"] < json.loads(large)["passages"]
    assert result["questions"]["count"] == 2
    assert result["recall"] == 1.0
    assert result["cold_start_seconds"] > result["questions"]["p50"] / 1000 > 0
    assert min(result["add_seconds"], result["change_seconds"], result["remove_seconds"]) > 0
    assert [path.name for path in tmp_path.iterdir()] == ["questions.txt"]


class Axes:
    """Stands in for one panel of matplotlib, which the tests do without."""

    def __init__(self) -> None:
        self.lines: dict[str, tuple[list[float], list[float]]] = {}
        self.labels: dict[str, str] = {}

    def plot(self, x: list[float], y: list[float], *, label: str, **_: object) -> None:
        self.lines[label] = (x, y)

    def set(self, **labels: str) -> None:
        self.labels = labels

    def set_ylim(self, **_: object) -> None: ...

    def grid(self, **_: object) -> None: ...

    def legend(self) -> None: ...


class Figure:
    """Stands in for a picture of four panels."""

    made: ClassVar[list["Figure"]] = []

    def __init__(self, **_: object) -> None:
        self.axes = [Axes() for _ in range(4)]
        self.made.append(self)

    def subplots(self, rows: int, columns: int) -> SimpleNamespace:
        assert rows * columns == len(self.axes)
        return SimpleNamespace(flat=self.axes)

    def savefig(self, path: Path, **_: object) -> None:
        path.write_bytes(b"a picture")


def test_a_benchmark_as_a_table_and_a_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", ModuleType("matplotlib"))
    monkeypatch.setitem(sys.modules, "matplotlib.figure", SimpleNamespace(Figure=Figure))
    figures = asdict(Latency(count=1, p50=2.0, p95=3.0, slowest=4.0, processor_p50=1.5))
    numbers: dict[str, Any] = {field.name: 1234.0 for field in fields(Benchmark)}
    numbers |= {"questions": Latency(**figures), "adversarial": Latency(**figures)}
    results = [Benchmark(**numbers | {"passages": size}) for size in (1000, 20_000)]
    lines = table(results).splitlines()
    assert lines[0] == "| passages | 1,000 | 20,000 |"
    assert "| question: p50 / p95 | 2.0 / 3.0 ms | 2.0 / 3.0 ms |" in lines
    assert "| … memory at most, workers included | 1,234 MB | 1,234 MB |" in lines
    plot(results, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").read_bytes() == b"a picture"
    latency, _, updates, memory = Figure.made[-1].axes
    assert latency.labels["ylabel"] == "ms a question"
    assert latency.lines == {"p50": ([1000, 20_000], [2.0, 2.0]), "p95": ([1000, 20_000], [3.0, 3.0])}
    assert updates.lines["changed"] == ([1000, 20_000], [1_234_000.0] * 2)
    assert memory.lines["serving"] == ([1000, 20_000], [1234.0] * 2)


def test_a_picture_without_matplotlib_is_refused_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    failed = CliRunner().invoke(cli, ["benchmark", "--passages", "12", "--repeat", "1", "--plot", "x.png"])
    assert failed.exit_code == 1
    assert "--plot needs matplotlib: pip install 'wenda[charts]'" in failed.output
