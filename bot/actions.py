"""What a button does, as values, and their form in at most 64 bytes of callback data.

A button carries all it needs (question, page, passage), so it works after a restart.
"""

import re
from dataclasses import dataclass, fields

CALLBACK_LIMIT = 64
"""Longest callback data Telegram takes, in bytes."""

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_NUMBER = re.compile(r"[0-9a-z]{1,13}")
_KEY = re.compile(r"[A-Za-z0-9_-]{1,24}")


@dataclass(frozen=True, slots=True)
class ShowPage:
    """Show one page (from 0) of a question's hits; `nearest` shows them even where none answers."""

    question: int
    page: int
    nearest: int = 0


@dataclass(frozen=True, slots=True)
class Unfold:
    """Show one passage with `before` and `after` neighbouring passages, then back to `page`."""

    question: int
    page: int
    passage: int
    before: int = 1
    after: int = 1


@dataclass(frozen=True, slots=True)
class Read:
    """Show one page (from 0) of an article by its key; `place` is the passage to mark plus 1, 0 for none.

    `fresh` opens a new message at the marked passage, whatever `page` says.
    """

    article: str
    page: int = 0
    place: int = 0
    fresh: int = 0


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask a stored question again, as a new one; `literal` without reading filters out of it."""

    question: int
    literal: int = 0


@dataclass(frozen=True, slots=True)
class Rate:
    """Say whether a question's answer was good (1) or not (0)."""

    question: int
    good: int


@dataclass(frozen=True, slots=True)
class Alone:
    """Take a question as it stands, without the conversation before it."""

    question: int


@dataclass(frozen=True, slots=True)
class Choose:
    """Take an ambiguous question to be about one of the matters it may be about, by its place from 0."""

    question: int
    place: int


@dataclass(frozen=True, slots=True)
class Related:
    """Show the articles related to one, by its key."""

    article: str


@dataclass(frozen=True, slots=True)
class Latest:
    """Show what is new: a page (from 0) of one category by its key, "-" for a few of each."""

    category: str = "-"
    page: int = 0


@dataclass(frozen=True, slots=True)
class Follow:
    """Be told of new articles that answer a question."""

    question: int


@dataclass(frozen=True, slots=True)
class FollowAs:
    """Take a subscription for a question (0), keywords (1) or a category (2)."""

    subscription: int
    kind: int


@dataclass(frozen=True, slots=True)
class Unfollow:
    """End a subscription."""

    subscription: int


@dataclass(frozen=True, slots=True)
class Notify:
    """Be told at once or in a digest, by the choice's place."""

    choice: int


@dataclass(frozen=True, slots=True)
class Quiet:
    """Not be told during some hours, by the choice's place."""

    choice: int


@dataclass(frozen=True, slots=True)
class RemoveArticle:
    """Remove an article by its key; for admins."""

    article: str


@dataclass(frozen=True, slots=True)
class SendBroadcast:
    """Send a prepared message to everyone; for the admin who wrote it."""

    broadcast: int


@dataclass(frozen=True, slots=True)
class CancelBroadcast:
    """Do not send it."""

    broadcast: int


@dataclass(frozen=True, slots=True)
class SetLanguage:
    """Speak another language in this chat; the number is the language's place in the list."""

    language: int


Subscribing = Follow | FollowAs | Unfollow | Notify | Quiet
Administering = RemoveArticle | SendBroadcast | CancelBroadcast
Action = (
    ShowPage
    | Unfold
    | Read
    | Ask
    | Rate
    | Alone
    | Choose
    | Related
    | Latest
    | Subscribing
    | Administering
    | SetLanguage
)
_CODES: dict[str, type[Action]] = {
    "p": ShowPage,
    "u": Unfold,
    "r": Read,
    "a": Ask,
    "v": Rate,
    "w": Alone,
    "c": Choose,
    "s": Related,
    "n": Latest,
    "f": Follow,
    "k": FollowAs,
    "d": Unfollow,
    "o": Notify,
    "z": Quiet,
    "x": RemoveArticle,
    "b": SendBroadcast,
    "e": CancelBroadcast,
    "l": SetLanguage,
}
_CODE_OF = {kind: code for code, kind in _CODES.items()}


def encode(action: Action) -> str:
    """The action as callback data: ASCII, at most 64 bytes, the same for the same action."""
    parts = [_CODE_OF[type(action)]]
    for field in fields(action):
        value = getattr(action, field.name)
        parts.append(value if isinstance(value, str) else to_base36(value))
    return ":".join(parts)


def decode(data: str) -> Action | None:
    """The action that `encode` wrote, or None for anything else (forged, or of another version)."""
    code, *parts = data.split(":")
    kind = _CODES.get(code)
    if kind is None or len(data) > CALLBACK_LIMIT or len(parts) != len(fields(kind)):
        return None
    values: list[int | str] = []
    for field, part in zip(fields(kind), parts, strict=True):
        if not (_KEY if field.type in {"str", str} else _NUMBER).fullmatch(part):
            return None
        values.append(part if field.type in {"str", str} else int(part, 36))
    if any(isinstance(value, int) and value >= 2**63 for value in values):
        return None
    return kind(*values)  # type: ignore[arg-type]


def to_base36(number: int) -> str:
    """A number ≥ 0 in base 36, the shortest alphabet that int() reads back."""
    digits = ""
    while True:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
        if not number:
            return digits
