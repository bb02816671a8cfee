"""The Encoder protocol: text in, unit vectors out; and the one place that turns a name into an encoder."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
"""Shape (n, dimension), float32, rows of length 1 (or 0 for a text without any known token)."""


@runtime_checkable
class Encoder(Protocol):
    """Text → L2-normalised float32 vectors; questions and passages may be encoded differently."""

    @property
    def name(self) -> str:
        """What the user called it ("bundled", a hub name, a folder); load_encoder takes it again."""

    @property
    def fingerprint(self) -> str:
        """Changes whenever the vectors would: an index made with another fingerprint must be re-encoded."""

    @property
    def dimension(self) -> int:
        """Length of each vector."""

    def encode_passages(self, texts: Sequence[str], *, show_progress: bool = False) -> Vectors:
        """Encode texts to be found: shape (len(texts), dimension)."""

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Encode questions: shape (len(texts), dimension)."""


@runtime_checkable
class QuickEncoder(Encoder, Protocol):
    """An encoder that may read texts anew while a question waits: dozens of them take it a millisecond."""

    @property
    def quick(self) -> bool:
        """Always true; that there is such a property is what tells these encoders from others."""
