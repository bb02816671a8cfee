"""Two runs on one data set, question by question: what got better, what worse, and whether it is chance."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from retrieval.evaluation.datasets import Qrels
from retrieval.evaluation.metrics import mean, measure
from retrieval.evaluation.runs import Run, documents


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A question's value before and after, and the rank of its first relevant document (None: not found)."""

    query: str
    before: float
    after: float
    rank_before: int | None
    rank_after: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Means of one metric over all judged questions, the questions that changed (largest change first), and
    the two-sided p-value of a paired randomization test (Smucker, Allan & Carterette 2007)."""

    metric: str
    before: float
    after: float
    better: tuple[Change, ...]
    worse: tuple[Change, ...]
    unchanged: int
    p_value: float


def compare(qrels: Qrels, before: Run, after: Run, *, metric: str = "ndcg_at_10") -> Comparison:
    """Compare two runs by one of metrics.NAMES; a question that a run lacks counts as 0 there."""
    changes = [_change(query, judged, before, after, metric) for query, judged in qrels.items()]
    moved = [change for change in changes if change.before != change.after]
    moved.sort(key=lambda change: -abs(change.after - change.before))
    return Comparison(
        metric=metric,
        before=mean([change.before for change in changes]),
        after=mean([change.after for change in changes]),
        better=tuple(change for change in moved if change.after > change.before),
        worse=tuple(change for change in moved if change.after < change.before),
        unchanged=len(changes) - len(moved),
        p_value=randomization_p(np.array([change.after - change.before for change in moved])),
    )


def randomization_p(differences: np.ndarray, *, samples: int = 10_000, seed: int = 0) -> float:
    """Chance of a mean at least this far from 0 if each difference's sign, shape (n,), were random."""
    if differences.size == 0:
        return 1.0
    observed = abs(float(differences.sum()))
    generator = np.random.default_rng(seed)
    hits = 0
    for _ in range(samples):
        signs = generator.integers(0, 2, differences.size) * 2 - 1
        hits += abs(float((signs * differences).sum())) >= observed - 1e-12
    return (hits + 1) / (samples + 1)


def _change(query: str, judged: Mapping[str, int], before: Run, after: Run, metric: str) -> Change:
    old, new = documents(before.get(query, ())), documents(after.get(query, ()))
    return Change(
        query=query,
        before=measure(old, judged)[metric],
        after=measure(new, judged)[metric],
        rank_before=_first_relevant(old, judged),
        rank_after=_first_relevant(new, judged),
    )


def _first_relevant(ranking: list[str], judged: Mapping[str, int]) -> int | None:
    for rank, document in enumerate(ranking, 1):
        if judged.get(document, 0) > 0:
            return rank
    return None
