"""Which passage of an article answers: a second look at the candidates of the first articles.

The title's words say that the article is about the matter, and the introduction repeats them most. Within an
article the other words of the question decide, together in one sentence, and whether that sentence could
hold the kind of answer that is asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.question import AnswerKind
from retrieval.ranking.cues import cued_sentences
from retrieval.ranking.matching import Grams, Matches, Occurrences
from retrieval.ranking.model import LinearModel
from retrieval.ranking.weighting import GramWeights

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ARTICLES = 10
"""Looked at this many articles …"""
PASSAGES = 6
"""… and this many passages of each, by their place in the ranking."""

_K1, _B, _TYPICAL = 1.2, 0.75, 250.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """Passages among which to choose: normal forms (heading first), the titles of their articles, ranking
    scores, and what kind of answer is asked for."""

    texts: Sequence[str]
    titles: Sequence[str]
    scores: Floats
    ordinals: Sequence[int]
    kind: AnswerKind = AnswerKind.OTHER
    unit: str = ""


def evidence(grams: Grams, weights: GramWeights, choices: Choices) -> dict[str, Floats]:
    """Features of passages within their article, each of shape (passages,); "rest" is without the title's
    words.

    "cued" is the best coverage by a sentence that could hold the answer, by any where its kind has no mark.
    """
    matches = Matches(grams, choices.texts)
    titles = Matches(grams, choices.titles)
    cued = cued_sentences(choices.kind, choices.unit, matches.chain)
    features = {
        "ranking": choices.scores,
        "first": np.array([float(ordinal == 0) for ordinal in choices.ordinals]),
    }
    parts = (
        {"2": (matches.at_level(2), titles.at_level(2), weights.levels[1])} if len(grams.levels) > 1 else {}
    )
    if grams.words:
        parts["word"] = (matches.of_words(), titles.of_words(), weights.words)
    for suffix in ("2", "word"):
        if suffix in parts:
            body, title, weight = parts[suffix]
            rest = titles.counts(title, len(weight)) == 0
            found = _coverage(matches, body, weight, rest, cued)
        else:
            found = dict.fromkeys(_FEATURES, np.zeros(matches.count))
        features |= {f"{name}_{suffix}": values for name, values in found.items()}
    return features


_FEATURES = ("rest_frequency", "rest_sentence", "rest_window", "rest_cued", "window", "cued")


def _coverage(
    matches: Matches,
    body: Occurrences,
    weights: Floats,
    rest: NDArray[np.bool_],
    cued: NDArray[np.bool_] | None,
) -> dict[str, Floats]:
    shares = weights / (float(weights.sum()) or 1.0)
    by_text = rest * shares
    chain = matches.chain
    by_sentence = np.repeat(by_text, np.diff(chain.first_sentence, append=chain.sentences), axis=0)
    present = matches.in_sentences(body, len(weights))
    pairs = np.maximum(present, np.roll(present, -1, axis=0))
    last = np.append(chain.first_sentence[1:], chain.sentences) - 1
    pairs[last] = present[last]
    rest_single, rest_double = (present * by_sentence).sum(axis=1), (pairs * by_sentence).sum(axis=1)
    single, double = present @ shares, pairs @ shares
    marked = np.ones(chain.sentences, dtype=np.bool_) if cued is None else cued
    counts = matches.counts(body, len(weights))
    bend = _K1 * (1 - _B + _B * chain.lengths[:, None] / _TYPICAL)
    return {
        "rest_frequency": (counts * (_K1 + 1) / (counts + bend) * by_text).sum(axis=1),
        "rest_sentence": matches.best_sentence(rest_single),
        "rest_window": matches.best_sentence(rest_double),
        "rest_cued": matches.best_sentence(np.where(marked, rest_single, 0.0)),
        "window": matches.best_sentence(double),
        "cued": matches.best_sentence(np.where(marked, single, 0.0)),
    }


def contested(order: Ints, articles: Ints) -> list[Ints]:
    """The first articles' candidates, for those that have more than one: positions in the order of the
    ranking."""
    groups: dict[int, list[int]] = {}
    for position in order.tolist():
        article = int(articles[position])
        if article not in groups and len(groups) == ARTICLES:
            continue
        groups.setdefault(article, []).append(position)
    return [np.array(group[:PASSAGES]) for group in groups.values() if len(group) > 1]


def choose(
    model: LinearModel, grams: Grams, weights: GramWeights, choices: Choices, groups: Sequence[Ints]
) -> list[int]:
    """For each group the position of the passage to stand for its article.

    `choices` holds the passages of all groups, one group after the other.
    """
    if not groups:
        return []
    values = model.scores(evidence(grams, weights, choices))
    chosen, start = [], 0
    for group in groups:
        chosen.append(int(group[int(np.argmax(values[start : start + len(group)]))]))
        start += len(group)
    return chosen
