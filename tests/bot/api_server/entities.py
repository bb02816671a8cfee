"""Telegram's HTML: text and entities out of markup, refused in the words the Bot API uses.

Two rules are harsher than Telegram's own, which silently drops what breaks them: entities may only nest
as the documentation allows, and a message may have at most 100 of them.
"""

from dataclasses import dataclass

from .cleaning import cleaned, units
from .links import is_link

SPACE = " \t\r\n\0\v"
TAGS = {
    "a": "text_link",
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "tg-emoji": "custom_emoji",
}
NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
ENTITY_LIMIT = 100
PLAIN_KINDS = {"bold", "italic", "underline", "strikethrough", "spoiler"}


class ParseError(Exception):
    """Why the markup is refused, without the "Bad Request: can't parse entities: " before it."""


@dataclass(frozen=True)
class Entity:
    """A kind of formatting over [offset, offset + length) in UTF-16 units of the parsed text."""

    kind: str
    offset: int
    length: int
    url: str | None = None


@dataclass
class _Open:
    name: str
    offset: int
    argument: str


class _Parser:
    def __init__(self, markup: str) -> None:
        self.markup = markup
        self.at = 0
        self.text = ""
        self.offset = 0
        self.open: list[_Open] = []
        self.entities: list[Entity] = []

    def byte(self, position: int) -> int:
        return len(self.markup[:position].encode())

    def peek(self) -> str:
        return self.markup[self.at] if self.at < len(self.markup) else "\0"

    def skip_space(self) -> None:
        while self.at < len(self.markup) and self.peek() in SPACE:
            self.at += 1

    def until(self, ends: str) -> str:
        start = self.at
        while self.at < len(self.markup) and self.peek() not in ends:
            self.at += 1
        return self.markup[start : self.at]

    def character(self) -> str:
        """One character, an escaped one decoded."""
        if self.peek() == "&":
            decoded, end = decode(self.markup, self.at)
            if decoded:
                self.at = end
                return decoded
        self.at += 1
        return self.markup[self.at - 1]

    def parse(self) -> tuple[str, list[Entity]]:
        while self.at < len(self.markup):
            if self.peek() == "<":
                self.tag()
                continue
            character = self.character()
            if 0xD800 <= ord(character) <= 0xDFFF:
                raise ParseError(
                    "Text contains invalid Unicode characters after decoding HTML entities, "
                    "check for unmatched surrogate code units"
                )
            self.text += character
            self.offset += units(character)
        if self.open:
            raise ParseError(f'Can\'t find end tag corresponding to start tag "{self.open[-1].name}"')
        return self.text, self.entities

    def tag(self) -> None:
        begin = self.byte(self.at)
        self.at += 1
        if self.peek() == "/":
            self.at += 1
            self.end_tag(begin)
        else:
            self.start_tag(begin)

    def start_tag(self, begin: int) -> None:
        name = self.until(SPACE + ">").lower()
        if self.at >= len(self.markup):
            raise ParseError(f"Unclosed start tag at byte offset {begin}")
        if name not in TAGS:
            raise ParseError(f'Unsupported start tag "{name}" at byte offset {begin}')
        argument = ""
        while self.peek() != ">":
            self.skip_space()
            if self.peek() == ">":
                break
            argument = self.attribute(name, begin) or argument
        self.at += 1
        if name == "span" and argument != "tg-spoiler":
            raise ParseError(f'Tag "span" must have class "tg-spoiler" at byte offset {begin}')
        self.open.append(_Open(name, self.offset, argument))

    def attribute(self, tag: str, begin: int) -> str:
        """The value of the attribute that follows where it means something for the tag, else ''."""
        name = self.until(SPACE + "=>/\"'")
        if not name:
            raise ParseError(f'Empty attribute name in the tag "{tag}" at byte offset {begin}')
        self.skip_space()
        if self.peek() != "=":
            if self.at >= len(self.markup):
                raise ParseError(f'Unclosed start tag "{tag}" at byte offset {begin}')
            if (tag, name) == ("blockquote", "expandable"):
                return "expandable"
            raise ParseError(
                f'Expected equal sign in declaration of an attribute of the tag "{tag}" '
                f"at byte offset {begin}"
            )
        self.at += 1
        self.skip_space()
        if self.at >= len(self.markup):
            raise ParseError(f'Unclosed start tag "{tag}" at byte offset {begin}')
        value = self.value(begin)
        wanted = {
            "a": "href",
            "code": "class",
            "span": "class",
            "tg-emoji": "emoji-id",
            "blockquote": "expandable",
        }
        return value if wanted.get(tag) == name else ""

    def value(self, begin: int) -> str:
        if self.peek() not in "\"'":
            start, token = self.byte(self.at), ""
            while (
                self.peek().isascii()
                and (self.peek().isalnum() or self.peek() in ".-")
                and self.peek() != "\0"
            ):
                token += self.character()
            if self.peek() not in SPACE + ">":
                raise ParseError(f"Unexpected end of name token at byte offset {start}")
            return token.lower()
        quote, value = self.character(), ""
        while self.at < len(self.markup) and self.peek() != quote:
            value += self.character()
        self.at += 1
        if self.at >= len(self.markup):
            raise ParseError(f"Unclosed start tag at byte offset {begin}")
        return value

    def end_tag(self, begin: int) -> None:
        if not self.open:
            raise ParseError(f"Unexpected end tag at byte offset {begin}")
        name = self.until(SPACE + ">")
        self.skip_space()
        if self.peek() != ">":
            raise ParseError(f"Unclosed end tag at byte offset {begin}")
        self.at += 1
        opened = self.open.pop()
        if name and name != opened.name:
            raise ParseError(
                f'Unmatched end tag at byte offset {begin}, expected "</{opened.name}>", found "</{name}>"'
            )
        if self.offset > opened.offset:
            self.add(opened)

    def add(self, opened: _Open) -> None:
        kind, length = TAGS[opened.name], self.offset - opened.offset
        url = None
        if kind == "text_link":
            url = opened.argument
            if not is_link(url):
                return
        if kind == "blockquote" and opened.argument:
            kind = "expandable_blockquote"
        self.entities.append(Entity(kind, opened.offset, length, url))


