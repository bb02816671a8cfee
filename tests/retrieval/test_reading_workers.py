"""Articles read by worker processes: in order, without recurring lines, and ended when broken off."""

import os
import signal
import threading
from pathlib import Path

import numpy as np
import pytest

from embeddings import load_encoder
from retrieval.errors import StorageError
from retrieval.file_reading import FileTask, read_file
from retrieval.lexical.analyzer import Analyzer
from retrieval.parsing.boilerplate import line_key
from retrieval.passage_vectors import passage_vectors
from retrieval.reading_workers import Workers

from .encoders import HashEncoder

LINE = "更多精彩内容请关注本站"


@pytest.fixture
def tasks(tmp_path: Path) -> list[FileTask]:
    """Forty articles that all end in the same line."""
    found = []
    for number in range(40):
        path = tmp_path / f"{number}.md"
        path.write_text(
            f"---\ntitle: 第{number}篇\n---\n<p>河长{number}公里。</p><p>{LINE}</p>", encoding="utf-8"
        )
        found.append(FileTask(path=str(path), relative=path.name, article_id=path.name))
    return found


def test_workers_read_as_this_process_does(tasks: list[FileTask]) -> None:
    recurring = frozenset([line_key(LINE)])
    analyzer = Analyzer()
    with Workers(None, 2) as workers:
        for lines in (frozenset(), recurring, frozenset()):
            assert list(workers.read(tasks, lines)) == [read_file(task, analyzer, lines) for task in tasks]


@pytest.mark.skipif(not hasattr(os, "nice"), reason="this system has no niceness")
def test_workers_give_way(tasks: list[FileTask]) -> None:
    own = os.getpriority(os.PRIO_PROCESS, 0)
    with Workers(None, 2) as workers:
        assert len(list(workers.read(tasks))) == 40
        for number in workers.processes:
            assert os.getpriority(os.PRIO_PROCESS, number) == min(own + 10, 19)


def test_workers_encode_as_this_process_does(tasks: list[FileTask]) -> None:
    encoder = load_encoder()
    for given in (encoder, HashEncoder(), None):
        with Workers(None, 2, given) as workers:
            read = [result.prepared for result in workers.read(tasks)]
        found = [item.vectors for item in read if item is not None]
        assert len(found) == 40
        if given is not encoder:  # one that workers do not know how to load, or none
            assert found == [None] * 40
            continue
        expected = passage_vectors([item for item in read if item is not None], encoder)
        again = [read_file(task, Analyzer()).prepared for task in tasks]
        direct = passage_vectors([item for item in again if item is not None], encoder)
        np.testing.assert_array_equal(expected, direct)
        np.testing.assert_array_equal(np.concatenate([v for v in found if v is not None]), direct)


def test_workers_that_are_stopped_and_continued_lose_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")
    path = tmp_path / "long.md"
    path.write_text(
        "".join(f"<p>第{number}条河长{number}公里。</p>" for number in range(9_000)), encoding="utf-8"
    )
    task = FileTask(path=str(path), relative=path.name, article_id="long")
    with Workers(None, 1) as workers:
        (expected,) = workers.read([task])
        (number,) = workers.processes
        over = threading.Event()
        stopping = threading.Thread(target=_stop_again_and_again, args=(number, over))
        stopping.start()
        try:
            assert all(result == expected for result in workers.read([task] * 32))
        finally:
            over.set()
            stopping.join()


def _stop_again_and_again(number: int, over: threading.Event) -> None:
    """Until it is over; a process that has not come to an end by then is killed."""
    for _ in range(1_500):
        if over.wait(0.02):
            return
        os.kill(number, signal.SIGSTOP)
        os.kill(number, signal.SIGCONT)
    os.kill(number, signal.SIGKILL)


def test_broken_off_the_workers_end(tasks: list[FileTask]) -> None:
    workers = Workers(None, 2)
    results = workers.read(iter(tasks * 10))
    first = next(results)
    assert first.prepared is not None
    assert first.prepared.article.title == "第0篇"
    results.close()
    with pytest.raises(StorageError, match="broken off"):
        list(workers.read(tasks))
