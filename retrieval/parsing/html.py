"""HTML → blocks: what a reader would call the text, in document order, one block a paragraph.

Scripts, styles, comments, forms and what is not displayed are left out; lists, data tables (a row is one
line, cells separated by " | ") and code keep their lines. Markup from many sites is rarely valid: a stray
`<`, tags that never close and text without any paragraph all keep their text.
"""

import re
from dataclasses import dataclass, field

from selectolax.lexbor import LexborHTMLParser, LexborNode

from retrieval.parsing.blocks import LINE_BREAK, Block, Kind, tidy, tidy_code
from retrieval.parsing.markup import repair
from retrieval.parsing.structure import is_hidden, is_noise, is_suspect
from retrieval.parsing.tables import data_rows

_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_SKIPPED = frozenset((
    "-comment", "-doctype", "applet", "audio", "button", "canvas", "datalist", "dialog", "embed", "frame",
    "head", "iframe", "input", "map", "noscript", "object", "option", "rp", "script", "select", "style",
    "svg", "template", "textarea", "title", "video",
))  # fmt: skip
_BLOCKS = frozenset((
    "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "dir",
    "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5",
    "h6", "header", "hgroup", "hr", "html", "legend", "li", "main", "menu", "nav", "ol", "p", "pre",
    "search", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul",
))  # fmt: skip
_BOLD = frozenset(("b", "strong"))
_HINTED = frozenset((
    "a", "aside", "blockquote", "center", "div", "figure", "footer", "form", "header", "nav", "ol", "p",
    "section", "span", "table", "ul",
))  # fmt: skip
_MAX_EXAMINED = 20_000_000
_LAZY_SOURCES = ("data-src", "data-original", "data-lazy-src", "data-actualsrc", "data-original-src", "src")
_BOLD_STYLE = re.compile(r"font-weight\s*:\s*(?:bold|[6-9]00)", re.I)
_EMOJI_ONLY = re.compile(r"[^\x00-\u203b\u3000-\u9fff\uac00-\ud7af\uff00-\uffef]{1,8}")


@dataclass(slots=True)
class Extraction:
    """The blocks of a document, how many pictures it has, and the address of the first."""

    blocks: list[Block] = field(default_factory=list)
    image: str | None = None
    pictures: int = 0


def parse(html: str) -> LexborHTMLParser:
    """Parse after mending what would make text vanish; raises ValueError where the nesting is too deep."""
    return LexborHTMLParser(repair(html))


def extract(root: LexborNode, *, drop_noise: bool = True) -> Extraction:
    """The blocks below `root`; `drop_noise` leaves out what the markup says is no text (share bars)."""
    walker = _Walker(drop_noise)
    walker.walk(root)
    return walker.found


