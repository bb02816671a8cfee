"""Loading with several processes: the same contents as a sync, also after being killed on the way."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from retrieval import Retriever
from retrieval.cli import cli

from ..test_crash import article, contents
from .server import LiteServer


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    """New files, two with the same text, one that cannot be read."""
    folder = tmp_path / "articles"
    folder.mkdir()
    for number in range(240):
        (folder / f"{number:03}.md").write_text(article(number, 0), encoding="utf-8")
    (folder / "again.md").write_text(article(7, 0), encoding="utf-8")
    (folder / "broken.md").write_bytes(b"\x7fELF\x02\x01\x01" + bytes(range(256)) * 4)
    return folder


def assert_as_synced(place: str, articles: Path, tmp_path: Path) -> None:
    with Retriever.open(place) as loaded, Retriever.open(tmp_path / "local") as local:
        local.sync(articles)
        assert loaded.check().problems == ()
        assert contents(loaded) == contents(local)
        mine, theirs = (each.search("第7条河第0版流经哪些城市") for each in (loaded, local))
        assert mine.hits[0].title == theirs.hits[0].title
        assert mine.hits[0].score == pytest.approx(theirs.hits[0].score, abs=0.02)


def test_several_processes_load_the_same(server: LiteServer, articles: Path, tmp_path: Path) -> None:
    place = f"milvus+http://127.0.0.1:{server.port}/archive?consistency=Strong"
    arguments = ["load", str(articles), "--index", place, "--workers", "2"]
    first = CliRunner().invoke(cli, arguments)
    assert "241 added" in first.output
    assert "broken.md" in first.output
    assert first.exit_code == 1  # as with `index`: a file could not be read
    assert_as_synced(place, articles, tmp_path)
    again = CliRunner().invoke(cli, arguments)
    assert "0 added, 0 changed, 0 moved, 0 removed, 241 unchanged" in again.output


def test_killed_on_the_way_and_loaded_again(server: LiteServer, articles: Path, tmp_path: Path) -> None:
    place = f"milvus+http://127.0.0.1:{server.port}/archive?consistency=Strong"
    command = [sys.executable, "-m", "retrieval", "load", str(articles), "--index", place, "--workers", "2",
               "--shard", "16"]  # fmt: skip
    Retriever.open(place).close()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with Retriever.open(place) as reader:
        deadline = time.monotonic() + 60
        while not 16 <= reader.status().articles < 200 and time.monotonic() < deadline:
            time.sleep(0.02)
        child.send_signal(signal.SIGKILL)
        child.wait()
        assert 16 <= reader.status().articles < 241
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "unchanged" in done.stdout
    assert_as_synced(place, articles, tmp_path)


def test_only_an_index_on_milvus_is_loaded(tmp_path: Path, articles: Path) -> None:
    done = CliRunner().invoke(cli, ["load", str(articles), "--index", str(tmp_path / "index")])
    assert done.exit_code == 1
    assert "use `python -m retrieval index`" in done.output
