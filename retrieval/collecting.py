"""The items of a collection as tasks: each with the id it shall have and what is known of it."""

from collections import deque
from collections.abc import Iterator

from retrieval.claims import Claims
from retrieval.errors import ArticleError
from retrieval.file_reading import FileTask
from retrieval.parsing.collections import Collection, Item
from retrieval.sources import FoundFile, Scan
from retrieval.storage.reading import KnownArticle
from retrieval.types import Failure


def collection_of(file: FoundFile, scan: Scan) -> Collection:
    """A found file, to be read as a collection."""
    return Collection(
        path=file.path, relative=file.relative, form=file.form, content=file.content, address=file.address,
        chosen=scan.chosen,
    )  # fmt: skip


class CollectionTasks:
    """Iterates over the tasks of one collection, and keeps book of what went wrong.

    `broken` is the reason why the collection could not be read to its end, `unclear` says that an item
    failed of which one cannot say which article it is: then none may be taken for gone.
    """

    def __init__(self, file: FoundFile, scan: Scan, claims: Claims) -> None:
        self._file = file
        self._collection = collection_of(file, scan)
        self._claims = claims
        self._known: deque[tuple[str, KnownArticle | None]] = deque()
        self.failed: list[Failure] = []
        self.broken = self.unclear = False

    def __iter__(self) -> Iterator[FileTask]:
        try:
            for item in self._collection.items():
                if isinstance(item, Item):
                    yield self._task(item)
                else:
                    self._report(item)
        except ArticleError as error:
            self.broken = True
            self.failed.append(Failure(path=error.path, reason=error.reason, line=error.line))

    def next_known(self) -> tuple[str, KnownArticle | None]:
        """The id, and the earlier article, of the next task in their order."""
        return self._known.popleft()

    def _task(self, item: Item) -> FileTask:
        identity, before = self._claims.claim(item.identity)
        self._known.append((identity, before))
        whole = before is not None and before.file == self._file.path
        return FileTask(
            path=item.path,
            relative=item.path.rpartition("/")[2] if item.path != self._file.path else self._file.relative,
            article_id=identity,
            data=None if item.article is not None else item.data,
            line=item.line,
            known=before.digest if before is not None and whole else b"",
            article=item.article,
        )

    def _report(self, error: ArticleError) -> None:
        self.failed.append(Failure(path=error.path, reason=error.reason, line=error.line))
        inside = error.path.removeprefix(self._file.path)
        if error.line is not None or not inside:
            self.unclear = True
        else:
            self._claims.claim(f"{self._file.relative}{inside}")
