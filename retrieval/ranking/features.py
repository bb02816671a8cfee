"""What the learned stage looks at: for each candidate passage, numbers that say how well it fits the
question.

Every feature is an array of shape (candidates,). The lexical ones follow from where the question's n-grams
occur (matching) and how rare they are (weighting): saturated frequency (BM25, Robertson & Zaragoza 2009),
weighted coverage of the passage, of its best sentence and of its best two neighbouring sentences
(proximity, in the spirit of Metzler & Croft's dependence windows), longest common substring; the same over
the title, over all candidates of one article, and over articles of one title (the paragraphs of one page).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.ranking.matching import Grams, Matches, Occurrences
from retrieval.ranking.symbols import is_word
from retrieval.ranking.weighting import GramWeights

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Features = Mapping[str, Floats]

LEVELS = 4
"""n-grams of 1 to 4 symbols have features of their own."""

_K1, _B = 1.2, 0.75
_TYPICAL_PASSAGE, _TYPICAL_ARTICLE = 250.0, 400.0
_LONGEST_ARTICLE = 2000.0
_SHORT = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The candidates of one question: normal forms of passages (with their heading, if they have one, as
    first line) and of titles, the number of each one's article (counted from 0 within the batch), and both
    sides' scores.

    `lexical` and `dense` are shape (candidates,), NaN where a side did not see a passage.
    """

    texts: Sequence[str]
    titles: Sequence[str]
    articles: Ints
    ordinals: Sequence[int]
    lexical: Floats
    dense: Floats


def extract(grams: Grams, weights: GramWeights, batch: Batch) -> dict[str, Floats]:
    """All features of a batch that is not empty."""
    matches = Matches(grams, batch.texts)
    titles = Matches(grams, batch.titles) if any(batch.titles) else None
    features: dict[str, Floats] = {}
    levels = [
        _found(
            matches,
            titles,
            matches.at_level(level),
            titles.at_level(level) if titles else None,
            weights.levels[level - 1],
        )
        for level in range(1, min(LEVELS, len(grams.levels)) + 1)
    ]
    for level, found in enumerate(levels, 1):
        features |= _coverage(str(level), matches, found, batch.articles)
    for level in range(len(levels) + 1, LEVELS + 1):
        features |= _absent(str(level), matches.count)
    if grams.words:
        of_words = _found(
            matches, titles, matches.of_words(), titles.of_words() if titles else None, weights.words
        )
        features |= _coverage("word", matches, of_words, batch.articles)
    else:
        features |= _absent("word", matches.count)
    features |= _question(features, weights)
    features |= _explained(grams, levels, batch.articles)
    features["substring"] = _longest(matches, weights)
    features["title_substring"] = _longest(titles, weights) if titles else np.zeros(matches.count)
    features["subject"] = features["title_substring"] * weights.total
    features |= _shape(batch, matches)
    features |= _page(batch, features)
    features["lexical"] = np.nan_to_num(batch.lexical, nan=0.0)
    features["dense"] = np.nan_to_num(batch.dense, nan=0.0)
    return features


_LEVEL_FEATURES = ("frequency", "passage", "rare", "sentence", "window", "together", "title", "either", "key")
_ARTICLE_FEATURES = ("article", "article_rare", "article_frequency")


@dataclass(frozen=True, slots=True)
class _Found:
    """Where the n-grams of a level, or the words, occur in passages; how often in each, and whether in its
    title, both of shape (candidates, grams); their weights, shape (grams,)."""

    body: Occurrences
    counts: Ints
    in_title: NDArray[np.bool_]
    weights: Floats


def _found(
    matches: Matches, titles: Matches | None, body: Occurrences, title: Occurrences | None, weights: Floats
) -> _Found:
    counts = matches.counts(body, len(weights))
    if titles is None or title is None:
        return _Found(body, counts, np.zeros(counts.shape, dtype=np.bool_), weights)
    return _Found(body, counts, titles.counts(title, len(weights)) > 0, weights)


def _absent(suffix: str, count: int) -> dict[str, Floats]:
    names: tuple[str, ...] = (*_LEVEL_FEATURES, *_ARTICLE_FEATURES)
    return {f"{name}_{suffix}": np.zeros(count) for name in names}


def _coverage(suffix: str, matches: Matches, found: _Found, articles: Ints) -> dict[str, Floats]:
    weights, width, counts, in_title = found.weights, len(found.weights), found.counts, found.in_title
    shares = weights / (float(weights.sum()) or 1.0)
    squares = weights**2 / (float((weights**2).sum()) or 1.0)
    key = weights**8 / (float((weights**8).sum()) or 1.0)
    present = counts > 0
    in_sentences = matches.in_sentences(found.body, width)
    in_pairs = _pairs(in_sentences)
    sentence, window = _proximity(in_sentences @ shares, in_pairs @ shares, matches)
    together = window
    if in_title.any():
        sizes = np.diff(matches.chain.first_sentence, append=matches.chain.sentences)
        title_of = np.repeat(in_title, sizes, axis=0)
        single, double = (np.maximum(part, title_of) @ shares for part in (in_sentences, in_pairs))
        _, together = _proximity(single, double, matches)
    saturated = _saturated(counts, matches.chain.lengths, _TYPICAL_PASSAGE)
    features = {
        "frequency": saturated @ weights,
        "passage": present @ shares,
        "rare": present @ squares,
        "sentence": sentence,
        "window": window,
        "together": together,
        "title": in_title @ shares,
        "either": (present | in_title) @ shares,
        "key": (present | in_title) @ key,
        **_article(counts, matches.chain.lengths, articles, weights, shares, squares),
    }
    return {f"{name}_{suffix}": values for name, values in features.items()}


