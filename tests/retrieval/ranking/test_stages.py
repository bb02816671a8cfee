"""Fusion, weights, features, calibration and grouping, each by hand."""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.backend import PassageRecord
from retrieval.errors import IndexDamagedError
from retrieval.ranking.background import FLOOR, load_background
from retrieval.ranking.calibrating import fitted_threshold, foreign_questions
from retrieval.ranking.calibration import RIVALRY, Calibration, default_calibration, rivalry
from retrieval.ranking.calibration_training import EVIDENCE
from retrieval.ranking.features import Batch, extract
from retrieval.ranking.fusion import fuse
from retrieval.ranking.grouping import (
    Group,
    fold_duplicates,
    group_by_article,
    near_identical,
    point_out_newer,
)
from retrieval.ranking.matching import Grams
from retrieval.ranking.model import LinearModel, load_model, matrix
from retrieval.ranking.pipeline import Ranked
from retrieval.ranking.similarity import signature
from retrieval.ranking.training import COLUMNS
from retrieval.ranking.weighting import GramWeights, weigh

QUESTION = Grams(["黑河", "海外仓"], ["黑河", "海外仓"])


def weights_of(grams: Grams) -> GramWeights:
    return weigh(grams, lambda terms: np.array([3] * len(terms)), 100, load_background())


def batch(
    texts: Sequence[str], titles: Sequence[str] | None = None, articles: Sequence[int] | None = None
) -> Batch:
    count = len(texts)
    return Batch(
        texts=texts,
        titles=titles or [""] * count,
        articles=np.array(articles if articles is not None else range(count)),
        ordinals=[0] * count,
        lexical=np.arange(count, 0.0, -1.0),
        dense=np.full(count, np.nan),
    )


def test_fusion_keeps_the_size_of_scores() -> None:
    fused = fuse(np.array([10.0, 5.0, np.nan]), np.array([0.2, 0.2, 0.6]), share=0.5)
    assert fused.tolist() == pytest.approx([0.6, 0.35, 0.3])
    assert fuse(np.array([np.nan, np.nan]), np.array([0.2, 0.6])).tolist() == [0.2, 0.6]


def test_common_words_weigh_little_in_a_tiny_index() -> None:
    background = load_background()
    assert background.rate("的") > 0.5
    assert background.rate("龘龘") == FLOOR
    grams = Grams(["记者", "凼"])
    weights = weigh(grams, lambda terms: np.array([1] * len(terms)), 5, background)
    assert weights.levels[0][2] > 3 * weights.levels[0][1]
    assert weights.total == pytest.approx(weights.levels[0].sum())


def test_coverage_features() -> None:
    features = extract(
        QUESTION, weights_of(QUESTION), batch(["黑河有海外仓。", "黑河。很远。有海外仓。", "上海"])
    )
    assert features["passage_word"].tolist() == pytest.approx([1, 1, 0])
    assert features["sentence_word"][0] == pytest.approx(1)
    assert features["sentence_word"][1] < 0.8
    assert features["window_word"][1] < 1
    assert features["missed"][0] == pytest.approx(0)
    assert features["found"][2] == 0


def test_a_pair_of_sentences_never_spans_two_passages() -> None:
    features = extract(QUESTION, weights_of(QUESTION), batch(["很远。黑河", "海外仓。很远"]))
    assert features["window_word"].max() < 1


def test_titles_and_articles_count() -> None:
    two = extract(
        QUESTION,
        weights_of(QUESTION),
        batch(["建成海外仓。", "黑河很远。"], ["黑河", "黑河"], articles=[0, 0]),
    )
    assert two["together_word"][0] == pytest.approx(1)
    assert two["article_word"].tolist() == pytest.approx([1, 1])
    assert two["page_size"].tolist() == pytest.approx([np.log(3)] * 2)


def test_every_column_and_piece_of_evidence_is_a_feature() -> None:
    features = extract(QUESTION, weights_of(QUESTION), batch(["黑河"]))
    assert {name.removeprefix("list:") for name in (*COLUMNS, *EVIDENCE)} - set(RIVALRY) <= features.keys()
    assert set(load_model().columns) == set(COLUMNS)
    assert set(default_calibration().coefficients) <= set(EVIDENCE)
    short = extract(Grams(["河"], ["河"]), weights_of(Grams(["河"], ["河"])), batch(["黑河"]))
    assert short.keys() == features.keys()


