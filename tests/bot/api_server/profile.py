"""Who the bot is: its name, its menu of commands, its descriptions; and what it may ask about chats."""

import re
from typing import Any

from .methods import method
from .parameters import Params, bad, language_of, limited, number, structure
from .world import BOT, World


@method("getMe")
async def get_me(_: World, __: Params) -> dict[str, Any]:
    return {
        **BOT,
        "can_join_groups": True,
        "can_read_all_group_messages": False,
        "supports_inline_queries": True,
    }


@method("setMyCommands")
async def set_commands(world: World, params: Params) -> bool:
    scope = scope_of(world, params)
    world.scoped_commands[scope, language_of(params)] = commands_of(params)
    return True


@method("getMyCommands")
async def get_commands(world: World, params: Params) -> list[dict[str, str]]:
    return world.scoped_commands.get((scope_of(world, params), language_of(params)), [])


@method("deleteMyCommands")
async def delete_commands(world: World, params: Params) -> bool:
    world.scoped_commands.pop((scope_of(world, params), language_of(params)), None)
    return True


def commands_of(params: Params) -> list[dict[str, str]]:
    """A menu of commands."""
    commands = structure(params, "commands")
    if not isinstance(commands, list):
        raise bad("expected an Array of BotCommand")
    if len(commands) > 100:
        raise bad("BOT_COMMANDS_TOO_MUCH")
    for command in commands:
        if not re.fullmatch(r"[a-z0-9_]{1,32}", command["command"]):
            raise bad("BOT_COMMAND_INVALID")
        if not 1 <= len(command["description"]) <= 256:
            raise bad("BOT_COMMAND_DESCRIPTION_INVALID")
    return commands


def scope_of(world: World, params: Params) -> str:
    """Whom a menu is for: the scope's kind, then the chat and the user where it names them."""
    scope = structure(params, "scope") or {"type": "default"}
    kind = scope.get("type")
    if kind in {"default", "all_private_chats", "all_group_chats", "all_chat_administrators"}:
        return str(kind)
    if kind not in {"chat", "chat_administrators", "chat_member"}:
        raise bad("can't parse BotCommandScope: unsupported type specified")
    chat_id = number(scope, "chat_id")
    if chat_id not in world.chats:
        raise bad("chat not found")
    if kind == "chat":
        return f"chat:{chat_id}"
    if chat_id > 0:
        raise bad("the scope can be used in groups only")
    return f"{kind}:{chat_id}" + (f":{number(scope, 'user_id')}" if kind == "chat_member" else "")


@method("setMyDescription")
async def set_description(world: World, params: Params) -> bool:
    world.descriptions[language_of(params)] = limited(params, "description", 512)
    return True


@method("getMyDescription")
async def get_description(world: World, params: Params) -> dict[str, str]:
    return {"description": world.descriptions.get(language_of(params), "")}


@method("setMyShortDescription")
async def set_short_description(world: World, params: Params) -> bool:
    world.short_descriptions[language_of(params)] = limited(params, "short_description", 120)
    return True


@method("getMyShortDescription")
async def get_short_description(world: World, params: Params) -> dict[str, str]:
    return {"short_description": world.short_descriptions.get(language_of(params), "")}


@method("getChat")
async def get_chat(world: World, params: Params) -> dict[str, Any]:
    chat_id = world.open_chat(number(params, "chat_id"))
    return {**world.chats[chat_id], "accent_color_id": 0, "max_reaction_count": 11}


@method("getChatMember")
async def get_chat_member(world: World, params: Params) -> dict[str, Any]:
    chat_id, user = world.open_chat(number(params, "chat_id")), number(params, "user_id")
    if user not in world.met:
        raise bad("user not found")
    status = world.members.get((chat_id, user), "member")
    return {"status": status, "user": {"id": user, "is_bot": False, "first_name": "?"}}


@method("leaveChat")
async def leave_chat(world: World, params: Params) -> bool:
    world.kicked.add(world.open_chat(number(params, "chat_id")))
    return True
