"""A static model on disk: a sentence-transformers folder, with what NumPy needs to read it by itself.

static.json                           format, classes, dimension
vocabulary.safetensors                characters, foldings, pairs and words
0_WordEmbeddings/model.safetensors    the table of token vectors, int8
training.json, README.md              settings and data it was made with; the model card
modules.json, …                       the rest of the sentence-transformers folder
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.alphabet import Alphabet
from embeddings.errors import ModelFormatError, ModelNotFoundError
from embeddings.tokenization import Vocabulary

FORMAT = 1
"""Version of the folder and of what tokenisation makes of a text; part of the fingerprint."""

SETTINGS_FILE = "static.json"
VOCABULARY_FILE = "vocabulary.safetensors"
WEIGHTS_FILE = "0_WordEmbeddings/model.safetensors"

_WEIGHTS_KEY = "emb_layer.weight"
_CLIPPED_SHARE = 1e-4
_LARGEST = 127


@dataclass(frozen=True)
class StaticModel:
    """Vocabulary, table (shape (rows, dimension)), and how many marks a passage begins with.

    `fingerprint` is a hash of everything that decides vectors: weights, vocabulary, settings, format.
    """

    vocabulary: Vocabulary
    table: NDArray[np.int8]
    marks: int
    fingerprint: str

    @property
    def mark_length(self) -> float:
        """Length of all marks together, in the table's units."""
        return (
            self.marks * float(np.linalg.norm(self.table[self.vocabulary.passage_mark].astype(float))) or 1.0
        )


def read_model(folder: Path) -> StaticModel:
    """The model in a folder. Raises ModelNotFoundError, ModelFormatError."""
    files = {name: _read(folder / name) for name in (SETTINGS_FILE, VOCABULARY_FILE, WEIGHTS_FILE)}
    settings = _settings(folder, files[SETTINGS_FILE])
    vocabulary = _vocabulary(folder, files[VOCABULARY_FILE], settings)
    path = folder / WEIGHTS_FILE
    table = _tensors(path, files[WEIGHTS_FILE]).get(_WEIGHTS_KEY)
    if table is None or table.ndim != 2 or table.dtype != np.int8:
        raise ModelFormatError(f"{path} holds no table of token vectors; train the model again.")
    if len(table) != vocabulary.size:
        raise ModelFormatError(
            f"{path} has {len(table)} rows for {vocabulary.size} tokens; install or train the model again."
        )
    digest = hashlib.sha256()
    for data in files.values():
        digest.update(data)
    fingerprint = f"static-{FORMAT}-{digest.hexdigest()[:16]}"
    return StaticModel(vocabulary, table, int(settings["marks"]), fingerprint)


def write_model(folder: Path, vocabulary: Vocabulary, table: NDArray[np.float32], pivot: float) -> None:
    """Write a model folder, its rows as int8, with passage marks of length `pivot`."""
    from safetensors.numpy import save

    from embeddings.sentence_transformers_format import write_sentence_transformers_files

    dimension = int(table.shape[1])
    rows, marks = _with_mark(quantise(_without_direction(table)), table, pivot, vocabulary.passage_mark)
    write_sentence_transformers_files(folder, vocabulary, dimension, marks)
    tensors: dict[str, NDArray[Any]] = {
        "characters": _bytes(vocabulary.alphabet.characters),
        "pairs": _bytes("".join(vocabulary.pairs)),
        "words": _bytes("\n".join(vocabulary.words)),
        "folded_from": vocabulary.alphabet.folded_from.astype(np.int32),
        "folded_to": vocabulary.alphabet.folded_to.astype(np.int32),
    }
    (folder / VOCABULARY_FILE).write_bytes(save(tensors))
    (folder / WEIGHTS_FILE).write_bytes(save({_WEIGHTS_KEY: rows}))
    settings = {"format": FORMAT, "classes": vocabulary.classes, "dimension": dimension, "marks": marks}
    (folder / SETTINGS_FILE).write_text(json.dumps(settings, indent=2) + "\n", "utf-8")


def quantise(table: NDArray[np.float32]) -> NDArray[np.int8]:
    """The table as int8, with one scale for all rows (cosines do not see it): outliers are clipped."""
    rows: NDArray[np.int8] = np.clip(np.rint(table * _scale(table)), -_LARGEST, _LARGEST).astype(np.int8)
    return rows


def _scale(table: NDArray[np.float32]) -> float:
    return _LARGEST / (float(np.quantile(np.abs(table), 1 - _CLIPPED_SHARE)) or 1.0)


def _without_direction(table: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows made orthogonal to that of all ones, which is the marks'."""
    rows: NDArray[np.float32] = table - table.mean(axis=1, keepdims=True)
    return rows


def _with_mark(
    rows: NDArray[np.int8], table: NDArray[np.float32], pivot: float, mark: int
) -> tuple[NDArray[np.int8], int]:
    """The rows with the mark's, and how many marks it takes to reach the length."""
    value = pivot * _scale(_without_direction(table)) / np.sqrt(table.shape[1])
    marks = max(1, int(np.ceil(value / _LARGEST)))
    rows[mark] = round(value / marks)
    return rows, marks


def _settings(folder: Path, data: bytes) -> dict[str, Any]:
    try:
        settings: dict[str, Any] = json.loads(data)
        version = settings["format"]
    except (ValueError, KeyError, TypeError) as error:
        raise ModelFormatError(
            f"{folder / SETTINGS_FILE} cannot be read ({error}); train the model again."
        ) from error
    if version != FORMAT:
        raise ModelFormatError(
            f"The model in {folder} has format {version}, this version of wenda reads {FORMAT}; "
            "train it again."
        )
    return settings


def _vocabulary(folder: Path, data: bytes, settings: dict[str, Any]) -> Vocabulary:
    path = folder / VOCABULARY_FILE
    tensors = _tensors(path, data)
    try:
        pairs = _text(tensors["pairs"])
        return Vocabulary(
            alphabet=Alphabet(
                _text(tensors["characters"]),
                tensors["folded_from"].astype(np.uint32),
                tensors["folded_to"].astype(np.uint32),
            ),
            pairs=[pairs[i : i + 2] for i in range(0, len(pairs), 2)],
            words=_text(tensors["words"]).split("\n"),
            classes=int(settings["classes"]),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise ModelFormatError(f"{path} is incomplete ({error}); train the model again.") from error


def _tensors(path: Path, data: bytes) -> dict[str, NDArray[Any]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return dict(load(data))
    except SafetensorError as error:
        raise ModelFormatError(
            f"{path} cannot be read ({error}); install wenda again or train the model again."
        ) from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        if path.name == SETTINGS_FILE:
            raise ModelNotFoundError(
                f"There is no static model in {path.parent}: {SETTINGS_FILE} is missing."
            ) from error
        raise ModelFormatError(
            f"{path} cannot be read ({error}); install wenda again or train the model again."
        ) from error


def _bytes(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode(), dtype=np.uint8)


def _text(data: NDArray[Any]) -> str:
    return data.astype(np.uint8).tobytes().decode("utf-8")
