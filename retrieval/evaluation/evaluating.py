"""Run a data set's questions through a Retriever and measure what comes back."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from retrieval.errors import EvaluationError
from retrieval.evaluation.datasets import Dataset
from retrieval.evaluation.metrics import NAMES, bootstrap_interval, mean, measure
from retrieval.locations import Location
from retrieval.ranking.stages import Stages
from retrieval.types import Article, Hit, SearchResponse

if TYPE_CHECKING:
    from embeddings.encoder import Encoder
    from retrieval.ranking.pipeline import CrossEncoder
    from retrieval.retriever import Retriever

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how far it is, and how far it goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One question with what was found, and how good that is; `answer` is None where no answer is known."""

    query: str
    text: str
    ranking: tuple[tuple[str, float], ...]
    metrics: Mapping[str, float]
    seconds: float
    answered: bool
    answer: bool | None
    exact: "ExactAnswer | None"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """All questions of one data set; `foreign_answered` says of each unanswerable one if it was answered."""

    judged: tuple[Judged, ...]
    documents: int
    index_seconds: float
    foreign_answered: tuple[bool, ...] | None = None

    def run(self) -> dict[str, tuple[tuple[str, float], ...]]:
        """Query id → documents with scores."""
        return {row.query: row.ranking for row in self.judged}

    def summary(self) -> dict[str, Any]:
        """Means, 95 % bootstrap intervals and latencies, ready for JSON."""
        result: dict[str, Any] = {name: self._mean(name) for name in NAMES}
        answers = [row.answer for row in self.judged if row.answer is not None]
        result["answer_at_1"] = round(mean(answers), 4) if answers else None
        exact = [row.exact for row in self.judged if row.exact is not None]
        result["exact_answers"] = {
            "given": len(exact),
            "right": round(mean([row.right for row in exact]), 4) if exact else None,
            "whole": round(mean([row.whole for row in exact]), 4) if exact else None,
        }
        result["queries"] = len(self.judged)
        result["documents"] = self.documents
        milliseconds = np.array([row.seconds for row in self.judged] or [0.0]) * 1000
        result["latency_ms"] = {
            "p50": round(float(np.quantile(milliseconds, 0.5)), 2),
            "p95": round(float(np.quantile(milliseconds, 0.95)), 2),
        }
        result["index_seconds"] = round(self.index_seconds, 2)
        if self.foreign_answered is not None:
            result["answered_rate"] = round(mean([row.answered for row in self.judged]), 4)
            result["false_answer_rate"] = round(mean(self.foreign_answered), 4)
        result["confidence_95"] = {name: self._interval(name) for name in NAMES}
        return result

    def _mean(self, name: str) -> float:
        return round(mean([row.metrics[name] for row in self.judged]), 4)

    def _interval(self, name: str) -> list[float]:
        interval = bootstrap_interval([row.metrics[name] for row in self.judged])
        return [round(bound, 4) for bound in interval]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """How to evaluate: the side or sides to rank by, the stages, how many documents to keep a question."""

    mode: str = "hybrid"
    stages: Stages = field(default_factory=Stages)
    depth: int = 10
    encoder: "str | Encoder | None" = None
    cross_encoder: "str | CrossEncoder | None" = None
    calibrate: bool = False


