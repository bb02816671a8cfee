"""StaticEncoder: a table of token vectors, gathered and summed by NumPy.

No torch, no network, no start-up time. The idea is that of averaged word vectors (SIF; Arora et al. 2017)
made good by contrastive training, as in sentence-transformers' StaticEmbedding and model2vec. A vector here
is the sum of int8 rows, brought to length 1; a row's length is its token's learned weight.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embeddings.encoder import Vectors
from embeddings.model_folder import StaticModel, read_model
from embeddings.tokenization import TokenBatch, Tokenizer

_BATCH_CHARACTERS = 1 << 16

_ROWS_AT_ONCE = 32_767 // 127
"""Sums of so many int8 rows fit into int16."""


class StaticEncoder:
    """Encodes text with a static model. Threads may share one.

    Passages carry a mark that questions do not (see embeddings.model_folder). Of a text without any known
    character (empty, punctuation, emoji) a question's vector is zeros, a passage's the mark alone: either
    way, no product with it is above 0.
    """

    def __init__(self, model: StaticModel, *, name: str) -> None:
        """An encoder with this model."""
        self._tokenizer = Tokenizer(model.vocabulary)
        self._table = model.table
        self._mark = model.marks * model.table[model.vocabulary.passage_mark].astype(np.float32)
        self._name = name
        self._fingerprint = model.fingerprint

    @classmethod
    def from_folder(cls, folder: Path, *, name: str | None = None) -> "StaticEncoder":
        """Read a model folder. Raises ModelNotFoundError, ModelFormatError."""
        return cls(read_model(folder), name=name or str(folder))

    @property
    def name(self) -> str:
        """What load_encoder takes to give this encoder again."""
        return self._name

    @property
    def fingerprint(self) -> str:
        """Hash of the weights, the vocabulary and the format."""
        return self._fingerprint

    @property
    def dimension(self) -> int:
        """Length of each vector."""
        return int(self._table.shape[1])

    @property
    def quick(self) -> bool:
        """See QuickEncoder."""
        return True

    def encode_passages(self, texts: Sequence[str], *, show_progress: bool = False) -> Vectors:
        """Encode texts to be found: shape (len(texts), dimension)."""
        sums = self._sums(texts, show_progress)
        sums += self._mark
        return _unit(sums)

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Encode questions: shape (len(texts), dimension)."""
        return _unit(self._sums(texts, False))

    def _sums(self, texts: Sequence[str], show_progress: bool) -> Vectors:
        sums = np.zeros((len(texts), self.dimension), dtype=np.float32)
        if not show_progress:
            for places, pieces in _batches(texts):
                self._add(sums, places, pieces)
            return sums
        from rich.progress import Progress

        with Progress(transient=True) as progress:
            task = progress.add_task("Encoding", total=len(texts))
            for places, pieces in _batches(texts):
                self._add(sums, places, pieces)
                progress.update(task, completed=places[-1] + 1)
        return sums

    def _add(self, sums: Vectors, places: list[int], pieces: list[str]) -> None:
        """Add the pieces' vectors to the rows of `sums` at `places`."""
        batch = self._tokenizer.tokenize(pieces)
        totals = _sums(self._table, batch)
        if places[-1] - places[0] + 1 == len(places):
            sums[places[0] : places[-1] + 1] += totals
        else:
            np.add.at(sums, places, totals)


def _unit(sums: Vectors) -> Vectors:
    """Rows brought to length 1, in place; rows of zeros stay."""
    lengths = np.sqrt(np.einsum("ij,ij->i", sums, sums))[:, None]
    np.divide(sums, lengths, out=sums, where=lengths > 0)
    return sums


def _sums(table: NDArray[np.int8], batch: TokenBatch) -> Vectors:
    """Sums of each text's rows: shape (texts, dimension). They are exact, so that batches do not matter."""
    starts = batch.starts
    lengths = np.diff(starts)
    parts = -(-lengths // _ROWS_AT_ONCE)
    first_part = np.cumsum(parts) - parts
    number = np.arange(parts.sum()) - np.repeat(first_part, parts)
    begins = np.repeat(starts[:-1], parts) + number * _ROWS_AT_ONCE
    ends = np.minimum(begins + _ROWS_AT_ONCE, np.repeat(starts[1:], parts))
    sums = np.empty((len(begins), table.shape[1]), dtype=np.int16)
    rows, take, add = batch.rows.astype(np.intp), table.take, np.add.reduce
    gathered = np.empty((int(np.max(ends - begins, initial=0)), table.shape[1]), dtype=np.int8)
    for part, (begin, end) in enumerate(zip(begins.tolist(), ends.tolist(), strict=True)):
        # No row is out of bounds: "clip" only spares NumPy the copy that it would make in case one was.
        chosen = take(rows[begin:end], axis=0, out=gathered[: end - begin], mode="clip")
        add(chosen, axis=0, dtype=np.int16, out=sums[part])
    totals = np.zeros((len(lengths), table.shape[1]), dtype=np.float32)
    for nth in range(int(parts.max(initial=0))):
        having = np.flatnonzero(parts > nth)
        totals[having] += sums[first_part[having] + nth]
    return totals


def _batches(texts: Sequence[str]) -> Iterator[tuple[list[int], list[str]]]:
    """Pieces of some 65,536 characters in all, with the text each belongs to: a long text has several."""
    places: list[int] = []
    pieces: list[str] = []
    characters = 0
    for place, text in enumerate(texts):
        for start in range(0, max(1, len(text)), _BATCH_CHARACTERS):
            piece = text[start : start + _BATCH_CHARACTERS]
            if pieces and characters + len(piece) > _BATCH_CHARACTERS:
                yield places, pieces
                places, pieces, characters = [], [], 0
            places.append(place)
            pieces.append(piece)
            characters += len(piece)
    if pieces:
        yield places, pieces
