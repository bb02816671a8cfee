"""What a request must satisfy: each check raises RefusedError with the status and words of the Bot API."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

from .entities import Entity, ParseError, parse_html, units

TEXT_LIMIT = 4096
CALLBACK_LIMIT = 64
NOTICE_LIMIT = 200
ROW_LIMIT, BUTTON_LIMIT = 8, 100


class RefusedError(Exception):
    """The server's answer to a request that breaks a rule."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code, self.description, self.parameters = code, description, parameters


def bad(description: str) -> RefusedError:
    return RefusedError(400, f"Bad Request: {description}")


def text_of(params: dict[str, Any]) -> tuple[str, list[Entity]]:
    """The message's text and entities."""
    markup = params.get("text")
    if not markup:
        raise bad("message text is empty")
    try:
        markup.encode()
    except UnicodeEncodeError:
        raise bad("strings must be encoded in UTF-8") from None
    mode = params.get("parse_mode", "")
    if mode.lower() == "html":
        try:
            text, entities = parse_html(markup)
        except ParseError as error:
            raise bad(f"can't parse entities: {error}") from None
    elif not mode:
        text, entities = markup.strip(), []
    else:
        raise bad("unsupported parse_mode")
    text = re.sub("[\x00-\x08\x0b-\x1f]", " ", text)
    if not text.strip():
        raise bad("message text is empty")
    if units(text) > TEXT_LIMIT:
        raise bad("message is too long")
    return text, entities


def markup_of(params: dict[str, Any]) -> dict[str, Any] | None:
    """The inline keyboard, if there is one."""
    markup = structure(params, "reply_markup")
    if markup is None:
        return None
    rows = markup.get("inline_keyboard")
    if not isinstance(rows, list):
        raise bad("object expected as reply markup")
    buttons = [button for row in rows for button in row]
    if len(buttons) > BUTTON_LIMIT or any(len(row) > ROW_LIMIT for row in rows):
        raise bad("reply markup is too long")
    for button in buttons:
        check_button(button)
    return {"inline_keyboard": [row for row in rows if row]} if buttons else None


def check_button(button: dict[str, Any]) -> None:
    if not button.get("text", "").strip():
        raise bad('can\'t parse inline keyboard button: Field "text" must be of type String')
    kinds = {
        "url",
        "callback_data",
        "switch_inline_query",
        "switch_inline_query_current_chat",
    } & button.keys()
    if len(kinds) != 1:
        raise bad("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
    data = button.get("callback_data")
    if data is not None and not 1 <= len(data.encode()) <= CALLBACK_LIMIT:
        raise bad("BUTTON_DATA_INVALID")
    if "url" in button:
        check_url(button["url"])


def check_url(url: str) -> None:
    address = urlsplit(url)
    if address.scheme not in {"http", "https", "tg"} or not address.netloc:
        raise bad(f"inline keyboard button URL '{url}' is invalid: Wrong HTTP URL")


def check_preview(params: dict[str, Any]) -> dict[str, Any] | None:
    options = structure(params, "link_preview_options")
    if options and "url" in options:
        check_url(options["url"])
        if "." not in (urlsplit(options["url"]).hostname or ""):
            raise bad("WEBPAGE_URL_INVALID")
    return options


def commands_of(params: dict[str, Any]) -> list[dict[str, str]]:
    commands = structure(params, "commands")
    if not isinstance(commands, list) or len(commands) > 100:
        raise bad("can't parse commands")
    for command in commands:
        if not re.fullmatch(r"[a-z0-9_]{1,32}", command["command"]):
            raise bad("BOT_COMMAND_INVALID")
        if not 1 <= len(command["description"]) <= 256:
            raise bad("BOT_COMMAND_DESCRIPTION_INVALID")
    return commands


def results_of(params: dict[str, Any]) -> list[dict[str, Any]]:
    """The results of an inline query, each with its message parsed."""
    results = structure(params, "results")
    if not isinstance(results, list) or len(results) > 50:
        raise bad("RESULTS_TOO_MUCH")
    if len({result["id"] for result in results}) < len(results):
        raise bad("RESULT_ID_DUPLICATE")
    for result in results:
        if not 1 <= len(result["id"].encode()) <= 64:
            raise bad("RESULT_ID_INVALID")
        if not result.get("title", "").strip():
            raise bad("ARTICLE_TITLE_EMPTY")
        content = result["input_message_content"]
        text, entities = text_of(
            {"text": content["message_text"], "parse_mode": content.get("parse_mode", "")}
        )
        result["text"], result["entities"] = text, entities
    return results


def language_of(params: dict[str, Any]) -> str:
    code = params.get("language_code", "")
    if code and not re.fullmatch(r"[a-z]{2}", code):
        raise bad("invalid language code specified")
    return code


def limited(params: dict[str, Any], name: str, limit: int) -> str:
    value = params.get(name) or ""
    if len(value) > limit:
        raise bad(f"{name.replace('_', ' ')} is too long")
    return value


def structure(params: dict[str, Any], name: str) -> Any:
    """A parameter that is JSON in itself."""
    value = params.get(name)
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise bad(f"can't parse {name.replace('_', ' ')} JSON object") from None


def number(params: dict[str, Any], name: str, default: int | None = None) -> int:
    value = params.get(name, default)
    try:
        return int(value)
    except (TypeError, ValueError):
        raise bad(f"invalid {name} specified") from None
