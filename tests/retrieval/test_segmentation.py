"""Passages and sentences, by hand-made texts."""

import pytest

from retrieval.segmentation import segment, split_sentences
from retrieval.types import Article


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in split_sentences(text)]


def passages(text: str, headings: dict[int, int] | None = None, **sizes: int) -> list[tuple[str, str]]:
    found = segment(Article(id="a", text=text, headings=headings or {}), **sizes)
    return [(passage.heading, passage.text) for passage in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("一句。两句！三句？", ["一句。", "两句！", "三句？"]),
        ("他说：“好。我去。”然后走了。", ["他说：“好。我去。”", "然后走了。"]),
        ("“我们明天出发。”他说。大家都笑了。", ["“我们明天出发。”他说。", "大家都笑了。"]),
        ("“我们明天出发。”大家都笑了。", ["“我们明天出发。”", "大家都笑了。"]),
        (
            "投资改造黑河互市贸易交易结算中心；全国首创制发“数字联名边民卡”1.5万余张。",
            ["投资改造黑河互市贸易交易结算中心；", "全国首创制发“数字联名边民卡”1.5万余张。"],
        ),
        ("甲；乙；丙。", ["甲；乙；丙。"]),
        (
            "他在那里沉默了很久很久……终于开口说了一句话。",
            ["他在那里沉默了很久很久……", "终于开口说了一句话。"],
        ),
        ("嗯……好。", ["嗯……好。"]),
        ("（这里有一句。还有一句。）后面。", ["（这里有一句。还有一句。）", "后面。"]),
        ("Dr. Smith paid $3.5 million. He left.", ["Dr. Smith paid $3.5 million.", "He left."]),
        ("At 9 a.m. the U.S. team came. Good!", ["At 9 a.m. the U.S. team came.", "Good!"]),
        ("They lent 5 to school 961. In 1994 it burnt.", ["They lent 5 to school 961.", "In 1994 it burnt."]),
        ("12. Close the gate. 3. Go.", ["12. Close the gate.", "3. Go."]),
        ("We use Python. 我们也用C语言。", ["We use Python.", "我们也用C语言。"]),
        ("版本号是3.11。网址是a.example。", ["版本号是3.11。", "网址是a.example。"]),
        ("No way! Really?\nYes.", ["No way!", "Really?", "Yes."]),
        ("四个协同是什么？\n■目标协同 建立机制。", ["四个协同是什么？", "■目标协同 建立机制。"]),
        ("　　 空白。 后面  ", ["空白。", "后面"]),
        ("“没有关上的引号。后面的句子。", ["“没有关上的引号。", "后面的句子。"]),
        ("", []),
        (" \n ", []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_long_quotation_is_cut_inside() -> None:
    speech = "他" + "走" * 60 + "。"
    text = f"“{speech * 3}”"
    assert sentences(text) == ["“" + speech, speech, speech + "”"]


def test_short_paragraphs_are_joined_and_long_ones_cut_at_sentence_ends() -> None:
    short = "短的一段。"
    long = "这是一个二十个字左右的句子用来凑长度。" * 10
    found = passages("\n".join([short, short, long]), target=100, limit=120)
    assert found[0][1].startswith("短的一段。\n短的一段。\n这是")
    assert all(len(text) <= 120 and text.endswith("。") for _, text in found)
    assert "".join(text for _, text in found).replace("\n", "") == short * 2 + long


def test_sentence_longer_than_the_limit_is_cut_at_a_comma() -> None:
    text = "一" * 30 + "，" + "二" * 30 + "。"
    assert [t for _, t in passages(text, target=30, limit=40)] == ["一" * 30 + "，", "二" * 30 + "。"]
    assert [len(t) for _, t in passages("三" * 90, target=30, limit=40)] == [40, 40, 10]


def test_nothing_crosses_a_heading_and_headings_make_a_path() -> None:
    text = "开头。\n第一章\n甲。\n第一节\n乙。\n第二章\n丙。"
    assert passages(text, {1: 1, 3: 2, 5: 1}) == [
        ("", "开头。"),
        ("第一章", "甲。"),
        ("第一章 › 第一节", "乙。"),
        ("第二章", "丙。"),
    ]


def test_heading_without_text_stays_findable() -> None:
    assert passages("甲。\n附则", {1: 2}) == [("", "甲。"), ("", "附则")]
    assert passages("一\n二\n三", {0: 1, 1: 1, 2: 1}) == [("", "一"), ("", "二"), ("", "三")]


def test_labels_and_list_items_stay_with_what_follows() -> None:
    before = "前面的一段话，" * 12 + "。"
    items = [f"■{name}协同 " + "说明文字" * 10 + "。" for name in ("目标", "规划", "政策")]
    found = passages("\n".join([before, "新闻链接", "四个协同是什么？", *items]), target=120, limit=240)
    assert found[1][1].split("\n") == ["新闻链接", "四个协同是什么？", *items]


def test_ranges_of_paragraphs() -> None:
    article = Article(id="a", text="\n".join(["字" * 50 + "。"] * 5))
    found = segment(article, target=100, limit=160)
    assert [(p.ordinal, p.first_paragraph, p.last_paragraph) for p in found] == [
        (0, 0, 1),
        (1, 2, 3),
        (2, 4, 4),
    ]
    assert {p.article_id for p in found} == {"a"}


def test_article_without_text_has_no_passages() -> None:
    assert segment(Article(id="a", text="")) == []


def test_sizes_are_checked() -> None:
    with pytest.raises(ValueError, match="target must be between 1 and limit"):
        segment(Article(id="a", text="x"), target=300, limit=200)