def _article(
    counts: Ints, lengths: Ints, articles: Ints, weights: Floats, shares: Floats, squares: Floats
) -> dict[str, Floats]:
    """All candidates of an article together, for each of them."""
    together = _of_articles(articles) @ counts.astype(np.float64)
    total = np.minimum(np.bincount(articles, weights=lengths), _LONGEST_ARTICLE)
    present = together > 0
    return {
        "article": (present @ shares)[articles],
        "article_rare": (present @ squares)[articles],
        "article_frequency": (_saturated(together, total, _TYPICAL_ARTICLE) @ weights)[articles],
    }


def _of_articles(articles: Ints) -> Floats:
    """1 where a candidate is of an article, else 0: shape (articles, candidates)."""
    return np.equal(np.arange(int(articles.max()) + 1)[:, None], articles).astype(np.float64)


def _explained(grams: Grams, levels: Sequence[_Found], articles: Ints) -> dict[str, Floats]:
    """How much of the question's weight the passage or its title explains, however it is cut into words.

    A symbol is explained where a pair that it is part of was found; a word in letters or digits, and a symbol
    that is in no pair, where it was found itself.
    """
    singles, weights = levels[0], levels[0].weights
    symbols = [gram[0] for gram in grams.levels[0]]
    number = {symbol: place for place, symbol in enumerate(symbols)}
    paired = np.zeros(len(symbols), dtype=np.bool_)
    explained = (singles.counts > 0) | singles.in_title
    if len(levels) > 1:
        ends = np.array([[number[symbol] for symbol in gram] for gram in grams.levels[1]])
        paired[ends] = True
        paired &= [not is_word(symbol) for symbol in symbols]
        parts = np.zeros((len(ends), len(symbols)), dtype=np.float32)
        parts[np.arange(len(ends))[:, None], ends] = 1.0
        pairs = ((levels[1].counts > 0) | levels[1].in_title).astype(np.float32)
        explained = np.where(paired, pairs @ parts > 0, explained)
    together = _of_articles(articles) @ explained.astype(np.float64) > 0
    shares, squares = weights / (float(weights.sum()) or 1.0), weights**2 / (float((weights**2).sum()) or 1.0)
    return {
        "covered": explained @ shares,
        "covered_rare": explained @ squares,
        "covered_article": (together @ shares)[articles],
    }


def _saturated(counts: Ints | Floats, lengths: Ints | Floats, typical: float) -> Floats:
    bend = _K1 * (1 - _B + _B * lengths[:, None] / typical)
    saturated: Floats = counts * (_K1 + 1) / (counts + bend)
    return saturated


def _pairs(in_sentences: NDArray[np.float32]) -> NDArray[np.float32]:
    """Grams in a sentence or the one after it; the last one of a text must not be read (see _proximity)."""
    return np.maximum(in_sentences, np.roll(in_sentences, -1, axis=0))


def _proximity(single: Floats, double: Floats, matches: Matches) -> tuple[Floats, Floats]:
    """The best of each text's sentences, and of its pairs of neighbouring ones: (sentences,) → (texts,)."""
    last = np.append(matches.chain.first_sentence[1:], matches.chain.sentences) - 1
    double = double.copy()
    double[last] = single[last]
    return matches.best_sentence(single), matches.best_sentence(double)


def _longest(matches: Matches, weights: GramWeights) -> Floats:
    """The weightiest substring of the question in each text, as a share of the question's weight."""
    best = np.zeros(matches.count)
    for occurrences, mass in zip(matches.levels, weights.mass, strict=True):
        if not len(occurrences.positions):
            break
        texts = occurrences.texts  # ascending
        first = np.flatnonzero(np.diff(texts, prepend=-1))
        having = texts[first]
        best[having] = np.maximum(best[having], np.maximum.reduceat(mass[occurrences.grams], first))
    return best / (weights.total or 1.0)


def _question(features: Features, weights: GramWeights) -> dict[str, Floats]:
    """How much of the question, in nats and not in shares, was found and was not: what chance cannot
    explain."""
    total = float(weights.words.sum())
    return {
        "found": np.log1p(total * features["together_word"]),
        "missed": np.log1p(total * (1 - features["together_word"])),
    }


def _shape(batch: Batch, matches: Matches) -> dict[str, Floats]:
    """Length and form. Where pages have titles, a title matches any of their paragraphs, and form decides."""
    titled = np.array([float(bool(title)) for title in batch.titles])
    lengths = matches.chain.lengths
    sentences = np.diff(matches.chain.first_sentence, append=matches.chain.sentences)
    asks = np.array([float(text.rstrip().endswith(("?", "？"))) for text in batch.texts])
    return {
        "length": np.log1p(lengths),
        "titled": titled,
        "titled_length": np.log1p(lengths) * titled,
        "titled_short": (lengths < _SHORT) * titled,
        "titled_sentences": np.log1p(sentences) * titled,
        "titled_asks": asks * titled,
        "title_length": np.log1p([len(title) for title in batch.titles]),
    }


def _page(batch: Batch, features: Features) -> dict[str, Floats]:
    """What the candidates with one title, the paragraphs of one page, have in common."""
    numbers = {title: number for number, title in enumerate(dict.fromkeys(batch.titles))}
    pages = np.array([numbers[title] for title in batch.titles])
    titled = features["titled"] > 0
    sizes = np.bincount(pages)
    best = np.zeros(len(numbers))
    np.maximum.at(best, pages, features["passage_2"])
    mean = np.bincount(pages, weights=features["passage_1"]) / sizes
    return {
        "page_best": np.where(titled, best[pages], features["passage_2"]),
        "page_mean": np.where(titled, mean[pages], 0.0),
        "page_size": np.where(titled, np.log1p(sizes[pages]), 0.0),
    }
