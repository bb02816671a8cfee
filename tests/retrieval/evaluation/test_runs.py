"""TREC runs, and two of them compared."""

from pathlib import Path

import ir_measures
import numpy as np
import pytest

from retrieval.errors import EvaluationError
from retrieval.evaluation.comparison import compare, randomization_p
from retrieval.evaluation.runs import read_run, write_run


def test_a_run_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "a.run"
    write_run(path, {"q1": [("d1", 0.9), ("d2", 0.9), ("d3", 0.1)], "q2": []})
    lines = path.read_text().splitlines()
    assert lines[0] == "q1 Q0 d1 1 0.900000000 wenda"
    assert [document for document, _ in read_run(path)["q1"]] == ["d1", "d2", "d3"]


def test_equal_scores_keep_their_order_in_other_tools(tmp_path: Path) -> None:
    path = tmp_path / "a.run"
    write_run(path, {"q1": [("a", 0.5), ("b", 0.5), ("c", 0.5)]})
    run = list(ir_measures.read_trec_run(str(path)))
    assert [item.doc_id for item in sorted(run, key=lambda item: -item.score)] == ["a", "b", "c"]


def test_unreadable_runs_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.run"
    path.write_text("q1 Q0 d1 1 0.5 x\nq1 d1\n")
    with pytest.raises(EvaluationError, match=r"a\.run:2"):
        read_run(path)
    with pytest.raises(EvaluationError, match="cannot be read"):
        read_run(tmp_path / "none.run")


def test_what_got_better_and_what_got_worse() -> None:
    qrels = {"q1": {"a": 1}, "q2": {"a": 1}, "q3": {"a": 1}}
    before = {"q1": [("b", 0.9), ("a", 0.8)], "q2": [("a", 0.9)], "q3": [("a", 0.9)]}
    after = {"q1": [("a", 0.9)], "q2": [("b", 0.9), ("c", 0.8), ("a", 0.7)], "q3": [("a", 0.9)]}
    result = compare(qrels, before, after, metric="mrr_at_10")
    assert [(change.query, change.rank_before, change.rank_after) for change in result.better] == [
        ("q1", 2, 1)
    ]
    assert [(change.query, change.rank_before, change.rank_after) for change in result.worse] == [
        ("q2", 1, 3)
    ]
    assert result.unchanged == 1
    assert result.before == pytest.approx((0.5 + 1 + 1) / 3)
    assert result.after == pytest.approx((1 + 1 / 3 + 1) / 3)


def test_a_run_that_lacks_a_question_gets_nothing_for_it() -> None:
    result = compare({"q1": {"a": 1}}, {"q1": [("a", 0.9)]}, {})
    assert result.after == 0
    assert result.worse[0].rank_after is None


def test_chance() -> None:
    assert randomization_p(np.array([])) == 1.0
    assert randomization_p(np.full(12, 0.1)) < 0.01
    assert randomization_p(np.array([0.1, -0.1, 0.1, -0.1])) == pytest.approx(1.0)
