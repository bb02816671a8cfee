"""Lines about an article rather than of it: 原标题：, 来源：, 责任编辑：, 发布时间：.

They stand in its first and last few lines. What they say becomes metadata; the lines leave the text.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from retrieval.parsing.blocks import Block, Kind
from retrieval.parsing.dates import parse_date
from retrieval.parsing.tails import cut_tail_phrase, is_tail_line

_MARKS = re.compile("[:：丨|/]")
_HEAD_LINES, _TAIL_LINES, _SOURCE_TAIL_LINES = 6, 12, 4
_MAX_LINE = 200
_OPEN, _CLOSE = "[（(【\\[［]?", "[）)】\\]］]?"
_COLON = r"\s*[:：]\s*"

_ORIGINAL = re.compile(
    rf"{_OPEN}\s*(?:原标题|原題|原標題|原文标题){_COLON}(?P<title>.{{1,200}}?)\s*{_CLOSE}$"
)
_EDITOR_WORDS = (
    "责任编辑|责编|責任編輯|責編|本文编辑|值班编辑|值班主编|网络编辑|新媒体编辑|实习编辑|编辑|編輯|编审|校对|校對|"
    "审核|审校|审读|监制|監製|主编|统筹|排版|美编|实习生"
)
_EDITOR = re.compile(
    rf"{_OPEN}\s*(?:{_EDITOR_WORDS})(?:\s*[:：/丨|]\s*|\s+)(?P<names>[^。！？!?；;，]{{0,80}}?)\s*{_CLOSE}$"
)
_EDITOR_LETTERS = re.compile("[编編校審审監监统]")
_EDITOR_PART = re.compile(rf"(?:{_EDITOR_WORDS})\s*[:：/丨|]?\s*")
_INLINE_EDITOR = re.compile(
    rf"(?:[（(【\[]\s*(?:{_EDITOR_WORDS})(?:\s*[:：/丨|]\s*|\s+)(?P<names>[^。！？!?；;，）)】\]]{{1,30}})[）)】\]]"
    r"|(?:责任编辑|责编|責任編輯)\s*[:：]\s*(?P<bare>[^。！？!?；;，]{0,20}))\s*$"
)
_SOURCE_WORDS = "文章来源|新闻来源|稿件来源|信息来源|本文来源|來源|来源|转自|轉自|Source"
_SOURCE = re.compile(
    rf"(?P<before>.{{0,30}}?)(?:^|\s|{_OPEN})(?:{_SOURCE_WORDS})\s*[:：丨|]\s*(?P<source>[^。！？!?；;]{{1,60}}?)\s*{_CLOSE}$",
    re.I,
)
_INLINE_SOURCE = re.compile(
    r"(?:[（(【\[]\s*(?:来源|來源)\s*[:：]\s*(?P<inside>[^。！？!?；;，）)】\]]{2,24})[）)】\]]"
    r"|(?<=[。！？!?…”」』）)])\s*(?:来源|來源)\s*[:：]\s*(?P<bare>[^。！？!?；;，、:：]{2,16}))\s*$"
)
_PARTS = re.compile(
    r"[\s|丨]+(?=(?:作者|编辑|责任编辑|责编|记者|发布时间|发布日期|时间|日期|文)\s*[:：/|丨])|\s+(?=\d{4}[-年/.]\d{1,2})|\s{2,}"
)
_PUBLISHED = re.compile(
    r"(?:发布时间|发布日期|發佈時間|发表时间|发表于|时间|日期|Published|Date)(?:\s*[:：]\s*|\s+)(?P<date>.{6,40})$",
    re.I,
)
_AUTHOR = re.compile(
    rf"{_OPEN}\s*(?:作者|撰文|文)\s*[:：/丨|]\s*(?P<author>[^。！？!?；;，]{{1,30}}?)\s*{_CLOSE}$"
)


@dataclass(slots=True)
class Credits:
    """What the lines about an article said; empty where none did."""

    original_title: str = ""
    source: str = ""
    editor: str = ""
    author: str = ""
    published_at: datetime | None = None


def take_credits(blocks: list[Block], *, want_author: bool) -> Credits:
    """Take such lines, and the tail a site adds, out of `blocks` (in place); return what they say.

    An author line is only taken where `want_author`: with an author already known it is text like any other.
    """
    found = Credits()
    _take_tail(blocks, found)
    last = len(blocks) - 1
    taken = [
        index
        for index, block in enumerate(blocks)
        if (index < _HEAD_LINES or last - index < _SOURCE_TAIL_LINES)
        and block.kind in (Kind.PARAGRAPH, Kind.ITEM, Kind.HEADING)
        and _credit(block.text, found, want_author)
    ]
    for index in reversed(taken):
        del blocks[index]
    return found


def _take_tail(blocks: list[Block], found: Credits) -> None:
    """Editors and the site's own lines, from the end upwards, and what is glued to the last line's end."""
    for block in blocks[-2:]:
        if block.kind in (Kind.PARAGRAPH, Kind.ITEM):
            block.text = _cut_end(block.text, found)
    blocks[:] = [block for block in blocks if block.text]
    count = len(blocks)
    for index in range(count - 1, max(count - 1 - _TAIL_LINES, -1), -1):
        block = blocks[index]
        if block.kind in (Kind.CODE, Kind.ROW):
            continue
        # A call to follow or a disclaimer may be what an article is about: only in its second half.
        if _editor(block.text, found) or (0 < index * 2 >= count - 1 and is_tail_line(block.text)):
            del blocks[index]


def _cut_end(text: str, found: Credits) -> str:
    """The line without a call to read more, editor and source that are glued to its end."""
    text = _cut_inline_editor(cut_tail_phrase(_cut_inline_editor(text, found)), found)
    match = _INLINE_SOURCE.search(text, max(0, len(text) - 40)) if "来源" in text or "來源" in text else None
    if match is None:
        return text
    found.source = found.source or (match["inside"] or match["bare"]).strip()
    return text[: match.start()].rstrip()


def _cut_inline_editor(text: str, found: Credits) -> str:
    end = text[-60:]
    match = _INLINE_EDITOR.search(text, len(text) - len(end)) if _EDITOR_LETTERS.search(end) else None
    if match is None:
        return text
    found.editor = found.editor or _names(match["names"] or match["bare"] or "")
    return text[: match.start()].rstrip()


def _editor(text: str, found: Credits) -> bool:
    match = _EDITOR.match(text) if len(text) <= 100 else None
    if match is None or (text[0] not in "（(【[［" and not re.search(r"[:：/丨|]", text)):
        return False
    found.editor = found.editor or _names(match["names"])
    return True


def _names(text: str) -> str:
    return " ".join(" ".join(_EDITOR_PART.split(text)).split())


def _credit(text: str, found: Credits, want_author: bool) -> bool:
    if len(text) > _MAX_LINE or (text[0] not in "（(【[［发發PD" and not _MARKS.search(text)):
        return False
    if not found.original_title and (match := _ORIGINAL.match(text)):
        found.original_title = _balanced(match["title"])
        return True
    if _editor(text, found) or _published(text, found) or _source(text, found, want_author):
        return True
    if want_author and not found.author and (match := _AUTHOR.match(text)):
        found.author = " ".join(match["author"].split())
        return True
    return False


def _source(text: str, found: Credits, want_author: bool) -> bool:
    match = _SOURCE.match(text) if len(text) <= 120 else None
    if match is None or match["source"].lower().startswith(("http:", "https:")):
        return False
    before = match["before"].strip(" |丨")
    if before and not (parse_date(before) or _AUTHOR.match(before)):
        return False
    parts = [part.strip(" |丨") for part in _PARTS.split(match["source"])]
    found.source = found.source or _balanced(parts[0])
    for part in (before, *parts[1:]):
        if part and not _credit(part, found, want_author):
            found.published_at = found.published_at or parse_date(part)
    return True


def _published(text: str, found: Credits) -> bool:
    match = _PUBLISHED.match(text) if len(text) <= 80 else None
    if match is None:
        return False
    date = parse_date(_PARTS.split(match["date"])[0])
    found.published_at = found.published_at or date
    return date is not None


def _balanced(text: str) -> str:
    """Give back a closing bracket that was taken for the line's own: 某某（组图）."""
    for opening, closing in ("（）", "()", "【】", "[]"):
        if text.count(opening) == text.count(closing) + 1:
            return text + closing
    return text
