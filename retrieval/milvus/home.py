"""The home of an index on Milvus: its name, which is an alias of the current generation's head."""

import re
import threading
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from retrieval.errors import IndexNotFoundError, RetrievalError
from retrieval.index import Index
from retrieval.locations import MilvusLocation
from retrieval.manifest import Manifest
from retrieval.milvus import schema
from retrieval.milvus.client import MissingCollectionError, Server
from retrieval.milvus.head import Head, read_head
from retrieval.milvus.index import MilvusIndex
from retrieval.milvus.lease import Lease
from retrieval.milvus.schema import Collections

if TYPE_CHECKING:
    from embeddings.encoder import Encoder
    from retrieval.lexical.analyzer import Analyzer
    from retrieval.links import LinkTemplate


class MilvusHome:
    """Implements Home for a name on a server or in a Milvus Lite file."""

    def __init__(self, location: MilvusLocation) -> None:
        self.location = str(location)
        self._place = location
        self._server = Server(location)
        self._lease = Lease(self._server, location.name)
        self._guard = threading.Lock()
        self._index: MilvusIndex | None = None

    def exists(self) -> bool:
        """See Home."""
        try:
            self._server.call("describe_alias", self._place.name, patience=self._server.reading)
        except MissingCollectionError:
            return bool(self.generations())
        return True

    def stamp(self) -> object:
        """See Home: the generation, and how often its manifest changed."""
        head = self._current_head()
        index = self._index
        if index is not None and index.manifest.created_at == head.manifest.get("created_at"):
            index.offer(head)
        return head.manifest.get("created_at"), head.revision

    def open(self, *, template: "LinkTemplate | None" = None) -> MilvusIndex:
        """See Home."""
        names = self._current()
        head = read_head(self._server, names.head)
        index = MilvusIndex(self._server, names, head, confirm=self._lease.confirm, template=template)
        with self._guard:
            self._index = index
        return index

    def writing(self, *, seconds: float) -> AbstractContextManager[None]:
        """See Home: the lease."""
        return self._lease.held(seconds=seconds)

    def prepare(self) -> None:
        """See Home: see that the server can be reached."""
        self._server.connected(self._server.reading)

    def beside(
        self, *, encoder: "Encoder", analyzer: "Analyzer", user_dictionary: Path | None
    ) -> MilvusIndex:
        """See Home; what an earlier attempt left unfinished is dropped."""
        current = self._aliased()
        for names in self.generations():
            if current is None or names.number > current.number:
                self._drop(names)
        number = current.number + 1 if current else 1
        names = Collections(self._place.name, number)
        lite = self._server.lite
        schema.make(
            self._server.call, names, dimension=encoder.dimension, lite=lite,
            dense_index=self._place.dense_index or ("FLAT" if lite else "HNSW"),
        )  # fmt: skip
        manifest = Manifest.of(
            encoder,
            analyzer=analyzer.fingerprint,
            user_dictionary=str(user_dictionary.absolute()) if user_dictionary else None,
        )
        made = manifest.to_mapping() | {"created_at": datetime.now(UTC).isoformat()}
        head = Head(manifest=made, updated_at=datetime.now(UTC).isoformat(timespec="seconds"))
        self._lease.confirm()
        self._server.upsert(names.head, [head.row()])
        return MilvusIndex(self._server, names, head, confirm=self._lease.confirm)

    def switch(self, index: Index) -> None:
        """See Home: the alias moves, then the others are dropped."""
        assert isinstance(index, MilvusIndex)
        self._lease.confirm()
        method = "create_alias" if self._aliased() is None else "alter_alias"
        self._server.call(method, index.collections.head, self._place.name)
        for names in self.generations():
            if names != index.collections:
                self._drop(names)

    def announce(self, index: Index) -> None:
        """See Home: the revision in the head has told already."""

    def mend(self) -> None:
        """Have the alias name the last generation with a head, where it names none."""
        if self._aliased() is None and (found := self.generations()):
            self._server.call("create_alias", found[-1].head, self._place.name)

    def close(self) -> None:
        """Give the connection back."""
        self._server.close()

    def _current(self) -> Collections:
        """The generation to use: where a crash came before the first alias, the one that was made."""
        names = self._aliased()
        if names is None:
            for left in reversed(self.generations()):
                return left
            raise IndexNotFoundError(
                f"there is no index in {self.location}: make one with "
                f"`python -m retrieval index ARTICLES --index {self.location}`"
            )
        return names

    def _current_head(self) -> Head:
        try:
            return read_head(self._server, self._place.name)
        except MissingCollectionError:
            return read_head(self._server, self._current().head)

    def _aliased(self) -> Collections | None:
        try:
            found = self._server.call("describe_alias", self._place.name, patience=self._server.reading)
        except MissingCollectionError:
            return None
        head = str(found["collection_name"])
        if not re.fullmatch(rf"{re.escape(self._place.name)}_\d{{6}}_head", head):
            raise RetrievalError(
                f"{self._place.name!r} at {self.location} is an alias of {head!r}, which is no index of "
                "wenda: choose another name"
            )
        return Collections.of_head(head)

    def generations(self) -> list[Collections]:
        """Generations with a head, the oldest first."""
        names = self._server.call("list_collections", patience=self._server.reading)
        pattern = re.compile(rf"{re.escape(self._place.name)}_\d{{6}}_head")
        return sorted(
            (Collections.of_head(name) for name in names if pattern.fullmatch(name)), key=lambda c: c.number
        )

    def _drop(self, names: Collections) -> None:
        for collection in names.all():
            if self._server.call("has_collection", collection):
                self._server.call("drop_collection", collection)
