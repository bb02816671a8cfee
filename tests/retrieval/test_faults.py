"""The disk is full, may not be written, or another process writes: an error says so, and nothing is lost."""

import errno
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from retrieval import Article, IndexLockedError, Retriever, StorageError

from .encoders import HashEncoder
from .test_crash import Contents, article, contents

Open = Callable[..., Retriever]

BEFORE = [Article(id=f"{n}", title=f"河{n}", text=f"第{n}条河流经{n * 7}个城市。" * 3) for n in range(20)]
CHANGES = [Article(id=f"{n}", title=f"山{n}", text=f"第{n}座山高{n * 13}米。") for n in range(15, 30)]


@pytest.fixture
def location(index_path: Path) -> Path:
    """Only indexes of files are meant here."""
    return index_path


def changed(retriever: Retriever) -> Contents:
    """What the index holds when the changes were made."""
    retriever.add(CHANGES)
    retriever.remove(["0", "1", "2"])
    return contents(retriever)


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few articles make several commits, and segments of the vector index."""
    monkeypatch.setattr("retrieval.batching.FIRST_BATCH", 4)
    monkeypatch.setattr("retrieval.batching.LARGEST_BATCH", 4)
    monkeypatch.setattr("retrieval.indexing._BULK_TAIL", 10)
    monkeypatch.setattr("retrieval.indexing._TAIL", 3)


@pytest.mark.usefixtures("small_steps")
@pytest.mark.parametrize(
    ("call", "reason"), [("fsync", errno.ENOSPC), ("replace", errno.EACCES), ("open", errno.EROFS)]
)
def test_a_disk_that_fails_at_any_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, reason: int
) -> None:
    whole, index = tmp_path / "whole", tmp_path / "index"
    with Retriever.open(whole, encoder=HashEncoder()) as other:
        other.add(BEFORE)
    shutil.copytree(whole, tmp_path / "undisturbed")
    with Retriever.open(tmp_path / "undisturbed", encoder=HashEncoder()) as other:
        expected = changed(other)
    for number in range(0, 1000, 3):
        shutil.rmtree(index, ignore_errors=True)
        shutil.copytree(whole, index)
        with (
            Retriever.open(index, encoder=HashEncoder()) as writer,
            Retriever.open(index, encoder=HashEncoder()) as reader,
        ):
            with failing(monkeypatch, call, reason, after=number) as failed:
                error = told(writer)
            if not failed:
                break
            # Where only the note could not be written that says who holds the lock, all is done.
            assert os.strerror(reason) in error or (call == "open" and contents(reader) == expected)
            assert contents(reader) == contents(writer)
            writer.add([])
            assert reader.check().problems == ()
            assert changed(writer) == contents(reader) == expected
            assert reader.check().problems == ()
    assert number >= 6


def told(writer: Retriever) -> str:
    """What is said of the failure, if it came to one that matters."""
    try:
        changed(writer)
    except StorageError as error:
        return str(error)
    return ""


def failing(monkeypatch: pytest.MonkeyPatch, call: str, reason: int, *, after: int) -> "Failing":
    return Failing(monkeypatch, call, reason, after)


class Failing:
    """Inside the block, one system call of the writer fails, once; true if it came to that."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, call: str, reason: int, after: int) -> None:
        self.failed = False
        self._monkeypatch, self._call, self._reason, self._left = monkeypatch, call, reason, after

    def __bool__(self) -> bool:
        return self.failed

    def __enter__(self) -> "Failing":
        self._context = self._monkeypatch.context()
        patch = self._context.__enter__()
        if self._call == "fsync":
            self._patch(patch, os, "fsync", lambda *_: True)
        elif self._call == "open":
            self._patch(patch, Path, "open", lambda _, mode="r", *__, **___: "w" in mode)
        else:
            self._patch(patch, Path, self._call, lambda *_, **__: True)
        return self

    def __exit__(self, *details: object) -> None:
        self._context.__exit__(*details)  # type: ignore[arg-type]

    def _patch(
        self, patch: pytest.MonkeyPatch, owner: object, name: str, counts: Callable[..., bool]
    ) -> None:
        real = getattr(owner, name)

        def one(*arguments: object, **named: object) -> object:
            if not self.failed and counts(*arguments, **named):
                if not self._left:
                    self.failed = True
                    raise OSError(self._reason, os.strerror(self._reason))
                self._left -= 1
            return real(*arguments, **named)

        patch.setattr(owner, name, one)


