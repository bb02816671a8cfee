"""Reading articles, from files or from items of collections."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

from embeddings.encoder import Encoder
from retrieval.errors import ArticleError
from retrieval.lexical.analyzer import Analyzer
from retrieval.passage_vectors import with_vectors
from retrieval.preparation import Prepared, digest_as_stored, prepare, prepare_all
from retrieval.types import Article, Failure

_FAULTS = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)
"""What a fault of the parser may raise; it must not keep the other articles out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTask:
    """An article to read: absolute path, path within its source, and the id it shall have.

    Without `data` it is the whole file; with it, an item of a collection: a file's content or, where there is
    a `line`, a record's; or a finished `article`. `address` is where it was got from, `known` the digest of
    the article as it is stored: where it is still the same, nothing more is worked out.
    """

    path: str
    relative: str
    article_id: str
    data: bytes | None = None
    line: int | None = None
    address: str = ""
    known: bytes = b""
    article: Article | None = None


@dataclass(frozen=True, slots=True)
class ReadFile:
    """What came of a file: its content's digest and the article, or why there is none; neither where the
    article is the one that is known."""

    digest: bytes
    prepared: Prepared | None
    failure: Failure | None


def content_digest(data: bytes) -> bytes:
    """16 bytes that change with the contents of a file."""
    return hashlib.blake2b(data, digest_size=16).digest()


def read_bytes(path: str) -> bytes:
    """The contents of a file; raises ArticleError where it cannot be read or is too large for an article."""
    from retrieval.parsing import MAX_BYTES

    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 (once for every file)
            # Room for all that may be read is made first: for the most that an article may have, that takes
            # as long as the reading.
            wanted = min(os.fstat(file.fileno()).st_size or MAX_BYTES, MAX_BYTES) + 1
            data = file.read(wanted)
            while len(data) < wanted and (more := file.read(wanted - len(data))):
                data += more
    except OSError as error:
        raise ArticleError(f"the file cannot be read: {error.strerror or error}", path=path) from error
    if len(data) > MAX_BYTES:
        raise ArticleError(f"the file has more than the {MAX_BYTES:,} bytes an article may have", path=path)
    return data


def digest_of(path: str) -> bytes:
    """The content digest of a file of any size; raises ArticleError where it cannot be read."""
    digest = hashlib.blake2b(digest_size=16)
    try:
        with open(path, "rb") as file:  # noqa: PTH123 (as above)
            while piece := file.read(1 << 20):
                digest.update(piece)
    except OSError as error:
        raise ArticleError(f"the file cannot be read: {error.strerror or error}", path=path) from error
    return digest.digest()


_Found = tuple[Article, bytes] | ReadFile


def read_file(task: FileTask, analyzer: Analyzer, recurring: frozenset[int] = frozenset()) -> ReadFile:
    """Read, parse and prepare one article, without its `recurring` lines; whatever is wrong with it becomes
    its failure."""
    (result,) = read_files([task], analyzer, recurring)
    return result


def read_files(
    tasks: Sequence[FileTask],
    analyzer: Analyzer,
    recurring: frozenset[int] = frozenset(),
    encoder: Encoder | None = None,
) -> list[ReadFile]:
    """`read_file` of each; with an `encoder`, passages have their vectors. All are parsed before the first is
    prepared: what a step looks up stays in the processor's cache meanwhile, which saves a fifth of the
    time."""
    found = [_parsed(task, recurring) for task in tasks]
    articles = [each[0] for each in found if not isinstance(each, ReadFile)]
    try:
        made = prepare_all(articles, analyzer)
        prepared = iter(made if encoder is None else with_vectors(made, encoder))
    except _FAULTS:
        return [_alone(task, each, analyzer) for task, each in zip(tasks, found, strict=True)]
    return [each if isinstance(each, ReadFile) else ReadFile(each[1], next(prepared), None) for each in found]


def _parsed(task: FileTask, recurring: frozenset[int]) -> _Found:
    """The article of a task and the digest of its content, or why there is none."""
    try:
        data = task.data if task.data is not None or task.article is not None else read_bytes(task.path)
        article = read_article(task, data, recurring)
        if task.known and digest_as_stored(article) == task.known:
            return ReadFile(b"", None, None)
    except ArticleError as error:
        return ReadFile(b"", None, Failure(path=task.path, reason=error.reason, line=error.line))
    except _FAULTS as error:
        return _failed(task, error)
    return article, content_digest(data) if data is not None else b""


def _alone(task: FileTask, found: _Found, analyzer: Analyzer) -> ReadFile:
    """What comes of one article, where one of several could not be prepared."""
    if isinstance(found, ReadFile):
        return found
    try:
        return ReadFile(found[1], prepare(found[0], analyzer), None)
    except _FAULTS as error:
        return _failed(task, error)


def _failed(task: FileTask, error: Exception) -> ReadFile:
    reason = f"it cannot be parsed ({type(error).__name__}: {error})"
    return ReadFile(b"", None, Failure(path=task.path, reason=reason, line=task.line))


def read_article(task: FileTask, data: bytes | None, recurring: frozenset[int] = frozenset()) -> Article:
    """The article of a task, parsed and without its recurring lines; raises ArticleError."""
    from retrieval.parsing import parse_file
    from retrieval.parsing.boilerplate import without_lines
    from retrieval.parsing.jsonl import parse_line

    if task.article is not None:
        article = replace(task.article, id=task.article_id)
    elif task.line is not None:
        return replace(parse_line(data or b"", path=task.path, line=task.line), id=task.article_id)
    else:
        name, content = task.relative, data or b""
        if name.lower().endswith(".gz"):
            from retrieval.parsing.archive import unpack_gzip

            name, content = name[: -len(".gz")], unpack_gzip(content, path=task.path)
        article = parse_file(content, path=name, article_id=task.article_id)
    article = replace(article, path=task.path, url=article.url or task.address or None)
    return without_lines(article, recurring)
