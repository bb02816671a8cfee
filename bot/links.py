"""Where a hit can be read in full, on each surface. An address is never made up."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from bot.actions import to_base36
from bot.formatting import Source
from bot.i18n import Texts
from bot.state import KEY_LENGTH, State
from bot.telegram_html import is_web_link
from retrieval.links import text_fragment
from retrieval.types import Article, Hit

_PAYLOAD = re.compile(rf"([A-Za-z0-9_-]{{{KEY_LENGTH}}})([0-9a-z]{{1,7}})")


class Links(Protocol):
    """Finds the place where a surface lets people read a hit's article."""

    def source(self, hit: Hit, texts: Texts) -> Source | None:
        """The hit's source, None where the surface has none to offer."""

    def address(self, article: Article) -> str | None:
        """Where the article as a whole can be read."""


class TerminalLinks:
    """The article's page, else its file's path."""

    def source(self, hit: Hit, texts: Texts) -> Source | None:
        """The hit's source, None where the article has neither page nor file."""
        if page := page_link(hit):
            return Source(page, texts("source_page"))
        return Source(_from_here(hit.path), texts("source_page")) if hit.path else None

    def address(self, article: Article) -> str | None:
        """The article's page, else its file's path."""
        if is_web_link(article.url):
            return article.url
        return _from_here(article.path) if article.path else None


class TelegramLinks:
    """The article's page, else a deep link that opens the article in the bot `username`."""

    def __init__(self, username: Callable[[], str], state: State) -> None:
        self._username = username
        self._state = state

    def source(self, hit: Hit, texts: Texts) -> Source:
        """The hit's source; every article has one."""
        if page := page_link(hit):
            return Source(page, texts("source_page"))
        return Source(self._deep_link(hit.article_id, hit.ordinal), texts("source_here"))

    def address(self, article: Article) -> str:
        """The article's page, else a deep link to its beginning."""
        return article.url if article.url and is_web_link(article.url) else self._deep_link(article.id, 0)

    def _deep_link(self, article_id: str, ordinal: int) -> str:
        payload = deep_link_payload(self._state.article_keys.key(article_id), ordinal)
        return f"https://t.me/{self._username()}?start={payload}"


def _from_here(path: str) -> str:
    """The path as one would type it: relative where the file lies below the current folder."""
    file, here = Path(path), Path.cwd()
    return str(file.relative_to(here)) if file.is_relative_to(here) else path


def page_link(hit: Hit) -> str | None:
    """The article's own address, jumping to the answer (or the passage); None where it has none."""
    if hit.url is None or not is_web_link(hit.url):
        return None
    target = hit.text[slice(*hit.answer)] if hit.answer else hit.text
    precise = text_fragment(hit.url, target)
    return precise if is_web_link(precise) else hit.url


def deep_link_payload(key: str, ordinal: int) -> str:
    """What follows `?start=` to open an article (by its key) at a passage: at most 64 of A-Za-z0-9_-."""
    return f"{key}{to_base36(ordinal)}"


def parse_payload(payload: str) -> tuple[str, int] | None:
    """The article key and passage number of `deep_link_payload`, None for anything else."""
    found = _PAYLOAD.fullmatch(payload)
    return (found[1], int(found[2], 36)) if found else None
