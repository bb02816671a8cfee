"""Styled text → Telegram's HTML: every character escaped, tags nested the way Telegram accepts."""

from html import escape
from urllib.parse import urlsplit

from bot.styled import Run, Style, StyledText

MESSAGE_LIMIT = 4096
"""Longest message, in UTF-16 units after entity parsing."""

ENTITY_LIMIT = 100
"""Telegram shows the formatting of at most this many entities a message."""

_LINK_LIMIT = 2000
_TAGS = {
    Style.QUOTE: ("blockquote",),
    Style.TITLE: ("b",),
    Style.HEADING: ("b",),
    Style.META: (),
    Style.SOURCE: (),
    Style.ANSWER: ("b",),
    Style.EXACT: ("i",),
    Style.HIGHLIGHT: ("u",),
}
_NESTING = ("blockquote", "a", "b", "i", "u")


def to_html(text: StyledText) -> str:
    """Telegram HTML of `text`: one tree in a fixed order of nesting, so that no two entities cross."""
    parts: list[str] = []
    open_tags: list[tuple[str, str | None]] = []
    for run in text:
        wanted = _tags(run)
        shared = 0
        while shared < min(len(open_tags), len(wanted)) and open_tags[shared] == wanted[shared]:
            shared += 1
        parts += [f"</{name}>" for name, _ in reversed(open_tags[shared:])]
        parts += [_start(name, link) for name, link in wanted[shared:]]
        parts.append(escape_text(run.text))
        open_tags = wanted
    parts += [f"</{name}>" for name, _ in reversed(open_tags)]
    return "".join(parts)


def escape_text(text: str) -> str:
    """The text with the characters that Telegram's HTML gives a meaning escaped."""
    return escape(text, quote=False)


def entity_count(text: StyledText) -> int:
    """How many entities Telegram will find in `to_html(text)`."""
    return to_html(text).count("</")


def is_web_link(link: str | None) -> bool:
    """Whether every surface can link to the address: http or https, a host, a sane length, no white space."""
    if not link or len(link) > _LINK_LIMIT or any(each.isspace() or not each.isprintable() for each in link):
        return False
    try:
        address = urlsplit(link)
        return address.scheme in {"http", "https"} and bool(address.hostname)
    except ValueError:
        return False


def _tags(run: Run) -> list[tuple[str, str | None]]:
    names = {name for style in run.styles for name in _TAGS[style]}
    if is_web_link(run.link):
        names.add("a")
    return [(name, run.link if name == "a" else None) for name in _NESTING if name in names]


def _start(name: str, link: str | None) -> str:
    return f'<a href="{escape(link)}">' if link else f"<{name}>"
