"""The stages of ranking in order: candidates from both sides, fusion, the learned stage, calibrated
scores."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import isnan
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from embeddings.encoder import Encoder, QuickEncoder
from retrieval.backend import Backend, Candidates, PassageRecord
from retrieval.errors import QueryError
from retrieval.question import Question
from retrieval.ranking.background import load_background
from retrieval.ranking.calibration import Calibration, default_calibration
from retrieval.ranking.closeness import closeness
from retrieval.ranking.coverage import columns_of
from retrieval.ranking.features import Batch, Features, extract
from retrieval.ranking.fusion import fuse
from retrieval.ranking.matching import Grams
from retrieval.ranking.model import load_model
from retrieval.ranking.stages import Stages
from retrieval.ranking.weighting import GramWeights, weigh
from retrieval.types import Filters

if TYPE_CHECKING:
    from retrieval.lexical.analyzer import Analyzer

Floats = NDArray[np.float64]
Mode = Literal["hybrid", "dense", "lexical"]

MODES: tuple[Mode, ...] = ("hybrid", "dense", "lexical")
DENSE_CANDIDATES = 50
"""The dense side brings at most this many candidates beside the lexical ones."""

_KEPT = 0.5
"""The second stage looks at this share of `depth`, the best of both sides fused."""

CROSS_ENCODED = 30
"""A cross-encoder, which is slow, sees this many of the first."""


class CrossEncoder(Protocol):
    """Scores question and passage together; `embeddings.cross_encoder` has one."""

    def score(self, query: str, passages: Sequence[str]) -> NDArray[np.float32]:
        """Relevance of each passage: shape (len(passages),)."""


class Ranked(NamedTuple):
    """A passage in its place: calibrated score 0 to 1, the raw parts, and, if asked for, what each stage
    gave."""

    record: PassageRecord
    score: float
    dense_score: float | None
    lexical_score: float | None
    explanation: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Pool:
    """All candidates: ids and both sides' raw scores, shape (n,); NaN where a side did not see one. `vector`
    is the question's, None where the dense side is off or finds nothing in it."""

    ids: NDArray[np.int64]
    lexical: Floats
    dense: Floats
    vector: NDArray[np.float32] | None = None

    def only(self, positions: NDArray[np.int64]) -> "Pool":
        """These candidates, in this order."""
        return Pool(self.ids[positions], self.lexical[positions], self.dense[positions], self.vector)


@dataclass(frozen=True, slots=True)
class Examined:
    """What the second stage saw: candidates, features, the scores of each stage ("final" orders them)."""

    records: Sequence[PassageRecord]
    pool: Pool
    features: Features
    scores: Mapping[str, Floats]
    weights: GramWeights


