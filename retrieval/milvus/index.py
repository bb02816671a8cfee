"""One generation of an index on Milvus, open."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from retrieval.links import LinkTemplate
from retrieval.manifest import Manifest
from retrieval.milvus.client import Server
from retrieval.milvus.frequencies import Frequencies
from retrieval.milvus.head import Head, read_head
from retrieval.milvus.library import MilvusLibrary
from retrieval.milvus.schema import Collections
from retrieval.milvus.view import MilvusView

if TYPE_CHECKING:
    from embeddings.encoder import Encoder
    from retrieval.lexical.analyzer import Analyzer
    from retrieval.milvus.writing import MilvusWriter


class MilvusIndex:
    """Implements Index. The head that was read with the stamp of the home serves the next read, too."""

    def __init__(
        self,
        server: Server,
        collections: Collections,
        head: Head,
        *,
        confirm: Callable[[], None],
        template: LinkTemplate | None = None,
    ) -> None:
        self.collections = collections
        self.manifest = Manifest.from_mapping(dict(head.manifest), location=str(server.location))
        self._server = server
        self._confirm = confirm
        self._template = template
        self._frequencies = Frequencies(server, collections.terms)
        self._own = threading.local()

    def offer(self, head: Head) -> None:
        """A head that this thread has just read."""
        self._own.head = head

    @contextlib.contextmanager
    def view(self) -> Iterator[MilvusView]:
        """See Index."""
        yield MilvusView(
            self._server, self.collections, self._newest(), self._frequencies, template=self._template
        )

    def reader(self) -> MilvusLibrary:
        """See Index."""
        head = self._newest()
        return MilvusLibrary(self._server, self.collections, lambda: head)

    def writer(self, *, encoder: "Encoder", analyzer: "Analyzer") -> "MilvusWriter":
        """See Index."""
        from retrieval.milvus.writing import MilvusWriter

        return MilvusWriter(
            self._server, self.collections, encoder=encoder, analyzer=analyzer, confirm=self._confirm
        )

    def read_ahead(self) -> None:
        """See Index: nothing is on this machine's disk."""

    def at_rest(self) -> bool:
        """See Index."""
        head = self._newest()
        return not head.busy and not head.retired and head.folded == head.position

    def problems(self) -> tuple[list[str], list[str]]:
        """See Index."""
        from retrieval.milvus.checking import problems

        return problems(self._server, self.collections, self._newest())

    def derive_anew(self, *, encoder: "Encoder", analyzer: "Analyzer") -> None:
        """Clear away what a crash left, and count the terms anew."""
        from retrieval.milvus.checking import count_anew

        writer = self.writer(encoder=encoder, analyzer=analyzer)
        writer.finish()
        count_anew(self._server, self.collections, read_head(self._server, self.collections.head))

    def close(self) -> None:
        """The connection is the home's."""

    def _newest(self) -> Head:
        head: Head | None = getattr(self._own, "head", None)
        self._own.head = None
        return head if head is not None else read_head(self._server, self.collections.head)
