"""The server: chats, messages and updates in memory, the Bot API before them, the users' side for tests."""

import asyncio
import contextlib
import json
import re
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from .chats import COMMAND, Person, Query, Sent, entities_of
from .rules import (
    NOTICE_LIMIT,
    RefusedError,
    bad,
    check_preview,
    commands_of,
    language_of,
    limited,
    markup_of,
    number,
    results_of,
    structure,
    text_of,
)

TOKEN = "123456789:AAtestTESTtestTESTtestTESTtestTESTte"
BOT = {"id": 123456789, "is_bot": True, "first_name": "wenda", "username": "wenda_test_bot"}
QUERY_LIFE = 15.0
"""Seconds within which a pressed button wants its answer."""


@dataclass
class ApiServer:
    """One bot's Bot API. Start it, point a bot at `url`, then act as its users."""

    messages: dict[tuple[int, int], Sent] = field(default_factory=dict)
    queries: dict[str, Query] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    commands: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    descriptions: dict[str, str] = field(default_factory=dict)
    chats: dict[int, dict[str, Any]] = field(default_factory=dict)
    blocked: set[int] = field(default_factory=set)
    floods: deque[int] = field(default_factory=deque)
    webhook: str = ""
    url: str = ""

    def __post_init__(self) -> None:
        self._updates: deque[dict[str, Any]] = deque()
        self._next_update, self._next_message, self._next_query = 1000, 1, 1
        self._changed = asyncio.Condition()
        self._poller: asyncio.Event | None = None
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen on a free port of this machine."""
        application = web.Application(client_max_size=2**24)
        application.router.add_route("*", "/bot{token}/{method}", self._handle)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    # The users' side

    async def say(
        self, text: str, person: Person | None = None, *, chat_id: int | None = None, **fields: Any
    ) -> dict[str, Any]:
        """A user writes; in a group only what group privacy lets through reaches the bot. The message."""
        person = person or Person()
        message = self._incoming(text, person, person.id if chat_id is None else chat_id, fields)
        if self._reaches_bot(message):
            await self._publish({"message": message})
        return message

    async def edit(self, message: dict[str, Any], text: str) -> None:
        """The user changes a message."""
        changed = {**message, "text": text, "entities": entities_of(text), "edit_date": int(time.time())}
        await self._publish({"edited_message": changed})

    async def press(self, message: Sent, label: str, person: Person | None = None) -> Query:
        """A user presses the button of that label."""
        return await self.press_data(message, message.buttons[label], person)

    async def press_data(self, message: Sent, data: str, person: Person | None = None) -> Query:
        """A user's (perhaps forged) client sends this callback data."""
        identifier, self._next_query = str(self._next_query), self._next_query + 1
        self.queries[identifier] = query = Query(time.monotonic())
        update = {
            "id": identifier,
            "from": (person or Person()).json(),
            "chat_instance": "1",
            "data": data,
            "message": self._shown(message),
        }
        await self._publish({"callback_query": update})
        return query

    async def type(self, text: str, offset: str = "", person: Person | None = None) -> Query:
        """A user types a question after the bot's name in some chat."""
        identifier, self._next_query = str(self._next_query), self._next_query + 1
        self.queries[identifier] = query = Query(time.monotonic())
        update = {"id": identifier, "from": (person or Person()).json(), "query": text, "offset": offset}
        await self._publish({"inline_query": update})
        await self.wait(lambda: query.answered)
        return query

    async def wait(self, condition: Callable[[], bool], seconds: float = 20.0) -> None:
        """Wait until the condition holds; TimeoutError if it does not within `seconds`."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(condition)

    async def answer_to(self, text: str, person: Person | None = None, **fields: Any) -> Sent:
        """Say something and wait for the bot's next message."""
        before = set(self.messages)
        await self.say(text, person, **fields)
        await self.wait(lambda: self.messages.keys() > before)
        return self.messages[max(self.messages.keys() - before, key=lambda key: key[1])]

    async def pressed(self, message: Sent, label: str, person: Person | None = None) -> Query:
        """Press a button and wait until the bot has answered the press and changed the message."""
        edits = message.edits
        query = await self.press(message, label, person)
        await self.wait(lambda: query.answered and (message.edits > edits or bool(query.notice)))
        return query

    def group(self, chat_id: int, title: str = "读书会", *, topics: bool = False) -> int:
        """A group the bot is a member of."""
        self.chats[chat_id] = {"id": chat_id, "type": "supergroup", "title": title, "is_forum": topics}
        return chat_id

    def _incoming(self, text: str, person: Person, chat_id: int, fields: dict[str, Any]) -> dict[str, Any]:
        if chat_id == person.id:
            self.chats[chat_id] = {"id": chat_id, "type": "private", "first_name": person.first_name}
        message_id, self._next_message = self._next_message, self._next_message + 1
        message: dict[str, Any] = {
            "message_id": message_id,
            "date": int(time.time()),
            "chat": self.chats[chat_id],
            "from": person.json(),
            **fields,
        }
        if text:
            message |= {"text": text, "entities": entities_of(text)}
        return message

    def _reaches_bot(self, message: dict[str, Any]) -> bool:
        """Group privacy: commands for the bot, mentions of it and replies to it."""
        if message["chat"]["type"] == "private":
            return True
        text, name = message.get("text", ""), f"@{BOT['username']}"
        command = COMMAND.match(text)
        if command:
            return "@" not in command[0] or command[0].endswith(name)
        replied = message.get("reply_to_message", {}).get("from", {}).get("id")
        return name.lower() in text.lower() or replied == BOT["id"]

    async def _publish(self, update: dict[str, Any]) -> None:
        self._updates.append({"update_id": self._next_update, **update})
        self._next_update += 1
        await self._notify()

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    # The bot's side

    async def _handle(self, request: web.Request) -> web.Response:
        token, method = request.match_info["token"], request.match_info["method"]
        try:
            params = await parameters(request)
            if not re.fullmatch(r"\d+:[\w-]+", token):
                raise RefusedError(404, "Not Found")
            if token != TOKEN:
                raise RefusedError(401, "Unauthorized")
            handler = getattr(self, f"_do_{method.lower()}", None)
            if handler is None:
                raise RefusedError(404, "Not Found: method not found")
            self.calls.append((method, params))
            self._flood(params)
            result = await handler(params)
        except RefusedError as refused:
            self.refusals.append(refused.description)
            await self._notify()
            body: dict[str, Any] = {
                "ok": False,
                "error_code": refused.code,
                "description": refused.description,
            }
            if refused.parameters:
                body["parameters"] = refused.parameters
            return web.json_response(body, status=refused.code)
        await self._notify()
        return web.json_response({"ok": True, "result": result})

    def _flood(self, params: dict[str, Any]) -> None:
        if self.floods and "chat_id" in params:
            seconds = self.floods.popleft()
            raise RefusedError(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)

    async def _do_getme(self, _: dict[str, Any]) -> dict[str, Any]:
        return {
            **BOT,
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": True,
        }

    async def _do_getupdates(self, params: dict[str, Any]) -> list[dict[str, Any]]:
        if self.webhook:
            raise RefusedError(
                409,
                "Conflict: can't use getUpdates method while webhook is active; "
                "use deleteWebhook to delete the webhook first",
            )
        await asyncio.sleep(0)
        if self._poller is not None:
            self._poller.set()
            await self._notify()
        mine = self._poller = asyncio.Event()
        try:
            return await self._long_poll(params, mine)
        finally:
            if self._poller is mine:
                self._poller = None

    async def _long_poll(self, params: dict[str, Any], ended: asyncio.Event) -> list[dict[str, Any]]:
        offset, limit = number(params, "offset", 0), number(params, "limit", 100)
        kinds = set(structure(params, "allowed_updates") or ())
        while self._updates and self._updates[0]["update_id"] < offset:
            self._updates.popleft()
        if kinds:
            self._updates = deque(update for update in self._updates if kinds & update.keys())
        deadline = time.monotonic() + number(params, "timeout", 0)
        async with self._changed:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                    await self._changed.wait_for(lambda: self._updates or ended.is_set())
        if ended.is_set():
            raise RefusedError(
                409,
                "Conflict: terminated by other getUpdates request; "
                "make sure that only one bot instance is running",
            )
        return [update for update in self._updates if not kinds or kinds & update.keys()][
            : min(max(limit, 1), 100)
        ]

    async def _do_sendmessage(self, params: dict[str, Any]) -> dict[str, Any]:
        chat_id = self._open_chat(params)
        text, entities = text_of(params)
        message = Sent(chat_id, self._next_message, text, entities, markup_of(params), check_preview(params))
        message.html = params["text"]
        message.reply_to = self._replied(params, chat_id)
        if params.get("message_thread_id"):
            message.thread = number(params, "message_thread_id")
            if not self.chats[chat_id].get("is_forum"):
                raise bad("message thread not found")
        self._next_message += 1
        self.messages[chat_id, message.message_id] = message
        return self._shown(message)

    def _replied(self, params: dict[str, Any], chat_id: int) -> int | None:
        reply = structure(params, "reply_parameters")
        if reply is None:
            return None
        identifier = int(reply["message_id"])
        if not 0 < identifier < self._next_message:
            if reply.get("allow_sending_without_reply"):
                return None
            raise bad("message to be replied not found")
        return identifier

    async def _do_editmessagetext(self, params: dict[str, Any]) -> dict[str, Any]:
        key = (self._open_chat(params), number(params, "message_id"))
        message = self.messages.get(key)
        if message is None:
            raise bad("message to edit not found")
        text, entities = text_of(params)
        markup, preview = markup_of(params), check_preview(params)
        if (text, entities, markup) == (message.text, message.entities, message.markup):
            raise bad(
                "message is not modified: specified new message content and reply markup are "
                "exactly the same as a current content and reply markup of the message"
            )
        message.text, message.entities, message.markup, message.preview = text, entities, markup, preview
        message.html, message.edits = params["text"], message.edits + 1
        return self._shown(message)

    async def _do_answercallbackquery(self, params: dict[str, Any]) -> bool:
        query = self.queries.get(params.get("callback_query_id", ""))
        if query is None or query.answered or time.monotonic() - query.pressed_at > QUERY_LIFE:
            raise bad("query is too old and response timeout expired or query ID is invalid")
        if len(params.get("text") or "") > NOTICE_LIMIT:
            raise bad("MESSAGE_TOO_LONG")
        query.answered, query.notice = True, params.get("text")
        return True

    async def _do_answerinlinequery(self, params: dict[str, Any]) -> bool:
        query = self.queries.get(params.get("inline_query_id", ""))
        if query is None or query.answered or time.monotonic() - query.pressed_at > QUERY_LIFE:
            raise bad("query is too old and response timeout expired or query ID is invalid")
        query.results = results_of(params)
        query.next_offset = limited(params, "next_offset", 64)
        query.button, query.answered = structure(params, "button"), True
        if query.button and len(query.button["text"]) > 64:
            raise bad("BUTTON_TEXT_INVALID")
        return True

    async def _do_sendchataction(self, params: dict[str, Any]) -> bool:
        self._open_chat(params)
        if params.get("action") not in {"typing", "upload_photo", "upload_document"}:
            raise bad("wrong parameter action in request")
        return True

    async def _do_setmycommands(self, params: dict[str, Any]) -> bool:
        self.commands[language_of(params)] = commands_of(params)
        return True

    async def _do_setmydescription(self, params: dict[str, Any]) -> bool:
        self.descriptions[language_of(params)] = limited(params, "description", 512)
        return True

    async def _do_setmyshortdescription(self, params: dict[str, Any]) -> bool:
        language_of(params)
        limited(params, "short_description", 120)
        return True

    async def _do_deletewebhook(self, params: dict[str, Any]) -> bool:
        self.webhook = ""
        if params.get("drop_pending_updates") in {"true", True}:
            self._updates.clear()
        return True

    async def _do_setwebhook(self, params: dict[str, Any]) -> bool:
        self.webhook = params.get("url") or ""
        return True

    def _open_chat(self, params: dict[str, Any]) -> int:
        chat_id = number(params, "chat_id")
        if chat_id in self.blocked:
            raise RefusedError(403, "Forbidden: bot was blocked by the user")
        if chat_id not in self.chats:
            raise bad("chat not found")
        return chat_id

    def _shown(self, message: Sent) -> dict[str, Any]:
        """The message as the API returns it."""
        entities = [
            {
                "type": each.kind,
                "offset": each.offset,
                "length": each.length,
                **({"url": each.url} if each.url else {}),
            }
            for each in message.entities
        ]
        shown: dict[str, Any] = {
            "message_id": message.message_id,
            "date": int(time.time()),
            "chat": self.chats[message.chat_id],
            "from": BOT,
            "text": message.text,
            "entities": entities,
        }
        if message.markup:
            shown["reply_markup"] = message.markup
        if message.thread:
            shown |= {"message_thread_id": message.thread, "is_topic_message": True}
        return shown


async def parameters(request: web.Request) -> dict[str, Any]:
    """The request's parameters, however they were sent."""
    params: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        return params | json.loads(await request.text() or "{}")
    return params | dict(await request.post())
