"""What can be wrong with a local index: the store's invariants, and how its derived indexes follow it."""

from collections.abc import Iterator

import numpy as np

from retrieval.errors import RetrievalError
from retrieval.local import LocalIndex
from retrieval.storage.reading import Reader

_BLOCK = 16384
_UNIT_ERROR = 1e-2

_INVARIANTS = {
    "passages without an article": (
        "SELECT count(*) FROM passages AS p LEFT JOIN articles AS a ON a.key = p.article "
        "WHERE a.key IS NULL OR p.id NOT BETWEEN a.first_passage AND a.last_passage"
    ),
    "passages without a vector": (
        "SELECT count(*) FROM passages AS p LEFT JOIN vectors AS v ON v.passage = p.id "
        "WHERE v.passage IS NULL"
    ),
    "vectors without a passage": (
        "SELECT count(*) FROM vectors AS v LEFT JOIN passages AS p ON p.id = v.passage WHERE p.id IS NULL"
    ),
    "articles whose passages are incomplete": (
        "SELECT count(*) FROM articles AS a WHERE a.first_passage IS NOT NULL AND "
        "a.last_passage - a.first_passage + 1 != (SELECT count(*) FROM passages AS p "
        "WHERE p.id BETWEEN a.first_passage AND a.last_passage AND p.article = a.key)"
    ),
    "articles without a text": (
        "SELECT count(*) FROM articles AS a LEFT JOIN texts AS t ON t.article = a.key WHERE t.article IS NULL"
    ),
    "duplicates of an article that is not stored": (
        "SELECT count(*) FROM articles AS a JOIN articles AS o ON o.key = a.duplicate_of "
        "WHERE o.duplicate_of IS NOT NULL"
    ),
    "texts without an article": (
        "SELECT count(*) FROM texts AS t LEFT JOIN articles AS a ON a.key = t.article WHERE a.key IS NULL"
    ),
}
"""What must be 0, and how it is counted."""


def problems(index: LocalIndex) -> tuple[list[str], list[str]]:
    """What is wrong with the derived indexes, and with the store."""
    reader = index.store.reader()
    with reader.snapshot():
        unsound = [*_damage(reader), *_broken_invariants(reader), *_bad_vectors(reader, index.dimension)]
        if unsound:
            return [], unsound
        return [*_vector_problems(index, reader), *_lexical_problems(index, reader)], unsound


def _damage(reader: Reader) -> Iterator[str]:
    for (line,) in reader.rows("PRAGMA integrity_check(10)"):
        if line != "ok":
            yield f"SQLite reports: {line}"


def _broken_invariants(reader: Reader) -> Iterator[str]:
    for name, sql in _INVARIANTS.items():
        ((count,),) = reader.rows(sql)
        if count:
            yield f"{count:,} {name}"
    state = reader.state()
    ((articles, passages),) = reader.rows(
        "SELECT (SELECT count(*) FROM articles), (SELECT count(*) FROM passages)"
    )
    if (articles, passages) != (state.articles, state.passages):
        counted = f"{state.articles:,} and {state.passages:,}"
        yield f"{articles:,} articles and {passages:,} passages, but {counted} are counted"


def _bad_vectors(reader: Reader, dimension: int) -> Iterator[str]:
    ((first, last),) = reader.rows("SELECT min(passage), max(passage) FROM vectors")
    if first is None:
        return
    ((wrong,),) = reader.rows("SELECT count(*) FROM vectors WHERE length(vector) != ?", (2 * dimension,))
    if wrong:
        yield f"{wrong:,} vectors of another dimension than {dimension}"
        return
    bad = 0
    for start in range(first, last + 1, _BLOCK):
        _, block = reader.vectors_between(start, start + _BLOCK - 1, dimension)
        lengths = np.linalg.norm(block, axis=1)
        bad += int(np.sum(~(np.isfinite(lengths) & ((np.abs(lengths - 1) < _UNIT_ERROR) | (lengths == 0)))))
    if bad:
        yield f"{bad:,} vectors that are neither of length 1 nor 0"


def _vector_problems(index: LocalIndex, reader: Reader) -> Iterator[str]:
    state = reader.state()
    try:
        vectors = index.vectors(reader, state.position)
    except RetrievalError as error:
        yield str(error)
        return
    stored = np.array(
        [key for (key,) in reader.rows("SELECT passage FROM vectors ORDER BY passage")], dtype=np.int64
    )
    missing = int(np.sum(~vectors.contains(stored)))
    if missing:
        yield f"{missing:,} passages are missing in the vector index"
    extra = len(vectors) - (len(stored) - missing)
    if extra:
        yield f"{extra:,} passages of the vector index are gone from the store"
    for start in range(0, len(stored), _BLOCK):
        ids = stored[start : start + _BLOCK]
        _, expected = reader.vectors_between(int(ids[0]), int(ids[-1]), index.dimension)
        if not np.array_equal(expected, vectors.vectors(ids)):
            yield "vectors in the vector index differ from those in the store"
            return


def _lexical_problems(index: LocalIndex, reader: Reader) -> Iterator[str]:
    state = reader.state()
    try:
        lexical = index.lexical(state.position)
    except RetrievalError as error:
        yield str(error)
        return
    if lexical.position != state.position:
        yield f"the lexical index is at change {lexical.position:,}, the store at {state.position:,}"
    if lexical.count != state.passages:
        yield f"the lexical index has {lexical.count:,} passages, the store {state.passages:,}"
