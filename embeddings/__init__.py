"""Text → vectors: the Encoder protocol, the bundled static model, and any sentence-transformers model."""

from typing import Any

from embeddings.encoder import Encoder, Vectors
from embeddings.errors import EncoderError, ModelFormatError, ModelNotFoundError, WendaError

__all__ = [
    "Encoder",
    "EncoderError",
    "ModelFormatError",
    "ModelNotFoundError",
    "Vectors",
    "WendaError",
    "load_encoder",
]


def load_encoder(name: str = "bundled", **options: Any) -> Encoder:
    """The encoder called `name`: "bundled", a model folder, or a hub name; see embeddings.loading."""
    from embeddings.loading import load_encoder as load

    return load(name, **options)
