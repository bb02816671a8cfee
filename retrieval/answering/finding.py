"""A question and a passage → the span that answers."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from retrieval.answering.exact import find_exact
from retrieval.answering.features import Asked, asked, sentence_features
from retrieval.answering.sentences import choose, load_model
from retrieval.lexical.normalisation import Normalised, fold
from retrieval.lexical.query import MAX_QUERY_CHARACTERS
from retrieval.question import Question
from retrieval.segmentation import split_sentences
from retrieval.types import Span

if TYPE_CHECKING:
    from retrieval.lexical.analyzer import Analyzer

MAX_SENTENCES = 200
MIN_CONFIDENCE = 0.7
"""Exact words are only looked for in a sentence that is at least so likely."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Spans of a passage: the sentence (or two) that answers, and the exact words in it where they are clear.

    `confidence` is how likely the sentence is the right one of its passage, 0 to 1.
    """

    sentence: Span | None
    exact: Span | None
    confidence: float


def find_answer(question: Question, passage_text: str, analyzer: "Analyzer", *, title: str = "") -> Answer:
    """Mark the answer in a passage that was found for the question; nothing in a passage without text.

    The article's `title`, where it is given, helps to tell its subject from what is asked about it.
    """
    spans = split_sentences(passage_text)[:MAX_SENTENCES]
    if not spans:
        return Answer(None, None, 0.0)
    passage = analyzer.normalise(passage_text)
    normal = normal_sentences(passage, spans)
    model = load_model()
    chances = model.probabilities(sentence_features(_asked(question, analyzer), normal, fold(title).text))
    sentence, confidence = choose(chances, spans, len(passage_text), model.second)
    exact = None
    if chances.max() >= MIN_CONFIDENCE:
        likeliest = spans[int(chances.argmax())]
        exact = _exact(_asked(question, analyzer), question, passage, likeliest, analyzer)
    return Answer(sentence, exact, confidence)


def normal_sentences(text: Normalised, spans: Sequence[Span]) -> list[str]:
    """The normal form of each sentence of a passage."""
    return [text.text[slice(*_normal_span(text, span))] for span in spans]


def _exact(
    asked: Asked, question: Question, passage: Normalised, sentence: Span, analyzer: "Analyzer"
) -> Span | None:
    """The exact words, as a span of the passage."""
    start, end = _normal_span(passage, sentence)
    found = find_exact(
        asked,
        analyzer.normalise(question.text[:MAX_QUERY_CHARACTERS]).text,
        passage.text[start:end],
        analyzer.tagged,
    )
    return passage.span(start + found[0], start + found[1]) if found else None


def _normal_span(text: Normalised, span: Span) -> Span:
    """A span of the original as a span of the normal form."""
    if text.starts is None:
        return span
    return bisect_left(text.starts, span[0]), bisect_left(text.starts, span[1])


@lru_cache(maxsize=16)
def _asked(question: Question, analyzer: "Analyzer") -> Asked:
    """All hits of one answer are looked at with the same question."""
    return asked(
        question,
        analyzer.examine(question.content),
        analyzer.normalise(question.content[:MAX_QUERY_CHARACTERS]).text,
    )
