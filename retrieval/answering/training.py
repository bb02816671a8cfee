"""How model.json was made: `python -m retrieval.answering.training FOLDER... [--out FILE]`.

The folders are data sets in BEIR layout with answers.jsonl. Each is indexed, and each question's candidates
are ranked; those of its own article that the search would compare give one example: their sentences, and
which of them contain an answer. The model is a conditional logit (McFadden, 1974) with an L2 penalty, fitted
by L-BFGS to the summed probability of the sentences that contain one. Before the weights are written, the
same is done in five folds that share no document, and what the left-out folds give is printed.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zlib import crc32

import click
import numpy as np
from numpy.typing import NDArray

from retrieval.answering.features import FEATURES, Features, Sentences, asked, sentence_features
from retrieval.answering.finding import MAX_SENTENCES, Contender, best_pair, normal_sentences, set_standing
from retrieval.answering.sentences import SentenceModel, chances_in_each, choose, headings
from retrieval.evaluation.datasets import Dataset, load_dataset
from retrieval.lexical.analyzer import Analyzer
from retrieval.lexical.normalisation import fold
from retrieval.ranking.calibration import behind
from retrieval.ranking.examples import literally
from retrieval.ranking.stages import Stages
from retrieval.retriever import Retriever
from retrieval.searching import CONTENDERS
from retrieval.segmentation import split_sentences
from retrieval.types import Hit, Span

RANKED = 50
_RANKING_ONLY = Stages(choice=False, answers=False)
FOLDS = 5
PENALTY = 3.0
MOST_IMPORTANT = 5.0
"""An example of a small set counts at most so many times."""

SECOND = 0.001
"""The default for how likely a second sentence must be to be marked: about a third of a passage is."""


@dataclass(frozen=True, slots=True)
class Example:
    """One question with the passages of the article that answers it; `right` marks the sentences, of all
    passages in order, that contain an answer."""

    document: str
    texts: Sequence[str]
    spans: Sequence[Sequence[Span]]
    features: Features
    right: NDArray[np.bool_]
    answers: Sequence[str]

    @property
    def borders(self) -> NDArray[np.int64]:
        """Where the sentences of the second and later passages begin."""
        return np.cumsum([len(own) for own in self.spans])[:-1]


def examples(data: Dataset) -> Iterator[Example]:
    """One example for each question with known answers whose article is among the candidates."""
    with (
        TemporaryDirectory(prefix="wenda-train-") as folder,
        Retriever.open(Path(folder) / "index") as retriever,
    ):
        retriever.add(data.documents)
        for query, answers in data.answers.items():
            response = retriever.search(
                data.queries[query], top_k=RANKED, group=False, understand=False, stages=_RANKING_ONLY
            )
            judged = {key for key, gain in data.qrels[query].items() if gain > 0}
            hits = [hit for hit in response.hits if hit.article_id in judged][:CONTENDERS]
            if hits:
                yield _example(data.queries[query], hits, answers, retriever.analyzer)


def _example(query: str, hits: Sequence[Hit], answers: Sequence[str], analyzer: Analyzer) -> Example:
    first = hits[0]
    hits = sorted((hit for hit in hits if hit.article_id == first.article_id), key=lambda hit: hit.ordinal)
    contenders = [Contender(hit.text, behind(hit.score, first.score), hit.ordinal == 0) for hit in hits]
    spans = [split_sentences(hit.text)[:MAX_SENTENCES] for hit in hits]
    question = literally(query)
    prepared = asked(question, analyzer.examine(question.content))
    sentences = [
        sentence
        for hit, own in zip(hits, spans, strict=True)
        for sentence in normal_sentences(analyzer.normalise(hit.text), own)
    ]
    features = sentence_features(prepared, Sentences.of([sentences], [fold(first.title).text]))
    set_standing(features, contenders, [len(own) for own in spans])
    right = [
        any(answer in hit.text[start:end] for answer in answers)
        for hit, own in zip(hits, spans, strict=True)
        for start, end in own
    ]
    return Example(first.article_id, [hit.text for hit in hits], spans, features, np.array(right), answers)


def fit(sets: Mapping[str, Sequence[Example]], penalty: float = PENALTY) -> NDArray[np.float64]:
    """Weights of the features, shape (len(FEATURES),). A small set counts more than its examples: by the root
    of how much larger the largest is, up to MOST_IMPORTANT times."""
    from scipy.optimize import minimize

    usable = {name: [e for e in data if e.right.any() and len(e.right) > 1] for name, data in sets.items()}
    most = max(map(len, usable.values()))
    data = [example for own in usable.values() for example in own]
    importance = np.concatenate(
        [np.full(len(own), min(MOST_IMPORTANT, sqrt(most / len(own)))) for own in usable.values() if own]
    )
    features = np.concatenate([example.features for example in data])
    hand_set = headings(features)
    right = np.concatenate([example.right for example in data]).astype(np.float64)
    sizes = np.array([len(example.right) for example in data])
    starts = np.cumsum(sizes) - sizes
    owner = np.repeat(np.arange(len(data)), sizes)
    scale = features.std(axis=0)
    scale[scale < 1e-6] = 1.0
    scaled = features / scale

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        chances = chances_in_each(scaled @ weights + hand_set, starts, owner)
        success = np.maximum(np.add.reduceat(chances * right, starts), 1e-300)
        posterior = chances * right / success[owner]
        value = -float((importance * np.log(success)).sum()) + penalty / 2 * float(weights @ weights)
        return value, scaled.T @ ((chances - posterior) * importance[owner]) + penalty * weights

    found = minimize(loss, np.zeros(len(FEATURES)), jac=True, method="L-BFGS-B", options={"maxiter": 100})
    weights: NDArray[np.float64] = found.x / scale
    return weights


def measure(model: SentenceModel, data: Sequence[Example]) -> tuple[float, float, float]:
    """Shares of examples whose passage has, and whose marked span contains, an answer; mean length of the
    span as a share of the passage."""
    passage = marked = share = 0.0
    for example in data:
        parts = [part.tolist() for part in np.split(model.probabilities(example.features), example.borders)]
        place = max(range(len(parts)), key=lambda number: best_pair(parts[number]))
        text = example.texts[place]
        likely = [chance / sum(parts[place]) for chance in parts[place]]
        (start, end), _ = choose(likely, example.spans[place], len(text), model.second)
        passage += any(answer in text for answer in example.answers)
        marked += any(answer in text[start:end] for answer in example.answers)
        share += (end - start) / len(text)
    return passage / len(data), marked / len(data), share / len(data)


def cross_validate(sets: Mapping[str, Sequence[Example]], second: float) -> dict[str, dict[str, float]]:
    """What `measure` gives on folds that the weights were not fitted to, for each data set."""
    sums: defaultdict[str, NDArray[np.float64]] = defaultdict(lambda: np.zeros(4))
    for fold_number in range(FOLDS):
        kept = {name: [e for e in data if _fold(e) != fold_number] for name, data in sets.items()}
        model = SentenceModel(fit(kept), second)
        for name, data in sets.items():
            left = [example for example in data if _fold(example) == fold_number]
            if left:
                sums[name] += np.array([*measure(model, left), 1.0]) * len(left)
    names = ("passage", "marked", "share")
    return {
        name: dict(zip(names, (row[:3] / row[3]).round(4).tolist(), strict=True))
        for name, row in sums.items()
    }


def _fold(example: Example) -> int:
    return crc32(example.document.encode()) % FOLDS


@click.command()
@click.argument(
    "folders", type=click.Path(path_type=Path, exists=True, file_okay=False), nargs=-1, required=True
)
@click.option("--out", type=click.Path(path_type=Path), help="Write the weights here.")
@click.option("--second", default=SECOND, show_default=True, help="How likely a second sentence must be.")
def main(folders: Sequence[Path], out: Path | None, second: float) -> None:
    """Fit the sentence model to data sets with answers, and print what cross-validation gives."""
    sets = {folder.name: list(examples(load_dataset(folder))) for folder in folders}
    validated = cross_validate(sets, second)
    click.echo(json.dumps(validated))
    if out is not None:
        weights = fit(sets)
        out.write_text(json.dumps(_card(weights, second, sets, validated), indent=1) + "\n", encoding="utf-8")


def _card(
    weights: NDArray[np.float64], second: float, sets: dict[str, list[Example]], validated: dict[str, Any]
) -> dict[str, Any]:
    return {
        "made_by": "python -m retrieval.answering.training",
        "examples": {name: len(data) for name, data in sets.items()},
        "cross_validation": validated,
        "second": second,
        "weights": {
            name: round(float(weight), 4) for name, weight in zip(FEATURES, weights, strict=True) if weight
        },
    }


if __name__ == "__main__":
    sys.exit(main())
