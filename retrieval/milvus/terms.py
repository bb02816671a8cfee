"""Passages and questions as sparse vectors whose inner product is BM25 over our own analyzer's terms.

A dimension is a term in one field (body, heading, title): 32 bits of its CRC; the document has the
saturated frequency, the question the inverse document frequency times the weights of the term and the
field. This is the scoring of the local index (k1 1.2, b 0.75; Robertson and Zaragoza, "The Probabilistic
Relevance Framework", 2009) but for the mean lengths, which are those of the time when a passage came.
"""

import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from retrieval.lexical.query import LexicalQuery

K1, B = 1.2, 0.75
BODY, HEADING, TITLE = "b", "h", "t"
FIELDS = (BODY, HEADING, TITLE)

NO_TERMS = 2**32 - 2
"""The dimension of a passage without any term: Milvus takes no empty vector. No question has it."""

_DIMENSIONS = 2**32 - 2

Sparse = dict[int, float]
Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class MeanLengths:
    """Terms of the body, the heading and the title of a passage, on average."""

    body: float
    heading: float
    title: float

    @classmethod
    def of(cls, lengths: Sequence[tuple[int, int, int]]) -> "MeanLengths":
        """The means over passages; at least one term each, so that no length is divided by zero."""
        means = np.maximum(np.mean(lengths, axis=0), 1.0) if lengths else np.ones(3)
        return cls(*means.tolist())


@lru_cache(maxsize=500_000)
def dimension(field: str, term: str) -> int:
    """The dimension of a term in a field."""
    return zlib.crc32((field + term).encode("utf-8", "surrogatepass")) % _DIMENSIONS


def document_vector(
    body: Sequence[str], heading: Sequence[str], title: Sequence[str], means: MeanLengths
) -> Sparse:
    """The saturated frequencies of a passage's terms."""
    vector: Sparse = {}
    for field, terms, mean in (
        (BODY, body, means.body), (HEADING, heading, means.heading), (TITLE, title, means.title),
    ):  # fmt: skip
        norm = K1 * (1 - B + B * rounded(len(terms)) / mean)
        for term, count in Counter(terms).items():
            key = dimension(field, term)
            vector[key] = vector.get(key, 0.0) + count * (K1 + 1) / (count + norm)
    return vector or {NO_TERMS: 1.0}


def rounded(length: int) -> int:
    """A length as the local index keeps it, in 8 bits: exact to 40, then in steps of an eighth to a fifth."""
    first, step = 40, 2
    while length >= first + 8 * step:
        first, step = first + 8 * step, 2 * step
    return length if length < first else length - (length - first) % step


def fields_of(query: LexicalQuery) -> list[tuple[str, float]]:
    """The fields that weigh something in a question."""
    weights = zip(FIELDS, (query.body_weight, query.heading_weight, query.title_weight), strict=True)
    return [(field, weight) for field, weight in weights if weight > 0]


def query_dimensions(query: LexicalQuery) -> list[int]:
    """All dimensions of a question, in every field that weighs something."""
    return [dimension(field, term.text) for field, _ in fields_of(query) for term in query.terms]


def query_vector(query: LexicalQuery, frequencies: Mapping[int, int], passages: int) -> Sparse:
    """The weights of a question's terms, for an index in which they have these document frequencies."""
    vector: Sparse = {}
    for field, field_weight in fields_of(query):
        for term in query.terms:
            key = dimension(field, term.text)
            found = frequencies.get(key, 0)
            weight = term.weight * field_weight * idf(found, passages)
            if found and weight > 0:
                vector[key] = vector.get(key, 0.0) + weight
    return vector


def idf(found: int, passages: int) -> float:
    """Inverse document frequency; never negative, even where `found` has outrun `passages`."""
    return float(np.log1p((max(passages - found, 0) + 0.5) / (found + 0.5)))


def occurrences(vectors: Iterable[Sparse]) -> Counter[int]:
    """In how many of these passages each dimension occurs."""
    counts: Counter[int] = Counter()
    for vector in vectors:
        counts.update(vector.keys())
    counts.pop(NO_TERMS, None)
    return counts
