"""Document frequencies on the server: a table in buckets, and the changes of commits that are not in it yet.

A commit adds rows with what it changes (kind PLUS or MINUS, under its position), visible once the head has
reached that position. Folding adds them to the buckets; each bucket remembers the position up to which it
has them, so that a fold that was broken off can be repeated. Readers look at buckets only: idf follows
each finished sync.
"""

import base64
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from retrieval.milvus.client import Row, Server
from retrieval.milvus.filters import numbers
from retrieval.milvus.schema import blank

BUCKETS = 16_384
PER_ROW = 6_000
"""Pairs of 8 bytes that fit a VARCHAR in base 64."""

_BUCKET, _PLUS, _MINUS = 0, 1, 2
_LOG = 1 << 40
"""Rows of changes are numbered from here on."""

_ROWS_PER_COMMIT = 4_096
_AT_ONCE = 1_000
_FIELDS = ("id", "kind", "position", "counts")

Pairs = NDArray[np.uint32]
"""Dimensions and counts: shape (n, 2)."""

Change = tuple[int, int, int]
"""Position, dimension and by how much its count changes."""


class Frequencies:
    """What a reader asks; buckets are remembered until the table changes. Used by several threads."""

    def __init__(self, server: Server, collection: str) -> None:
        self._server = server
        self._collection = collection
        self._known: tuple[int, dict[int, dict[int, int]]] = (-1, {})

    def of(self, dimensions: Sequence[int], *, folded: int) -> dict[int, int]:
        """The counts of those dimensions that occur, in the table as folded up to a position."""
        known, buckets = self._known
        if known != folded or len(buckets) > BUCKETS // 2:
            buckets = {}
            self._known = (folded, buckets)
        missing = sorted({key % BUCKETS for key in dimensions} - buckets.keys())
        for start in range(0, len(missing), _AT_ONCE):
            asked = missing[start : start + _AT_ONCE]
            rows = self._server.query(self._collection, f"id in {numbers(asked)}", _FIELDS)
            stored = {row["id"]: dict(unpack(row["counts"]).tolist()) for row in rows}
            buckets.update({number: stored.get(number, {}) for number in asked})
        return {key: found for key in dimensions if (found := buckets[key % BUCKETS].get(key, 0)) > 0}


def log(server: Server, collection: str, plus: Counter[int], minus: Counter[int], *, position: int) -> int:
    """Write down what a commit changes, before the head reaches `position`; how many pairs that were."""
    rows: list[Row] = []
    for kind, counts in ((_PLUS, plus), (_MINUS, minus)):
        pairs = np.array(sorted(counts.items()), dtype=np.uint32).reshape(-1, 2)
        for start in range(0, len(pairs), PER_ROW):
            number = _LOG + position * _ROWS_PER_COMMIT + len(rows)
            rows.append(_row(number, kind, position, pairs[start : start + PER_ROW]))
    server.upsert(collection, rows)
    return len(plus) + len(minus)


def forget(server: Server, collection: str, *, after: int) -> None:
    """Drop what was written for commits that never came."""
    server.delete(collection, f"id >= {_LOG} and position > {after}")


def fold(server: Server, collection: str, *, since: int, until: int) -> None:
    """Add the changes of the positions after `since`, up to `until`, to the buckets; may be repeated."""
    changes: dict[int, list[Change]] = {}
    for position in range(since + 1, until + 1):
        for key, change in _logged(server, collection, position).items():
            changes.setdefault(key % BUCKETS, []).append((position, key, change))
    touched = sorted(changes)
    for start in range(0, len(touched), _AT_ONCE):
        asked = touched[start : start + _AT_ONCE]
        found = server.newest(collection, f"id in {numbers(asked)}", _FIELDS)
        stored = {row["id"]: row for row in found}
        server.upsert(collection, [_folded(stored.get(n), n, changes[n], until) for n in asked])


def clear_log(server: Server, collection: str, *, until: int) -> None:
    """Drop the changes that were folded in."""
    server.delete(collection, f"id >= {_LOG} and position <= {until}")


def table(server: Server, collection: str) -> dict[int, int]:
    """The whole table, for checking."""
    found: dict[int, int] = {}
    for start in range(0, BUCKETS, _AT_ONCE):
        rows = server.newest(collection, f"id >= {start} and id < {start + _AT_ONCE}", _FIELDS)
        for row in rows:
            found.update(unpack(row["counts"]).tolist())
    return found


def write_table(server: Server, collection: str, counts: Mapping[int, int], *, position: int) -> None:
    """Replace the whole table, as of a position."""
    by_bucket: dict[int, dict[int, int]] = {}
    for key, count in counts.items():
        by_bucket.setdefault(key % BUCKETS, {})[key] = count
    server.delete(collection, "id >= 0")
    buckets = sorted(by_bucket)
    for start in range(0, len(buckets), _AT_ONCE):
        asked = buckets[start : start + _AT_ONCE]
        server.upsert(collection, [_row(n, _BUCKET, position, _pairs(by_bucket[n])) for n in asked])


def pack(pairs: Pairs) -> str:
    """Pairs as a text."""
    return base64.b64encode(pairs.astype("<u4").tobytes()).decode("ascii")


def unpack(text: str) -> Pairs:
    """The inverse of `pack`."""
    return np.frombuffer(base64.b64decode(text), dtype="<u4").reshape(-1, 2).astype(np.uint32)


def _logged(server: Server, collection: str, position: int) -> Counter[int]:
    """What the commit of one position changed."""
    first = _LOG + position * _ROWS_PER_COMMIT
    rows = server.newest(collection, f"id >= {first} and id < {first + _ROWS_PER_COMMIT}", _FIELDS)
    counter: Counter[int] = Counter()
    for row in rows:
        sign = 1 if row["kind"] == _PLUS else -1
        for key, count in unpack(row["counts"]).tolist():
            counter[key] += sign * count
    return counter


def _folded(row: Row | None, bucket: int, changes: Sequence[Change], until: int) -> Row:
    counts: Counter[int] = Counter(dict(unpack(row["counts"]).tolist()) if row else {})
    reached = row["position"] if row else 0
    for position, key, change in changes:
        if position > reached:
            counts[key] += change
    return _row(bucket, _BUCKET, until, _pairs(counts))


def _pairs(counts: Mapping[int, int]) -> Pairs:
    kept = sorted((key, count) for key, count in counts.items() if count > 0)
    return np.array(kept[:PER_ROW], dtype=np.uint32).reshape(-1, 2)


def _row(number: int, kind: int, position: int, pairs: Pairs) -> Row:
    return {"id": number, "kind": kind, "position": position, "counts": pack(pairs), **blank()}
