"""Find the passage that answers a question, in a folder of articles: see Retriever."""

from typing import TYPE_CHECKING, Any

from retrieval.errors import (
    ArticleError,
    EvaluationError,
    IndexDamagedError,
    IndexLockedError,
    IndexMismatchError,
    IndexNotFoundError,
    QueryError,
    RemovalGuardError,
    RetrievalError,
    SettingsError,
    SourceError,
    StorageError,
)
from retrieval.types import (
    Article,
    Failure,
    Filters,
    Hit,
    Passage,
    SearchResponse,
    Span,
    SyncReport,
    Understood,
)

if TYPE_CHECKING:
    from retrieval.retriever import Retriever, Status

__all__ = [
    "Article",
    "ArticleError",
    "EvaluationError",
    "Failure",
    "Filters",
    "Hit",
    "IndexDamagedError",
    "IndexLockedError",
    "IndexMismatchError",
    "IndexNotFoundError",
    "Passage",
    "QueryError",
    "RemovalGuardError",
    "RetrievalError",
    "Retriever",
    "SearchResponse",
    "SettingsError",
    "SourceError",
    "Span",
    "Status",
    "StorageError",
    "SyncReport",
    "Understood",
]


def __getattr__(name: str) -> Any:
    """The retriever brings NumPy along: it is imported when it is asked for."""
    if name in {"Retriever", "Status"}:
        from retrieval import retriever

        return getattr(retriever, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
