"""What texts, keyboards and previews must satisfy."""

from typing import Any

from .cleaning import is_blank, units
from .entities import Entity, ParseError, parse_html, tidied
from .links import is_link
from .parameters import Params, bad, structure

TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024
CALLBACK_LIMIT = 64
ROW_LIMIT, BUTTON_LIMIT = 8, 100
ACTIONS = (
    "url",
    "web_app",
    "login_url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
    "copy_text",
    "callback_game",
    "pay",
)


def formatted(markup: str, mode: str) -> tuple[str, list[Entity]]:
    """The text and entities of markup; the only mode besides none is HTML, the only one the bot uses."""
    try:
        markup.encode()
    except UnicodeEncodeError:
        raise bad("strings must be encoded in UTF-8") from None
    if not mode:
        return tidied(markup, [])
    if mode.lower() != "html":
        raise bad("unsupported parse_mode")
    try:
        return parse_html(markup)
    except ParseError as error:
        raise bad(f"can't parse entities: {error}") from None


def text_of(params: Params) -> tuple[str, list[Entity]]:
    """A message's text and entities."""
    if params.get("entities"):
        raise bad("this server wants formatting by parse_mode")
    text, entities = formatted(params.get("text") or "", params.get("parse_mode") or "")
    if is_blank(text):
        raise bad("message text is empty")
    if units(text) > TEXT_LIMIT:
        raise bad("message is too long")
    return text, entities


def caption_of(params: Params) -> tuple[str, list[Entity]]:
    """A file's caption and entities; it may be empty."""
    text, entities = formatted(params.get("caption") or "", params.get("parse_mode") or "")
    if units(text) > CAPTION_LIMIT:
        raise bad("message caption is too long")
    return text, entities


def markup_of(params: Params) -> dict[str, Any] | None:
    """The inline keyboard, if there is one."""
    markup = structure(params, "reply_markup")
    if markup is None:
        return None
    if not isinstance(markup, dict):
        raise bad("object expected as reply markup")
    rows = markup.get("inline_keyboard")
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise bad("object expected as reply markup")
    buttons = [button for row in rows for button in row]
    if len(buttons) > BUTTON_LIMIT or any(len(row) > ROW_LIMIT for row in rows):
        raise bad("reply markup is too long")
    for button in buttons:
        check_button(button)
    return {"inline_keyboard": [row for row in rows if row]} if buttons else None


def check_button(button: dict[str, Any]) -> None:
    """Refuse a button without text or with other than one thing to do."""
    text = button.get("text")
    if not isinstance(text, str) or is_blank(text):
        raise bad('can\'t parse inline keyboard button: Field "text" must be of type String')
    kinds = [kind for kind in ACTIONS if kind in button] + ["callback_data"] * bool(
        button.get("callback_data")
    )
    if len(kinds) != 1:
        raise bad("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
    if len(button.get("callback_data", "").encode()) > CALLBACK_LIMIT:
        raise bad("BUTTON_DATA_INVALID")
    if "url" in button:
        check_url(button["url"])
    if "copy_text" in button and not 1 <= len(button["copy_text"]["text"]) <= 256:
        raise bad("BUTTON_COPY_TEXT_INVALID")


def check_url(url: str) -> None:
    """Refuse an address that a button cannot open."""
    if not is_link(url):
        raise bad(f"inline keyboard button URL '{url}' is invalid: Wrong HTTP URL")


def check_preview(params: Params) -> dict[str, Any] | None:
    """The options of the link preview."""
    options: dict[str, Any] | None = structure(params, "link_preview_options")
    if options and "url" in options and not is_link(options["url"]):
        raise bad("WEBPAGE_URL_INVALID")
    if options and options.get("prefer_small_media") and options.get("prefer_large_media"):
        raise bad("link preview can't be both small and large")
    return options
