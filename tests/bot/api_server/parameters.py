"""Reading a request's parameters, and how the server says no."""

import json
import re
from typing import Any

Params = dict[str, Any]


class RefusedError(Exception):
    """The server's answer to a request that breaks a rule."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code, self.description, self.parameters = code, description, parameters


def bad(description: str) -> RefusedError:
    """400, in the Bot API's form."""
    return RefusedError(400, f"Bad Request: {description}")


def structure(params: Params, name: str) -> Any:
    """A parameter that is JSON in itself."""
    value = params.get(name)
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise bad(f"can't parse {name.replace('_', ' ')} JSON object") from None


def number(params: Params, name: str, default: int | None = None) -> int:
    """A parameter that is a whole number."""
    value = params.get(name, default)
    try:
        return int(value)
    except (TypeError, ValueError):
        raise bad(f"invalid {name} specified") from None


def flag(params: Params, name: str) -> bool:
    """A parameter that is true or false; false where it is missing."""
    return str(params.get(name, "")).lower() in {"true", "1"}


def limited(params: Params, name: str, limit: int) -> str:
    """A text parameter of at most `limit` characters."""
    value = params.get(name) or ""
    if len(value) > limit:
        raise bad(f"{name.replace('_', ' ')} is too long")
    return value


def language_of(params: Params) -> str:
    """The two-letter language a bot's description is for; '' for all."""
    code = params.get("language_code") or ""
    if code and not re.fullmatch(r"[a-z]{2}", code):
        raise bad("invalid language code specified")
    return code
