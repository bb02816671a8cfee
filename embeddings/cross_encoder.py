"""An optional reranker: a sentence-transformers CrossEncoder reads question and passage together."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import EncoderError
from embeddings.families import family_of
from embeddings.sentence_transformer import load_model

_SURROGATES = re.compile("[\ud800-\udfff]")


class CrossEncoderReranker:
    """Scores passages for a question with a cross-encoder from a folder or the Hugging Face hub."""

    def __init__(
        self,
        name: str,
        *,
        device: str | None = None,
        batch_size: int = 32,
        max_length: int | None = None,
        local_files_only: bool = False,
        trust_remote_code: bool = False,
    ) -> None:
        """Load the model. Raises ModelNotFoundError, ModelFormatError, EncoderError."""
        self._name = name
        self._batch_size = batch_size
        self._model: Any = load_model(
            "CrossEncoder",
            name,
            family=family_of(name),
            device=device,
            max_length=max_length,
            local_files_only=local_files_only,
            trust_remote_code=trust_remote_code,
        )
        if getattr(self._model, "num_labels", 1) != 1:
            raise EncoderError(
                f"The cross-encoder {name} gives {self._model.num_labels} scores a pair, a reranker one; "
                "choose a model made for reranking."
            )

    @classmethod
    def called(cls, name: str) -> "CrossEncoderReranker":
        """The reranker of a name that options may follow: "BAAI/bge-reranker-v2-m3?device=cuda"."""
        from embeddings.loading import split_options

        bare, options = split_options(name)
        fitting = {"device", "batch_size", "local_files_only", "trust_remote_code"}
        if others := sorted(options.keys() - fitting):
            raise EncoderError(
                f"The cross-encoder {bare} takes no {', '.join(others)}; "
                f"its options are {', '.join(sorted(fitting))}."
            )
        return cls(bare, **options)

    @property
    def name(self) -> str:
        """The hub name or folder, as given."""
        return self._name

    def score(self, query: str, passages: Sequence[str]) -> NDArray[np.float32]:
        """How well each passage answers the question: shape (len(passages),), higher is better.

        Values are the model's own (0 to 1 where it ends in a sigmoid). A passage of nothing but spaces, or
        one that the model gives no number for, gets the lowest of the others' scores.
        """
        scores = np.full(len(passages), np.nan, dtype=np.float32)
        filled = [i for i, passage in enumerate(passages) if passage.strip()]
        if filled:
            question = _SURROGATES.sub("\ufffd", query)
            pairs = [(question, _SURROGATES.sub("\ufffd", passages[i])) for i in filled]
            scores[filled] = self._predict(pairs)
        known = scores[np.isfinite(scores)]
        scores[~np.isfinite(scores)] = known.min() if len(known) else 0
        return scores

    def _predict(self, pairs: list[tuple[str, str]]) -> NDArray[np.float32]:
        try:
            scores = self._model.predict(pairs, batch_size=self._batch_size, show_progress_bar=False)
        except RuntimeError as error:
            raise EncoderError(
                f"The cross-encoder {self._name} failed on {len(pairs)} passages ({error}); "
                f"try a smaller batch size than {self._batch_size}, or another device."
            ) from error
        return np.asarray(scores, dtype=np.float32).reshape(-1)
