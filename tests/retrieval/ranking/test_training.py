"""Training on examples made by hand."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from retrieval.evaluation.datasets import Dataset
from retrieval.ranking import training
from retrieval.ranking.calibration import RIVALRY, Calibration
from retrieval.ranking.calibration_training import EVIDENCE, fit_calibration, refusals, small_archives
from retrieval.ranking.examples import Example, folds, gather, group_of
from retrieval.ranking.training import (
    Outcome,
    cross_validated,
    fit_ranking,
    quality,
    scales,
    write_weights,
)
from retrieval.types import Article

from ..encoders import HashEncoder

COLUMNS = ("good", "list:noise")


def example(number: int, *, own: bool = True) -> Example:
    """Five candidates, of which the one with the greatest "good" is relevant."""
    generator = np.random.default_rng(number)
    good = generator.normal(size=5)
    best = int(good.argmax())
    features = {"good": good, "noise": generator.normal(size=5), "lexical": np.arange(5.0, 0.0, -1.0)}
    evidence = np.full(5, 0.9 if own else 0.2) + generator.normal(scale=0.05, size=5)
    names = [name for name in EVIDENCE if name not in RIVALRY]
    features |= {name: 1 - evidence if name == "missed" else evidence for name in names}
    return Example(
        collection="c",
        query=f"a{number // 4}-1-{number}",
        group=f"a{number // 4}",
        features={name: values.astype(np.float32) for name, values in features.items()},
        articles=tuple("vwxyz"),
        relevant=np.arange(5) == best,
        judged={"vwxyz"[best]: 1} if own else {},
    )


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    return [example(number) for number in range(120)]


def test_what_tells_is_learned_and_noise_is_not(examples: list[Example]) -> None:
    weights = fit_ranking(examples, COLUMNS, scales(examples, COLUMNS), penalty=1.0)
    assert weights[0] > 2
    assert abs(weights[1]) < weights[0] / 10


def test_cross_validation_measures_what_was_not_fitted(examples: list[Example]) -> None:
    scores = cross_validated(examples, COLUMNS, penalty=1.0)
    assert quality(examples, scores)["c"]["recall_at_1"] > 0.9
    nothing = [np.zeros(5)] * len(examples)
    assert quality(examples, nothing)["c"]["recall_at_1"] < 0.5


def test_what_is_fitted_to_may_have_other_candidates_but_never_of_the_fold(examples: list[Example]) -> None:
    turned = [replace(e, features={name: -values for name, values in e.features.items()}) for e in examples]
    scores = cross_validated(examples, COLUMNS, fitted=turned, penalty=1.0)
    assert quality(examples, scores)["c"]["recall_at_1"] < 0.1  # what was worst there is right
    one = [t if e.group == "a0" else e for e, t in zip(examples, turned, strict=True)]
    usual, other = (cross_validated(examples, COLUMNS, fitted=each, penalty=1.0) for each in (None, one))
    assert examples[0].group == "a0"
    np.testing.assert_allclose(other[0], usual[0], rtol=1e-3)  # scales differ by rounding


def test_one_group_is_in_one_fold(examples: list[Example]) -> None:
    numbers = folds(examples)
    assert set(numbers.tolist()) == {0, 1, 2, 3, 4}
    for group in {item.group for item in examples}:
        assert (
            len({number for item, number in zip(examples, numbers, strict=True) if item.group == group}) == 1
        )


@pytest.mark.parametrize(
    ("query", "judged", "group"),
    [
        ("TRIAL_800_QUERY_3", {}, "TRIAL_800"),
        ("1147-5-2", {}, "1147"),
        ("91159", {"d": 1}, "d"),
        ("7", {}, "7"),
    ],
)
def test_groups(query: str, judged: dict[str, int], group: str) -> None:
    assert group_of(query, judged) == group


def test_calibration_divides_own_from_foreign(examples: list[Example]) -> None:
    both = [*examples, *(example(number, own=False) for number in range(200, 320))]
    scores = [np.arange(5.0)] * len(both)
    calibration = fit_calibration(both, scores)
    assert refusals(both, scores, calibration)["c"] == {"own": 1.0, "foreign": 0.0}


def test_examples_are_gathered_from_a_data_set() -> None:
    dataset = Dataset(
        name="rivers",
        documents=(
            Article(id="wheat", text="尼罗河每年七月泛滥。"),
            Article(id="rhine", text="莱茵河注入北海。"),
        ),
        queries={"q1": "尼罗河何时泛滥"},
        qrels={"q1": {"wheat": 1}},
        answers={"q1": ("七月",)},
    )
    own, foreign = gather(dataset, encoder=HashEncoder(), foreign={"f1": "莱茵河在哪里"})
    assert own.judged == {"wheat": 1}
    assert own.articles[int(np.flatnonzero(own.relevant)[0])] == "wheat"
    assert foreign.judged == {}
    assert not foreign.relevant.any()
    assert {name.removeprefix("list:") for name in (*training.COLUMNS, *EVIDENCE)} - set(
        RIVALRY
    ) <= own.features.keys()


def test_small_archives_have_questions_of_their_own() -> None:
    documents = tuple(Article(id=f"d{number}", text=f"第{number}篇。") for number in range(12))
    dataset = Dataset(
        name="many",
        documents=documents,
        queries={f"q{number}": f"第{number}篇说什么" for number in range(12)},
        qrels={f"q{number}": {f"d{number}": 1} for number in range(12)},
        answers={"q0": ("第",)},
    )
    foreign = {f"f{number}": "别的" for number in range(9)}
    archives = list(small_archives(dataset, foreign))
    assert {archive.name for archive, _ in archives} == {"many@1", "many@3", "many@10"}
    for archive, others in archives:
        held = {document.id for document in archive.documents}
        assert len(held) == int(archive.name.split("@")[1])
        assert archive.queries
        assert {document for query in archive.queries for document in dataset.qrels[query]} <= held
        assert len(others) >= 3
        assert others.items() <= foreign.items()
    assert [archive.queries for archive, _ in archives] == [
        archive.queries for archive, _ in small_archives(dataset, foreign)
    ]


def test_weights_are_written(tmp_path: Path) -> None:
    write_weights(Outcome({"list:lexical": 1.5}, Calibration({"found": 1.0}, 0.0, 0.4), {}), tmp_path)
    assert json.loads((tmp_path / "model.json").read_text()) == {"ranking": {"list:lexical": 1.5}}
    stored = Calibration.from_mapping(json.loads((tmp_path / "calibration.json").read_text()))
    assert stored == Calibration({"found": 1.0}, 0.0, 0.4)
