"""Questions with their candidates and judgements: what the ranking and the calibration are fitted on."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from retrieval.evaluation.datasets import Dataset
from retrieval.lexical.normalisation import fold
from retrieval.question import Question, answer_kind
from retrieval.ranking.model import matrix
from retrieval.types import Article

if TYPE_CHECKING:
    from embeddings.encoder import Encoder
    from retrieval.ranking.pipeline import Examined

Floats = NDArray[np.float64]


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


def gather(
    dataset: Dataset,
    *,
    encoder: "str | Encoder | None" = None,
    distractors: Iterable[Article] = (),
    foreign: Mapping[str, str] | None = None,
    depth: int = 100,
    progress: Callable[[int, int], None] | None = None,
) -> list[Example]:
    """Index a data set and collect the candidates of its questions, then of `foreign` ones (judged by
    nothing). See Ranker.examine for `depth`."""
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
                examined = ranker.examine(literally(text), backend, depth=depth)
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


def candidate_matrix(example: Example, columns: Sequence[str]) -> Floats:
    """The columns of an example's features: shape (candidates, columns)."""
    return matrix({name: values.astype(np.float64) for name, values in example.features.items()}, columns)
