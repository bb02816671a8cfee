"""The immutable parts of the vector index: files made once from the store, then only mapped into memory.

    vectors/catalogue.json        the segments that count, and the position of the change log they stand for
    vectors/dead-<position>.npy   segments and ids that were removed since these were made, int64 (n, 2)
    vectors/segment-<number>/
        ids.npy                   passage ids, ascending, int64 (n,)
        vectors.npy               float16 (n, dimension), row by row the same passages
        codes.npy, centroids.npy  where n is large: the same as codes (see retrieval.vector.quantization)
        segment.json              dimension, and how the segment is searched

What a catalogue names is on the disk before the catalogue is, and the catalogue is replaced in one step:
there is never half a state. Files that no catalogue names any more are deleted by the next writer.
"""

import json
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from embeddings.encoder import Vectors
from retrieval.backend import Ids
from retrieval.storage.folder import sync_folder
from retrieval.vector.half_precision import Stored, to_half, to_single
from retrieval.vector.mapped import map_array
from retrieval.vector.quantization import Codes, Quantizer

CATALOGUE = "catalogue.json"
MAPPED_ROWS = 300_000
SMALL_ROWS = 60_000
"""Of a larger index, single rows of all but small segments are read, not mapped: pages that were once mapped
count as the process's memory, and the system maps sixteen for each one that is needed. Mapped rows are taken
at a fifth of the price."""

_SEGMENT = "segment-"
_DEAD = "dead-"