class _Walker:
    """Depth-first over the tree without recursion: documents may be nested deeper than Python's stack."""

    def __init__(self, drop_noise: bool) -> None:
        self.found = Extraction()
        self._drop_noise = drop_noise
        self._buffer: list[str] = []
        self._length = self._plain_length = self._link_length = 0  # of the buffer: all, not bold, in links
        self._bold = self._links = self._code = 0  # how many such elements are open
        self._level = 0
        self._kind = Kind.PARAGRAPH
        self._examined = 0  # characters looked through for noise: nested suspects must not cost their square

    def walk(self, root: LexborNode) -> None:
        stack: list[tuple[LexborNode, str, bool]] = []
        node = root.first_child
        while True:
            if node is None:
                if not stack:
                    break
                node, tag, bold = stack.pop()
                self._leave(tag, bold)
                node = node.next
                continue
            tag = node.tag or ""
            if tag == "-text":
                self._text(node.text_content or "")
            elif tag not in _SKIPPED and not self._void(node, tag):
                bold = self._enter(node, tag)
                child = node.first_child
                if child is not None:
                    stack.append((node, tag, bold))
                    node = child
                    continue
                self._leave(tag, bold)
            node = node.next
        self._flush()

    def _text(self, text: str) -> None:
        if self._code:
            text = text.replace("\r\n", "\n").replace("\n", LINE_BREAK)
        elif LINE_BREAK in text:
            text = text.replace(LINE_BREAK, "\n")
        blank = text.isspace()
        if blank and not self._buffer:
            return
        self._buffer.append(text)
        length = 0 if blank else len(text)
        self._length += length
        if self._links:
            self._link_length += length
        if not self._bold:
            self._plain_length += length

    def _void(self, node: LexborNode, tag: str) -> bool:
        """Handle an element that is not gone into: line break, picture, data table, or what is left out."""
        if tag == "br":
            self._buffer.append(LINE_BREAK)
            return True
        if tag == "img":
            self._picture(node)
            return True
        if tag in _HINTED and self._is_left_out(node, tag):
            return True
        if tag == "table":
            self._flush()
            return self._table(node)
        return False

    def _enter(self, node: LexborNode, tag: str) -> bool:
        """Handle an element's start; returns whether it makes its text bold."""
        if tag in _BLOCKS:
            self._flush()
            if tag in _HEADINGS:
                self._level, self._kind = _HEADINGS[tag], Kind.HEADING
            elif tag == "li":
                self._kind = Kind.ITEM
            elif tag == "pre":
                self._code += 1
            return False
        if tag == "a":
            self._links += 1
        elif tag == "rt":
            self._buffer.append("(")
        bold = tag in _BOLD or (
            tag == "span" and _BOLD_STYLE.search(node.attributes.get("style") or "") is not None
        )
        self._bold += bold
        return bold

    def _leave(self, tag: str, bold: bool) -> None:
        self._bold -= bold
        if tag in _BLOCKS:
            self._flush()
            if tag == "pre":
                self._code -= 1
            self._level, self._kind = 0, Kind.PARAGRAPH
        elif tag == "a":
            self._links -= 1
        elif tag == "rt":
            self._buffer.append(")")

    def _is_left_out(self, node: LexborNode, tag: str) -> bool:
        attributes = node.attributes
        if not attributes and tag not in ("nav", "footer", "aside"):
            return False
        if is_hidden(node, attributes):
            return True
        suspicion = is_suspect(tag, attributes) if self._drop_noise and self._examined < _MAX_EXAMINED else 0
        if not suspicion:
            return False
        length = len(node.text(deep=True, strip=True))
        self._examined += length
        return is_noise(node, suspicion, length)

    def _picture(self, node: LexborNode) -> None:
        attributes = node.attributes
        alt = attributes.get("alt") or ""
        if alt and _EMOJI_ONLY.fullmatch(alt):
            self._buffer.append(alt)
            return
        self.found.pictures += 1
        if self.found.image is None:
            found = ((attributes.get(name) or "").strip() for name in _LAZY_SOURCES)
            self.found.image = next((a for a in found if a.startswith(("http://", "https://", "//"))), None)

    def _table(self, table: LexborNode) -> bool:
        """Write a data table as rows; False for a table that only lays out its page: that is gone through."""
        rows = data_rows(table)
        if rows is None:
            return False
        for caption in table.css("caption"):
            self.found.blocks += extract(caption, drop_noise=False).blocks
        for row in rows:
            cells = [extract(cell, drop_noise=False) for cell in row]
            line = " | ".join(" ".join(block.text for block in cell.blocks) for cell in cells)
            line = tidy(line.strip("| "))
            if line:
                self.found.blocks.append(Block(line, Kind.ROW))
            for cell in cells:
                self.found.pictures += cell.pictures
                self.found.image = self.found.image or cell.image
        return True

    def _flush(self) -> None:
        if not self._buffer:
            return
        text = "".join(self._buffer)
        self._buffer.clear()
        length, plain, linked = self._length, self._plain_length, self._link_length
        self._length = self._plain_length = self._link_length = 0
        if not text or text.isspace():
            return
        if self._code:
            lines = [line for part in text.split(LINE_BREAK) if (line := tidy_code(part))]
            self.found.blocks += [Block(line, Kind.CODE) for line in lines]
            return
        links = linked / length if length else 0.0
        bold = length > 0 and plain == 0
        for line in [tidy(text)] if LINE_BREAK not in text else _broken_lines(text):
            if line:
                self.found.blocks.append(Block(line, self._kind, self._level, links, bold))


def _broken_lines(text: str) -> list[str]:
    """Split at forced breaks; an English line that only wraps (`…the<br>last…`) is put together again."""
    lines: list[str] = []
    for part in text.split(LINE_BREAK):
        line = tidy(part)
        if lines and line and line[0].islower() and line[0].isascii() and re.search(r"[a-z,]$", lines[-1]):
            lines[-1] += " " + line
        else:
            lines.append(line)
    return lines
