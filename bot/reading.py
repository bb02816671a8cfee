"""An article page by page: where its pages begin and end, and how one looks."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from bot.actions import Read, Related
from bot.archive import Archive
from bot.formatting import Source, blocks, day
from bot.hashtags import Hashtags
from bot.i18n import Texts
from bot.reply import Button, Reply
from bot.shortening import window
from bot.state import State
from bot.styled import Run, Style, StyledText, joined, one_line, run, utf16_length
from bot.telegram_html import ENTITY_LIMIT, entity_count, is_web_link
from retrieval.types import Article, Passage, Span

PAGE_UNITS = 3000
"""Longest page of an article in UTF-16 units; leaves room for its title and page number."""

_TITLE_LIMIT = 200


def pages(text: str) -> list[Span]:
    """The article's text as pages of whole paragraphs: spans that cover all of it, at least one."""
    result: list[Span] = []
    start = end = filled = 0
    for first, stop in _pieces(text):
        length = shown_length(text[first:stop])
        if filled + length > PAGE_UNITS and end > start:
            result.append((start, end))
            start, filled = end, 0
        end, filled = stop, filled + length
    return [*result, (start, len(text))]


def shown_length(text: str) -> int:
    """UTF-16 units of a part of an article as a page shows it: with an empty line between paragraphs."""
    return utf16_length(text) + text.count("\n")


def paragraphs(text: str) -> list[Span]:
    """The lines of the text, without their line ends."""
    spans, start = [], 0
    for line in text.split("\n"):
        spans.append((start, start + len(line)))
        start += len(line) + 1
    return spans


def place_of(passage: Passage, text: str) -> Span:
    """Where the passage's paragraphs stand in its article's text."""
    lines = paragraphs(text)
    first = min(passage.first_paragraph, len(lines) - 1)
    last = min(max(passage.last_paragraph, first), len(lines) - 1)
    return lines[first][0], lines[last][1]


def page_at(spans: Sequence[Span], position: int) -> int:
    """The number of the page that holds a position of the text."""
    return next((number for number, (_, end) in enumerate(spans) if position < end), len(spans) - 1)


def page_text(
    article: Article,
    number: int,
    marked: Span | None,
    source: Source | None,
    texts: Texts,
    *,
    hashtags: str = "",
) -> StyledText:
    """One page: title, details and hashtags, headings bold, the marked place as a quotation."""
    spans = pages(article.text)
    start, end = spans[number]
    tags = [run(f"\n{hashtags}", Style.META)] if hashtags else []
    parts: list[Run] = [*_headline(article, source, texts), *tags, Run("\n\n")]
    headings = set(article.headings)
    written = False
    for place, (first, last) in enumerate(paragraphs(article.text)):
        if last <= start or first >= end or first == last:
            continue
        quoted = marked is not None and marked[0] <= first and last <= marked[1]
        styles = {Style.QUOTE} if quoted else {Style.HEADING} if place in headings else set()
        between = styles & {Style.QUOTE} if parts[-1].styles & styles else ()
        parts += [Run("\n\n", frozenset(between))] if written else []
        parts.append(run(article.text[max(first, start) : min(last, end)].strip(), *styles))
        written = True
    if len(spans) > 1:
        parts.append(run("\n\n" + texts("article_page", page=number + 1, pages=len(spans)), Style.META))
    if entity_count(tuple(parts)) > ENTITY_LIMIT:
        parts = [Run(part.text, part.styles - {Style.HEADING}, part.link) for part in parts]
    return joined(parts)


def _headline(article: Article, source: Source | None, texts: Texts) -> list[Run]:
    title = one_line(article.title or article.id, _TITLE_LIMIT)
    parts = [run(title, Style.TITLE, link=source.link if source else None)]
    details = [one_line(article.source or article.author or "", 40), day(article.published_at)]
    line = " · ".join(detail for detail in details if detail)
    return [*parts, run("\n" + line, Style.META)] if line else parts


def _pieces(text: str) -> Iterator[Span]:
    """Paragraphs with their line ends; those longer than a page in pieces that end with a sentence."""
    for first, last in paragraphs(text):
        stop = min(last + 1, len(text))
        while shown_length(text[first:stop]) > PAGE_UNITS:
            _, length = window(text[first:stop], (0, 0), PAGE_UNITS // 2)
            yield first, first + length
            first += length
        if first < stop:
            yield first, stop


class Reader:
    """Opens articles page by page, with buttons to turn the pages."""

    def __init__(self, archive: Archive, state: State, hashtags: Hashtags) -> None:
        self._archive = archive
        self._state = state
        self._hashtags = hashtags

    def page(self, article_id: str, action: Read, texts: Texts, *, lead: StyledText = ()) -> Reply | None:
        """The page that `action` asks for (the nearest there is) below `lead`, None where the article is
        gone."""
        article = self._archive.article(article_id, keywords=False)
        if article is None:
            return None
        spans = pages(article.text)
        marked = self._marked(article, action.place - 1)
        number = page_at(spans, marked[0]) if action.fresh and marked else min(action.page, len(spans) - 1)
        url = article.url or ""
        source = Source(url, texts("source_page")) if is_web_link(url) else None
        turned = replace(action, fresh=0)
        row = []
        if number:
            row.append(Button(label=texts("earlier_page"), action=replace(turned, page=number - 1), key="p"))
        if number + 1 < len(spans):
            row.append(Button(label=texts("later_page"), action=replace(turned, page=number + 1), key="n"))
        row.append(Button(label=texts("related"), action=Related(action.article), key="s"))
        tags = self._hashtags.of(article_id)
        text = page_text(article, number, marked, source, texts, hashtags=tags)
        image = article.image if action.fresh and is_web_link(article.image) else None
        return Reply(text=blocks([lead, text]), buttons=(tuple(row),), replaces=not action.fresh, image=image)

    def _marked(self, article: Article, ordinal: int) -> Span | None:
        passages = self._archive.passages(article.id) if ordinal >= 0 else []
        return next((place_of(each, article.text) for each in passages if each.ordinal == ordinal), None)
