"""Files that hold many articles: JSONL, feeds, archives."""

import gzip
import io
import json
import stat
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from retrieval.errors import ArticleError
from retrieval.parsing import MAX_BYTES
from retrieval.parsing.archive import FREE, MAX_RATIO, read_member, unpack, unpack_gzip
from retrieval.parsing.collections import Collection, Item
from retrieval.parsing.feed import parse_feed
from retrieval.parsing.forms import Form, form_of_content, form_of_name
from retrieval.parsing.jsonl import MAX_LINE, Record, parse_line, read_lines, read_records
from retrieval.types import Article

RSS = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>
<title>河湾网</title><language>zh-cn</language>
<item><title>一号文章</title><link>https://news.example/1</link><guid>tag:1</guid>
<author>a@b.example (张三)</author>
<pubDate>Mon, 19 Jul 2021 06:51:46 GMT</pubDate><category>水利</category>
<description>摘要。</description>
<content:encoded><![CDATA[<p>　　第一段，比摘要长得多。</p><p>第二段。</p><script>x()</script>]]>
</content:encoded></item>
<item><title>二号文章</title><link>https://news.example/2</link>
<description>&lt;p&gt;只有摘要。&lt;/p&gt;</description></item>
</channel></rss>"""

ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>河湾网</title>
<entry><id>urn:3</id><title>三号文章</title><link href="https://news.example/3"/>
<updated>2021-10-28T14:08:07+08:00</updated>
<content type="html">&lt;p&gt;正文。&lt;/p&gt;</content></entry></feed>"""


def parse_jsonl(lines: list[bytes], *, path: str) -> Iterator[Article | ArticleError]:
    for record in read_records(read_lines(io.BufferedReader(io.BytesIO(b"\n".join(lines)))), path=path):
        if isinstance(record, Record):
            try:
                yield parse_line(record.data, path=path, line=record.line)
            except ArticleError as error:
                yield error
        else:
            yield record


def unpacked(data: bytes) -> list[tuple[str, bytes] | ArticleError]:
    found: list[tuple[str, bytes] | ArticleError] = []
    for member in unpack(io.BytesIO(data), path="x.zip"):
        if isinstance(member, ArticleError):
            found.append(member)
            continue
        try:
            found.append((member.name, read_member(member, path=f"x.zip/{member.name}")))
        except ArticleError as error:
            found.append(error)
    return found


def articles(found: list[Article | ArticleError]) -> list[Article]:
    assert all(isinstance(one, Article) for one in found)
    return [one for one in found if isinstance(one, Article)]


def test_beir_and_own_fields() -> None:
    lines = [
        {
            "_id": "d1",
            "title": "题目",
            "text": "一行。\n\n二行。",
            "metadata": {"url": "https://a.example/1"},
        },
        {
            "id": 7,
            "html": "<p>正文<b>在此</b>。</p>",
            "date": "2021-10-28",
            "tags": ["甲", "乙"],
            "categories": "丙",
        },
    ]
    found = articles(list(parse_jsonl([json.dumps(line).encode() for line in lines], path="x.jsonl")))
    assert (found[0].id, found[0].title, found[0].text) == ("d1", "题目", "一行。\n二行。")
    assert found[0].url == "https://a.example/1"
    assert (found[1].id, found[1].text, found[1].tags, found[1].categories) == (
        "7",
        "正文在此。",
        ("甲", "乙"),
        ("丙",),
    )
    assert found[1].published_at is not None


def test_bad_lines_are_named_and_do_not_stop_the_others() -> None:
    lines = [
        b'{"_id": "a", "text": "x"}',
        b"",
        b"{broken",
        b"[1]",
        b'{"text": "x"}',
        b'{"_id": "b"}',
        b'{"_id": "a", "text": "y"}',
    ]
    found = list(parse_jsonl([*lines, b'{"_id": "c", "text": ""}', b"[" * 100_000], path="x.jsonl"))
    assert [one.id for one in found if isinstance(one, Article)] == ["a", "c"]
    errors = [str(one) for one in found if isinstance(one, ArticleError)]
    assert [error.partition(": ")[0] for error in errors] == [f"x.jsonl:{n}" for n in (3, 4, 5, 6, 7, 9)]
    assert "no id" in errors[2]
    assert "no text" in errors[3]
    assert "second time" in errors[4]


