"""Metrics by hand, and against ir-measures."""

import ir_measures
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ir_measures import RR, R, nDCG

from retrieval.evaluation.metrics import bootstrap_interval, mean, measure, ndcg, recall, reciprocal_rank

DOCUMENTS = [f"d{number}" for number in range(15)]
JUDGEMENTS = st.dictionaries(st.sampled_from(DOCUMENTS), st.integers(0, 3), max_size=8)
RANKINGS = st.lists(st.sampled_from(DOCUMENTS), unique=True, max_size=15)


def test_by_hand() -> None:
    judged = {"a": 1, "b": 2, "c": 0}
    assert ndcg(["c", "b", "x", "a"], judged) == pytest.approx(
        (2 / 1.584963 + 1 / 2.321928) / (2 + 1 / 1.584963)
    )
    assert recall(["c", "b"], judged, 2) == 0.5
    assert reciprocal_rank(["c", "b"], judged) == 0.5
    assert measure([], judged) == {"ndcg_at_10": 0, "recall_at_1": 0, "recall_at_10": 0, "mrr_at_10": 0}


def test_nothing_relevant_counts_as_zero() -> None:
    assert measure(["a"], {"a": 0}) == {"ndcg_at_10": 0, "recall_at_1": 0, "recall_at_10": 0, "mrr_at_10": 0}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(JUDGEMENTS, RANKINGS), min_size=1, max_size=4))
def test_agrees_with_ir_measures(questions: list[tuple[dict[str, int], list[str]]]) -> None:
    judged = [
        (judgements, ranking) for judgements, ranking in questions if any(judgements.values()) and ranking
    ]
    if not judged:
        return
    qrels = {str(number): judgements for number, (judgements, _) in enumerate(judged)}
    run = {
        str(number): {document: 100.0 - rank for rank, document in enumerate(ranking)}
        for number, (_, ranking) in enumerate(judged)
    }
    reference = ir_measures.calc_aggregate([nDCG @ 10, R @ 1, R @ 10, RR @ 10], qrels, run)
    ours = [measure(ranking, judgements) for judgements, ranking in judged]
    assert mean([row["ndcg_at_10"] for row in ours]) == pytest.approx(reference[nDCG @ 10])
    assert mean([row["recall_at_1"] for row in ours]) == pytest.approx(reference[R @ 1])
    assert mean([row["recall_at_10"] for row in ours]) == pytest.approx(reference[R @ 10])
    assert mean([row["mrr_at_10"] for row in ours]) == pytest.approx(reference[RR @ 10])


def test_bootstrap_interval() -> None:
    values = [0.0, 1.0] * 50
    low, high = bootstrap_interval(values)
    assert (low, high) == bootstrap_interval(values)
    assert 0.38 < low < 0.45
    assert 0.55 < high < 0.62
    assert bootstrap_interval([1.0, 1.0, 1.0]) == (1.0, 1.0)
    assert bootstrap_interval([]) == (0.0, 0.0)
