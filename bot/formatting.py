"""Hits, passages and article pages → styled text, each within the room a message has."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from bot.i18n import Texts
from bot.memory import Meaning
from bot.shortening import window
from bot.styled import ELLIPSIS, Run, Style, StyledText, cut, joined, mark, one_line, run, utf16_length
from bot.telegram_html import ENTITY_LIMIT, MESSAGE_LIMIT, entity_count
from retrieval.types import Filters, Hit, Passage, SearchResponse, Span

TITLE_LIMIT = 120
WORDING_LIMIT = 120
_FIRST_ROOM, _ROOM, WEAK_ROOM = 640, 260, 80
_SCALES = (1.0, 0.75, 0.5, 0.3)
_HIGHLIGHTS = 10


@dataclass(frozen=True, slots=True)
class Source:
    """Where a hit can be read in full: an address or a path, and what to call it."""

    link: str
    label: str


@dataclass(frozen=True, slots=True)
class Card:
    """A hit with its number in the list and where it leads.

    `strong` ones are shown at length; the sentence of one that `answers` is marked as the answer.
    `copies` names other places that published the article, `newer` a newer article on the same matter,
    `hashtags` what it is about.
    """

    hit: Hit
    number: int
    source: Source | None
    strong: bool = True
    answers: bool = True
    copies: tuple[Source, ...] = ()
    newer: Source | None = None
    hashtags: str = ""


def cards_text(cards: Sequence[Card], lead: StyledText, texts: Texts) -> StyledText:
    """The list of hits under its lead, shortened as a whole until it fits into one message."""
    for scale in _SCALES:
        parts: list[StyledText] = [lead] if lead else []
        for place, card in enumerate(cards):
            if place and not card.strong and cards[place - 1].strong:
                parts.append((run(texts("also_near"), Style.META),))
            room = (_FIRST_ROOM if place == 0 else _ROOM) if card.strong else WEAK_ROOM
            parts.append(card_text(card, int(room * scale), texts))
        text = blocks(parts)
        if utf16_length(text) <= MESSAGE_LIMIT and entity_count(text) <= ENTITY_LIMIT:
            return text
    return cut(text, MESSAGE_LIMIT)


def card_text(card: Card, room: int, texts: Texts) -> StyledText:
    """Title, site, date and source link, then the passage in about `room` Chinese characters."""
    return (*headline(card, texts), Run("\n"), *passage_text(card, room))


def headline(card: Card, texts: Texts) -> StyledText:
    """Two lines: the linked title, and site, date and source link."""
    hit, link = card.hit, card.source.link if card.source else None
    number = [run(f"{card.number}. ", Style.TITLE)] if card.number else []
    title = run(one_line(hit.title or hit.article_id, TITLE_LIMIT), Style.TITLE, link=link)
    details = [run(detail, Style.META) for detail in (site(hit), day(hit.published_at)) if detail]
    if card.source:
        details.append(run(card.source.label, Style.SOURCE, link=card.source.link))
    lines: list[Run] = [*number, title]
    for place, detail in enumerate(details):
        lines += [run(" · " if place else "\n", Style.META), detail]
    tags = [run(f"\n{card.hashtags}", Style.META)] if card.hashtags else []
    return joined([*lines, *_relations(card, texts), *tags])


def passage_text(card: Card, room: int) -> StyledText:
    """The passage as a quotation, its answer and query words marked, at most about `room` Chinese characters.

    Latin letters take half the space.
    """
    hit = card.hit
    keep = hit.answer or (hit.highlights[0] if hit.highlights else (0, 0))
    start, end = window(hit.text, keep, room if _is_wide(hit.text) else 2 * room)
    text = hit.text[start:end]
    body = mark(text.rstrip(), _marks(card, start, end), Style.QUOTE)
    before = [run(ELLIPSIS, Style.QUOTE)] if start else []
    after = [run(ELLIPSIS, Style.QUOTE)] if end < len(hit.text) else []
    return joined([*before, *body, *after])


def unfolded_text(card: Card, passages: Sequence[Passage], texts: Texts) -> StyledText:
    """A hit's passage between its neighbours, which give way where the message would grow too long."""
    head = headline(card, texts)
    own = mark(card.hit.text, _marks(card, 0, len(card.hit.text)), Style.QUOTE)
    before = "\n".join(passage.text for passage in passages if passage.ordinal < card.hit.ordinal)
    after = "\n".join(passage.text for passage in passages if passage.ordinal > card.hit.ordinal)
    room = max(0, MESSAGE_LIMIT - utf16_length(head) - utf16_length(own) - 8)
    parts: list[StyledText] = [head]
    if before:
        parts.append(_end_of(before, room // 2))
    parts.append(own)
    if after:
        left = MESSAGE_LIMIT - sum(utf16_length(part) + 2 for part in parts)
        parts.append(cut((run(after),), max(2, left)))
    return cut(blocks(parts), MESSAGE_LIMIT)


def refusal_text(nearest: StyledText, lead: StyledText, texts: Texts) -> StyledText:
    """That nothing answers, and the nearest thing found."""
    if not nearest:
        why = texts("nothing_within") if lead else texts("nothing_near")
        return blocks([lead, (run(texts("refusal")),), (run(why),)])
    said = texts("refusal") + "\n" + texts("nearest_is")
    return blocks([lead, (run(said),), nearest])


def understood_text(meaning: Meaning, response: SearchResponse, texts: Texts) -> StyledText:
    """What the question was taken to mean: its full wording, phrases read as limits, limits in force."""
    phrases = [
        f"{one_line(each.phrase, 40)} → {limits}"
        for each in response.understood
        if (limits := filters_text(each.filters, texts))
    ]
    if not meaning.follows:
        return (run(texts("understood", phrases="；".join(phrases)), Style.META),) if phrases else ()
    said = one_line(meaning.turn.text, WORDING_LIMIT)
    within = [one_line(title, WORDING_LIMIT) for title in _only_article(meaning)]
    inherited = filters_text(meaning.filters, texts) if meaning.filters and not phrases else ""
    if meaning.skip:
        said = texts("more_of", question=said)
    elif within:
        said = texts("asked_of", title=within[0], question=said)
    listed = "；".join([said, *phrases, *([inherited] if inherited else [])])
    return (run(texts("understood", phrases=listed), Style.META),)


def _only_article(meaning: Meaning) -> list[str]:
    """The title of the one article that is asked, if only one is."""
    only = meaning.filters.article_ids if meaning.filters else ()
    return [title for article, title in meaning.turn.articles if only == (article,) and title]


def filters_text(filters: Filters, texts: Texts) -> str:
    """Filters in words: the dates, then the names."""
    first, last = _date_text(filters.after), _date_text(filters.before)
    parts = [first] if first and first == last else []
    if not parts and first and last:
        parts = [texts("published_between", first=first, last=last)]
    elif not parts and (first or last):
        parts = [texts("published_from", first=first) if first else texts("published_until", last=last)]
    names = (*filters.sources, *filters.authors, *filters.categories, *filters.languages)
    return " · ".join([*parts, *(one_line(name, 30) for name in names)])


def site(hit: Hit) -> str:
    """Who published the article: the source it names, else its author."""
    return one_line(hit.source or hit.author or "", 40)


def day(moment: datetime | None) -> str:
    """The date in the machine's time zone, as ISO writes it; empty where unknown."""
    if moment is None:
        return ""
    try:
        return (moment.astimezone() if moment.tzinfo else moment).date().isoformat()
    except (OverflowError, OSError, ValueError):
        return moment.date().isoformat()


def blocks(parts: Sequence[StyledText]) -> StyledText:
    """The parts with an empty line between them; empty parts are left out."""
    result: list[Run] = []
    for part in parts:
        if part:
            result += [Run("\n\n"), *part] if result else part
    return joined(result)


def _relations(card: Card, texts: Texts) -> StyledText:
    lines: list[Run] = []
    if card.copies:
        names = [run(copy.label, Style.META, link=copy.link or None) for copy in card.copies]
        listed = [each for name in names for each in (run("、", Style.META), name)][1:]
        lines += [Run("\n"), *texts.styled("also_in", articles=tuple(listed))]
    if card.newer:
        title = run(card.newer.label, Style.META, link=card.newer.link or None)
        lines += [Run("\n"), *texts.styled("newer", title=(title,))]
    return tuple(Run(line.text, line.styles | {Style.META}, line.link) for line in lines)


def _marks(card: Card, start: int, end: int) -> dict[Style, list[Span]]:
    """The hit's spans inside [start, end) of its text, counted from `start`."""

    def inside(spans: Sequence[Span]) -> list[Span]:
        return [
            (max(first, start) - start, min(last, end) - start)
            for first, last in spans
            if first < end and last > start
        ]

    hit = card.hit
    return {
        Style.ANSWER: inside([hit.answer] if hit.answer and card.answers else []),
        Style.EXACT: inside([hit.exact_answer] if hit.exact_answer and card.answers else []),
        Style.HIGHLIGHT: inside(hit.highlights)[:_HIGHLIGHTS],
    }


def _is_wide(text: str) -> bool:
    """Whether most of the text is written in Chinese characters or the like."""
    sample = text[:200]
    return sum(each > "\u2e7f" for each in sample) > len(sample) / 3


def _end_of(text: str, room: int) -> StyledText:
    room = max(1, room // 2 if utf16_length(text) > len(text) else room)
    start, _ = window(text, (max(0, len(text) - room), len(text)), room)
    return (run((ELLIPSIS if start else "") + text[start:].lstrip()),)


def _date_text(value: date | datetime | str | None) -> str:
    if isinstance(value, datetime):
        return day(value)
    return value.isoformat() if isinstance(value, date) else (value or "")
