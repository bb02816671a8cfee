"""Whatever the disk or another program does, one of our errors comes out and nothing committed is lost."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from retrieval.errors import (
    IndexDamagedError,
    IndexLockedError,
    IndexMismatchError,
    IndexNotFoundError,
    StorageError,
)
from retrieval.storage import connection, schema
from retrieval.storage.folder import IndexFolder
from retrieval.storage.lock import writer_lock
from retrieval.storage.reading import FileState, Reader, Store
from retrieval.storage.writing import Transaction, Writer

from .test_store import prepared, put, put_in

FILE = FileState(path="/f", size=1, mtime_ns=1, checked_ns=1, digest=b"", parser=1)
WRITES: dict[str, Callable[[Transaction], object]] = {
    "put": lambda transaction: put_in(transaction, prepared("b", "2")),
    "remove": lambda transaction: transaction.remove("a"),
    "put_file": lambda transaction: transaction.put_file(FILE),
    "move_file": lambda transaction: transaction.move_file("/e", FILE),
    "forget_file": lambda transaction: transaction.forget_file("/f"),
    "put_source": lambda transaction: transaction.put_source("/f", "folder"),
    "put_manifest": lambda transaction: transaction.put_manifest({"x": 1}),
}
READS: dict[str, Callable[[Reader], object]] = {
    "state": lambda reader: reader.state().passages,
    "records": lambda reader: [record.text for record in reader.records([1])],
    "article": lambda reader: reader.article("a"),
    "articles": lambda reader: [article.id for article in reader.articles()],
    "passages": lambda reader: reader.passages("a"),
    "changes": lambda reader: reader.changes_since(0),
    "vectors": lambda reader: reader.vectors_between(1, 1, 4)[1].tolist(),
    "files": lambda reader: reader.files_under("/"),
    "status": lambda reader: reader.period(),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    writer = Writer(tmp_path / "store.db", create=True)
    put(writer, prepared("a", "1"))
    writer.close()
    return tmp_path / "store.db"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "BUSY_SECONDS", 0.05)


@pytest.fixture
def other(path: Path) -> Iterator[sqlite3.Connection]:
    """Another program in the middle of a transaction that writes."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute("DELETE FROM passages")
    yield other
    other.close()


@pytest.mark.usefixtures("impatient", "other")
@pytest.mark.parametrize("write", WRITES)
def test_no_write_gets_past_a_locked_database(path: Path, write: str) -> None:
    writer = Writer(path)
    with (
        pytest.raises(IndexLockedError, match="locked by another program"),
        writer.transaction() as transaction,
    ):
        WRITES[write](transaction)
    assert [article.id for article in writer.reader.articles()] == ["a"]
    writer.close()


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("read", READS)
def test_every_read_answers_while_another_writes(path: Path, read: str, other: sqlite3.Connection) -> None:
    store = Store(path)
    during = READS[read](store.reader())
    other.execute("ROLLBACK")
    assert READS[read](store.reader()) == during
    store.close()


def put_many(writer: Writer, first: Callable[[Transaction], object]) -> None:
    with writer.transaction() as transaction:
        first(transaction)
        for number in range(300):
            put_in(transaction, prepared(f"x{number}", "y" * 500))


@pytest.mark.parametrize("write", ["put", "put_file", "put_source", "put_manifest"])
def test_a_full_disk_loses_nothing(path: Path, write: str) -> None:
    writer = Writer(path)
    connected = writer.reader.connection
    (pages,) = connected.execute("PRAGMA page_count").fetchone()
    connected.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(StorageError, match=r"the disk of .* is full"):
        put_many(writer, WRITES[write])
    connected.execute("PRAGMA max_page_count=100000")
    assert writer.reader.state().articles == 1
    assert put(writer, prepared("b", "2")) == [2]
    writer.close()


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(b"no database at all, " * 100)
    with pytest.raises(IndexDamagedError, match=r"store\.db is damaged"):
        Store(path).reader()
    path.unlink()
    sqlite3.connect(path).execute("CREATE TABLE t (x)").connection.close()
    with pytest.raises(IndexDamagedError, match="is not an index of wenda"):
        Store(path).reader()
    path.unlink()
    with pytest.raises(IndexDamagedError, match="is missing"):
        Store(path).reader()


