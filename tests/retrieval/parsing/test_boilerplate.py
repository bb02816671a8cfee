"""Lines that recur across a source's articles."""

from dataclasses import replace

from retrieval.parsing.boilerplate import MIN_ARTICLES, line_key, recurring_lines, without_lines
from retrieval.types import Article

TAIL = "本栏目由河湾县融媒体中心出品"


def article(number: int, *, tail: bool = True, source: str = "") -> Article:
    lines = [f"第{number}期的开头", f"这是第{number}期节目的主要内容，讲了{number}件各不相同的事情。"]
    return Article(
        id=str(number),
        text="\n".join([*lines, TAIL] if tail else lines),
        headings={0: 2, 2: 3} if tail else {},
        source=source or None,
    )


def test_a_recurring_tail_is_found_and_taken_out() -> None:
    articles = [article(number) for number in range(30)]
    keys = recurring_lines(articles)
    assert keys == {line_key(TAIL)}
    cleaned = without_lines(articles[3], keys)
    assert cleaned.text == articles[3].text.removesuffix("\n" + TAIL)
    assert cleaned.headings == {0: 2}
    assert without_lines(cleaned, keys) is cleaned


def test_a_line_of_one_publication_is_found_among_many_others() -> None:
    others = [replace(article(number, tail=False), source=f"第{number % 40}报") for number in range(2_000)]
    own = [article(number, source="河湾日报", tail=number % 3 == 0) for number in range(3_000, 3_060)]
    keys = recurring_lines([*others, *own])
    assert keys == {line_key(TAIL, "河湾日报")}
    assert TAIL not in without_lines(own[0], keys).text
    elsewhere = article(1, source="山前日报")
    assert without_lines(elsewhere, keys) is elsewhere


def test_little_evidence_says_nothing() -> None:
    assert recurring_lines(article(number) for number in range(MIN_ARTICLES - 1)) == frozenset()
    assert recurring_lines(article(number, tail=number < 7) for number in range(200)) == frozenset()


def test_the_longest_line_and_what_stands_inside_stay() -> None:
    only = Article(id="a", text=TAIL)
    assert without_lines(only, {line_key(TAIL)}) is only
    inside = Article(
        id="a", text="\n".join([*(f"句{n}" for n in range(4)), TAIL, *(f"尾{n}" for n in range(8))])
    )
    assert without_lines(inside, {line_key(TAIL)}) is inside


def test_headings_with_text_below_and_rows_of_tables_stay() -> None:
    articles = [
        Article(
            id=str(n),
            text=f"概述\n年份 | 产量\n{n} | {n}吨\n"
            f"第{n}号矿山在{n}年以前就停止了开采，如今是一座公园。\n首页 | 新闻",
            headings={0: 2},
        )
        for n in range(50)
    ]
    assert recurring_lines(articles) == {line_key("首页 | 新闻")}


def test_copies_count_once() -> None:
    assert recurring_lines([article(1) for _ in range(50)]) == frozenset()


def test_keys_are_signed_64_bit_and_blind_to_space_and_case() -> None:
    assert line_key("Read More") == line_key(" read  more ") != line_key("Read More", "a")
    assert -(2**63) <= line_key("x") < 2**63


def test_empty_article() -> None:
    empty = Article(id="a", text="")
    assert recurring_lines([empty] * 30) == frozenset()
    assert without_lines(empty, {1}) is empty
