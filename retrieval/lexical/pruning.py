"""Which terms of a question are looked for: the rarest first, as long as their postings stay affordable."""

import numpy as np
from numpy.typing import NDArray

POSTINGS = 100_000
"""How many postings of the bodies one search may read, roughly. Below that a search is exact; above, single
characters that are everywhere drop out of long questions."""

_ALWAYS_KEPT = 6


def affordable(frequencies: NDArray[np.int64], postings: int) -> NDArray[np.int64]:
    """The places of the terms to keep, in order, shape (≤ n,), by document frequencies of shape (n,)."""
    if int(frequencies.sum()) <= postings:
        return np.arange(len(frequencies))
    rarest = np.argsort(frequencies, kind="stable")
    count = int(np.searchsorted(np.cumsum(frequencies[rarest]), postings, side="right"))
    return np.sort(rarest[: max(count, _ALWAYS_KEPT)])
