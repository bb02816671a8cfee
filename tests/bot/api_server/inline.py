"""What the answer to an inline query must satisfy."""

import re
from typing import Any

from .links import is_link
from .parameters import Params, bad, limited, number, structure
from .rules import check_preview, markup_of, text_of

RESULT_LIMIT, IDENTIFIER_LIMIT, OFFSET_LIMIT, BUTTON_TEXT_LIMIT = 50, 64, 64, 64


def results_of(params: Params) -> list[dict[str, Any]]:
    """The results of an inline query, each with its message parsed."""
    results = structure(params, "results")
    if not isinstance(results, list):
        raise bad("expected an Array of InlineQueryResult")
    if len(results) > RESULT_LIMIT:
        raise bad("RESULTS_TOO_MUCH")
    if len({result["id"] for result in results}) < len(results):
        raise bad("RESULT_ID_DUPLICATE")
    for result in results:
        _check(result)
    return results


def _check(result: dict[str, Any]) -> None:
    if result.get("type") != "article":
        raise bad("can't parse inline query result: this server knows articles only")
    if not 1 <= len(result["id"].encode()) <= IDENTIFIER_LIMIT:
        raise bad("RESULT_ID_INVALID")
    if not result.get("title", "").strip():
        raise bad("ARTICLE_TITLE_EMPTY")
    for address in ("url", "thumbnail_url"):
        if result.get(address) and not is_link(result[address]):
            raise bad("WEBDOCUMENT_URL_INVALID")
    content = result.get("input_message_content")
    if not content or "message_text" not in content:
        raise bad("can't parse inline query result: input message content is not specified")
    result["text"], result["entities"] = text_of(
        {"text": content["message_text"], "parse_mode": content.get("parse_mode", "")}
    )
    check_preview(content)
    result["markup"] = markup_of(result)


def offset_of(params: Params) -> str:
    """Where the next page begins; '' where there is none."""
    offset = params.get("next_offset") or ""
    if len(offset.encode()) > OFFSET_LIMIT:
        raise bad("next offset is too long")
    return offset


def button_of(params: Params) -> dict[str, Any] | None:
    """The button above the results."""
    button: dict[str, Any] | None = structure(params, "button")
    number(params, "cache_time", 300)
    if button is None:
        return None
    if not button.get("text") or len(button["text"]) > BUTTON_TEXT_LIMIT:
        raise bad("BUTTON_TEXT_INVALID")
    if "web_app" not in button and not re.fullmatch(
        r"[\w-]{1,64}", limited(button, "start_parameter", 64), re.A
    ):
        raise bad("START_PARAM_INVALID")
    return button
