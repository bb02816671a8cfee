"""One question from words to response, on a small index."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import numpy as np
import pytest
from numpy.typing import NDArray

from retrieval import Article, Filters, Retriever
from retrieval.errors import QueryError
from retrieval.ranking.stages import Stages
from retrieval.searching import merge_filters

Open = Callable[..., Retriever]

PORT = "黑河口岸建成边境仓五个，海外仓十二个，分布在俄罗斯远东地区。口岸负责人昨天在发布会上介绍了这一情况。"
CARS = "利源达的越野车型拿到了欧亚经济联盟的认证，首批车辆发往布拉戈维申斯克。\n公司去年的产量是三千辆。"
WHEAT = "尼罗河每年七月泛滥，带来淤泥，埃及人靠它种小麦。河水退去以后，农民开始播种。"


@pytest.fixture
def archive(open_index: Open) -> Retriever:
    retriever = open_index()
    day = datetime(2021, 7, 1, 8, tzinfo=UTC)
    retriever.add(
        [
            Article(id="port", title="黑河口岸的仓库", text=PORT, published_at=day, categories=("口岸",)),
            Article(id="copy", title="黑河口岸的仓库", text="来源：某网。" + PORT, published_at=day),
            Article(id="cars", title="利源达", text=CARS, published_at=day.replace(year=2019)),
            Article(id="wheat", title="尼罗河", text=WHEAT),
        ]
    )
    return retriever


def ids(retriever: Retriever, question: str, **options: object) -> list[str]:
    return [hit.article_id for hit in retriever.search(question, **options).hits]  # type: ignore[arg-type]


def test_the_answer_comes_first(archive: Retriever) -> None:
    response = archive.search("黑河建了多少个海外仓？")
    first = response.hits[0]
    assert response.answered
    assert first.article_id in {"port", "copy"}
    assert first.score >= response.threshold
    assert first.answer is not None
    assert "海外仓十二个" in first.text[slice(*first.answer)]
    assert "海外仓" in {first.text[slice(*span)] for span in first.highlights}


def test_scores_never_rise_with_rank(archive: Retriever) -> None:
    scores = [hit.score for hit in archive.search("黑河的仓库", top_k=10, group=False).hits]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


def test_near_identical_articles_are_one_hit(archive: Retriever) -> None:
    folded = archive.search("黑河建了多少个海外仓？")
    assert set(folded.hits[0].duplicates) | {folded.hits[0].article_id} == {"port", "copy"}
    single = archive.search("黑河建了多少个海外仓？", fold_duplicates=False)
    assert single.hits[0].duplicates == ()
    assert single.total == folded.total + 1


def test_paging(archive: Retriever) -> None:
    whole = ids(archive, "黑河的仓库和尼罗河的小麦", top_k=10)
    pages = [
        ids(archive, "黑河的仓库和尼罗河的小麦", top_k=1, offset=offset) for offset in range(len(whole) + 1)
    ]
    assert [page[0] for page in pages[:-1]] == whole
    assert pages[-1] == []


def test_similarities_are_those_of_the_stored_vectors(archive: Retriever) -> None:
    question = "黑河的仓库和尼罗河的小麦"
    (vector,) = archive.encoder.encode_queries([question])
    found = archive.search(question, top_k=10, group=False)
    with archive.reading() as index, index.view() as view:
        stored = view.vectors([hit.passage_id for hit in found.hits]) @ vector
    assert len(found.hits) > 2
    assert [hit.dense_score for hit in found.hits] == pytest.approx(stored.tolist(), abs=2e-3)


def test_nothing_is_near_a_question_without_words(archive: Retriever) -> None:
    assert not archive.encoder.encode_queries(["？"]).any()
    assert archive.search("？", mode="dense").hits == ()
    assert all(hit.dense_score is None for hit in archive.search("？").hits)


def test_far_pages_are_full_where_articles_have_several_passages(open_index: Open) -> None:
    retriever = open_index()
    part = "灯塔的守塔人在第{}号海岛上记下潮水与风向，也记下来往的船只，天天如此，直到灯光改为自动。"
    retriever.add(
        Article(id=f"{number}", text="\n".join(part.format(number * 10 + n) * 7 for n in range(2)))
        for number in range(90)
    )
    assert len(retriever.passages("7")) == 2
    found = retriever.search("灯塔的守塔人记下什么？", top_k=20, offset=50, fold_duplicates=False)
    assert len(found.hits) == 20
    assert found.total >= 70


def test_nothing_to_do_with_the_archive_is_not_answered(archive: Retriever) -> None:
    assert not archive.search("怎样训练小狗坐下").answered
    assert not archive.search("How do I bake sourdough bread?").answered


def test_a_threshold_of_ones_own(archive: Retriever) -> None:
    response = archive.search("怎样训练小狗坐下", score_threshold=0.0)
    assert response.answered == bool(response.hits)
    assert response.threshold == 0.0
    assert not archive.search("黑河建了多少个海外仓？", score_threshold=1.0).answered


@pytest.mark.parametrize("mode", ["hybrid", "dense", "lexical"])
def test_modes(archive: Retriever, mode: str) -> None:
    first = archive.search("尼罗河什么时候泛滥", mode=mode).hits[0]
    assert first.article_id == "wheat"
    assert (first.dense_score is None) == (mode == "lexical")
    assert (first.lexical_score is None) == (mode == "dense")
    assert 0 <= first.score <= 1


@pytest.mark.parametrize("stage", ["lexical", "dense", "reranking", "choice", "cross_encoder", "answers"])
def test_every_stage_can_be_switched_off(archive: Retriever, stage: str) -> None:
    response = archive.search("尼罗河什么时候泛滥", stages=Stages().without(stage))
    assert response.hits[0].article_id == "wheat"
    if stage == "answers":
        assert response.hits[0].answer is None


class ShortestFirst:
    """A reranker that likes short passages, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def score(self, query: str, passages: Sequence[str]) -> NDArray[np.float32]:
        self.asked.append(query)
        return np.array([-len(passage) for passage in passages], dtype=np.float32)