def test_rss_with_full_content() -> None:
    found = articles(list(parse_feed(RSS.encode(), path="feed.xml")))
    assert [one.id for one in found] == ["tag:1", "https://news.example/2"]
    first = found[0]
    assert (first.title, first.text) == ("一号文章", "第一段，比摘要长得多。\n第二段。")
    assert (first.url, first.source, first.tags) == ("https://news.example/1", "河湾网", ("水利",))
    assert first.published_at == datetime(2021, 7, 19, 6, 51, 46, tzinfo=UTC)
    assert found[1].text == "只有摘要。"


def test_atom_and_json_feed() -> None:
    (entry,) = articles(list(parse_feed(ATOM.encode(), path="a.atom")))
    assert (entry.id, entry.title, entry.text) == ("urn:3", "三号文章", "正文。")
    assert entry.published_at == datetime(2021, 10, 28, 6, 8, 7, tzinfo=UTC)
    item = {
        "id": "4",
        "url": "https://news.example/4",
        "title": "四号",
        "content_text": "一段。\n\n二段。",
        "authors": [{"name": "李四"}],
    }
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "河湾网",
        "items": [item, "not an item", {"content_html": "<p>无名。</p>"}],
    }
    found = articles(list(parse_feed(json.dumps(feed).encode(), path="a.json")))
    assert (found[0].id, found[0].author, found[0].text) == ("4", "李四", "一段。\n二段。")
    assert (len(found[1].id), found[1].text) == (16, "无名。")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b"plain text",
        b"https://news.example/feed.xml",
        b"/etc/hostname",
        b'{"version": 1, "items": {}}',
    ],
)
def test_what_is_no_feed_is_refused(data: bytes) -> None:
    with pytest.raises(ArticleError, match="no RSS, Atom or JSON feed"):
        list(parse_feed(data, path="a.xml"))


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_archives_are_unpacked_in_order() -> None:
    members = {"b/2.md": "二".encode(), "a/1.md": "一".encode()}
    assert unpacked(zipped(members)) == list(members.items())
    assert unpack_gzip(gzip.compress(b"x"), path="dir/a.md.gz") == b"x"


class WindowsInfo(zipfile.ZipInfo):
    """A member as archivers of Chinese Windows write it: its name in GBK, without a mark."""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # noqa: N802
        return self.filename.encode("gb18030"), 0


def test_names_of_chinese_windows_are_read() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(WindowsInfo("水利/口岸.md"), b"x")
    assert unpacked(buffer.getvalue()) == [("水利/口岸.md", b"x")]


def test_archive_tricks_are_refused() -> None:
    bomb = bytes(MAX_BYTES + 1)
    tricks = {"../up.md": b"x", "/abs.md": b"x", "C:/c.md": b"x", "a/../../b.md": b"x", "bomb.md": bomb}
    found = unpacked(zipped({**tricks, "__MACOSX/a.md": b"x", ".git/a.md": b"x", "ok.md": b"y"}))
    assert found[5:] == [("ok.md", b"y")]
    reasons = [one.reason for one in found if isinstance(one, ArticleError)]
    assert reasons[:4] == ["its name leads out of the archive; it is left out"] * 4
    assert "unpacks to more than the 10,000,000 bytes" in reasons[4]
    with pytest.raises(ArticleError, match="unpacks to more than"):
        unpack_gzip(gzip.compress(bomb), path="b.gz")


def test_a_link_in_an_archive_is_refused() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        link = zipfile.ZipInfo("link.md")
        link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("article.md", "河长九公里。")
    refused, article = unpacked(packed.getvalue())
    assert isinstance(refused, ArticleError)
    assert refused.reason == "it is a link to another file; it is left out"
    assert article == ("article.md", "河长九公里。".encode())


