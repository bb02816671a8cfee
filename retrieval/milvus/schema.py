"""The collections of an index and their fields; which index a vector field gets."""

import time
from dataclasses import dataclass
from typing import Any

from retrieval.errors import RetrievalError

FORMAT_VERSION = 1
"""Grows with every change of the collections; the head of a generation says which one it has."""

TEXT_BYTES = 65_535
"""The most bytes that Milvus takes in one VARCHAR."""

HNSW = {"M": 16, "efConstruction": 200}
SEARCHED = {"ef": 160, "nprobe": 32}
"""Neighbours looked at by HNSW, lists by IVF: recall of the first 50 above 0.99 on the tuning sets."""

_LOOKS, _PAUSE = 50, 0.05
_UNSEARCHED = 2
"""Milvus wants a vector in every collection: where there is nothing to search, one of two zeros."""


@dataclass(frozen=True, slots=True)
class Collections:
    """The names of one generation's collections."""

    name: str
    number: int

    @classmethod
    def of_head(cls, head: str) -> "Collections":
        """The generation whose head has this name."""
        name, number, _ = head.rsplit("_", 2)
        return cls(name, int(number))

    @property
    def head(self) -> str:
        """One row: see head.py."""
        return self._named("head")

    @property
    def passages(self) -> str:
        """Passages with both their vectors."""
        return self._named("passages")

    @property
    def articles(self) -> str:
        """Articles: cards and texts."""
        return self._named("articles")

    @property
    def files(self) -> str:
        """Files that were read."""
        return self._named("files")

    @property
    def terms(self) -> str:
        """Document frequencies."""
        return self._named("terms")

    def all(self) -> tuple[str, ...]:
        """The head last: while it is there, so are the others."""
        return self.passages, self.articles, self.files, self.terms, self.head

    def _named(self, kind: str) -> str:
        return f"{self.name}_{self.number:06d}_{kind}"


def make(client: Any, collections: Collections, *, dimension: int, dense_index: str, lite: bool) -> None:
    """Make the empty collections of a generation, loaded and ready; repeating it is harmless.

    `client` is called as pymilvus' MilvusClient is (see Server.call).
    """
    _make(client, collections.passages, _passages(dimension), _passage_indexes(dense_index, lite))
    numbers = ("key", "part", "article", "file", "original", "text_digest", "day")
    looked_up = ("key", "article", "file", "original", "text_digest", "day")
    _make(client, collections.articles, _plain(numbers, ("card", "text")), _lookups(looked_up))
    _make(client, collections.files, _plain(("path_digest",), ("value",), array="folders"),
          _lookups(("path_digest",)))  # fmt: skip
    _make(client, collections.terms, _plain(("kind", "position"), ("counts",)), _lookups(()))
    _make(client, collections.head, _plain((), ("state", "manifest", "sources", "publications", "retired")),
          _lookups(()), strong=True)  # fmt: skip


def make_lease(client: Any, name: str) -> None:
    """Make the collection whose one row says who may write."""
    _make(client, name, _plain(("epoch", "beat"), ("owner",)), _lookups(()), strong=True)


def token_schema(owner: str) -> Any:
    """A schema that no other owner's equals: Milvus takes a second collection of one name and schema for the
    first."""
    return _plain((f"owner_{owner}",), ())


def blank() -> dict[str, list[float]]:
    """The vector of rows that nobody searches."""
    return {"unsearched": [0.0] * _UNSEARCHED}


def _make(client: Any, name: str, schema: Any, indexes: Any, *, strong: bool = False) -> None:
    if not client("has_collection", name):
        try:
            client(
                "create_collection", name, schema=schema, num_shards=1 if strong else 2,
                consistency_level="Strong" if strong else "Bounded",
            )  # fmt: skip
        except RetrievalError as error:
            if "exist" not in str(error):
                raise
            _wait_for(client, name)  # another was quicker
    # Empty as the collection is there is no index to wait for; pymilvus would look every half second.
    try:
        client("create_index", name, indexes, sync=False)
    except RetrievalError:
        if not client("list_indexes", name):
            raise
    client("load_collection", name)


def _wait_for(client: Any, name: str) -> None:
    for _ in range(_LOOKS):
        if client("has_collection", name):
            return
        time.sleep(_PAUSE)


def _passages(dimension: int) -> Any:
    from pymilvus import DataType

    schema = _new()
    schema.add_field("id", DataType.INT64, is_primary=True)
    for name in ("article", "ordinal", "first_paragraph", "last_paragraph", "day"):
        schema.add_field(name, DataType.INT64)
    schema.add_field("facets", DataType.ARRAY, element_type=DataType.INT64, max_capacity=1024)
    for name in ("heading", "text", "normalised"):
        schema.add_field(name, DataType.VARCHAR, max_length=TEXT_BYTES)
    schema.add_field("dense", DataType.FLOAT_VECTOR, dim=dimension)
    schema.add_field("sparse", DataType.SPARSE_FLOAT_VECTOR)
    return schema


def _plain(numbers: tuple[str, ...], texts: tuple[str, ...], *, array: str | None = None) -> Any:
    from pymilvus import DataType

    schema = _new()
    schema.add_field("id", DataType.INT64, is_primary=True)
    for name in numbers:
        schema.add_field(name, DataType.INT64)
    for name in texts:
        schema.add_field(name, DataType.VARCHAR, max_length=TEXT_BYTES)
    if array is not None:
        schema.add_field(array, DataType.ARRAY, element_type=DataType.INT64, max_capacity=1024)
    schema.add_field("unsearched", DataType.FLOAT_VECTOR, dim=_UNSEARCHED)
    return schema


def _new() -> Any:
    from pymilvus import MilvusClient

    return MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)


def _passage_indexes(dense_index: str, lite: bool) -> Any:
    from pymilvus import MilvusClient

    parameters = {"HNSW": HNSW, "HNSW_SQ": HNSW, "IVF_FLAT": {"nlist": 1024}, "IVF_SQ8": {"nlist": 1024}}
    indexes = MilvusClient.prepare_index_params()
    indexes.add_index(
        "dense", index_type=dense_index, metric_type="IP", params=parameters.get(dense_index, {})
    )
    indexes.add_index("sparse", index_type="SPARSE_INVERTED_INDEX", metric_type="IP")
    for field in ("article", "day") if lite else ("article", "day", "facets"):
        indexes.add_index(field, index_type="INVERTED")
    return indexes


def _lookups(fields: tuple[str, ...]) -> Any:
    from pymilvus import MilvusClient

    indexes = MilvusClient.prepare_index_params()
    indexes.add_index("unsearched", index_type="FLAT", metric_type="L2")
    for field in fields:
        indexes.add_index(field, index_type="INVERTED")
    return indexes
