"""A process that syncs is killed at any moment: the index opens, is sound, and the next sync carries on.

200 times in the suite, in runs of their own; `pytest tests/retrieval/test_crash.py --kills 1000` for more.
"""

import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from retrieval import Retriever

from .encoders import HashEncoder

Contents = dict[str, tuple[str, list[tuple[int, str]]]]

RUNS = 8

NURSERY = """
import os, signal, sys, time
sys.path.insert(0, sys.argv[3])
import retrieval.indexing, retrieval.sync, retrieval.vector.merging
from encoders import HashEncoder
from retrieval import Retriever
from retrieval.analyzers import analyzer_with
from retrieval.lexical.tantivy_index import TantivyIndex
retrieval.batching.FIRST_BATCH = retrieval.batching.LARGEST_BATCH = 4   # many commits,
retrieval.indexing._BULK_TAIL = 25  # many segments of the vector index,
retrieval.indexing._TAIL = 5
retrieval.indexing._GATHERED = 10  # often tidied up,
retrieval.vector.merging.CODES_FROM = 60  # some of them with codes
analyzer_with(None).terms("先装好词典")
print("ready", flush=True)
for line in sys.stdin:
    child = os.fork()
    if not child:
        with Retriever.open(sys.argv[1], encoder=HashEncoder()) as retriever:
            retriever.sync(sys.argv[2], prune=True)
        os._exit(0)
    time.sleep(float(line))
    os.kill(child, signal.SIGKILL)
    print("killed" if os.WIFSIGNALED(os.waitpid(child, 0)[1]) else "done", flush=True)
"""
"""Gives birth to processes that sync, and kills them: a fork takes no time, starting Python takes most."""


@contextmanager
def nursery(index: Path, folder: Path) -> Iterator[Callable[[float], bool]]:
    """A function that has a process sync, and kills it after so many seconds: whether it was at work."""
    program = [sys.executable, "-c", NURSERY, str(index), str(folder), str(Path(__file__).parent)]
    pipe = subprocess.PIPE
    with subprocess.Popen(program, stdin=pipe, stdout=pipe, stderr=pipe) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        assert running.stderr is not None
        lines = running.stdout
        assert lines.readline() == b"ready\n"

        def kill_after(seconds: float) -> bool:
            running.stdin.write(f"{seconds}\n".encode())
            running.stdin.flush()
            return {b"killed\n": True, b"done\n": False}[lines.readline()]

        yield kill_after
        running.stdin.close()
        assert "Traceback" not in running.stderr.read().decode()


@pytest.fixture
def location(index_path: Path) -> Path:
    """Only indexes of files are meant here."""
    return index_path


def article(number: int, version: int) -> str:
    lines = [
        f"第{number}条河第{version}版：流经{(number * 7 + line) % 97}个城市，长{number * 31 + line}公里。"
        for line in range(6)
    ]
    return f"---\ntitle: 河{number}\n---\n" + "".join(f"<p>{line * 3}</p>" for line in lines)


def scramble(folder: Path, chance: random.Random) -> None:
    """Add, change, rename and remove some articles."""
    files = sorted(folder.glob("*.md"))
    for path in chance.sample(files, min(len(files), 6)):
        action = chance.choice(["change", "rename", "remove"])
        if action == "change":
            path.write_text(article(int(path.stem.split("-")[0]), chance.randrange(1000)), encoding="utf-8")
        elif action == "rename":
            path.rename(folder / f"{path.stem.split('-')[0]}-{chance.randrange(10**6)}.md")
        else:
            path.unlink()
    for _ in range(6):
        number = chance.randrange(10**6)
        (folder / f"{number}.md").write_text(article(number, 0), encoding="utf-8")


def contents(retriever: Retriever) -> Contents:
    """All there is, by file: text, and passages with their places."""
    return {
        str(found.path): (found.text, [(p.ordinal, p.text) for p in retriever.passages(found.id)])
        for found in retriever.articles()
    }


