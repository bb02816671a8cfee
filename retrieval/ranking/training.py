"""How the shipped weights were made: `python -m retrieval train-ranking DATASET...`.

The ranking is a conditional logit: within each question's candidates, softmax over a linear score, and the
log probability of the relevant articles (by whichever of their passages) is raised, with an L2 penalty.
Cross-validation keeps all questions about one article in one fold. The calibration is a logistic regression
of "the first passage is right" on the first passage's features, over questions put to their own and to
foreign collections.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from retrieval.evaluation.datasets import Dataset
from retrieval.evaluation.metrics import mean, measure
from retrieval.lexical.normalisation import fold
from retrieval.question import Question, answer_kind
from retrieval.ranking.calibration import LEAD, Calibration, lead
from retrieval.ranking.model import matrix
from retrieval.types import Article

if TYPE_CHECKING:
    from embeddings.encoder import Encoder
    from retrieval.ranking.pipeline import Examined

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

EVIDENCE: tuple[str, ...] = (
    *("either_1", "either_word", "together_word", "key_1", "key_word", "article_word", "article_rare_2"),
    *("found", "missed", "dense", LEAD),
)
"""What the calibration is a function of, LEAD last."""

PENALTY = 5.0
_CALIBRATION_PENALTY = 0.3
_TRAINED_CANDIDATES = 30
FOREIGN = 1000
_SMALL_SET = 500
_SMALL_SET_WEIGHT = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One question's candidates: features, each one's article, and which are relevant.

    `relevant` marks passages (of a relevant article, the ones with an answer where answers are known),
    `judged` the gain of each relevant document. A question of another collection has neither.
    """

    collection: str
    query: str
    group: str
    features: Mapping[str, NDArray[np.float32]]
    articles: tuple[str, ...]
    relevant: NDArray[np.bool_]
    judged: Mapping[str, int]


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

    Sets of search queries (the small ones) are sparsely judged: whether such a question is answered says
    little, so the calibration leaves them out.
    """
    examples: list[Example] = []
    for dataset in datasets:
        foreign = _foreign(dataset, datasets)
        report = partial(progress, dataset.name) if progress else None
        examples += gather(dataset, encoder=encoder, foreign=foreign, progress=report)
    return fit(examples)


def fit(examples: Sequence[Example]) -> Outcome:
    """Fit ranking and calibration; the report has quality and refusals by cross-validation."""
    own = [example for example in examples if example.judged]
    held_out = cross_validated(own, COLUMNS)
    weights = fit_ranking(own, COLUMNS, scales(own, COLUMNS))
    by_query = {(e.collection, e.query): scores for e, scores in zip(own, held_out, strict=True)}
    scores = [by_query.get((e.collection, e.query), _matrix(e, COLUMNS) @ weights) for e in examples]
    sizes = Counter(example.collection for example in own)
    usual = [
        (e, values) for e, values in zip(examples, scores, strict=True) if sizes[e.collection] >= _SMALL_SET
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
    """Write model.json (keeping its weights for the choice within an article) and calibration.json."""
    path = folder / "model.json"
    model = json.loads(path.read_text(encoding="utf-8"))
    model["ranking"] = dict(outcome.weights)
    path.write_text(json.dumps(model, indent=1) + "\n", encoding="utf-8")
    (folder / "calibration.json").write_text(
        json.dumps(outcome.calibration.to_mapping(), indent=1) + "\n", encoding="utf-8"
    )


def _foreign(dataset: Dataset, datasets: Sequence[Dataset]) -> dict[str, str]:
    questions = [item for other in datasets if other.name != dataset.name for item in other.queries.items()]
    return dict(questions[:: max(1, len(questions) // FOREIGN)])


def gather(
    dataset: Dataset,
    *,
    encoder: "str | Encoder | None" = None,
    distractors: Iterable[Article] = (),
    foreign: Mapping[str, str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Example]:
    """Index a data set and collect the candidates of its questions, then of `foreign` ones (judged by
    nothing)."""
    from retrieval.ranking.pipeline import Ranker
    from retrieval.retriever import Retriever

    examples: list[Example] = []
    with (
        TemporaryDirectory(prefix="wenda-train-") as folder,
        Retriever.open(Path(folder) / "index", encoder=encoder) as retriever,
    ):
        retriever.add([*dataset.documents, *distractors])
        ranker = Ranker(retriever.analyzer, retriever.encoder)
        with retriever.reading() as index, index.view() as backend:
            questions = [*dataset.queries.items(), *(foreign or {}).items()]
            for number, (key, text) in enumerate(questions, 1):
                examined = ranker.examine(literally(text), backend)
                if examined is not None:
                    examples.append(_example(dataset, key, examined))
                if progress:
                    progress(number, len(questions))
    return examples


def literally(text: str) -> Question:
    """A question of which no phrase is read as a filter."""
    kind, unit = answer_kind(fold(text).text)
    return Question(text=text, content=text, kind=kind, unit=unit)


def _example(dataset: Dataset, key: str, examined: "Examined") -> Example:
    judged = {name: gain for name, gain in dataset.qrels.get(key, {}).items() if gain > 0}
    articles = tuple(record.article_id for record in examined.records)
    relevant = np.array([article in judged for article in articles])
    answers = dataset.answers.get(key, ())
    answering = np.array([any(answer in record.text for answer in answers) for record in examined.records])
    if (relevant & answering).any():
        relevant &= answering
    return Example(
        collection=dataset.name,
        query=key,
        group=group_of(key, judged),
        features={name: values.astype(np.float32) for name, values in examined.features.items()},
        articles=articles,
        relevant=relevant,
        judged=judged,
    )


def group_of(query: str, judged: Mapping[str, int]) -> str:
    """Questions of one group share an article: the part of the id before the last numbers where it has
    parts."""
    parts = re.fullmatch(r"(.+?)(?:_QUERY_\d+|-\d+-\d+)", query)
    return parts[1] if parts else "".join(sorted(judged)) or query


def folds(examples: Sequence[Example], count: int = 5, seed: int = 0) -> NDArray[np.int64]:
    """Each example's fold, the same for all examples of a group: shape (examples,)."""
    groups = sorted({example.group for example in examples})
    numbers = np.random.default_rng(seed).permutation(len(groups)) % count
    of = dict(zip(groups, numbers.tolist(), strict=True))
    return np.array([of[example.group] for example in examples])


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
        values = _matrix(example, columns)
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
        small = sizes[example.collection] < _SMALL_SET
        weights += [(_SMALL_SET_WEIGHT if small else 1.0) / len(names)] * len(names)
        values.append((_matrix(example, columns) / scale)[first])
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
    examples: Sequence[Example], columns: Sequence[str], *, penalty: float = PENALTY, seed: int = 0
) -> list[Floats]:
    """Each example's scores by weights that were fitted without its fold."""
    scale = scales(examples, columns)
    numbers = folds(examples, seed=seed)
    scores: list[Floats] = [np.zeros(0)] * len(examples)
    for held_out in np.unique(numbers):
        others = [example for example, number in zip(examples, numbers, strict=True) if number != held_out]
        weights = fit_ranking(others, columns, scale, penalty=penalty)
        for place in np.flatnonzero(numbers == held_out).tolist():
            scores[place] = _matrix(examples[place], columns) @ weights
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


