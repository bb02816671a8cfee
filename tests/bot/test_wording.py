"""What a question is about, names and points at."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.wording import joined_words, title_head, topic_of, wording


@pytest.mark.parametrize(
    ("question", "title", "topic"),
    [
        ("赵州桥是谁设计的？", "石匠李春的“敞肩”巧思让赵州桥站立千年", "赵州桥"),
        ("韋布望遠鏡的主鏡有多大？", "韦布空间望远镜：在一百五十万公里外看红外线", "韋布望遠鏡"),
        ("奋斗者号最深到过多少米", "“奋斗者”号坐底马里亚纳海沟", "奋斗者号"),
        ("《天工开物》是谁写的？", "宋应星和《天工开物》：一部与功名毫不相关的书", "《天工开物》"),
        ("上海磁浮用的是哪国的技术？", "八分钟到机场：上海磁浮列车", "上海磁浮"),
        ("毕昇是怎样印书的", "《梦溪笔谈》里的活字、石油和指南针", "毕昇"),
        ("什么是热棒", "青藏铁路怎样对付会“呼吸”的冻土", "热棒"),
        ("When did the Tay Bridge collapse?", "Why the Forth Bridge is so enormously strong", "Tay Bridge"),
        ("How big was H4?", "John Harrison and the clock that found longitude", "H4"),
        ("什么时候的事？", "", ""),
    ],
)
def test_the_topic_of_a_question(question: str, title: str, topic: str) -> None:
    assert topic_of(wording(question), title) == topic


@pytest.mark.parametrize(
    ("question", "named"),
    [
        ("那南京长江大桥有多长", True),
        ("《万安桥记》有多少个字", True),
        ("有多长", False),
        ("Who designed the Forth Bridge?", True),
        ("Who designed it?", False),
        ("How big was H4?", True),
    ],
)
def test_names(question: str, named: bool) -> None:
    assert wording(question).names_something() is named


def test_a_part_is_replaced_as_it_was_written() -> None:
    question = wording("趙州橋的跨度有多大？")
    assert question.text.startswith("赵州桥")
    assert question.replaced((0, 3), "洛陽橋") == "洛陽橋的跨度有多大？"
    assert question.written((0, 3)) == "趙州橋"


@pytest.mark.parametrize(
    ("title", "head"),
    [
        ("苏伊士运河：没有船闸的捷径", "苏伊士运河"),
        ("“中国天眼”为什么建在贵州的大窝凼", "中国天眼为什么建在贵州的大窝凼"),
        ("Voyager 1, the farthest thing we ever made", "Voyager 1"),
        ("：", "："),
        ("很" * 50, "很" * 20),
    ],
)
def test_the_head_of_a_title(title: str, head: str) -> None:
    assert title_head(title) == head


def test_blanks_stand_between_latin_words_only() -> None:
    assert joined_words(["Forth Bridge", "paint"]) == "Forth Bridge paint"
    assert joined_words(["赵州桥", "有多长"]) == "赵州桥有多长"
    assert joined_words(["FAST", "有多大"]) == "FAST有多大"


@example("B\r0", "")
@given(st.text(max_size=400), st.text(max_size=80))
def test_any_text_has_a_wording(text: str, title: str) -> None:
    question = wording(text)
    assert "".join(word.text for word in question.words) == question.text
    topic = topic_of(question, title)
    assert "".join(topic.split()) in "".join(text.split())  # blanks of other kinds become spaces
    assert isinstance(question.asks, bool)
