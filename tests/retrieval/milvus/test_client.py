"""What a server refuses, and what is said of it: one sentence, what to do, no secrets."""

import builtins
import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from pymilvus import MilvusException

from retrieval import Article, IndexMismatchError, RetrievalError, Retriever, SettingsError, StorageError
from retrieval.errors import BackendMissingError, IndexDamagedError, IndexLockedError, IndexUnavailableError
from retrieval.homes import home_of
from retrieval.locations import MilvusLocation
from retrieval.milvus import client
from retrieval.milvus.client import MissingCollectionError, Patience, Server
from retrieval.milvus.schema import Collections

from ..encoders import HashEncoder


class Refusing:
    """A client whose calls fail with these errors one after the other, then succeed."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*_: object, **__: object) -> list[Any]:
            self.calls.append(name)
            if self._errors:
                raise self._errors.pop(0)
            return []

        return call


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client.time, "sleep", lambda _: None)


def refusing(*errors: Exception) -> tuple[Server, Refusing]:
    server = Server(MilvusLocation(uri="http://host", name="x", token="secret"))
    fake = Refusing(*errors)
    server._client = fake
    return server, fake


@pytest.mark.parametrize(
    ("error", "expected", "sentence"),
    [
        (MilvusException(100, "collection not found"), MissingCollectionError, "collection not found"),
        (
            MilvusException(9, "memory quota exhausted"),
            StorageError,
            "refuses more .* raise its quota",
        ),
        (MilvusException(8, "rate limit exceeded"), StorageError, "refuses more for now"),
        (MilvusException(1, "quota exceeded[reason=disk]"), StorageError, "what was committed is kept"),
        (MilvusException(65535, "auth check failure"), SettingsError, "set WENDA_MILVUS_TOKEN"),
        (
            MilvusException(2, "Fail connecting to server"),
            IndexUnavailableError,
            "cannot be reached just now",
        ),
        (MilvusException(1, "node not ready"), IndexUnavailableError, "just now"),
        (OSError("reset"), IndexUnavailableError, "just now"),
        (MilvusException(1, "field card not exist"), IndexMismatchError, "index --rebuild"),
        (MilvusException(1, "disk\ngone"), RetrievalError, "reports: disk gone"),
    ],
)
def test_errors_become_sentences(error: Exception, expected: type[Exception], sentence: str) -> None:
    server, _ = refusing(*[error] * 20)
    with pytest.raises(expected, match=sentence) as raised:
        server.query("c", "id == 0", ("id",))
    assert "secret" not in str(raised.value)
    assert "milvus+http://host/x" in str(raised.value)


def test_what_passes_is_tried_again_and_what_does_not_is_not() -> None:
    server, fake = refusing(MilvusException(2, "away"), MilvusException(8, "rate limit"))
    server.insert("c", [{"id": 1}])
    assert fake.calls == ["insert", "upsert", "upsert"]  # the first may have come through
    server, fake = refusing(MilvusException(1, "no such thing"))
    with pytest.raises(RetrievalError):
        server.insert("c", [{"id": 1}])
    assert fake.calls == ["insert"]


def test_tries_are_bounded() -> None:
    server, fake = refusing(*[OSError("reset")] * 100)
    with pytest.raises(IndexUnavailableError):
        server.call("flush", "c", patience=Patience(attempts=3))
    assert fake.calls == ["flush"] * 3


def test_what_is_not_loaded_is_loaded() -> None:
    server, fake = refusing(MilvusException(101, "collection not loaded"))
    assert server.query("c", "id == 0", ("id",)) == []
    assert fake.calls == ["query", "load_collection", "query"]


def test_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, place: MilvusLocation) -> None:
    real = builtins.__import__

    def without(name: str, *arguments: Any, **named: Any) -> Any:
        if name.split(".")[0] in {"pymilvus", "milvus_lite", "grpc"}:
            raise ImportError(name)
        return real(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(BackendMissingError, match=r"pip install 'wenda\[milvus\]'"):
        Retriever.open(place, encoder=HashEncoder())


def test_a_file_that_another_process_has(tmp_path: Any) -> None:
    from milvus_lite.db import MilvusLite

    file = tmp_path / "taken.db"
    holder = MilvusLite(str(file))
    try:
        with pytest.raises(IndexLockedError, match="one process at a time"):
            Retriever.open(MilvusLocation(uri=str(file), name="x"), encoder=HashEncoder())
    finally:
        holder.close()
    with pytest.raises(StorageError, match="make it first"):
        Retriever.open(MilvusLocation(uri=str(tmp_path / "no" / "x.db"), name="x"), encoder=HashEncoder())


def change_head(place: MilvusLocation, change: Callable[[dict[str, Any]], None]) -> None:
    """Do to the head what another version, or a hand, might do."""
    server = Server(place)
    head = Collections(place.name, 1).head
    fields = ("id", "state", "manifest", "sources", "publications", "retired", "unsearched")
    (row,) = server.query(head, "id == 0", fields)
    change(row)
    server.upsert(head, [row])
    server.close()


def test_another_version_and_a_damaged_head_are_told(place: MilvusLocation) -> None:
    Retriever.open(place, encoder=HashEncoder()).close()

    def newer(row: dict[str, Any]) -> None:
        row["state"] = json.dumps(json.loads(row["state"]) | {"format": 99})

    change_head(place, newer)
    with pytest.raises(IndexMismatchError, match="has format 99, this version of wenda reads 1: upgrade"):
        Retriever.open(place, encoder=HashEncoder())
    change_head(place, lambda row: row.update(state="{"))
    with pytest.raises(IndexDamagedError, match="index the articles again"):
        Retriever.open(place, encoder=HashEncoder())


def test_counts_that_are_wrong_are_found_and_mended(place: MilvusLocation) -> None:
    with Retriever.open(place, encoder=HashEncoder()) as retriever:
        retriever.add([Article(id=f"{n}", text=f"第{n}条河流经{n * 7}个城市。") for n in range(20)])
        server, names = Server(place), Collections(place.name, 1)
        server.delete(names.terms, "id < 8000")
        row = server.query(names.passages, "id == 3", ("*",))[0]
        server.upsert(names.passages, [row | {"id": 999}])
        server.close()
        problems = "\n".join(retriever.check().problems)
        assert "1 rows of a write that did not end" in problems
        assert "document frequencies differ" in problems


def test_a_generation_without_its_alias_is_the_one_and_is_mended(place: MilvusLocation) -> None:
    with Retriever.open(place, encoder=HashEncoder()) as retriever:
        retriever.add([Article(id="a", text="一")])
    server = Server(place)
    server.call("drop_alias", place.name)
    with Retriever.open(place, create=False, encoder=HashEncoder()) as retriever:
        assert [article.id for article in retriever.articles()] == ["a"]
    with contextlib.closing(home_of(place)) as home:
        home.mend()
    assert server.call("describe_alias", place.name)["collection_name"] == Collections(place.name, 1).head
    server.close()
