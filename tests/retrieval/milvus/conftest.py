"""Fixtures of the tests on Milvus: a server process, and a proxy before it."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from retrieval.locations import MilvusLocation

from .proxy import Proxy
from .server import LiteServer

_numbers = itertools.count(1)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiteServer]:
    """A running server of one's own."""
    server = LiteServer(tmp_path / "server.db")
    server.start()
    yield server
    server.close()


@pytest.fixture
def proxy(server: LiteServer) -> Iterator[Proxy]:
    """A proxy before it, that behaves."""
    proxy = Proxy(server.port)
    yield proxy
    proxy.close()


def at(port: int, *, timeout: float = 2.0) -> MilvusLocation:
    """An index on the server behind a port."""
    return MilvusLocation(
        uri=f"http://127.0.0.1:{port}", name="archive", consistency="Strong", timeout=timeout
    )


@pytest.fixture
def place(milvus_file: Path) -> MilvusLocation:
    """A name of this test's own in the file that all tests share."""
    return MilvusLocation(uri=str(milvus_file), name=f"place_{next(_numbers)}", consistency="Strong")
