"""What goes through the pipes between a sync and its reading workers: JSON lines, typed and checked."""

import base64
from typing import Any

import msgspec
import numpy as np

from retrieval.file_reading import FileTask, ReadFile


class Errand(msgspec.Struct, array_like=True):
    """Articles to read, and the lines of their source that recur; None where they are those of before."""

    recurring: list[int] | None
    tasks: list[FileTask]


def pack(message: Errand | list[ReadFile]) -> bytes:
    """One line."""
    return _ENCODER.encode(message) + b"\n"


def errand(line: bytes) -> Errand:
    """What `pack` made of one; raises msgspec.DecodeError where the line is not that."""
    return _ERRANDS.decode(line)


def results(line: bytes) -> list[ReadFile]:
    """The same for what came of an errand."""
    return _RESULTS.decode(line)


def _from_array(value: object) -> Any:
    """Vectors: their width and their bytes."""
    if isinstance(value, np.ndarray):
        return value.shape[-1], value.tobytes()
    raise TypeError(f"{type(value).__name__} is not for workers")


def _to_array(_: type, value: tuple[int, str]) -> Any:
    width, data = value
    vectors = np.frombuffer(base64.b64decode(data), dtype=np.float16)
    return vectors.reshape(-1, width) if width else vectors.reshape(0, 0)


_ENCODER = msgspec.json.Encoder(enc_hook=_from_array)
_ERRANDS = msgspec.json.Decoder(Errand)
_RESULTS = msgspec.json.Decoder(list[ReadFile], dec_hook=_to_array)
