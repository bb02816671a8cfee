"""Writing down what was added and removed: another segment, made of the tail and of what is not much larger.

Segments are merged as in a binary counter: the tail takes in the segments before it as long as they are no
larger than what has come together. So there are few of them (their number grows with the logarithm of the
index), and each vector is copied about as often: an update costs what the update weighs, whatever the size of
the index.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.encoder import Vectors
from retrieval.backend import Ids
from retrieval.vector.faiss_index import FaissIndex, Part
from retrieval.vector.half_precision import Stored
from retrieval.vector.mapped import release
from retrieval.vector.quantization import Codes, Quantizer, candidates_needed
from retrieval.vector.segment import Segment, SegmentWriter, publish

CODES_FROM = 6_000
"""From so many vectors on, codes are scanned instead of the vectors themselves."""

CODES_BESIDE = 1_000
"""The same where another segment has codes: what is left is small beside it, but vectors weigh sixteen times
as much as codes, and it is weight that takes time."""

_DRIFT = 8
"""The centroids are fitted anew for a segment of so many times what they were fitted to."""

_DEAD_SHARE = 1 / 3
"""A segment of which more than this was removed is made anew."""


def write_down(folder: Path, index: FaissIndex, *, position: int) -> None:
    """Make what `index` holds, as of `position` of the change log, the catalogue in `folder`."""
    folder.mkdir(exist_ok=True)
    kept, merged = _divided(index.parts, len(index.tail[0]))
    segments = [part.segment for part in kept]
    count = sum(part.live for part in merged) + len(index.tail[0])
    if count:
        segments.append(_segment(folder, index, merged, count))
    dead = [_dead(part) for part in kept if part.dead is not None]
    nothing = np.empty((0, 2), np.int64)
    publish(folder, position=position, segments=segments, dead=np.concatenate([nothing, *dead]))


def _dead(part: Part) -> NDArray[np.int64]:
    ids = part.segment.ids[part.dead]
    return np.stack([np.full(len(ids), part.segment.number, np.int64), ids], axis=1)


def _divided(parts: Sequence[Part], tail: int) -> tuple[Sequence[Part], Sequence[Part]]:
    """The parts that stay, and those after them that become one with the tail."""
    first, together = len(parts), tail
    while first and (parts[first - 1].live <= together or _is_hollow(parts[first - 1])):
        first -= 1
        together += parts[first].live
    hollow = [place for place, part in enumerate(parts[:first]) if _is_hollow(part)]
    first = min([first, *hollow])
    return parts[:first], parts[first:]


def _is_hollow(part: Part) -> bool:
    return part.dead_count > _DEAD_SHARE * len(part.segment)


def _segment(folder: Path, index: FaissIndex, merged: Sequence[Part], count: int) -> Segment:
    writer = SegmentWriter(folder, count=count, dimension=index.dimension)
    ids, vectors = writer.write(_blocks(merged, index.tail))
    settings: dict[str, Any] = {}
    model = _model(index.parts)
    if count >= (CODES_FROM if model is None else CODES_BESIDE):
        if model is None or count > _DRIFT * model.settings["fitted_to"]:
            quantizer, fitted_to = Quantizer.train(vectors), count
        else:
            quantizer, fitted_to = model.quantizer(), model.settings["fitted_to"]
        codes = _codes(quantizer, merged, ids, vectors)
        writer.put_codes(quantizer, codes)
        candidates, recall = candidates_needed(vectors, quantizer.scanner(codes))
        settings = {"candidates": candidates, "recall": round(recall, 4), "fitted_to": fitted_to}
    return writer.finish(settings)


def _model(parts: Sequence[Part]) -> Segment | None:
    """The segment whose centroids were fitted to the most vectors."""
    coded = [part.segment for part in parts if part.segment.codes is not None]
    return max(coded, key=lambda segment: int(segment.settings["fitted_to"]), default=None)


def _blocks(merged: Sequence[Part], tail: tuple[Ids, Vectors]) -> Iterator[tuple[Ids, Vectors]]:
    """All live ids, ascending, with their vectors."""
    bounds = [(part.segment.ids[0], part.segment.ids[-1]) for part in merged]
    bounds += [(tail[0][0], tail[0][-1])] if len(tail[0]) else []
    if all(earlier[1] < later[0] for earlier, later in pairwise(bounds)):
        for part in merged:
            yield from part.blocks()
            release(part.segment.vectors)
        yield tail
        return
    # An old id came again. The store never gives one twice, so this is not made to be quick.
    blocks = [*(block for part in merged for block in part.blocks()), tail]
    ids = np.concatenate([ids for ids, _ in blocks])
    order = np.argsort(ids)
    yield ids[order], np.concatenate([vectors for _, vectors in blocks])[order]


def _codes(quantizer: Quantizer, merged: Sequence[Part], ids: Ids, vectors: Stored) -> Codes:
    """The codes of all vectors; those that the same centroids made before are copied."""
    codes = np.empty((len(ids), quantizer.code_size), dtype=np.uint8)
    missing = np.ones(len(ids), dtype=np.bool_)
    for part in merged:
        segment = part.segment
        if segment.codes is None or segment.centroids is None:
            continue
        if not np.array_equal(segment.centroids, quantizer.centroids):
            continue
        live = slice(None) if part.dead is None else ~part.dead
        rows = np.searchsorted(ids, segment.ids[live])
        codes[rows] = segment.codes[live]
        missing[rows] = False
    places = np.flatnonzero(missing)
    if len(places):
        # What is missing lies together, but where an old id came again.
        together = places[-1] - places[0] + 1 == len(places)
        codes[places] = quantizer.encode(vectors[places[0] : places[-1] + 1] if together else vectors[places])
    return codes
