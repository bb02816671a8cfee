"""The questions about the sample articles: found first, answered, the answer marked; foreign ones refused."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from retrieval import Retriever, SearchResponse

ROOT = Path(__file__).resolve().parents[2]


def rows(name: str) -> list[Mapping[str, Any]]:
    text = (ROOT / "tests" / "data" / name).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


QUESTIONS, UNANSWERABLE = rows("demo_questions.jsonl"), rows("demo_unanswerable.jsonl")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Retriever]:
    with Retriever.open(tmp_path_factory.mktemp("demo") / "index") as retriever:
        retriever.sync(ROOT / "bot" / "demo" / "articles")
        yield retriever


@pytest.fixture(scope="module")
def responses(archive: Retriever) -> list[SearchResponse]:
    return [archive.search(row["question"]) for row in QUESTIONS]


def share(flags: list[bool]) -> float:
    return sum(flags) / len(flags)


def test_the_right_article_is_first(responses: list[SearchResponse]) -> None:
    pairs = zip(QUESTIONS, responses, strict=True)
    assert share([response.hits[0].article_id == f"{row['article']}.md" for row, response in pairs]) >= 0.97


def test_they_are_answered(responses: list[SearchResponse]) -> None:
    assert share([response.answered for response in responses]) >= 0.95


def test_the_answer_is_marked(responses: list[SearchResponse]) -> None:
    marked = [r.hits[0].text[slice(*r.hits[0].answer)] if r.hits[0].answer else "" for r in responses]
    found = [row["answer"] in text for row, text in zip(QUESTIONS, marked, strict=True)]
    assert share(found) >= 0.85


def test_foreign_questions_are_refused(archive: Retriever) -> None:
    foreign = [row["question"] for row in UNANSWERABLE if not row["near"]]
    assert len(foreign) > 30
    assert share([archive.search(question).answered for question in foreign]) <= 0.05


def test_most_questions_that_come_near_are_refused(archive: Retriever) -> None:
    """The matter is there and the answer is not: this is as far as words and vectors tell."""
    near = [row["question"] for row in UNANSWERABLE if row["near"]]
    assert len(near) > 25
    assert share([archive.search(question).answered for question in near]) <= 0.5
