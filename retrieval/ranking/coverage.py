"""How much of a question each candidate covers: its n-grams and words side by side, worked out in one pass.

All n-grams of levels 1 to LEVELS, and the words after them, are the columns of one table; each level, and
the words, are a group of neighbouring columns. A group's feature is a weighted sum over its columns, so
features of all groups are one product with weights that are 0 outside their group's columns: shape
(columns, groups).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.ranking.matching import Grams, Matches
from retrieval.ranking.symbols import is_word
from retrieval.ranking.weighting import GramWeights

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEVELS = 4
"""n-grams of 1 to 4 symbols have features of their own."""

GROUPS = (*(str(level) for level in range(1, LEVELS + 1)), "word")
_WORDS = LEVELS
"""The place of the words among the groups."""

_K1, _B = 1.2, 0.75
_TYPICAL_PASSAGE, _TYPICAL_ARTICLE = 250.0, 400.0
_LONGEST_ARTICLE = 2000.0
_PRODUCT = 200_000
"""A product of more multiplications would be shared by BLAS between threads that wait by spinning."""


class Columns:
    """The columns of a question's n-grams and words, and their weights.

    `of[group]` is the slice of a group's columns. `raw` are the weights, `shares` the same as shares of the
    group's sum, `squares` and `keys` shares of their squares and eighth powers: all (columns, groups).
    """

    def __init__(self, weights: GramWeights) -> None:
        levels = [weights.levels[n] if n < len(weights.levels) else np.zeros(0) for n in range(LEVELS)]
        groups = [*levels, weights.words]
        ends = np.cumsum([len(group) for group in groups]).tolist()
        self.of = [slice(end - len(group), end) for group, end in zip(groups, ends, strict=True)]
        self.count: int = ends[-1]
        values = np.concatenate(groups)
        own = np.zeros((self.count, len(GROUPS)))
        for number, columns in enumerate(self.of):
            own[columns, number] = 1.0
        self.raw = own * values[:, None]
        self.shares = _shares(own, values)
        self.squares = _shares(own, values**2)
        self.keys = _shares(own, values**8)


columns_of: Callable[[GramWeights], Columns] = lru_cache(maxsize=16)(Columns)
"""The columns of a question; those of the last ones are remembered, so that they can be made ahead."""


@dataclass(frozen=True, slots=True)
class Table:
    """What was found of each column: how often in each candidate, whether in its title, both of shape
    (candidates, columns), and whether in each sentence, 0 or 1: (sentences, columns). `sentences` counts
    those of each candidate."""

    columns: Columns
    counts: Ints
    in_title: NDArray[np.bool_]
    in_sentences: NDArray[np.float32]
    first_sentence: Ints
    sentences: Ints
    lengths: Ints


def table(grams: Grams, weights: GramWeights, matches: Matches, count: int) -> Table:
    """The table of `count` candidates, whose texts `matches` has first, then, if any has one, the titles."""
    columns = columns_of(weights)
    width = columns.count
    found = [matches.at_level(level) for level in range(1, min(LEVELS, len(grams.levels)) + 1)]
    starts = [columns.of[number].start for number in range(len(found))]
    if grams.words:
        found.append(matches.of_words())
        starts.append(columns.of[_WORDS].start)
    texts = np.concatenate([part.texts for part in found])
    numbers = np.concatenate([part.grams + start for part, start in zip(found, starts, strict=True)])
    counts = np.bincount(texts * width + numbers, minlength=matches.count * width).reshape(-1, width)
    inside = np.zeros((matches.chain.sentences, width), dtype=np.float32)
    inside[np.concatenate([part.sentences for part in found]), numbers] = 1.0
    titled = matches.count > count
    firsts = np.append(matches.chain.first_sentence, len(inside))[: count + 1]
    return Table(
        columns,
        counts[:count],
        counts[count:] > 0 if titled else np.zeros((count, width), dtype=np.bool_),
        inside[: firsts[count]],
        firsts[:count],
        firsts[1:] - firsts[:-1],
        matches.chain.lengths[:count],
    )


def coverage(found: Table, articles: Ints) -> dict[str, Floats]:
    """For each group the saturated frequency of what was found, and what of the group's weight the passage,
    its best sentence, its best two neighbouring sentences, its title and its article cover."""
    columns = found.columns
    present = found.counts > 0
    either = present | found.in_title
    # All values are finite. BLAS, which may look beyond the end of a row, was seen to complain all the same.
    with np.errstate(invalid="ignore"):
        sentence, window = _proximity(found)
        together = _together(found)
    saturated = _saturated(found.counts, found.lengths, _TYPICAL_PASSAGE)
    features = {
        "frequency": saturated @ columns.raw,
        "passage": present @ columns.shares,
        "rare": present @ columns.squares,
        "sentence": sentence,
        "window": window,
        "title": found.in_title @ columns.shares,
        "either": either @ columns.shares,
        "key": either @ columns.keys,
        **_article(found, articles),
    }
    named = {
        f"{name}_{group}": values[:, number]
        for name, values in features.items()
        for number, group in enumerate(GROUPS)
    }
    return named | {"together_word": together}


def explained(grams: Grams, found: Table, articles: Ints) -> dict[str, Floats]:
    """How much of the question's weight the passage or its title explains, however it is cut into words.

    A symbol is explained where a pair that it is part of was found; a word in letters or digits, and a symbol
    that is in no pair, where it was found itself.
    """
    columns = found.columns
    symbols = [gram[0] for gram in grams.levels[0]]
    either = (found.counts > 0) | found.in_title
    singles = either[:, columns.of[0]]
    if len(grams.levels) > 1:
        number = {symbol: place for place, symbol in enumerate(symbols)}
        ends = np.array([[number[symbol] for symbol in gram] for gram in grams.levels[1]])
        paired = np.zeros(len(symbols), dtype=np.bool_)
        paired[ends] = True
        paired &= [not is_word(symbol) for symbol in symbols]
        parts = np.zeros((len(ends), len(symbols)), dtype=np.float32)
        parts[np.arange(len(ends))[:, None], ends] = 1.0
        pairs = either[:, columns.of[1]].astype(np.float32)
        singles = np.where(paired, pairs @ parts > 0, singles)
    together = _of_articles(articles) @ singles.astype(np.float64) > 0
    weights = np.stack([columns.shares[columns.of[0], 0], columns.squares[columns.of[0], 0]], axis=1)
    covered = singles @ weights
    return {
        "covered": covered[:, 0],
        "covered_rare": covered[:, 1],
        "covered_article": (together @ weights[:, 0])[articles],
    }


def _shares(own: Floats, values: Floats) -> Floats:
    totals = values @ own
    return own * values[:, None] / np.where(totals > 0, totals, 1.0)


def _proximity(found: Table) -> tuple[Floats, Floats]:
    """What each candidate's best sentence, and its best two neighbouring ones, cover of each group."""
    inside, shares = found.in_sentences, found.columns.shares.astype(np.float32)
    single = _product(inside, shares)
    double = _in_pairs(single, _product(np.maximum(inside[:-1], inside[1:]), shares), found)
    return _best_sentence(single, found), _best_sentence(double, found)


