"""What the server keeps: chats, messages, files, updates not yet fetched; and what tests wait for."""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .chats import COMMAND, Person, Query, Sent, entities_of, shown_entities
from .floods import Floods, Limits
from .parameters import RefusedError, bad

TOKEN = "123456789:AAtestTESTtestTESTtestTESTtestTESTte"
BOT = {"id": 123456789, "is_bot": True, "first_name": "wenda", "username": "wenda_test_bot"}
QUERY_LIFE = 15.0
"""Seconds within which a pressed button wants its answer."""

LOOK_SECONDS = 0.1
"""How often those who wait look whether what they wait for is there, if nothing happens."""

NOT_BY_DEFAULT = {"chat_member", "message_reaction", "message_reaction_count"}
"""The kinds of updates a bot gets only where it asks for them by name."""


@dataclass(frozen=True)
class File:
    """A file on the server; `path` is where it can be fetched, once a bot asked for it."""

    id: str
    path: str
    content: bytes


@dataclass
class Webhook:
    """Where updates are delivered to."""

    url: str = ""
    secret: str = ""
    connections: int = 40
    certificate: bytes = b""
    failed_at: int = 0
    failure: str = ""


@dataclass
class World:
    """One bot's Bot API, without HTTP around it.

    `local` is a self-hosted server started with --local: webhooks by plain HTTP on any port, any file size.
    """

    limits: Limits = field(default_factory=Limits)
    local: bool = False
    messages: dict[tuple[int, int], Sent] = field(default_factory=dict)
    history: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)
    queries: dict[str, Query] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    scoped_commands: dict[tuple[str, str], list[dict[str, str]]] = field(default_factory=dict)
    descriptions: dict[str, str] = field(default_factory=dict)
    short_descriptions: dict[str, str] = field(default_factory=dict)
    chats: dict[int, dict[str, Any]] = field(default_factory=dict)
    topics: dict[int, set[int]] = field(default_factory=dict)
    members: dict[tuple[int, int], str] = field(default_factory=dict)
    met: set[int] = field(default_factory=set)
    blocked: set[int] = field(default_factory=set)
    kicked: set[int] = field(default_factory=set)
    deactivated: set[int] = field(default_factory=set)
    muted: set[int] = field(default_factory=set)
    migrated: dict[int, int] = field(default_factory=dict)
    other_bot_spoke: set[int] = field(default_factory=set)
    files: dict[str, File] = field(default_factory=dict)
    web: dict[str, bytes] = field(default_factory=dict)
    floods: deque[int] = field(default_factory=deque)
    allowed: set[str] | None = None
    hook: Webhook = field(default_factory=Webhook)

    def __post_init__(self) -> None:
        self.pending: deque[dict[str, Any]] = deque()
        self._next_update, self._next_message, self._next_query, self._next_file = 1000, 1, 1, 1
        self.changed = asyncio.Condition()
        self._listeners: dict[int, asyncio.Queue[Sent]] = {}
        self.poller: asyncio.Event | None = None
        self.flood_control = Floods(self.limits)

    @property
    def webhook(self) -> str:
        """The address of the webhook, '' where there is none."""
        return self.hook.url

    @property
    def commands(self) -> dict[str, list[dict[str, str]]]:
        """Language → the menu that everybody sees who has none of their own."""
        return {code: menu for (scope, code), menu in self.scoped_commands.items() if scope == "default"}

    async def wait(self, condition: Callable[[], bool], seconds: float = 20.0) -> None:
        """Wait until the condition holds; TimeoutError if it does not within `seconds`.

        It is looked at whenever something happens here, and now and then: it may be about something else.
        """
        async with asyncio.timeout(seconds), self.changed:
            while not condition():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.changed.wait(), LOOK_SECONDS)

    async def notify(self) -> None:
        """Have everyone who waits look again."""
        async with self.changed:
            self.changed.notify_all()

    async def publish(self, update: dict[str, Any]) -> None:
        """Queue an update for the bot, if it wants updates of that kind."""
        kind = next(iter(update))
        if kind in (self.allowed or ()) or (not self.allowed and kind not in NOT_BY_DEFAULT):
            self.pending.append({"update_id": self._next_update, **update})
            self._next_update += 1
        await self.notify()

    def listen(self, chat_id: int) -> "asyncio.Queue[Sent]":
        """The bot's messages to a chat as they come from now on; cheaper than waiting for a condition."""
        return self._listeners.setdefault(chat_id, asyncio.Queue())

    def deliver(self, message: Sent) -> None:
        """Show a message of the bot in its chat."""
        self.messages[message.chat_id, message.message_id] = message
        if message.chat_id in self._listeners:
            self._listeners[message.chat_id].put_nowait(message)

    def new_message(self) -> int:
        """The number of the next message."""
        number, self._next_message = self._next_message, self._next_message + 1
        return number

    def new_query(self) -> tuple[str, Query]:
        """A query that wants an answer, and its name."""
        identifier, self._next_query = str(self._next_query), self._next_query + 1
        self.queries[identifier] = query = Query(time.monotonic())
        return identifier, query

    def store(self, content: bytes, folder: str, ending: str = "") -> File:
        """Keep a file."""
        number, self._next_file = self._next_file, self._next_file + 1
        file = File(f"BQACAgIAAxk{number:06d}", f"{folder}/file_{number}{ending}", content)
        self.files[file.id] = file
        return file

    def incoming(self, text: str, person: Person, chat_id: int, fields: dict[str, Any]) -> dict[str, Any]:
        """A message of a user, as it is kept and shown to bots."""
        if chat_id == person.id:
            self.chats[chat_id] = {"id": chat_id, "type": "private", "first_name": person.first_name}
        self.met.add(person.id)
        message: dict[str, Any] = {
            "message_id": self.new_message(),
            "date": int(time.time()),
            "chat": self.chats[chat_id],
            "from": person.json(),
            **fields,
        }
        if text:
            message |= {"text": text, "entities": entities_of(text)}
        self.history[chat_id, message["message_id"]] = message
        return message

    def reaches_bot(self, message: dict[str, Any]) -> bool:
        """Group privacy: commands for the bot, mentions of it, replies to it, what is sent by it inline."""
        if message["chat"]["type"] == "private" or "via_bot" in message:
            return True
        text, name = message.get("text") or message.get("caption") or "", f"@{BOT['username']}"
        if command := COMMAND.match(text):
            addressed = "@" in command[0]
            return (
                command[0].endswith(name) if addressed else message["chat"]["id"] not in self.other_bot_spoke
            )
        replied = message.get("reply_to_message", {}).get("from", {}).get("id")
        return name.lower() in text.lower() or replied == BOT["id"]

    def open_chat(self, chat_id: int) -> int:
        """The chat, where the bot may write to it."""
        if chat_id in self.migrated:
            raise RefusedError(
                400,
                "Bad Request: group chat was upgraded to a supergroup chat",
                migrate_to_chat_id=self.migrated[chat_id],
            )
        if chat_id in self.deactivated:
            raise RefusedError(403, "Forbidden: user is deactivated")
        if chat_id in self.blocked:
            raise RefusedError(403, "Forbidden: bot was blocked by the user")
        if chat_id in self.kicked:
            raise RefusedError(403, "Forbidden: bot was kicked from the supergroup chat")
        if chat_id not in self.chats:
            if chat_id in self.met:
                raise RefusedError(403, "Forbidden: bot can't initiate conversation with a user")
            raise bad("chat not found")
        if chat_id in self.muted:
            raise bad("not enough rights to send text messages to the chat")
        return chat_id

    def shown(self, message: Sent) -> dict[str, Any]:
        """A message of the bot as the API returns it."""
        caption = message.kind != "text"
        shown: dict[str, Any] = {
            "message_id": message.message_id,
            "date": int(time.time()),
            "chat": self.chats[message.chat_id],
            "from": BOT,
        }
        if message.text:
            shown["caption" if caption else "text"] = message.text
            shown["caption_entities" if caption else "entities"] = shown_entities(message.entities)
        if message.kind == "document":
            file = self.store(message.file, "documents")
            shown["document"] = described(file, message.file_name, "application/octet-stream")
        if message.kind == "photo":
            file = self.store(message.file, "photos", ".jpg")
            shown["photo"] = [described(file) | {"width": 90, "height": 90}]
        if message.origin:
            shown["forward_origin"] = message.origin
        if message.markup:
            shown["reply_markup"] = message.markup
        if message.thread:
            shown |= {"message_thread_id": message.thread, "is_topic_message": True}
        if message.reply_to and (message.chat_id, message.reply_to) in self.history:
            replied = self.history[message.chat_id, message.reply_to]
            shown["reply_to_message"] = {k: v for k, v in replied.items() if k != "reply_to_message"}
        return shown


def described(file: File, name: str = "", kind: str = "") -> dict[str, Any]:
    """A file as messages describe it."""
    shown: dict[str, Any] = {
        "file_id": file.id,
        "file_unique_id": file.id[-8:],
        "file_size": len(file.content),
    }
    return shown | ({"file_name": name} if name else {}) | ({"mime_type": kind} if kind else {})
