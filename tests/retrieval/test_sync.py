"""Bringing an index in line with a folder."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from retrieval import Article, Filters, Retriever
from retrieval.errors import RemovalGuardError, SourceError
from retrieval.sync import Progress

ALL = ("amur.md", "more/loire.txt", "more/nile.md", "rhine.md")


def ids(retriever: Retriever) -> list[str]:
    return sorted(article.id for article in retriever.articles())


def dense(retriever: Retriever, question: str, filters: Filters | None = None) -> list[str]:
    """The articles nearest to a question, by vectors alone."""
    with retriever.reading() as index, index.view() as backend:
        found = backend.dense(retriever.encoder.encode_queries([question])[0], 10, filters)
        return list(dict.fromkeys(record.article_id for record in backend.records(found.ids)))


def lexical(retriever: Retriever, question: str, filters: Filters | None = None) -> list[str]:
    """The articles that match a question, by words alone."""
    with retriever.reading() as index, index.view() as backend:
        found = backend.lexical(retriever.analyzer.query(question), 10, filters)
        return list(dict.fromkeys(record.article_id for record in backend.records(found.ids)))


def assert_sound(retriever: Retriever) -> None:
    assert retriever.check().problems == ()


def test_a_folder_becomes_searchable(retriever: Retriever, folder: Path) -> None:
    report = retriever.sync(folder)
    assert report.added == ALL
    assert (report.unchanged, report.failed, report.empty) == (0, (), ())
    assert report.passages == retriever.status().passages >= 4
    assert ids(retriever) == sorted(ALL)
    assert dense(retriever, "埃及人靠尼罗河的淤泥种小麦")[0] == "more/nile.md"
    assert lexical(retriever, "香波堡有多少房间")[0] == "more/loire.txt"
    article = retriever.article("amur.md", keywords=False)
    assert article is not None
    assert (article.title, article.author, article.categories) == ("黑龙江", "王蒙", ("地理", "河流"))
    assert article.path == str(folder / "amur.md")
    assert [passage.ordinal for passage in retriever.passages("amur.md")] == [0]
    assert_sound(retriever)


def test_a_second_run_finds_nothing_to_do(retriever: Retriever, folder: Path) -> None:
    retriever.sync(folder)
    position = retriever.status().position
    report = retriever.sync(folder)
    assert (report.unchanged, report.passages) == (4, 0)
    assert report.added == report.changed == report.moved == report.removed == ()
    assert retriever.status().position == position


def test_touched_changed_moved_added_and_removed(retriever: Retriever, folder: Path) -> None:
    retriever.sync(folder)
    passage_before = retriever.passages("more/nile.md")
    (folder / "amur.md").touch()
    (folder / "rhine.md").write_text(
        "---\ntitle: 莱茵河\n---\n<p>莱茵河上有一座罗蕾莱山岩。</p>", encoding="utf-8"
    )
    (folder / "more" / "nile.md").rename(folder / "nil.md")
    (folder / "more" / "loire.txt").unlink()
    (folder / "new.md").write_text("<p>伏尔加河是欧洲最长的河流。</p>", encoding="utf-8")
    report = retriever.sync(folder)
    assert report.added == ("new.md",)
    assert report.changed == ("rhine.md",)
    assert report.moved == ("more/nile.md",)
    assert report.removed == ("more/loire.txt",)
    assert report.unchanged == 1
    assert ids(retriever) == ["amur.md", "more/nile.md", "new.md", "rhine.md"]
    assert retriever.passages("more/nile.md") == passage_before
    moved = retriever.article("more/nile.md", keywords=False)
    assert moved is not None
    assert moved.path == str(folder / "nil.md")
    assert lexical(retriever, "罗蕾莱")[0] == "rhine.md"
    assert "rhine.md" not in lexical(retriever, "瑞士阿尔卑斯")
    assert "more/loire.txt" not in dense(retriever, "卢瓦尔河沿岸有三百多座城堡")
    assert retriever.sync(folder).unchanged == 4
    assert_sound(retriever)


def test_a_dry_run_changes_nothing(retriever: Retriever, folder: Path) -> None:
    retriever.sync(folder)
    (folder / "rhine.md").write_text("其他", encoding="utf-8")
    (folder / "new.md").write_text("新的", encoding="utf-8")
    (folder / "amur.md").unlink()
    (folder / "more" / "nile.md").rename(folder / "nil.md")
    status = retriever.status()
    report = retriever.sync(folder, dry_run=True)
    assert report.dry_run
    assert (report.added, report.changed, report.removed) == (("new.md",), ("rhine.md",), ("amur.md",))
    assert (report.moved, report.unchanged) == (("more/nile.md",), 1)
    assert retriever.status() == status


def test_an_unmounted_folder_does_not_empty_the_index(retriever: Retriever, folder: Path) -> None:
    retriever.sync(folder)
    shutil.rmtree(folder)
    with pytest.raises(SourceError, match="cannot read"):
        retriever.sync(folder)
    folder.mkdir()
    (folder / "new.md").write_text("新的", encoding="utf-8")
    with pytest.raises(RemovalGuardError, match=r"4 of the 4 known files .* --prune"):
        retriever.sync(folder)
    assert ids(retriever) == sorted(ALL)
    report = retriever.sync(folder, prune=True)
    assert report.removed == ALL
    assert ids(retriever) == ["new.md"]
    assert_sound(retriever)


def test_a_file_that_cannot_be_read_keeps_its_earlier_version(retriever: Retriever, folder: Path) -> None:
    retriever.sync(folder)
    (folder / "rhine.md").write_bytes(b"\x00\x01\x02\x03" * 500)
    (folder / "broken.md").write_bytes(b"\x7fELF\x02\x01\x01" + bytes(range(256)) * 4)
    (folder / "new.md").write_text("<p>伏尔加河是欧洲最长的河流。</p>", encoding="utf-8")
    report = retriever.sync(folder)
    assert report.added == ("new.md",)
    assert {failure.path for failure in report.failed} == {
        str(folder / "rhine.md"),
        str(folder / "broken.md"),
    }
    assert all(failure.reason for failure in report.failed)
    assert lexical(retriever, "瑞士阿尔卑斯山")[0] == "rhine.md"
    assert len(retriever.sync(folder).failed) == 2
    (folder / "rhine.md").write_text("莱茵河上有一座罗蕾莱山岩。", encoding="utf-8")
    assert retriever.sync(folder).changed == ("rhine.md",)


def test_a_folder_that_cannot_be_looked_into_keeps_its_articles(
    retriever: Retriever, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    retriever.sync(folder)
    real = os.scandir

    def refusing(path: str) -> object:
        if str(path).rstrip("/").endswith("more"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr("retrieval.sources.os.scandir", refusing)
    report = retriever.sync(folder)
    assert (report.removed, report.unchanged) == ((), 2)
    (failure,) = report.failed
    assert failure.reason == "the folder cannot be read: Permission denied"
    assert ids(retriever) == sorted(ALL)


def test_one_text_is_stored_once(retriever: Retriever, folder: Path) -> None:
    retriever.sync(folder)
    text = (folder / "more" / "loire.txt").read_text(encoding="utf-8") * 4
    for name in ("p.txt", "q.txt", "r.txt"):
        (folder / name).write_text(text, encoding="utf-8")
    passages = retriever.status().passages
    report = retriever.sync(folder)
    assert report.duplicates == {"q.txt": "p.txt", "r.txt": "p.txt"}
    assert report.added == ("p.txt", "q.txt", "r.txt")
    assert retriever.status().passages == passages + report.passages
    assert retriever.passages("q.txt") == []
    assert retriever.article("q.txt", keywords=False) is not None
    assert retriever.sync(folder).unchanged == 7
    # The next in line takes the place of one that goes.
    (folder / "p.txt").unlink()
    assert retriever.sync(folder).removed == ("p.txt",)
    assert retriever.passages("q.txt")[0].text.startswith("卢瓦尔河沿岸")
    assert retriever.passages("r.txt") == []
    assert_sound(retriever)
    (folder / "q.txt").write_text("现在写的是别的东西。", encoding="utf-8")
    assert retriever.sync(folder).changed == ("q.txt",)
    assert retriever.passages("r.txt")[0].text.startswith("卢瓦尔河沿岸")
    assert_sound(retriever)


def test_an_article_of_pictures_is_known_and_has_no_passages(retriever: Retriever, folder: Path) -> None:
    (folder / "picture.md").write_text('---\ntitle: 图\n---\n<p><img src="a.png"></p>', encoding="utf-8")
    report = retriever.sync(folder)
    assert report.empty == ("picture.md",)
    assert retriever.passages("picture.md") == []
    assert retriever.sync(folder).unchanged == 5
    assert_sound(retriever)


def test_a_single_file_then_its_folder(retriever: Retriever, folder: Path) -> None:
    assert retriever.sync(folder / "amur.md").added == ("amur.md",)
    assert retriever.sync(str(folder / "amur.md")).unchanged == 1
    report = retriever.sync(folder)
    assert (len(report.added), report.unchanged) == (3, 1)
    (folder / "amur.md").write_text("黑龙江改了。", encoding="utf-8")
    (folder / "rhine.md").unlink()
    report = retriever.sync(folder / "amur.md")
    assert (report.changed, report.removed) == (("amur.md",), ())


def test_the_same_name_in_two_sources(retriever: Retriever, folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "amur.md").write_text("阿穆尔河是俄语里的名字。", encoding="utf-8")
    report = retriever.sync([folder, other])
    assert report.added == (*ALL, "amur.md~2")
    assert retriever.sync([folder, other]).unchanged == 5
    assert sorted(retriever.status().sources) == [str(folder), str(other)]


def test_hidden_files_other_files_and_links_to_folders_are_passed_over(
    retriever: Retriever, folder: Path
) -> None:
    (folder / ".git").mkdir()
    (folder / ".git" / "x.md").write_text("不该出现", encoding="utf-8")
    (folder / ".hidden.md").write_text("不该出现", encoding="utf-8")
    (folder / "photo.png").write_bytes(b"png")
    (folder / "again").symlink_to(folder, target_is_directory=True)
    assert retriever.sync(folder).added == ALL


def test_names_that_are_no_text_are_reported(retriever: Retriever, folder: Path) -> None:
    strange = os.fsencode(folder) + b"/\xb0\xa1.md"
    with open(strange, "w", encoding="utf-8") as file:  # noqa: PTH123 (a path of bytes)
        file.write("名字坏了。")
    report = retriever.sync(folder)
    assert report.added == ALL
    assert "rename it" in report.failed[0].reason


def test_progress_is_told(retriever: Retriever, folder: Path) -> None:
    told: list[Progress] = []
    report = retriever.sync(folder, progress=told.append)
    assert told[-1] == Progress(done=4, total=4, passages=report.passages)


def test_progress_is_told_between_commits_too(
    retriever: Retriever, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrieval.sync._TOLD", 2)
    told: list[Progress] = []
    report = retriever.sync(folder, progress=told.append)
    assert [(each.done, each.passages) for each in told] == [(2, 0), (4, 0), (4, report.passages)]


def test_many_files_are_read_by_worker_processes(
    retriever: Retriever, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrieval.sync.FILES_FOR_WORKERS", 2)
    for number in range(40):
        head = f"---\ntitle: 第{number}条河\ndate: 2021-01-02\ntags: [水]\n---\n"
        text = f"{head}<h2>概况</h2><p>第{number}条河长{number}公里。</p>"
        (folder / f"{number:02}.md").write_text(text, encoding="utf-8")
    (folder / "broken.md").write_bytes(b"\x7fELF\x02\x01\x01" + bytes(range(256)) * 4)
    report = retriever.sync(folder)
    assert len(report.added) == 44
    assert [failure.path for failure in report.failed] == [str(folder / "broken.md")]
    article = retriever.article("07.md")
    assert article is not None
    assert (article.title, article.tags, dict(article.headings)) == ("第7条河", ("水",), {0: 2})
    assert article.published_at is not None
    assert article.published_at.day == 2
    assert retriever.passages("07.md")[0].heading == "概况"
    assert_sound(retriever)


def test_a_file_that_kills_its_worker_is_reported(
    retriever: Retriever, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrieval.sync.FILES_FOR_WORKERS", 2)
    program = (
        "import os, retrieval.reading_workers as f; real = f.read_files\n"
        "def read(tasks, *given):\n"
        "  if any('nile' in task.path for task in tasks): os._exit(3)\n"
        "  return real(tasks, *given)\n"
        "f.read_files = read\n"
    )
    monkeypatch.setattr("retrieval.reading_workers._PROGRAM", program + "f.serve()")
    report = retriever.sync(folder)
    assert report.added == ("amur.md", "more/loire.txt", "rhine.md")
    assert [failure.path for failure in report.failed] == [str(folder / "more" / "nile.md")]


def test_articles_from_the_caller(retriever: Retriever) -> None:
    report = retriever.add([Article(id="x", text="一"), Article(id="y", text="二", title="题")])
    assert report.added == ("x", "y")
    assert retriever.add([Article(id="x", text="一"), Article(id="y", text="三")]).changed == ("y",)
    assert retriever.add([Article(id="x", text="四"), Article(id="x", text="五")]).changed == ("x",)
    article = retriever.article("x", keywords=False)
    assert article is not None
    assert article.text == "五"
    assert retriever.remove(["y", "nobody"]).removed == ("y",)
    assert ids(retriever) == ["x"]
    assert_sound(retriever)


def test_half_surrogate_pairs_are_stored_as_question_marks(retriever: Retriever) -> None:
    retriever.add([Article(id="a\ud800", text="坏\udfff字", title="题\ud800", tags=("\udc00",))])
    article = retriever.article("a?")
    assert article is not None
    assert (article.text, article.title, article.tags) == ("坏?字", "题?", ("?",))
    assert_sound(retriever)


def test_batches_are_committed_one_by_one(
    open_index: Callable[..., Retriever], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrieval.batching.FIRST_BATCH", 1)
    monkeypatch.setattr("retrieval.batching.LARGEST_BATCH", 1)
    reader, writer = open_index(), open_index()
    seen: list[int] = []
    writer.sync(folder, progress=lambda _: seen.append(reader.status().articles))
    assert seen == [1, 2, 3, 4, 4]
    assert_sound(reader)


def test_a_sync_that_is_broken_off_ends_its_workers(
    retriever: Retriever, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    monkeypatch.setattr("retrieval.sync.FILES_FOR_WORKERS", 2)
    monkeypatch.setattr("retrieval.batching.FIRST_BATCH", 1)
    monkeypatch.setattr("retrieval.batching.LARGEST_BATCH", 1)

    def stop(_: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        retriever.sync(folder, progress=stop)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("reading")]
    assert retriever.status().articles == 1
    assert len(retriever.sync(folder).added) == 3
    assert_sound(retriever)
