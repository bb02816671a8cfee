"""Saved feeds: RSS, Atom and JSON Feed → articles, with the full content where the feed has it."""

import hashlib
import io
import json
from calendar import timegm
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from retrieval.errors import ArticleError
from retrieval.parsing import html
from retrieval.parsing.articles import Draft, assemble, web_address
from retrieval.parsing.blocks import tidy
from retrieval.parsing.dates import parse_date
from retrieval.parsing.text import paragraphs
from retrieval.types import Article

MAX_BYTES = 50_000_000
MAX_ENTRIES = 20_000

_JSON_FEED = "https://jsonfeed.org/version/"


def parse_feed(data: bytes, *, path: str) -> Iterator[Article | ArticleError]:
    """The articles of a feed in its order; an entry that cannot be read comes as the error that says why.

    An article's id is its entry's own id or address, else a hash of its title and text. Raises ArticleError
    where `data` is no feed.
    """
    if len(data) > MAX_BYTES:
        raise ArticleError(f"the feed has {len(data):,} bytes and may have {MAX_BYTES:,}", path=path)
    drafts = (
        _json_drafts(data, path)
        if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{"
        else _xml_drafts(data, path)
    )
    seen: set[str] = set()
    for number, (identity, draft) in enumerate(drafts):
        if number >= MAX_ENTRIES:
            yield ArticleError(
                f"the feed has more than {MAX_ENTRIES:,} entries; the rest is left out", path=path
            )
            return
        try:
            article = assemble(draft, article_id=identity or _fingerprint(draft), path=path)
        except ValueError as error:
            yield ArticleError(f"entry {number + 1}: {error}", path=path)
            continue
        if article.id not in seen:
            seen.add(article.id)
            yield article


def _xml_drafts(data: bytes, path: str) -> Iterator[tuple[str, Draft]]:
    import feedparser  # type: ignore[import-untyped]

    # A stream: given as bytes, a feed that looks like an address or a file name would be opened.
    feed = feedparser.parse(io.BytesIO(data), sanitize_html=False, resolve_relative_uris=False)
    if not feed.entries and not feed.get("version"):
        raise ArticleError("this is no RSS, Atom or JSON feed", path=path)
    site = tidy(str(feed.feed.get("title") or ""))
    language = str(feed.feed.get("language") or "")
    for entry in feed.entries:
        contents = [c.get("value") or "" for c in entry.get("content", ())] + [entry.get("summary") or ""]
        draft = _draft(max(contents, key=len), plain=False)
        draft.title, draft.source, draft.language = str(entry.get("title") or ""), site, language
        draft.url = web_address(str(entry.get("link") or ""))
        draft.author = tidy(str(entry.get("author") or ""))
        draft.published_at = _stamp(entry)
        draft.tags = tuple(
            dict.fromkeys(t for tag in entry.get("tags", ()) if (t := tidy(str(tag.get("term") or ""))))
        )
        yield str(entry.get("id") or entry.get("link") or ""), draft


def _stamp(entry: Any) -> datetime | None:
    for name in ("published", "updated"):
        parsed = entry.get(f"{name}_parsed")
        if parsed:
            return datetime.fromtimestamp(timegm(parsed), UTC)
        if found := parse_date(str(entry.get(name) or "")):
            return found
    return None


def _json_drafts(data: bytes, path: str) -> Iterator[tuple[str, Draft]]:
    try:
        feed = json.loads(data.decode("utf-8-sig", errors="replace"))
    except (ValueError, RecursionError) as error:
        raise ArticleError("this is no RSS, Atom or JSON feed", path=path) from error
    if not str(feed.get("version", "")).startswith(_JSON_FEED) or not isinstance(feed.get("items"), list):
        raise ArticleError("this is no RSS, Atom or JSON feed", path=path)
    for item in feed["items"]:
        if not isinstance(item, dict):
            continue
        body, plain = _text(item, "content_html"), _text(item, "content_text", "summary")
        draft = _draft(body or plain, plain=not body)
        authors = item.get("authors") or [item.get("author")]
        draft.title, draft.source = _text(item, "title"), tidy(_text(feed, "title"))
        draft.url = web_address(_text(item, "url", "external_url"))
        draft.author = "、".join(
            tidy(_text(a, "name")) for a in authors if isinstance(a, dict) and a.get("name")
        )
        draft.published_at = parse_date(_text(item, "date_published", "date_modified"))
        draft.tags = tuple(t for v in item.get("tags") or () if isinstance(v, str) and (t := tidy(v)))
        draft.image = web_address(_text(item, "image", "banner_image")) or draft.image
        draft.language = _text(item, "language") or _text(feed, "language")
        yield str(item.get("id") or draft.url or ""), draft


def _draft(body: str, *, plain: bool) -> Draft:
    if plain:
        return Draft(blocks=paragraphs(body))
    root = html.parse(body).body
    found = html.extract(root) if root is not None else html.Extraction()
    return Draft(blocks=found.blocks, image=found.image)


def _text(item: Any, *names: str) -> str:
    return next((v for name in names if isinstance(v := item.get(name), str) and v.strip()), "")


def _fingerprint(draft: Draft) -> str:
    text = "\n".join((draft.title, *(block.text for block in draft.blocks)))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