def test_a_decompression_bomb_is_refused_as_a_whole() -> None:
    many = {f"{n}.md": bytes(5_000_000) for n in range(FREE // 5_000_000 + 1)}
    data = zipped(many)
    assert len(data) * MAX_RATIO < sum(map(len, many.values()))
    archive = Collection(path="x.zip", relative="x.zip", form=Form.ARCHIVE, content=data)
    (*found, refused) = archive.items()
    assert all(isinstance(one, Item) for one in found)
    assert isinstance(refused, ArticleError)
    assert "unpacks to more than 200 times its size" in refused.reason
    packed = gzip.compress(bytes(FREE + 1))
    bomb = Collection(path="b.jsonl.gz", relative="b.jsonl.gz", form=Form.RECORDS, content=packed)
    with pytest.raises(ArticleError, match=r"^b\.jsonl\.gz: the archive unpacks to more than 200 times"):
        list(bomb.items())


def test_an_encrypted_member_is_refused() -> None:
    data = bytearray(zipped({"a.md": b"x"}))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    (found,) = unpacked(bytes(data))
    assert isinstance(found, ArticleError)
    assert "encrypted" in found.reason


@pytest.mark.parametrize(
    ("data", "path"),
    [(b"not gzip", "x.gz"), (gzip.compress(b"x" * 999, mtime=0)[:-9], "x.gz")],
    ids=["not gzip", "cut off"],
)
def test_damaged_packed_files_are_refused(data: bytes, path: str) -> None:
    with pytest.raises(ArticleError, match="damaged"):
        unpack_gzip(data, path=path)


def test_damaged_archives_are_refused() -> None:
    with pytest.raises(ArticleError, match="damaged"):
        unpacked(b"not a zip")
    cut = gzip.compress(b'{"_id": "a", "text": "x"}\n' * 9, mtime=0)[:-9]
    with pytest.raises(ArticleError, match="damaged"):
        list(Collection(path="x.gz", relative="x.gz", form=Form.RECORDS, content=cut).items())


def test_an_archive_of_every_kind_of_file() -> None:
    record = '{"_id": "r1", "text": "记录。"}'.encode()
    members = {
        "a/一.md": "一篇。".encode(),
        "records.jsonl": record + b"\n{broken\n",
        "feed.xml": RSS.encode(),
        "sitemap.xml": b"<urlset></urlset>",
        "photo.png": b"png",
        "inner.zip": zipped({"b.md": b"x"}),
        "b.md.gz": gzip.compress(b"x"),
    }
    archive = Collection(path="/d/x.zip", relative="x.zip", form=Form.ARCHIVE, content=zipped(members))
    found = list(archive.items())
    items = [one for one in found if isinstance(one, Item)]
    assert [(item.identity, item.path) for item in items] == [
        ("x.zip/a/一.md", "/d/x.zip/a/一.md"),
        ("r1", "/d/x.zip/records.jsonl"),
        ("tag:1", "/d/x.zip/feed.xml"),
        ("https://news.example/2", "/d/x.zip/feed.xml"),
    ]
    errors = [str(one) for one in found if isinstance(one, ArticleError)]
    assert errors[0] == "/d/x.zip/records.jsonl:2: the line is not a JSON object"
    assert [error.partition(": ")[0] for error in errors[1:]] == ["/d/x.zip/inner.zip", "/d/x.zip/b.md.gz"]
    assert all("archive inside an archive" in error for error in errors[1:])


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "gb18030", "big5", "utf-16", "utf-16-le", "utf-32"]
)
def test_records_in_every_encoding(encoding: str) -> None:
    lines = [{"_id": f"記錄{n}", "text": f"第{n}條記錄的正文，寫的是繁體字。"} for n in range(5)]
    text = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)
    (path, data) = ("x.jsonl", text.encode(encoding))
    items = list(Collection(path=path, relative=path, form=Form.RECORDS, content=data).items())
    assert all(isinstance(item, Item) for item in items)
    found = [parse_line(item.data, path=path, line=1) for item in items if isinstance(item, Item)]
    assert [(one.id, one.text) for one in found] == [(line["_id"], line["text"]) for line in lines]


