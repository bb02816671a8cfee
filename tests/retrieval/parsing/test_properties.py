"""Properties that hold for any input: no crash, no invented or lost text, clean lines, bounded passages."""

import gzip
import json
import unicodedata
from html import escape

from hypothesis import example, given, settings
from hypothesis import strategies as st

from retrieval.errors import ArticleError
from retrieval.links import text_fragment
from retrieval.parsing import parse_file
from retrieval.parsing.collections import Collection, Item
from retrieval.parsing.dates import parse_date
from retrieval.parsing.forms import Form, form_of_content, form_of_name
from retrieval.parsing.front_matter import split_front_matter
from retrieval.parsing.jsonl import parse_line
from retrieval.segmentation import segment, split_sentences
from retrieval.types import Article

PATHS = st.sampled_from(["a.md", "a.txt", "a.html", "a", "2021-01-02-x.markdown"])
_SNIPPETS = """\
title: |'|"|<p>|</p>|<div class=share>|<table><tr><td>|<!--|-->|<style>|<script>|&#123;|&nbsp;|　　|来源：|
责任编辑：|<a b|x < y|**|# |- |{"title": "|<br>|<pre>|<h2>|正文。|“|”|；|Mr. A. |date: 2021-01-02"""
LINES = ["---\n", "```\n", "+++\n", "\n", "| a | b |\n|---|---|\n"]
SNIPPETS = st.sampled_from([*_SNIPPETS.replace("\n", "").split("|"), *LINES])
MARKUP = st.lists(SNIPPETS | st.text(max_size=12), max_size=40).map("".join)
# Letters that make words but neither credits, markup nor boilerplate.
WORDS = st.text(
    st.sampled_from("甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥abcdefg"), min_size=1, max_size=30
)


@given(st.binary(max_size=2_000), PATHS)
@example(b"---\n" + b"- " * 30_000 + b"\n---\n", "a.md")
@example(b"---\ntitle: " + b"[" * 30_000 + b"\n---\n", "a.md")
@example(b"+++\n" + b"a." * 20_000 + b"b=1\n+++\n", "a.md")
@example(b"<html><body " + b" ".join(b"a%d=1" % n for n in range(50_000)) + b">x", "a.html")
@example(b"---\ntitle: " + b"_a" * 40 + "\n---\n<p>原标题：".encode() + b"a" * 190, "a.md")
@example(b"<!-- a -->" * 2_000 + b"x", "a.html")
@settings(deadline=None)
def test_any_bytes_parse_or_are_refused(data: bytes, path: str) -> None:
    try:
        article = parse_file(data, path=path, article_id="x")
    except ArticleError as error:
        message = str(error)
    else:
        message = f"{path}: "
        check_article(article)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message


@given(MARKUP, PATHS)
@settings(deadline=None, max_examples=300)
def test_any_markup_parses(text: str, path: str) -> None:
    try:
        article = parse_file(text.encode("utf-8", errors="replace"), path=path, article_id="x")
    except ArticleError:
        return
    check_article(article)


def check_article(article: Article) -> None:
    lines = article.text.split("\n") if article.text else []
    for line in [*lines, article.title]:
        assert not any(unicodedata.category(c) in ("Cc", "Cs") for c in line)
    assert all(line.strip() for line in lines)
    assert all(0 <= number < len(lines) and 1 <= level <= 6 for number, level in article.headings.items())
    assert article.published_at is None or article.published_at.tzinfo is not None
    for url in (article.url, article.image):
        assert url is None or url.lower().startswith(("http://", "https://"))
    for passage in segment(article):
        assert 0 < len(passage.text) <= 400
        assert text_fragment("https://a.example/", passage.text).startswith("https://a.example/")


COLLECTIONS = st.sampled_from([Form.RECORDS, Form.FEED, Form.ARCHIVE])
HEADS = st.sampled_from([b"", b'{"_id": "a", ', b"<rss>", b"<feed>", b"PK\x03\x04", b"\x1f\x8b", b"\xff\xfe"])


@given(HEADS, st.binary(max_size=1_000), COLLECTIONS)
@settings(deadline=None)
def test_any_bytes_are_a_collection_or_are_refused(head: bytes, data: bytes, form: Form) -> None:
    try:
        found = list(Collection(path="c", relative="c", form=form, content=head + data).items())
    except ArticleError as error:
        found = [error]
    for one in found:
        if isinstance(one, ArticleError):
            assert one.path.startswith("c")
            assert "\n" not in str(one)
        else:
            assert one.identity
            assert one.path.startswith("c")