def test_what_is_explained_does_not_depend_on_how_words_are_cut() -> None:
    grams = Grams(["海外仓建", "gpt-4"], ["仓建"])
    features = extract(grams, weights_of(grams), batch(["海外仓多。", "有GPT-4。".lower(), "海与外"]))
    weights = dict(zip("海外仓建", weights_of(grams).levels[0].tolist(), strict=False))
    whole = weights_of(grams).levels[0].sum()
    assert features["covered"][0] == pytest.approx((weights["海"] + weights["外"] + weights["仓"]) / whole)
    assert features["covered"][1] == pytest.approx(1 - sum(weights.values()) / whole)
    assert features["covered"][2] == 0
    together = extract(grams, weights_of(grams), batch(["海外仓", "gpt-4"], articles=[0, 0]))
    assert together["covered_article"].tolist() == pytest.approx([1 - weights["建"] / whole] * 2)


def test_a_field_of_candidates_begins_after_the_first_ten() -> None:
    assert rivalry(np.arange(10.0))["rivals"].tolist() == [0.0] * 10
    assert rivalry(np.arange(10.0))["lead"].tolist() == [0.0] * 10
    found = rivalry(np.arange(12.0))
    assert found["rivals"].tolist() == [1.0] * 12
    assert found["lead"][11] == pytest.approx(11 - 0.5)


def test_columns_are_standardised_within_the_list() -> None:
    features = {"a": np.array([1.0, 2.0, 3.0]), "b": np.array([5.0, 5.0, 5.0])}
    values = matrix(features, ("list:a", "a", "list:b"))
    assert values[:, 0].tolist() == pytest.approx([-1.224745, 0, 1.224745])
    assert values[:, 1].tolist() == [1, 2, 3]
    assert values[:, 2].tolist() == [0, 0, 0]
    model = LinearModel(("a", "list:a"), np.array([2.0, 1.0]))
    assert model.scores(features)[1] == pytest.approx(4)
    assert sum(part[0] for part in model.parts(features).values()) == pytest.approx(model.scores(features)[0])


def test_calibration() -> None:
    calibration = Calibration({"a": 2.0}, -1.0, 0.5)
    features = {"a": np.array([0.5, 1.0])}
    assert calibration.probability(features, 0) == pytest.approx(0.5)
    scores = calibration.scores(features, np.array([1.0, 3.0]))
    assert scores[1] == pytest.approx(1 / (1 + np.exp(-1)))
    assert scores[0] == pytest.approx(scores[1] * np.exp(-1))
    assert Calibration.from_mapping(calibration.to_mapping()) == calibration


@pytest.mark.parametrize(
    "data", [{}, {"coefficients": 1}, {"coefficients": {}, "intercept": "x", "threshold": 0}]
)
def test_a_damaged_calibration_is_told(data: dict[str, object]) -> None:
    with pytest.raises(IndexDamagedError, match="calibrate"):
        Calibration.from_mapping(data)


def test_fitted_thresholds_lie_between_own_and_foreign() -> None:
    own, foreign = np.full(100, 0.9), np.linspace(0, 0.6, 101)
    assert fitted_threshold(own, foreign, 0.5) == pytest.approx(0.57)
    assert fitted_threshold(own, np.zeros(10), 0.5) == pytest.approx(0.375)
    assert fitted_threshold(np.full(10, 0.1), foreign, 0.5) == pytest.approx(0.375)


def test_foreign_questions_are_many_and_distinct() -> None:
    questions = foreign_questions()
    assert len(questions) == len(set(questions)) >= 90
    assert all(question.strip() for question in questions)


def ranked(article: str, text: str, score: float = 0.5, **fields: object) -> Ranked:
    record = PassageRecord(
        id=ord(article),
        article_id=article,
        ordinal=0,
        text=text,
        heading="",
        title="口岸",
        passages_in_article=1,
        url=None,
        author=None,
        source=None,
        published_at=None,
        categories=(),
        tags=(),
        image=None,
        language=None,
        path=None,
        signature=signature(text),
    )
    record = record._replace(**fields)  # type: ignore[arg-type]
    return Ranked(record=record, score=score, dense_score=None, lexical_score=None)


