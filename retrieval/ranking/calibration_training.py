"""How the shipped calibration was made: a logistic regression of "this is a question of the collection's own"
on the evidence for the first passage.

Collections are asked their own questions and foreign ones. Small archives, drawn from the collections, are
asked too: with few articles there is no field of other candidates to stand out from, and every word is rare.
"""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from retrieval.evaluation.datasets import Dataset
from retrieval.evaluation.metrics import mean
from retrieval.ranking.calibration import RIVALRY, Calibration, rivalry
from retrieval.ranking.examples import Example

Floats = NDArray[np.float64]

EVIDENCE: tuple[str, ...] = (
    *("either_1", "either_word", "together_word", "key_1", "key_word", "article_word", "article_rare_2"),
    *("found", "missed", "covered", "covered_rare", "covered_article", "dense"),
    *("subject", "title_word", "titled"),
    *RIVALRY,
)
"""What the calibration is a function of, that about other candidates last."""

LARGE = 500
"""Collections of so many questions decide where the threshold lies."""

_PENALTY = 0.3
_MOST_WEIGHT = 1000.0
_AS_GOOD = 0.001
"""Thresholds that differ less than this in their worst error are as good: the lowest refuses least."""
_ARCHIVES = ((1, 60), (3, 40), (10, 20), (30, 8), (100, 3))
"""Articles of a small archive, and how many such archives are drawn."""

_QUESTIONS_OF_ARCHIVES = 200


def small_archives(
    dataset: Dataset, foreign: dict[str, str], *, seed: int = 0
) -> Iterator[tuple[Dataset, dict[str, str]]]:
    """Archives of a few documents of a data set, each with questions about them and as many foreign ones.

    They are named after the data set and their size; those of one size are one collection.
    """
    generator = random.Random(seed)  # noqa: S311 (a sample, not a secret)
    asked: dict[str, list[str]] = {}
    for query in dataset.queries:
        for document in dataset.qrels[query]:
            asked.setdefault(document, []).append(query)
    for size, archives in _ARCHIVES:
        for _ in range(archives if size < len(dataset.documents) else 0):
            documents = generator.sample(dataset.documents, size)
            own = sorted({query for document in documents for query in asked.get(document.id, ())})
            count = max(3, _QUESTIONS_OF_ARCHIVES // archives)
            own = generator.sample(own, min(count, len(own)))
            others = dict(generator.sample(sorted(foreign.items()), min(count, len(foreign))))
            archive = replace(
                dataset,
                name=f"{dataset.name}@{size}",
                documents=tuple(documents),
                queries={query: dataset.queries[query] for query in own},
            )
            yield archive, others


def fit_calibration(examples: Sequence[Example], scores: Sequence[Floats]) -> Calibration:
    """A calibration from questions put to their own and to foreign collections, given their ranking scores.

    A collection's own questions count together as much as its foreign ones, and no collection more than
    _MOST_WEIGHT of them.
    """
    from scipy.optimize import minimize
    from scipy.special import expit

    values, own, weight = _first_candidates(examples, scores)
    scale = np.maximum(values.std(axis=0), 1e-9)
    scaled = np.column_stack([values / scale, np.ones(len(values))])

    def loss(parameters: Floats) -> tuple[float, Floats]:
        margin = scaled @ parameters
        error = expit(margin) - own
        value = float((weight * (np.logaddexp(0.0, margin) - own * margin)).sum())
        shrunk = np.append(parameters[:-1], 0.0) * _PENALTY
        return value + float(shrunk @ parameters) / 2, scaled.T @ (weight * error) + shrunk

    start = np.zeros(len(EVIDENCE) + 1)
    result = minimize(loss, start, jac=True, method="L-BFGS-B")
    coefficients = dict(zip(EVIDENCE, (result.x[:-1] / scale).round(4).tolist(), strict=True))
    calibration = Calibration(coefficients, round(float(result.x[-1]), 4), 0.5)
    return calibration.with_threshold(_threshold(examples, scores, calibration))


def _first_candidates(
    examples: Sequence[Example], scores: Sequence[Floats]
) -> tuple[Floats, NDArray[np.bool_], Floats]:
    """The evidence for each question's first candidate, whether the question is the collection's own, its
    weight."""
    counts = Counter((example.collection, bool(example.judged)) for example in examples)
    values, own, weight = [], [], []
    for example, ranking in zip(examples, scores, strict=True):
        first = int(np.argmax(ranking))
        known = [float(example.features[name][first]) for name in EVIDENCE if name not in RIVALRY]
        values.append([*known, *(float(part[first]) for part in rivalry(ranking).values())])
        own.append(bool(example.judged))
        together = min(_MOST_WEIGHT, counts[example.collection, True])
        weight.append(together / counts[example.collection, bool(example.judged)])
    return np.array(values), np.array(own), np.array(weight)


def _threshold(examples: Sequence[Example], scores: Sequence[Floats], calibration: Calibration) -> float:
    """The threshold with the least worst error: the share of own questions refused, or of foreign ones
    answered, in whichever of the large collections it is greatest (all, where none is large)."""
    sizes = Counter(example.collection for example in examples if example.judged)
    large = {name for name, size in sizes.items() if size >= LARGE} or set(sizes)
    answers: dict[tuple[str, bool], list[float]] = {}
    for example, ranking in zip(examples, scores, strict=True):
        if example.collection in large:
            key = example.collection, bool(example.judged)
            answers.setdefault(key, []).append(_probability(example, ranking, calibration))
    found = {key: np.array(values) for key, values in answers.items()}

    def worst(threshold: float) -> float:
        return max(
            float((values < threshold).mean() if own else (values >= threshold).mean())
            for (_, own), values in found.items()
        )

    errors = {float(threshold): worst(threshold) for threshold in np.arange(0.2, 0.81, 0.01).round(3)}
    least = min(errors.values())
    return min(threshold for threshold, error in errors.items() if error <= least + _AS_GOOD)


def _probability(example: Example, ranking: Floats, calibration: Calibration) -> float:
    features = {name: values.astype(np.float64) for name, values in example.features.items()}
    return calibration.probability({**features, **rivalry(ranking)}, int(np.argmax(ranking)))


def refusals(
    examples: Sequence[Example], scores: Sequence[Floats], calibration: Calibration
) -> dict[str, dict[str, float]]:
    """For each collection the shares of its own and of the foreign questions that are answered."""
    answered: dict[tuple[str, bool], list[float]] = {}
    for example, ranking in zip(examples, scores, strict=True):
        score = _probability(example, ranking, calibration)
        answered.setdefault((example.collection, bool(example.judged)), []).append(
            score >= calibration.threshold
        )
    return {
        name: {"own": mean(answered.get((name, True), [])), "foreign": mean(answered.get((name, False), []))}
        for name in {name for name, _ in answered}
    }
