"""Rows on their way to the server: passages as sparse vectors, and pieces that a server takes at once."""

from collections.abc import Iterator, Sequence

import numpy as np

from retrieval.milvus.client import Row
from retrieval.milvus.terms import MeanLengths, Sparse, document_vector
from retrieval.preparation import Prepared, bodies_of

MOST_BYTES = 8 * 1024 * 1024
"""Of one insert, roughly; servers take 64 MB."""

MOST_ROWS = 2_000


def chunks(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Rows in pieces that a server takes at once."""
    piece: list[Row] = []
    size = 0
    for row in rows:
        weight = _bytes(row)
        if piece and (size + weight > MOST_BYTES or len(piece) >= MOST_ROWS):
            yield piece
            piece, size = [], 0
        piece.append(row)
        size += weight
    if piece:
        yield piece


def _bytes(row: Row) -> int:
    """About what a row weighs on the way."""
    weight = 64
    for value in row.values():
        if isinstance(value, str):
            weight += 3 * len(value)
        elif isinstance(value, dict):
            weight += 8 * len(value)
        elif isinstance(value, np.ndarray):
            weight += value.nbytes
    return weight


def sparse_of(prepared: Prepared, means: MeanLengths) -> Iterator[Sparse]:
    """The terms of an article's passages, as vectors."""
    title = prepared.title.split()
    (bodies,) = bodies_of([prepared])
    for body, heading in zip(bodies, prepared.headings, strict=True):
        yield document_vector(body.split(), heading.split(), title, means)


def lengths_of(prepared: Sequence[Prepared]) -> list[tuple[int, int, int]]:
    """How many terms each passage of the articles has: body, heading, title."""
    return [
        (body.count(" ") + 1, len(heading.split()), len(each.title.split()))
        for each, bodies in zip(prepared, bodies_of(prepared), strict=True)
        for body, heading in zip(bodies, each.headings, strict=True)
    ]
