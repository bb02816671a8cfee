"""When workers start and end."""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from retrieval import Retriever
from retrieval.reading_pool import ReadingPool
from retrieval.reading_workers import Workers
from retrieval.sources import scan

Open = Callable[..., Retriever]


@pytest.fixture
def location(index_path: Path) -> Path:
    """A folder: where the index is makes no difference here."""
    return index_path


class Counted:
    """Makes workers and keeps them."""

    def __init__(self) -> None:
        self.made: list[Workers] = []

    def __call__(self) -> Workers:
        self.made.append(Workers(None, 1))
        return self.made[-1]


def alive(workers: Workers) -> bool:
    try:
        for number in workers.processes:
            os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


def test_workers_start_once_when_asked_for_and_end_with_the_pool() -> None:
    make = Counted()
    with contextlib.closing(ReadingPool(make)) as pool:
        assert make.made == []
        workers = pool.workers()
        assert workers is not None
        assert pool.workers() is workers
        assert len(make.made) == 1
        assert alive(workers)
    assert not alive(workers)


def test_a_pool_that_nobody_asked_makes_nothing() -> None:
    make = Counted()
    with contextlib.closing(ReadingPool(make)):
        pass
    assert make.made == []


def test_where_no_workers_can_be_made_there_are_none() -> None:
    with contextlib.closing(ReadingPool(lambda: None)) as pool:
        assert pool.workers() is None


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """A folder of 250 articles."""
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(250):
        (folder / f"{number:03}.md").write_text(f"第{number}条河长{number}公里。", encoding="utf-8")
    return folder


def test_a_scan_tells_how_far_it_is(many: Path) -> None:
    told: list[int] = []
    assert len(scan(many, None, told.append).files) == 250
    assert told == [100, 200, 250]


def test_workers_for_a_new_source_start_while_it_is_looked_through(
    open_index: Open, many: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("sync", "syncing"):
        monkeypatch.setattr(f"retrieval.{module}.FILES_FOR_WORKERS", 200)
    retriever = open_index()
    begun: list[str] = []
    make, look = retriever._workers, scan

    def started() -> Workers | None:
        begun.append("workers")
        return make()

    def looked(*arguments: object) -> object:
        found = look(*arguments)  # type: ignore[arg-type]
        begun.append("scanned")
        return found

    monkeypatch.setattr(retriever, "_workers", started)
    monkeypatch.setattr("retrieval.syncing.scan", looked)
    assert len(retriever.sync(many, dry_run=True).added) == 250
    assert begun == ["scanned"]
    begun.clear()
    assert len(retriever.sync(many).added) == 250
    assert begun == ["workers", "scanned"]
    begun.clear()
    assert retriever.sync(many).unchanged == 250
    assert begun == ["scanned"]
    assert retriever.check().problems == ()
