"""Learning which lines recur across a source: they belong to the site, not to its articles."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from retrieval.collecting import collection_of
from retrieval.errors import ArticleError
from retrieval.file_reading import FileTask, read_article, read_bytes
from retrieval.index import Library
from retrieval.memory import Memory
from retrieval.parsing.boilerplate import MIN_ARTICLES, recurring_lines
from retrieval.parsing.collections import Item
from retrieval.parsing.forms import Form
from retrieval.sources import FoundFile, Scan
from retrieval.types import Article

T = TypeVar("T")
_SAMPLE = 600
_GROWTH = 1.5
"""Lines are looked at again when a source has this many times the articles that it had the last time."""


def learn(memory: Memory, scan: Scan, files: Sequence[FoundFile], reader: Library) -> bool:
    """Look at a sample of a source's articles, those in `files` and those stored, where it has grown since
    the last time; whether other lines than before are found to recur. `memory` remembers them."""
    total, seen = len(scan.files), memory.details(scan.location).get("learned", 0)
    collections = any(file.form in (Form.FEED, Form.ARCHIVE) for file in files)
    if not files or (not collections and (total < MIN_ARTICLES or total < _GROWTH * seen)):
        return False
    before = memory.recurring(scan.location)
    sample = list(_sample(scan, files))
    if len(sample) < _SAMPLE:
        incoming = {file.path for file in files}
        stored = [path for path in known_paths(scan, reader) if path not in incoming or collections]
        sample += _stored_sample(stored, reader, _SAMPLE)
    found = before | recurring_lines(sample)
    memory.update(scan.location, {"recurring": sorted(found), "learned": max(total, seen)})
    return found != before


def known_paths(scan: Scan, reader: Library) -> list[str]:
    """The files of a source that are known."""
    known = reader.files_under(scan.prefix)
    return [path for path in known if scan.kind == "folder" or path == scan.prefix]


def _sample(scan: Scan, files: Sequence[FoundFile]) -> Iterator[Article]:
    """Articles from `files`, evenly spread; what cannot be read is for the sync to report. Records are left
    out: nobody scraped them."""
    single = [file for file in files if file.form is Form.ARTICLE]
    for file in _spread(single):
        try:
            data = file.content if file.content is not None else read_bytes(file.path)
            yield read_article(
                FileTask(path=file.path, relative=file.relative, article_id="", address=file.address), data
            )
        except (ArticleError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            continue
    for file in files:
        if file.form in (Form.FEED, Form.ARCHIVE):
            yield from _items(scan, file)


def _items(scan: Scan, file: FoundFile) -> Iterator[Article]:
    """The first articles of a collection."""
    try:
        for number, item in enumerate(collection_of(file, scan).items()):
            if number >= _SAMPLE:
                return
            if isinstance(item, Item) and item.line is None:
                yield item.article or read_article(
                    FileTask(path=item.path, relative=item.path, article_id=""), item.data
                )
    except (ArticleError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return


def _stored_sample(paths: Sequence[str], reader: Library, size: int) -> Iterator[Article]:
    for path in _spread(paths):
        for known in reader.articles_of(path)[:size]:
            article = reader.article(known.id) if known.duplicate_of is None else None
            if article is not None:
                yield article


def _spread(values: Sequence[T]) -> list[T]:
    step = max(len(values) / _SAMPLE, 1.0)
    return [values[int(number * step)] for number in range(min(len(values), _SAMPLE))]
