"""Deciding on follow-ups from words and scores alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.followups import (
    Found,
    Kind,
    Proposal,
    Turn,
    decide,
    looks_incomplete,
    needs_trying,
    propose,
    without_period,
)

BRIDGE = Turn(
    "赵州桥是谁设计的？", ("赵州桥",), (("zhaozhou", "赵州桥"), ("luoyang", "洛阳桥"), ("lingqu", "灵渠"))
)
WAREHOUSE = Turn("去年黑龙江建了多少边境仓？", ("边境仓",), (("heihe", "黑河口岸"),))
FORTH = Turn(
    "When was the Forth Bridge opened?",
    ("Forth Bridge",),
    (("forth", "The Forth Bridge"), ("tay", "The Tay")),
)
CHALLENGE = Turn("嫦娥四号是哪天发射的？", ("嫦娥四号",), (("c4", "嫦娥四号"),))


@pytest.mark.parametrize(
    "text",
    [
        *("还有吗", "还有呢？", "還有嗎？", "还有没有别的", "更多", "继续", "再来几篇", "那还有别的吗？"),
        *("more", "Anything else?", "what else?", "show me more", "next page please"),
    ],
)
def test_asking_for_more(text: str) -> None:
    assert propose(text, [BRIDGE]) == Proposal(Kind.MORE)
    assert propose(text, []) is None


@pytest.mark.parametrize(
    ("text", "turn", "place", "asked"),
    [
        ("第二篇讲了什么", BRIDGE, 1, ()),
        ("第2篇文章讲什么？", BRIDGE, 1, ()),
        ("那第三篇呢？", BRIDGE, 2, ()),
        ("第一個結果講了什麼", BRIDGE, 0, ()),
        ("最后一篇讲的是什么", BRIDGE, -1, ()),
        ("第二篇什么时候发表的", BRIDGE, 1, ()),
        ("打开第三篇", BRIDGE, 2, ()),
        ("第二篇里花了多少钱？", BRIDGE, 1, ("花了多少钱",)),
        ("What does the second article say?", FORTH, 1, ()),
        ("open the first one", FORTH, 0, ()),
        ("the last one", FORTH, -1, ()),
    ],
)
def test_an_article_by_its_place(text: str, turn: Turn, place: int, asked: tuple[str, ...]) -> None:
    assert propose(text, [turn]) == Proposal(Kind.ARTICLE, asked, place=place)


@pytest.mark.parametrize(
    "text",
    [
        "第九篇讲了什么",
        "第一个在月球背面着陆的探测器是哪个？",
        "第一條路線是哪一條",
        "第二篇论文的作者获奖了吗？",
        "The first man on the moon",
    ],
)
def test_ordinals_that_mean_no_article_shown(text: str) -> None:
    proposal = propose(text, [BRIDGE])
    assert proposal is None or proposal.kind is not Kind.ARTICLE


@pytest.mark.parametrize(
    ("text", "turn", "first"),
    [
        ("那洛阳桥呢？", BRIDGE, "洛阳桥是谁设计的？"),
        ("那洛陽橋呢", BRIDGE, "洛陽橋是谁设计的？"),
        ("那海外仓呢？", WAREHOUSE, "去年黑龙江建了多少海外仓？"),
        ("那前年呢", WAREHOUSE, "前年黑龙江建了多少边境仓？"),
        ("2019年呢？", WAREHOUSE, "2019年黑龙江建了多少边境仓？"),
        ("那去年呢", BRIDGE, "去年赵州桥是谁设计的？"),
        ("那五号呢", CHALLENGE, "嫦娥五号是哪天发射的？"),
        ("What about the Tay Bridge?", FORTH, "Forth Bridge Tay Bridge"),
        ("What about last year?", FORTH, "When was the Forth Bridge opened last year?"),
        ("And its paint?", FORTH, "Forth Bridge paint"),
    ],
)
def test_the_same_of_something_else(text: str, turn: Turn, first: str) -> None:
    proposal = propose(text, [turn])
    assert proposal is not None
    assert proposal.kind is Kind.OTHER
    assert proposal.texts[0] == first


@pytest.mark.parametrize(
    ("text", "turn", "first", "explicit"),
    [
        ("它有多长？", BRIDGE, "赵州桥有多长？", True),
        ("这座桥有多长", BRIDGE, "赵州桥有多长", True),
        ("什么时候的事", BRIDGE, "赵州桥，什么时候的事", True),
        ("什麼時候修的？", BRIDGE, "赵州桥什麼時候修的？", False),
        ("后来修过吗", BRIDGE, "赵州桥后来修过吗", False),
        ("why is it so strong?", FORTH, "why is Forth Bridge so strong?", True),
        ("What is its length?", FORTH, "What is Forth Bridge's length?", True),
        ("How long did they work?", FORTH, "Forth Bridge: How long did they work?", True),
    ],
)
def test_leaning_on_the_topic(text: str, turn: Turn, first: str, explicit: bool) -> None:
    proposal = propose(text, [turn])
    assert proposal is not None
    assert (proposal.kind, proposal.texts[0], proposal.explicit) == (Kind.LEANING, first, explicit)


@pytest.mark.parametrize(
    "text",
    [
        "那南京长江大桥的公路桥有多长？",
        "石油这个名字是谁取的，毕昇还是沈括？",
        "《天工开物》是谁出钱刊印的？",
        "Who designed the Tower Bridge?",
    ],
)
def test_whole_questions_stand_for_themselves(text: str) -> None:
    assert propose(text, [BRIDGE]) is None


LEANING = Proposal(Kind.LEANING, ("赵州桥有多长",), explicit=False)
POINTING = Proposal(Kind.LEANING, ("赵州桥有多长", "拱桥有多长"))
NOTHING = Found(None, "", 0.0, False)


@pytest.mark.parametrize(
    ("proposal", "plain", "tried", "chosen"),
    [
        # finds more together with the conversation, and comes back to its article
        (LEANING, Found("b", "B", 0.8, True), [Found("a", "A", 0.9, True)], 0),
        # found better by itself
        (LEANING, Found("b", "B", 0.9, True), [Found("a", "A", 0.8, True)], None),
        # leads away from the article under discussion
        (LEANING, Found("b", "B", 0.6, True), [Found("c", "C", 0.9, True)], None),
        # nothing by itself
        (LEANING, Found("b", "B", 0.1, False), [Found("c", "C", 0.9, True)], 0),
        (LEANING, Found("b", "B", 0.1, False), [Found("a", "A", 0.2, False)], None),
        # it points: the conversation is meant, whatever the words find alone
        (POINTING, Found("b", "B", 0.95, True), [Found("a", "A", 0.7, True), NOTHING], 0),
        (POINTING, Found("b", "B", 0.95, True), [NOTHING, Found("a", "A", 0.2, False)], 1),
        (POINTING, Found("a", "A", 0.95, True), [NOTHING, NOTHING], None),
        (Proposal(Kind.MORE), NOTHING, [], None),
    ],
)
def test_decisions(proposal: Proposal, plain: Found, tried: list[Found], chosen: int | None) -> None:
    assert decide(proposal, plain, tried, "a", 0.44) == chosen


def test_something_else_with_an_article_of_its_own_takes_the_place_of_the_topic() -> None:
    other = Proposal(Kind.OTHER, ("灵渠有多长", "运河灵渠有多长"), other="灵渠")
    tried = [Found("lingqu", "灵渠", 0.5, True), Found("suez", "苏伊士运河", 0.95, True)]
    assert decide(other, Found("lingqu", "灵渠的水", 1.0, True), tried, "suez", 0.44) == 0
    assert decide(other, Found("suez", "苏伊士运河", 0.3, False), tried, "suez", 0.44) == 1


def test_no_search_where_the_question_alone_comes_home() -> None:
    assert not needs_trying(LEANING, Found("a", "A", 0.9, True), "a")
    assert needs_trying(LEANING, Found("a", "A", 0.2, False), "a")
    assert needs_trying(POINTING, Found("a", "A", 0.9, True), "a")


@pytest.mark.parametrize(
    ("text", "incomplete"),
    [
        ("什么时候通航的", True),
        ("多长？", True),
        ("它多长", True),
        ("苏伊士运河多长", False),
        ("海外仓", True),
        ("海外仓的建设", False),
        ("bridges?", True),
        ("Forth Bridge", False),
    ],
)
def test_incomplete_questions(text: str, incomplete: bool) -> None:
    assert looks_incomplete(text) is incomplete


@given(st.text(max_size=300))
def test_any_text_can_follow(text: str) -> None:
    proposal = propose(text, [BRIDGE, FORTH])
    assert proposal is None or all(proposal.texts) or proposal.kind is Kind.MORE
    looks_incomplete(text)


@pytest.mark.parametrize(
    "unit",
    ["还有", "那", "讲讲", "是什么", "and ", "what about a ", "第二篇讲", "去年", "1", "it "],
)
def test_repetitions_do_not_run_away(unit: str) -> None:
    """A pattern that backtracks without end would never come back from these."""
    for turn in (BRIDGE, FORTH):
        proposal = propose(unit * 400, [turn])
        assert proposal is None or isinstance(proposal.kind, Kind)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("今天股市怎么样？", "股市怎么样？"),
        ("股市昨天跌了吗", "股市跌了吗"),
        ("去年呢？", "呢？"),
        ("昨天？", "昨天？"),
        ("有多长？", "有多长？"),
        ("How was the market last week?", "How was the market ?"),
    ],
)
def test_the_time_is_taken_out_of_a_question_that_asks_something_else_too(text: str, left: str) -> None:
    assert without_period(text) == left
