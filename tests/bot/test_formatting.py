"""Formatting: one message, whatever the hits are like."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.followups import Turn
from bot.formatting import (
    Card,
    Source,
    cards_text,
    day,
    filters_text,
    headline,
    passage_text,
    understood_text,
)
from bot.i18n import Language, texts
from bot.memory import Meaning
from bot.styled import Style, StyledText, plain, utf16_length
from bot.telegram_html import to_html
from retrieval.types import Filters, Hit, SearchResponse, Understood

from .api_server import parse_html, units

SAY = texts(Language.SIMPLIFIED_CHINESE)
HIT = Hit(
    passage_id=1,
    article_id="a",
    ordinal=0,
    title="黑河口岸",
    text="扩建完工。口岸建设边境仓5个，俄罗斯海外仓12个。全部投入使用。",
    score=0.9,
    source="黑龙江日报",
    author="新浪财经",
    published_at=datetime(2021, 7, 19, 6, 51, tzinfo=UTC),
    answer=(5, 25),
    exact_answer=(21, 24),
    highlights=((15, 18), (18, 21)),
)


def under(text: StyledText, style: Style) -> str:
    return "|".join(run.text for run in text if style in run.styles)


def test_a_card() -> None:
    card = Card(HIT, 3, Source("https://x.org/1", "原文 ↗"))
    assert plain(headline(card, SAY)) == "3. 黑河口岸\n黑龙江日报 · 2021-07-19 · 原文 ↗"
    passage = passage_text(card, 100)
    assert plain(passage) == HIT.text
    assert under(passage, Style.EXACT) == "12个"
    assert under(passage, Style.HIGHLIGHT) == "俄罗斯海外仓"
    assert under(passage, Style.ANSWER).replace("|", "") == "口岸建设边境仓5个，俄罗斯海外仓12个。"


def test_a_long_passage_is_shortened_around_its_answer() -> None:
    before, after = "前面的话说了很久。" * 30, "后面还有很多话。" * 30
    hit = replace(
        HIT, text=before + "答案是四十二。" + after, answer=(270, 277), exact_answer=None, highlights=()
    )
    passage = passage_text(Card(hit, 1, None), 60)
    assert under(passage, Style.ANSWER) == "答案是四十二。"
    assert plain(passage).startswith("…")
    assert plain(passage).endswith("…")
    assert len(plain(passage)) <= 62


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.builds(
            replace,
            st.just(HIT),
            title=st.text("题<&😀\n", max_size=300),
            text=st.text("字。<&>\"'😀\n", max_size=60).map(lambda text: text * 30),
            answer=st.one_of(st.none(), st.tuples(st.integers(0, 900), st.integers(0, 1800))),
            highlights=st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), max_size=60).map(tuple),
        ),
        min_size=1,
        max_size=5,
    ),
    st.integers(0, 5),
)
def test_any_five_hits_make_one_valid_message(hits: list[Hit], strong: int) -> None:
    source = Source('https://x.org/?a=1&b=<">#:~:text=%E4%BB%93', "原文 ↗")
    cards = [Card(hit, number, source, number <= strong) for number, hit in enumerate(hits, start=1)]
    text = cards_text(cards, (), SAY)
    assert utf16_length(text) <= 4096
    parsed, _ = parse_html(to_html(text))
    assert units(parsed) <= 4096
    assert all(f"{number}. " in parsed for number in range(1, len(hits) + 1))


def test_dates_are_local_days() -> None:
    late = datetime(2021, 7, 19, 23, 59, tzinfo=UTC)
    assert day(late) == late.astimezone().date().isoformat()
    assert day(datetime(2021, 7, 19)) == "2021-07-19"
    assert day(None) == ""
    assert day(datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))) == "0001-01-01"


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        (Filters(after="2021-07-01", before="2021-07-31"), "2021-07-01 至 2021-07-31"),
        (Filters(after=date(2021, 7, 1), before=date(2021, 7, 1)), "2021-07-01"),
        (Filters(after=date(2021, 7, 1)), "2021-07-01 起"),
        (Filters(before="2021-07-31"), "2021-07-31 为止"),
        (Filters(sources=("新浪",), before="2021-07-31"), "2021-07-31 为止 · 新浪"),
        (Filters(authors=("李",), categories=("金融",)), "李 · 金融"),
        (Filters(), ""),
    ],
)
def test_filters_in_words(filters: Filters, said: str) -> None:
    assert filters_text(filters, SAY) == said


def found(*understood: Understood) -> SearchResponse:
    return SearchResponse(query="", answered=True, hits=(), total=0, understood=understood)


LAST_YEAR = Understood(phrase="去年", span=(0, 2), filters=Filters(after="2020-01-01", before="2020-12-31"))


def test_phrases_read_as_limits_are_said() -> None:
    sina = Understood(phrase="新浪的", span=(2, 5), filters=Filters(sources=("新浪",)))
    alone = Meaning(1, Turn("去年新浪的消息", ()))
    said = plain(understood_text(alone, found(LAST_YEAR, sina), SAY))
    assert said == "理解为：去年 → 2020-01-01 至 2020-12-31；新浪的 → 新浪"
    assert understood_text(alone, found(), SAY) == ()


@pytest.mark.parametrize(
    ("meaning", "response", "said"),
    [
        (Meaning(1, Turn("赵州桥有多长？", ()), follows=True), found(), "理解为：赵州桥有多长？"),
        (
            Meaning(1, Turn("去年赵州桥修过吗", ()), follows=True),
            found(LAST_YEAR),
            "理解为：去年赵州桥修过吗；去年 → 2020-01-01 至 2020-12-31",
        ),
        (
            Meaning(
                1, Turn("赵州桥修过吗", ()), Filters(after="2020-01-01", before="2020-12-31"), follows=True
            ),
            found(),
            "理解为：赵州桥修过吗；2020-01-01 至 2020-12-31",
        ),
        (
            Meaning(1, Turn("修过吗", (), (("a", "赵州桥"),)), Filters(article_ids=("a",)), follows=True),
            found(),
            "理解为：在《赵州桥》里找：修过吗",
        ),
        (Meaning(1, Turn("修过吗", ()), skip=(1,), follows=True), found(), "理解为：接着“修过吗”往下看"),
        (Meaning(1, Turn("长\u202e" * 200, ()), follows=True), found(), "理解为：" + "长" * 119 + "…"),
    ],
)
def test_what_a_follow_up_was_taken_to_mean_is_said(
    meaning: Meaning, response: SearchResponse, said: str
) -> None:
    assert plain(understood_text(meaning, response, SAY)) == said
