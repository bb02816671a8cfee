"""The terms that ideographs give: each character, and each pair of neighbours; for many texts in one go."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from retrieval.lexical.normalisation import IDEOGRAPH, Codes, classes_of, code_points, text_of

BIGRAM_KIND, CHARACTER_KIND = "b", "c"


def ideograph_terms(texts: Sequence[str]) -> list[str]:
    """The characters and bigrams of each text in normal form, as terms joined by spaces."""
    # No bigram reaches over a line break.
    codes = code_points("\n".join(texts))
    ideographs = (classes_of(codes) & IDEOGRAPH).view(np.bool_)
    pairs = ideographs[:-1] & ideographs[1:]
    terms, bigrams = text_of(characters_of(codes, ideographs)), text_of(bigrams_of(codes, pairs))
    ends = np.cumsum([0, *(len(text) + 1 for text in texts)])
    # In front of each place: so many cells, of three and of four code points.
    character_cells = (3 * _before(ideographs, ends)).tolist()
    bigram_cells = (4 * _before(pairs, ends)).tolist()
    return [
        (terms[a:b] + bigrams[c:d]).rstrip()
        for (a, b), (c, d) in zip(pairwise(character_cells), pairwise(bigram_cells), strict=True)
    ]


def all_terms(texts: Sequence[str], others: Sequence[str]) -> list[str]:
    """`ideograph_terms` of each text, followed by its other terms."""
    return [
        f"{ideographs} {other}" if ideographs and other else ideographs or other
        for ideographs, other in zip(ideograph_terms(texts), others, strict=True)
    ]


def characters_of(codes: Codes, mask: NDArray[np.bool_]) -> Codes:
    """The code points of the marked characters as terms, each followed by a space."""
    chosen = codes[mask]
    cells = np.empty((len(chosen), 3), dtype=np.uint32)
    cells[:] = ord(CHARACTER_KIND), 0, 0x20
    cells[:, 1] = chosen
    return cells.ravel()


def bigrams_of(codes: Codes, mask: NDArray[np.bool_]) -> Codes:
    """The code points of the bigrams that begin at the marked places, each followed by a space."""
    places = np.flatnonzero(mask)
    cells = np.empty((len(places), 4), dtype=np.uint32)
    cells[:] = ord(BIGRAM_KIND), 0, 0, 0x20
    cells[:, 1] = codes[places]
    cells[:, 2] = codes[places + 1]
    return cells.ravel()


def _before(mask: NDArray[np.bool_], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many places are marked in front of each of `ends`, which may lie behind the last."""
    counts = np.zeros(len(mask) + 1, dtype=np.int64)
    np.cumsum(mask, out=counts[1:])
    return counts[np.minimum(ends, len(mask))]
