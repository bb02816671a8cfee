"""The vectors of passages: what of a passage is encoded, and by which process.

An encoder that takes no time to load is loaded by the processes that read articles, too: there encoding goes
on while the one process that writes has other things to do.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate, pairwise

import numpy as np

from embeddings.encoder import Encoder, QuickEncoder
from retrieval.preparation import Prepared
from retrieval.vector.half_precision import Stored, to_half


def encoded_text(title: str, heading: str, text: str) -> str:
    """What of a passage the encoder sees."""
    return "\n".join(part for part in (title, heading if heading != title else "", text) if part)


def passage_vectors(prepared: Sequence[Prepared], encoder: Encoder) -> Stored:
    """The vectors of all passages as they are stored: shape (passages, dimension). All that did not come with
    theirs are encoded in one call."""
    having = [item for item in prepared if item.passages]
    new = [item for item in having if item.vectors is None]
    texts = [
        encoded_text(item.article.title, passage.heading, passage.text)
        for item in new
        for passage in item.passages
    ]
    nothing = np.empty((0, encoder.dimension), dtype=np.float16)
    encoded = to_half(encoder.encode_passages(texts)) if texts else nothing
    if len(new) == len(having):
        return encoded
    parts, place = [], 0
    for item in having:
        if item.vectors is not None:
            parts.append(item.vectors)
        else:
            parts.append(encoded[place : place + len(item.passages)])
            place += len(item.passages)
    return np.concatenate(parts)


def vectors_by_article(prepared: Sequence[Prepared], encoder: Encoder) -> list[Stored]:
    """The same for each article: shape (len(its passages), dimension)."""
    vectors = passage_vectors(prepared, encoder)
    ends = accumulate((len(item.passages) for item in prepared), initial=0)
    return [vectors[start:end] for start, end in pairwise(ends)]


def with_vectors(prepared: Sequence[Prepared], encoder: Encoder) -> list[Prepared]:
    """The articles, each with the vectors of its passages."""
    vectors = vectors_by_article(prepared, encoder)
    return [replace(item, vectors=own) for item, own in zip(prepared, vectors, strict=True)]


def loadable_elsewhere(encoder: Encoder) -> tuple[str, str] | None:
    """Name and fingerprint of an encoder that other processes may load for themselves; None of another."""
    from embeddings.loading import is_static

    quick = isinstance(encoder, QuickEncoder) and is_static(encoder.name)
    return (encoder.name, encoder.fingerprint) if quick else None


def load_again(name: str, fingerprint: str) -> Encoder | None:
    """That encoder in another process; None where it is not what it was, or gone."""
    from embeddings import load_encoder
    from embeddings.errors import EncoderError

    try:
        encoder = load_encoder(name)
    except EncoderError:
        return None
    return encoder if encoder.fingerprint == fingerprint else None
