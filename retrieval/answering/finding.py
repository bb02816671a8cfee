"""A question and the passages of an article → the passage and the span in it that answer."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from operator import add
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from retrieval.answering.exact import find_exact
from retrieval.answering.features import COLUMN, Asked, Features, Sentences, asked, sentence_features
from retrieval.answering.sentences import chances_in_each, choose, load_model
from retrieval.lexical.normalisation import Normalised, fold
from retrieval.question import Question
from retrieval.segmentation import split_sentences
from retrieval.types import Span

if TYPE_CHECKING:
    from retrieval.lexical.analyzer import Analyzer

Floats = NDArray[np.float64]

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


class Found(NamedTuple):
    """Which of an article's passages answers, the answer in it, and that passage's normal form."""

    place: int
    answer: Answer
    normal: Normalised | None


@dataclass(frozen=True, slots=True)
class Contender:
    """A passage of the article that was found: `behind` is how far the ranking puts it behind the article's
    first (natural logarithm of the odds, 0 or more), `opening` whether the article begins with it;
    `normalised`, where it is known, is the text in normal form."""

    text: str
    behind: float = 0.0
    opening: bool = True
    normalised: str | None = None


def find_answer(question: Question, passage_text: str, analyzer: "Analyzer", *, title: str = "") -> Answer:
    """Mark the answer in a passage that was found for the question; nothing in a passage without text.

    The article's `title`, where it is given, helps to tell its subject from what is asked about it.
    """
    return find_best(question, [Contender(passage_text)], analyzer, title=title)[1]


def find_best(
    question: Question, contenders: Sequence[Contender], analyzer: "Analyzer", *, title: str = ""
) -> tuple[int, Answer]:
    """Which of an article's passages, given in the order of the article, answers, and the answer in it."""
    (found,) = find_all(question, [contenders], [title], analyzer)
    return found.place, found.answer


def find_all(
    question: Question, articles: Sequence[Sequence[Contender]], titles: Sequence[str], analyzer: "Analyzer"
) -> list[Found]:
    """For each article, given as its contending passages in their order and its title, which of them answers,
    and the answer in it.

    The sentences of an article's passages are compared as those of one text; the passage with the likeliest
    sentence (or two neighbouring ones) is chosen. All articles at once are quicker than one by one.
    """
    every = [item for contenders in articles for item in contenders]
    normals = iter(analyzer.normalise_all([i.text for i in every], [i.normalised for i in every]))
    read = [_read(contenders, normals) for contenders in articles]
    nothing = Answer(None, None, 0.0)
    found = [Found(0, nothing, article.normals[0] if article.normals else None) for article in read]
    places = [place for place, article in enumerate(read) if article.sentences]
    if not places:
        return found
    model, prepared = load_model(), prepare(question, analyzer)
    having = [read[place] for place in places]
    subjects = [fold(titles[place]).text for place in places]
    sentences = Sentences.of([article.sentences for article in having], subjects)
    features = sentence_features(prepared, sentences)
    set_standing(
        features,
        [contender for article in having for contender in article.contenders],
        [len(own) for article in having for own in article.spans],
    )
    likely = chances_in_each(model.scores(features), sentences.firsts, sentences.owners).tolist()
    for place, article, first in zip(places, having, sentences.firsts.tolist(), strict=True):
        own = likely[first : first + len(article.sentences)]
        found[place] = _answer(article, own, model.second, prepared, question, analyzer)
    return found


@dataclass(frozen=True, slots=True)
class _Read:
    """An article's contenders, their normal forms, the spans of their sentences, and the sentences' normal
    forms."""

    contenders: Sequence[Contender]
    normals: Sequence[Normalised]
    spans: Sequence[Sequence[Span]]
    sentences: Sequence[str]


def _read(contenders: Sequence[Contender], normals: Iterator[Normalised]) -> _Read:
    own = [next(normals) for _ in contenders]
    spans = [split_sentences(contender.text)[:MAX_SENTENCES] for contender in contenders]
    sentences = [text for n, of in zip(own, spans, strict=True) for text in normal_sentences(n, of)]
    return _Read(contenders, own, spans, sentences)


def _answer(
    article: _Read,
    likely: Sequence[float],
    second: float,
    asked: Asked,
    question: Question,
    analyzer: "Analyzer",
) -> Found:
    """The passage that answers, by how likely each sentence of the article does."""
    spans = article.spans
    ends = list(accumulate(len(own) for own in spans))
    of_passages = [likely[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    place = max(range(len(of_passages)), key=lambda number: best_pair(of_passages[number]))
    total = sum(of_passages[place]) or 1.0
    own = [chance / total for chance in of_passages[place]]
    text = article.contenders[place].text
    sentence, confidence = choose(own, spans[place], len(text), second)
    exact = None
    likeliest = max(range(len(own)), key=own.__getitem__)
    if own[likeliest] >= MIN_CONFIDENCE:
        exact = _exact(asked, question, article.normals[place], spans[place][likeliest], analyzer)
    return Found(place, Answer(sentence, exact, confidence), article.normals[place])


def set_standing(features: Features, contenders: Sequence[Contender], sizes: Sequence[int]) -> None:
    """Enter where the ranking sees the passage of each sentence; `sizes` are the passages' numbers of
    sentences."""
    columns = {
        "behind": [contender.behind for contender in contenders],
        "leading": [contender.behind == 0 for contender in contenders],
        "opening": [contender.opening for contender in contenders],
    }
    for name, values in columns.items():
        features[:, COLUMN[name]] = np.repeat(np.array(values, dtype=np.float64), sizes)


def best_pair(chances: Sequence[float]) -> float:
    """How likely the answer is in one sentence or two neighbouring ones of a passage, in the best place."""
    pairs: Sequence[float] = list(map(add, chances, chances[1:]))
    return max(pairs) if pairs else float(sum(chances))


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
        analyzer.examine(question.text).text,
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
def prepare(question: Question, analyzer: "Analyzer") -> Asked:
    """The question as answers are looked for; the last ones are remembered, so that it can be made ahead."""
    return asked(question, analyzer.examine(question.content))
