"""Putting an article together: fields of its head, blocks of its body, lines about it → Article."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePath
from urllib.parse import urlsplit

from retrieval.parsing.blocks import Block, Kind, tidy
from retrieval.parsing.credits import take_credits
from retrieval.parsing.dates import parse_date
from retrieval.parsing.front_matter import FrontMatter
from retrieval.parsing.headings import promote_headings
from retrieval.parsing.language import canonical_tag, detect_language
from retrieval.parsing.tails import drop_link_lists
from retrieval.parsing.titles import clean_title, restore
from retrieval.types import Article

_LINKS = (
    "link",
    "url",
    "permalink",
    "source",
    "original",
    "canonical",
    "source_url",
    "original_url",
    "originalurl",
)
_IMAGES = ("headimg", "thumbnail", "cover", "image", "img", "banner", "top_img", "featured_image", "feature")
_DATE_IN_NAME = re.compile(r"(?:^|(?<=[/\\]))(\d{4})-(\d{1,2})-(\d{1,2})[-_](?=[^/\\]*$)")
_NO_ADDRESS = re.compile(r"[\s\x00-\x1f\x7f]")
_MAX_URL = 2_000

MAX_PARAGRAPHS = 50_000
"""Paragraphs of one article; a long novel has some 10,000."""

_DECORATION = re.compile(r"[-_=*~.·•—─━＊\s]{3,}")


@dataclass(slots=True, kw_only=True)
class Draft:
    """An article while it is put together: what the format said, before text and metadata are told apart."""

    blocks: list[Block] = field(default_factory=list)
    head: FrontMatter = field(default_factory=FrontMatter)
    title: str = ""
    url: str | None = None
    author: str = ""
    source: str = ""
    published_at: datetime | None = None
    categories: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    image: str | None = None
    language: str = ""


def assemble(draft: Draft, *, article_id: str, path: str) -> Article:
    """The finished article: metadata lines taken out, headings found, the title chosen."""
    head = draft.head
    if len(draft.blocks) > MAX_PARAGRAPHS:
        raise ValueError(f"the article has {len(draft.blocks):,} paragraphs and may have {MAX_PARAGRAPHS:,}")
    blocks = [block for block in draft.blocks if not _DECORATION.fullmatch(block.text)]
    drop_link_lists(blocks)
    author = _name(head.text("author", "authors", "byline")) or _name(draft.author)
    lines = take_credits(blocks, want_author=not author)
    title = restore(
        clean_title(head.text("title", "headline")), _candidates(draft.title, blocks, lines.original_title)
    )
    _drop_title_line(blocks, title)
    promote_headings(blocks)
    text = "\n".join(block.text for block in blocks)
    publication = head.text("source", "source_name", "publication", "site", "site_name", "origin")
    language = canonical_tag(head.text("language", "lang") or draft.language or "")
    return Article(
        id=article_id,
        text=text,
        title=title or clean_title(_from_path(path)),
        url=_first_address(head) or draft.url,
        author=author or lines.author or None,
        source=lines.source
        or ("" if web_address(publication) else tidy(publication))
        or draft.source
        or None,
        editor=tidy(head.text("editor")) or lines.editor or None,
        published_at=_date(head) or draft.published_at or lines.published_at or _date_from_path(path),
        categories=tuple(map(tidy, head.texts("categories", "category"))) or draft.categories,
        tags=tuple(map(tidy, head.texts("tags", "tag", "keywords"))) or draft.tags,
        image=web_address(head.text(*_IMAGES)) or web_address(draft.image or ""),
        language=_language(language, title, text),
        path=path,
        headings={i: block.level for i, block in enumerate(blocks) if block.kind is Kind.HEADING},
    )


def web_address(text: str) -> str | None:
    """`text` where it is an http or https address, else None; a missing scheme (`//host/…`) is https."""
    if not text:
        return None
    text = text.strip().strip("'\"<>")
    if text.startswith("//"):
        text = "https:" + text
    if (
        not text.lower().startswith(("http://", "https://"))
        or len(text) > _MAX_URL
        or _NO_ADDRESS.search(text)
    ):
        return None
    try:
        parts = urlsplit(text)
        usable = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return None
    return text if usable else None


def _candidates(stated: str, blocks: list[Block], original: str) -> list[str]:
    headings = [block.text for block in blocks[:5] if block.kind is Kind.HEADING]
    return [original, stated, *headings[:2]]


def _drop_title_line(blocks: list[Block], title: str) -> None:
    """A first line that only repeats the title would answer every question about it."""
    if title and blocks and "".join(blocks[0].text.split()) == "".join(title.split()) and len(blocks) > 1:
        del blocks[0]


def _first_address(head: FrontMatter) -> str | None:
    stated = (head.text(name) for name in _LINKS if name in head.fields)
    return next((found for text in stated if (found := web_address(text))), None)


def _date(head: FrontMatter) -> datetime | None:
    for name in (
        "date",
        "published",
        "pubdate",
        "published_at",
        "publishdate",
        "created",
        "time",
        "updated",
        "lastmod",
    ):
        if found := parse_date(head.text(name)):
            return found
    return None


def _date_from_path(path: str) -> datetime | None:
    """Jekyll and Hexo put the day into the file name: 2021-07-19-title.md."""
    found = _DATE_IN_NAME.search(path)
    return parse_date("-".join(found.groups())) if found else None


def _from_path(path: str) -> str:
    stem = PurePath(path).stem
    return _DATE_IN_NAME.sub("", stem).strip() or stem


def _name(author: str) -> str:
    return "" if author.lower() in ("null", "none", "undefined", "unknown", "admin") else tidy(author)[:200]


def _language(declared: str | None, title: str, text: str) -> str | None:
    """Declared or detected; a page that declares Chinese and is written in something else is common."""
    detected = detect_language(text or title)
    if declared is None or (declared[:2] in ("zh", "en") and detected is not None):
        return detected or declared
    return declared