def fit_calibration(examples: Sequence[Example], scores: Sequence[Floats]) -> Calibration:
    """A calibration from questions put to their own and to foreign collections, given their ranking scores.

    Every collection's own and foreign questions count the same.
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
        shrunk = np.append(parameters[:-1], 0.0) * _CALIBRATION_PENALTY
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
        known = [float(example.features[name][first]) for name in EVIDENCE if name != LEAD]
        values.append([*known, float(lead(ranking)[first])])
        own.append(bool(example.judged))
        weight.append(1000.0 / counts[example.collection, bool(example.judged)])
    return np.array(values), np.array(own), np.array(weight)


def _threshold(examples: Sequence[Example], scores: Sequence[Floats], calibration: Calibration) -> float:
    """The threshold with the least worst error: the share of own questions refused, or of foreign ones
    answered, in whichever of the large collections it is greatest (all, where none is large)."""
    sizes = Counter(example.collection for example in examples if example.judged)
    large = {name for name, size in sizes.items() if size >= _SMALL_SET} or set(sizes)
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

    return float(min(np.arange(0.2, 0.81, 0.01).round(3), key=worst))


def _probability(example: Example, ranking: Floats, calibration: Calibration) -> float:
    features = {name: values.astype(np.float64) for name, values in example.features.items()}
    return calibration.probability({**features, LEAD: lead(ranking)}, int(np.argmax(ranking)))


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


def _matrix(example: Example, columns: Sequence[str]) -> Floats:
    return matrix({name: values.astype(np.float64) for name, values in example.features.items()}, columns)
