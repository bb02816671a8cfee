"""Golden files: an input in tests/golden becomes exactly what the file beside it says."""

import json
from pathlib import Path
from typing import Any

import pytest

from retrieval.errors import ArticleError
from retrieval.links import LinkTemplate, source_link
from retrieval.parsing import parse_file
from retrieval.segmentation import segment

FOLDER = Path(__file__).resolve().parents[2] / "golden"
INPUTS = sorted(path for path in FOLDER.iterdir() if path.suffix != ".json")
TEMPLATE = LinkTemplate("https://site.example/{year}/{month}/{slug}.html")
METADATA = (
    "title",
    "url",
    "author",
    "source",
    "editor",
    "published_at",
    "categories",
    "tags",
    "image",
    "language",
)


def observed(path: Path) -> dict[str, Any]:
    """What an input becomes: metadata that is set, paragraphs (headings begin with #), passages, link."""
    try:
        article = parse_file(path.read_bytes(), path=path.name, article_id=path.name)
    except ArticleError as error:
        return {"error": str(error)}
    lines = article.text.split("\n") if article.text else []
    return {
        "metadata": {name: _plain(value) for name in METADATA if (value := getattr(article, name))},
        "paragraphs": [_marked(line, article.headings.get(n, 0)) for n, line in enumerate(lines)],
        "passages": [
            {"heading": p.heading, "paragraphs": [p.first_paragraph, p.last_paragraph], "text": p.text}
            for p in segment(article)
        ],
        "link": source_link(article, TEMPLATE),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return value if isinstance(value, str) else value.isoformat()


def _marked(line: str, level: int) -> str:
    return f"{'#' * level} {line}" if level else line


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: path.name)
def test_golden(path: Path) -> None:
    expected = json.loads(path.with_name(path.name + ".json").read_text(encoding="utf-8"))
    assert observed(path) == expected


def test_every_kind_of_oddity_is_there() -> None:
    kinds = {path.name.partition("-")[0] for path in INPUTS}
    assert len(INPUTS) >= 40
    assert kinds >= {"yaml", "title", "date", "body", "encoding", "error"}
