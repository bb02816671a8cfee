"""What goes through the pipes between a sync and its reading workers: JSON, typed and checked, and after it
the vectors as they are, which as text would take twice as long."""

import struct
from functools import partial
from typing import IO, Any

import msgspec
import numpy as np

from retrieval.file_reading import FileTask, ReadFile
from retrieval.vector.half_precision import Stored

_LENGTHS = struct.Struct("<QQ")
"""Of the JSON and of the vectors, in bytes."""

Message = tuple[bytes, bytes]
"""JSON, and vectors."""


class Errand(msgspec.Struct, array_like=True):
    """Articles to read, and the lines of their source that recur; None where they are those of before."""

    recurring: list[int] | None
    tasks: list[FileTask]


def pack(message: Errand | list[ReadFile]) -> bytes:
    """The bytes that `receive` takes."""
    vectors: list[bytes] = []
    text = msgspec.json.encode(message, enc_hook=partial(_set_aside, vectors))
    data = b"".join(vectors)
    return b"".join((_LENGTHS.pack(len(text), len(data)), text, data))


def receive(pipe: IO[bytes]) -> Message | None:
    """The next message; None where the pipe ends, be it within one."""
    lengths = pipe.read(_LENGTHS.size)
    if len(lengths) < _LENGTHS.size:
        return None
    text_length, data_length = _LENGTHS.unpack(lengths)
    text, data = pipe.read(text_length), pipe.read(data_length)
    return (text, data) if len(text) == text_length and len(data) == data_length else None


def errand(message: Message) -> Errand:
    """What was sent; raises msgspec.DecodeError where the message is not that."""
    return _ERRANDS.decode(message[0])


def results(message: Message) -> list[ReadFile]:
    """The same for what came of an errand."""
    text, data = message
    return msgspec.json.decode(text, type=list[ReadFile], dec_hook=partial(_take, data))


def _set_aside(vectors: list[bytes], value: object) -> Any:
    """Vectors: the shape, and at which byte they begin."""
    if not isinstance(value, np.ndarray):
        raise TypeError(f"{type(value).__name__} is not for workers")
    vectors.append(value.tobytes())
    return *value.shape, sum(map(len, vectors[:-1]))


def _take(data: bytes, _: type, value: tuple[int, int, int]) -> Stored:
    rows, width, start = value
    return np.frombuffer(data, dtype=np.float16, count=rows * width, offset=start).reshape(rows, width)


_ERRANDS = msgspec.json.Decoder(Errand)
