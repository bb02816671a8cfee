"""Weighing a small index anew when the mean lengths of its passages have moved.

The mean lengths are part of each passage's weights, and taken from the first commit. In a small index they
move with every article; beyond EXACT_UP_TO passages they stay, which costs less than weighing all again.
"""

from collections.abc import Mapping, Sequence

from retrieval.lexical.analyzer import Analyzer
from retrieval.milvus.client import Row, Server
from retrieval.milvus.head import Head
from retrieval.milvus.library import MilvusLibrary
from retrieval.milvus.rows import PASSAGE, Card
from retrieval.milvus.schema import Collections
from retrieval.milvus.terms import MeanLengths, document_vector

EXACT_UP_TO = 1_000
_MOVED = 0.001
_FIELDS = (*PASSAGE, "day", "facets", "dense")

Terms = tuple[list[str], list[str], list[str]]
"""The terms of body, heading and title."""


def weigh_anew(server: Server, names: Collections, head: Head, analyzer: Analyzer) -> MeanLengths | None:
    """Give all passages the weights of their mean lengths; those, or None where they have not moved.

    Passages keep their numbers: a question asked meanwhile sees some with the old weights, some with the new.
    """
    rows = server.newest(names.passages, f"id < {head.next.passages}", _FIELDS)
    cards = MilvusLibrary(server, names, lambda: head).cards_by_digest(row["article"] for row in rows)
    terms = [_terms(row, cards, analyzer) for row in rows]
    means = MeanLengths.of([(len(body), len(heading), len(title)) for body, heading, title in terms])
    if head.mean_lengths is not None and not _moved(head.mean_lengths, means):
        return None
    changed = [
        {**row, "sparse": document_vector(*each, means)} for row, each in zip(rows, terms, strict=True)
    ]
    server.upsert(names.passages, changed)
    return means


def _terms(row: Row, cards: Mapping[int, Card], analyzer: Analyzer) -> Terms:
    title = cards[row["article"]].article.title if row["article"] in cards else ""
    body, heading, named = (
        terms.split() for _, terms in analyzer.analyse([row["text"], row["heading"], title])
    )
    return body, heading, named


def _moved(before: Sequence[float], now: MeanLengths) -> bool:
    pairs = zip(before, (now.body, now.heading, now.title), strict=True)
    return any(abs(new - old) > _MOVED * old for old, new in pairs)
