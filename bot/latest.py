"""What is new: the newest articles, by category."""

import hashlib
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from bot.actions import Latest, Read
from bot.archive import Archive
from bot.formatting import TITLE_LIMIT, blocks, day
from bot.i18n import Texts
from bot.links import Links
from bot.reply import Button, Reply
from bot.state import State
from bot.styled import Style, StyledText, one_line, run
from retrieval.types import Article

LOOKED_AT = 200
"""Newest articles among which there may be something to list."""

_CATEGORIES = 6
_PER_CATEGORY = 3
_PER_PAGE = 8
_LABEL = 20
_EVERYTHING = "-"


class News:
    """Lists the newest articles: a few of each category, or page by page those of one."""

    def __init__(self, archive: Archive, state: State, links: Links) -> None:
        self._archive = archive
        self._state = state
        self._links = links

    def page(self, action: Latest, say: Texts) -> Reply:
        """The overview, or a page of one category where `action` names one that there is."""
        articles = list(self._archive.articles(order="newest", limit=LOOKED_AT))
        if not articles:
            return Reply(text=(run(say("holds_nothing")),))
        categories = _by_category(articles)
        named = {category_key(name): name for name in categories}
        if action.category in named:
            name = named[action.category]
            return self._one(name, categories[name], action, say)
        return self._overview(articles, categories, say)

    def _overview(
        self, articles: Sequence[Article], categories: dict[str, list[Article]], say: Texts
    ) -> Reply:
        """Each category's newest, every article once."""
        parts: list[StyledText] = [(run(say("latest"), Style.HEADING),)]
        listed: list[Article] = []
        for name in list(categories)[:_CATEGORIES]:
            fresh = [each for each in categories[name] if each not in listed][:_PER_CATEGORY]
            if fresh:
                parts.append(self._section(name, fresh, len(listed), say))
                listed += fresh
        if not listed:
            listed = list(articles[:_PER_PAGE])
            parts.append(self._section("", listed, 0, say))
        rows = [self._reading(listed, 0, say), _category_row(list(categories)[:_CATEGORIES])]
        return Reply(
            text=blocks(parts),
            buttons=tuple(row[at : at + 5] for row in rows for at in range(0, len(row), 5)),
        )

    def _one(self, name: str, articles: Sequence[Article], action: Latest, say: Texts) -> Reply:
        pages = -(-len(articles) // _PER_PAGE)
        page = min(action.page, pages - 1)
        shown = articles[page * _PER_PAGE : (page + 1) * _PER_PAGE]
        parts = [self._section(name, shown, page * _PER_PAGE, say)]
        if pages > 1:
            parts.append((run(say("article_page", page=page + 1, pages=pages), Style.META),))
        turns = [Button(label=say("all_categories"), action=Latest(_EVERYTHING), key="b")]
        if page:
            turns.append(Button(label=say("earlier_page"), action=replace(action, page=page - 1), key="p"))
        if page + 1 < pages:
            turns.append(Button(label=say("later_page"), action=replace(action, page=page + 1), key="n"))
        reading = self._reading(shown, page * _PER_PAGE, say)
        return Reply(text=blocks(parts), buttons=(reading[:4], reading[4:], tuple(turns)))

    def _section(self, name: str, articles: Sequence[Article], before: int, say: Texts) -> StyledText:
        """A heading, and a line an article: number, title, and whence and when."""
        lines = [run(one_line(name, 40), Style.HEADING)] if name else []
        for number, article in enumerate(articles, start=before + 1):
            title = one_line(article.title or article.id, TITLE_LIMIT)
            details = (one_line(article.source or article.author or "", 30), day(article.published_at))
            lines.append(run(("\n" if lines else "") + f"{number}. "))
            lines.append(run(title, link=self._links.address(article)))
            lines.append(run("".join(f" · {detail}" for detail in details if detail), Style.META))
        return tuple(lines)

    def _reading(self, articles: Sequence[Article], before: int, say: Texts) -> tuple[Button, ...]:
        return tuple(
            Button(
                label=say("read_number", number=number),
                action=Read(self._state.article_keys.key(article.id), fresh=1),
                key=str(number),
            )
            for number, article in enumerate(articles, start=before + 1)
        )


def category_key(name: str) -> str:
    """A category's name in few letters, for a button."""
    return urlsafe_b64encode(hashlib.sha256(name.encode()).digest()[:9]).decode("ascii")


def _by_category(articles: Sequence[Article]) -> dict[str, list[Article]]:
    """Category → its articles, the category with the most articles first."""
    counts = Counter(
        name for article in articles for name in dict.fromkeys(article.categories) if name.strip()
    )
    found: dict[str, list[Article]] = {name: [] for name, _ in counts.most_common()}
    for article in articles:
        for name in dict.fromkeys(article.categories):
            if name in found:
                found[name].append(article)
    return found


def _category_row(names: Sequence[str]) -> tuple[Button, ...]:
    return tuple(
        Button(label=one_line(name, _LABEL), action=Latest(category_key(name)), key=f"c{place}")
        for place, name in enumerate(names, start=1)
    )
