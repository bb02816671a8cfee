"""Which form a file has: one article, or a collection of many."""

import re
from enum import Enum

ARTICLE_SUFFIXES = frozenset(
    (".md", ".markdown", ".mkd", ".mdown", ".txt", ".text", ".html", ".htm", ".xhtml")
)
SNIFFED = 1_024
"""Bytes of a file's beginning that `looks_like` wants."""

_JSONL = (".jsonl", ".ndjson")
_FEED = (".rss", ".atom")
_UNCLEAR = (".xml", ".json")
_XML_FEED = re.compile(
    rb"^(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?\s*(?:<\?xml[^>]*\?>)?(?:\s|<!--(?:[^-]|-(?!->))*-->|<\?[^>]*\?>|<!DOCTYPE[^>\[]*>)*"
    rb"<(?:rss|feed|rdf:RDF)[\s>]",
    re.I,
)
_JSON_FEED = re.compile(rb'"version"\s*:\s*"https?:\\?/\\?/jsonfeed\.org\\?/version')
_RECORD = re.compile(rb'^(?:\xef\xbb\xbf)?\s*\{[^\n]*"(?:_id|id)"\s*:')


class Form(Enum):
    """What a file holds. Only an ARTICLE is one article; what left a FEED stays, feeds roll."""

    ARTICLE = "article"
    RECORDS = "jsonl"
    FEED = "feed"
    ARCHIVE = "zip"


def form_of_name(name: str) -> Form | None:
    """The form that a file's name says it has, `.gz` or not; None for files that are not taken, or not by
    their name alone (.xml, .json)."""
    name = name.lower()
    packed = name.endswith(".gz")
    name = name.removesuffix(".gz")
    if name.endswith(_JSONL):
        return Form.RECORDS
    if name.endswith(_FEED):
        return Form.FEED
    if name.endswith(".zip"):
        return None if packed else Form.ARCHIVE
    dot = name.rfind(".")
    return Form.ARTICLE if dot > 0 and name[dot:] in ARTICLE_SUFFIXES else None


def is_unclear(name: str) -> bool:
    """Whether it takes a look into a file to tell a feed from something else."""
    return name.lower().endswith(_UNCLEAR)


def form_of_content(head: bytes) -> Form | None:
    """The form that the first SNIFFED bytes show; None where they show none of the collections."""
    if head.startswith(b"PK\x03\x04"):
        return Form.ARCHIVE
    if _XML_FEED.match(head[:SNIFFED].replace(b"\x00", b"")) or _is_json_feed(head):
        return Form.FEED
    return Form.RECORDS if _RECORD.match(head[:SNIFFED]) else None


def _is_json_feed(head: bytes) -> bool:
    return head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{" and _JSON_FEED.search(head[:SNIFFED]) is not None
