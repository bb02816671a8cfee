"""Fixtures of retrieval's tests: small articles, an encoder that needs no model, an index of one's own."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from retrieval import Retriever

from .encoders import HashEncoder

RIVERS = {
    "amur.md": "---\ntitle: 黑龙江\ndate: 2021-07-01 08:00:00\ncategories: [地理, 河流]\nauthor: 王蒙\n"
    "link: https://www.rivers.example/amur\n---\n<p>　　黑龙江全长四千四百四十公里，是中俄界河。</p>"
    "<p>　　黑河与布拉戈维申斯克隔江相望，一九八七年恢复往来。</p>",
    "rhine.md": "---\ntitle: 莱茵河\ndate: 2020-03-05 08:00:00\ncategories: [地理]\nauthor: 李铁民\n---\n"
    "<p>　　莱茵河发源于瑞士阿尔卑斯山，流经六国，注入北海。</p>",
    "more/nile.md": "---\ntitle: 尼罗河\n---\n<p>　　尼罗河每年七月泛滥，带来淤泥，埃及人靠它种小麦。</p>",
    "more/loire.txt": "卢瓦尔河沿岸有三百多座城堡，其中香波堡最大，有四百四十个房间。\n",
}


@pytest.fixture
def encoder() -> HashEncoder:
    return HashEncoder()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of four articles, two of them in a subfolder."""
    root = tmp_path / "articles"
    for name, content in RIVERS.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return root


@pytest.fixture
def index_path(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture
def open_index(index_path: Path, encoder: HashEncoder) -> Iterator[Callable[..., Retriever]]:
    """Opens retrievers on the index of this test; all are closed at its end."""
    opened: list[Retriever] = []

    def open_one(**options: Any) -> Retriever:
        options = {"encoder": encoder, "lock_seconds": 0.2} | options
        opened.append(Retriever.open(index_path, **options))
        return opened[-1]

    yield open_one
    for retriever in opened:
        retriever.close()


@pytest.fixture
def retriever(open_index: Callable[..., Retriever]) -> Retriever:
    """An empty index."""
    return open_index()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kills", type=int, default=8, help="how often the crash test kills a syncing process")
