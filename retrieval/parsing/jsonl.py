"""JSONL files: one article a line, with BEIR's fields (`_id`, `title`, `text`, `metadata`) or our own.

Our own are those of `Article`: `id`, `title`, `text` (or `html`), `url`, `author`, `source`, `published_at`
(or `date`), `categories`, `tags`, `image`, `language`. The text is taken as it is, line by line: nobody
scraped it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from retrieval.errors import ArticleError
from retrieval.parsing import html
from retrieval.parsing.articles import MAX_PARAGRAPHS, Draft, assemble, web_address
from retrieval.parsing.blocks import tidy
from retrieval.parsing.dates import parse_date
from retrieval.parsing.language import canonical_tag, detect_language
from retrieval.parsing.titles import clean_title
from retrieval.types import Article

MAX_LINE = 10_000_000
"""Bytes of one line."""


def parse_jsonl(lines: Iterable[bytes], *, path: str) -> Iterator[Article | ArticleError]:
    """The articles of a JSONL file in order; a line that holds none comes as the error that says why.

    Article ids are the records' own; one that occurs twice is an error, as is a record without.
    """
    seen: set[str] = set()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            article = _parse_line(line, path)
            if article.id in seen:
                raise ValueError(f"the id {article.id!r} occurs a second time; ids must differ")
        except ValueError as error:
            yield ArticleError(str(error), path=path, line=number)
        else:
            seen.add(article.id)
            yield article


def parse_record(record: Mapping[str, Any], *, path: str) -> Article:
    """One record as an article; raises ValueError where its id or text is missing or of the wrong type."""
    inner = record.get("metadata")
    fields = {**(inner if isinstance(inner, dict) else {}), **record}
    identity = fields.get("_id", fields.get("id"))
    if not isinstance(identity, str | int) or isinstance(identity, bool) or not str(identity).strip():
        raise ValueError("the record has no id; give it a string in the field _id or id")
    if not isinstance(fields.get("text"), str):
        return _from_html(fields, str(identity), path)
    lines = [line for part in fields["text"].splitlines() if (line := tidy(part))]
    if len(lines) > MAX_PARAGRAPHS:
        raise ValueError(f"the text has {len(lines):,} paragraphs and may have {MAX_PARAGRAPHS:,}")
    text, title = "\n".join(lines), clean_title(_string(fields, "title"))
    return Article(
        id=str(identity),
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


def _parse_line(line: bytes, path: str) -> Article:
    if len(line) > MAX_LINE:
        raise ValueError(f"the line has {len(line):,} bytes and may have {MAX_LINE:,}")
    try:
        record = json.loads(line.decode("utf-8-sig", errors="replace"))
    except (ValueError, RecursionError) as error:
        raise ValueError("the line is not a JSON object") from error
    if not isinstance(record, dict):
        raise ValueError("the line is not a JSON object")
    return parse_record(record, path=path)


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
