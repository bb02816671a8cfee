"""Plain text → blocks. A blank line ends a paragraph; lines wrapped at a fixed width are put together."""

import re

from retrieval.parsing.blocks import CJK, Block, Kind, tidy

_BLANK = re.compile(r"\n[ \t\u3000]*\n")
_ENDS = re.compile(r"[。！？!?.:：；;，,、…”’」』）)]$")


def paragraphs(body: str) -> list[Block]:
    """The paragraphs of a plain text, in order."""
    blocks: list[Block] = []
    body = body.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n\n").strip("\n")
    for part in _BLANK.split(body):
        lines = part.split("\n")
        blocks += [Block(line) for raw in _unwrap(lines) if (line := tidy(raw))]
    if len(blocks) > 1 and _is_title(blocks[0].text) and _BLANK.match(body[body.find("\n") :]):
        blocks[0].kind, blocks[0].level = Kind.HEADING, 1
    return blocks


def _is_title(line: str) -> bool:
    """Whether a first line that stands alone is the text's title."""
    return len(line) <= 60 and _ENDS.search(line) is None


def _unwrap(lines: list[str]) -> list[str]:
    """Join lines that were wrapped: all but the last about equally long, and no sentence ends with them."""
    lines = [line for line in lines if line.strip()]
    if len(lines) < 2:
        return lines
    widths = [_width(line) for line in lines[:-1]]
    indented = sum(line[0] in " \t\u3000" for line in lines[1:])
    wrapped = max(widths) <= 100 and min(widths) * 4 >= max(widths) * 3 and max(widths) > 30 and not indented
    if not wrapped or sum(bool(_ENDS.search(line.strip())) for line in lines[:-1]) * 3 > len(lines) - 1:
        return lines
    joined = lines[0].strip()
    for line in lines[1:]:
        following = line.strip()
        joined += following if CJK.match(joined[-1]) and CJK.match(following[0]) else " " + following
    return [joined]


def _width(line: str) -> int:
    return len(line) + len(CJK.findall(line))
