"""The head of a generation: one row that says which rows of the other collections are committed.

A row of passages, articles or files is visible when its number is below the head's `next` of that
collection and it is not retired. Replacing the head is what commits.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from retrieval.backend import Ids
from retrieval.errors import IndexDamagedError, IndexMismatchError, StorageError
from retrieval.locations import MilvusLocation
from retrieval.milvus.client import Row, Server
from retrieval.milvus.schema import FORMAT_VERSION, TEXT_BYTES, blank

Ranges = tuple[tuple[int, int], ...]
"""First and last number, both included, of each range."""

MOST_PUBLICATIONS = 1_000
_PUBLICATION_CHARACTERS = 60
_FIELDS = ("state", "manifest", "sources", "publications")
_RETIRED = "retired"
_RANGES_PER_ROW = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """One number for each of the collections whose rows are numbered."""

    passages: int = 1
    articles: int = 1
    files: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Retired:
    """Rows that were replaced or removed and may still be there."""

    passages: Ranges = ()
    articles: Ranges = ()
    files: Ranges = ()

    def __bool__(self) -> bool:
        return bool(self.passages or self.articles or self.files)


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A committed state. `busy` says that a writer may be adding rows beyond `next`.

    `revision` changes with the manifest, `commit` with every commit, `position` with those of articles;
    document frequencies are folded in up to the position `folded`. `key` is the next article's place in the
    order in which articles came; days are ordinals, 0 unknown.
    """

    format: int = FORMAT_VERSION
    revision: int = 0
    commit: int = 0
    position: int = 0
    folded: int = 0
    busy: bool = False
    articles: int = 0
    passages: int = 0
    key: int = 1
    earliest: int = 0
    latest: int = 0
    updated_at: str = ""
    mean_lengths: tuple[float, float, float] | None = None
    next: Numbers = field(default_factory=Numbers)
    retired: Retired = field(default_factory=Retired)
    manifest: Mapping[str, Any] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    publications: Mapping[str, int] = field(default_factory=dict)

    def row(self) -> Row:
        """As Milvus stores it. Raises StorageError where a part has outgrown its field."""
        values = asdict(self)
        values.pop(_RETIRED)
        parts = {name: values.pop(name) for name in _FIELDS[1:]}
        row = {
            name: json.dumps(part, ensure_ascii=False) for name, part in {"state": values, **parts}.items()
        }
        for name, text in row.items():
            if len(text.encode("utf-8")) > TEXT_BYTES:
                raise StorageError(f"the index cannot hold so many {name}: {TEXT_BYTES:,} bytes are the most")
        return {"id": 0, **row, _RETIRED: "", **blank()}

    def retired_rows(self) -> list[Row]:
        """The rows after the head, to be written before it."""
        ranges = [(kind, *each) for kind, of_kind in asdict(self.retired).items() for each in of_kind]
        empty = dict.fromkeys(_FIELDS, "")
        return [
            {"id": 1 + number, **empty, **blank(), _RETIRED: json.dumps([self.commit, part])}
            for number, start in enumerate(range(0, len(ranges), _RANGES_PER_ROW))
            if (part := ranges[start : start + _RANGES_PER_ROW])
        ]

    @classmethod
    def from_rows(cls, rows: Sequence[Row], location: MilvusLocation) -> "Head":
        """The inverse of `row` and `retired_rows`.

        Raises IndexMismatchError for another format, IndexDamagedError where it is no head.
        """
        try:
            row = next(row for row in rows if row["id"] == 0)
            values = {name: json.loads(row[name]) for name in _FIELDS}
            state = values.pop("state")
            if state["format"] != FORMAT_VERSION:
                raise IndexMismatchError(
                    f"the index at {location} has format {state['format']}, this version of wenda reads "
                    f"{FORMAT_VERSION}: upgrade with `pip install --upgrade 'wenda[milvus]'`, or make the "
                    "index anew"
                )
            state["next"] = Numbers(**state["next"])
            means = state["mean_lengths"]
            state["mean_lengths"] = tuple(means) if means else None
            parts = [json.loads(row[_RETIRED]) for row in rows if row["id"] > 0]
            retired = [each for commit, part in parts if commit == state["commit"] for each in part]
            by_kind = {
                kind: tuple((first, last) for named, first, last in retired if named == kind)
                for kind in ("passages", "articles", "files")
            }
            return cls(**state, **values, retired=Retired(**by_kind))
        except (KeyError, TypeError, ValueError, AttributeError, StopIteration) as error:
            raise IndexDamagedError(
                f"the head of the index at {location} cannot be read ({error}): drop its collections and "
                "index the articles again"
            ) from error

    def with_publications(self, names: Mapping[str, int]) -> "Head":
        """Counts of articles by publication changed by so many; the rarest go where there are too many."""
        counts = dict(self.publications)
        for name, change in names.items():
            key = name[:_PUBLICATION_CHARACTERS]
            counts[key] = counts.get(key, 0) + change
        kept = sorted(((n, c) for n, c in counts.items() if c > 0), key=lambda item: -item[1])
        return replace(self, publications=dict(kept[:MOST_PUBLICATIONS]))


def read_head(server: Server, collection: str, *, patient: bool = False) -> Head:
    """The head in a collection (or under the alias of the current one).

    Raises IndexDamagedError where there is none, MissingCollectionError where there is no collection.
    """
    fields = ("id", *_FIELDS, _RETIRED)
    rows = server.query(collection, "id >= 0", fields, consistency="Strong", patient=patient)
    return Head.from_rows(rows, server.location)


def merged(numbers: "Ids | list[int]") -> Ranges:
    """Numbers as ranges: few, since those of an article follow each other."""
    ids = np.unique(np.asarray(numbers, dtype=np.int64))
    if not len(ids):
        return ()
    borders = np.flatnonzero(np.diff(ids) > 1)
    firsts, lasts = ids[np.append(0, borders + 1)], ids[np.append(borders, len(ids) - 1)]
    return tuple(zip(firsts.tolist(), lasts.tolist(), strict=True))


def condition(field_name: str, ranges: Ranges) -> str:
    """The rows in any of the ranges; nothing where there is none."""
    return " or ".join(f"({field_name} >= {first} and {field_name} <= {last})" for first, last in ranges)


def inside(ids: Ids, ranges: Ranges) -> "np.ndarray[Any, np.dtype[np.bool_]]":
    """Which ids are in a range: shape (n,)."""
    if not ranges:
        return np.zeros(len(ids), dtype=np.bool_)
    firsts, lasts = np.array(ranges, dtype=np.int64).T
    place = np.searchsorted(firsts, ids, side="right") - 1
    found: np.ndarray[Any, np.dtype[np.bool_]] = (place >= 0) & (ids <= lasts[place])
    return found
