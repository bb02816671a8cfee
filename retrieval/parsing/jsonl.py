"""JSONL files: one article a line, with BEIR's fields (`_id`, `title`, `text`, `metadata`) or our own.

Our own are those of `Article`: `id`, `title`, `text` (or `html`), `url`, `author`, `source`, `published_at`
(or `date`), `categories`, `tags`, `image`, `language`. The text is taken as it is, line by line: nobody
scraped it.
"""

import codecs
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any

from retrieval.errors import ArticleError
from retrieval.parsing import html
from retrieval.parsing.articles import MAX_PARAGRAPHS, Draft, assemble, web_address
from retrieval.parsing.blocks import tidy
from retrieval.parsing.dates import parse_date
from retrieval.parsing.encoding import decode, wide_encoding
from retrieval.parsing.language import canonical_tag, detect_language
from retrieval.parsing.titles import clean_title
from retrieval.types import Article

MAX_LINE = 10_000_000
"""Bytes of one line."""

_TOO_LONG = f"the line has more than the {MAX_LINE:,} bytes it may have"


@dataclass(frozen=True, slots=True)
class Record:
    """One line that holds an article: its id, its number (from 1) and the line itself, in UTF-8."""

    identity: str
    line: int
    data: bytes


def read_lines(stream: IO[bytes]) -> Iterator[bytes]:
    """The lines of a JSONL file in UTF-8, whatever its encoding; of one that is too long, its beginning."""
    head = stream.peek(4_096)[:4_096] if isinstance(stream, io.BufferedReader) else b""
    wide = wide_encoding(head)
    if wide:
        reader = io.TextIOWrapper(stream, encoding=wide, errors="replace", newline="\n")
        while text := reader.readline(MAX_LINE + 1):
            yield text.encode("utf-8", "replace")
        return
    while line := stream.readline(MAX_LINE + 1):
        yield line
        while len(line) > MAX_LINE and not line.endswith(b"\n"):
            line = stream.readline(1 << 20)
            if len(line) < 1 << 20:
                break


def read_records(lines: Iterable[bytes], *, path: str) -> Iterator[Record | ArticleError]:
    """The records of a JSONL file in order; a line that holds none comes as the error that says why.

    Ids are the records' own; one that occurs twice is an error, as is a record without.
    """
    seen: set[str] = set()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            if len(line) > MAX_LINE:
                raise ValueError(_TOO_LONG)
            text = _decoded(line)
            identity = _identity(_loaded(text))
            if identity in seen:
                raise ValueError(f"the id {identity!r} occurs a second time; ids must differ")
        except ValueError as error:
            yield ArticleError(str(error), path=path, line=number)
        else:
            seen.add(identity)
            yield Record(identity, number, text.encode("utf-8", "replace"))


def parse_line(data: bytes, *, path: str, line: int) -> Article:
    """The article of a record's line; raises ArticleError, with the line, where it holds none."""
    try:
        return parse_record(_loaded(_decoded(data)), path=path)
    except ValueError as error:
        raise ArticleError(str(error), path=path, line=line) from error


def parse_record(record: Mapping[str, Any], *, path: str) -> Article:
    """One record as an article; raises ValueError where its id or text is missing or of the wrong type."""
    inner = record.get("metadata")
    fields = {**(inner if isinstance(inner, dict) else {}), **record}
    identity = _identity(record)
    if not isinstance(fields.get("text"), str):
        return _from_html(fields, identity, path)
    lines = [line for part in fields["text"].splitlines() if (line := tidy(part))]
    if len(lines) > MAX_PARAGRAPHS:
        raise ValueError(f"the text has {len(lines):,} paragraphs and may have {MAX_PARAGRAPHS:,}")
    text, title = "\n".join(lines), clean_title(_string(fields, "title"))
    return Article(
        id=identity,
        text=text,
        title=title,
        url=web_address(_string(fields, "url", "link")),
        author=tidy(_string(fields, "author")) or None,
        source=tidy(_string(fields, "source", "site")) or None,
        published_at=parse_date(_string(fields, "published_at", "date", "published")),
        categories=_strings(fields, "categories", "category"),
        tags=_strings(fields, "tags", "keywords"),
        image=web_address(_string(fields, "image")),
        language=canonical_tag(_string(fields, "language", "lang")) or detect_language(text or title),
        path=path,
    )


def _decoded(line: bytes) -> str:
    try:
        return line.decode("utf-8-sig")
    except UnicodeDecodeError:
        return decode(line.removeprefix(codecs.BOM_UTF8))


def _loaded(text: str) -> dict[str, Any]:
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError("the line is not a JSON object") from error
    if not isinstance(record, dict):
        raise ValueError("the line is not a JSON object")
    return record


def _identity(record: Mapping[str, Any]) -> str:
    identity = record.get("_id", record.get("id"))
    if not isinstance(identity, str | int) or isinstance(identity, bool) or not str(identity).strip():
        raise ValueError("the record has no id; give it a string in the field _id or id")
    return str(identity)


def _from_html(fields: Mapping[str, Any], identity: str, path: str) -> Article:
    body = _string(fields, "html", "content_html", "content")
    if not body:
        raise ValueError("the record has no text; give it a string in the field text or html")
    tree = html.parse(body)
    found = html.extract(tree.body) if tree.body is not None else html.Extraction()
    draft = Draft(
        blocks=found.blocks,
        title=_string(fields, "title"),
        url=web_address(_string(fields, "url", "link")),
        author=_string(fields, "author"),
        source=_string(fields, "source", "site"),
        published_at=parse_date(_string(fields, "published_at", "date", "published")),
        categories=_strings(fields, "categories", "category"),
        tags=_strings(fields, "tags", "keywords"),
        image=web_address(_string(fields, "image")) or found.image,
        language=_string(fields, "language", "lang"),
    )
    return assemble(draft, article_id=identity, path=path)


def _string(fields: Mapping[str, Any], *names: str) -> str:
    return next((v for name in names if isinstance(v := fields.get(name), str) and v.strip()), "")


def _strings(fields: Mapping[str, Any], *names: str) -> tuple[str, ...]:
    for name in names:
        value = fields.get(name)
        values = [value] if isinstance(value, str) else value if isinstance(value, list) else []
        found = dict.fromkeys(t for v in values[:100] if isinstance(v, str) and (t := tidy(v)))
        if found:
            return tuple(found)
    return ()