@dataclass(frozen=True, slots=True)
class Segment:
    """Vectors under ascending ids. `number` is that of its folder."""

    number: int
    ids: Ids
    vectors: Stored
    settings: dict[str, Any]
    codes: Codes | None = None
    centroids: NDArray[np.float32] | None = None
    file: "RowFile | None" = None

    def __len__(self) -> int:
        return len(self.ids)

    def quantizer(self) -> Quantizer:
        """What made the codes; only where there are codes."""
        assert self.centroids is not None
        return Quantizer(np.array(self.centroids))

    def rows(self, ids: Ids) -> NDArray[np.int64]:
        """The row of each id, -1 where it is not here."""
        size = len(self.ids)
        if not size:
            return np.full(len(ids), -1, dtype=np.int64)
        first = int(self.ids[0])
        if int(self.ids[-1]) - first == size - 1:  # as they are until some are removed: none is missing
            found = ids - first
            return np.where((found >= 0) & (found < size), found, -1)
        found = np.searchsorted(self.ids, ids)
        found[found == len(self.ids)] = 0
        return np.where(self.ids[found] == ids, found, -1)

    def read_singly(self, folder: Path) -> "Segment":
        """The same, but for small ones with a file that rows are read from; `folder` is the index's."""
        if self.file is not None or len(self) <= SMALL_ROWS or not hasattr(os, "preadv"):
            return self
        path = folder / f"{_SEGMENT}{self.number:06d}" / "vectors.npy"
        return replace(self, file=RowFile(path, self.vectors.shape))

    def stored(self, rows: NDArray[np.int64]) -> Stored:
        """The vectors of these rows as they are stored: shape (len(rows), dimension)."""
        return self.vectors[rows] if self.file is None else self.file.read(rows)

    def take(self, rows: NDArray[np.int64]) -> Vectors:
        """The vectors of these rows: shape (len(rows), dimension)."""
        return to_single(self.stored(rows))

    def block(self, start: int, end: int) -> Vectors:
        """The vectors of the rows from `start` up to `end`: shape (end - start, dimension)."""
        if self.file is None:
            return to_single(self.vectors[start:end])
        return to_single(self.file.read(np.arange(start, min(end, len(self)))))


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The segments of a vector index at a position of the change log, and what is gone from them: numbers of
    segments and ids, shape (n, 2)."""

    position: int
    segments: tuple[Segment, ...]
    dead: NDArray[np.int64]

    def dead_in(self, number: int) -> Ids:
        """The ids that are gone from one segment."""
        ids: Ids = self.dead[self.dead[:, 0] == number, 1]
        return ids


def stamp(folder: Path) -> tuple[int, int] | None:
    """Changes with every new catalogue; None where there is none."""
    try:
        found = (folder / CATALOGUE).stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns


def load_catalogue(folder: Path, known: Iterable[Segment] = ()) -> Catalogue:
    """Map what the catalogue in `folder` names; segments that are `known` stay as they are.

    Raises OSError, ValueError or KeyError where the files are not what was written.
    """
    note = json.loads((folder / CATALOGUE).read_text(encoding="utf-8"))
    held = {segment.number: segment for segment in known}
    segments = tuple(held.get(number) or load(folder, number) for number in note["segments"])
    if sum(map(len, segments)) > MAPPED_ROWS:
        segments = tuple(segment.read_singly(folder) for segment in segments)
    dead = map_array(folder / note["dead"]) if note["dead"] else np.empty((0, 2), np.int64)
    return Catalogue(int(note["position"]), segments, np.array(dead))


def load(folder: Path, number: int) -> Segment:
    """Map one segment; raises OSError, ValueError or KeyError where its files are not what was written."""
    path = folder / f"{_SEGMENT}{number:06d}"
    settings = json.loads((path / "segment.json").read_text(encoding="utf-8"))
    ids, vectors = map_array(path / "ids.npy"), map_array(path / "vectors.npy")
    codes = centroids = None
    if "candidates" in settings:
        codes, centroids = map_array(path / "codes.npy"), map_array(path / "centroids.npy")
    shape = (len(ids), settings["dimension"])
    sound = ids.dtype == np.int64 and vectors.dtype == np.float16 and vectors.shape == shape
    if not sound or (codes is not None and len(codes) != len(ids)):
        raise ValueError(f"{path} does not hold what its segment.json says")
    return Segment(number, ids, vectors, settings, codes, centroids)


def publish(folder: Path, *, position: int, segments: Sequence[Segment], dead: NDArray[np.int64]) -> None:
    """Make these segments, finished before, the vector index; what no longer counts is deleted."""
    name = f"{_DEAD}{position:012d}.npy" if len(dead) else None
    if name is not None:
        with (folder / name).open("wb") as file:
            np.save(file, dead, allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())
    numbers = [segment.number for segment in segments]
    temporary = folder / f"{CATALOGUE}.new"
    with temporary.open("w", encoding="utf-8") as file:
        json.dump({"position": position, "segments": numbers, "dead": name}, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(folder / CATALOGUE)
    sync_folder(folder)
    keep = {CATALOGUE, name, *(f"{_SEGMENT}{number:06d}" for number in numbers)}
    for entry in folder.iterdir():
        if entry.name in keep:
            continue
        if entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)


class SegmentWriter:
    """Writes one segment: blocks of vectors in the order of their ids, then, if wanted, codes, then `finish`.

    The files are written from front to back, not through a mapping: there a full disk ends the process.
    """

    def __init__(self, folder: Path, *, count: int, dimension: int) -> None:
        self._folder = folder
        self._number = 1 + max((int(path.name[len(_SEGMENT) :]) for path in _segments(folder)), default=0)
        self._path = folder / f"{_SEGMENT}{self._number:06d}"
        self._shape = (count, dimension)
        self._path.mkdir()

    def write(self, blocks: Iterable[tuple[Ids, Vectors | Stored]]) -> tuple[Ids, Stored]:
        """Write all vectors, each block of shape (n, dimension), ids ascending throughout; gives them
        mapped."""
        count, dimension = self._shape
        ids_path, vectors_path = self._path / "ids.npy", self._path / "vectors.npy"
        written = 0
        with ids_path.open("wb") as ids_file, vectors_path.open("wb") as vectors_file:
            _write_header(ids_file, np.dtype(np.int64), (count,))
            _write_header(vectors_file, np.dtype(np.float16), (count, dimension))
            for ids, vectors in blocks:
                ids_file.write(np.ascontiguousarray(ids, dtype=np.int64).data)
                vectors_file.write(to_half(vectors).data)
                written += len(ids)
        if written != count:
            raise ValueError(f"{written} vectors were written of {count}")
        return map_array(ids_path), map_array(vectors_path)

    def put_codes(self, quantizer: Quantizer, codes: Codes) -> None:
        """Add the codes of all vectors, row by row."""
        np.save(self._path / "centroids.npy", quantizer.centroids, allow_pickle=False)
        np.save(self._path / "codes.npy", codes, allow_pickle=False)

    def finish(self, settings: dict[str, Any]) -> Segment:
        """Make the segment durable, for a catalogue to name it."""
        note = {"dimension": self._shape[1], **settings}
        (self._path / "segment.json").write_text(json.dumps(note), encoding="utf-8")
        for file in self._path.iterdir():
            _sync_file(file)
        sync_folder(self._path)
        return load(self._folder, self._number)


def _segments(folder: Path) -> list[Path]:
    return [path for path in folder.glob(f"{_SEGMENT}*") if path.name[len(_SEGMENT) :].isdigit()]


class RowFile:
    """The rows of a .npy file of half precision, read one by one. Stays readable when the file is deleted."""

    def __init__(self, path: Path, shape: tuple[int, ...]) -> None:
        self._path = path
        self._width = shape[1]
        self._handle = os.open(path, os.O_RDONLY)
        self._first = os.fstat(self._handle).st_size - 2 * shape[0] * shape[1]

    def __del__(self) -> None:
        os.close(self._handle)

    def read(self, rows: NDArray[np.int64]) -> Stored:
        """These rows: shape (len(rows), dimension)."""
        result = np.empty((len(rows), self._width), dtype=np.float16)
        if not len(rows):
            return result
        parts, size = result.data.cast("B"), 2 * self._width
        handle, first, read = self._handle, self._first, os.preadv
        for place, row in enumerate(rows.tolist()):
            if read(handle, [parts[place * size : (place + 1) * size]], first + row * size) != size:
                raise OSError(f"{self._path} is shorter than it was")
        return result


def _write_header(file: IO[bytes], dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)


def _sync_file(path: Path) -> None:
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
