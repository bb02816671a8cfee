"""Syncing files that hold many articles: JSONL, saved feeds, archives; and patterns of folders."""

import gzip
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from retrieval import Retriever
from retrieval.errors import RemovalGuardError, SourceError
from retrieval.types import Failure

from .test_sync import ALL, assert_sound, ids, lexical

FEED = """<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>河湾网</title>
<link>https://news.example/</link>{items}</channel></rss>"""


def rss(*numbers: int, word: str = "口岸") -> str:
    return FEED.format(
        items="".join(
            f"<item><guid>urn:{n}</guid><title>{word}{n}号</title><link>/{n}.html</link>"
            f"<description>&lt;p&gt;{word}第{n}号仓库的消息，共有{n}间。&lt;/p&gt;</description></item>"
            for n in numbers
        )
    )


def records(numbers: range, *, word: str = "水库") -> str:
    lines = (
        {"_id": f"r{n}", "title": f"{word}{n}号", "text": f"{word}第{n}号的大坝高{n}米。"} for n in numbers
    )
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def zipped(members: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def article_files(*numbers: int) -> dict[str, str]:
    body = "<p>第{n}号桥全长{n}丈，桥下有{n}个孔。</p>"
    return {f"n/{n}.md": f"---\ntitle: 桥{n}号\n---\n{body.format(n=n)}" for n in numbers}


@pytest.mark.parametrize("packed", [False, True])
def test_a_jsonl_file_added_changed_and_removed(retriever: Retriever, tmp_path: Path, packed: bool) -> None:
    path = tmp_path / ("c.jsonl.gz" if packed else "c.jsonl")

    def write(text: str) -> None:
        path.write_bytes(gzip.compress(text.encode(), mtime=0) if packed else text.encode())

    write(records(range(10)))
    report = retriever.sync(path)
    assert report.added == tuple(f"r{n}" for n in range(10))
    assert lexical(retriever, "水库第7号的大坝")[0] == "r7"
    article = retriever.article("r7", keywords=False)
    assert article is not None
    assert (article.title, article.path) == ("水库7号", str(path))
    assert retriever.sync(path).unchanged == 10
    position = retriever.status().position
    text = records(range(2, 12)).replace("第5号的大坝高5米", "第5号的大坝改建了")
    write(text)
    foreseen = retriever.sync(path, dry_run=True)
    report = retriever.sync(path)
    for told in (foreseen, report):
        assert (told.added, told.changed, told.removed) == (("r10", "r11"), ("r5",), ("r0", "r1"))
        assert told.unchanged == 7
    assert retriever.status().position > position
    assert lexical(retriever, "改建")[0] == "r5"
    assert_sound(retriever)


def test_a_bad_record_is_reported_with_its_line_and_nothing_is_lost(
    retriever: Retriever, tmp_path: Path
) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text(records(range(5)), encoding="utf-8")
    retriever.sync(path)
    lines = records(range(5)).splitlines()
    lines[1] = "{broken"
    lines[2] = '{"_id": "r2", "text": 7}'
    path.write_text("\n".join([*lines, '{"_id": "new", "text": "新的一条。"}']), encoding="utf-8")
    report = retriever.sync(path)
    no_text = "the record has no text; give it a string in the field text or html"
    assert report.failed == (
        Failure(path=str(path), reason=no_text, line=3),
        Failure(path=str(path), reason="the line is not a JSON object", line=2),
    )
    assert (report.added, report.removed) == (("new",), ())
    assert ids(retriever) == ["new", *(f"r{n}" for n in range(5))]
    assert_sound(retriever)


def test_a_truncated_collection_is_guarded(retriever: Retriever, tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text(records(range(9)), encoding="utf-8")
    retriever.sync(path)
    path.write_text(records(range(5)), encoding="utf-8")
    with pytest.raises(RemovalGuardError, match=r"4 of the 9 known articles of .* are gone .* --prune"):
        retriever.sync(path)
    assert len(ids(retriever)) == 9
    assert retriever.sync(path, prune=True).removed == ("r5", "r6", "r7", "r8")
    path.unlink()
    with pytest.raises(SourceError):
        retriever.sync(path)


def test_what_leaves_a_feed_stays(retriever: Retriever, folder: Path) -> None:
    feed = folder / "feed.xml"
    feed.write_text(rss(1, 2), encoding="utf-8")
    assert set(retriever.sync(folder).added) == {*ALL, "urn:1", "urn:2"}
    feed.write_text(rss(2, 3), encoding="utf-8")
    report = retriever.sync(folder)
    assert (report.added, report.changed, report.removed, report.unchanged) == (("urn:3",), (), (), 5)
    assert {"urn:1", "urn:2", "urn:3"} < set(ids(retriever))
    article = retriever.article("urn:3", keywords=False)
    assert article is not None
    assert (article.url, article.source) == ("https://news.example/3.html", "河湾网")
    feed.unlink()
    assert retriever.sync(folder).removed == ("urn:1", "urn:2", "urn:3")
    assert_sound(retriever)


def test_an_archive_in_a_folder(retriever: Retriever, folder: Path) -> None:
    path = folder / "more.zip"
    path.write_bytes(zipped({**article_files(1, 2, 3, 4), "r.jsonl": records(range(2)), "x.png": "x"}))
    report = retriever.sync(folder)
    members = [f"more.zip/n/{n}.md" for n in (1, 2, 3, 4)]
    assert set(report.added) == {*ALL, *members, "r0", "r1"}
    article = retriever.article("more.zip/n/3.md", keywords=False)
    assert article is not None
    assert (article.title, article.path) == ("桥3号", f"{path}/n/3.md")
    passages = retriever.passages("more.zip/n/3.md")
    path.write_bytes(zipped({**article_files(2, 3, 4, 5), "r.jsonl": records(range(2))}))
    report = retriever.sync(folder)
    assert (report.added, report.removed) == (("more.zip/n/5.md",), ("more.zip/n/1.md",))
    assert report.unchanged == 4 + 5
    path.rename(folder / "renamed.zip")
    report = retriever.sync(folder)
    assert (report.added, report.removed, len(report.moved)) == ((), (), 6)
    assert retriever.passages("more.zip/n/3.md") == passages
    moved = retriever.article("more.zip/n/3.md", keywords=False)
    assert moved is not None
    assert moved.path == f"{folder / 'renamed.zip'}/n/3.md"
    assert retriever.sync(folder).unchanged == 10
    assert_sound(retriever)


def test_a_damaged_archive_keeps_its_articles(retriever: Retriever, tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    whole = zipped(article_files(1, 2))
    path.write_bytes(whole)
    retriever.sync(path)
    path.write_bytes(whole[:-40])
    report = retriever.sync(path)
    assert report.failed == (Failure(path=str(path), reason="the archive is damaged; make it again"),)
    assert ids(retriever) == ["a.zip/n/1.md", "a.zip/n/2.md"]
    assert len(retriever.sync(path).failed) == 1
    path.write_bytes(whole)
    assert retriever.sync(path).unchanged == 2


def test_a_packed_article(retriever: Retriever, folder: Path) -> None:
    content = "---\ntitle: 桥\n---\n<p>第一号桥全长一丈。</p>".encode()
    (folder / "2021-03-04-bridge.md.gz").write_bytes(gzip.compress(content))
    (folder / "bomb.md.gz").write_bytes(gzip.compress(bytes(11_000_000)))
    report = retriever.sync(folder)
    assert "2021-03-04-bridge.md.gz" in report.added
    article = retriever.article("2021-03-04-bridge.md.gz", keywords=False)
    assert article is not None
    assert (article.title, str(article.published_at)[:10]) == ("桥", "2021-03-04")
    (failure,) = report.failed
    assert failure.path == str(folder / "bomb.md.gz")
    assert "unpacks to more than the 10,000,000 bytes" in failure.reason


def test_a_huge_file_is_refused_unread(retriever: Retriever, folder: Path) -> None:
    with (folder / "huge.md").open("wb") as file:
        file.truncate(100_000_000)
    (failure,) = retriever.sync(folder).failed
    assert failure.reason == "the file has more than the 10,000,000 bytes an article may have"


def test_the_same_id_in_two_collections(retriever: Retriever, tmp_path: Path) -> None:
    first, second = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    first.write_text(records(range(3)), encoding="utf-8")
    second.write_text(records(range(3), word="口岸"), encoding="utf-8")
    report = retriever.sync([first, second])
    assert report.added == ("r0", "r1", "r2", "r0~2", "r1~2", "r2~2")
    second.write_text(records(range(3), word="口岸").replace("第1号的", "第1号新"), encoding="utf-8")
    report = retriever.sync([first, second])
    assert (report.added, report.changed, report.removed) == ((), ("r1~2",), ())
    assert_sound(retriever)


def test_a_large_collection_is_read_by_workers(
    retriever: Retriever, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrieval.sync._BYTES_FOR_WORKERS", 1)
    path = tmp_path / "c.zip"
    path.write_bytes(zipped({**article_files(*range(40)), "r.jsonl": records(range(40))}))
    report = retriever.sync(path)
    assert len(report.added) == 80
    assert report.failed == ()
    article = retriever.article("r17", keywords=False)
    assert article is not None
    assert article.text == "水库第17号的大坝高17米。"
    assert_sound(retriever)


def test_a_sync_that_is_broken_off_in_a_collection_goes_on(
    retriever: Retriever, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text(records(range(6)), encoding="utf-8")

    def stop(progress: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("retrieval.batching.Batch.full", property(lambda batch: len(batch.articles) >= 2))
    with pytest.raises(KeyboardInterrupt):
        retriever.sync(path, progress=stop)
    assert ids(retriever) == ["r0", "r1"]
    report = retriever.sync(path)
    assert (len(report.added), report.unchanged, report.removed) == (4, 2, ())
    assert retriever.sync(path).unchanged == 6
    assert_sound(retriever)


def test_patterns_and_ignore_files(retriever: Retriever, folder: Path) -> None:
    (folder / "drafts").mkdir()
    (folder / "drafts" / "x.md").write_text("草稿。", encoding="utf-8")
    (folder / "more" / "keep.md").write_text("留着。", encoding="utf-8")
    (folder / ".wendaignore").write_text("# no drafts\ndrafts/\n/more/*.md\n", encoding="utf-8")
    (folder / "more" / ".wendaignore").write_text("!keep.md\n", encoding="utf-8")
    assert set(retriever.sync(folder).added) == {"amur.md", "rhine.md", "more/loire.txt", "more/keep.md"}
    report = retriever.sync(folder, exclude=["*.txt"])
    assert report.removed == ("more/loire.txt",)
    assert retriever.sync(folder).unchanged == 3, "patterns are kept with the source"
    report = retriever.sync(folder, include=["/*.md"])
    assert report.removed == ("more/keep.md",)
    (folder / "new.txt").write_text("新的。", encoding="utf-8")
    assert retriever.sync(folder).unchanged == 2
    report = retriever.sync(folder, include=[])
    assert set(report.added) == {"more/loire.txt", "more/keep.md", "new.txt"}


def test_what_is_no_pattern_is_named(retriever: Retriever, folder: Path) -> None:
    with pytest.raises(SourceError, match="--exclude: "):
        retriever.sync(folder, exclude=["!"])
    (folder / ".wendaignore").write_text("!\n", encoding="utf-8")
    with pytest.raises(SourceError, match=r"\.wendaignore: "):
        retriever.sync(folder)


def test_lines_that_recur_are_learned_and_taken_out(
    open_index: Callable[..., Retriever], tmp_path: Path
) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    tail = "河湾县融媒体中心出品，欢迎转告亲友"

    def write(number: int) -> None:
        body = f"<p>第{number}座水库今年蓄水{number}万方，比去年多。</p><p>{tail}</p>"
        (folder / f"{number:03}.md").write_text(f"---\ntitle: 水库{number}\n---\n{body}", encoding="utf-8")

    retriever = open_index()
    for number in range(10):
        write(number)
    retriever.sync(folder)
    assert len(lexical(retriever, tail)) == 10, "ten articles say nothing yet"
    for number in range(10, 40):
        write(number)
    report = retriever.sync(folder)
    assert (len(report.added), len(report.changed)) == (30, 10)
    assert lexical(retriever, "欢迎转告亲友") == []
    assert lexical(retriever, "第7座水库")[0] == "007.md"
    write(40)
    assert retriever.sync(folder).added == ("040.md",)
    assert lexical(retriever, "欢迎转告亲友") == []
    assert retriever.sync(folder).unchanged == 41
    assert_sound(retriever)
