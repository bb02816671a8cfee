"""An encoder for tests: character bigrams hashed into 48 dimensions. Quick, and alike texts are near."""

import zlib
from collections.abc import Sequence

import numpy as np

from embeddings.encoder import Vectors


class HashEncoder:
    """Implements Encoder; another `salt` makes another model."""

    def __init__(self, name: str = "hash", *, dimension: int = 48, salt: int = 0) -> None:
        self.name = name
        self.dimension = dimension
        self.fingerprint = f"hash-{dimension}-{salt}"
        self._salt = salt

    def encode_passages(self, texts: Sequence[str], *, show_progress: bool = False) -> Vectors:
        return self.encode_queries(texts)

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            for start in range(len(text) - 1):
                code = zlib.crc32(text[start : start + 2].encode("utf-8", "replace"), self._salt)
                vectors[row, code % self.dimension] += 1.0 if code & 1024 else -1.0
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.divide(vectors, lengths, out=vectors, where=lengths > 0)
