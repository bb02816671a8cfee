"""Signatures of articles, and what counts as the same text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.ranking.similarity import (
    distance,
    from_signed,
    overlap,
    same_numbers,
    signature,
    signatures,
    to_signed,
)

REPORT = (
    "黑龙江自贸试验区黑河片区挂牌以来，累计建成边境仓5个、海外仓12个，跨境电商交易额同比增长6.42%。"
    "片区管委会负责人说，下一步将扩大对俄能源资源合作，建设进出口加工基地，并推动界河大桥货运通道扩能。"
    "当地企业利源达的车型已经取得认证，首批车辆本月发往布拉戈维申斯克，全年计划出口两千辆。"
)


def test_the_same_letters_have_the_same_signature() -> None:
    assert signature(REPORT) == signature(REPORT.replace("，", ", ").replace("。", "。\n"))


def test_a_signature_never_changes() -> None:
    assert signature("黑河片区建成边境仓五个") == 0x4F4E9C728FA3153C
    assert signature("") == 0


def test_near_duplicates_are_near_and_others_are_not() -> None:
    copied = "来源：新浪财经。" + REPORT + "（责任编辑：某某）"
    other = "上海市民昨天在外滩观看了灯光秀，组织者说，现场人数比去年多了三成，交通一度拥堵。" * 6
    assert distance(signature(REPORT), signature(copied)) <= 12
    assert distance(signature(REPORT), signature(other)) >= 18


@given(st.integers(0, (1 << 64) - 1))
def test_signed_and_back(value: int) -> None:
    assert from_signed(to_signed(value)) == value
    assert -(1 << 63) <= to_signed(value) < 1 << 63
    assert distance(value, to_signed(value)) == 0


@given(st.text(max_size=200))
def test_any_text_has_a_signature(text: str) -> None:
    assert 0 <= signature(text) < 1 << 64


@given(st.lists(st.text(st.sampled_from("黑河仓A1Σσςİßｆ_， \n😀𝐀𠀀\ud800") | st.characters()), max_size=12))
def test_many_texts_have_the_signatures_that_each_has_alone(texts: list[str]) -> None:
    many = [*texts, *(REPORT.replace("黑", text[:1]) for text in texts)]
    assert signatures(many) == [signature(text) for text in many]


@pytest.mark.parametrize("odd", [REPORT * 80, "ΟΔΥΣΣΕΥΣ ", "İstanbul", "𠀀𠀁𠀂𠀃", "😀", "\ud800", ""])
def test_so_have_texts_that_are_odd(odd: str) -> None:
    many = [odd, *[odd[:60] + REPORT[number:] for number in range(12)]]
    assert signatures(many) == [signature(text) for text in many]


def test_overlap() -> None:
    assert overlap("黑河市很美", "黑河，市很美！") == 1.0
    assert overlap("黑河市很美", "上海的夜晚") == 0.0
    assert overlap("黑河市很", "黑河市大") == pytest.approx(1 / 3)
    assert overlap("", "") == 1.0


def test_templates_with_other_figures_are_not_the_same() -> None:
    assert same_numbers("收盘31.41元，跌2.45%", "跌2.45%，收于31.41元")
    assert not same_numbers("收盘31.41元，跌2.45%", "收盘30.10元，涨1.20%")
    assert same_numbers("没有数字", "也没有")
