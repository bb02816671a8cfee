"""Watching: what changes becomes searchable by itself, errors end nothing, a signal ends it cleanly."""

import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from retrieval import Retriever
from retrieval.errors import IndexLockedError
from retrieval.watching import Round, Watcher

from .test_collections import rss
from .test_sync import ALL, ids
from .web_server import Answer, web_server

PATIENCE = 20.0


@contextmanager
def watching(retriever: Retriever, *sources: str | Path, **options: Any) -> Iterator["queue.Queue[Round]"]:
    """A watcher in a thread; what it tells comes through the queue."""
    told: queue.Queue[Round] = queue.Queue()
    stop = threading.Event()
    watcher = Watcher(retriever, sources, **{"every": 600.0, "tell": told.put} | options)
    thread = threading.Thread(target=watcher.run, args=(stop,))
    thread.start()
    try:
        yield told
    finally:
        stop.set()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def until(told: "queue.Queue[Round]", wanted: Callable[[Round], bool]) -> Round:
    deadline = time.monotonic() + PATIENCE
    while True:
        found = told.get(timeout=max(deadline - time.monotonic(), 0.01))
        if wanted(found):
            return found


def report_with(name: str, *identities: str) -> Callable[[Round], bool]:
    return lambda found: found.report is not None and getattr(found.report, name) == identities


def test_folders_and_single_files(
    retriever: Retriever, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrieval.watching.DEBOUNCE_MS", 100)
    monkeypatch.setattr("retrieval.watching.LOOK_SECONDS", 0.1)
    single = tmp_path / "single.md"
    single.write_text("独木桥。", encoding="utf-8")
    with watching(retriever, folder, single) as told:
        first = told.get(timeout=PATIENCE)
        assert first.first
        assert first.report is not None
        assert first.report.added == (*ALL, "single.md")
        (folder / "new.md").write_text("伏尔加河是欧洲最长的河流。", encoding="utf-8")
        assert until(told, report_with("added", "new.md")).sources == (str(folder),)
        (folder / "rhine.md").write_text("莱茵河改写了。", encoding="utf-8")
        until(told, report_with("changed", "rhine.md"))
        (folder / "new.md").unlink()
        until(told, report_with("removed", "new.md"))
        replacement = tmp_path / "other.md"
        replacement.write_text("独木桥修好了。", encoding="utf-8")
        replacement.replace(single)
        assert until(told, report_with("changed", "single.md")).sources == (str(single),)
    assert ids(retriever) == sorted([*ALL, "single.md"])


def test_an_error_of_one_round_ends_nothing(
    retriever: Retriever, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrieval.watching.DEBOUNCE_MS", 100)
    monkeypatch.setattr("retrieval.watching.LOOK_SECONDS", 0.1)
    monkeypatch.setattr("retrieval.watching.RETRY_SECONDS", 0.2)
    real, trouble = Retriever.sync, queue.SimpleQueue[Exception]()

    def sync(self: Retriever, *given: Any, **options: Any) -> Any:
        if not trouble.empty():
            raise trouble.get()
        return real(self, *given, **options)

    monkeypatch.setattr(Retriever, "sync", sync)
    with watching(retriever, folder) as told:
        told.get(timeout=PATIENCE)
        told.get(timeout=PATIENCE)  # what changed before the watching began
        trouble.put(IndexLockedError("the index is being written"))
        (folder / "new.md").write_text("伏尔加河是欧洲最长的河流。", encoding="utf-8")
        assert until(told, lambda found: bool(found.error)).error == "the index is being written"
        until(told, report_with("added", "new.md"))
        trouble.put(ZeroDivisionError("a fault of our own"))
        (folder / "two.md").write_text("多瑙河流经十国。", encoding="utf-8")
        assert until(told, lambda found: bool(found.error)).error == "ZeroDivisionError: a fault of our own"
        (folder / "three.md").write_text("顿河流入亚速海。", encoding="utf-8")
        until(told, report_with("added", "three.md", "two.md"))


def test_feeds_are_asked_again_and_again(retriever: Retriever, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("urllib.request.getproxies", dict)
    monkeypatch.setattr("retrieval.watching.LOOK_SECONDS", 0.05)
    options = {"allow_private": True}
    with (
        web_server() as web,
        watching(retriever, f"{web.address}/f", every=0.1, options=options) as told,
    ):
        assert until(told, lambda found: found.report is not None and bool(found.report.failed))
        web.answers["/f"] = Answer(rss(1).encode(), etag='"1"')
        until(told, report_with("added", "urn:1"))
        web.answers["/f"] = Answer(rss(1, 2).encode(), etag='"2"')
        until(told, report_with("added", "urn:2"))


def test_an_index_inside_its_own_source_does_not_wake_the_watcher(
    folder: Path, encoder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrieval.watching.DEBOUNCE_MS", 50)
    with (
        Retriever.open(folder / "data" / "index", encoder=encoder) as retriever,
        watching(retriever, folder) as told,
    ):
        told.get(timeout=PATIENCE)
        told.get(timeout=PATIENCE)  # what changed before the watching began
        with pytest.raises(queue.Empty):
            told.get(timeout=1.0)


@contextmanager
def killed_after(process: "subprocess.Popen[str]", seconds: float) -> Iterator[None]:
    """Lets no failure of the test leave the process behind, or wait for it for ever."""
    timer = threading.Timer(seconds, process.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_command_cleanly(folder: Path, tmp_path: Path, number: int) -> None:
    command = [sys.executable, "-m", "retrieval", "watch", str(folder), "--index", str(tmp_path / "i")]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process,
        killed_after(process, 60.0),
    ):
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == f"watching {folder}; Ctrl-C ends it\n"
        assert process.stdout.readline().endswith(" 4 added, 0 changed, 0 moved, 0 removed, 0 unchanged\n")
        (folder / "new.md").write_text("伏尔加河是欧洲最长的河流。", encoding="utf-8")
        assert process.stdout.readline().endswith(" 1 added, 0 changed, 0 moved, 0 removed, 4 unchanged\n")
        process.send_signal(number)
        assert process.wait(PATIENCE) == 0
        assert process.stderr.read() == ""
