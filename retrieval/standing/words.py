"""Which of many keyword expressions hold for a text: most need a word that does not even begin in it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import pairwise

from retrieval.standing.expressions import Expression


class ExpressionTable:
    """Expressions by their numbers, found again by the first two characters of words that have to occur."""

    def __init__(self, expressions: Mapping[int, Expression]) -> None:
        self._expressions = expressions
        self._by_start: dict[str, set[int]] = defaultdict(set)
        for number, expression in expressions.items():
            for term in _needed(expression):
                self._by_start[term[:2]].add(number)

    def holding(self, text: str) -> Iterator[int]:
        """The numbers of the expressions that hold for a text, in order."""
        contains = lru_cache(maxsize=None)(text.__contains__)
        starts = {*text, *map("".join, pairwise(text))} & self._by_start.keys()
        for number in sorted(set().union(*(self._by_start[start] for start in starts))):
            if self._expressions[number].holds(contains):
                yield number


def _needed(expression: Expression) -> frozenset[str]:
    """Terms of which at least one has to occur for the expression to hold; none where nothing has to."""
    if expression.kind == "term":
        return frozenset((expression.term,))
    if expression.kind == "none":
        return frozenset()
    parts = [_needed(part) for part in expression.parts]
    if expression.kind == "any":
        return _union(parts) if all(parts) else frozenset()
    return min((part for part in parts if part), key=_commonness, default=frozenset())


def _union(parts: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset().union(*parts)


def _commonness(terms: frozenset[str]) -> tuple[int, int]:
    """Few and long terms are the rarest."""
    return len(terms), -min(map(len, terms))
