"""Markdown bodies → HTML, with raw HTML passed through; the HTML parser then does the rest."""

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

MAX_LENGTH = 500_000
"""Characters of Markdown that are read as such."""

_MAX_LINES = 20_000
_MAX_MARKS = 40_000
_MAX_BRACKETS = 1_000
# Hexo and Jekyll tags, and the marks that end an excerpt: they are instructions to the site generator.
_GENERATOR_TAG = re.compile(r"\{%-?\s*[^%\n]{0,200}%\}|\{\{<\s*[^>\n]{0,200}>\}\}|\[(?:toc|TOC)\]")
_ROW_OF_MARKS = re.compile(r"(?:[\[>*_`]\s?){100,}")


def to_html(markdown: str) -> str | None:
    """CommonMark with tables and strike-through as HTML.

    None for what would take long and is hardly Markdown (very long texts, tens of thousands of lines or
    of marks for emphasis, a thousand brackets in one paragraph): it is better read as plain text.
    """
    if len(markdown) > MAX_LENGTH or markdown.count("\n") > _MAX_LINES:
        return None
    if sum(map(markdown.count, "*_`~")) > _MAX_MARKS:
        return None
    text = _ROW_OF_MARKS.sub("---", _GENERATOR_TAG.sub("", markdown))
    if any(block.count("[") > _MAX_BRACKETS for block in text.split("\n\n")):
        return None
    return str(_renderer().render(text))


@lru_cache(maxsize=1)
def _renderer() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": True, "maxNesting": 50}).enable(["table", "strikethrough"])
