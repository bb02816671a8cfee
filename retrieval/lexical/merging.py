"""How tantivy merges the segments that commits leave, foreseen, to commit as much as leaves few of them.

By its log merge policy, segments of about one size (down to 0.6 of the largest, and all of fewer than 10,000
documents) become one as soon as there are eight of them. So it depends on the sizes of the commits how many
there are at the end: of a million documents in commits of 8,000 eleven, in 64 equal ones one.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from math import inf, log2

SMALL = 10_000
TOGETHER = 8
WORTH_GATHERING, FINALLY = 3, 2
"""So many small segments are merged by us near the end of a large sync, and at its end."""

_LEVEL = 0.75
_MANY = 32


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
    these segments, so that few are left besides small ones: the rest, about as much as one commit has, comes
    in smaller ones. 0 where there are too few documents for that."""
    first, end = max(1, -(-expected // most) - 1), expected // least
    # Among many counts the good ones are multiples of eight, give or take the four commits that come first.
    counts = range(first, end) if first < _MANY else range(first // 4 * 4 + 4, end, 4)
    return min(counts, key=lambda count: (_large(segments, expected // (count + 1), count), count), default=0)


def _large(segments: Sequence[int], size: int, count: int) -> int:
    """How many segments that are not small there are after so many commits of one size."""
    sizes = list(segments)
    for _ in range(count):
        sizes = merged([*sizes, size])
    return sum(size >= SMALL for size in sizes)


def _first(pair: tuple[float, int]) -> float:
    return pair[0]
