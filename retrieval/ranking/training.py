"""How the shipped weights were made: `python -m retrieval train-ranking DATASET...`.

The ranking is a conditional logit: within each question's candidates, softmax over a linear score, and the
log probability of the relevant articles (by whichever of their passages) is raised, with an L2 penalty.
Cross-validation keeps all questions about one article in one fold. For the calibration see
calibration_training.
"""

import json
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from retrieval.evaluation.datasets import Dataset
from retrieval.evaluation.metrics import mean, measure
from retrieval.ranking.calibration import Calibration
from retrieval.ranking.calibration_training import LARGE, fit_calibration, refusals, small_archives
from retrieval.ranking.examples import Example, candidate_matrix, folds, gather

if TYPE_CHECKING:
    from embeddings.encoder import Encoder

Floats = NDArray[np.float64]

_LIST = ("frequency", "passage", "rare", "sentence", "window", "title", "either")
_ARTICLE = ("article", "article_rare", "article_frequency")

COLUMNS: tuple[str, ...] = (
    *(
        "list:lexical",
        "list:dense",
        "list:substring",
        "list:title_substring",
        "list:page_best",
        "list:page_mean",
    ),
    *(f"list:{name}_{level}" for name in _LIST for level in ("1", "2", "3", "4", "word")),
    *(f"list:{name}_{level}" for name in _ARTICLE for level in ("1", "2", "3", "word")),
    "list:key_word",
    *("length", "titled", "titled_length", "titled_short", "titled_sentences", "titled_asks", "title_length"),
    "page_size",
)
"""What the ranking is a linear function of."""

FITTED_DEPTH = 160
"""The ranking is fitted to more candidates of each question than are examined when one is asked. Fitted to
those alone it leans on titles: both rank the evaluation sets alike, but questions in other words than the
title's worse."""

PENALTY = 5.0
_TRAINED_CANDIDATES = 30
FOREIGN = 1000
_SMALL_SET_WEIGHT = 5.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """Fitted weights of the ranking's columns, the calibration, and what cross-validation says of both."""

    weights: Mapping[str, float]
    calibration: Calibration
    report: Mapping[str, Any]