AS_NOBODY = """
import os, sys
sys.path[:] = [*sys.argv[2:], *sys.path]
from encoders import HashEncoder
from retrieval import Article, Retriever, StorageError
with Retriever.open(sys.argv[1] + "-other", encoder=HashEncoder()) as retriever:
    retriever.add([Article(id="x", text="先装好所有模块")])  # nobody may not be able to read Python's files
    retriever.search("模块")
    retriever.check()
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
with Retriever.open(sys.argv[1], encoder=HashEncoder()) as retriever:
    print(retriever.search("第3条河流经多少个城市").hits[0].title, len(retriever.check().problems))
    for change in (lambda: retriever.add([Article(id="x", text="别的")]), lambda: retriever.remove(["3"])):
        try:
            change()
            print("changed")
        except StorageError as error:
            print(type(error).__name__, "ermission denied" in str(error) or "readonly" in str(error))
"""


@pytest.fixture
def readable() -> Iterator[Path]:
    """A folder that every user may read; pytest's own is for its user alone."""
    folder = Path(tempfile.mkdtemp(prefix="wenda-"))
    folder.chmod(0o755)
    yield folder
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755)
    shutil.rmtree(folder)


def test_an_index_that_may_not_be_written_can_be_asked(readable: Path) -> None:
    index = readable / "index"
    with Retriever.open(index, encoder=HashEncoder()) as retriever:
        retriever.add(BEFORE)
        before = contents(retriever)
    for path in [*index.rglob("*"), index]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    paths = [str(Path(__file__).parent), *sys.path]
    child = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, str(index), *paths], capture_output=True, text=True, check=False
    )
    assert child.stdout.split("\n") == ["河3 0", "StorageError True", "StorageError True", ""], child.stderr
    for path in [index, *index.rglob("*")]:
        path.chmod(0o755)
    with Retriever.open(index, encoder=HashEncoder()) as retriever:
        assert contents(retriever) == before
        assert retriever.check().problems == ()


SYNC = """
import sys
sys.path.insert(0, sys.argv[3])
import retrieval.indexing
from encoders import HashEncoder
from retrieval import Retriever
retrieval.batching.FIRST_BATCH = retrieval.batching.LARGEST_BATCH = 4
with Retriever.open(sys.argv[1], encoder=HashEncoder(), lock_seconds=60) as retriever:
    print(len(retriever.sync(sys.argv[2]).added))
"""


def test_two_writers_at_once_take_turns(tmp_path: Path, open_index: Open, index_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for number, folder in enumerate(folders):
        folder.mkdir()
        for place in range(20):
            (folder / f"{number}-{place}.md").write_text(article(20 * number + place, 0), encoding="utf-8")
    reader = open_index()
    children = [
        subprocess.Popen(
            [sys.executable, "-c", SYNC, str(index_path), str(folder), str(Path(__file__).parent)],
            stdout=subprocess.PIPE,
        )
        for folder in folders
    ]
    assert [child.communicate()[0] for child in children] == [b"20\n", b"20\n"]
    assert {path.name for path in map(Path, contents(reader))} == {
        f"{number}-{place}.md" for number in range(2) for place in range(20)
    }
    assert reader.check().problems == ()


def test_the_second_writer_is_told_when_it_does_not_wait(open_index: Open) -> None:
    first, second = open_index(), open_index(lock_seconds=0.05)
    with first._writing(), pytest.raises(IndexLockedError, match=f"written by process {os.getpid()}"):
        second.add(BEFORE)
    second.add(BEFORE)
    assert first.status().articles == 20
