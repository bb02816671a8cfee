"""Link templates and text fragments."""

from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import unquote

import pytest

from retrieval.errors import SettingsError
from retrieval.links import LinkTemplate, source_link, text_fragment
from retrieval.types import Article

CHINA = timezone(timedelta(hours=8))
ARTICLE = Article(
    id="a",
    text="x",
    title="A & B/中",
    path="posts/2021-07-19-中俄 a.md",
    published_at=datetime(2021, 7, 1, 1, 2, 3, tzinfo=CHINA),
)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (
            "https://b.example/{year}/{month}/{day}/{slug}.html",
            "https://b.example/2021/07/01/%E4%B8%AD%E4%BF%84%20a.html",
        ),
        ("https://b.example:8080/{path}/", "https://b.example:8080/posts/2021-07-19-%E4%B8%AD%E4%BF%84%20a/"),
        ("http://b.example/?t={title}", "http://b.example/?t=A%20%26%20B%2F%E4%B8%AD"),
        (
            "https://b.example/:year/:i_month/:i_day/:title/",
            "https://b.example/2021/7/1/%E4%B8%AD%E4%BF%84%20a/",
        ),
        ("https://b.example/:year-:month-:day-:hour:minute/", None),
        ("https://b.example/:year/:post_title.html", "https://b.example/2021/A%20%26%20B%2F%E4%B8%AD.html"),
    ],
)
def test_templates(template: str, expected: str | None) -> None:
    if expected is None:
        expected = "https://b.example/2021-07-01-01:minute/"
    assert source_link(ARTICLE, template) == expected


def test_own_link_comes_first_and_nothing_is_invented() -> None:
    own = Article(id="a", text="", url="https://own.example/1", path="x.md")
    assert source_link(own, "https://b.example/{slug}") == "https://own.example/1"
    assert source_link(Article(id="a", text="", path="x.md")) is None
    assert source_link(Article(id="a", text="", path="x.md"), "https://b.example/{year}/{slug}") is None
    assert source_link(Article(id="a", text=""), "https://b.example/{slug}") is None
    assert source_link(Article(id="a", text="", path="../x.md"), "https://b.example/{path}") is None


def test_dates_are_of_the_articles_own_zone() -> None:
    late = datetime(2021, 12, 31, 23, 30, tzinfo=UTC)
    template = LinkTemplate("https://b.example/{year}/{month}/{day}")
    assert template.fill(path=None, title="", published_at=late) == "https://b.example/2021/12/31"
    assert (
        template.fill(path=None, title="", published_at=late.astimezone(CHINA))
        == "https://b.example/2022/01/01"
    )


def test_path_relative_to_the_source() -> None:
    assert source_link(ARTICLE, "https://b.example/{path}", path="x/y.md") == "https://b.example/x/y"
    assert source_link(ARTICLE, "https://b.example/{slug}", path="x\\y.md") == "https://b.example/y"


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("https://b.example/{foo}", "unknown field 'foo'"),
        ("https://b.example/:bogus/", "unknown field 'bogus'"),
        ("https://b.example/{slug", "a brace that does not match"),
        ("https://b.example/{}", "unknown field ''"),
        ("ftp://b.example/{slug}", "is no web address"),
        ("b.example/{slug}", "is no web address"),
        ("", "is no web address"),
    ],
)
def test_bad_templates_are_refused(template: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        LinkTemplate(template)


def fragment(text: str, url: str = "https://a.example/1") -> str:
    return text_fragment(url, text)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("产业集聚态势明显。园区入驻企业75户。\n新增资本超70亿元。", "产业集聚态势明显,新增资本超70亿元"),
        ("只有一句话的段落。", "只有一句话的段落"),
        ("（编者按）第一分句写在这里，第二分句写在这里。", "第一分句写在这里,第二分句写在这里"),
        ("■目标协同 建立常态化工作机制。", "建立常态化工作机制"),
        ("名称 | 数量\n边境仓的数量 | 5个", "数量"),
        ("短。", "短"),
    ],
)
def test_terms_begin_and_end_at_punctuation(text: str, terms: str) -> None:
    found = unquote(fragment(text))
    assert found.startswith("https://a.example/1#:~:text=")
    if "|" not in text:
        assert found == f"https://a.example/1#:~:text={terms}"
    for term in found.partition("text=")[2].split(","):
        assert any(term in line for line in text.split("\n"))


def test_terms_are_encoded() -> None:
    assert fragment("state-of-the-art R&D") == "https://a.example/1#:~:text=state%2Dof%2Dthe%2Dart%20R%26D"


def test_english_terms_are_shortened_at_words() -> None:
    text = "This very long first clause goes on and on without a comma. And so it ends here with a clause"
    start, end = unquote(fragment(text)).partition("text=")[2].split(",")
    assert text.startswith(start + " ")
    assert text.endswith(" " + end)
    assert max(len(start), len(end)) <= 40


def test_other_fragments_stay_and_old_directives_go() -> None:
    assert fragment("一句完整的话。", "https://a.example/1#sec").startswith("https://a.example/1#sec:~:text=")
    again = fragment("一句完整的话。", "https://a.example/1#sec:~:text=old")
    assert again == fragment("一句完整的话。", "https://a.example/1#sec")


@pytest.mark.parametrize("url", ["tg://resolve?domain=x", "/home/a.md", "file:///a.html", ""])
def test_only_web_pages_get_a_fragment(url: str) -> None:
    assert text_fragment(url, "一句完整的话。") == url


@pytest.mark.parametrize("text", ["", "\n", "。。。"])
def test_without_words_there_is_no_fragment(text: str) -> None:
    assert fragment(text) == "https://a.example/1"
