"""Arrays in files that are mapped into memory."""

import mmap
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_HEADER_BYTES = 128


def map_array(path: Path) -> NDArray[Any]:
    """A mapped .npy file; one without any rows cannot be mapped and is read."""
    try:
        if path.stat().st_size <= _HEADER_BYTES:
            empty_one: NDArray[Any] = np.load(path, allow_pickle=False)
            return empty_one
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
    except EOFError as error:
        raise ValueError(f"{path} is empty") from error
    loaded: NDArray[Any] = mapped.view(np.ndarray)  # of which parts are taken at a fifth of the price
    return loaded


def release(mapped: NDArray[Any]) -> None:
    """Give the memory of a mapped array back until it is read again."""
    mapping = getattr(mapped.base, "_mmap", None)
    if mapping is not None and hasattr(mmap, "MADV_DONTNEED"):
        mapping.madvise(mmap.MADV_DONTNEED)