def test_a_cross_encoder_has_the_last_word(open_index: Open) -> None:
    judge = ShortestFirst()
    retriever = open_index(cross_encoder=judge)
    texts = ["黑河的边境仓有五个，都在江边，冬天也开放。", "黑河很远。", "边境上的仓库货物很多。"]
    retriever.add(Article(id=f"a{number}", text=text) for number, text in enumerate(texts))
    found = retriever.search("黑河的边境仓有几个")
    assert [hit.article_id for hit in found.hits] == ["a1", "a2", "a0"]
    assert judge.asked == ["黑河的边境仓有几个"]
    plain = retriever.search("黑河的边境仓有几个", stages=Stages().without("cross_encoder"))
    assert plain.hits[0].article_id == "a0"
    assert len(judge.asked) == 1


def test_explanations(archive: Retriever) -> None:
    explanation = archive.search("尼罗河什么时候泛滥", explain=True).hits[0].explanation
    assert explanation is not None
    assert {"fusion", "learned", "final", "list:lexical"} <= explanation.keys()
    assert archive.search("尼罗河什么时候泛滥").hits[0].explanation is None


def test_filters_hold_for_every_hit(archive: Retriever) -> None:
    assert ids(archive, "黑河口岸的仓库", filters=Filters(categories=("口岸",))) == ["port"]
    assert ids(archive, "认证", filters=Filters(before="2020-01-01")) == ["cars"]


def test_recent_articles_first_if_asked(archive: Retriever) -> None:
    now = datetime(2021, 7, 2, tzinfo=UTC)
    plain = archive.search("利源达的认证", now=now).hits[0]
    aged = archive.search("利源达的认证", now=now, recency_days=365.0)
    assert plain.article_id == "cars"
    old = next(hit for hit in aged.hits if hit.article_id == "cars")
    assert old.score == pytest.approx(plain.score / 4, rel=0.01)


def test_a_newer_article_on_the_same_matter(open_index: Open) -> None:
    retriever = open_index()
    dates = [datetime(2021, month, 1, tzinfo=UTC) for month in (3, 6)]
    texts = [
        "口岸三月的货运量是一万吨，比上月增加。",
        "口岸六月的货运量是两万吨，仓库已经装满，铁路加开了班列。",
    ]
    retriever.add(
        Article(id=f"m{date.month}", title="口岸货运量", text=text, published_at=date)
        for date, text in zip(dates, texts, strict=True)
    )
    hits = {hit.article_id: hit for hit in retriever.search("口岸三月的货运量是多少", understand=False).hits}
    assert hits["m3"].newer == "m6"
    assert hits["m6"].newer is None


ODD = [
    "",
    " ",
    "河",
    "😀😀",
    "？？？",
    "的",
    "什么",
    ".*(?:a|b)+[",
    "AND OR NOT (+黑河 -口岸)",
    "title:黑河^3~",
    "\x00\ud800",
    "a" * 5000,
]


@pytest.mark.parametrize("question", ODD)
def test_odd_questions(archive: Retriever, question: str) -> None:
    response = archive.search(question)
    assert response.query == question
    assert all(0 <= hit.score <= 1 for hit in response.hits)


def test_a_very_long_question_finds_what_it_begins_with(archive: Retriever) -> None:
    assert ids(archive, "利源达的越野车型拿到了什么认证" + "，这个问题很长" * 570)[0] == "cars"


def test_an_empty_index_answers_nothing(open_index: Open) -> None:
    response = open_index().search("黑河")
    assert (response.answered, response.hits, response.total) == (False, (), 0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"top_k": 0}, "top_k must be at least 1"),
        ({"offset": -1}, "offset must not be negative"),
        ({"score_threshold": 1.5}, "between 0 and 1"),
        ({"recency_days": 0.0}, "greater than 0"),
        ({"mode": "magic"}, "no mode 'magic'"),
    ],
)
def test_invalid_arguments(archive: Retriever, options: dict[str, object], message: str) -> None:
    with pytest.raises(QueryError, match=message):
        archive.search("黑河", **options)  # type: ignore[arg-type]


def test_an_unknown_stage() -> None:
    with pytest.raises(QueryError, match="no stage 'magic'"):
        Stages().without("magic")


def test_given_filters_count_before_understood_ones() -> None:
    given = Filters(after="2021-01-01", sources=("甲",))
    understood = Filters(after="2020-01-01", before="2020-12-31", sources=("乙",))
    assert merge_filters(given, understood) == Filters(
        after="2021-01-01", before="2020-12-31", sources=("甲",)
    )
    assert merge_filters(None, understood) is understood
    assert merge_filters(given, None) is given