class Ranker:
    """Ranks the passages of a Backend for a question. Safe to share between threads."""

    def __init__(
        self,
        analyzer: "Analyzer",
        encoder: Encoder,
        *,
        calibration: Calibration | None = None,
        stages: Stages | None = None,
        cross_encoder: CrossEncoder | None = None,
    ) -> None:
        self._analyzer = analyzer
        self._encoder = encoder
        self._quick = encoder if isinstance(encoder, QuickEncoder) else None
        self._calibration = calibration or default_calibration()
        self._stages = stages or Stages()
        self._cross_encoder = cross_encoder

    @property
    def calibration(self) -> Calibration:
        """What turns evidence into scores, and the threshold for an answer."""
        return self._calibration

    def rank(
        self,
        question: Question,
        backend: Backend,
        *,
        filters: Filters | None = None,
        depth: int = 100,
        mode: str = "hybrid",
        stages: Stages | None = None,
        explain: bool = False,
        meanwhile: Callable[[], object] | None = None,
    ) -> list[Ranked]:
        """The best passages for a question, best first: up to `depth` of the lexical side, and the dense
        side's. See `examine` for `meanwhile`.

        Raises QueryError for an unknown mode.
        """
        if mode not in MODES:
            raise QueryError(f"there is no mode {mode!r}; the modes are {', '.join(MODES)}.")
        stages = stages or self._stages
        if mode == "hybrid":
            examined = self.examine(
                question, backend, filters=filters, depth=depth, stages=stages, meanwhile=meanwhile
            )
            return self._both_sides(examined, stages, explain=explain) if examined else []
        pool = self._seek(
            question.content, backend, filters, depth, dense=mode == "dense", lexical=mode == "lexical"
        )()
        return self._one_side(pool, backend, mode) if len(pool.ids) else []

    def _seek(
        self,
        content: str,
        backend: Backend,
        filters: Filters | None,
        depth: int,
        *,
        dense: bool,
        lexical: bool,
    ) -> Callable[[], Pool]:
        """Look for candidates on the lexical side, while the other side is begun; a call gives both."""
        vector = cache(lambda: self._encoder.encode_queries([content])[0])
        query = self._analyzer.query(content) if lexical else None
        count = min(depth, DENSE_CANDIDATES) if lexical else depth
        by_vector = backend.begin_dense(vector, count, filters) if dense else _nothing
        by_terms = backend.lexical(query, depth, filters) if query and query.terms else _nothing()

        def found() -> Pool:
            nearest = by_vector()
            if not dense or not vector().any():  # nothing is near a vector of zeros
                return _merged(by_terms, _nothing(), None, backend)
            return _merged(by_terms, nearest, vector(), backend)

        return found

    def _one_side(self, pool: Pool, backend: Backend, mode: str) -> list[Ranked]:
        """Rank by one side alone. Cosine is a score already; BM25 is scaled by what it is half-way at."""
        raw = pool.dense if mode == "dense" else pool.lexical
        scores = np.clip(raw, 0.0, 1.0) if mode == "dense" else raw / (raw + _LEXICAL_HALF)
        order = np.argsort(-raw, kind="stable")
        records = backend.records(pool.ids[order])
        kept = _positions(pool.ids, records)
        return _assemble(records, pool.only(kept), np.arange(len(records)), scores[kept], None)

    def examine(
        self,
        question: Question,
        backend: Backend,
        *,
        filters: Filters | None = None,
        depth: int = 100,
        stages: Stages | None = None,
        meanwhile: Callable[[], object] | None = None,
    ) -> Examined | None:
        """The candidates of both sides with their features and scores; None where there are none. `meanwhile`
        is called while they are looked for."""
        stages = stages or self._stages
        found = self._seek(
            question.content, backend, filters, depth, dense=stages.dense, lexical=stages.lexical
        )
        # What needs no candidates is worked out while they are looked for.
        content = self._analyzer.content(question.content)
        if not content:  # nothing but punctuation or emoji
            content = (self._analyzer.normalise(question.content).text.strip() or "?",)
        grams = Grams(content, [word for run in content for word in self._analyzer.words(run)])
        weights = weigh(grams, backend.document_frequencies, backend.passage_count, load_background())
        grams.prepare()
        columns_of(weights)
        if meanwhile is not None:
            meanwhile()
        pool = found()
        if len(pool.ids) > _KEPT * depth:
            fused = fuse(pool.lexical, pool.dense)
            pool = pool.only(np.argsort(-fused, kind="stable")[: int(_KEPT * depth)])
        records = backend.records(pool.ids) if len(pool.ids) else []
        if not records:
            return None
        pool = pool.only(_positions(pool.ids, records))
        batch = self._batch(records, pool)
        features = extract(grams, weights, batch)
        close = None if stages.reranking else self._close(pool, content, batch)
        fused = fuse(pool.lexical, pool.dense, close)
        learned = load_model().scores(features) if stages.reranking else fused * _FUSED_ODDS
        scores = learned
        if stages.cross_encoder and self._cross_encoder is not None:
            scores = _judged_together(self._cross_encoder, question.content, records, scores)
        return Examined(
            records, pool, features, {"fusion": fused, "learned": learned, "final": scores}, weights
        )

    def _close(self, pool: Pool, content: Sequence[str], batch: Batch) -> Floats | None:
        """How close the question is to what the candidates say; None where the encoder is not read again.

        Only fusion has a use for it: the learned stage, which sees sentences and titles itself, gains nothing
        by it that could be told from chance.
        """
        if pool.vector is None or self._quick is None:
            return None
        scores = fuse(pool.lexical, pool.dense)
        return closeness(self._quick, pool.vector, content, batch.texts, batch.titles, scores)

    def _both_sides(self, examined: Examined, stages: Stages, *, explain: bool) -> list[Ranked]:
        scores = examined.scores["final"]
        parts: dict[str, Floats] | None = None
        if explain:
            parts = dict(examined.scores)
            parts |= load_model().parts(examined.features) if stages.reranking else {}
        calibrated = self._calibration.scores(examined.features, scores)
        order = np.argsort(-scores, kind="stable")
        return _assemble(examined.records, examined.pool, order, calibrated, parts)

    def _batch(self, records: Sequence[PassageRecord], pool: Pool) -> Batch:
        numbers = {key: number for number, key in enumerate(dict.fromkeys(r.article_id for r in records))}
        headings = self._normal([record.heading for record in records])
        texts = [record.text if record.normalised is None else record.normalised for record in records]
        return Batch(
            texts=[f"{head}\n{text}" if head else text for head, text in zip(headings, texts, strict=True)],
            titles=self._normal([record.title for record in records]),
            articles=np.array([numbers[record.article_id] for record in records]),
            ordinals=[record.ordinal for record in records],
            lexical=pool.lexical,
            dense=pool.dense,
        )

    def _normal(self, lines: Sequence[str]) -> list[str]:
        """Normal forms of many short texts, each made once."""
        distinct = [line for line in dict.fromkeys(lines) if line]
        forms = self._analyzer.normal_forms([line.replace("\n", " ") for line in distinct])
        normal = dict(zip(distinct, forms, strict=True))
        return [normal.get(line, "") for line in lines]