def train(
    datasets: Sequence[Dataset],
    *,
    encoder: "str | Encoder | None" = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Outcome:
    """Fit on all data sets; each one's questions also serve the others as foreign ones, about FOREIGN each.

    Sets without known answers are search queries, sparsely judged: whether such a question is answered says
    little, so the calibration leaves them out.
    """
    examples: list[Example] = []
    deep: list[Example] = []
    judged: set[str] = set()
    for dataset in datasets:
        foreign = _foreign(dataset, datasets)
        report = partial(progress, dataset.name) if progress else None
        examples += gather(dataset, encoder=encoder, foreign=foreign, progress=report)
        deep += gather(dataset, encoder=encoder, depth=FITTED_DEPTH)
        if dataset.answers:
            judged.add(dataset.name)
        if dataset.answers and len(dataset.queries) >= LARGE:
            for archive, others in small_archives(dataset, foreign):
                judged.add(archive.name)
                examples += gather(archive, encoder=encoder, foreign=others)
    return fit(examples, judged, deep)


def fit(examples: Sequence[Example], judged: Set[str], deep: Sequence[Example]) -> Outcome:
    """Fit the ranking on the collections as a whole (`deep` has more candidates of the same questions), the
    calibration on those that are `judged` completely.

    The report has quality and refusals by cross-validation.
    """
    own = [example for example in examples if example.judged and "@" not in example.collection]
    held_out = cross_validated(own, COLUMNS, fitted=deep)
    weights = fit_ranking(deep, COLUMNS, scales(deep, COLUMNS))
    by_query = {(e.collection, e.query): scores for e, scores in zip(own, held_out, strict=True)}
    usual = [
        (e, by_query.get((e.collection, e.query), candidate_matrix(e, COLUMNS) @ weights))
        for e in examples
        if e.collection in judged
    ]
    numbers = folds([example for example, _ in usual])
    refused: dict[str, list[dict[str, float]]] = {}
    for held in np.unique(numbers):
        trained = [pair for pair, number in zip(usual, numbers, strict=True) if number != held]
        tested = [pair for pair, number in zip(usual, numbers, strict=True) if number == held]
        calibration = fit_calibration([e for e, _ in trained], [s for _, s in trained])
        shares = refusals([e for e, _ in tested], [s for _, s in tested], calibration)
        for name, row in shares.items():
            refused.setdefault(name, []).append(row)
    return Outcome(
        dict(zip(COLUMNS, weights.round(5).tolist(), strict=True)),
        fit_calibration([e for e, _ in usual], [s for _, s in usual]),
        {
            "ranking": quality(own, held_out),
            "answered": {
                name: {key: mean([row[key] for row in rows]) for key in ("own", "foreign")}
                for name, rows in refused.items()
            },
        },
    )


def write_weights(outcome: Outcome, folder: Path = Path(__file__).parent) -> None:
    """Write model.json and calibration.json."""
    model = {"ranking": dict(outcome.weights)}
    (folder / "model.json").write_text(json.dumps(model, indent=1) + "\n", encoding="utf-8")
    (folder / "calibration.json").write_text(
        json.dumps(outcome.calibration.to_mapping(), indent=1) + "\n", encoding="utf-8"
    )


def _foreign(dataset: Dataset, datasets: Sequence[Dataset]) -> dict[str, str]:
    questions = [item for other in datasets if other.name != dataset.name for item in other.queries.items()]
    return dict(questions[:: max(1, len(questions) // FOREIGN)])


@dataclass(frozen=True, slots=True)
class Stacked:
    """Candidates of many questions one after the other, features scaled: shape (candidates, columns).

    `starts` and `question` say which candidates belong to one question; `target` numbers the relevant
    articles of all questions (-1: not relevant), `weight` is the weight of each.
    """

    values: Floats
    starts: NDArray[np.int64]
    question: NDArray[np.int64]
    target: NDArray[np.int64]
    target_question: NDArray[np.int64]
    weight: Floats


def scales(examples: Sequence[Example], columns: Sequence[str]) -> Floats:
    """The standard deviation of each column over all candidates; 1 where it does not vary."""
    sums, squares, count = np.zeros(len(columns)), np.zeros(len(columns)), 0
    for example in examples:
        values = candidate_matrix(example, columns)
        sums, squares, count = sums + values.sum(0), squares + (values**2).sum(0), count + len(values)
    spread = np.sqrt(np.maximum(squares / count - (sums / count) ** 2, 0.0))
    return np.where(spread > 1e-9, spread, 1.0)


def fit_ranking(
    examples: Sequence[Example], columns: Sequence[str], scale: Floats, *, penalty: float = PENALTY
) -> Floats:
    """Weights of the columns, shape (columns,), fitted on the examples that have a relevant candidate."""
    from scipy.optimize import minimize

    data = _stacked(examples, columns, scale)
    start = np.zeros(len(columns))
    result = minimize(
        _loss, start, args=(data, penalty), jac=True, method="L-BFGS-B", options={"maxiter": 100}
    )
    weights: Floats = result.x / scale
    return weights


def _stacked(examples: Sequence[Example], columns: Sequence[str], scale: Floats) -> Stacked:
    sizes = {name: sum(e.collection == name for e in examples) for name in {e.collection for e in examples}}
    values: list[Floats] = []
    sizes_kept: list[int] = []
    targets: list[list[int]] = []
    questions: list[int] = []
    weights: list[float] = []
    for example in examples:
        first = np.argsort(-example.features["lexical"], kind="stable")[:_TRAINED_CANDIDATES]
        if not example.relevant[first].any():
            continue
        names = sorted({example.articles[i] for i in first if example.relevant[i]})
        numbers = {name: len(questions) + place for place, name in enumerate(names)}
        targets.append([numbers[example.articles[i]] if example.relevant[i] else -1 for i in first])
        questions += [len(values)] * len(names)
        small = sizes[example.collection] < LARGE
        weights += [(_SMALL_SET_WEIGHT if small else 1.0) / len(names)] * len(names)
        values.append((candidate_matrix(example, columns) / scale)[first])
        sizes_kept.append(len(first))
    counts = np.array(sizes_kept)
    return Stacked(
        values=np.concatenate(values),
        starts=np.cumsum(counts) - counts,
        question=np.repeat(np.arange(len(counts)), counts),
        target=np.concatenate([np.array(row) for row in targets]),
        target_question=np.array(questions),
        weight=np.array(weights),
    )


def _loss(weights: Floats, data: Stacked, penalty: float) -> tuple[float, Floats]:
    scores = data.values @ weights
    scores -= np.maximum.reduceat(scores, data.starts)[data.question]
    odds = np.exp(scores)
    total = np.add.reduceat(odds, data.starts)
    hit = np.flatnonzero(data.target >= 0)
    caught = np.maximum(np.bincount(data.target[hit], odds[hit], minlength=len(data.weight)), 1e-300)
    loss = -float((data.weight * (np.log(caught) - np.log(total[data.target_question]))).sum())
    question_weight = np.bincount(data.target_question, data.weight, minlength=len(total))
    pull = question_weight[data.question] * odds / total[data.question]
    np.subtract.at(pull, hit, data.weight[data.target[hit]] * odds[hit] / caught[data.target[hit]])
    return loss + penalty / 2 * float(weights @ weights), data.values.T @ pull + penalty * weights


def cross_validated(
    examples: Sequence[Example],
    columns: Sequence[str],
    *,
    fitted: Sequence[Example] | None = None,
    penalty: float = PENALTY,
    seed: int = 0,
) -> list[Floats]:
    """Each example's scores by weights that were fitted to the other folds' (of `fitted`, where it has the
    same questions with other candidates)."""
    fitted = examples if fitted is None else fitted
    scale = scales(fitted, columns)
    numbers = folds(examples, seed=seed)
    fold_of = {e.group: number for e, number in zip(examples, numbers.tolist(), strict=True)}
    scores: list[Floats] = [np.zeros(0)] * len(examples)
    for held_out in np.unique(numbers).tolist():
        others = [e for e in fitted if fold_of.get(e.group, held_out) != held_out]
        weights = fit_ranking(others, columns, scale, penalty=penalty)
        for place in np.flatnonzero(numbers == held_out).tolist():
            scores[place] = candidate_matrix(examples[place], columns) @ weights
    return scores


def quality(examples: Sequence[Example], scores: Sequence[Floats]) -> dict[str, dict[str, float]]:
    """For each collection the mean metrics of its own questions, articles ranked by their best passage."""
    by_collection: dict[str, list[dict[str, float]]] = {}
    for example, values in zip(examples, scores, strict=True):
        if example.judged:
            order = np.argsort(-values, kind="stable")
            ranking = list(dict.fromkeys(example.articles[index] for index in order))
            by_collection.setdefault(example.collection, []).append(measure(ranking, example.judged))
    return {
        name: {metric: mean([row[metric] for row in rows]) for metric in rows[0]}
        for name, rows in by_collection.items()
    }
