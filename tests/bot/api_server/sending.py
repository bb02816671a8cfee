"""Messages of the bot: sent, copied, forwarded."""

import re
import time
from typing import Any

from .chats import Sent
from .methods import method
from .parameters import Params, bad, flag, number, structure
from .rules import caption_of, check_preview, markup_of, text_of
from .uploads import file_of
from .world import BOT, World

CHAT_ACTIONS = re.compile(
    "typing|choose_sticker|find_location|(record|upload)_(video|voice|video_note)|upload_(photo|document)"
)


@method("sendMessage", counted=True)
async def send_message(world: World, params: Params) -> dict[str, Any]:
    chat_id = world.open_chat(number(params, "chat_id"))
    text, entities = text_of(params)
    message = Sent(chat_id, 0, text, entities, markup_of(params), check_preview(params))
    message.html = params["text"]
    return _put(world, params, message)


@method("sendPhoto", counted=True)
async def send_photo(world: World, params: Params) -> dict[str, Any]:
    return _send_file(world, params, "photo")


@method("sendDocument", counted=True)
async def send_document(world: World, params: Params) -> dict[str, Any]:
    return _send_file(world, params, "document")


def _send_file(world: World, params: Params, kind: str) -> dict[str, Any]:
    chat_id = world.open_chat(number(params, "chat_id"))
    caption, entities = caption_of(params)
    message = Sent(chat_id, 0, caption, entities, markup_of(params), kind=kind)
    message.file, message.file_name = file_of(world, params, kind)
    message.html = params.get("caption") or ""
    return _put(world, params, message)


def _put(world: World, params: Params, message: Sent) -> dict[str, Any]:
    """Give the message its number and its place in the chat."""
    message.reply_to = replied_to(world, params, message.chat_id)
    message.thread = _topic(world, params, message)
    message.silent = flag(params, "disable_notification")
    message.message_id = world.new_message()
    world.deliver(message)
    shown = world.shown(message)
    world.history[message.chat_id, message.message_id] = shown
    return shown


def replied_to(world: World, params: Params, chat_id: int) -> int | None:
    """The message that is replied to; it must be there, unless the bot says that it may be missing."""
    reply = structure(params, "reply_parameters")
    if reply is None:
        return None
    identifier = number(reply, "message_id")
    if (number(reply, "chat_id", chat_id), identifier) not in world.history:
        if reply.get("allow_sending_without_reply"):
            return None
        raise bad("message to be replied not found")
    return identifier


def _topic(world: World, params: Params, message: Sent) -> int | None:
    """The topic: the one that is named, else that of the message replied to."""
    if params.get("message_thread_id"):
        thread = number(params, "message_thread_id")
        known = {
            each.get("message_thread_id")
            for (chat, _), each in world.history.items()
            if chat == message.chat_id
        }
        if not world.chats[message.chat_id].get("is_forum"):
            raise bad("message thread not found")
        if thread not in known | world.topics.get(message.chat_id, set()):
            raise bad("message thread not found")
        return thread
    replied = world.history.get((message.chat_id, message.reply_to or 0), {})
    return replied.get("message_thread_id")


@method("copyMessage", counted=True)
async def copy_message(world: World, params: Params) -> dict[str, Any]:
    message = _duplicate(world, params, "copy")
    if params.get("caption") is not None:
        message.text, message.entities = caption_of(params)
    message.markup = markup_of(params)
    return {"message_id": _put(world, params, message)["message_id"]}


@method("forwardMessage", counted=True)
async def forward_message(world: World, params: Params) -> dict[str, Any]:
    message = _duplicate(world, params, "forward")
    message.origin = {"type": "user", "date": int(time.time()), "sender_user": BOT}
    return _put(world, params, message)


def _duplicate(world: World, params: Params, what: str) -> Sent:
    chat_id = world.open_chat(number(params, "chat_id"))
    key = (world.open_chat(number(params, "from_chat_id")), number(params, "message_id"))
    if own := world.messages.get(key):
        return Sent(
            chat_id, 0, own.text, own.entities, None, kind=own.kind, file=own.file, file_name=own.file_name
        )
    if (theirs := world.history.get(key)) is None:
        raise bad(f"message to {what} not found")
    text = theirs.get("text") or theirs.get("caption") or ""
    copy = Sent(chat_id, 0, text, [], None)
    if document := theirs.get("document"):
        copy.kind, copy.file_name = "document", document.get("file_name", "")
        copy.file = world.files[document["file_id"]].content
    return copy


@method("sendChatAction")
async def send_chat_action(world: World, params: Params) -> bool:
    world.open_chat(number(params, "chat_id"))
    if not CHAT_ACTIONS.fullmatch(params.get("action") or ""):
        raise bad("wrong parameter action in request")
    return True
