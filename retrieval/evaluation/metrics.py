"""Ranking metrics for one question, and their mean with a bootstrap confidence interval.

They agree with trec_eval (the tests hold them to ir-measures): a gain above zero counts as relevant, nDCG is
linear in the gain with log2 discount (Järvelin & Kekäläinen 2002).
"""

from collections.abc import Mapping, Sequence
from math import log2

import numpy as np

NAMES = ("ndcg_at_10", "recall_at_1", "recall_at_10", "mrr_at_10")


def ndcg(ranking: Sequence[str], judged: Mapping[str, int], k: int = 10) -> float:
    """Normalised discounted cumulative gain of the first k; 0 where nothing relevant was judged."""
    gains = [max(judged.get(document, 0), 0) for document in ranking[:k]]
    ideal = sorted((gain for gain in judged.values() if gain > 0), reverse=True)[:k]
    best = _discounted(ideal)
    return _discounted(gains) / best if best else 0.0


def recall(ranking: Sequence[str], judged: Mapping[str, int], k: int) -> float:
    """Share of the relevant documents that are among the first k; 0 where nothing relevant was judged."""
    relevant = {document for document, gain in judged.items() if gain > 0}
    return len(relevant.intersection(ranking[:k])) / len(relevant) if relevant else 0.0


def reciprocal_rank(ranking: Sequence[str], judged: Mapping[str, int], k: int = 10) -> float:
    """1 / rank of the first relevant document among the first k, or 0."""
    for rank, document in enumerate(ranking[:k], 1):
        if judged.get(document, 0) > 0:
            return 1.0 / rank
    return 0.0


def measure(ranking: Sequence[str], judged: Mapping[str, int]) -> dict[str, float]:
    """All of NAMES for one question."""
    return {
        "ndcg_at_10": ndcg(ranking, judged, 10),
        "recall_at_1": recall(ranking, judged, 1),
        "recall_at_10": recall(ranking, judged, 10),
        "mrr_at_10": reciprocal_rank(ranking, judged, 10),
    }


def mean(values: Sequence[float]) -> float:
    """Arithmetic mean, 0 of nothing."""
    return float(np.mean(values)) if len(values) else 0.0


def bootstrap_interval(
    values: Sequence[float], *, confidence: float = 0.95, samples: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean over questions (Efron 1979); deterministic for a seed."""
    data = np.asarray(values, dtype=np.float64)
    if data.size == 0:
        return 0.0, 0.0
    generator = np.random.default_rng(seed)
    means = np.array([data[generator.integers(0, data.size, data.size)].mean() for _ in range(samples)])
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(means, [tail, 1.0 - tail])
    return float(low), float(high)


def _discounted(gains: Sequence[int]) -> float:
    return sum(gain / log2(rank + 1) for rank, gain in enumerate(gains, 1))
