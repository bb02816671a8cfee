"""Standing queries against new articles: which of thousands are answered by which of a batch."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from retrieval.errors import QueryError
from retrieval.question import understand
from retrieval.ranking.stages import Stages
from retrieval.standing.evidence import SMALL_PASSAGES, Analysed, QuestionTable, cut_for
from retrieval.standing.expressions import Expression, parse_expression
from retrieval.standing.rivalry import FarError, Near
from retrieval.standing.words import ExpressionTable
from retrieval.types import Article, Passage

if TYPE_CHECKING:
    from retrieval.index import View
    from retrieval.retriever import Retriever

FIRST_HITS = 10
"""A question is answered by an article that is among so many first hits when it is asked."""

_GROWTH = 0.1
"""When an index has grown or shrunk by this share, its terms are counted anew."""


class QueryKind(StrEnum):
    """What a standing query is: a question, a keyword expression, or the name of a category."""

    QUESTION = "question"
    KEYWORDS = "keywords"
    CATEGORY = "category"


@dataclass(frozen=True, slots=True)
class StandingQuery:
    """A query by the number its owner gave it."""

    id: int
    kind: QueryKind
    text: str


@dataclass(frozen=True, slots=True)
class Match:
    """An article that answers a standing query; for a question, its score (0 to 1)."""

    query: int
    article_id: str
    score: float = 1.0


class StandingQueries:
    """A set of standing queries over one index, analysed once. Used by one thread at a time."""

    def __init__(self, retriever: "Retriever") -> None:
        self._retriever = retriever
        self._queries: dict[int, StandingQuery] = {}
        self._analysed: dict[int, Analysed] = {}
        self._expressions: dict[int, Expression] = {}
        self._words = ExpressionTable({})
        self._table: QuestionTable | None = None
        self._numbers: list[int] = []
        self._encoder: object = None
        self._frequencies: dict[str, int] = {}
        self._counted = 0

    def update(self, queries: Iterable[StandingQuery]) -> None:
        """Have exactly these queries from now on; what is known of those that stay is kept.

        A keyword expression that is none is passed over: whoever accepts them checks them first.
        """
        wanted = {query.id: query for query in queries}
        if self._encoder is not self._retriever.encoder:  # the index was rebuilt with another one
            self._encoder = self._retriever.encoder
            self._queries, self._analysed, self._expressions = {}, {}, {}
        for number in [number for number, query in self._queries.items() if wanted.get(number) != query]:
            self._analysed.pop(number, None)
            self._expressions.pop(number, None)
        new = [query for query in wanted.values() if self._queries.get(query.id) != query]
        if not new and len(wanted) == len(self._queries):
            return
        self._queries = wanted
        self._analyse([query for query in new if query.kind is QueryKind.QUESTION])
        for query in new:
            if query.kind is QueryKind.KEYWORDS:
                try:
                    self._expressions[query.id] = parse_expression(query.text, self._normal)
                except QueryError:
                    continue
        self._words = ExpressionTable(self._expressions)
        self._numbers = list(self._analysed)
        self._table = QuestionTable(list(self._analysed.values())) if self._analysed else None
        if self._table is not None:
            with self._retriever.reading() as index, index.view() as view:
                self._frequencies_in(view, self._table.terms, view.passage_count)

    def match(self, article_ids: Sequence[str]) -> list[Match]:
        """What these articles, which are in the index, answer: by query, then in the order of the articles.

        Questions have the result of asking each one now (Retriever.search) and looking for the articles among
        the first hits that reach the threshold; most are ruled out before, by an estimate and by words.
        """
        found = (self._retriever.article(article_id, keywords=False) for article_id in article_ids)
        articles = [article for article in found if article is not None and article.text]
        if not articles or not self._queries:
            return []
        matches = [*self._by_words(articles), *self._by_question(articles)]
        places = {article.id: place for place, article in enumerate(articles)}
        return sorted(matches, key=lambda match: (match.query, places[match.article_id]))

    def _by_words(self, articles: Sequence[Article]) -> Iterable[Match]:
        categories = {
            query.id: self._normal(query.text)
            for query in self._queries.values()
            if query.kind is QueryKind.CATEGORY
        }
        for article in articles:
            text = self._normal(f"{article.title}\n{article.text}")
            for number in self._words.holding(text):
                yield Match(number, article.id)
            own = {self._normal(category) for category in article.categories}
            for number, category in categories.items() if own else ():
                if category in own:
                    yield Match(number, article.id)

    def _by_question(self, articles: Sequence[Article]) -> list[Match]:
        if self._table is None:
            return []
        wanted = {article.id for article in articles}
        # Neither of these stages has a say in which articles are hits, and in their scores.
        stages = Stages(answers=False, choice=False)
        matches: list[Match] = []
        with self._retriever.reading() as index, index.view() as view:
            passages = [each for article in articles for each in self._retriever.passages(article.id)]
            alike: dict[str, list[int]] = {}
            for number in self._perhaps(articles, passages, view):
                alike.setdefault(self._queries[number].text, []).append(number)
            small = view.passage_count < SMALL_PASSAGES
            searched = view if small else Near(view, [passage.id for passage in passages])
            for text, numbers in alike.items():
                with suppress(FarError):
                    response = self._retriever.search_in(searched, text, top_k=FIRST_HITS, stages=stages)
                    answers = [hit for hit in response.hits if hit.score >= response.threshold]
                    found = [hit for hit in answers if hit.article_id in wanted]
                    matches += [
                        Match(number, hit.article_id, hit.score) for hit in found for number in numbers
                    ]
        return matches

    def _perhaps(self, articles: Sequence[Article], passages: Sequence[Passage], view: "View") -> list[int]:
        """The questions that one of the articles may answer."""
        if self._table is None or not passages:
            return []
        titles = {article.id: self._terms(article.title) for article in articles}
        vectors = view.vectors([passage.id for passage in passages])
        count = view.passage_count
        frequencies = self._frequencies_in(view, self._table.terms, count)
        analysed = [
            Analysed(tuple({*titles[each.article_id], *self._terms(f"{each.heading}\n{each.text}")}), vector)
            for each, vector in zip(passages, vectors, strict=True)
        ]
        evidence = self._table.estimate(analysed, frequencies, count)
        near = np.flatnonzero(evidence.max(axis=1) >= cut_for(count))
        return [self._numbers[place] for place in near.tolist()]

    def _frequencies_in(self, view: "View", terms: Sequence[str], count: int) -> NDArray[np.int64]:
        """In how many passages each term occurs: as of lately, which is good enough for an estimate."""
        if abs(count - self._counted) > _GROWTH * self._counted:
            self._frequencies, self._counted = {}, count
        new = [term for term in terms if term not in self._frequencies]
        self._frequencies |= zip(new, view.document_frequencies(new).tolist(), strict=True)
        return np.array([self._frequencies[term] for term in terms], dtype=np.int64)

    def _analyse(self, questions: Sequence[StandingQuery]) -> None:
        if not questions:
            return
        now = datetime.now(UTC)
        contents = [understand(query.text, now=now).content for query in questions]
        analyzer = self._retriever.analyzer
        vectors = self._retriever.encoder.encode_queries(contents)
        for query, content, vector in zip(questions, contents, vectors, strict=True):
            terms = tuple(set(analyzer.terms(" ".join(analyzer.content(content)))))
            self._analysed[query.id] = Analysed(terms, vector)

    def _terms(self, text: str) -> list[str]:
        return self._retriever.analyzer.terms(text)

    def _normal(self, text: str) -> str:
        return " ".join(self._retriever.analyzer.normalise(text).text.split())
