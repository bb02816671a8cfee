"""Questions that the archive can answer, to begin a conversation with."""

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from bot.archive import Archive
from bot.i18n import Language
from bot.styled import clean
from retrieval.types import Article

OFFERED = 3

_ARTICLES_LOOKED_AT = 400
_CANDIDATES_TRIED = 40
_LENGTHS = range(4, 41)
_QUESTION = re.compile(
    r"[？?]\s*$|什么|什麼|怎么|怎麼|怎样|怎樣|如何|为何|為何|为什么|為什麼|哪|谁|誰|几|幾|多少|吗$|嗎$"
    r"|^(?:what|why|how|who|whom|whose|when|where|which|is|are|can|do|does|did|will)\b",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"[。！？!?；;]|\.\s")


class Suggestions:
    """Three questions a language: prepared ones, else headings and titles, each checked by asking it."""

    def __init__(self, archive: Archive, prepared: Mapping[Language, Sequence[str]] | None = None) -> None:
        self._archive = archive
        self._prepared = prepared or {}
        self._found: tuple[str, ...] | None = None
        self._lock = threading.Lock()

    def of(self, language: Language) -> tuple[str, ...]:
        """Up to three questions; none for an empty archive."""
        if prepared := self._prepared.get(language):
            return tuple(prepared[:OFFERED])
        with self._lock:
            if self._found is None:
                self._found = tuple(islice(self._answered(), OFFERED))
            return self._found

    def forget(self) -> None:
        """Look again the next time: the articles have changed."""
        with self._lock:
            self._found = None

    def _answered(self) -> Iterator[str]:
        """Candidates, those that are questions first, whose own article answers them; one an article."""
        articles = self._archive.articles(order="newest", limit=_ARTICLES_LOOKED_AT)
        candidates = [(text, article.id) for article in articles for text in _candidates(article)]
        candidates.sort(key=lambda candidate: not _QUESTION.search(candidate[0]))
        seen: set[str] = set()
        for text, article_id in candidates[:_CANDIDATES_TRIED]:
            if article_id in seen:
                continue
            response = self._archive.search(text, top_k=1)
            if response.answered and response.hits and response.hits[0].article_id == article_id:
                seen.add(article_id)
                yield text


def _candidates(article: Article) -> Iterator[str]:
    """Lines of the article that may serve as a question: headings and question-like lines, then the title."""
    lines = article.text.split("\n")
    for place, line in enumerate(lines):
        text = " ".join(clean(line).split())
        asks = text.endswith(("？", "?")) and not _SENTENCE_END.search(text[:-1])
        if len(text) in _LENGTHS and (asks or (place in article.headings and _QUESTION.search(text))):
            yield text
    title = " ".join(clean(article.title).split())
    if len(title) in _LENGTHS:
        yield title
