"""Feeds: RSS, Atom and JSON Feed → articles, with the full content where the feed has it."""

import hashlib
import io
import json
import re
from calendar import timegm
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import urljoin

from retrieval.errors import ArticleError
from retrieval.parsing import html
from retrieval.parsing.articles import Draft, assemble, web_address
from retrieval.parsing.blocks import tidy
from retrieval.parsing.dates import parse_date
from retrieval.parsing.encoding import decode
from retrieval.parsing.text import paragraphs
from retrieval.types import Article

MAX_BYTES = 50_000_000
MAX_ENTRIES = 20_000

_FAULTS = (
    ValueError, LookupError, TypeError, AttributeError, ArithmeticError, AssertionError, RecursionError,
)  # fmt: skip
# References to characters that there cannot be: feedparser takes them for a reason to stop.
_IMPOSSIBLE = re.compile(r"&#(?:0*[1-9]\d{7,}|x0*[1-9a-f][0-9a-f]{6,});?", re.I)
_DECLARATION = re.compile(r"^\ufeff?\s*<\?xml[^>]*\?>")
_JSON_FEED = "https://jsonfeed.org/version/"


def parse_feed(data: bytes, *, path: str, address: str = "") -> Iterator[Article | ArticleError]:
    """The articles of a feed in its order; an entry that cannot be read comes as the error that says why.

    An article's id is its entry's own id or address, else a hash of its title and text. Relative links are
    completed with the feed's own address, if it has one or came from one (`address`). Raises ArticleError
    where `data` is no feed.
    """
    if len(data) > MAX_BYTES:
        raise ArticleError(f"the feed has {len(data):,} bytes and may have {MAX_BYTES:,}", path=path)
    drafts = (
        _json_drafts(data, path, address)
        if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{"
        else _xml_drafts(data, path, address)
    )
    seen: set[str] = set()
    for number, (identity, drawn) in enumerate(drafts):
        if number >= MAX_ENTRIES:
            yield ArticleError(
                f"the feed has more than {MAX_ENTRIES:,} entries; the rest is left out", path=path
            )
            return
        try:
            draft = drawn()
            article = assemble(draft, article_id=identity or _fingerprint(draft), path=path)
        except _FAULTS as error:
            yield ArticleError(f"entry {number + 1} ({identity[:100]}): {error}", path=path)
            continue
        if article.id not in seen:
            seen.add(article.id)
            yield article


def _xml_drafts(data: bytes, path: str, address: str) -> Iterator[tuple[str, Callable[[], Draft]]]:
    import feedparser  # type: ignore[import-untyped]

    # A stream: given as bytes, a feed that looks like an address or a file name would be opened.
    source = io.BytesIO(_in_utf8(data))
    try:
        feed = feedparser.parse(source, sanitize_html=False, resolve_relative_uris=False)
    except _FAULTS as error:
        raise ArticleError(f"the feed cannot be parsed ({type(error).__name__})", path=path) from error
    if not feed.entries and not feed.get("version"):
        raise ArticleError("this is no RSS, Atom or JSON feed", path=path)
    site = tidy(str(feed.feed.get("title") or ""))
    language = str(feed.feed.get("language") or "")
    base = web_address(str(feed.feed.get("link") or "")) or address
    for entry in feed.entries:
        identity = str(entry.get("id") or entry.get("link") or "").strip()
        yield identity, partial(_xml_draft, entry, site=site, language=language, base=base)


def _xml_draft(entry: Any, *, site: str, language: str, base: str) -> Draft:
    contents = [c.get("value") or "" for c in entry.get("content", ())] + [entry.get("summary") or ""]
    draft = _draft(max(contents, key=len), plain=False)
    draft.title, draft.source, draft.language = str(entry.get("title") or ""), site, language
    draft.url = _address(base, str(entry.get("link") or ""))
    draft.author = tidy(str(entry.get("author") or ""))
    draft.published_at = _stamp(entry)
    draft.tags = tuple(
        dict.fromkeys(t for tag in entry.get("tags", ()) if (t := tidy(str(tag.get("term") or ""))))
    )
    return draft


def _in_utf8(data: bytes) -> bytes:
    """The feed in UTF-8 without what it says of its encoding, which is wrong in many Chinese feeds."""
    try:
        text = decode(data)
    except ValueError:
        return data
    text = _IMPOSSIBLE.sub("\ufffd", _DECLARATION.sub("", text, count=1))
    return text.encode("utf-8", "replace")


def _address(base: str, link: str) -> str | None:
    found = web_address(link)
    if found or not base or not link.strip():
        return found
    try:
        return web_address(urljoin(base, link.strip()))
    except ValueError:
        return None


def _stamp(entry: Any) -> datetime | None:
    for name in ("published", "updated"):
        # Asked the usual way, an entry gives one stamp for the other, and warns that it will not for long.
        parsed, stated = dict.get(entry, f"{name}_parsed"), dict.get(entry, name)
        if parsed:
            return datetime.fromtimestamp(timegm(parsed), UTC)
        if found := parse_date(str(stated or "")):
            return found
    return None


def _json_drafts(data: bytes, path: str, address: str) -> Iterator[tuple[str, Callable[[], Draft]]]:
    try:
        feed = json.loads(decode(data))
    except (ValueError, RecursionError) as error:
        raise ArticleError("this is no RSS, Atom or JSON feed", path=path) from error
    if not str(feed.get("version", "")).startswith(_JSON_FEED) or not isinstance(feed.get("items"), list):
        raise ArticleError("this is no RSS, Atom or JSON feed", path=path)
    base = web_address(_text(feed, "home_page_url", "feed_url")) or address
    for item in feed["items"]:
        if isinstance(item, dict):
            identity = item.get("id") or _address(base, _text(item, "url", "external_url")) or ""
            yield str(identity).strip(), partial(_json_draft, item, feed, base=base)


def _json_draft(item: dict[str, Any], feed: dict[str, Any], *, base: str) -> Draft:
    body, plain = _text(item, "content_html"), _text(item, "content_text", "summary")
    draft = _draft(body or plain, plain=not body)
    authors = item.get("authors") or [item.get("author")]
    tags = item.get("tags")
    draft.title, draft.source = _text(item, "title"), tidy(_text(feed, "title"))
    draft.url = _address(base, _text(item, "url", "external_url"))
    draft.author = "、".join(
        tidy(_text(a, "name"))
        for a in (authors if isinstance(authors, list) else [authors])
        if isinstance(a, dict) and a.get("name")
    )
    draft.published_at = parse_date(_text(item, "date_published", "date_modified"))
    tags = tags if isinstance(tags, list) else []
    draft.tags = tuple(t for v in tags if isinstance(v, str) and (t := tidy(v)))
    draft.image = web_address(_text(item, "image", "banner_image")) or draft.image
    draft.language = _text(item, "language") or _text(feed, "language")
    return draft


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