def test_a_newer_format_is_refused(path: Path) -> None:
    other = sqlite3.connect(path)
    other.execute(f"PRAGMA user_version={schema.FORMAT_VERSION + 1}")
    other.close()
    for opened in (Store(path).reader, lambda: Writer(path)):
        with pytest.raises(IndexMismatchError, match="written by a newer wenda"):
            opened()


def test_an_older_format_is_migrated_by_the_writer(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "FORMAT_VERSION", 2)
    monkeypatch.setattr(schema, "MIGRATIONS", {1: "CREATE TABLE extra (x)"})
    with pytest.raises(IndexMismatchError, match=r"has the older format 1: .* check --repair"):
        Store(path).reader()
    Writer(path).close()
    store = Store(path)
    assert store.reader().rows("SELECT * FROM extra") == []
    store.close()


def test_a_read_only_disk_can_be_read(path: Path) -> None:
    if os.geteuid() == 0:
        # For root every folder is writable: all that is left to see is that the file opens.
        assert connection._immutable(path) == ""
    path.chmod(0o444)
    path.parent.chmod(0o555)
    try:
        store = Store(path)
        assert store.reader().state().articles == 1
        store.close()
    finally:
        path.parent.chmod(0o755)


def test_a_second_writer_is_refused_and_told_who_is_first(tmp_path: Path) -> None:
    holder = f"is being written by process {os.getpid()}"
    with writer_lock(tmp_path, seconds=0), pytest.raises(IndexLockedError, match=holder):
        writer_lock(tmp_path, seconds=0).__enter__()
    with writer_lock(tmp_path, seconds=0):
        pass


def test_the_lock_dies_with_its_process(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib; from retrieval.storage.lock import writer_lock\n"
        "with writer_lock(pathlib.Path(sys.argv[1]), seconds=0):\n"
        "  print('held', flush=True); sys.stdin.read()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        with pytest.raises(IndexLockedError, match=f"process {child.pid}"), writer_lock(tmp_path, seconds=0):
            pass
        child.kill()
        child.wait()
        with writer_lock(tmp_path, seconds=5):
            pass


def test_generations(tmp_path: Path) -> None:
    folder = IndexFolder(tmp_path / "index")
    with pytest.raises(IndexNotFoundError, match=r"there is no index in .*python -m retrieval index"):
        folder.current()
    folder.prepare()
    first = folder.new()
    first.store.touch()
    assert not folder.exists()
    first = folder.switch(first)
    stamp = folder.stamp()
    second = folder.new()
    second.store.touch()
    assert folder.current() == first
    second = folder.switch(second)
    assert folder.current() == second
    assert folder.stamp() != stamp
    folder.new()
    folder.discard_others()
    assert folder.generations() == [second]
    assert [path.name for path in folder.path.glob("generation-*")] == [second.name]
    # A crash between finishing the first generation and naming it.
    (folder.path / "CURRENT").unlink()
    assert folder.exists()
    assert folder.current() == second
    assert folder.stamp() == (0, 0)


@pytest.mark.parametrize("content", ["", "../../etc", "generation-000009", "\udcff"])
def test_a_current_file_that_names_nothing_is_damage(tmp_path: Path, content: str) -> None:
    folder = IndexFolder(tmp_path / "index")
    folder.prepare()
    folder.switch(folder.new())
    (tmp_path / "index" / "CURRENT").write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(IndexDamagedError, match=r"is damaged: .* check --repair"):
        folder.current()


def test_a_folder_of_other_files_does_not_become_an_index(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").touch()
    with pytest.raises(StorageError, match=r"holds other files \(letter\.txt"):
        IndexFolder(tmp_path).prepare()
    with pytest.raises(StorageError, match="is a file"):
        IndexFolder(tmp_path / "letter.txt").prepare()
