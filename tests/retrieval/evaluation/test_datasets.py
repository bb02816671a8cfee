"""Reading data sets in BEIR layout."""

import gzip
import json
from pathlib import Path

import pytest

from retrieval.errors import EvaluationError
from retrieval.evaluation.datasets import load_dataset, read_articles


def write(folder: Path) -> Path:
    (folder / "qrels").mkdir()
    rows = [
        {"_id": "d1", "title": "黑河", "text": "黑河在黑龙江边。"},
        {"_id": "d2", "text": "上海在长江口。"},
    ]
    (folder / "corpus.jsonl").write_text(
        "\n".join(map(json.dumps, [*rows, {"_id": "d3", "text": " "}])) + "\n\n"
    )
    questions = [{"_id": "q1", "text": "黑河在哪里？"}, {"_id": "q2", "text": "没有人判过"}]
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, questions)))
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t1\n")
    (folder / "answers.jsonl").write_text(json.dumps({"_id": "q1", "answers": ["黑龙江边"]}))
    return folder


def test_loads_what_is_judged(tmp_path: Path) -> None:
    dataset = load_dataset(write(tmp_path))
    assert [(article.id, article.title) for article in dataset.documents] == [("d1", "黑河"), ("d2", "")]
    assert dataset.queries == {"q1": "黑河在哪里？"}
    assert dataset.qrels == {"q1": {"d1": 1}}
    assert dataset.answers == {"q1": ("黑龙江边",)}


def test_answers_may_be_missing(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "answers.jsonl").unlink()
    assert load_dataset(tmp_path).answers == {}


def test_the_only_split_is_taken(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "qrels" / "test.tsv").rename(tmp_path / "qrels" / "dev.tsv")
    assert load_dataset(tmp_path).qrels == {"q1": {"d1": 1}}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("corpus.jsonl", "{", r"corpus\.jsonl:1: not JSON"),
        ("corpus.jsonl", "[]", r"corpus\.jsonl:1: not a JSON object"),
        ("corpus.jsonl", '{"_id": "d1"}', "'text' is missing"),
        ("queries.jsonl", '{"text": "x"}', "'_id' is missing"),
        ("qrels/test.tsv", "header\nq1 d1 1\n", r"test\.tsv:2: expected"),
        ("qrels/test.tsv", "header\nq1\td1\tmany\n", r"test\.tsv:2: expected"),
    ],
)
def test_unreadable_lines_are_named(tmp_path: Path, name: str, content: str, message: str) -> None:
    write(tmp_path)
    (tmp_path / name).write_text(content)
    with pytest.raises(EvaluationError, match=message):
        load_dataset(tmp_path)


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="does not exist"):
        load_dataset(tmp_path)


def test_distractors_from_gzip(tmp_path: Path) -> None:
    path = tmp_path / "news.jsonl.gz"
    with gzip.open(path, "wt", encoding="utf-8") as out:
        out.writelines(json.dumps({"id": f"n{number}", "text": "新闻"}) + "\n" for number in range(5))
    assert [article.id for article in read_articles(path, 3)] == ["n0", "n1", "n2"]


def test_what_is_no_gzip_is_named(tmp_path: Path) -> None:
    path = tmp_path / "news.jsonl.gz"
    path.write_text("plain")
    with pytest.raises(EvaluationError, match="cannot be read"):
        list(read_articles(path))
