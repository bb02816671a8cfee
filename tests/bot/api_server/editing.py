"""Messages of the bot changed and deleted, and answers to buttons and inline queries."""

import time
from typing import Any

from .chats import Query, Sent
from .inline import button_of, offset_of, results_of
from .methods import method
from .parameters import Params, bad, flag, number
from .rules import caption_of, check_preview, markup_of, text_of
from .world import BOT, QUERY_LIFE, World

NOTICE_LIMIT = 200
NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are "
    "exactly the same as a current content and reply markup of the message"
)


@method("editMessageText", counted=True)
async def edit_text(world: World, params: Params) -> dict[str, Any]:
    message = _editable(world, params)
    if message.kind != "text":
        raise bad("there is no text in the message to edit")
    text, entities = text_of(params)
    markup, preview = markup_of(params), check_preview(params)
    if (text, entities, markup) == (message.text, message.entities, message.markup):
        raise bad(NOT_MODIFIED)
    message.text, message.entities, message.markup, message.preview = text, entities, markup, preview
    message.html = params["text"]
    return _changed(world, message)


@method("editMessageCaption", counted=True)
async def edit_caption(world: World, params: Params) -> dict[str, Any]:
    message = _editable(world, params)
    if message.kind == "text":
        raise bad("there is no caption in the message to edit")
    (text, entities), markup = caption_of(params), markup_of(params)
    if (text, entities, markup) == (message.text, message.entities, message.markup):
        raise bad(NOT_MODIFIED)
    message.text, message.entities, message.markup = text, entities, markup
    return _changed(world, message)


@method("editMessageReplyMarkup", counted=True)
async def edit_markup(world: World, params: Params) -> dict[str, Any]:
    message, markup = _editable(world, params), markup_of(params)
    if markup == message.markup:
        raise bad(NOT_MODIFIED)
    message.markup = markup
    return _changed(world, message)


def _editable(world: World, params: Params) -> Sent:
    key = (world.open_chat(number(params, "chat_id")), number(params, "message_id"))
    if message := world.messages.get(key):
        return message
    theirs = world.history.get(key, {}).get("from", BOT) != BOT
    raise bad("message can't be edited" if theirs else "message to edit not found")


def _changed(world: World, message: Sent) -> dict[str, Any]:
    message.edits += 1
    shown = world.shown(message)
    world.history[message.chat_id, message.message_id] = shown
    return shown


@method("deleteMessage")
async def delete_message(world: World, params: Params) -> bool:
    key = (world.open_chat(number(params, "chat_id")), number(params, "message_id"))
    if key not in world.messages and key not in world.history:
        raise bad("message to delete not found")
    if key not in world.messages and key[0] < 0:
        raise bad("message can't be deleted for everyone")
    world.messages.pop(key, None)
    world.history.pop(key, None)
    return True


def _waiting(world: World, params: Params, name: str) -> Query:
    query = world.queries.get(str(params.get(name, "")))
    if query is None or query.answered or time.monotonic() - query.pressed_at > QUERY_LIFE:
        raise bad("query is too old and response timeout expired or query ID is invalid")
    return query


@method("answerCallbackQuery")
async def answer_callback_query(world: World, params: Params) -> bool:
    query = _waiting(world, params, "callback_query_id")
    if len(params.get("text") or "") > NOTICE_LIMIT:
        raise bad("MESSAGE_TOO_LONG")
    query.settled.set()
    query.answered, query.notice, query.alert = True, params.get("text"), flag(params, "show_alert")
    return True


@method("answerInlineQuery")
async def answer_inline_query(world: World, params: Params) -> bool:
    query = _waiting(world, params, "inline_query_id")
    query.results, query.next_offset, query.button = results_of(params), offset_of(params), button_of(params)
    query.cache_time, query.personal = number(params, "cache_time", 300), flag(params, "is_personal")
    query.answered = True
    return True
