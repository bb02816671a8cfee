"""The store: what a transaction writes is what readers get, ids are never used twice, the log is complete."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from retrieval.errors import QueryError
from retrieval.storage.reading import Change, FileState, Store, expand
from retrieval.storage.writing import PreparedArticle, Transaction, Writer
from retrieval.types import Article, Filters, Passage

DIMENSION = 4


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    writer = Writer(tmp_path / "store.db", create=True)
    yield writer
    writer.close()


@pytest.fixture
def store(writer: Writer) -> Iterator[Store]:
    store = Store(writer.path)
    yield store
    store.close()


def prepared(
    key: str, *texts: str, duplicate_of: str | None = None, file: str | None = None, **fields: Any
) -> PreparedArticle:
    article = Article(id=key, text="\n".join(texts), **fields)
    pieces = (
        []
        if duplicate_of
        else [Passage(article_id=key, ordinal=n, text=text) for n, text in enumerate(texts)]
    )
    return PreparedArticle(
        article=article,
        digest=b"d" * 16,
        text_digest="\n".join(texts).encode()[:16],
        signature=-7,
        passages=pieces,
        normalised=[None] * len(pieces),
        file=file,
        duplicate_of=duplicate_of,
    )


def put_in(transaction: Transaction, *items: PreparedArticle) -> None:
    """Put articles and the vectors of all that was put so far."""
    for item in items:
        transaction.put(item)
    numbers = [n % DIMENSION for item, _ in transaction.applied.added for n in range(len(item.passages))]
    transaction.put_vectors(np.eye(DIMENSION, dtype=np.float16)[numbers])


def put(writer: Writer, *items: PreparedArticle) -> list[int]:
    with writer.transaction() as transaction:
        put_in(transaction, *items)
    return [first for _, first in transaction.applied.added]


def test_an_article_comes_back_as_it_went_in(writer: Writer, store: Store) -> None:
    item = prepared(
        "a", "第一段。", "第二段😀。", title="题", url="https://www.x.example/1", author="王", source="社",
        editor="编",
        published_at=datetime(2021, 7, 1, 8, tzinfo=UTC), categories=("甲", "乙"), tags=("丙",),
        image="i.png", language="zh-Hans", path="/f/a.md", headings={0: 2},
    )  # fmt: skip
    put(writer, item)
    reader = store.reader()
    assert reader.article("a") == item.article
    assert list(reader.articles()) == [item.article]
    assert reader.passages("a") == [
        Passage(id=1, article_id="a", ordinal=0, text="第一段。"),
        Passage(id=2, article_id="a", ordinal=1, text="第二段😀。"),
    ]
    assert reader.passage(2) == reader.passages("a")[1]
    (record,) = reader.records([2])
    assert (record.article_id, record.ordinal, record.text, record.title) == ("a", 1, "第二段😀。", "题")
    assert record.passages_in_article == 2
    assert record.categories == ("甲", "乙")
    assert record.published_at == datetime(2021, 7, 1, 8, tzinfo=UTC)
    assert record.signature == 2**64 - 7
    assert reader.article("b") is None
    assert reader.passage(99) is None
    assert reader.period() == (date(2021, 7, 1), date(2021, 7, 1))


def test_passage_ids_are_never_used_twice(writer: Writer) -> None:
    assert put(writer, prepared("a", "1", "2"), prepared("b", "3")) == [1, 3]
    with writer.transaction() as transaction:
        assert transaction.remove("b")
    assert put(writer, prepared("c", "4")) == [4]
    assert put(writer, prepared("a", "5")) == [5]


def test_the_log_tells_every_change(writer: Writer, store: Store) -> None:
    put(writer, prepared("a", "1", "2"), prepared("b", "3"))
    put(writer, prepared("a", "1 changed"), prepared("empty"))
    with writer.transaction() as transaction:
        transaction.remove("b")
        assert not transaction.remove("nobody")
    reader = store.reader()
    assert reader.changes_since(0) == [
        Change(1, False, 1, 3),
        Change(2, True, 1, 2),
        Change(3, False, 4, 4),
        Change(4, True, 3, 3),
    ]
    assert reader.changes_since(3) == [Change(4, True, 3, 3)]
    state = reader.state()
    assert (state.position, state.articles, state.passages) == (4, 2, 1)
    assert transaction.applied.removed == [3]
    assert transaction.applied.position == 4


def test_vectors_come_back_rounded_to_half_precision(writer: Writer, store: Store) -> None:
    put(writer, prepared("a", "1", "2", "3"))
    ids, vectors = store.reader().vectors_between(2, 9, DIMENSION)
    assert ids.tolist() == [2, 3]
    np.testing.assert_array_equal(vectors, np.eye(DIMENSION)[[1, 2]])
    assert vectors.dtype == np.float32
    assert store.reader().vectors_between(7, 9, DIMENSION)[1].shape == (0, DIMENSION)


def test_a_transaction_that_fails_changes_nothing(writer: Writer, store: Store) -> None:
    put(writer, prepared("a", "1"))

    def fail() -> None:
        with writer.transaction() as transaction:
            put_in(transaction, prepared("b", "2"))
            transaction.remove("a")
            raise RuntimeError("on the way")

    with pytest.raises(RuntimeError, match="on the way"):
        fail()
    assert [article.id for article in store.reader().articles()] == ["a"]
    assert store.reader().state().position == 1
    assert put(writer, prepared("b", "2")) == [2]


def test_changes_of_one_transaction_see_each_other(writer: Writer, store: Store) -> None:
    put(writer, prepared("b", "甲。"))
    with writer.transaction() as transaction:
        transaction.put(prepared("a", "乙。"))
        transaction.put(prepared("b", "乙。", duplicate_of="a"))
        transaction.put(prepared("c", duplicate_of="a"))
        transaction.put(prepared("d", "丙。", "丁。"))
        assert transaction.remove("c")
        assert not transaction.remove("c")
        transaction.put(prepared("c", "戊。"))
        put_in(transaction, prepared("e", duplicate_of="d"))
        transaction.put_vectors(np.zeros((4, DIMENSION), dtype=np.float16))
    reader = store.reader()
    known = reader.known(["a", "b", "c", "d", "e"])
    assert {key: article.duplicate_of for key, article in known.items()} == {
        "a": None, "b": "a", "c": None, "d": None, "e": "d",
    }  # fmt: skip
    found = [passage.text for key in "abcd" for passage in reader.passages(key)]
    assert found == ["乙。", "戊。", "丙。", "丁。"]
    assert reader.state().articles == 5


def test_the_same_article_twice_in_a_transaction_is_refused(writer: Writer) -> None:
    with pytest.raises(ValueError, match="put twice"):
        put(writer, prepared("a", "1"), prepared("a", "2"))


def test_a_reader_in_a_snapshot_sees_one_state(writer: Writer, store: Store) -> None:
    put(writer, prepared("a", "1"))
    reader = store.reader()
    with reader.snapshot():
        assert reader.state().passages == 1
        put(writer, prepared("b", "2"))
        with reader.snapshot():
            assert reader.state().passages == 1
        assert [record.id for record in reader.records([2, 1, 5])] == [1]
    assert [record.id for record in reader.records([2, 1, 5, 2])] == [2, 1, 2]


def test_many_records_at_once(writer: Writer, store: Store) -> None:
    put(writer, prepared("a", *(str(number) for number in range(1200))))
    wanted = list(range(1200, 0, -1))
    assert [record.id for record in store.reader().records(wanted)] == wanted


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(), "abcd"),
        (Filters(after="2021-07-01"), "ab"),
        (Filters(after=date(2021, 7, 2)), "b"),
        (Filters(before=datetime(2021, 7, 1, 23, tzinfo=UTC)), "ac"),
        (Filters(after="2020-01-01", before="2021-07-01"), "ac"),
        (Filters(categories=("甲",)), "ab"),
        (Filters(categories=("乙", "丙")), "bc"),
        (Filters(authors=("王",)), "ac"),
        (Filters(sources=("社",)), "b"),
        (Filters(sources=("x.example", "王")), "ac"),
        (Filters(languages=("zh",)), "ab"),
        (Filters(languages=("zh-Hant", "en")), "bc"),
        (Filters(article_ids=("d", "a", "nobody")), "ad"),
        (Filters(categories=("甲",), authors=("王",)), "a"),
        (Filters(authors=("无",)), ""),
    ],
)
def test_filters(writer: Writer, store: Store, filters: Filters, expected: str) -> None:
    def moment(*day: int) -> datetime:
        return datetime(*day, 12, tzinfo=UTC)  # type: ignore[misc, arg-type]

    put(
        writer,
        prepared("a", "1", "2", published_at=moment(2021, 7, 1), categories=("甲",), author="王",
                 language="zh-Hans", url="https://www.x.example/1"),
        prepared("b", "3", published_at=moment(2021, 7, 2), categories=("甲", "乙"), source="社",
                 language="zh-Hant"),
        prepared("c", "4", published_at=moment(2020, 7, 2), categories=("丙",), author="王", language="en"),
        prepared("d", "5", "6"),
        prepared("e"),
    )  # fmt: skip
    ids = store.reader().allowed(filters)
    by_article = {"a": [1, 2], "b": [3], "c": [4], "d": [5, 6]}
    assert ids.tolist() == [number for key in expected for number in by_article[key]]


def test_a_filter_that_is_no_date_is_refused(store: Store) -> None:
    with pytest.raises(QueryError, match="after is 'gestern': give a date such as 2021-07-01"):
        store.reader().allowed(Filters(after="gestern"))


def test_duplicates_have_the_text_of_their_original(writer: Writer, store: Store) -> None:
    put(writer, prepared("a", "文字"), prepared("b", "文字", title="b", duplicate_of="a"))
    reader = store.reader()
    twin = reader.article("b")
    assert twin is not None
    assert (twin.text, twin.title) == ("文字", "b")
    assert reader.passages("b") == []
    assert [known.id for known in reader.duplicates_of("a")] == ["b"]
    assert reader.known(["b"])["b"].duplicate_of == "a"
    original = reader.with_text("文字".encode())
    assert original is not None
    assert original.id == "a"


def test_articles_page_by_page_and_newest_first(writer: Writer, store: Store) -> None:
    put(
        writer,
        *(prepared(str(n), "x", published_at=datetime(2020, 1, 1 + n % 28, tzinfo=UTC)) for n in range(450)),
    )
    reader = store.reader()
    assert [article.id for article in reader.articles()] == [str(n) for n in range(450)]
    assert [article.id for article in reader.articles(3)] == ["0", "1", "2"]
    assert [article.id for article in reader.newest(2)] == ["447", "419"]


def test_files_and_sources(writer: Writer, store: Store) -> None:
    state = FileState(path="/f/a.md", size=1, mtime_ns=2, checked_ns=3, digest=b"x", parser=1)
    with writer.transaction() as transaction:
        transaction.put_file(state)
        put_in(transaction, prepared("a.md", "1", file="/f/a.md", path="/f/a.md"))
        transaction.put_source("/f", "folder")
    reader = store.reader()
    assert reader.files_under("/f/") == {"/f/a.md": state}
    assert reader.files_under("/f/a.md") == {"/f/a.md": state}
    assert reader.files_under("/g/") == {}
    assert [known.id for known in reader.articles_of("/f/a.md")] == ["a.md"]
    moved = FileState(path="/f/b.md", size=1, mtime_ns=2, checked_ns=3, digest=b"x", parser=1)
    with writer.transaction() as transaction:
        transaction.move_file("/f/a.md", moved)
    assert reader.files_under("/f/") == {"/f/b.md": moved}
    article = reader.article("a.md")
    assert article is not None
    assert article.path == "/f/b.md"
    assert reader.sources() == [("/f", "folder")]


def test_expand() -> None:
    assert expand(np.array([[1, 3], [7, 7], [10, 11]])).tolist() == [1, 2, 3, 7, 10, 11]
    assert expand(np.empty((0, 2), dtype=np.int64)).tolist() == []


def test_connections_of_ended_threads_are_closed(store: Store) -> None:
    import threading

    def ask() -> None:
        store.reader().state()

    for _ in range(5):
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
    assert len(store._all) == 0
    assert isinstance(store.reader().connection, sqlite3.Connection)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_passages_need_a_vector_each(writer: Writer, store: Store, count: int) -> None:
    def put_with_vectors() -> None:
        with writer.transaction() as transaction:
            transaction.put(prepared("a", "1", "2"))
            transaction.put_vectors(np.zeros((count, DIMENSION), dtype=np.float16))

    with pytest.raises(ValueError, match="vectors of 2 passages"):
        put_with_vectors()
    assert store.reader().state().passages == 0
