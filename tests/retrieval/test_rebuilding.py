"""Another encoder, while questions go on being answered."""

import contextlib
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from retrieval import Article, IndexMismatchError, IndexNotFoundError, Retriever
from retrieval.homes import home_of
from retrieval.local_home import LocalHome
from retrieval.locations import Location
from retrieval.milvus.home import MilvusHome
from retrieval.rebuilding import rebuild

from .encoders import HashEncoder
from .test_sync import assert_sound, dense, ids, lexical

Open = Callable[..., Retriever]


def generations(location: Location) -> int:
    """How many generations of the index there are."""
    home = home_of(location)
    if isinstance(home, LocalHome):
        return len(list(home.folder.path.glob("generation-*")))
    assert isinstance(home, MilvusHome)
    with contextlib.closing(home):
        return len(home.generations())


def test_another_encoder_takes_over(open_index: Open, location: Location, folder: Path) -> None:
    old = open_index()
    (folder / "twin.txt").write_text(
        (folder / "more" / "loire.txt").read_text(encoding="utf-8") * 4, encoding="utf-8"
    )
    (folder / "twin2.txt").write_text((folder / "twin.txt").read_text(encoding="utf-8"), encoding="utf-8")
    old.sync(folder)
    before = ids(old)
    other = HashEncoder("other", dimension=32, salt=5)
    told: list[int] = []
    rebuild(location, encoder=other, progress=lambda progress: told.append(progress.done))
    assert told[-1] == 6
    new = open_index(encoder=other)
    assert new.status().dimension == 32
    assert ids(new) == before
    assert dense(new, "埃及人靠尼罗河的淤泥种小麦")[0] == "more/nile.md"
    assert lexical(new, "香波堡有多少房间")[0] in {"more/loire.txt", "twin.txt"}
    assert new.passages("twin2.txt") == []
    assert_sound(new)
    assert new.sync(folder).unchanged == 6
    # The one that was open is told at its next search that its encoder no longer fits.
    assert old.status().dimension == 32
    with pytest.raises(IndexMismatchError, match="made with the encoder 'other'"):
        dense(old, "河")
    assert generations(location) == 1


def test_the_same_encoder_derives_everything_anew(
    open_index: Open, location: Location, folder: Path, encoder: HashEncoder
) -> None:
    retriever = open_index()
    retriever.sync(folder)
    rebuild(location, encoder=encoder)
    assert dense(retriever, "埃及人靠尼罗河的淤泥种小麦")[0] == "more/nile.md"
    assert_sound(retriever)


def test_questions_go_on_being_answered(open_index: Open, location: Location, encoder: HashEncoder) -> None:
    retriever = open_index()
    retriever.add([Article(id=f"{n}", text=f"第{n}条河流经{n * 7}个城市。") for n in range(50)])
    done = threading.Event()
    problems: list[object] = []

    def ask() -> None:
        while not done.is_set():
            try:
                found = retriever.search("第3条河流经21个城市。", top_k=1, mode="dense")
                if found.hits[0].article_id != "3":
                    problems.append("wrong")
            except Exception as error:
                problems.append(error)
                return

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        rebuild(location, encoder=encoder)
    done.set()
    for thread in threads:
        thread.join()
    assert problems == []


def test_a_rebuild_that_fails_leaves_everything_as_it_was(
    open_index: Open, location: Location, folder: Path, encoder: HashEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    retriever = open_index()
    retriever.sync(folder)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("in the middle")

    with monkeypatch.context() as patched:
        patched.setattr(HashEncoder, "encode_passages", fail)
        with pytest.raises(RuntimeError, match="in the middle"):
            rebuild(location, encoder=encoder)
    assert lexical(retriever, "香波堡有多少房间")[0] == "more/loire.txt"
    assert_sound(retriever)
    rebuild(location, encoder=encoder)
    assert generations(location) == 1


def test_there_has_to_be_an_index(tmp_path: Path) -> None:
    with pytest.raises(IndexNotFoundError):
        rebuild(tmp_path / "none")
