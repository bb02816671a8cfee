"""Traditional questions find simplified articles and the reverse, Taiwan's and Hong Kong's words included."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from retrieval import Article, Retriever
from retrieval.types import Hit

ROOT = Path(__file__).resolve().parents[2]
ROWS: list[Mapping[str, Any]] = [
    json.loads(line) for line in (ROOT / "tests/data/variants.jsonl").read_text(encoding="utf-8").splitlines()
]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Retriever]:
    """All articles of the set, and the sample articles beside them."""
    with Retriever.open(tmp_path_factory.mktemp("variants") / "index") as retriever:
        retriever.add(
            Article(id=row["id"], title=row["article"]["title"], text=row["article"]["text"]) for row in ROWS
        )
        retriever.sync(ROOT / "bot" / "demo" / "articles")
        yield retriever


def own_hit(archive: Retriever, row: Mapping[str, Any]) -> tuple[int, Hit]:
    """The place of the row's article among the hits, from 1, and its hit."""
    hits = archive.search(row["question"], top_k=3).hits
    place = next((number for number, hit in enumerate(hits, 1) if hit.article_id == row["id"]), 0)
    assert place, f"{row['question']}: {[hit.title for hit in hits]}"
    return place, hits[place - 1]


def test_the_set_is_large_enough() -> None:
    assert len(ROWS) >= 60
    assert len({row["id"] for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_it_is_found_and_highlighted_in_its_own_script(archive: Retriever, row: Mapping[str, Any]) -> None:
    _, hit = own_hit(archive, row)
    assert hit.text == row["article"]["text"]
    assert any(row["highlight"] in hit.text[start:end] for start, end in hit.highlights)


def test_nine_of_ten_are_first(archive: Retriever) -> None:
    first = sum(own_hit(archive, row)[0] == 1 for row in ROWS)
    assert first >= 0.9 * len(ROWS)
