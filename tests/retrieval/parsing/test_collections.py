"""Files that hold many articles: JSONL, feeds, archives."""

import gzip
import io
import json
import zipfile
from datetime import UTC, datetime

import pytest

from retrieval.errors import ArticleError
from retrieval.parsing import MAX_BYTES
from retrieval.parsing.archive import unpack
from retrieval.parsing.feed import parse_feed
from retrieval.parsing.jsonl import parse_jsonl
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
    assert list(unpack(zipped(members), path="x.zip")) == list(members.items())
    assert list(unpack(gzip.compress(b"x"), path="dir/a.md.gz")) == [("dir/a.md", b"x")]


def test_archive_tricks_are_refused() -> None:
    bomb = bytes(MAX_BYTES + 1)
    found = list(
        unpack(
            zipped({"../up.md": b"x", "/abs.md": b"x", "C:/c.md": b"x", "bomb.md": bomb, "ok.md": b"y"}),
            path="x.zip",
        )
    )
    assert found[4] == ("ok.md", b"y")
    assert all(isinstance(one, ArticleError) for one in found[:4])
    assert [isinstance(one, ArticleError) for one in unpack(gzip.compress(bomb), path="b.gz")] == [True]


@pytest.mark.parametrize(
    ("data", "path"),
    [(b"not a zip", "x.zip"), (b"not gzip", "x.gz"), (gzip.compress(b"x" * 999, mtime=0)[:-9], "x.gz")],
    ids=["not a zip", "not gzip", "cut off"],
)
def test_damaged_archives_are_refused(data: bytes, path: str) -> None:
    with pytest.raises(ArticleError, match="damaged"):
        list(unpack(data, path=path))
