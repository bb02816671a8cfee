"""One form for all ways of writing the same, and the way back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.lexical.analyzer import Analyzer
from retrieval.lexical.normalisation import fold, load_variants

ANALYZER = Analyzer()
MIXED = st.text(
    alphabet=st.one_of(
        st.sampled_from("軟體程式計程車随身碟ＡＢｃ１２３，。…ﬁ㍿é\u0301\u200bİß한글각ｶﾞ①℃½乾隆於著\n\t 😀𠮷"),
        st.characters(exclude_categories=()),
    ),
    max_size=60,
)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("ＧＰＴ－４，１２３", "gpt-4,123"),
        ("軟體工程師", "软件工程师"),
        ("計程車司機用隨身碟", "出租车司机用u盘"),
        ("捷運站的電腦程式", "地铁站的电脑程序"),
        ("香港的士", "香港出租车"),
        ("乾隆皇帝與著名的哪吒", "乾隆皇帝与著名的哪吒"),
        ("Café ﬁne", "café fine"),
        ("等等……", "等等……"),
        ("零\u200b宽", "零宽"),
        ("一\n二\x00三", "一\n二 三"),
    ],
)
def test_writes_the_same_in_one_form(text: str, normal: str) -> None:
    assert ANALYZER.normalise(text).text == normal


@pytest.mark.parametrize(
    "text",
    ["理查德的关系结构", "战线上有许多工人", "一半形成了程序和文件档案", "质量与品质", "尼日利亚的影片"],
)
def test_leaves_mainland_text_alone(text: str) -> None:
    normal = ANALYZER.normalise(text)
    assert normal.text == text
    assert normal.starts is None


def test_spans_lead_back_to_the_original() -> None:
    text = "我的隨身碟Ａ㍿é́x"
    normal = ANALYZER.normalise(text)
    assert normal.text == "我的u盘a株式会社é́x"
    place = normal.text.index("u盘")
    assert text[slice(*normal.span(place, place + 1))] == "隨身碟"
    assert text[slice(*normal.span(place, place + 2))] == "隨身碟"
    company = normal.text.index("株")
    assert text[slice(*normal.span(company, company + 2))] == "㍿"
    assert text[slice(*normal.span(0, len(normal.text)))] == text
    assert normal.span(3, 3) == (2, 2)
    assert normal.span(len(normal.text), len(normal.text)) == (len(text), len(text))


@given(MIXED)
def test_folding_is_idempotent_and_its_spans_cover_the_text(text: str) -> None:
    normal = fold(text)
    assert fold(normal.text).text == normal.text
    previous = 0
    for place in range(len(normal.text)):
        start, end = normal.span(place, place + 1)
        assert 0 <= start < end <= len(text)
        assert start >= previous
        previous = start


@given(MIXED)
def test_a_span_holds_what_its_words_came_from(text: str) -> None:
    normal = ANALYZER.normalise(text)
    for place in range(len(normal.text)):
        start, end = normal.span(place, place + 1)
        assert 0 <= start < end <= len(text)
    if normal.starts is None:
        assert len(normal.text) == len(text)


def test_regional_words_lead_to_one_form_without_circles() -> None:
    variants = load_variants()
    assert variants.rewritten["软体"] == "软件"
    assert "视频" in variants.alternatives["影片"]
    assert "影片" in variants.alternatives["视频"]
    for regional, mainland in variants.rewritten.items():
        assert mainland not in variants.rewritten, regional
        assert fold(regional).text == regional
        assert fold(mainland).text == mainland
