"""An article's tags as hashtags: those it names, else its keywords."""

import re
import threading
from functools import lru_cache

from bot.archive import Archive
from retrieval.types import Article

SHOWN = 5
"""Hashtags an article."""

_LONGEST = 24


class Hashtags:
    """Hashtags of articles. Keywords need a table that takes a second to read: until `warm` has read it,
    only tags that articles name themselves are given, so that no answer waits for it."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._ready = threading.Event()
        self.of = lru_cache(maxsize=1024)(self._of)
        """The hashtags of an article by its id; the last articles' are remembered."""

    def warm(self) -> None:
        """Read the table; meant to be run beside answering."""
        from retrieval.keywords import keywords

        keywords("", "")
        self.of.cache_clear()
        self._ready.set()

    def forget(self) -> None:
        """Look again the next time: the articles have changed."""
        self.of.cache_clear()

    def _of(self, article_id: str) -> str:
        article = self._archive.article(article_id, keywords=self._ready.is_set())
        return hashtags(article) if article else ""


def hashtags(article: Article) -> str:
    """The article's tags as Telegram reads them: letters, digits and _ only, each once, blanks between."""
    tags = ["_".join(re.findall(r"\w+", tag)) for tag in article.tags]
    fit = [tag for tag in tags if 1 < len(tag) <= _LONGEST and not tag.isdigit()]
    return " ".join(f"#{tag}" for tag in list(dict.fromkeys(fit))[:SHOWN])
