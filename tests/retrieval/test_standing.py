"""Standing queries: the same matches as asking each question one by one; keyword expressions; categories."""

import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval import Article, Retriever
from retrieval.errors import QueryError
from retrieval.standing import Match, QueryKind, StandingQueries, StandingQuery, parse_expression
from retrieval.standing.evidence import SMALL_PASSAGES
from retrieval.standing.matching import FIRST_HITS
from retrieval.standing.rivalry import FarError, Near
from retrieval.standing.words import ExpressionTable

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def retriever(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Retriever]:
    """The sample articles: half of them first, then the other half."""
    with Retriever.open(tmp_path_factory.mktemp("standing") / "index") as retriever:
        paths = sorted(Path(str(files("bot").joinpath("demo", "articles"))).glob("*.md"))
        retriever.sync(paths[::2])
        yield retriever


def questions() -> list[str]:
    texts = []
    for name in ("demo_questions", "demo_unanswerable"):
        lines = (ROOT / "data" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
        texts += [json.loads(line)["question"] for line in lines if line.strip()]
    return texts


def test_questions_match_as_if_each_was_asked(retriever: Retriever) -> None:
    mark, _ = retriever.arrived_since()
    paths = sorted(Path(str(files("bot").joinpath("demo", "articles"))).glob("*.md"))
    retriever.sync(paths[1::2])
    now, new = retriever.arrived_since(mark)
    assert len(new) == len(paths[1::2])
    assert retriever.arrived_since(now) == (now, [])
    texts = questions()
    queries = StandingQueries(retriever)
    queries.update(StandingQuery(n, QueryKind.QUESTION, text) for n, text in enumerate(texts))
    found = {(match.query, match.article_id, match.score) for match in queries.match(new)}
    expected = set()
    for number, text in enumerate(texts):
        response = retriever.search(text, top_k=FIRST_HITS)
        expected |= {
            (number, hit.article_id, hit.score)
            for hit in response.hits
            if hit.article_id in new and hit.score >= response.threshold
        }
    assert len(expected) > 30
    assert found == expected


def test_words_and_categories(retriever: Retriever) -> None:
    retriever.add(
        [
            Article(
                id="heihe",
                title="黑河口岸",
                text="边境仓5个，俄罗斯海外仓１２个。",
                categories=("金融", "A股"),
            ),
            Article(id="tea", title="無題", text="龍井茶與鐵路。"),
        ]
    )
    wanted = {
        1: ("keywords", "海外仓 黑河"),
        2: ("keywords", "海外仓 -黑河"),
        3: ("keywords", "龙井茶 (公路 | 铁路)"),
        4: ("keywords", "“海外仓12个”"),
        5: ("category", "a股"),
        6: ("category", "体育"),
        7: ("keywords", "(一 个 括号"),
    }
    queries = StandingQueries(retriever)
    queries.update(StandingQuery(n, QueryKind(kind), text) for n, (kind, text) in wanted.items())
    matches = queries.match(["heihe", "tea", "nowhere"])
    assert matches == [Match(1, "heihe"), Match(3, "tea"), Match(4, "heihe"), Match(5, "heihe")]
    queries.update([StandingQuery(1, QueryKind.KEYWORDS, "龙井")])
    assert queries.match(["heihe", "tea"]) == [Match(1, "tea")]
    queries.update([])
    assert queries.match(["heihe", "tea"]) == []


def test_what_came_before_and_what_another_index_had_is_not_new(tmp_path: Path) -> None:
    with Retriever.open(tmp_path / "index") as one:
        one.add([Article(id="a", text="第一篇。"), Article(id="b", text="第二篇。")])
        mark, new = one.arrived_since()
        assert new == []
        one.add([Article(id="c", text="第三篇。"), Article(id="a", text="第一篇，改过。")])
        one.remove(["b"])
        now, new = one.arrived_since(mark)
        assert new == ["c", "a"]
        one.remove(["c", "a"])
        assert one.arrived_since(now) == (now, [])
        one.add([Article(id="d", text="第四篇。")])
        assert one.arrived_since(now)[1] == ["d"]
        assert one.arrived_since("elsewhere/0")[1] == []


def holds(expression: str, text: str) -> bool:
    return parse_expression(expression, str.lower).holds(text.lower().__contains__)


@pytest.mark.parametrize(
    ("expression", "true", "false"),
    [
        ("海外仓 黑河", "黑河的海外仓", "海外仓"),
        ("海外仓 AND 黑河", "黑河的海外仓", "黑河"),
        ("海外仓 | 黑河", "黑河", "哈尔滨"),
        ("海外仓 OR 黑河 口岸", "海外仓", "黑河"),
        ("口岸 -广告", "口岸", "口岸广告"),
        ("口岸 NOT 广告", "口岸", "口岸广告"),
        ("口岸 -(广告 | 招聘)", "口岸", "口岸招聘"),
        ("（口岸｜仓库） 黑河", "黑河仓库", "口岸"),
        ('"the port" open', "The port is open", "port the open"),
        ("GPT-4", "gpt-4 发布", "gpt 发布"),
        ("「四个 协同」", "四个 协同", "四个协同"),
    ],
)
def test_expressions(expression: str, true: str, false: str) -> None:
    assert holds(expression, true)
    assert not holds(expression, false)


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("(口岸", "opened and not closed"),
        ("口岸)", "closed that was not opened"),
        ("口岸 |", "a word is missing beside"),
        ("-广告", "at least one word that has to occur"),
        ("口岸 | -广告", "at least one word that has to occur"),
        ("口岸 NOT", "missing after -"),
        ("“口岸", "quotation mark"),
        ("！！ 口岸", "no word to look for"),
        ("", "a word is missing"),
        ("口" * 201, "at most 200 characters"),
        ("(" * 30 + "口岸" + ")" * 30, "too many parentheses"),
    ],
)
def test_expressions_that_are_none(expression: str, sentence: str) -> None:
    with pytest.raises(QueryError, match=sentence):
        parse_expression(expression, str.lower)