def _judged_together(
    cross_encoder: CrossEncoder, question: str, records: Sequence[PassageRecord], scores: Floats
) -> Floats:
    """The first candidates in the cross-encoder's order, still before all others."""
    first = np.argsort(-scores, kind="stable")[:CROSS_ENCODED]
    texts = [f"{records[index].title}\n{records[index].text}".strip() for index in first.tolist()]
    judged = np.asarray(cross_encoder.score(question, texts), dtype=np.float64)
    behind = float(scores[first].min())
    scores = scores.copy()
    scores[first] = behind + judged - judged.min()
    return scores


_LEXICAL_HALF = 20.0
_FUSED_ODDS = 10.0
"""Fused scores lie between 0 and 1; times this they spread about as wide as the model's."""


def _nothing() -> Candidates:
    return Candidates(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32))


def _merged(
    lexical: Candidates, dense: Candidates, vector: NDArray[np.float32] | None, backend: Backend
) -> Pool:
    """The union of both sides' candidates; similarities of all of them, since stored vectors are at hand."""
    places = {number: place for place, number in enumerate(lexical.ids.tolist())}
    of_dense = [places.setdefault(number, len(places)) for number in dense.ids.tolist()]
    ids = np.array(list(places), dtype=np.int64)
    by_terms, by_vector = np.full(len(ids), np.nan), np.full(len(ids), np.nan)
    by_terms[: len(lexical.ids)] = lexical.scores
    by_vector[of_dense] = dense.scores
    if vector is not None and len(ids):
        unseen = np.isnan(by_vector)
        by_vector[unseen] = backend.vectors(ids[unseen]) @ vector
    return Pool(ids, by_terms, by_vector, vector)


def _positions(ids: NDArray[np.int64], records: Sequence[PassageRecord]) -> NDArray[np.int64]:
    """Where in `ids` each record's id stands: records may lack some that are gone."""
    places = {number: place for place, number in enumerate(ids.tolist())}
    return np.array([places[record.id] for record in records], dtype=np.int64)


def _assemble(
    records: Sequence[PassageRecord],
    pool: Pool,
    order: NDArray[np.int64],
    scores: Floats,
    parts: Mapping[str, Floats] | None,
) -> list[Ranked]:
    places = order.tolist()
    explained = (
        [None] * len(places)
        if parts is None
        else [{name: float(part[place]) for name, part in parts.items()} for place in places]
    )
    return [
        Ranked(records[place], score, _known(by_vector), _known(by_terms), explanation)
        for place, score, by_vector, by_terms, explanation in zip(
            places,
            scores[order].tolist(),
            pool.dense[order].tolist(),
            pool.lexical[order].tolist(),
            explained,
            strict=True,
        )
    ]


def _known(value: float) -> float | None:
    return None if isnan(value) else value
