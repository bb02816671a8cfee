"""What a question asks for, and which of its phrases are filters."""

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.question import AnswerKind, Known, understand
from retrieval.types import Filters

NOW = datetime(2026, 11, 25, 10)  # a Wednesday
KNOWN = Known(
    sources=("新浪财经", "黑龙江日报", "北京日报", "sina.com.cn"),
    earliest=date(2021, 7, 1),
    latest=date(2026, 11, 25),
)


def filters_of(question: str, known: Known = KNOWN) -> Filters | None:
    return understand(question, now=NOW, known=known).filters


@pytest.mark.parametrize(
    ("question", "kind", "unit"),
    [
        ("自贸E贷是谁首创的", AnswerKind.PERSON, ""),
        ("誰發明了電話", AnswerKind.PERSON, ""),
        ("哪座俄罗斯城市和黑河合作", AnswerKind.PLACE, ""),
        ("总部在哪里", AnswerKind.PLACE, ""),
        ("大桥什么时候通车", AnswerKind.TIME, ""),
        ("條約在哪一年簽訂", AnswerKind.TIME, ""),
        ("入驻了多少家企业", AnswerKind.NUMBER, "家"),
        ("塔有多高", AnswerKind.NUMBER, ""),
        ("几点开门", AnswerKind.TIME, ""),
        ("为什么天是蓝的", AnswerKind.REASON, ""),
        ("如何申请贷款", AnswerKind.MANNER, ""),
        ("什么是碳中和", AnswerKind.DEFINITION, ""),
        ("四个协同是什么？", AnswerKind.DEFINITION, ""),
        ("它能连发吗？", AnswerKind.YES_NO, ""),
        ("玩家用什么工具", AnswerKind.OTHER, ""),
        ("How many rivets are there?", AnswerKind.NUMBER, ""),
        ("Who built the bridge?", AnswerKind.PERSON, ""),
    ],
)
def test_kind_of_answer(question: str, kind: AnswerKind, unit: str) -> None:
    understood = understand(question, now=NOW)
    assert (understood.kind, understood.unit) == (kind, unit)


@pytest.mark.parametrize(
    ("question", "phrase", "first", "last", "content"),
    [
        ("上周的自贸区新闻有哪些", "上周的", date(2026, 11, 16), date(2026, 11, 22), "自贸区新闻有哪些"),
        ("上週發生了什麼", "上週", date(2026, 11, 16), date(2026, 11, 22), "上週發生了什麼"),
        ("昨天黑河有什么活动", "昨天", date(2026, 11, 24), date(2026, 11, 24), "黑河有什么活动"),
        ("黑河这个月的招商", "这个月的", date(2026, 11, 1), date(2026, 11, 30), "黑河 招商"),
        ("去年的边贸政策", "去年的", date(2025, 1, 1), date(2025, 12, 31), "边贸政策"),
        ("最近三个月的数字货币", "最近三个月的", date(2026, 8, 25), date(2026, 11, 25), "数字货币"),
        ("2021年7月发生了什么", "2021年7月", date(2021, 7, 1), date(2021, 7, 31), "2021年7月发生了什么"),
        ("7月19日的报道", "7月19日", date(2026, 7, 19), date(2026, 7, 19), "7月19日的报道"),
        ("trade deals last month", "last month", date(2026, 10, 1), date(2026, 10, 31), "trade deals"),
        ("news on trade in July 2021", "in July 2021", date(2021, 7, 1), date(2021, 7, 31), "news on trade"),
    ],
)
def test_periods_become_filters(question: str, phrase: str, first: date, last: date, content: str) -> None:
    understood = understand(question, now=NOW, known=KNOWN)
    assert [item.phrase for item in understood.understood] == [phrase]
    assert question[slice(*understood.understood[0].span)] == phrase
    assert understood.filters == Filters(after=first, before=last)
    assert understood.content == content


@pytest.mark.parametrize(
    "question",
    [
        "1786年2月2日在加爾各答舉行的是什麼",
        "2021年7月黑龙江自贸区新增了多少企业",
        "今天的北京在古代叫什么",
        "《昨天》的作者是谁",
        "版本周期是多长",
        "近年来房价为什么上涨",
        "第三季度的营收",
        "上月球的第一个人是谁",
        "三年前的事",
        "2022年13月的新闻",
        "2030年的新闻",
        "1999年的新闻",
        "北京的天气",
    ],
)
def test_what_is_asked_stays(question: str) -> None:
    understood = understand(question, now=NOW, known=KNOWN)
    assert understood.understood == ()
    assert understood.filters is None
    assert understood.content == question


def test_a_time_that_the_archive_does_not_reach_is_no_filter() -> None:
    old = Known(earliest=date(2020, 1, 1), latest=date(2021, 12, 31))
    assert filters_of("昨天的比赛", old) is None
    assert filters_of("2021年7月的新闻", old) is not None
    assert filters_of("7月的新闻", old) == Filters(after=date(2021, 7, 1), before=date(2021, 7, 31))


@pytest.mark.parametrize(
    ("question", "source", "content"),
    [
        ("新浪的四个协同是什么", "新浪财经", "四个协同是什么"),
        ("来自新浪财经的边贸消息", "新浪财经", "边贸消息"),
        ("据黑龙江日报报道，边境仓有几个", "黑龙江日报", "边境仓有几个"),
    ],
)
def test_publications_become_filters(question: str, source: str, content: str) -> None:
    understood = understand(question, now=NOW, known=KNOWN)
    assert understood.filters == Filters(sources=(source,))
    assert understood.content == content


def test_period_and_publication_together() -> None:
    understood = understand("上周新浪的边贸新闻", now=NOW, known=KNOWN)
    assert understood.filters == Filters(
        after=date(2026, 11, 16), before=date(2026, 11, 22), sources=("新浪财经",)
    )
    assert understood.content == "边贸新闻"


def test_politeness_goes_and_a_polite_nothing_stays() -> None:
    assert understand("请问，边境仓有几个", now=NOW).content == "边境仓有几个"
    assert understand("请问", now=NOW).content == "请问"


@given(
    st.text(
        alphabet=st.one_of(
            st.sampled_from("上周昨天去年今最近三个月2021年7月19日的新闻报道新浪来自据《》，？ "),
            st.characters(),
        ),
        max_size=60,
    )
)
def test_any_text_can_be_asked(text: str) -> None:
    understood = understand(text, now=NOW, known=KNOWN)
    assert understood.text == text
    for item in understood.understood:
        assert text[slice(*item.span)] == item.phrase
    assert bool(understood.content.strip()) == bool(text.strip())


@pytest.mark.parametrize("part", ["最近", "2021年7月", "上周的", "的新闻", "(a+)+", "请问", "《", "news "])
def test_repetition_is_read_in_bounded_time(part: str) -> None:
    text = part * (4000 // len(part))
    assert understand(text, now=NOW, known=KNOWN).text == text