@given(
    st.lists(st.tuples(st.text(min_size=1).filter(str.strip), WORDS), max_size=8, unique_by=lambda r: r[0]),
    st.booleans(),
    st.booleans(),
)
def test_no_record_is_lost(records: list[tuple[str, str]], packed: bool, ascii_only: bool) -> None:
    lines = [json.dumps({"_id": key, "text": text}, ensure_ascii=ascii_only) for key, text in records]
    data = "\n".join(lines).encode("utf-8", "surrogatepass")
    content = gzip.compress(data) if packed else data
    found = list(Collection(path="c", relative="c", form=Form.RECORDS, content=content).items())
    assert all(isinstance(one, Item) for one in found)
    items = [one for one in found if isinstance(one, Item)]
    assert [item.identity for item in items] == [key for key, _ in records]
    articles = [parse_line(item.data, path="c", line=item.line or 0) for item in items]
    assert [article.text for article in articles] == [text for _, text in records]


@given(st.binary(max_size=200), st.text(max_size=30))
def test_forms_are_told_from_anything(head: bytes, name: str) -> None:
    assert form_of_content(head) in (None, Form.ARCHIVE, Form.FEED, Form.RECORDS)
    assert form_of_name(f"{name}.md") in (Form.ARTICLE, None)
    assert form_of_name(f"{name}.jsonl.gz") is Form.RECORDS


@given(
    st.lists(WORDS, min_size=1, max_size=12),
    st.sampled_from(["p", "div", "li", "blockquote", "td", "section"]),
)
def test_no_visible_character_is_lost_or_invented(words: list[str], tag: str) -> None:
    body = "".join(f"<{tag}>　　{escape(word)}</{tag}>\n" for word in words)
    body = f"<table><tr>{body}</tr></table>" if tag == "td" else body
    article = parse_file(f"---\ntitle: '题目'\n---\n{body}".encode(), path="a.md", article_id="x")
    assert article.text.replace(" | ", "\n").split("\n") == words


@given(st.lists(WORDS, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_inline_markup_changes_no_text(words: list[str], random) -> None:
    tags = ["b", "i", "span", "em", "strong", "font", "u", "a"]
    body = "".join(f"<{(tag := random.choice(tags))}>{word}</{tag}>" for word in words)
    article = parse_file(
        f"---\ntitle: '题目'\n---\n<p>{body}。</p><p>末</p>".encode(), path="a.md", article_id="x"
    )
    assert article.text == "".join(words) + "。\n末"


@given(st.text(max_size=300))
@example("他说：“好。我去。”然后走了。")
def test_sentences_cover_the_text_in_order(text: str) -> None:
    spans = split_sentences(text)
    place = 0
    for start, end in spans:
        assert place <= start < end <= len(text)
        assert not text[place:start].strip()
        assert text[start:end] == text[start:end].strip()
        assert "\n" not in text[start:end]
        place = end
    assert not text[place:].strip()


@given(
    st.lists(
        st.text(st.sampled_from("甲乙。；，“”？ab .\u3000"), min_size=1, max_size=700).map(str.strip),
        max_size=8,
    ),
    st.dictionaries(st.integers(0, 7), st.integers(1, 6), max_size=3),
    st.integers(20, 200),
)
@settings(deadline=None)
def test_passages_hold_all_text_within_bounds(
    lines: list[str], headings: dict[int, int], target: int
) -> None:
    lines = [line for line in lines if line]
    headings = {n: level for n, level in headings.items() if n < len(lines)}
    article = Article(id="x", text="\n".join(lines), headings=headings)
    passages = segment(article, target=target, limit=2 * target)
    assert [p.ordinal for p in passages] == list(range(len(passages)))
    covered = "".join("".join(p.text.split()) for p in passages)
    if not headings:
        assert covered == "".join("".join(lines).split())
    for passage in passages:
        assert 0 < len(passage.text) <= 2 * target
        numbers = range(passage.first_paragraph, passage.last_paragraph + 1)
        texts = passage.text.split("\n")
        assert all(any(text in lines[n] for n in numbers) for text in texts)
        assert len({n in headings for n in numbers if lines[n]}) <= 1


@given(st.text(max_size=120))
def test_dates_are_none_or_aware(text: str) -> None:
    found = parse_date(text)
    assert found is None or (found.tzinfo is not None and 1900 <= found.year <= 2200)


@given(MARKUP)
def test_front_matter_holds_only_text(text: str) -> None:
    head = split_front_matter("---\n" + text)
    assert 0 <= head.body_start <= len(text) + 4
    for name, value in head.fields.items():
        assert isinstance(name, str)
        assert isinstance(value, str) or all(isinstance(v, str) for v in value)