def _together(found: Table) -> Floats:
    """What the best two neighbouring sentences of each candidate cover of the words, together with its
    title."""
    words = found.columns.of[_WORDS]
    shares = found.columns.shares[words, _WORDS].astype(np.float32)
    inside = np.ascontiguousarray(found.in_sentences[:, words])
    if found.in_title[:, words].any():
        inside = np.maximum(inside, found.in_title[:, words].repeat(found.sentences, axis=0))
    single = inside @ shares
    double = _in_pairs(single, np.maximum(inside[:-1], inside[1:]) @ shares, found)
    return _best_sentence(double, found)


def _in_pairs(single: Any, double: Any, found: Table) -> Any:
    """The values of each sentence and the one after it; a candidate's last sentence has none after it."""
    pairs = single.copy()
    pairs[:-1] = double
    last = found.first_sentence[1:] - 1
    pairs[last] = single[last]
    return pairs


def _best_sentence(values: NDArray[np.float32], found: Table) -> Floats:
    """The greatest of each candidate's sentence values."""
    return np.maximum.reduceat(values, found.first_sentence, axis=0).astype(np.float64)


def _article(found: Table, articles: Ints) -> dict[str, Floats]:
    """All candidates of an article together, for each of them."""
    columns = found.columns
    together = _of_articles(articles) @ found.counts.astype(np.float64)
    total = np.minimum(np.bincount(articles, weights=found.lengths), _LONGEST_ARTICLE)
    present = together > 0
    return {
        "article": (present @ columns.shares)[articles],
        "article_rare": (present @ columns.squares)[articles],
        "article_frequency": (_saturated(together, total, _TYPICAL_ARTICLE) @ columns.raw)[articles],
    }


def _of_articles(articles: Ints) -> Floats:
    """1 where a candidate is of an article, else 0: shape (articles, candidates)."""
    return np.equal(np.arange(int(articles.max()) + 1)[:, None], articles).astype(np.float64)


def _saturated(counts: Ints | Floats, lengths: Ints | Floats, typical: float) -> Floats:
    bend = _K1 * (1 - _B + _B * lengths[:, None] / typical)
    saturated: Floats = counts * (_K1 + 1) / (counts + bend)
    return saturated


def _product(matrix: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """`matrix @ weights` by one thread."""
    rows = max(1, _PRODUCT // max(1, weights.size))
    if len(matrix) <= rows:
        return matrix @ weights
    parts: Sequence[Any] = [matrix[start : start + rows] @ weights for start in range(0, len(matrix), rows)]
    return np.concatenate(parts)
