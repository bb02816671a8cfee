"""One writer at a time: the lease, its end, and who gets the next one."""

import threading
import time
from collections.abc import Iterator

import pytest

from retrieval import Article, IndexLockedError, Retriever
from retrieval.errors import RetrievalError
from retrieval.locations import MilvusLocation
from retrieval.milvus import lease as leases
from retrieval.milvus.client import Server
from retrieval.milvus.lease import Lease

from ..encoders import HashEncoder


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "LEASE_SECONDS", 1.0)


@pytest.fixture
def pair(place: MilvusLocation) -> Iterator[tuple[Lease, Lease]]:
    servers = Server(place), Server(place)
    yield Lease(servers[0], place.name), Lease(servers[1], place.name)
    for server in servers:
        server.close()


def test_the_second_is_refused_and_told_who_has_it(pair: tuple[Lease, Lease]) -> None:
    first, second = pair
    with first.held(seconds=0):
        with pytest.raises(IndexLockedError, match=r"is being written by process \d+ on \S+ \(since "):
            second.held(seconds=0).__enter__()
        time.sleep(1.5)  # longer than a lease: it is renewed
        with pytest.raises(IndexLockedError):
            second.held(seconds=0.5).__enter__()
        first.confirm()
    with second.held(seconds=0):
        second.confirm()


def test_one_that_shows_no_sign_of_life_is_succeeded(
    pair: tuple[Lease, Lease], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = pair
    monkeypatch.setattr(Lease, "_keep_beating", lambda *_: None)
    with first.held(seconds=0), second.held(seconds=3):
        with pytest.raises(IndexLockedError, match="another writer took over"):
            first.confirm()
        second.confirm()
        # Whoever lost it does not give back what is no longer his.
    with second.held(seconds=0):
        second.confirm()


def test_of_many_at_once_one_has_it(place: MilvusLocation) -> None:
    inside: list[int] = []
    most: list[int] = []
    guard = threading.Lock()

    def write(number: int) -> None:
        server = Server(place)
        with Lease(server, place.name).held(seconds=30):
            with guard:
                inside.append(number)
                most.append(len(inside))
            time.sleep(0.02)
            with guard:
                inside.remove(number)
        server.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 5


def test_nobody_writes_without_it(pair: tuple[Lease, Lease]) -> None:
    with pytest.raises(RetrievalError, match="does not hold"):
        pair[0].confirm()


def test_a_writer_that_was_overtaken_commits_nothing(
    place: MilvusLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two operators: the slow one finds out before its commit, the other's articles are whole."""
    with (
        Retriever.open(place, encoder=HashEncoder()) as slow,
        Retriever.open(place, encoder=HashEncoder(), lock_seconds=5) as quick,
    ):
        monkeypatch.setattr(Lease, "_keep_beating", lambda *_: None)
        real = HashEncoder.encode_passages
        overtaken: list[bool] = []

        def encode(self: HashEncoder, texts: list[str], **named: bool) -> object:
            if not overtaken:
                overtaken.append(True)
                quick.add([Article(id="b", text="别人写的。")])
            return real(self, texts, **named)

        monkeypatch.setattr(HashEncoder, "encode_passages", encode)
        with pytest.raises(IndexLockedError, match="another writer took over"):
            slow.add([Article(id="a", text="写得太慢。")])
        assert [article.id for article in quick.articles()] == ["b"]
        slow.add([Article(id="a", text="写得太慢。")])
        assert [article.id for article in quick.articles()] == ["b", "a"]
        assert quick.check().problems == ()