LONG = "黑河口岸建成边境仓五个，海外仓十二个，分布在俄罗斯远东地区，口岸负责人昨天在发布会上介绍了这一情况。"


def test_one_hit_an_article() -> None:
    groups = group_by_article([ranked("a", "一"), ranked("b", "二"), ranked("a", "三")])
    assert [(group.best.record.article_id, group.best.record.text) for group in groups] == [
        ("a", "一"),
        ("b", "二"),
    ]


def test_copies_are_folded_but_not_reports_with_other_figures() -> None:
    copies = [Group(ranked("a", LONG)), Group(ranked("b", LONG + "完")), Group(ranked("c", "别的" * 30))]
    folded = fold_duplicates(copies)
    assert [(group.best.record.article_id, group.duplicates) for group in folded] == [("a", ["b"]), ("c", [])]
    other = LONG.replace("五个", "5个"), LONG.replace("五个", "7个")
    assert len(fold_duplicates([Group(ranked("a", other[0])), Group(ranked("b", other[1]))])) == 2
    unknown = [Group(ranked(name, LONG, signature=None)) for name in "ab"]
    assert len(fold_duplicates(unknown)) == 2


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), max_size=60))
def test_folding_compares_each_article_with_the_first_ones_that_were_kept(
    drawn: list[tuple[int, int]],
) -> None:
    """Whatever is alike: each goes to the first of the first 20 kept that is near-identical to it."""
    groups = [
        Group(ranked(chr(0x4E00 + number), LONG + "甲乙丙丁"[text] * 9, signature=(1 << 4 * bits) - 1))
        for number, (bits, text) in enumerate(drawn)
    ]
    kept: list[Group] = []
    duplicates: dict[str, list[str]] = {}
    for group in groups:
        own = group.best.record.article_id
        first = next((other for other in kept[:20] if near_identical(other.best, group.best)), None)
        if first is None:
            kept.append(group)
            duplicates[own] = []
        else:
            duplicates[first.best.record.article_id].append(own)
    assert {group.best.record.article_id: group.duplicates for group in fold_duplicates(groups)} == duplicates


def test_longer_n_grams_weigh_as_their_rarest_pair_and_a_quarter_of_the_others() -> None:
    grams = Grams(["海外仓储", "仓储"], ["海外仓"])
    counts = {"c海": 5, "c外": 40, "c仓": 2, "c储": 9, "b海外": 4, "b外仓": 1, "b仓储": 2}
    weights = weigh(grams, lambda terms: np.array([counts[t] for t in terms]), 100, load_background())
    single = dict(zip(grams.levels[0], weights.levels[0].tolist(), strict=True))
    pair = dict(zip(grams.levels[1], weights.levels[1].tolist(), strict=True))
    assert grams.levels[2] == [("海", "外", "仓"), ("外", "仓", "储")]
    first, second, third = pair["海", "外"], pair["外", "仓"], pair["仓", "储"]
    assert weights.levels[2].tolist() == pytest.approx([
        max(first, second) + 0.25 * min(first, second), max(second, third) + 0.25 * min(second, third),
    ])  # fmt: skip
    three = first + second + third
    assert weights.levels[3].tolist() == pytest.approx([second + 0.25 * (three - second)])
    assert second > max(first, third)
    assert weights.mass[3].tolist() == pytest.approx([sum(single.values())])
    of_pairs = [sum(single[symbol,] for symbol in gram) for gram in grams.levels[1]]
    assert weights.mass[1].tolist() == pytest.approx(of_pairs)
    assert weights.words.tolist() == pytest.approx([weights.levels[2][0]])
    assert weights.total == pytest.approx(weights.mass[3][0] + single["仓",] + single["储",])


def test_newer_articles_are_pointed_out() -> None:
    dates = [datetime(2021, month, 1, tzinfo=UTC) for month in (1, 3, 2)]
    groups = [Group(ranked(name, LONG, published_at=date)) for name, date in zip("abc", dates, strict=True)]
    groups.append(Group(ranked("d", LONG)))
    point_out_newer(groups, groups)
    assert [group.newer for group in groups] == ["b", None, "b", None]
