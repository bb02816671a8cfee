"""The exceptions of retrieval.

embeddings.errors.WendaError
└── RetrievalError
    ├── IndexNotFoundError, IndexMismatchError, IndexDamagedError, IndexLockedError, StorageError
├── IndexUnavailableError, BackendMissingError
    ├── SourceError, RemovalGuardError, ArticleError
    └── QueryError, EvaluationError, SettingsError
"""

from embeddings.errors import WendaError


class RetrievalError(WendaError):
    """Base of every error that the retrieval package raises on purpose."""


class IndexNotFoundError(RetrievalError):
    """An index was asked for where there is none, and none was to be created."""


class IndexMismatchError(RetrievalError):
    """The index was made with another encoder, analyzer or format; the message has the mending command."""


class IndexDamagedError(RetrievalError):
    """A file of the index is missing or unreadable; the message has the mending command."""


class IndexLockedError(RetrievalError):
    """Another process is writing to this index."""


class IndexUnavailableError(RetrievalError):
    """The server of the index is away, starting or too slow: the same call may succeed in a moment."""


class BackendMissingError(RetrievalError):
    """The packages that this kind of index needs are not installed; the message names the extra."""


class StorageError(RetrievalError):
    """The disk is full, read-only or failing; what was committed before is still there."""


class SourceError(RetrievalError):
    """A source of articles (folder, file, feed) is missing or unreadable as a whole."""


class RemovalGuardError(RetrievalError):
    """A sync would have removed more than a third of the articles; nothing was changed."""


class ArticleError(RetrievalError):
    """One article cannot be read or parsed: it is reported and skipped.

    `path` says which file, `line` where in it (1-based, None where unknown), `reason` what is wrong.
    """

    def __init__(self, reason: str, *, path: str, line: int | None = None) -> None:
        self.path, self.line, self.reason = path, line, reason
        place = f"{path}:{line}" if line is not None else path
        super().__init__(f"{place}: {reason}")


class QueryError(RetrievalError):
    """A search argument (top_k, offset, a filter's date) is not valid."""


class EvaluationError(RetrievalError):
    """A data set is missing a file or a field, or its lines cannot be read."""


class SettingsError(RetrievalError):
    """A setting of the library (a link template) is not valid; the message says what it may be."""
