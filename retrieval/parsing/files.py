"""The front door of parsing: which format a file is in, and what comes of it."""

import re
from pathlib import PurePath

from retrieval.errors import ArticleError
from retrieval.parsing import MAX_BYTES, html, text
from retrieval.parsing.articles import Draft, assemble
from retrieval.parsing.encoding import decode
from retrieval.parsing.front_matter import FrontMatter, split_front_matter
from retrieval.types import Article

_BLOCK_TAG = re.compile(
    r"<(?:p|div|br|table|ul|ol|h[1-6]|section|article|blockquote|pre|img|figure|center|span|font|strong|b|a)\b[^<>]*>",
    re.I,
)
_PAGE = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--(?:(?!-->).)*+-->\s*+)*+<(?:!doctype\s+html|html|head)\b", re.I | re.S
)


def parse_file(data: bytes, *, path: str, article_id: str) -> Article:
    """Parse one article file; `path` says where it came from and, by its suffix, hints at its format.

    The content decides: HTML is told from text by its tags, whatever the suffix. An article of pictures only
    has an empty `text`. Raises ArticleError, in one sentence, for what is no article (binary data, a file of
    more than MAX_BYTES, elements nested thousands deep).
    """
    if len(data) > MAX_BYTES:
        raise ArticleError(
            f"the file has {len(data):,} bytes, an article may have {MAX_BYTES:,}; split it or leave it out",
            path=path,
        )
    try:
        content = decode(data)
        return assemble(_draft(content, PurePath(path).suffix.lower()), article_id=article_id, path=path)
    except ValueError as error:
        raise ArticleError(f"{error}; mend the file or leave it out", path=path) from error


def _draft(content: str, suffix: str) -> Draft:
    if _PAGE.match(content):
        from retrieval.parsing.page import parse_page

        return parse_page(content)
    head = split_front_matter(content)
    body = content[head.body_start :]
    if _is_html(body, suffix):
        return _html_draft(body, head)
    if suffix in _MARKDOWN_SUFFIXES or (head.fields and suffix != ".txt"):
        from retrieval.parsing.markdown import to_html

        rendered = to_html(body)
        if rendered is not None:
            return _html_draft(rendered, head)
    return Draft(head=head, blocks=text.paragraphs(body))


def _html_draft(body: str, head: FrontMatter) -> Draft:
    tree = html.parse(body)
    root = tree.body
    if root is None:
        return Draft(head=head)
    found = html.extract(root)
    if not found.blocks and not found.pictures:
        # Everything was hidden or named as noise: then it was not noise.
        found = html.extract(root, drop_noise=False)
    return Draft(head=head, blocks=found.blocks, image=found.image)


def _is_html(body: str, suffix: str) -> bool:
    start = body[:200].lstrip("\ufeff \t\r\n\u3000")[:1]
    if suffix in (".html", ".htm", ".xhtml"):
        return True
    if start == "<":
        return _BLOCK_TAG.search(body) is not None
    tags = sum(1 for _, tag in zip(range(3), _BLOCK_TAG.finditer(body), strict=False))
    return tags > 0 and not _looks_like_markdown(body)


_MARKDOWN_SUFFIXES = (".md", ".markdown", ".mkd", ".mdown")
_MARKDOWN = re.compile(
    r"^(?:#{1,6}\s+\S|```|~~~|[-*+]\s+\S|\d+\.\s+\S|>\s|\|.+\|\s*$)|\*\*[^*\n]{1,500}\*\*|"
    r"!?\[[^\[\]\n]{0,500}\]\([^()\n]{1,2000}\)",
    re.M,
)


def _looks_like_markdown(body: str) -> bool:
    return _MARKDOWN.search(body) is not None