def decode(markup: str, at: int) -> tuple[str, int]:
    """The character an escape at `at` stands for ('' for none), and where it ends."""
    end = at + 1
    if markup[end : end + 1] == "#":
        hexadecimal = markup[end + 1 : end + 2] == "x"
        end += 2 if hexadecimal else 1
        digits = "0123456789abcdefABCDEF" if hexadecimal else "0123456789"
        start = end
        while end < len(markup) and markup[end] in digits:
            end += 1
        code = int(markup[start:end] or "0", 16 if hexadecimal else 10) if end - at < 10 else 0
        character = chr(code) if 0 < code < 0x10FFFF else ""
    else:
        while end < len(markup) and markup[end].isascii() and markup[end].isalpha():
            end += 1
        character = NAMED.get(markup[at + 1 : end], "")
    return character, end + (markup[end : end + 1] == ";")


def parse_html(markup: str) -> tuple[str, list[Entity]]:
    """The text without surrounding white space, and its entities. Raises ParseError."""
    text, entities = _Parser(markup).parse()
    check_nesting(entities)
    if len(entities) > ENTITY_LIMIT:
        raise ParseError(f"{len(entities)} entities, but only {ENTITY_LIMIT} would be shown")
    text, entities = tidied(text, entities)
    return text, sorted(entities, key=lambda entity: (entity.offset, -entity.length))


def tidied(text: str, entities: list[Entity]) -> tuple[str, list[Entity]]:
    """The text as Telegram keeps it: cleaned and without white space around; the entities moved with it."""
    wide = text.encode("utf-16-le")
    before = [
        units(cleaned(wide[: 2 * place].decode("utf-16-le", "ignore")))
        for place in (offset for each in entities for offset in (each.offset, each.offset + each.length))
    ]
    text = cleaned(text)
    lead = units(text) - units(text.lstrip())
    text = text.strip()
    room = units(text)
    moved = []
    for entity, first, last in zip(entities, before[::2], before[1::2], strict=True):
        start, end = max(0, first - lead), min(room, last - lead)
        if start < end:
            moved.append(Entity(entity.kind, start, end - start, entity.url))
    return text, moved


def check_nesting(entities: list[Entity]) -> None:
    """Raise ParseError where an entity stands inside one that must not hold it."""
    for outer in entities:
        for inner in entities:
            inside = (
                outer.offset <= inner.offset and inner.offset + inner.length <= outer.offset + outer.length
            )
            if inner is outer or not inside or outer.kind in PLAIN_KINDS:
                continue
            if outer.kind in {"code", "pre"} or (inner.kind not in PLAIN_KINDS and outer.kind == inner.kind):
                raise ParseError(f"{inner.kind} inside of {outer.kind}")
