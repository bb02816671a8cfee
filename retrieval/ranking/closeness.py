"""A closer look at the first candidates by an encoder that reads quickly enough while a question waits.

A passage's stored vector is that of its title, its heading and some 250 characters at once, so it tells apart
badly what a candidate says where. Here the encoder reads candidates anew. Where passages have no titles it
reads the one sentence of each that shares most with the question, without a passage's mark: a question is
answered by a sentence (Callan 1994, passage-level evidence; the "max passage" of Dai & Callan 2019). Where
most have titles, a title that fits the question fits every paragraph of its page, and the paragraph that
repeats the question is its heading rather than its answer: there it reads the passages without their titles.
"""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from embeddings.encoder import QuickEncoder
from retrieval.ranking.symbols import SENTENCE_ENDS

Floats = NDArray[np.float64]

READ = 20
"""So many candidates are read, the first by both sides' scores: about a millisecond's work."""

_SENTENCE_END = re.compile(f"[{re.escape(SENTENCE_ENDS)}]")


def closeness(
    encoder: QuickEncoder,
    asked: NDArray[np.float32],
    content: Sequence[str],
    texts: Sequence[str],
    titles: Sequence[str],
    scores: Floats,
) -> Floats:
    """Cosines of a question and each candidate, read anew: shape (candidates,), like `scores`, from 0 to 1.

    `asked` is the question's vector, `content` its runs that carry weight; these, `texts` and `titles` are
    normal forms. Candidates beyond the first READ by `scores` are as close as the least close of these.
    """
    first = np.argsort(-scores, kind="stable")[:READ]
    chosen = [texts[place] for place in first.tolist()]
    if mostly_titled(titles):
        read = encoder.encode_passages(chosen)
    else:
        characters = frozenset("".join(content))
        read = encoder.encode_queries([likest_sentence(text, characters) for text in chosen])
    near = np.clip((read @ asked).astype(np.float64), 0.0, 1.0)
    close = np.full(len(texts), near.min(initial=1.0))
    close[first] = near
    return close


def mostly_titled(titles: Sequence[str]) -> bool:
    """Whether more than half of the candidates have a title."""
    return 2 * sum(map(bool, titles)) > len(titles)


def likest_sentence(text: str, characters: frozenset[str]) -> str:
    """The sentence with the most of these characters, of several such the first."""
    return max(_SENTENCE_END.split(text), key=lambda sentence: len(characters.intersection(sentence)))
