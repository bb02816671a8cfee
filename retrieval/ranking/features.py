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

from retrieval.ranking.coverage import Table, coverage, explained, table
from retrieval.ranking.matching import Grams, Matches
from retrieval.ranking.weighting import GramWeights

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Features = Mapping[str, Floats]

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
    count = len(batch.texts)
    titles = batch.titles if any(batch.titles) else ()
    matches = Matches(grams, [*batch.texts, *titles])
    found = table(grams, weights, matches, count)
    features = coverage(found, batch.articles)
    features |= _question(features, weights)
    features |= explained(grams, found, batch.articles)
    longest = _longest(matches, weights)
    features["substring"] = longest[:count]
    features["title_substring"] = longest[count:] if titles else np.zeros(count)
    features["subject"] = features["title_substring"] * weights.total
    features |= _shape(batch, found)
    features |= _page(batch, features)
    features["lexical"] = np.where(np.isnan(batch.lexical), 0.0, batch.lexical)
    features["dense"] = np.where(np.isnan(batch.dense), 0.0, batch.dense)
    return features


def _longest(matches: Matches, weights: GramWeights) -> Floats:
    """The weightiest substring of the question in each text, as a share of the question's weight."""
    best = np.zeros(matches.count)
    for occurrences, mass in zip(matches.levels, weights.mass, strict=True):
        if not len(occurrences.positions):
            break
        texts = occurrences.texts  # ascending
        changes = np.ones(len(texts), dtype=np.bool_)
        np.not_equal(texts[1:], texts[:-1], out=changes[1:])
        first = changes.nonzero()[0]
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


def _shape(batch: Batch, found: Table) -> dict[str, Floats]:
    """Length and form. Where pages have titles, a title matches any of their paragraphs, and form decides."""
    titled = np.array([float(bool(title)) for title in batch.titles])
    lengths = found.lengths
    asks = np.array([float(text.rstrip().endswith(("?", "？"))) for text in batch.texts])
    return {
        "length": np.log1p(lengths),
        "titled": titled,
        "titled_length": np.log1p(lengths) * titled,
        "titled_short": (lengths < _SHORT) * titled,
        "titled_sentences": np.log1p(found.sentences) * titled,
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
