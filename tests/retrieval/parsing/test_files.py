"""What is refused, what the file's name decides, and metadata lines in their variety."""

import pytest

from retrieval.errors import ArticleError
from retrieval.parsing import MAX_BYTES, parse_file
from retrieval.parsing.markup import MAX_TAGS
from retrieval.types import Article


def parse(text: str, path: str = "a.md") -> Article:
    return parse_file(text.encode(), path=path, article_id="id")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"x" * (MAX_BYTES + 1), "bytes"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(32)) * 40, "binary data"),
        (b"\x00\x01\x02\x03" * 500, "binary data"),
        (b"<div>" * 600, "nested more than"),
        (b"<br>" * (MAX_TAGS + 1), "tags"),
        (b"<div " + b" ".join(b"a%d" % n for n in range(3_000)) + b">x</div>", "attributes"),
        (b"<pre>" + b"x\n" * 60_000, "paragraphs"),
    ],
)
def test_refusals_are_one_sentence_with_the_file(data: bytes, message: str) -> None:
    with pytest.raises(ArticleError, match=message) as caught:
        parse_file(data, path="dir/a.html", article_id="x")
    assert str(caught.value).startswith("dir/a.html: ")
    assert caught.value.path == "dir/a.html"
    assert "\n" not in str(caught.value)


def test_content_decides_the_format() -> None:
    page = "<p>一段。</p><p>两段。</p>"
    for path in ("a.md", "a.txt", "a.html", "a", "a.unknown"):
        assert parse(page, path).text == "一段。\n两段。"


def test_markdown_is_read_by_suffix_or_with_front_matter() -> None:
    assert parse("正文 **粗体**。").text == "正文 粗体。"
    assert parse("正文 **粗体**。", "a.txt").text == "正文 **粗体**。"
    assert parse("---\ntitle: x\n---\n正文 **粗体**。", "a").text == "正文 粗体。"


def test_identity_and_path_are_kept() -> None:
    found = parse("正文。", "dir/2021-01-02-某文.md")
    assert (found.id, found.path, found.title) == ("id", "dir/2021-01-02-某文.md", "某文")


@pytest.mark.parametrize(
    ("line", "source", "editor"),
    [
        ("来源：新华社", "新华社", None),
        ("（来源：新华社）", "新华社", None),
        ("文章来源：新华社 责任编辑：王蒙", "新华社", "王蒙"),
        ("来源丨新华社", "新华社", None),
        ("Source: Reuters", "Reuters", None),
        ("责任编辑：王蒙 ", None, "王蒙"),
        ("责任编辑：", None, None),
        ("【责任编辑:王蒙】", None, "王蒙"),
        ("(编辑 王蒙)", None, "王蒙"),
        ("编辑：王蒙　校对：李铁民　审核：刘玄逸", None, "王蒙 李铁民 刘玄逸"),
        ("責任編輯／王蒙", None, None),
    ],
)
def test_credit_lines_become_metadata(line: str, source: str | None, editor: str | None) -> None:
    found = parse(f"<p>这是正文的第一段。</p><p>这是正文的第二段。</p><p>{line}</p>")
    assert (found.source, found.editor) == (source, editor)
    if "／" not in line:
        assert found.text == "这是正文的第一段。\n这是正文的第二段。"


@pytest.mark.parametrize(
    "line",
    [
        "来源：国家统计局。数据显示增长5%。",
        "编辑部的灯还亮着",
        "编辑这本书用了三年。",
        "声明发表之后，两国恢复了谈判。",
        "分享是一种美德。",
    ],
)
def test_sentences_that_only_look_like_credits_stay(line: str) -> None:
    assert line in parse(f"<p>这是正文的第一段。</p><p>这是正文的第二段。</p><p>{line}</p>").text


def test_a_collection_of_links_is_an_article() -> None:
    links = "".join(f"<li><a href='/{n}'>第{n}条链接的题目</a></li>" for n in range(9))
    assert len(parse(f"<p>本周推荐</p><ul>{links}</ul>").text.split("\n")) == 10


def test_links_must_be_web_addresses() -> None:
    for bad in (
        "javascript:alert(1)",
        "/relative",
        "ftp://x.example/a",
        "http://",
        "https://a b",
        "http://[x",
    ):
        assert parse(f"---\ntitle: x\nlink: {bad!r}\n---\n正文。").url is None
    assert parse("---\ntitle: x\npermalink: //a.example/1\n---\n正文。").url == "https://a.example/1"


def test_the_titles_underscores_are_restored() -> None:
    body = "<p>原标题：甲“乙”？丙/丁</p><p>正文。</p>"
    assert parse(f"---\ntitle: 甲_乙__丙_丁\n---\n{body}").title == "甲“乙”？丙/丁"
    assert parse(f"---\ntitle: 甲_乙__丙_戊\n---\n{body}").title == "甲_乙__丙_戊"
    assert parse(f"---\ntitle: 别的题目\n---\n{body}").title == "别的题目"
    assert parse(f"---\ntitle: 甲_乙__丙_丁\n---\n{body}").text == "正文。"


@pytest.mark.parametrize(
    ("end", "source", "editor"),
    [
        ("返回河湾网，查看更多 责任编辑：", None, None),
        ("（来源：极目新闻）返回河湾网，查看更多责任编辑：王蒙", "极目新闻", "王蒙"),
        ("来源：财联社", "财联社", None),
        ("（责任编辑：王蒙）", None, "王蒙"),
    ],
)
def test_what_is_glued_to_the_last_line_is_cut(end: str, source: str | None, editor: str | None) -> None:
    found = parse(f"<p>这是正文的第一段。</p><p>水库大坝今天合龙。{end}</p>")
    assert found.text == "这是正文的第一段。\n水库大坝今天合龙。"
    assert (found.source, found.editor) == (source, editor)
