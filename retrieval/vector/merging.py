"""Making the next base of a vector index, from the one before and what came since."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.backend import Ids
from retrieval.vector.faiss_index import FaissIndex
from retrieval.vector.quantization import Codes, Quantizer, Stored, candidates_needed
from retrieval.vector.segment import Segment, SegmentWriter

CODES_FROM = 10_000
"""From so many vectors on, codes are scanned instead of the vectors themselves."""

_DRIFT = 4
"""The centroids are fitted anew when the base has grown to so many times what they were fitted to."""


def write_base(folder: Path, index: FaissIndex, *, position: int) -> None:
    """Write all live vectors of `index` as the base for `position` of the change log.

    Costs a copy of the files; only vectors that are new are encoded, unless the centroids no longer fit.
    """
    base, dead = index.base, index.dead
    writer = SegmentWriter(folder, position=position, count=len(index), dimension=index.dimension)
    ids, vectors = writer.write(index.live())
    settings: dict[str, Any] = {}
    if len(index) >= CODES_FROM:
        kept = _kept_codes(base, dead, ids)
        if kept is not None and len(index) <= _DRIFT * base.settings["fitted_to"]:
            quantizer = base.quantizer()
            codes = np.concatenate([kept, quantizer.encode(vectors[len(kept) :])])
            settings = {name: base.settings[name] for name in ("candidates", "recall", "fitted_to")}
        else:
            quantizer = Quantizer.train(vectors)
            codes = quantizer.encode(vectors)
            settings = _measured(vectors, quantizer, codes)
        writer.put_codes(quantizer, codes)
    writer.finish(settings)


def _kept_codes(base: Segment, dead: NDArray[np.bool_] | None, new: Ids) -> Codes | None:
    """The codes of the vectors that the new base begins with; None where there are none."""
    if base.codes is None:
        return None
    live = slice(None) if dead is None else ~dead
    ids, codes = base.ids[live], base.codes[live]
    return codes if np.array_equal(ids, new[: len(ids)]) else None


def _measured(vectors: Stored, quantizer: Quantizer, codes: Codes) -> dict[str, Any]:
    candidates, recall = candidates_needed(vectors, quantizer.scanner(codes))
    return {"candidates": candidates, "recall": round(recall, 4), "fitted_to": len(codes)}
