"""Files that hold many articles: JSONL, feeds, archives of all that → their items, one by one."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from retrieval.errors import ArticleError
from retrieval.parsing.archive import Member, open_gzip, read_member, unpack
from retrieval.parsing.feed import MAX_BYTES as MAX_FEED
from retrieval.parsing.feed import parse_feed
from retrieval.parsing.forms import SNIFFED, Form, form_of_content, form_of_name, is_unclear
from retrieval.parsing.jsonl import Record, read_lines, read_records
from retrieval.types import Article


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One article of a collection: the id it asks for, where it stands, and one of three forms of itself.

    `article` is finished, `data` is a file's content, or a record's where there is a `line`.
    """

    identity: str
    path: str
    data: bytes = b""
    line: int | None = None
    article: Article | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """A file of many articles, on disk or (with `content`) in memory.

    `relative` is its path within its source: the ids of an archive's members begin with it. `address` is
    where it was got from, if not from disk; `chosen` says which of an archive's members are taken.
    """

    path: str
    relative: str
    form: Form
    content: bytes | None = None
    address: str = ""
    chosen: Callable[[str], bool] = lambda _: True

    def items(self) -> Iterator[Item | ArticleError]:
        """The articles in order; one that cannot be read comes as the error that says why.

        Raises ArticleError where the collection as a whole cannot be read.
        """
        try:
            with self._open() as stream:
                yield from self._items(stream)
        except OSError as error:
            reason = f"the file cannot be read: {error.strerror or error}"
            raise ArticleError(reason, path=self.path) from error

    def _open(self) -> IO[bytes]:
        return io.BytesIO(self.content) if self.content is not None else Path(self.path).open("rb")

    def _items(self, stream: IO[bytes]) -> Iterator[Item | ArticleError]:
        if self.form is Form.ARCHIVE:
            for member in unpack(stream, path=self.path, wanted=self._wanted):
                yield from [member] if isinstance(member, ArticleError) else self._member(member)
            return
        opened: IO[bytes] = stream if isinstance(stream, io.BufferedReader) else _buffered(stream)
        if opened.read(2) == b"\x1f\x8b":
            opened.seek(0)
            opened = open_gzip(opened, path=self.path)
        else:
            opened.seek(0)
        if self.form is Form.RECORDS:
            yield from _records(opened, self.path)
        else:
            yield from self._entries(opened.read(MAX_FEED + 1), self.path)

    def _member(self, member: Member) -> Iterator[Item | ArticleError]:
        """The items of an archive's member, which may be a collection itself, but no archive."""
        path = f"{self.path}/{member.name}"
        try:
            form = form_of_name(member.name)
            if form is None or member.name.lower().endswith((".zip", ".gz")):
                form = self._unclear(member)
            if form is Form.RECORDS:
                yield from _records(member.stream, path)
            elif form is Form.FEED:
                yield from self._entries(member.stream.read(MAX_FEED + 1), path)
            elif form is Form.ARTICLE:
                data = read_member(member, path=path)
                yield Item(identity=f"{self.relative}/{member.name}", path=path, data=data)
        except ArticleError as error:
            yield error

    def _unclear(self, member: Member) -> Form | None:
        if member.name.lower().endswith((".zip", ".gz")):
            reason = "an archive inside an archive is not opened; unpack the outer one"
            raise ArticleError(reason, path=f"{self.path}/{member.name}")
        head = member.stream.peek(SNIFFED) if isinstance(member.stream, io.BufferedReader) else b""
        return Form.FEED if form_of_content(head[:SNIFFED]) is Form.FEED else None

    def _wanted(self, name: str) -> bool:
        known = form_of_name(name) is not None or is_unclear(name)
        return known and self.chosen(f"{self.relative}/{name}")

    def _entries(self, data: bytes, path: str) -> Iterator[Item | ArticleError]:
        for entry in parse_feed(data, path=path, address=self.address):
            if isinstance(entry, ArticleError):
                yield entry
            else:
                yield Item(identity=entry.id, path=path, article=entry)


def _buffered(stream: IO[bytes]) -> IO[bytes]:
    return io.BufferedReader(stream)  # type: ignore[type-var, unused-ignore]


def _records(stream: IO[bytes], path: str) -> Iterator[Item | ArticleError]:
    for record in read_records(read_lines(stream), path=path):
        if isinstance(record, Record):
            yield Item(identity=record.identity, path=path, data=record.data, line=record.line)
        else:
            yield record
