"""The marked sentence and the exact words."""

from datetime import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.answering import Contender, find_all, find_answer, find_best
from retrieval.answering.features import FEATURES
from retrieval.answering.sentences import MAX_SHARE, chances, chances_in_each, choose, load_model
from retrieval.lexical.analyzer import Analyzer
from retrieval.question import understand

ANALYZER = Analyzer()
NOW = datetime(2026, 11, 25)

HARBOUR = (
    "青石港位于海湾北岸，是本省第二大港口。港口始建于1898年，由工程师威廉·哈特设计。"
    "一九三一年的台风毁坏了旧防波堤，因此次年改用花岗岩重建。现有泊位36个，其中万吨级泊位12个，"
    "2020年吞吐量为2,178,400吨。港区设有海事博物馆，馆长是林若水。"
)


def answer(question: str, text: str = HARBOUR) -> tuple[str, str | None]:
    found = find_answer(understand(question, now=NOW), text, ANALYZER)
    assert found.sentence is not None
    assert 0 < found.confidence <= 1
    exact = text[slice(*found.exact)] if found.exact else None
    return text[slice(*found.sentence)], exact


@pytest.mark.parametrize(
    ("question", "inside", "exact"),
    [
        ("青石港始建于哪一年？", "始建于1898年", "1898年"),
        ("青石港是谁设计的？", "威廉·哈特设计", "威廉·哈特"),
        ("為什麼青石港的防波堤要重建？", "台风毁坏", None),
        ("青石港有多少个万吨级泊位", "万吨级泊位12个", "12个"),
        ("2020年的吞吐量是多少吨", "2,178,400吨", "2,178,400吨"),
        ("海事博物馆的馆长是谁", "馆长是林若水", "林若水"),
        ("青石港是本省第几大港口", "第二大港口", "第二大"),
        ("青石港位于哪里", "海湾北岸", "海湾北岸"),
    ],
)
def test_marks_the_sentence_that_answers(question: str, inside: str, exact: str | None) -> None:
    sentence, words = answer(question)
    assert inside in sentence
    assert len(sentence) <= MAX_SHARE * len(HARBOUR)
    assert words == exact


@pytest.mark.parametrize(
    ("question", "text", "exact"),
    [
        ("这种草生长的地区海拔是多少米", "它长在海拔900米至1,900米的地区。花期很长。", "900米至1,900米"),
        ("和约是哪一年签订的", "1713年4月11日双方签订和约。仗打了很久。边界没有变。", "1713年"),
        ("俱乐部任命谁为总教练", "俱乐部任命畢堤·美擔任總教練。球场很大。观众很多。", "畢堤·美"),
        ("她毕业于哪里", "她毕业于北京的一所学院。后来拍了电影。住在天津。", None),
    ],
)
def test_exact_words_begin_and_end_where_the_answer_does(question: str, text: str, exact: str | None) -> None:
    assert answer(question, text)[1] == exact


def test_the_marks_are_in_the_script_of_the_text() -> None:
    text = "計程車在臺北很多。捷運於1996年通車。隨身碟是1999年發明的。"
    sentence, exact = answer("地铁哪一年通车", text)
    assert "捷運於1996年通車" in sentence
    assert exact == "1996年"


def test_the_title_names_the_subject() -> None:
    text = "港口由哈特设计。防波堤用花岗岩砌成。青石港的名字来自岸边的青石。"
    question = understand("青石港的防波堤用什么砌成", now=NOW)
    found = find_answer(question, text, ANALYZER, title="青石港")
    assert found.sentence is not None
    assert "花岗岩" in text[slice(*found.sentence)]


def test_the_passage_whose_sentence_answers_stands_for_the_article() -> None:
    introduction = "青石港位于海湾北岸。青石港是本省第二大港口，青石港的货运很多。"
    details = "现有泊位36个。2020年吞吐量为2,178,400吨。"
    question = understand("青石港2020年的吞吐量是多少吨", now=NOW)
    contenders = [Contender(introduction), Contender(details, behind=1.0, opening=False)]
    place, found = find_best(question, contenders, ANALYZER, title="青石港")
    assert place == 1
    assert found.sentence is not None
    assert "2,178,400吨" in details[slice(*found.sentence)]
    far = [Contender(introduction), Contender("今天很冷。", behind=8.0, opening=False)]
    assert find_best(question, far, ANALYZER, title="青石港")[0] == 0


