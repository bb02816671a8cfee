"""The home of a local index: a folder with its generations, and the lock of the one who writes."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from retrieval.errors import IndexDamagedError
from retrieval.index import Index
from retrieval.local import LocalIndex
from retrieval.storage.folder import IndexFolder

if TYPE_CHECKING:
    from embeddings.encoder import Encoder
    from retrieval.lexical.analyzer import Analyzer
    from retrieval.links import LinkTemplate


class LocalHome:
    """Implements Home for a folder."""

    def __init__(self, path: Path) -> None:
        self.folder = IndexFolder(path)
        self.location = str(path)
        self.exists = self.folder.exists
        self.stamp = self.folder.stamp
        self.prepare = self.folder.prepare

    def open(self, *, template: "LinkTemplate | None" = None) -> LocalIndex:
        """See Home."""
        return LocalIndex(self.folder.current(), template=template)

    def writing(self, *, seconds: float) -> AbstractContextManager[None]:
        """See Home; the system frees the lock when the process ends."""
        from retrieval.storage.lock import writer_lock

        return writer_lock(self.folder.path, seconds=seconds)

    def beside(self, *, encoder: "Encoder", analyzer: "Analyzer", user_dictionary: Path | None) -> LocalIndex:
        """See Home."""
        from retrieval.generations import make_generation

        return LocalIndex(
            make_generation(self.folder, encoder=encoder, analyzer=analyzer, user_dictionary=user_dictionary)
        )

    def switch(self, index: Index) -> None:
        """See Home."""
        assert isinstance(index, LocalIndex)
        index.close()
        self.folder.switch(index.generation)
        self.folder.discard_others()

    def announce(self, index: Index) -> None:
        """See Home."""
        assert isinstance(index, LocalIndex)
        self.folder.switch(index.generation)

    def mend(self) -> None:
        """Make the newest generation with a store the current one, where CURRENT names none."""
        try:
            self.folder.current()
        except IndexDamagedError:
            whole = [generation for generation in self.folder.generations() if generation.store.is_file()]
            if not whole:
                raise
            self.folder.switch(whole[-1])

    def close(self) -> None:
        """Nothing is held open."""
