"""Opening and synchronising: stopped in the middle, nothing is lost and the next start goes on."""

import threading
from pathlib import Path

import pytest

from bot.errors import BotError
from bot.opening import Collection, open_retriever, overview, own_collection, synchronise, watch
from bot.settings import Settings


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)
    monkeypatch.chdir(tmp_path)
    return Settings.load()


def test_a_stopped_sync_goes_on_at_the_next_start(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "articles"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.md").write_text(f"口岸第{number}号仓库建成。\n", encoding="utf-8")
    collection = Collection(tmp_path / "index", (str(folder),))
    stopping = threading.Event()
    stopping.set()
    with open_retriever(collection, settings) as retriever:
        assert synchronise(retriever, collection.sources, stopping=stopping) is None
        report = synchronise(retriever, collection.sources)
        assert report is not None
        assert report.failed == ()
        assert overview(retriever).articles == 3
        assert synchronise(retriever, ()) is None


def test_too_much_removed_is_not_followed(
    settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "articles"
    folder.mkdir()
    for number in range(9):
        (folder / f"{number}.md").write_text(f"口岸第{number}号仓库建成。\n", encoding="utf-8")
    collection = Collection(tmp_path / "index", (str(folder),))
    with open_retriever(collection, settings) as retriever:
        synchronise(retriever, collection.sources)
        for number in range(8):
            (folder / f"{number}.md").unlink()
        assert synchronise(retriever, collection.sources) is None
        assert overview(retriever).articles == 9
    assert "answering from what was indexed before" in caplog.text


def test_a_source_that_is_not_there_is_named(settings: Settings) -> None:
    with pytest.raises(BotError, match="no file or folder nowhere"):
        own_collection(settings.model_copy(update={"sources": ("https://x.org/feed", "nowhere")}))


def test_the_sources_are_followed_while_the_bot_serves(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "0.md").write_text("口岸第0号仓库建成。\n", encoding="utf-8")
    collection = Collection(tmp_path / "index", (str(folder),))
    stopping, changed = threading.Event(), threading.Event()
    with open_retriever(collection, settings) as retriever:
        synchronise(retriever, collection.sources)
        thread = threading.Thread(
            target=watch,
            args=(retriever, collection.sources, stopping),
            kwargs={"every": 600.0, "changed": changed.set},
        )
        thread.start()
        (folder / "1.md").write_text("口岸第1号仓库建成。\n", encoding="utf-8")
        assert changed.wait(20)
        stopping.set()
        thread.join(20)
        assert not thread.is_alive()
        assert overview(retriever).articles == 2
        watch(retriever, (), threading.Event(), every=600.0, changed=changed.set)
        watch(retriever, collection.sources, threading.Event(), every=0, changed=changed.set)


def test_addresses_are_sources_too(settings: Settings) -> None:
    given = settings.model_copy(update={"sources": ("https://x.org/feed",)})
    assert own_collection(given).sources == ("https://x.org/feed",)
