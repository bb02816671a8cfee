"""Which title to show, of those that front matter, markup and text offer."""

import re
from collections.abc import Iterable
from html import unescape

from retrieval.parsing.blocks import tidy

MAX_TITLE = 300
_MAX_GAP = 4
_ROWS = re.compile(r"""^(?:["'`]{2,}|[“”‘’]{2,})\s*|\s*(?:["'`]{2,}|[“”‘’]{2,})$""")
_MARKUP = re.compile(
    r"</?(?:a|b|big|br|em|font|i|mark|s|small|span|strong|sub|sup|u)(?:\s[^<>]{0,300})?/?>", re.I
)
_MEANINGLESS = re.compile(r"(?:[\W_]*|null|none|undefined|nan|untitled|无标题|无题|title)", re.I)


def clean_title(title: str) -> str:
    """One line, without the rows of quotation marks that scrapers put around it; empty if nothing is left."""
    title = tidy(unescape(_MARKUP.sub("", title)).replace("\n", " "))[:MAX_TITLE].rstrip()
    while title != (stripped := _ROWS.sub("", title).strip()):
        title = stripped
    if len(title) > 2 and title[0] == title[-1] and title[0] in "\"'`" and title[0] not in title[1:-1]:
        title = title[1:-1].strip()
    return "" if _MEANINGLESS.fullmatch(title) and not _is_word(title) else title


def restore(title: str, candidates: Iterable[str]) -> str:
    """The candidate that `title` was made from by turning what a file name cannot have into underscores;
    `title` itself where none matches. Without a title, the first candidate."""
    if title and "_" not in title:
        return title
    for candidate in candidates:
        cleaned = clean_title(candidate)
        if not cleaned:
            continue
        if not title:
            return cleaned
        if _made_from(_dense(cleaned), _dense(title)):
            return cleaned
    return title


def _made_from(candidate: str, title: str) -> bool:
    """Whether `title` is `candidate` with some characters, few in a row, replaced by an underscore."""
    first, *parts = re.split(r"_+", title)
    if not candidate.startswith(first):
        return False
    ends = {len(first)}
    for part in parts:
        starts = {end + gap for end in ends for gap in range(1, _MAX_GAP + 1)}
        ends = {start + len(part) for start in starts if candidate.startswith(part, start)}
    return len(candidate) in ends


def _dense(text: str) -> str:
    return "".join(text.split())


def _is_word(title: str) -> bool:
    return any(c.isalnum() for c in title) and not re.fullmatch(r"null|none|undefined|nan", title, re.I)
