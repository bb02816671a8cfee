"""Connections that break and servers that die: afterwards the contents equal those of an undisturbed run."""

import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from retrieval import Retriever
from retrieval.errors import IndexUnavailableError, RetrievalError

from ..encoders import HashEncoder
from ..test_crash import article, contents, scramble
from .conftest import at
from .proxy import Proxy
from .server import LiteServer

ARTICLES = 60


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many commits, so that there is a middle to be broken off in."""
    monkeypatch.setattr("retrieval.batching.FIRST_BATCH", 8)
    monkeypatch.setattr("retrieval.batching.LARGEST_BATCH", 8)


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    folder = tmp_path / "articles"
    folder.mkdir()
    for number in range(ARTICLES):
        (folder / f"{number}.md").write_text(article(number, 0), encoding="utf-8")
    return folder


def assert_as_undisturbed(retriever: Retriever, articles: Path, tmp_path: Path) -> None:
    """What there is now is what one sync into a new local index gives; and nothing is left over."""
    assert retriever.check().problems == ()
    with Retriever.open(tmp_path / "undisturbed", encoder=HashEncoder()) as undisturbed:
        undisturbed.sync(articles)
        assert contents(retriever) == contents(undisturbed)
        question = "第7条河第0版流经哪些城市"
        mine, theirs = retriever.search(question), undisturbed.search(question)
        assert mine.hits[0].article_id == theirs.hits[0].article_id
        assert mine.hits[0].score == pytest.approx(theirs.hits[0].score, abs=0.01)


def until_done(do: Callable[[], object], *, attempts: int = 30) -> int:
    """Try again, as cron would; how often it failed."""
    for failed in range(attempts):
        try:
            do()
        except IndexUnavailableError:
            time.sleep(0.5)
        else:
            return failed
    raise AssertionError("it never succeeded")


def test_the_server_is_killed_in_the_middle_of_a_sync(
    server: LiteServer, articles: Path, tmp_path: Path
) -> None:
    chance = random.Random(7)
    ended = threading.Event()

    def kill_and_start() -> None:
        for _ in range(2):
            if ended.wait(0.2 + chance.random()):
                return
            server.kill()
            time.sleep(0.3)
            server.start()

    with Retriever.open(at(server.port), encoder=HashEncoder()) as retriever:
        for turn in range(2):
            killing = threading.Thread(target=kill_and_start)
            ended.clear()
            killing.start()
            try:
                until_done(lambda: retriever.sync(articles, prune=True))
            finally:
                ended.set()
                killing.join()
            if not turn:
                scramble(articles, chance)
        assert_same_after(retriever, articles, tmp_path)


def assert_same_after(retriever: Retriever, articles: Path, tmp_path: Path) -> None:
    retriever.sync(articles, prune=True)
    assert_as_undisturbed(retriever, articles, tmp_path)


def test_a_proxy_that_drops_delays_and_cuts(proxy: Proxy, articles: Path, tmp_path: Path) -> None:
    chance = random.Random(11)
    ended = threading.Event()

    def misbehave() -> None:
        for _ in range(8):
            if ended.wait(0.2 + 0.3 * chance.random()):
                return
            what = chance.choice(["drop", "delay", "cut", "cut after"])
            if what == "drop":
                proxy.refusing = True
                time.sleep(0.5)
                proxy.refusing = False
            elif what == "delay":
                proxy.delay = 0.1
                time.sleep(0.4)
                proxy.delay = 0.0
            elif what == "cut":
                proxy.cut()
            else:
                proxy.cut_after = chance.randrange(20_000)
                time.sleep(0.4)
                proxy.cut_after = None

    with Retriever.open(at(proxy.port), encoder=HashEncoder()) as retriever:
        for turn in range(2):
            trouble = threading.Thread(target=misbehave)
            ended.clear()
            trouble.start()
            try:
                until_done(lambda: retriever.sync(articles, prune=True))
            finally:
                ended.set()
                trouble.join()
            if not turn:
                scramble(articles, chance)
        assert_same_after(retriever, articles, tmp_path)


CHILD = """
import sys
sys.path.insert(0, sys.argv[3])
import retrieval.indexing
from encoders import HashEncoder
from retrieval import Retriever
from retrieval.locations import located
retrieval.batching.FIRST_BATCH = retrieval.batching.LARGEST_BATCH = 8
with Retriever.open(located(sys.argv[1]), encoder=HashEncoder()) as retriever:
    retriever.analyzer.terms("先装好词典")
    print("ready", flush=True)
    retriever.sync(sys.argv[2], prune=True)
"""


def test_the_writer_is_killed_in_the_middle_of_a_sync(
    server: LiteServer, articles: Path, tmp_path: Path
) -> None:
    """The next writer on this machine takes over at once, and clears away what was not committed."""
    chance = random.Random(3)
    place = f"milvus+http://127.0.0.1:{server.port}/archive?consistency=Strong"
    Retriever.open(place, encoder=HashEncoder()).close()
    for turn in range(4):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, place, str(articles), str(Path(__file__).parent.parent)],
            stdout=subprocess.PIPE,
        )
        with child:
            assert child.stdout is not None
            assert child.stdout.readline() == b"ready\n"
            time.sleep(chance.random() * 1.2)
            child.send_signal(signal.SIGKILL)
        with Retriever.open(place, encoder=HashEncoder()) as reader:
            # Whole articles only, whatever was under way.
            for found in reader.articles():
                assert found.text
                assert reader.passages(found.id)
        if turn % 2:
            scramble(articles, chance)
    with Retriever.open(place, encoder=HashEncoder()) as retriever:
        assert_same_after(retriever, articles, tmp_path)


def test_questions_while_the_server_is_away(proxy: Proxy, articles: Path) -> None:
    """One sentence within the time that was set; and an answer again once it is back."""
    with Retriever.open(at(proxy.port, timeout=0.5), encoder=HashEncoder()) as retriever:
        retriever.sync(articles)
        question = "第7条河第0版流经哪些城市"
        before = retriever.search(question).hits
        proxy.refusing = True
        started = time.monotonic()
        with pytest.raises(IndexUnavailableError, match="cannot be reached just now"):
            retriever.search(question)
        assert time.monotonic() - started < 10
        proxy.refusing = False
        until_done(lambda: retriever.search(question))
        assert retriever.search(question).hits == before


def test_a_server_that_does_not_answer(server: LiteServer, articles: Path) -> None:
    with Retriever.open(at(server.port, timeout=0.5), encoder=HashEncoder()) as retriever:
        retriever.sync(articles)
        server.pause()
        with pytest.raises(IndexUnavailableError, match="cannot be reached just now"):
            retriever.search("第7条河")
        server.go_on()
        until_done(lambda: retriever.search("第7条河"))


def test_no_server_at_all(server: LiteServer) -> None:
    server.kill()
    with pytest.raises(RetrievalError, match=r"cannot be reached just now .* start it"):
        Retriever.open(at(server.port, timeout=0.5), encoder=HashEncoder())