def evaluate(
    dataset: Dataset,
    *,
    setup: Setup | None = None,
    distractors: Iterable[Article] = (),
    unanswerable: Mapping[str, str] | None = None,
    place: Location | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Index the data set's documents (and the distractors), ask its questions, and measure.

    `unanswerable` are questions of another data set, asked to see how often they are wrongly answered.
    The index is made at `place`, where there must be none yet, or in a temporary folder that is removed
    afterwards. Raises EvaluationError where there is one.
    """
    from retrieval.retriever import Retriever

    setup = setup or Setup()
    with ExitStack() as stack:
        if place is None:
            place = Path(stack.enter_context(TemporaryDirectory(prefix="wenda-evaluate-"))) / "index"
        refuse_existing(place)
        retriever = stack.enter_context(
            Retriever.open(place, encoder=setup.encoder, cross_encoder=setup.cross_encoder)
        )
        started = perf_counter()
        documents = _index(retriever, dataset, distractors, progress)
        index_seconds = perf_counter() - started
        if setup.calibrate:
            from retrieval.ranking.calibrating import calibrate

            retriever.store_calibration(calibrate(retriever).calibration)
        return Evaluation(
            judged=tuple(_judge_all(retriever, dataset, setup, progress)),
            documents=documents,
            index_seconds=index_seconds,
            foreign_answered=_ask_foreign(retriever, unanswerable, setup, progress),
        )


def refuse_existing(place: Location) -> None:
    """Raises EvaluationError where there is an index already: what is in it would be measured, too."""
    from retrieval.homes import home_of

    with closing(home_of(place)) as home:
        if home.exists():
            raise EvaluationError(f"there is an index in {home.location} already: name a new one")


def _index(
    retriever: "Retriever", dataset: Dataset, distractors: Iterable[Article], progress: Progress | None
) -> int:
    own = {document.id for document in dataset.documents}
    articles = list(dataset.documents)
    articles += [article for article in distractors if article.id not in own]
    if progress:
        progress("indexing", 0, len(articles))
    retriever.add(articles)
    if progress:
        progress("indexing", len(articles), len(articles))
    return len(articles)


def _judge_all(
    retriever: "Retriever", dataset: Dataset, setup: Setup, progress: Progress | None
) -> Iterable[Judged]:
    if dataset.queries:
        ask(retriever, next(iter(dataset.queries.values())), setup)
    for number, (key, text) in enumerate(dataset.queries.items(), 1):
        started = perf_counter()
        response = ask(retriever, text, setup)
        seconds = perf_counter() - started
        yield judge(key, text, response, dataset, seconds)
        if progress and (number % 50 == 0 or number == len(dataset.queries)):
            progress("asking", number, len(dataset.queries))


def _ask_foreign(
    retriever: "Retriever", queries: Mapping[str, str] | None, setup: Setup, progress: Progress | None
) -> tuple[bool, ...] | None:
    if queries is None:
        return None
    answered = []
    for number, text in enumerate(queries.values(), 1):
        answered.append(ask(retriever, text, setup).answered)
        if progress and (number % 50 == 0 or number == len(queries)):
            progress("asking unanswerable", number, len(queries))
    return tuple(answered)


def ask(retriever: "Retriever", text: str, setup: Setup) -> SearchResponse:
    """One search as evaluation makes it: nothing folded (every document was judged), no phrase a filter."""
    return retriever.search(
        text,
        top_k=setup.depth,
        mode=setup.mode,
        stages=setup.stages,
        fold_duplicates=False,
        understand=False,
    )


def judge(key: str, text: str, response: SearchResponse, dataset: Dataset, seconds: float) -> Judged:
    """Measure one response against the data set's judgements and answers."""
    ranking = tuple((hit.article_id, hit.score) for hit in response.hits)
    answers = dataset.answers.get(key)
    first = response.hits[0] if response.hits else None
    return Judged(
        query=key,
        text=text,
        ranking=ranking,
        metrics=measure([document for document, _ in ranking], dataset.qrels[key]),
        seconds=seconds,
        answered=response.answered,
        answer=None if answers is None else first is not None and contains_answer(first, answers),
        exact=None if answers is None or first is None else exact_answer(first, answers),
    )


def contains_answer(hit: Hit, answers: Sequence[str]) -> bool:
    """Whether the hit's marked answer contains one of the answers, word for word."""
    if hit.answer is None:
        return False
    marked = hit.text[slice(*hit.answer)]
    return any(answer in marked for answer in answers)


@dataclass(frozen=True, slots=True)
class ExactAnswer:
    """How the exact words that were given compare with the known answers, punctuation aside.

    They are `right` where an answer contains them ("1985年" for "出现于1985年"), or where they contain one
    and are less than twice as long. They are the `whole` answer where neither is twice as long as the other.
    """

    right: bool
    whole: bool


def exact_answer(hit: Hit, answers: Sequence[str]) -> ExactAnswer | None:
    """How the exact answer of a hit fares; None where none is given."""
    if hit.exact_answer is None:
        return None
    given = _bare(hit.text[slice(*hit.exact_answer)])
    wanted = [_bare(answer) for answer in answers]
    inside = [answer for answer in wanted if given and given in answer]
    around = [answer for answer in wanted if answer and answer in given and len(given) < 2 * len(answer)]
    whole = bool(around) or any(len(answer) < 2 * len(given) for answer in inside)
    return ExactAnswer(right=bool(inside or around), whole=whole)


def _bare(text: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text)).lower()
