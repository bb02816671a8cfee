"""Lines that recur across a source's articles."""

from collections import Counter

from retrieval.parsing.boilerplate import (
    MIN_ARTICLES,
    content_key,
    edge_lines,
    line_key,
    recurring,
    without_lines,
)
from retrieval.types import Article

TAIL = "本栏目由河湾县融媒体中心出品"


def article(number: int, *, tail: bool = True) -> Article:
    lines = [f"第{number}期的开头", f"这是第{number}期节目的主要内容，讲了{number}件各不相同的事情。"]
    return Article(
        id=str(number),
        text="\n".join([*lines, TAIL] if tail else lines),
        headings={0: 2, 2: 3} if tail else {},
    )


def counted(articles: list[Article]) -> Counter[int]:
    return Counter(key for one in articles for key in edge_lines(one))


def test_a_recurring_tail_is_found_and_taken_out() -> None:
    articles = [article(number) for number in range(30)]
    keys = recurring(counted(articles), len(articles))
    assert keys == {line_key(TAIL)}
    cleaned = without_lines(articles[3], keys)
    assert cleaned.text == articles[3].text.removesuffix("\n" + TAIL)
    assert cleaned.headings == {0: 2}
    assert without_lines(cleaned, keys) is cleaned


def test_little_evidence_says_nothing() -> None:
    few = [article(number) for number in range(MIN_ARTICLES - 1)]
    assert recurring(counted(few), len(few)) == frozenset()
    rare = [article(number, tail=number < 5) for number in range(200)]
    assert recurring(counted(rare), len(rare)) == frozenset()


def test_the_longest_line_and_what_stands_inside_stay() -> None:
    only = Article(id="a", text=TAIL)
    assert edge_lines(only) == frozenset()
    assert without_lines(only, {line_key(TAIL)}) is only
    inside = Article(
        id="a", text="\n".join([*(f"句{n}" for n in range(4)), TAIL, *(f"尾{n}" for n in range(8))])
    )
    assert line_key(TAIL) not in edge_lines(inside)


def test_copies_share_their_content_key() -> None:
    assert content_key(article(1)) == content_key(article(1, tail=False)) != content_key(article(2))


def test_keys_are_signed_64_bit_and_blind_to_space_and_case() -> None:
    assert line_key("Read More") == line_key(" read  more ")
    assert -(2**63) <= line_key("x") < 2**63


def test_empty_article() -> None:
    empty = Article(id="a", text="")
    assert edge_lines(empty) == frozenset()
    assert without_lines(empty, {1}) is empty