@given(st.text(alphabet='口岸a ()|-"“”「」（）ORNT或\n', max_size=40), st.text(max_size=20))
def test_any_text_is_an_expression_or_is_refused(expression: str, text: str) -> None:
    try:
        parsed = parse_expression(expression, str.lower)
    except QueryError:
        return
    assert isinstance(parsed.holds(text.__contains__), bool)
    assert list(parsed.terms())


def test_questions_that_others_answer_better_are_not_searched_to_the_end(tmp_path: Path) -> None:
    with Retriever.open(tmp_path / "index") as retriever:
        retriever.add(
            Article(id=str(number), text=f"第{number}号灯塔建于{1800 + number}年，守塔人姓{name}。")
            for number, name in enumerate("赵钱孙李周吴郑王冯陈" * 110)
        )
        retriever.add([Article(id="new", text="五号码头的灯塔重新粉刷。")])
        with retriever.reading() as index, index.view() as view:
            assert view.passage_count > SMALL_PASSAGES
            near = Near(view, [retriever.passages("new")[0].id])
            painted, built = (
                retriever.analyzer.query(text) for text in ("码头的灯塔粉刷了吗", "第77号灯塔建于哪一年")
            )
            (vector,) = retriever.encoder.encode_queries(["重新粉刷"])
            assert near.lexical(painted, 20).ids.tolist() == view.lexical(painted, 20).ids.tolist()
            with pytest.raises(FarError):
                near.lexical(built, 20)
            asked: list[str] = []
            begun = near.begin_dense(lambda: asked.append("vector") or vector, 20)  # type: ignore[func-returns-value]
            assert asked == []  # it is not made where all passages are far
            assert begun().ids.tolist() == view.dense(vector, 20).ids.tolist()
            assert asked == ["vector"]
            terms = retriever.analyzer.terms("灯塔粉刷")
            for _ in range(2):
                found = near.document_frequencies(terms)
                assert found.tolist() == view.document_frequencies(terms).tolist()
        queries = StandingQueries(retriever)
        asked = ("重新粉刷的是哪里的灯塔？", "第77号灯塔建于哪一年？", "重新粉刷的是哪里的灯塔？")
        queries.update(StandingQuery(n, QueryKind.QUESTION, text) for n, text in enumerate(asked))
        expected = retriever.search(asked[0]).hits[0]
        assert expected.article_id == "new"
        assert queries.match(["new"]) == [Match(n, "new", expected.score) for n in (0, 2)]


def test_expressions_are_found_by_the_words_they_need() -> None:
    written = {
        1: "海外仓 黑河", 2: "海外仓 | 黑河", 3: "黑河 -海外仓", 4: "(河 | 江) 口岸", 5: "-广告 (仓 | 库)",
        6: "河", 7: '"海外 仓"', 8: "(-广告 | 海外仓) 黑河",
    }  # fmt: skip
    expressions = {number: parse_expression(text, str.lower) for number, text in written.items()}
    table = ExpressionTable(expressions)
    for text in ("黑河的海外仓", "黑河口岸", "海外 仓库", "江边的口岸", "广告：河", "什么也没有", "", "黑"):
        holding = [number for number, each in expressions.items() if each.holds(text.__contains__)]
        assert list(table.holding(text)) == holding
