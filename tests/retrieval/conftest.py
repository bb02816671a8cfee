"""Fixtures of retrieval's tests: small articles, an encoder that needs no model, an index of one's own.

Whoever asks for `retriever`, `open_index` or `location` is run twice: on a local index, and on Milvus Lite.
"""

import contextlib
import importlib.util
import itertools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from retrieval import Retriever
from retrieval.homes import home_of
from retrieval.locations import Location, MilvusLocation

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


BACK_ENDS = ["local", "milvus"] if importlib.util.find_spec("milvus_lite") else ["local"]
"""Without the extra, everything still passes."""

collect_ignore = [] if "milvus" in BACK_ENDS else ["milvus"]

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def milvus_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A Milvus Lite file whose server runs as long as the session: each test has a name of its own in it."""
    from retrieval.milvus.client import Server

    file = tmp_path_factory.mktemp("milvus") / "tests.db"
    server = Server(MilvusLocation(uri=str(file), name="unused"))
    server.connected(server.reading)
    yield file
    server.close()


@pytest.fixture(params=BACK_ENDS)
def location(request: pytest.FixtureRequest, index_path: Path) -> Location:
    """Where the index of this test lives."""
    if request.param == "local":
        return index_path
    file = request.getfixturevalue("milvus_file")
    return MilvusLocation(uri=str(file), name=f"test_{next(_numbers)}", consistency="Strong")


@pytest.fixture
def held_lock(location: Location) -> Callable[[], AbstractContextManager[None]]:
    """Takes the writer's lock of the index, as another process would."""

    @contextlib.contextmanager
    def hold() -> Iterator[None]:
        home = home_of(location)
        with contextlib.closing(home), home.writing(seconds=0):
            yield

    return hold


@pytest.fixture
def open_index(location: Location, encoder: HashEncoder) -> Iterator[Callable[..., Retriever]]:
    """Opens retrievers on the index of this test; all are closed at its end."""
    opened: list[Retriever] = []

    def open_one(**options: Any) -> Retriever:
        options = {"encoder": encoder, "lock_seconds": 0.2} | options
        opened.append(Retriever.open(location, **options))
        return opened[-1]

    yield open_one
    for retriever in opened:
        retriever.close()


@pytest.fixture
def retriever(open_index: Callable[..., Retriever]) -> Retriever:
    """An empty index."""
    return open_index()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kills", type=int, default=200, help="how often the crash test kills a sync")
    parser.addoption("--articles", type=int, default=110, help="how many articles test_nothing_lost writes")
