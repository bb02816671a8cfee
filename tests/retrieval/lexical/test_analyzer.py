"""Terms of texts and of questions."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from retrieval.errors import SourceError
from retrieval.lexical.analyzer import MAX_QUERY_TERMS, Analyzer

ANALYZER = Analyzer()


def weights(question: str) -> dict[str, float]:
    return {term.text: term.weight for term in ANALYZER.query(question).terms}


def test_kinds_of_terms_are_marked() -> None:
    assert sorted(ANALYZER.terms("黑龙江2021年")) == sorted(
        ["c黑", "c龙", "c江", "c年", "b黑龙", "b龙江", "w黑龙江", "d2021", "n2021"]
    )


def test_terms_repeat_as_often_as_they_occur() -> None:
    terms = ANALYZER.terms("边境仓，边境仓")
    assert terms.count("b边境") == 2
    assert "b仓边" not in terms


def test_both_scripts_have_the_same_terms() -> None:
    assert ANALYZER.terms("這個軟體很好") == ANALYZER.terms("这个软件很好")


def test_no_term_has_a_space() -> None:
    assert all(" " not in term for term in ANALYZER.terms("a b　c\n d\x00e 2021 年 1 月"))


@given(
    st.lists(
        st.text(st.sampled_from("計程車边境仓库の電腦程式電腦 \n\t\u0301\ud83d①ａA1.5万年月日GPT-4。，")),
        max_size=6,
    )
)
@example(["計程車", "", "边境", "1.5万辆\n计程车", "e\u0301", ""])
@example([])
def test_analysing_several_texts_is_analysing_each(texts: list[str]) -> None:
    expected = [(ANALYZER.normalise(text), " ".join(ANALYZER.terms(text))) for text in texts]
    assert ANALYZER.analyse(texts) == expected


@pytest.mark.parametrize("odd", ["%%%", "\0%%%\0", "增长%%%以上", "\0", "", "\r", "用 軟體 寫電腦程式"])
def test_texts_analysed_together_do_not_touch(odd: str, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("量子\n超弦理论\n", encoding="utf-8")
    texts = ["电脑的硬盘很大", odd, "超弦理论与量子计算", odd, "3%%", "%4"]
    for analyzer in (Analyzer(), Analyzer(tmp_path / "words.txt")):
        for some in (texts, texts[:1], texts[1:2], []):
            expected = [(analyzer.normalise(text), " ".join(analyzer.terms(text))) for text in some]
            assert analyzer.analyse(some) == expected


def test_question_words_weigh_nothing() -> None:
    assert weights("请问四个协同是什么？") == weights("四个协同")
    assert "c么" not in weights("利源达的车型拿到了什么认证吗")
    assert weights("How many harbours are there?").keys() == {"lharbour"}


def test_a_question_of_question_words_alone_asks_for_them() -> None:
    assert "b什么" in weights("什么")
    assert weights("who are you").keys() == {"lwho", "lare", "lyou"}


def test_whole_names_weigh_more_than_their_parts() -> None:
    found = weights("GPT-4")
    assert found["lgpt4"] > found["lgpt"] > 0


def test_words_of_two_meanings_are_searched_both_ways() -> None:
    assert 0 < weights("下載影片")["b视频"] < weights("下载视频")["b视频"]
    assert "b影片" in weights("下载视频")


@pytest.mark.parametrize("question", ["", " ", "？！…", "😀😀", "\x00", "()[]{}*+?^$|\\"])
def test_nothing_to_search_gives_no_terms(question: str) -> None:
    assert ANALYZER.query(question).terms == ()


@pytest.mark.parametrize(
    "question",
    [
        "黑龙江自贸区创新跨境集群建设案例" * 250,
        "a-" * 2000,
        "1,111" * 800,
        "(软件 OR 硬件) AND NOT 网络 " * 120,
        "".join(map(chr, range(0x4E00, 0x4E00 + 4000))),
        "é\u0301" * 2000,
    ],
)
def test_long_questions_are_bounded(question: str) -> None:
    assert 0 < len(ANALYZER.query(question).terms) <= MAX_QUERY_TERMS


def test_boolean_operators_are_only_text() -> None:
    assert {"land", "lor"}.isdisjoint(weights("软件 AND 网络 OR 数据"))
    assert "title:软件" not in weights("title:软件^3")


def test_content_is_what_carries_weight() -> None:
    assert ANALYZER.content("请问GPT-4增长6.42%的是什么？") == ("gpt-4", "增长", "6.42%")
    assert ANALYZER.content("什么") == ("什么",)
    assert ANALYZER.examine("下載影片").alternatives == ("视频",)


def test_a_user_dictionary_makes_words(tmp_path: Path) -> None:
    dictionary = tmp_path / "words.txt"
    dictionary.write_text("邊民卡 5 n\n数字联名边民卡\n\n东数 10\n", encoding="utf-8")
    analyzer = Analyzer(dictionary)
    assert "w数字联名边民卡" in analyzer.terms("制发数字联名边民卡")
    assert "w数字联名边民卡" not in ANALYZER.terms("制发数字联名边民卡")
    assert "w东数" in analyzer.terms("东数西算")
    assert analyzer.fingerprint != ANALYZER.fingerprint
    assert Analyzer(dictionary).fingerprint == analyzer.fingerprint


def test_an_unreadable_user_dictionary_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"missing\.txt"):
        Analyzer(tmp_path / "missing.txt")
    broken = tmp_path / "broken.txt"
    broken.write_bytes(b"\xff\xfe\xff")
    with pytest.raises(SourceError, match=r"broken\.txt"):
        Analyzer(broken)


@pytest.mark.parametrize(
    "text", ["電腦軟體的資訊", "奥运的资讯", "资讯", "没有那些词", "矽谷", "", "ＡＢＣ…é", "很多專案和不動產"]
)
def test_the_quick_normal_form_is_that_of_the_whole_analysis(text: str) -> None:
    assert ANALYZER.normalise(text) == ANALYZER.analyse([text])[0][0]


def test_lines_are_normalised_each_for_itself() -> None:
    lines = ["電腦軟體", "", "…", "普通的一行", "硬體"]
    assert ANALYZER.normal_forms(lines) == [ANALYZER.analyse([line])[0][0].text for line in lines]
    assert ANALYZER.normal_forms([]) == []


@given(
    st.lists(
        st.text(st.sampled_from("计程车電腦程式的①ｱﾞé㎡\n \u200b网络软体件A9。"), max_size=12), max_size=6
    )
)
def test_normalising_several_texts_is_normalising_each(texts: list[str]) -> None:
    assert ANALYZER.normalise_all(texts) == [ANALYZER.normalise(text) for text in texts]
