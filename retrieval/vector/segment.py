"""The immutable part of the vector index: files made once from the store, then only mapped into memory.

    vectors/base-<position>/ids.npy        passage ids, ascending, int64 (n,)
    vectors/base-<position>/vectors.npy    float16 (n, dimension), row by row the same passages
    vectors/base-<position>/codes.npy      where n is large: the same vectors as codes, and
    vectors/base-<position>/centroids.npy  what the codes mean (see retrieval.vector.quantization)
    vectors/base-<position>/base.json      position of the change log, and how the base is searched

A folder is written under another name and renamed when all of it is on the disk: there is no half a base.
"""

import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from embeddings.encoder import Vectors
from retrieval.backend import Ids
from retrieval.storage.folder import sync_folder
from retrieval.vector.quantization import Codes, Quantizer, Stored

_PREFIX = "base-"
_HEADER_BYTES = 128


@dataclass(frozen=True, slots=True)
class Segment:
    """One base: the vectors as they were at `position` of the change log."""

    position: int
    ids: Ids
    vectors: Stored
    settings: dict[str, Any]
    codes: Codes | None = None
    centroids: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def quantizer(self) -> Quantizer:
        """What made the codes; only where there are codes."""
        assert self.centroids is not None
        return Quantizer(np.array(self.centroids))

    def rows(self, ids: Ids) -> NDArray[np.int64]:
        """The row of each id, -1 where it is not here."""
        if not len(self.ids):
            return np.full(len(ids), -1, dtype=np.int64)
        found = np.searchsorted(self.ids, ids)
        found[found == len(self.ids)] = 0
        return np.where(self.ids[found] == ids, found, -1)


def empty(dimension: int) -> Segment:
    """What an index begins with."""
    return Segment(0, np.empty(0, np.int64), np.empty((0, dimension), np.float16), {})


def newest(folder: Path) -> Path | None:
    """The folder of the newest base in `folder`; None where there is none."""
    found = _bases(folder)
    return found[-1] if found else None


def position_of(folder: Path) -> int:
    """The position of the change log that a base's folder is named after."""
    return int(folder.name.removeprefix(_PREFIX))


def load(folder: Path) -> Segment:
    """Map a base; raises OSError or ValueError where its files are not what was written."""
    settings = json.loads((folder / "base.json").read_text(encoding="utf-8"))
    ids, vectors = _load(folder / "ids.npy"), _load(folder / "vectors.npy")
    codes = centroids = None
    if "candidates" in settings:
        codes, centroids = _load(folder / "codes.npy"), _load(folder / "centroids.npy")
    shape = (len(ids), settings["dimension"])
    sound = ids.dtype == np.int64 and vectors.dtype == np.float16 and vectors.shape == shape
    if not sound or (codes is not None and len(codes) != len(ids)):
        raise ValueError(f"{folder} does not hold what its base.json says")
    return Segment(int(settings["position"]), ids, vectors, settings, codes, centroids)


class SegmentWriter:
    """Writes one base: blocks of vectors in the order of their ids, then, if wanted, codes, then `finish`.

    The files are written from front to back, not through a mapping: there a full disk ends the process.
    """

    def __init__(self, folder: Path, *, position: int, count: int, dimension: int) -> None:
        self._folder = folder
        self._temporary = folder / f"{_PREFIX}new"
        self._position = position
        self._shape = (count, dimension)
        shutil.rmtree(self._temporary, ignore_errors=True)
        self._temporary.mkdir()

    def write(self, blocks: Iterable[tuple[Ids, Vectors | Stored]]) -> tuple[Ids, Stored]:
        """Write all vectors, each block of shape (n, dimension), ids ascending throughout; gives them
        mapped."""
        count, dimension = self._shape
        ids_path, vectors_path = self._temporary / "ids.npy", self._temporary / "vectors.npy"
        written = 0
        with ids_path.open("wb") as ids_file, vectors_path.open("wb") as vectors_file:
            _write_header(ids_file, np.dtype(np.int64), (count,))
            _write_header(vectors_file, np.dtype(np.float16), (count, dimension))
            for ids, vectors in blocks:
                ids_file.write(np.ascontiguousarray(ids, dtype=np.int64).data)
                vectors_file.write(np.ascontiguousarray(vectors, dtype=np.float16).data)
                written += len(ids)
        if written != count:
            raise ValueError(f"{written} vectors were written of {count}")
        return _load(ids_path), _load(vectors_path)

    def put_codes(self, quantizer: Quantizer, codes: Codes) -> None:
        """Add the codes of all vectors, row by row."""
        np.save(self._temporary / "centroids.npy", quantizer.centroids, allow_pickle=False)
        np.save(self._temporary / "codes.npy", codes, allow_pickle=False)

    def finish(self, settings: dict[str, Any]) -> Path:
        """Make the base durable and give it its name; older ones are deleted. Returns its folder."""
        note = {"position": self._position, "dimension": self._shape[1], **settings}
        (self._temporary / "base.json").write_text(json.dumps(note), encoding="utf-8")
        for file in self._temporary.iterdir():
            _sync_file(file)
        sync_folder(self._temporary)
        final = self._folder / f"{_PREFIX}{self._position:012d}"
        shutil.rmtree(final, ignore_errors=True)
        self._temporary.rename(final)
        sync_folder(self._folder)
        for older in _bases(self._folder):
            if older != final:
                shutil.rmtree(older, ignore_errors=True)
        return final


def _bases(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(entry for entry in folder.iterdir() if entry.name.removeprefix(_PREFIX).isdigit())


def _load(path: Path) -> NDArray[Any]:
    """A mapped .npy file; one without any rows cannot be mapped and is read."""
    try:
        if path.stat().st_size <= _HEADER_BYTES:
            empty_one: NDArray[Any] = np.load(path, allow_pickle=False)
            return empty_one
        loaded: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except EOFError as error:
        raise ValueError(f"{path} is empty") from error
    return loaded


def _write_header(file: IO[bytes], dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)


def _sync_file(path: Path) -> None:
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
