"""One question from words to response: understood, ranked, grouped, answers marked."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from math import exp, log
from time import perf_counter
from typing import TYPE_CHECKING

from retrieval.backend import Backend
from retrieval.errors import QueryError
from retrieval.ranking.calibration import behind
from retrieval.ranking.grouping import Group, fold_duplicates, group_by_article, point_out_newer
from retrieval.ranking.pipeline import Ranked, Ranker
from retrieval.ranking.stages import Stages
from retrieval.types import Filters, Hit, SearchResponse, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from embeddings.encoder import Encoder
    from retrieval.answering import Answer, Contender, Found
    from retrieval.lexical.analyzer import Analyzer
    from retrieval.question import Known, Question
    from retrieval.ranking.calibration import Calibration
    from retrieval.ranking.pipeline import CrossEncoder

DEPTH = 100
"""How deep candidates are looked for, for the first pages; deeper pages look deeper."""

MAX_DEPTH = 1600
"""Paging ends here: half of these are examined."""

_PER_HIT = 4
"""Of so many candidates half are examined, and these have articles in common."""

CONTENDERS = 4
"""So many passages of an article, the best-ranked, may stand for it."""


class Searcher:
    """Searches any Backend. Holds no state of an index; safe to share between threads."""

    def __init__(
        self,
        analyzer: "Analyzer",
        encoder: "Encoder",
        *,
        calibration: "Calibration | None" = None,
        stages: Stages | None = None,
        cross_encoder: "CrossEncoder | None" = None,
    ) -> None:
        self._analyzer = analyzer
        self._stages = stages or Stages()
        self._ranker = Ranker(
            analyzer, encoder, calibration=calibration, stages=self._stages, cross_encoder=cross_encoder
        )

    def search(
        self,
        backend: Backend,
        query: str,
        *,
        top_k: int = 5,
        offset: int = 0,
        filters: Filters | None = None,
        score_threshold: float | None = None,
        group: bool = True,
        explain: bool = False,
        mode: str = "hybrid",
        recency_days: float | None = None,
        now: datetime | None = None,
        known: "Known | None" = None,
        understand: bool = True,
        fold_duplicates: bool = True,
        stages: Stages | None = None,
    ) -> SearchResponse:
        """Answer one question from what `backend` holds.

        `offset` and `top_k` page through at most MAX_DEPTH / 2 passages. `score_threshold` replaces the
        index's own threshold for `answered`. With `recency_days`, a passage's score halves for each so many
        days of age. `understand=False` takes the question word for word: no phrase of it becomes a filter.
        `group=False` gives every passage as a hit of its own. Raises QueryError for an invalid argument.
        """
        started = perf_counter()
        _check(top_k, offset, score_threshold, recency_days)
        stages = stages or self._stages
        moment = now or datetime.now(UTC)
        question = self._understand(query, moment, known, understand=understand)
        applied = merge_filters(filters, question.filters)
        depth = min(MAX_DEPTH, max(DEPTH, _PER_HIT * (offset + top_k)))
        ranked = self._ranker.rank(
            question, backend, filters=applied, depth=depth, mode=mode, stages=stages, explain=explain,
            meanwhile=partial(self._foresee, question, stages),
        )  # fmt: skip
        if recency_days is not None:
            ranked = weigh_by_age(ranked, moment, recency_days)
        groups = _grouped(ranked, group=group, fold=fold_duplicates)
        threshold = self._ranker.calibration.threshold if score_threshold is None else score_threshold
        shown = _shown(groups, offset, top_k, grouped=group)
        hits = tuple(self._hits(shown, question, stages))
        return SearchResponse(
            query=query,
            answered=bool(groups) and groups[0].best.score >= threshold,
            hits=hits,
            total=len(groups),
            offset=offset,
            threshold=threshold,
            filters=applied,
            understood=question.understood,
            seconds=perf_counter() - started,
        )

    def _understand(
        self, query: str, now: datetime, known: "Known | None", *, understand: bool
    ) -> "Question":
        from retrieval.question import understand as read

        question = read(query, now=now, known=known)
        if understand or not question.understood:
            return question
        return replace(question, content=question.text, understood=(), filters=None)

    def _foresee(self, question: "Question", stages: Stages) -> None:
        """Work out what marking the answers will need of the question."""
        from retrieval.answering import prepare

        if stages.choice or stages.answers:
            prepare(question, self._analyzer)

    def _hits(self, groups: list[Group], question: "Question", stages: Stages) -> "Iterator[Hit]":
        from retrieval.highlighting import highlights

        for group, (ranked, found) in zip(groups, self._answering(groups, question, stages), strict=True):
            if found is None or not stages.answers:
                yield _hit(group, ranked, None, ())
                continue
            spans = highlights(question, found.normal, self._analyzer) if found.normal is not None else ()
            yield _hit(group, ranked, found.answer, spans)

    def _answering(
        self, groups: list[Group], question: "Question", stages: Stages
    ) -> "list[tuple[Ranked, Found | None]]":
        """Which passage of each article answers, and where in it."""
        from retrieval.answering import find_all

        if not (stages.choice or stages.answers):
            return [(group.best, None) for group in groups]
        ranked = [_contending(group) if stages.choice else [group.best] for group in groups]
        contenders = [
            [_contender(item, group.best.score) for item in items]
            for group, items in zip(groups, ranked, strict=True)
        ]
        found = find_all(question, contenders, [group.best.record.title for group in groups], self._analyzer)
        return [(items[each.place], each) for items, each in zip(ranked, found, strict=True)]


def _hit(group: Group, ranked: Ranked, answer: "Answer | None", spans: tuple[Span, ...]) -> Hit:
    record = ranked.record
    return Hit(
        passage_id=record.id,
        article_id=record.article_id,
        ordinal=record.ordinal,
        title=record.title,
        text=record.text,
        score=group.best.score,
        heading=record.heading,
        url=record.url,
        author=record.author,
        source=record.source,
        published_at=record.published_at,
        categories=record.categories,
        tags=record.tags,
        image=record.image,
        language=record.language,
        path=record.path,
        answer=answer.sentence if answer else None,
        exact_answer=answer.exact if answer else None,
        highlights=spans,
        dense_score=ranked.dense_score,
        lexical_score=ranked.lexical_score,
        duplicates=tuple(group.duplicates),
        newer=group.newer,
        explanation=ranked.explanation,
    )


def _contending(group: Group) -> list[Ranked]:
    """The passages that may stand for an article, in its order."""
    return sorted([group.best, *group.others[: CONTENDERS - 1]], key=lambda item: item.record.ordinal)


def _contender(item: Ranked, best: float) -> "Contender":
    from retrieval.answering import Contender

    record = item.record
    return Contender(record.text, behind(item.score, best), record.ordinal == 0, record.normalised)


def merge_filters(given: Filters | None, understood: Filters | None) -> Filters | None:
    """Both together; where both say something about one field, the given one counts."""
    if given is None or understood is None:
        return given or understood
    return Filters(
        after=given.after if given.after is not None else understood.after,
        before=given.before if given.before is not None else understood.before,
        categories=given.categories or understood.categories,
        authors=given.authors or understood.authors,
        sources=given.sources or understood.sources,
        languages=given.languages or understood.languages,
        article_ids=given.article_ids or understood.article_ids,
    )


def weigh_by_age(ranked: list[Ranked], now: datetime, half_life: float) -> list[Ranked]:
    """Halve each score for every `half_life` days of age, and sort again; undated articles keep theirs."""
    reference = now if now.tzinfo else now.replace(tzinfo=UTC)
    aged = [item._replace(score=item.score * _freshness(item, reference, half_life)) for item in ranked]
    return sorted(aged, key=lambda item: -item.score)


def _freshness(item: Ranked, now: datetime, half_life: float) -> float:
    published = item.record.published_at
    if published is None:
        return 1.0
    moment = published if published.tzinfo else published.replace(tzinfo=UTC)
    days = max(0.0, (now - moment).total_seconds() / 86_400)
    return exp(-log(2) * days / half_life)


def _grouped(ranked: list[Ranked], *, group: bool, fold: bool) -> list[Group]:
    if not group:
        return [Group(item) for item in ranked]
    groups = group_by_article(ranked)
    return fold_duplicates(groups) if fold else groups


def _shown(groups: list[Group], offset: int, top_k: int, *, grouped: bool) -> list[Group]:
    shown = groups[offset : offset + top_k]
    if grouped:
        point_out_newer(shown, groups)
    return shown


def _check(top_k: int, offset: int, threshold: float | None, recency_days: float | None) -> None:
    if top_k < 1:
        raise QueryError(f"top_k must be at least 1, not {top_k}.")
    if offset < 0:
        raise QueryError(f"offset must not be negative, but is {offset}.")
    if threshold is not None and not 0 <= threshold <= 1:
        raise QueryError(f"score_threshold must lie between 0 and 1, not {threshold}.")
    if recency_days is not None and not recency_days > 0:
        raise QueryError(f"recency_days must be greater than 0, not {recency_days}.")
