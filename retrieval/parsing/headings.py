"""Headings that the markup does not call so: short bold paragraphs, and numbered ones (一、… （二）…)."""

import re
from itertools import pairwise

from retrieval.parsing.blocks import Block, Kind

_MAX_LENGTH = 40
_ENDS_SENTENCE = re.compile(r"[。！!；;，,、：:.…]$")
_NUMBERED = re.compile(r"[一二三四五六七八九十]{1,3}、\S|第[一二三四五六七八九十百\d]{1,4}[章节部编篇]\s?\S")
_SUB_NUMBERED = re.compile(r"[（(][一二三四五六七八九十]{1,3}[）)]\S")
_BYLINE = re.compile(r"记者|作者|编辑|来源|本报讯|摄影|供图|图[/／:：]|文[/／:：]|\d{4}年\d{1,2}月\d{1,2}日")


def promote_headings(blocks: list[Block]) -> None:
    """Turn paragraphs that surely are headings into headings, in place.

    Sure means: short, no end of a sentence, followed by a longer paragraph, and either numbered the Chinese
    way or all bold where most of the article is not.
    """
    paragraphs = [b for b in blocks if b.kind is Kind.PARAGRAPH]
    bold_is_special = sum(b.bold for b in paragraphs) * 2 < len(paragraphs)
    for block, following in pairwise(blocks):
        text = block.text
        if block.kind is not Kind.PARAGRAPH or len(text) > _MAX_LENGTH or _ENDS_SENTENCE.search(text):
            continue
        if block.links > 0.5 or (following.kind is Kind.CODE and not block.bold):
            continue
        level = _level(block, bold_is_special)
        follows = (
            following.kind is not Kind.PARAGRAPH
            or len(following.text) > len(text)
            or _SUB_NUMBERED.match(following.text)
        )
        if level and follows and not _BYLINE.search(text):
            block.kind, block.level = Kind.HEADING, level


def _level(block: Block, bold_is_special: bool) -> int:
    if len(block.text) <= 30 and _NUMBERED.match(block.text):
        return 2
    if len(block.text) <= 30 and _SUB_NUMBERED.match(block.text):
        return 3
    return 3 if block.bold and bold_is_special and len(block.text) > 1 else 0