def test_a_line_that_is_too_long_costs_itself_alone() -> None:
    long = b'{"_id": "a", "text": "' + b"x" * MAX_LINE + b'"}'
    found = list(parse_jsonl([long, b'{"_id": "b", "text": "y"}'], path="x.jsonl"))
    assert str(found[0]) == f"x.jsonl:1: the line has more than the {MAX_LINE:,} bytes it may have"
    assert isinstance(found[1], Article)
    assert found[1].id == "b"


def test_an_entry_that_cannot_be_read_costs_itself_alone() -> None:
    deep = "&lt;div&gt;" * 600
    feed = RSS.replace("<description>摘要。", f"<description>{deep}").replace("content:encoded>", "x>")
    found = list(parse_feed(feed.encode(), path="f.xml"))
    assert str(found[0]) == "f.xml: entry 1 (tag:1): elements are nested more than 500 deep"
    assert isinstance(found[1], Article)


def test_references_to_impossible_characters_cost_themselves_alone() -> None:
    feed = RSS.replace("只有摘要", "只&amp;#99999999999;有&#xFFFFFFFFF;摘要").replace("</item>", "", 1)
    found = articles(list(parse_feed(feed.encode(), path="f.xml")))
    assert [one.title for one in found] == ["一号文章", "二号文章"]


def test_relative_links_of_a_feed_are_completed() -> None:
    feed = RSS.replace("https://news.example/2", "/2.html")
    second = articles(list(parse_feed(feed.encode(), path="f.xml", address="https://news.example/feed")))[1]
    assert second.url == "https://news.example/2.html"


@pytest.mark.parametrize("encoding", ["gb2312", "gb18030", "big5", "utf-16"])
def test_feeds_in_other_encodings(encoding: str) -> None:
    text = RSS.replace('encoding="UTF-8"', f'encoding="{encoding}"').replace("张三", "王山")
    if encoding == "big5":
        text = text.translate(str.maketrans("湾号长结张总较", "灣號長結張總較")).replace("网", "網").replace(
            "比摘要長得多", "比摘要長得多"
        )
    first = articles(list(parse_feed(text.encode(encoding, "ignore"), path="f.xml")))[0]
    assert first.text.endswith("第二段。")
    assert first.title in ("一号文章", "一號文章")


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a.md", Form.ARTICLE), ("a.HTML", Form.ARTICLE), ("a.txt.gz", Form.ARTICLE), ("md", None),
        (".md", None), ("a.jsonl", Form.RECORDS), ("a.ndjson.gz", Form.RECORDS), ("a.zip", Form.ARCHIVE),
        ("a.zip.gz", None), ("a.rss", Form.FEED), ("a.xml", None), ("a.tar.gz", None), ("a.png", None),
    ],
)  # fmt: skip
def test_what_a_name_says(name: str, form: Form | None) -> None:
    assert form_of_name(name) is form


@pytest.mark.parametrize(
    ("head", "form"),
    [
        (RSS.encode(), Form.FEED), (ATOM.encode(), Form.FEED), (RSS.encode("utf-16"), Form.FEED),
        (b"<!-- x --><rss version='2.0'>", Form.FEED), (b"<html><body><rss>", None),
        (b'{"version": "https://jsonfeed.org/version/1.1"}', Form.FEED), (b'{"_id": "a"}', Form.RECORDS),
        (b'{"title": "x"}', None), (b"PK\x03\x04", Form.ARCHIVE), (b"", None),
    ],
)  # fmt: skip
def test_what_the_first_bytes_say(head: bytes, form: Form | None) -> None:
    assert form_of_content(head) is form
