"""How tantivy merges the segments that commits leave, foreseen, to commit as much as leaves few of them.

By its log merge policy, segments of about one size (down to 0.6 of the largest, and all of fewer than 10,000
documents) become one as soon as there are eight of them. So it depends on the sizes of the commits how many
there are at the end: of a million documents in commits of 8,000 eleven, in 64 equal ones one.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby
from math import inf, log2

SMALL = 10_000
TOGETHER = 8
WORTH_GATHERING, FINALLY = 3, 2
"""So many small segments are merged by us near the end of a large sync, and at its end."""

_LEVEL = 0.75
_LAST, _LATE = 1_000, 1.0


def merged(sizes: Iterable[int]) -> list[int]:
    """What segments of so many documents become, the largest first."""
    ordered = sorted(sizes, reverse=True)
    tops: list[float] = []
    for size in ordered:
        height = log2(max(size, SMALL))
        top = tops[-1] if tops else inf
        tops.append(height if height < top - _LEVEL else top)
    levels = ([size for _, size in level] for _, level in groupby(zip(tops, ordered, strict=True), _first))
    left = [size for level in levels for size in ([sum(level)] if len(level) >= TOGETHER else level)]
    return ordered if len(left) == len(ordered) else merged(left)


def best_count(segments: Sequence[int], expected: int, least: int, most: int) -> int:
    """In how many equal commits, of `least` to `most` documents, to add most of the `expected` documents to
    these segments, so that few are left, and little is to be merged at the very end: the rest, about as much
    as one has, comes in smaller ones. 0 where there are too few documents for that."""
    counts = range(max(1, -(-expected // most) - 1), expected // least)
    return min(counts, key=lambda count: (_cost(segments, expected, count), count), default=0)


def _cost(segments: Sequence[int], expected: int, count: int) -> float:
    """How many segments there are after so many equal commits, ever smaller ones, and gathering; one more
    if all is merged after the equal ones, when somebody waits for it."""
    size = expected // (count + 1)
    sizes: Sequence[int] = segments
    for _ in range(count):
        sizes = merged([*sizes, size])
    before = Counter(sizes)
    while size > 0:
        size = size // 2 if size > _LAST else 0
        sizes = _gathered(merged([*sizes, size or _LAST // 2]), WORTH_GATHERING if size else FINALLY)
    late = sum((Counter(sizes) - before).elements())
    return len(sizes) + _LATE * late / expected


def _gathered(sizes: Sequence[int], worth: int) -> Sequence[int]:
    small = [size for size in sizes if size < SMALL]
    if len(small) < worth:
        return sizes
    return merged([*(size for size in sizes if size >= SMALL), sum(small)])


def _first(pair: tuple[float, int]) -> float:
    return pair[0]
