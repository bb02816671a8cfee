"""Fit the threshold for "answered" to one index, without any judged question.

What the index can answer is imitated by its own sentences: their words, a third of them left out. What it
cannot is asked by a list of questions about everything and nothing (foreign_questions.txt); an index that
does answer some of them loses little, since quantiles decide. A threshold between the two is chosen and
kept near the shipped one.
"""

from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np

from retrieval.ranking.calibration import Calibration, default_calibration
from retrieval.segmentation import split_sentences

if TYPE_CHECKING:
    from retrieval.lexical.analyzer import Analyzer
    from retrieval.retriever import Retriever

SAMPLE = 300
"""Sentences of the index that are asked."""

REFUSED = 0.05
"""The share of foreign questions that may be answered, and of own sentences that may be refused."""

_SHORTEST, _LONGEST = 12, 60
_KEPT_WORDS = 0.67
_NEAREST, _FARTHEST = 0.6, 1.6
"""The threshold stays between so many times the shipped one's odds and so many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationReport:
    """The calibration that was fitted, and which share of the own and foreign questions it answers."""

    calibration: Calibration
    own_questions: int
    own_answered: float
    foreign_questions: int
    foreign_answered: float


def calibrate(retriever: "Retriever", *, sample: int = SAMPLE, seed: int = 0) -> CalibrationReport:
    """Fit the threshold on the index of `retriever`; it is returned, not yet stored.

    An index without passages keeps the shipped calibration.
    """
    shipped = default_calibration()
    own = own_questions(retriever, sample=sample, seed=seed)
    foreign = foreign_questions()
    if not own:
        return CalibrationReport(
            calibration=shipped, own_questions=0, own_answered=0.0, foreign_questions=0, foreign_answered=0.0
        )
    own_scores, foreign_scores = _best_scores(retriever, own), _best_scores(retriever, foreign)
    threshold = fitted_threshold(own_scores, foreign_scores, shipped.threshold)
    return CalibrationReport(
        calibration=shipped.with_threshold(threshold),
        own_questions=len(own),
        own_answered=float((own_scores >= threshold).mean()),
        foreign_questions=len(foreign),
        foreign_answered=float((foreign_scores >= threshold).mean()),
    )


def fitted_threshold(own: np.ndarray, foreign: np.ndarray, shipped: float) -> float:
    """The threshold for scores of own and foreign questions, each of shape (questions,).

    Just above all but REFUSED of the foreign ones, but not so high that more than REFUSED of the own ones
    fail, and with odds not far from the shipped threshold's.
    """
    wanted = min(float(np.quantile(foreign, 1 - REFUSED)), float(np.quantile(own, REFUSED)))
    odds = shipped / (1 - shipped)
    low, high = (_NEAREST * odds, _FARTHEST * odds)
    return float(np.clip(wanted, low / (1 + low), high / (1 + high)))


def foreign_questions() -> list[str]:
    """Questions about everything and nothing, that ship with this package."""
    text = resources.files(__package__).joinpath("foreign_questions.txt").read_text(encoding="utf-8")
    return text.split("\n")[:-1]


def own_questions(retriever: "Retriever", *, sample: int, seed: int) -> list[str]:
    """One question from each of so many passages: a sentence of it with a third of its words left out."""
    generator = np.random.default_rng(seed)
    articles = [article.id for article in retriever.articles()]
    questions: list[str] = []
    for place in generator.permutation(len(articles))[: 2 * sample].tolist():
        passages = retriever.passages(articles[place])
        if passages and len(questions) < sample:
            passage = passages[int(generator.integers(len(passages)))]
            question = _imitated(passage.text, retriever.analyzer, generator)
            questions += [question] if question else []
    return questions


def _imitated(text: str, analyzer: "Analyzer", generator: np.random.Generator) -> str:
    spans = [span for span in split_sentences(text) if _SHORTEST <= span[1] - span[0] <= _LONGEST]
    if not spans:
        return ""
    start, end = spans[int(generator.integers(len(spans)))]
    words = analyzer.words(text[start:end])
    kept = generator.random(len(words)) < _KEPT_WORDS
    return "".join(word for word, stays in zip(words, kept, strict=True) if stays)


def _best_scores(retriever: "Retriever", questions: list[str]) -> np.ndarray:
    responses = [retriever.search(question, top_k=1, understand=False) for question in questions]
    return np.array([response.hits[0].score if response.hits else 0.0 for response in responses])
