"""Reading ahead."""

import os
import sys
from pathlib import Path

import pytest

from retrieval import Article, Retriever, warming
from retrieval.warming import read_ahead, warm_up

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the system is asked as Linux is")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[tuple[int, int]]]:
    """What the system was asked to read: stretches by the name of the file."""
    stretches: dict[str, list[tuple[int, int]]] = {}

    def advise(handle: int, start: int, length: int, advice: int) -> None:
        assert advice == os.POSIX_FADV_WILLNEED
        name = Path(f"/proc/self/fd/{handle}").readlink().name
        stretches.setdefault(name, []).append((start, start + length))

    monkeypatch.setattr(os, "posix_fadvise", advise)
    monkeypatch.setattr(warming, "_CHUNK", 100)
    return stretches


def test_all_of_all_files_is_asked_for(tmp_path: Path, asked: dict[str, list[tuple[int, int]]]) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "store").write_bytes(bytes(250))
    (tmp_path / "inner" / "vectors").write_bytes(bytes(100))
    (tmp_path / "empty").touch()
    thread = read_ahead(tmp_path)
    assert thread is not None
    thread.join()
    assert asked == {"store": [(0, 100), (100, 200), (200, 300)], "vectors": [(0, 100)]}


def test_not_where_it_would_take_more_than_half_of_what_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory, limit, folder = tmp_path / "meminfo", tmp_path / "limit", tmp_path / "index"
    monkeypatch.setattr(warming, "_MEMORY", memory)
    monkeypatch.setattr(warming, "_LIMIT", limit)
    folder.mkdir()
    (folder / "store").write_bytes(bytes(10_000))
    assert read_ahead(folder) is None  # nothing is known of the memory
    memory.write_text("MemTotal: 9999 kB\nMemAvailable:      20 kB\n", encoding="ascii")
    assert read_ahead(folder) is not None
    (folder / "more").write_bytes(bytes(500))
    assert read_ahead(folder) is None
    memory.write_text("MemAvailable:      40 kB\n", encoding="ascii")
    limit.write_text("max\n", encoding="ascii")
    assert read_ahead(folder) is not None
    limit.write_text("20000\n", encoding="ascii")
    assert read_ahead(folder) is None


def test_a_file_that_is_gone_is_passed_over(tmp_path: Path, asked: dict[str, list[tuple[int, int]]]) -> None:
    (tmp_path / "here").write_bytes(bytes(1))
    warming._ask_for([tmp_path / "gone", tmp_path / "here"])
    assert list(asked) == ["here"]


def test_not_on_a_system_that_cannot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "posix_fadvise")
    assert read_ahead(tmp_path) is None


def test_the_files_of_an_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders: list[Path] = []
    monkeypatch.setattr("retrieval.local.read_ahead", folders.append)
    with Retriever.open(tmp_path / "index") as retriever:
        retriever.add([Article(id="1", text="灯塔很高。")])
        warm_up(retriever)
        with retriever.reading() as index:
            assert folders == [index.generation.folder]
    assert (folders[0] / "store.db").is_file()
