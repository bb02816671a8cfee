"""Holds a conversation with the demo bot on the test server and draws it as a chat: what really came.

python -m tests.bot.render_chat docs/chat.svg
"""

import asyncio
import os
import sys
import tempfile
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from tests.bot.api_server import TOKEN, ApiServer, Entity, Sent, units

WIDTH, PAD, GAP = 440, 12, 10
SIZE, LEAD = 15, 22
BUBBLE = 360
FONT = (
    "-apple-system, 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', 'Noto Sans SC', Roboto, sans-serif"
)
NEVER_FIRST = "，。！？、；：…”’」』）》〉】,.!?;:)%↗›"
LOOKS = {
    "bold": "font-weight:600",
    "italic": "font-style:italic",
    "underline": "text-decoration:underline",
    "text_link": "fill:#2481cc",
}


@dataclass
class Line:
    """Pieces of text with their looks; `quoted` lines stand behind a bar."""

    quoted: bool = False
    pieces: list[tuple[str, frozenset[str]]] = field(default_factory=list)
    width: float = 0.0

    def add(self, text: str, kinds: frozenset[str]) -> None:
        if self.pieces and self.pieces[-1][1] == kinds:
            self.pieces[-1] = (self.pieces[-1][0] + text, kinds)
        else:
            self.pieces.append((text, kinds))
        self.width += breadth(text, kinds)


def breadth(text: str, kinds: frozenset[str]) -> float:
    """About how wide a text is drawn."""
    wide = sum(unicodedata.east_asian_width(each) in "WF" or each in "“”‘’…" for each in text)
    narrow = sum(each in " .,:;|il1'!" for each in text)
    return (
        SIZE * (wide + 0.3 * narrow + 0.58 * (len(text) - wide - narrow)) * (1.02 if "bold" in kinds else 1)
    )


def lines(text: str, entities: list[Entity], room: float) -> list[Line]:
    """The text broken into lines, Chinese anywhere but before a closing mark, other scripts at spaces."""
    result = [Line()]
    for word, kinds in words(text, entities):
        quoted = "blockquote" in kinds
        if word == "\n":
            result.append(Line())
            continue
        inside = room - SIZE / 2 - (PAD if quoted else 0)
        closing = word in NEVER_FIRST
        if result[-1].pieces and not closing and result[-1].width + breadth(word, kinds) > inside:
            result.append(Line())
            word = word.lstrip()
        if word:
            result[-1].quoted = result[-1].quoted or quoted
            result[-1].add(word, kinds)
    return result


def words(text: str, entities: list[Entity]) -> Iterator[tuple[str, frozenset[str]]]:
    """What may not be broken, with the kinds of entity over it."""
    word, kinds, offset = "", frozenset[str](), 0
    for character in text:
        here = frozenset(each.kind for each in entities if each.offset <= offset < each.offset + each.length)
        joins = character.isascii() and character not in " \n" and word.isascii() and word[-1:] not in " \n"
        if word and not (joins and here == kinds):
            yield word, kinds
            word = ""
        word, kinds = word + character, here
        offset += units(character)
    if word:
        yield word, kinds


class Drawing:
    """Bubbles from top to bottom."""

    def __init__(self, name: str) -> None:
        self.parts: list[str] = []
        self.y = 56.0
        self.name = name

    def user(self, text: str) -> None:
        self.bubble(lines(text, [], BUBBLE - 2 * PAD - 60), "#e3fecb", right=True)

    def bot(self, message: Sent) -> None:
        self.bubble(lines(message.text, message.entities, BUBBLE - 2 * PAD), "#ffffff", right=False)
        rows = (message.markup or {}).get("inline_keyboard", [])
        for row in rows:
            self.buttons([button["text"] for button in row])
        self.y += GAP

    def bubble(self, content: list[Line], colour: str, *, right: bool) -> None:
        inner = max(line.width + (PAD if line.quoted else 0) for line in content)
        width = (inner + 2 * PAD) if right else BUBBLE
        x = WIDTH - PAD - width if right else PAD
        height = len(content) * LEAD + PAD
        self.box(x, self.y, width, height, f'rx="12" fill="{colour}"')
        top = self.y + PAD / 2
        for place, line in enumerate(content):
            y = top + place * LEAD
            if line.quoted:
                self.box(x + PAD, y, BUBBLE - 2 * PAD, LEAD, 'fill="#eef5fb"')
                self.box(x + PAD, y, 3, LEAD, 'fill="#2481cc"')
            self.line(line, x + PAD + (PAD if line.quoted else 0), y + LEAD - 6)
        self.y += height + (GAP if right else 4)

    def box(self, x: float, y: float, width: float, height: float, look: str) -> None:
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height}" {look}/>')

    def line(self, line: Line, x: float, y: float) -> None:
        for text, kinds in line.pieces:
            width = breadth(text, kinds)
            look = ";".join(LOOKS[kind] for kind in sorted(kinds) if kind in LOOKS)
            style = f' style="{look}"' if look else ""
            if text.strip():
                self.parts.append(
                    f'<text x="{x:.1f}" y="{y:.1f}" textLength="{width:.1f}" lengthAdjust="spacingAndGlyphs"'
                    f' xml:space="preserve"{style}>{escape(text)}</text>'
                )
            x += width

    def buttons(self, labels: list[str]) -> None:
        width = (BUBBLE - 4 * (len(labels) - 1)) / len(labels)
        for place, label in enumerate(labels):
            x = PAD + place * (width + 4)
            self.box(x, self.y, width, 30, 'rx="8" fill="#5c7d54" fill-opacity=".55"')
            self.parts.append(
                f'<text x="{x + width / 2:.1f}" y="{self.y + 20:.0f}" text-anchor="middle" fill="#ffffff"'
                f' style="font-size:14px">{escape(label)}</text>'
            )
        self.y += 34

    def svg(self) -> str:
        height = int(self.y + PAD)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}"'
            f' viewBox="0 0 {WIDTH} {height}" font-family="{FONT}" font-size="{SIZE}" fill="#111111">\n'
            f'<rect width="{WIDTH}" height="{height}" rx="14" fill="#c5d9b7"/>\n'
            f'<path d="M0 44V14a14 14 0 0 1 14-14h{WIDTH - 28}a14 14 0 0 1 14 14v30z" fill="#ffffff"/>\n'
            f'<text x="{PAD + 4}" y="28" style="font-weight:600">{escape(self.name)}</text>\n'
            + "\n".join(self.parts)
            + "\n</svg>\n"
        )


async def hold_conversation(server: ApiServer, drawing: Drawing) -> None:
    """/start, a question, a follow-up to it, and a question that has no answer."""
    await server.wait(lambda: any(name == "setMyShortDescription" for name, _ in server.calls), 120)
    for text in ("/start", "苏伊士运河为什么没有船闸？", "什么时候通航的？", "红烧肉怎么做？"):
        drawing.user(text)
        answer = await server.answer_to(text)
        drawing.bot(answer)


async def main() -> str:
    server, drawing = ApiServer(), Drawing("wenda")
    await server.start()
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "TELEGRAM_BOT_TOKEN": TOKEN,
            "TELEGRAM_API_URL": server.url,
            "XDG_DATA_HOME": folder,
            "WENDA_STATE": f"{folder}/state.sqlite3",
        }
        process = await asyncio.create_subprocess_exec(sys.executable, "-m", "bot", "--demo", env=environment)
        try:
            await hold_conversation(server, drawing)
        finally:
            process.terminate()
            await process.wait()
            await server.stop()
    return drawing.svg()


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(asyncio.run(main()), encoding="utf-8")