def test_articles_do_not_influence_each_other() -> None:
    question = understand("青石港2020年的吞吐量是多少吨", now=NOW)
    harbour = [
        Contender("青石港位于海湾北岸。港口由哈特设计。"),
        Contender("现有泊位36个。2020年吞吐量为2,178,400吨。", behind=1.0, opening=False),
    ]
    articles = [harbour, [Contender("")], [Contender("白沙港2020年的吞吐量是多少？1,200吨。")], harbour[:1]]
    titles = ["青石港", "", "白沙港", "青石港"]
    together = find_all(question, articles, titles, ANALYZER)
    alone = [find_best(question, a, ANALYZER, title=t) for a, t in zip(articles, titles, strict=True)]
    for (place, found, normal), (expected_place, expected), own in zip(
        together, alone, articles, strict=True
    ):
        assert (place, found.sentence, found.exact) == (expected_place, expected.sentence, expected.exact)
        assert found.confidence == pytest.approx(expected.confidence)
        assert normal == ANALYZER.normalise(own[place].text)
    assert [found.place for found in together] == [1, 0, 0, 0]
    assert together[1][1].sentence is None
    assert find_all(question, [], [], ANALYZER) == []


def test_a_passage_without_text_is_not_chosen() -> None:
    contenders = [Contender(""), Contender("馆长是林若水。", behind=2.0, opening=False)]
    place, found = find_best(understand("馆长是谁", now=NOW), contenders, ANALYZER)
    assert (place, found.sentence) == (1, (0, 7))
    assert find_best(understand("馆长是谁", now=NOW), [Contender(" ")], ANALYZER)[1].sentence is None


def test_headings_do_not_answer_but_what_follows_does() -> None:
    text = "新闻链接\n四个协同是什么？\n■目标协同 建立常态化工作机制。\n■规划协同 统筹编制发展规划。"
    assert "目标协同" in answer("四个协同是什么", text)[0]


@pytest.mark.parametrize("text", ["", " \n\n "])
def test_a_text_without_words_has_no_answer(text: str) -> None:
    found = find_answer(understand("谁", now=NOW), text, ANALYZER)
    assert (found.sentence, found.exact, found.confidence) == (None, None, 0.0)


@pytest.mark.parametrize("question", ["", "？", "😀", "a" * 4000, "谁" * 500, "(软件 OR 硬件)"])
def test_any_question_marks_something(question: str) -> None:
    assert answer(question)[0]


@settings(max_examples=60)
@given(
    st.text(max_size=30),
    st.text(alphabet=st.one_of(st.sampled_from("。！？\n，一二3年人·"), st.characters()), max_size=150),
)
def test_spans_lie_in_the_text(question: str, text: str) -> None:
    found = find_answer(understand(question, now=NOW), text, ANALYZER)
    if found.sentence is None:
        return
    start, end = found.sentence
    assert 0 <= start < end <= len(text)
    if found.exact is not None:
        assert start <= found.exact[0] < found.exact[1] <= end


def test_two_sentences_where_the_second_is_likely_too() -> None:
    spans = [(0, 10), (10, 20), (20, 60)]
    assert choose([0.1, 0.8, 0.1], spans, 60, 0.3) == ((10, 20), 0.8)
    assert choose([0.4, 0.5, 0.1], spans, 60, 0.3) == ((0, 20), pytest.approx(0.9))
    assert choose([0.0, 0.5, 0.5], spans, 600, 0.3)[0] == (10, 60)
    assert choose([1.0], spans[:1], 10, 0.0) == ((0, 10), 1.0)


def test_each_article_has_chances_of_its_own() -> None:
    scores = np.array([1.0, 3.0, -2.0, 0.5, 0.5, 40.0])
    together = chances_in_each(scores, np.array([0, 3, 5]), np.array([0, 0, 0, 1, 1, 2]))
    expected = [chances(scores[:3]), chances(scores[3:5]), chances(scores[5:])]
    np.testing.assert_allclose(together, np.concatenate(expected))
    assert together[3:].tolist() == [0.5, 0.5, 1.0]


def test_the_shipped_model_knows_the_features() -> None:
    model = load_model()
    assert model.weights.shape == (len(FEATURES),)
    assert np.isfinite(model.weights).all()
    assert 0 < model.second < 1
