"""Short keys for articles, which have ids of any length: for buttons and links."""

import hashlib
from base64 import urlsafe_b64encode

from bot.state.database import Database
from bot.state.schema import Table

KEY_LENGTH = 16
"""Characters of an article key: A-Z a-z 0-9 _ -, fit for a deep link."""

_REMEMBERED = 50_000

TABLE = Table(
    "articles",
    ("CREATE TABLE IF NOT EXISTS articles (key TEXT PRIMARY KEY, article_id TEXT NOT NULL)",),
)


class ArticleKeys:
    """The table of article keys."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._stored: set[str] = set()

    def key(self, article_id: str) -> str:
        """A key of KEY_LENGTH characters for an article, the same every time; remembered for `article_id`."""
        digest = hashlib.sha256(article_id.encode("utf-8", "surrogatepass")).digest()
        key = urlsafe_b64encode(digest[:12]).decode("ascii")
        if key not in self._stored:
            self._database.run(
                "INSERT INTO articles (key, article_id) VALUES (?, ?) ON CONFLICT (key) DO NOTHING",
                key,
                article_id,
            )
            if len(self._stored) >= _REMEMBERED:
                self._stored.clear()
            self._stored.add(key)
        return key

    def article_id(self, key: str) -> str | None:
        """The article behind a key that `key` gave."""
        row = self._database.row("SELECT article_id FROM articles WHERE key = ?", key)
        return str(row[0]) if row else None