@pytest.mark.parametrize("run", range(RUNS))
def test_killed_at_any_moment(tmp_path: Path, run: int, pytestconfig: pytest.Config) -> None:
    chance = random.Random(20210701 + run)
    folder, index = tmp_path / "articles", tmp_path / "index"
    folder.mkdir()
    for number in range(25):
        (folder / f"{number}.md").write_text(article(number, 0), encoding="utf-8")
    seconds, killed = 0.3, 0
    with Retriever.open(index, encoder=HashEncoder()) as reader, nursery(index, folder) as kill_after:
        while killed < pytestconfig.getoption("--kills", 200) // RUNS:
            if kill_after(chance.random() * seconds):
                killed += 1
                seconds *= 1.1
            else:
                seconds *= 0.8
                scramble(folder, chance)
            assert_opens_and_is_sound(index, reader)
            if not chance.randrange(3):
                scramble(folder, chance)
        with Retriever.open(index, encoder=HashEncoder()) as retriever:
            retriever.sync(folder, prune=True)
            assert retriever.check().problems == ()
            survived = contents(retriever)
        assert contents(reader) == survived
    with Retriever.open(tmp_path / "undisturbed", encoder=HashEncoder()) as undisturbed:
        undisturbed.sync(folder)
        assert contents(undisturbed) == survived


def assert_opens_and_is_sound(index: Path, reader: Retriever) -> None:
    """For one who opens it now, and for one who had it open all the time."""
    with Retriever.open(index, encoder=HashEncoder()) as retriever:
        report = retriever.check(repair=False)
        behind = [problem for problem in report.problems if not problem.startswith("the lexical index")]
        assert behind == []
        retriever.add([])  # a writer first catches up with what the crash kept from the lexical index
        assert retriever.check().problems == ()
        assert contents(retriever) == contents(reader)


@pytest.mark.parametrize("kept", ["store only", "store and lexical"])
def test_a_copy_taken_between_two_steps_is_sound(
    tmp_path: Path, kept: str, open_index: Callable[..., Retriever]
) -> None:
    """What is on the disk after the store's commit, and after the lexical one, as if the power went then."""
    retriever = open_index()
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "1.md").write_text(article(1, 0), encoding="utf-8")
    retriever.sync(folder)
    with retriever.reading() as index:
        generation = index.generation
    copy = tmp_path / "lexical before"
    shutil.copytree(generation.lexical, copy)
    (folder / "2.md").write_text(article(2, 0), encoding="utf-8")
    (folder / "1.md").write_text(article(1, 1), encoding="utf-8")
    retriever.sync(folder)
    expected = contents(retriever)
    retriever.close()
    if kept == "store only":
        shutil.rmtree(generation.lexical)
        shutil.copytree(copy, generation.lexical)
    again = open_index()
    assert contents(again) == expected
    again.add([])
    assert again.check().problems == ()


SMALL_DISK = """
import resource, signal, sys
sys.path.insert(0, sys.argv[3])
import retrieval.indexing, retrieval.vector.merging
from encoders import HashEncoder
from retrieval import Retriever, StorageError
retrieval.batching.FIRST_BATCH = retrieval.batching.LARGEST_BATCH = 16
retrieval.indexing._BULK_TAIL = 60
retrieval.vector.merging.CODES_FROM = 100
with Retriever.open(sys.argv[1], encoder=HashEncoder()) as retriever:
    retriever.sync(sys.argv[2], dry_run=True)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[4]), int(sys.argv[4])))
    try:
        retriever.sync(sys.argv[2])
    except StorageError as error:
        print("StorageError", error)
"""


@pytest.mark.parametrize("kilobytes", [8, 100, 300])
def test_files_that_cannot_grow(tmp_path: Path, kilobytes: int) -> None:
    """As on a full disk: an error says so, what was committed is whole, the rest comes with the next sync."""
    folder, index = tmp_path / "articles", tmp_path / "index"
    folder.mkdir()
    for number in range(150):
        (folder / f"{number}.md").write_text(article(number, 0), encoding="utf-8")
    Retriever.open(index, encoder=HashEncoder()).close()
    child = subprocess.run(
        [
            sys.executable,
            "-c",
            SMALL_DISK,
            str(index),
            str(folder),
            str(Path(__file__).parent),
            str(kilobytes * 1024),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (child.returncode, child.stderr) == (0, "")
    assert child.stdout.startswith("StorageError ")
    with Retriever.open(index, encoder=HashEncoder()) as retriever:
        assert retriever.status().articles < 150
        retriever.add([])
        assert retriever.check().problems == ()
        retriever.sync(folder)
        assert retriever.status().articles == 150
        assert retriever.check().problems == ()
