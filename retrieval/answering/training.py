"""How model.json was made: `python -m retrieval.answering.training FOLDER... [--out FILE]`.

The folders are data sets in BEIR layout with answers.jsonl. Every document is cut into passages as articles
are; of each question's document, the passage that has an answer (the one sharing most with the question,
where several do) gives one example: its sentences, and which of them contain an answer. The model is a
conditional logit (McFadden, 1974) with an L2 penalty, fitted by L-BFGS to the summed probability of the
sentences that contain one. Before the weights are written, the same is done in five folds that share no
document, and what the left-out folds give is printed.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zlib import crc32

import click
import numpy as np
from numpy.typing import NDArray

from retrieval.answering.features import FEATURES, Features, asked, sentence_features
from retrieval.answering.finding import normal_sentences
from retrieval.answering.sentences import SentenceModel, choose
from retrieval.evaluation.datasets import Dataset, load_dataset
from retrieval.lexical.analyzer import Analyzer
from retrieval.question import understand
from retrieval.segmentation import segment, split_sentences
from retrieval.types import Span

FOLDS = 5
PENALTY = 3.0
SECOND = 0.001
"""The default for how likely a second sentence must be to be marked: about a third of a passage is."""


@dataclass(frozen=True, slots=True)
class Example:
    """One question with the passage that answers it; `right` marks the sentences that contain an answer."""

    document: str
    text: str
    spans: Sequence[Span]
    features: Features
    right: NDArray[np.bool_]
    answers: Sequence[str]


def examples(data: Dataset, analyzer: Analyzer) -> Iterator[Example]:
    """One example for each question whose answer stands within one passage of its document."""
    documents = {article.id: article for article in data.documents}
    for query, answers in data.answers.items():
        question = understand(data.queries[query], now=datetime.now(UTC))
        prepared = asked(
            question, analyzer.examine(question.content), analyzer.normalise(question.content).text
        )
        found: list[Example] = []
        for document in (key for key, gain in data.qrels[query].items() if gain > 0):
            for passage in segment(documents[document]):
                if not any(answer in passage.text for answer in answers):
                    continue
                spans = split_sentences(passage.text)
                normal = normal_sentences(analyzer.normalise(passage.text), spans)
                right = np.array([any(a in passage.text[s:e] for a in answers) for s, e in spans])
                features = sentence_features(prepared, normal)
                found.append(Example(document, passage.text, spans, features, right, answers))
        if found:
            yield max(found, key=lambda example: float(example.features[:, :3].max()))


def fit(data: Sequence[Example], penalty: float = PENALTY) -> NDArray[np.float64]:
    """Weights of the features, shape (len(FEATURES),)."""
    from scipy.optimize import minimize

    data = [example for example in data if example.right.any() and len(example.spans) > 1]
    features = np.concatenate([example.features for example in data])
    right = np.concatenate([example.right for example in data]).astype(np.float64)
    sizes = np.array([len(example.spans) for example in data])
    starts = np.cumsum(sizes) - sizes
    owner = np.repeat(np.arange(len(data)), sizes)
    scale = features.std(axis=0)
    scale[scale < 1e-6] = 1.0
    scaled = features / scale

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        scores = scaled @ weights
        odds = np.exp(scores - np.maximum.reduceat(scores, starts)[owner])
        chances = odds / np.add.reduceat(odds, starts)[owner]
        success = np.add.reduceat(chances * right, starts)
        posterior = chances * right / success[owner]
        value = -float(np.log(success).sum()) + penalty / 2 * float(weights @ weights)
        return value, scaled.T @ (chances - posterior) + penalty * weights

    found = minimize(loss, np.zeros(len(FEATURES)), jac=True, method="L-BFGS-B", options={"maxiter": 100})
    weights: NDArray[np.float64] = found.x / scale
    return weights


def measure(model: SentenceModel, data: Sequence[Example]) -> tuple[float, float, float]:
    """Shares of examples whose best sentence and whose marked span is right; mean share of text marked."""
    single = marked = share = 0.0
    for example in data:
        chances = model.probabilities(example.features)
        (start, end), _ = choose(chances, example.spans, len(example.text), model.second)
        single += bool(example.right[int(np.argmax(chances))])
        marked += any(answer in example.text[start:end] for answer in example.answers)
        share += (end - start) / len(example.text)
    return single / len(data), marked / len(data), share / len(data)


def _balanced(sets: dict[str, list[Example]]) -> list[Example]:
    """All examples, those of smaller sets repeated so that every set counts about as much."""
    most = max(map(len, sets.values()))
    return [example for data in sets.values() for example in data * round(most / len(data))]


def cross_validate(sets: dict[str, list[Example]], second: float) -> dict[str, dict[str, float]]:
    """What `measure` gives on folds that the weights were not fitted to, for each data set."""
    sums: defaultdict[str, NDArray[np.float64]] = defaultdict(lambda: np.zeros(4))
    for fold in range(FOLDS):
        kept = [e for e in _balanced(sets) if crc32(e.document.encode()) % FOLDS != fold]
        model = SentenceModel(fit(kept), second)
        for name, data in sets.items():
            left = [example for example in data if crc32(example.document.encode()) % FOLDS == fold]
            if left:
                sums[name] += np.array([*measure(model, left), 1.0]) * len(left)
    names = ("best_sentence", "marked", "share")
    return {
        name: dict(zip(names, (row[:3] / row[3]).round(4).tolist(), strict=True))
        for name, row in sums.items()
    }


@click.command()
@click.argument(
    "folders", type=click.Path(path_type=Path, exists=True, file_okay=False), nargs=-1, required=True
)
@click.option("--out", type=click.Path(path_type=Path), help="Write the weights here.")
@click.option("--second", default=SECOND, show_default=True, help="How likely a second sentence must be.")
def main(folders: Sequence[Path], out: Path | None, second: float) -> None:
    """Fit the sentence model to data sets with answers, and print what cross-validation gives."""
    analyzer = Analyzer()
    sets = {folder.name: list(examples(load_dataset(folder), analyzer)) for folder in folders}
    validated = cross_validate(sets, second)
    click.echo(json.dumps(validated))
    if out is not None:
        weights = fit(_balanced(sets))
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
