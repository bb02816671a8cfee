"""The users' side: what people do in their clients, as tests act it."""

import time
from typing import Any

from .chats import Person, Query, Sent, entities_of
from .world import BOT, World, described


class Users(World):
    """Acts of users; each becomes the updates that Telegram would make of it."""

    async def say(
        self,
        text: str,
        person: Person | None = None,
        *,
        chat_id: int | None = None,
        reply_to: Sent | dict[str, Any] | None = None,
        thread: int | None = None,
        **fields: Any,
    ) -> dict[str, Any]:
        """A user writes; in a group only what group privacy lets through reaches the bot. The message."""
        person = person or Person()
        if isinstance(reply_to, Sent):
            reply_to = self.shown(reply_to)
        if reply_to is not None:
            fields["reply_to_message"] = {k: v for k, v in reply_to.items() if k != "reply_to_message"}
        if thread is not None:
            fields |= {"message_thread_id": thread, "is_topic_message": True}
        message = self.incoming(text, person, person.id if chat_id is None else chat_id, fields)
        if self.reaches_bot(message):
            await self.publish({"message": message})
        return message

    async def edit(self, message: dict[str, Any], text: str) -> None:
        """The user changes a message."""
        changed = {**message, "text": text, "entities": entities_of(text), "edit_date": int(time.time())}
        self.history[message["chat"]["id"], message["message_id"]] = changed
        if self.reaches_bot(changed):
            await self.publish({"edited_message": changed})

    async def forward(
        self, text: str, person: Person | None = None, *, author: str = "某人", **fields: Any
    ) -> dict[str, Any]:
        """A user forwards somebody else's message."""
        origin = {"type": "hidden_user", "date": int(time.time()), "sender_user_name": author}
        return await self.say(text, person, forward_origin=origin, **fields)

    async def send_file(
        self,
        content: bytes,
        name: str,
        person: Person | None = None,
        *,
        caption: str = "",
        mime_type: str = "application/octet-stream",
        **fields: Any,
    ) -> dict[str, Any]:
        """A user sends a document; its name is whatever their client says."""
        file = self.store(content, "documents", "." + name.rpartition(".")[2] if name.isascii() else "")
        fields["document"] = described(file, name, mime_type)
        if caption:
            fields |= {"caption": caption, "caption_entities": entities_of(caption)}
        return await self.say("", person, **fields)

    async def press(self, message: Sent, label: str, person: Person | None = None) -> Query:
        """A user presses the button of that label."""
        return await self.press_data(message, message.buttons[label], person)

    async def press_data(self, message: Sent, data: str, person: Person | None = None) -> Query:
        """A user's (perhaps forged) client sends this callback data."""
        identifier, query = self.new_query()
        update = {"id": identifier, "from": (person or Person()).json(), "chat_instance": "1", "data": data}
        if message.inline_id:
            update["inline_message_id"] = message.inline_id
        else:
            update["message"] = self.shown(message)
        await self.publish({"callback_query": update})
        return query

    async def type(self, text: str, offset: str = "", person: Person | None = None) -> Query:
        """A user types a question after the bot's name in some chat."""
        identifier, query = self.new_query()
        update = {"id": identifier, "from": (person or Person()).json(), "query": text, "offset": offset}
        await self.publish({"inline_query": update})
        await self.wait(lambda: query.answered)
        return query

    async def choose(
        self, query: Query, place: int = 0, person: Person | None = None, *, chat_id: int | None = None
    ) -> Sent:
        """A user sends one of an inline query's results into a chat; the message as it stands there."""
        person, result = person or Person(), query.results[place]
        message = self.incoming(
            result["text"], person, person.id if chat_id is None else chat_id, {"via_bot": BOT}
        )
        sent = Sent(
            message["chat"]["id"], message["message_id"], result["text"], result["entities"], result["markup"]
        )
        sent.inline_id = f"inline-{message['message_id']}" if result["markup"] else None
        chosen: dict[str, Any] = {"result_id": result["id"], "from": person.json(), "query": "…"}
        await self.publish({"chosen_inline_result": chosen})
        if sent.chat_id in self.chats and sent.chat_id not in self.kicked:
            await self.publish({"message": message})
        return sent

    async def answer_to(self, text: str, person: Person | None = None, **fields: Any) -> Sent:
        """Say something and wait for the bot's next message."""
        before = set(self.messages)
        await self.say(text, person, **fields)
        return await self._next(before)

    async def answer_to_file(
        self, content: bytes, name: str, person: Person | None = None, **fields: Any
    ) -> Sent:
        """Send a document and wait for the bot's next message."""
        before = set(self.messages)
        await self.send_file(content, name, person, **fields)
        return await self._next(before)

    async def _next(self, before: set[tuple[int, int]]) -> Sent:
        await self.wait(lambda: bool(self.messages.keys() - before))
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
        self.topics[chat_id] = {1}
        return chat_id

    async def block(self, person: Person) -> None:
        """A user stops the bot."""
        self.blocked.add(person.id)
        await self._membership(person, person.id, "kicked")

    async def unblock(self, person: Person) -> None:
        """A user lets the bot write again."""
        self.blocked.discard(person.id)
        await self._membership(person, person.id, "member")

    async def kick(self, chat_id: int, person: Person | None = None) -> None:
        """A group throws the bot out."""
        self.kicked.add(chat_id)
        await self._membership(person or Person(), chat_id, "kicked")

    async def migrate(self, chat_id: int, new: int) -> None:
        """A group becomes a supergroup, with another number."""
        self.chats[new] = {**self.chats[chat_id], "id": new, "type": "supergroup"}
        self.topics[new] = {1}
        self.migrated[chat_id] = new
        message = self.incoming("", Person(), chat_id, {"migrate_to_chat_id": new})
        await self.publish({"message": message})

    async def _membership(self, person: Person, chat_id: int, status: str) -> None:
        other = "kicked" if status == "member" else "member"
        members = [
            {"user": BOT, "status": each} | ({"until_date": 0} if each == "kicked" else {})
            for each in (other, status)
        ]
        await self.publish(
            {
                "my_chat_member": {
                    "chat": self.chats[chat_id],
                    "from": person.json(),
                    "date": int(time.time()),
                    "old_chat_member": members[0],
                    "new_chat_member": members[1],
                }
            }
        )

    def menu_of(self, person: Person, chat_id: int | None = None) -> list[str]:
        """The commands in a person's menu in a chat, chosen among scopes and languages as Telegram does."""
        chat = person.id if chat_id is None else chat_id
        admin = self.members.get((chat, person.id)) in {"administrator", "creator"}
        scopes = [
            f"chat_member:{chat}:{person.id}",
            f"chat_administrators:{chat}" if admin else "",
            f"chat:{chat}",
        ]
        if chat_id is None:
            scopes = [f"chat:{chat}", "all_private_chats"]
        else:
            scopes += ["all_chat_administrators" if admin else "", "all_group_chats"]
        language = (person.language_code or "").split("-")[0]
        for scope in (*scopes, "default"):
            for code in (language, ""):
                if menu := self.scoped_commands.get((scope, code)):
                    return [command["command"] for command in menu]
        return []
