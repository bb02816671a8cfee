"""What the server knows of people and messages, and of buttons that were pressed."""

import asyncio
import re
from dataclasses import dataclass, field
from typing import Any

from .cleaning import units
from .entities import Entity

MENTION = re.compile(r"@\w+")
COMMAND = re.compile(r"/[A-Za-z0-9_]{1,32}(?:@\w+)?")


@dataclass(frozen=True)
class Person:
    """A user, as Telegram describes one to bots."""

    id: int = 42
    first_name: str = "小明"
    language_code: str | None = "zh-hans"

    def json(self) -> dict[str, Any]:
        shown: dict[str, Any] = {"id": self.id, "is_bot": False, "first_name": self.first_name}
        return shown | ({"language_code": self.language_code} if self.language_code else {})


@dataclass
class Sent:
    """A message of the bot as users see it; `edits` counts how often it was changed.

    `text` is the caption where there is a file: `kind` says of what sort, `file` what is in it.
    """

    chat_id: int
    message_id: int
    text: str
    entities: list[Entity]
    markup: dict[str, Any] | None
    preview: dict[str, Any] | None = None
    reply_to: int | None = None
    thread: int | None = None
    edits: int = 0
    html: str = ""
    kind: str = "text"
    file: bytes = b""
    file_name: str = ""
    silent: bool = False
    origin: dict[str, Any] | None = None
    inline_id: str | None = None

    @property
    def buttons(self) -> dict[str, str]:
        """Label → callback data or address, in reading order."""
        rows = (self.markup or {}).get("inline_keyboard", [])
        return {
            button["text"]: button.get("callback_data") or button.get("url", "")
            for row in rows
            for button in row
        }

    def marked(self, kind: str) -> list[str]:
        """The texts under entities of one kind."""
        wide = self.text.encode("utf-16-le")
        return [
            wide[2 * each.offset : 2 * (each.offset + each.length)].decode("utf-16-le")
            for each in self.entities
            if each.kind == kind
        ]

    @property
    def links(self) -> list[str]:
        """The addresses behind the text's links."""
        return [each.url for each in self.entities if each.url]


@dataclass
class Query:
    """A button that was pressed or a question that is being typed: when, and what the bot said to it."""

    pressed_at: float
    notice: str | None = None
    alert: bool = False
    answered: bool = False
    results: list[dict[str, Any]] = field(default_factory=list)
    next_offset: str = ""
    button: dict[str, Any] | None = None
    cache_time: int = 300
    personal: bool = False
    settled: asyncio.Event = field(default_factory=asyncio.Event)


def entities_of(text: str) -> list[dict[str, Any]]:
    """The entities Telegram finds in a user's plain text: a command at its start, mentions."""
    found = []
    if command := COMMAND.match(text):
        found.append({"type": "bot_command", "offset": 0, "length": command.end()})
    for mention in MENTION.finditer(text):
        if not command or mention.start() >= command.end():
            found.append(
                {"type": "mention", "offset": units(text[: mention.start()]), "length": len(mention[0])}
            )
    return found


def shown_entities(entities: list[Entity]) -> list[dict[str, Any]]:
    """Entities as the API returns them."""
    return [
        {
            "type": each.kind,
            "offset": each.offset,
            "length": each.length,
            **({"url": each.url} if each.url else {}),
        }
        for each in entities
    ]
